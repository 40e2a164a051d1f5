"""Compare drawn signatures with real ones by their statistics, to calibrate the drawing on distributions.

    python examples/compare_signatures.py --cedar cedar_170x242.npz --bhsig260 /data/BHSig260 --memory /tmp/sigkit
    python examples/compare_signatures.py --cedar cedar_170x242.npz --no-eer --drawn drawn.npz

All images are preprocessed. CEDAR comes as sigver's file of all 55 writers. Of BHSig260 those writers are left alone
that `examples/train_signet.py` holds out. Copies of an image are left out. Drawn signatures come from
`make_signatures`, or from a file that `save_npz` wrote of preprocessed ones. Printed are

- percentiles of statistics of an image, and how well each alone tells real from drawn (AUC, 0.5 is best);
- how they vary within a writer, between writers, and from genuine signatures to forgeries;
- distances of HOG features within a writer, to forgeries, and to other writers;
- how well a classifier tells two corpora apart by statistics and by HOG, writers it has not seen;
- error rates of forgeries, by HOG and 12 references (not with `--no-eer`).

With --memory the real corpora are measured once. It needs scikit-image.
"""

import argparse
import hashlib
import inspect
import itertools
import os

import features_table
import numpy as np
import signature_statistics as statistics
from joblib import Memory
from train_signet import HELD_OUT, is_held_out

from sigkit.datasets import load_bhsig260, load_npz, make_signatures
from sigkit.transformers import SignaturePreprocessor

