"""`sigkit verify`: did this person sign?"""

import contextlib
import os
import tempfile
import warnings
from collections import Counter

import numpy as np
from PIL import Image
from sklearn.base import clone

from sigkit._commands._arguments import make_parser
from sigkit._commands._files import say
from sigkit._utils import printable_path
from sigkit.datasets import load_folder, make_signatures
from sigkit.estimators import OperatingPointVerifier, make_fused_verifier
from sigkit.imaging import ImageError
from sigkit.metrics import ScoreCalibrator, verbal_scale
from sigkit.nets import weights_path
from sigkit.transformers import SignaturePreprocessor

SIGNER = "one person"
N_SYNTHETIC, N_GENUINE, N_FORGED, LEAST_GENUINE = 20, 8, 4, 4
CANVAS = 765, 1089  # rows and columns at 300 dpi
EXPLANATION = """A likelihood ratio (LR) says how much more probable the score is for a genuine signature than for
a skilled forgery. It is bounded by what the synthetic signatures support."""


def find_references(options):
    """Return the paths of the references and their writers."""
    if options.references:
        return options.references, [SIGNER] * len(options.references)
    paths = load_folder(options.customers, "{writer}/*").images.tolist()
    # Not the target: load_folder turns names of digits into numbers, and "007" would become 7.
    writers = [os.path.basename(os.path.dirname(path)) for path in paths]
    if options.claim not in writers:
        known = ", ".join(sorted(set(writers)))
        raise ValueError(f"--claim {options.claim}: no such customer in {options.customers}; found {known}.")
    return paths, writers


def make_preprocessor(options):
    """Make the preprocessor of references and queries, for which poor scans are an error."""
    # The canvas also holds the synthetic signatures. With "photo", all signatures have a usual size.
    is_photo = options.background == "photo"
    canvas_size = CANVAS if is_photo else (max(options.rows, CANVAS[0]), max(options.columns, CANVAS[1]))
    resolution = None if is_photo else options.resolution
    # Poor references are an error: everything like them would be accepted later.
    settings = {"canvas_size": canvas_size, "background": options.background, "resolution": resolution}
    return SignaturePreprocessor(**settings, on_poor_scan="error")


def make_development_set(preprocessor):
    """Make signatures of synthetic writers; return images, preprocessed for the same canvas, and the target."""
    scans, target = make_signatures(N_SYNTHETIC, N_GENUINE, N_FORGED, random_state=2)
    background = "photo" if preprocessor.background == "photo" else "otsu"
    settings = {"background": background, "resolution": None, "on_poor_scan": "ignore"}
    preprocessor = clone(preprocessor).set_params(**settings).fit(scans[:1])
    images, rows = [], []
    for scan, (number, forgery) in zip(scans, target):
        # With "photo", a signature of a few straight strokes can be taken for lines.
        with contextlib.suppress(ImageError):
            images.append(preprocessor.transform([scan])[0])
            # No folder of a customer can have a slash in its name.
            rows.append((f"synthetic/{number}", forgery))
    n_genuine = Counter(writer for writer, forgery in rows if forgery == 0)
    kept = [row for row, (writer, _) in enumerate(rows) if n_genuine[writer] >= LEAST_GENUINE]
    return np.array(images)[kept], [rows[row] for row in kept]


def preprocess_queries(preprocessor, paths):
    """Return the images of queries that can be judged, by path, and why the others cannot."""
    images, reasons = {}, {}
    for path in paths:
        try:
            images[path] = preprocessor.transform([path])[0]
        except ImageError as error:
            reasons[path] = " ".join(str(error).splitlines())
    return images, reasons


def fit_verifier(options, images, writers, development, target):
    """Enroll the writers, and set the threshold by the development writers."""
    dev_writers = sorted({writer for writer, _ in target})
    verifier = make_fused_verifier(dev_writers=dev_writers, weights=options.weights, random_state=0)
    verifier.set_params(svm__svc__n_peer_negatives=len(writers))
    # Synthetic writers are not the population of the customers: the intervals are wider.
    settings = {"level": options.far, "dev_writers": dev_writers, "other_corpus": True, "random_state": 0}
    model = OperatingPointVerifier(verifier, **settings)
    rows = np.array([*((writer, 0) for writer in writers), *target], dtype=object)
    with warnings.catch_warnings():
        # It has been said before the long work.
        warnings.filterwarnings("ignore", message=".*one reference only")
        return model.fit(np.concatenate([images, development]), rows)


