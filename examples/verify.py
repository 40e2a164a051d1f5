"""Did this person sign? Verify signatures on your own images, with the network that comes with the package.

    python examples/verify.py --references ada1.png ada2.png ada3.png ada4.png ada5.png --query cheque.png
    python examples/verify.py --customers customers --claim ada --query cheque.png letter.png
    python examples/verify.py

The first compares with references of one person; the second with those in a folder a person (`customers/ada/1.png`,
`customers/bob/1.png`, ...); the third draws such a folder of people who do not exist, and asks about three signatures.
Five references or more are good. Scans are of 300 dpi, dark ink on bright paper; for photographs, add
`--background adaptive`.

A support vector machine parts the references from signatures of other people: 20 drawn people, whose signatures nobody
signed, and the other customers where there are any. Nothing is downloaded, and nothing is sent anywhere.
"""

import argparse
import math
import os
import tempfile

import numpy as np
from PIL import Image

from sigkit.datasets import load_folder, make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

SIGNER = "one person"
N_DRAWN, N_OF_EACH = 20, 5
ROOM = 765, 1089  # pixels for a signature at 300 dpi
WHAT_IT_MEANS = """0 is where references and others part; a higher threshold accepts fewer forgeries, and rejects
more genuine signatures. Choose it by error rates on signatures of your own, other than these."""


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", nargs="+", metavar="IMAGE", help="genuine signatures of one person")
    parser.add_argument("--customers", metavar="FOLDER", help="or a folder with a folder of images for each person")
    parser.add_argument("--claim", metavar="NAME", help="who of the customers is said to have signed")
    parser.add_argument("--query", nargs="+", metavar="IMAGE", help="the signatures in question")
    parser.add_argument("--threshold", type=float, default=0.0, help="the least score that is accepted (default: 0)")
    parser.add_argument("--weights", default="synthetic", help="of the network (default: synthetic)")
    parser.add_argument("--rows", type=int, default=765, help="pixels of the tallest signature to come (default: 765)")
    parser.add_argument("--columns", type=int, default=1089, help="and of the widest (default: 1089)")
    parser.add_argument("--background", choices=("otsu", "adaptive"), default="otsu", help="adaptive for photographs")
    options = parser.parse_args(arguments)
    given = [name for name in ("references", "customers", "claim", "query") if getattr(options, name) is not None]
    if given and sorted(given) not in (["query", "references"], ["claim", "customers", "query"]):
        parser.error("pass --references and --query; or --customers, --claim and --query; or none of them")
    return options


def find_references(options):
    """List the paths of the references, and whose they are."""
    if options.references:
        return options.references, [SIGNER] * len(options.references)
    paths = load_folder(options.customers, "{writer}/*").images.tolist()
    # Names as they stand in the folder: "007" stays what it is.
    writers = [os.path.basename(os.path.dirname(path)) for path in paths]
    if options.claim not in writers:
        known = ", ".join(sorted(set(writers)))
        raise ValueError(f"--claim {options.claim}: there is no such customer in {options.customers}; found {known}.")
    return paths, writers


def draw_negatives(options):
    """Draw people, as large on their canvas as the user's scans are on theirs; return images and names."""
    resolution = float(np.clip(300 * min(options.rows / ROOM[0], options.columns / ROOM[1]), 100, 600))
    settings = {"n_skilled": 0, "resolution": resolution, "random_state": 2}
    drawn, target = make_signatures(N_DRAWN, N_OF_EACH, **settings)
    room = tuple(math.ceil(side * resolution / 300) for side in ROOM)
    # Names with a slash, which no folder has.
    return SignaturePreprocessor(canvas_size=room).fit_transform(drawn), [f"drawn/{name}" for name in target[:, 0]]


def verify(options):
    """Enroll the references and print what the queries score."""
    paths, writers = find_references(options)
    preprocessor = SignaturePreprocessor(canvas_size=(options.rows, options.columns), background=options.background)
    images = preprocessor.fit_transform([*paths, *options.query])
    negatives, people = draw_negatives(options)
    features = SigNetFeaturizer(weights=options.weights).fit_transform(np.concatenate([images, negatives]))
    references, queries, negatives = np.split(features, [len(paths), len(images)])

    settings = {"n_peer_negatives": len(writers), "random_state": 0}
    # The default gamma was made for 2,048 features; "auto" is 1 over their number, whatever that is.
    model = WriterDependentSVC(gamma="auto", dev_writers=sorted(set(people)), **settings)
    model.fit(np.concatenate([references, negatives]), [*writers, *people])
    claim = options.claim or SIGNER
    claims = [claim] * len(queries)
    scores = model.claim_scores(queries, claims)
    accepted = model.verify(queries, claims, threshold=options.threshold)

    others = len(writers) - writers.count(claim)
    customers = f", and {others} of other customers" if others else ""
    print(f"{len(writers) - others} references of {claim}; against them {len(people)} drawn signatures{customers}.")
    for path, score, yes in zip(options.query, scores, accepted):
        print(f"{path}: score {score:.2f}, {'accepted' if yes else 'rejected'}")
    print(f"Accepted are scores from {options.threshold:g}. {WHAT_IT_MEANS}")


def draw_customers(folder):
    """Draw four people with five references each, and three signatures that are said to be ada's; return arguments."""
    scans, target = make_signatures(n_writers=4, n_genuine=6, n_skilled=1, random_state=1)
    questions = {os.path.join(folder, "forged.png"): scans[target.tolist().index([1, 1])]}
    for writer, name in enumerate(("ada", "bob", "eve", "kim"), start=1):
        *references, last = (scans[row] for row in np.flatnonzero((target == [writer, 0]).all(axis=1)))
        os.makedirs(os.path.join(folder, "customers", name))
        for number, scan in enumerate(references, start=1):
            Image.fromarray(scan).save(os.path.join(folder, "customers", name, f"{number}.png"))
        if writer <= 2:
            questions[os.path.join(folder, f"by_{name}.png")] = last
    for path, scan in questions.items():
        Image.fromarray(scan).save(path)
    return ["--customers", os.path.join(folder, "customers"), "--claim", "ada", "--query", *sorted(questions)]


def main(arguments=None):
    options = parse_arguments(arguments)
    if options.query:
        verify(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        drawn = draw_customers(folder)
        print(f"Four drawn people who do not exist, five references each:\nverify.py {' '.join(drawn)}\n")
        settings = ["--threshold", str(options.threshold), "--weights", options.weights]
        verify(parse_arguments([*drawn, *settings]))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