DRAWN = "drawn"
N_IMAGES = 24
"""Genuine signatures and forgeries to take of each writer, at most."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cedar", help="sigver's npz file of preprocessed signatures")
    parser.add_argument("--bhsig260", help="where BHSig260 is")
    parser.add_argument("--drawn", help="npz file of preprocessed drawn signatures; drawn now without")
    parser.add_argument("--n-writers", type=int, default=55, help="of each corpus, at most (default: 55)")
    parser.add_argument("--sample", type=int, default=600, help="images of each corpus for statistics (default: 600)")
    parser.add_argument("--no-eer", action="store_true", help="without error rates, and no more images than the sample")
    parser.add_argument("--splits", type=int, default=3, help="draws of references and queries (default: 3)")
    parser.add_argument("--memory", help="folder that remembers images, and the statistics of real ones")
    parser.add_argument("--scan", default="grey", help="kind of the drawn scans (default: grey)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def load(options):
    """Preprocessed images and target of each corpus, by name; the drawn ones last."""
    corpora = {}
    n_images = n_of_sample(options) if options.no_eer else N_IMAGES
    if options.cedar:
        cedar = load_npz(options.cedar)
        rows = thin(cedar.target, options.n_writers, n_images)
        corpora["CEDAR"] = cedar.images[rows], cedar.target[rows]
    if options.bhsig260:
        for script in ("bengali", "hindi"):
            corpus = load_bhsig260(options.bhsig260, script)
            writers = np.array(corpus.target[:, 0].tolist())
            free = np.flatnonzero(~is_held_out(writers, HELD_OUT["bhsig260"].values()))
            rows = free[thin(corpus.target[free], options.n_writers, n_images)]
            scans = [corpus.images[row] for row in rows]
            corpora[script.title()] = preprocess(scans, corpus.canvas_size, options), corpus.target[rows]
    if options.drawn:
        drawn = load_npz(options.drawn)
        rows = thin(drawn.target, options.n_writers, n_images)
        corpora[DRAWN] = drawn.images[rows], drawn.target[rows]
    else:
        scans, target = make_signatures(
            options.n_writers, n_images, n_images, random_state=options.seed, scan=options.scan
        )
        corpora[DRAWN] = preprocess(scans, (765, 1089), options, memory=None), target
    return {name: without_copies(*corpus) for name, corpus in corpora.items()}


def preprocess(scans, canvas_size, options, **settings):
    settings = {"memory": options.memory, "n_jobs": -1} | settings
    return SignaturePreprocessor(canvas_size=canvas_size, **settings).fit_transform(scans)


def n_of_sample(options):
    """Genuine signatures of a writer in the sample, and as many forgeries."""
    return max(2, round(options.sample / options.n_writers / 2))


def thin(target, n_writers, n_images):
    """Rows of the first writers, so many of each kind, evenly from all there are."""
    writers, kinds = np.array(target[:, 0].tolist()), target[:, 1].astype(int)
    rows = []
    for writer, kind in itertools.product(np.unique(writers)[:n_writers], (0, 1)):
        there = np.flatnonzero((writers == writer) & (kinds == kind))
        rows += there[np.unique(np.linspace(0, len(there) - 1, n_images).astype(int))].tolist()
    return np.array(rows)


def without_copies(images, target):
    first = {image.tobytes(): row for row, image in reversed(list(enumerate(images)))}
    rows = sorted(first.values())
    return images[rows], target[rows]


def show(*row):
    print("|", " | ".join(row), "|", flush=True)


def show_head(title, *columns):
    print(f"\n{title}\n")
    show(*columns)
    show(*["---"] * len(columns))


def real_and_drawn(corpora):
    """Names of the corpora of each comparison: the real ones with the drawn, and for a measure with each other."""
    indic = [name for name in ("Bengali", "Hindi") if name in corpora]
    groups = [group for group in (["CEDAR"] * ("CEDAR" in corpora), indic) if group]
    both = [(group, [DRAWN]) for group in groups]
    among = [tuple(groups)] if len(groups) == 2 else []
    return both, both + among + [([name], [other]) for name, other in itertools.combinations(indic, 2)]


def join(group, parts):
    """Stack the parts of a group of corpora, every second row of two, so that a group weighs like a corpus."""
    return np.concatenate([parts[name][:: len(group)] for name in group])


def show_percentiles(names, values, comparisons):
    titles = [f"AUC {'+'.join(group)}" for group, _ in comparisons]
    show_head("Percentiles 10 / 50 / 90 over images; how well each tells real from drawn.", "", *values, *titles)
    for column, name in enumerate(names):
        figures = [np.percentile(rows[:, column], (10, 50, 90)) for rows in values.values()]
        aucs = [statistics.auc(*(join(group, values)[:, column] for group in pair)) for pair in comparisons]
        show(name, *(" / ".join(f"{number:.3g}" for number in row) for row in figures), *(f"{x:.2f}" for x in aucs))


def show_spreads(names, values, targets):
    title = "Spread within a writer (of logarithms: *); in units of it: spread of writers / forgeries off / shifted."
    show_head(title, "", *values)
    table = [statistics.spreads(names, values[corpus], targets[corpus]) for corpus in values]
    for column, name in enumerate(names):
        figures = [[part[column] for part in parts] for parts in table]
        row = [f"{spread:.2g}; {writers:.1f} / {off:.1f} / {shift:+.1f}" for spread, writers, off, shift in figures]
        show(name + "*" * (name in statistics.LOGARITHMIC), *row)


def show_distances(features, targets):
    show_head("Median distances of HOG, and their ratios to that between writers.", "", *features)
    table = [statistics.distances(features[corpus], targets[corpus]) for corpus in features]
    for kind in table[0]:
        show(kind, *(f"{row[kind]:.2f}; {row[kind] / row['genuine of two writers']:.3f}" for row in table))


def show_auc(values, features, targets, comparisons, seed, memory):
    show_head("AUC between corpora, 5 folds by writer; 0.5 is alike.", "", "statistics", "HOG")
    writers = {name: np.array([f"{name} {writer}" for writer in target[:, 0]]) for name, target in targets.items()}
    models = (statistics.classifier_of_statistics(seed), values), (statistics.classifier_of_hog(), features)
    for pair in comparisons:
        tell_apart = remembered(memory, [*pair[0], *pair[1]], statistics.tell_apart)
        of_whom = [join(group, writers) for group in pair]
        aucs = [tell_apart(model, *(join(group, parts) for group in pair), *of_whom, seed) for model, parts in models]
        show(" against ".join("+".join(group) for group in pair), *(f"{x:.3f}" for x in aucs))


def show_error_rates(corpora, n_splits, memory):
    titles = ("features", "SVM", "sigver: global", "a writer", "nearest: global", "a writer")
    show_head("EER in per cent, 12 references, all forgeries.", "", *titles)
    for name, (images, target) in corpora.items():
        kernel, figures = remembered(memory, [name], statistics.best_error_rates)(images, target, n_splits)
        features_table.show(name, "HOG", kernel, figures)


def open_memory(folder):
    """A memory that forgets what the scripts computed before they were changed."""
    text = inspect.getsource(statistics) + inspect.getsource(features_table)
    digest = hashlib.sha256(text.encode()).hexdigest()[:20]
    return Memory(folder and os.path.join(folder, "statistics", digest), verbose=0)


def remembered(memory, corpora, function):
    """The function, with a memory of what it found for real corpora."""
    return function if DRAWN in corpora else memory.cache(function)


def main():
    options = parse_arguments()
    corpora = load(options)
    memory = open_memory(options.memory)
    values, features, targets = {}, {}, {}
    for name, (images, target) in corpora.items():
        rows = thin(target, options.n_writers, n_of_sample(options))
        names, values[name] = remembered(memory, [name], statistics.measure_images)(images[rows])
        features[name] = remembered(memory, [name], statistics.centered_hog)(images[rows])
        targets[name] = target[rows]
        print(f"{name}: {len(rows)} of {len(images)} images, {len(np.unique(target[:, 0]))} writers")
    with_drawn, comparisons = real_and_drawn(corpora)
    show_percentiles(names, values, with_drawn)
    show_spreads(names, values, targets)
    show_distances(features, targets)
    if comparisons:
        show_auc(values, features, targets, comparisons, options.seed, memory)
    if not options.no_eer:
        show_error_rates(corpora, options.splits, memory)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