def fit_calibrator(trials):
    """Fit the map from scores to likelihood ratios, against skilled forgeries."""
    used = trials.kind != "random"
    return ScoreCalibrator().fit(trials.y_score[used], trials.y_true[used])


def check_arguments(options):
    """Check before the long work what would be an error after it."""
    if not 0 <= options.far < 1:
        raise ValueError(f"--far must be at least 0 and below 1, such as 0.05 for 5 %; found {options.far:g}.")
    if options.threshold is not None and np.isnan(options.threshold):
        raise ValueError("--threshold must be a number, the lowest score that is accepted; found nan.")
    weights_path(options.weights)


def note_one_reference(images, writers, claim):
    """Say before the long work if the claimed person has one reference; a copy of it is no other one."""
    if len({image.tobytes() for image, writer in zip(images, writers) if writer == claim}) == 1:
        say(
            f"{claim} has one reference only, which does not show how much genuine signatures differ: the error rates "
            "will be high. Pass others, at best five or more."
        )


def verify(options):
    """Enroll the references, and print the scores and decisions of the queries."""
    claim = options.claim or SIGNER
    paths, writers = find_references(options)
    preprocessor = make_preprocessor(options)
    images = preprocessor.fit_transform(paths)
    note_one_reference(images, writers, claim)
    judged, reasons = preprocess_queries(preprocessor, options.query)
    say(f"Fitting on {N_SYNTHETIC} synthetic writers, for about 20 seconds ...")
    development, target = make_development_set(preprocessor)
    model = fit_verifier(options, images, writers, development, target)
    results = {path: f"inconclusive: {reason}" for path, reason in reasons.items()}
    if judged:
        queries, claims = np.array(list(judged.values())), [claim] * len(judged)
        scores = model.claim_scores(queries, claims)
        accepted = model.verify(queries, claims, threshold=options.threshold)
        ratios = fit_calibrator(model.development_trials_).transform(scores)
        for path, score, is_accepted, ratio in zip(judged, scores, accepted, ratios):
            decision = "accepted" if is_accepted else "rejected"
            results[path] = f"score {score:.2f}, {decision}; log10 LR {ratio:.1f}, {verbal_scale(ratio)}"

    others = len(writers) - writers.count(claim)
    customers = f", and {others} of other customers" if others else ""
    n_negatives = sum(forgery == 0 for _, forgery in target)
    print(f"{len(writers) - others} references of {claim}; negatives: {n_negatives} synthetic signatures{customers}.")
    for path in options.query:
        print(f"{printable_path(path)}: {results[path]}")
    if options.threshold is not None:
        print(f"Scores of at least {options.threshold:g} are accepted.")
    print(f"{model.operating_point_}\n{EXPLANATION}")


def make_customers(folder):
    """Make four customers with five references each, and three queries with the claim "ada"; return arguments."""
    scans, target = make_signatures(n_writers=4, n_genuine=6, n_skilled=1, random_state=1)
    queries = {os.path.join(folder, "forged.png"): scans[target.tolist().index([1, 1])]}
    for writer, name in enumerate(("ada", "bob", "eve", "kim"), start=1):
        *references, last = (scans[row] for row in np.flatnonzero((target == [writer, 0]).all(axis=1)))
        os.makedirs(os.path.join(folder, "customers", name))
        for number, scan in enumerate(references, start=1):
            Image.fromarray(scan).save(os.path.join(folder, "customers", name, f"{number}.png"))
        if writer <= 2:
            queries[os.path.join(folder, f"by_{name}.png")] = last
    for path, scan in queries.items():
        Image.fromarray(scan).save(path)
    return ["--customers", os.path.join(folder, "customers"), "--claim", "ada", "--query", *sorted(queries)]


def run(options):
    """Run the command; without a query, on synthetic customers.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    """
    given = [name for name in ("references", "customers", "claim", "query") if getattr(options, name) is not None]
    if given and sorted(given) not in (["query", "references"], ["claim", "customers", "query"]):
        raise ValueError("pass --references and --query; or --customers, --claim and --query; or none of them.")
    check_arguments(options)
    if options.query:
        verify(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        arguments = make_customers(folder)
        print(f"Four synthetic customers with five references each:\nsigkit verify {' '.join(arguments)}\n")
        drawn = make_parser().parse_args(["verify", *arguments])
        options.customers, options.claim, options.query = drawn.customers, drawn.claim, drawn.query
        verify(options)
