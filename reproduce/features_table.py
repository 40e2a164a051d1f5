"""Evaluate features on real corpora, next to hand-crafted ones: a table of EERs with 12 references per writer.

    python reproduce/features_table.py signet.safetensors --cedar cedar_170x242.npz --bhsig260 /data/BHSig260

CEDAR is read from sigver's file of the preprocessed signatures of all 55 writers. BHSig260 is evaluated on the writers
that `reproduce/train_signet.py` holds out. Negatives are 12 references of each other writer. Queries are 10 genuine
signatures (half of the signatures of writers with fewer than 22 distinct ones) and all skilled forgeries. The
parameters of the SVMs on features of networks are fixed beforehand; HOG has the best kernel for each corpus. HOG needs
scikit-image.

Expected, on 25 November 2026 (docs/results.rst has all rows): EER in percent, mean and standard deviation over 10
splits.

    python reproduce/features_table.py synthetic --cedar cedar_170x242.npz --bhsig260 /data/BHSig260

    corpus, writers   features    sigver: global   per writer     nearest: global  per writer
    Bengali 1-20      HOG          7.45 +- 1.36     4.71 +- 1.05   7.54 +- 1.38     5.03 +- 1.06
    Bengali 1-20      synthetic    3.17 +- 0.64     1.74 +- 0.58   3.28 +- 0.63     1.72 +- 0.49
    Hindi 61-80       HOG         12.16 +- 0.79     7.75 +- 2.09  12.23 +- 0.75     8.82 +- 1.58
    Hindi 61-80       synthetic    5.80 +- 0.62     3.51 +- 0.53   5.84 +- 0.59     3.98 +- 0.53
    CEDAR 1-55        HOG         12.82 +- 1.05     8.74 +- 0.64  12.86 +- 1.04     9.44 +- 0.65
    CEDAR 1-55        synthetic    8.85 +- 0.83     5.20 +- 0.51   8.86 +- 0.82     5.67 +- 0.29
"""

import argparse
import itertools

import numpy as np
from sklearn.pipeline import FeatureUnion
from train_signet import HELD_OUT, is_held_out

from sigkit.datasets import load_bhsig260, load_npz
from sigkit.estimators import WriterDependentSVC
from sigkit.metrics import verification_report
from sigkit.model_selection import WriterSplit
from sigkit.nets import center_crop
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

HOG_KERNELS = [{"kernel": "linear"}, *({"gamma": 2.0**power} for power in (-15, -13, -11, -9))]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="*", help="weight files, one row for each; a+b concatenates features")
    parser.add_argument("--cedar", help="sigver's npz file of preprocessed signatures")
    parser.add_argument("--bhsig260", help="the folder of BHSig260")
    parser.add_argument("--splits", type=int, default=10, help="draws of references and queries (default: 10)")
    parser.add_argument("--gamma", type=float, nargs="+", help="of the RBF kernel (default: 1 / n_features)")
    parser.add_argument("--C", type=float, nargs="+", default=[1.0], help="C of the SVMs (default: 1)")
    parser.add_argument("--views", type=int, default=5, help="n_views of the featurizer (default: 5)")
    parser.add_argument("--magnification", type=float, nargs="+", default=[1.0], help="of the featurizer (default: 1)")
    parser.add_argument("--memory", help="folder in which images and features are cached")
    parser.add_argument("--no-hog", action="store_true", help="without the rows of hand-crafted features")
    return parser.parse_args()


def load(options):
    """Load preprocessed images and target of each test set."""
    sets = {}
    if options.bhsig260:
        corpus = load_bhsig260(options.bhsig260)
        preprocessor = SignaturePreprocessor(
            canvas_size=corpus.canvas_size, memory=options.memory, n_jobs=-1, verbose=1
        )
        writers = np.array(corpus.target[:, 0].tolist())
        for name, ids in HELD_OUT["bhsig260"].items():
            rows = np.flatnonzero(is_held_out(writers, [ids]))
            sets[name] = preprocessor.fit_transform([corpus.images[row] for row in rows]), corpus.target[rows]
    if options.cedar:
        cedar = load_npz(options.cedar)
        sets["CEDAR 1-55"] = cedar.images, cedar.target
    return sets


def hog(images):
    from skimage.feature import hog

    images = center_crop(images, (150, 220))
    return np.array([hog(image, 9, (15, 20), (2, 2)) for image in images], dtype=np.float32)


def measure(features, images, target, n_splits, **settings):
    """Return means and standard deviations over splits of the EERs in percent; see `both_eers`."""
    split = WriterSplit(n_references=12, n_queries=10, n_splits=n_splits, random_state=0)
    rows = []
    for train, test in split.split(images, target):
        model = WriterDependentSVC(n_peer_negatives=12, n_jobs=-1, random_state=0, **settings)
        scores = model.fit(features[train], target[train]).decision_function(features[test])
        rows.append(both_eers(target[test], scores, classes=model.classes_))
    return np.mean(rows, axis=0), np.std(rows, axis=0)


def both_eers(target, scores, classes=None):
    """Return EERs in percent: global and user-specific thresholds, by "sigver" and by "nearest"."""
    reports = [
        verification_report(target, scores, classes=classes, method=method, n_bootstraps=0)
        for method in ("sigver", "nearest")
    ]
    return [100 * report.estimates[name].value for report in reports for name in ("eer", "eer_writer")]


def cells(figures):
    """Format means and standard deviations as cells of a table."""
    return " | ".join(f"{mean:5.2f} +- {deviation:.2f}" for mean, deviation in zip(*figures))


def show(corpus, system, settings, figures):
    settings = " ".join(f"{name}={value:g}" if name != "kernel" else value for name, value in settings.items())
    print(f"| {corpus} | {system} | {settings} | {cells(figures)} |", flush=True)


def main():
    options = parse_arguments()
    sets = load(options)
    print("| corpus, writers | features | SVM | sigver: global | per writer | nearest: global | per writer |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for corpus, (images, target) in sets.items():
        if not options.no_hog:
            features = hog(images)
            tried = [(kernel, measure(features, images, target, options.splits, **kernel)) for kernel in HOG_KERNELS]
            show(corpus, "HOG", *min(tried, key=lambda row: row[1][0][0]))
        for weights in options.weights:
            settings = {"precision": "auto", "n_views": options.views, "memory": options.memory}
            settings["magnification"] = options.magnification
            label = weights if options.magnification == [1] else f"{weights}, enlarged {options.magnification}"
            networks = [(name, SigNetFeaturizer(weights=name, **settings)) for name in weights.split("+")]
            features = FeatureUnion(networks).fit_transform(images)
            for gamma, cost in itertools.product(options.gamma or [1 / features.shape[1]], options.C):
                settings = {"gamma": gamma, "C": cost}
                show(corpus, label, settings, measure(features, images, target, options.splits, **settings))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
