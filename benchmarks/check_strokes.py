"""Error rates of the SVM, of the strokes, and of both fused, on CEDAR; and whether the strokes read the scanner.

    python benchmarks/check_strokes.py cedar_170x242.npz
    python benchmarks/check_strokes.py cedar_170x242.npz --references 12 --splits 3 --weights learned

The file has the images of the original preprocessing: all 55 writers, the first ten are the development set. The
SVM has features of the network in the package, at two magnifications. EERs are in percent, with a global threshold and
with user-specific thresholds; those of random forgeries have a global one. Random forgeries of the strokes alone are
four claims of each genuine query, drawn at random; all others are all claims.

The last table has the AUC of each signal on pairs of different writers: genuine with genuine against genuine with
forged. 0.5 means that a signal does not recognize forgeries by what the scanner or the paper has left.
"""

import argparse
import os

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from sigkit.estimators import StrokeMatcher, VerifierFusion, WriterDependentSVC
from sigkit.metrics import eer_score
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SigNetFeaturizer, StrokeFeaturizer

DEV_WRITERS, N_RANDOM, N_HONESTY_PAIRS = range(10), 4, 4000


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cedar", help="cedar_170x242.npz")
    parser.add_argument("--references", nargs="+", type=int, default=(12, 5, 1))
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--weights", choices=("default", "learned"), default="default")
    parser.add_argument("--cache", help="npz file of the features, which is made if it does not exist")
    parser.add_argument("--no-honesty", action="store_true", help="leave out the last table")
    return parser.parse_args()


def compute_features(path, cache):
    """Return features of the network and points of strokes, side by side, the number of the former, and the target."""
    if cache and os.path.exists(cache):
        stored = np.load(cache)
        return stored["features"], int(stored["n"]), stored["target"]
    corpus = np.load(path)
    images = corpus["x"][:, 0]
    target = np.stack([corpus["y"], corpus["yforg"]], axis=1).astype(np.int64)
    network = SigNetFeaturizer(weights="synthetic", magnification=(1, 1.25)).fit_transform(images)
    points = StrokeFeaturizer().fit_transform(images)
    features = np.concatenate([network, points], axis=1)
    if cache:
        np.savez(cache, features=features, n=network.shape[1], target=target)
    return features, network.shape[1], target


def part(columns):
    return ColumnTransformer([("part", "passthrough", columns)])


def make_fusion(n_network, weights):
    svm = make_pipeline(
        part(slice(0, n_network)), WriterDependentSVC(gamma="auto", dev_writers=DEV_WRITERS, random_state=0)
    )
    strokes = make_pipeline(part(slice(n_network, None)), StrokeMatcher(dev_writers=DEV_WRITERS))
    settings = {"dev_writers": DEV_WRITERS, "weights": None if weights == "default" else weights, "random_state": 0}
    return VerifierFusion([("svm", svm), ("strokes", strokes)], **settings)


def rates(target, scores, classes):
    """Return EERs: skilled, global and user-specific, and random, each by both methods."""
    found = []
    for method in ("sigver", "nearest"):
        for settings in ({}, {"user_specific": True}, {"kind": "random"}):
            found.append(100 * eer_score(target, scores, classes=classes, method=method, **settings))
    return found


def rates_of_claims(target, claims, random):
    """Return the same for scores of claims alone."""
    writers, is_genuine = target[:, 0], target[:, 1] == 0
    labels = np.concatenate([np.ones(is_genuine.sum()), np.zeros(len(random))])
    found = []
    for method in ("sigver", "nearest"):
        found.append(100 * eer_score(target, claims, method=method))
        found.append(100 * eer_score(target, claims, writers=writers, method=method, user_specific=True))
        found.append(100 * eer_score(labels, np.concatenate([claims[is_genuine], random]), method=method))
    return found


def score_split(fusion, train, test, target_train, target, rng):
    """Fit the fusion; return the rates of each verifier and of the fusion, and its weights."""
    fusion.fit(train, target_train)
    classes, is_genuine = fusion.classes_, target[:, 1] == 0
    genuine, columns = test[is_genuine], np.searchsorted(classes, target[:, 0])
    svm, strokes = fusion.verifiers_
    # Random forgeries are genuine queries, so forgeries need a score against their claimed writer only.
    fused = np.full((len(test), len(classes)), -20.0)
    fused[is_genuine] = fusion.decision_function(genuine)
    fused[np.arange(len(test)), columns] = fusion.claim_scores(test, target[:, 0])
    claims = strokes[-1].claim_scores(strokes[:-1].transform(test), target[:, 0])
    others = np.array([rng.choice(classes[classes != writer], N_RANDOM, replace=False) for writer in target[:, 0]])
    random = strokes[-1].claim_scores(
        strokes[:-1].transform(np.repeat(genuine, N_RANDOM, axis=0)), others[is_genuine].ravel()
    )
    matched = fusion.count_matched(genuine).sum() / (len(genuine) * len(classes))
    return {
        "SVM": rates(target, svm.decision_function(test), classes),
        "strokes": rates_of_claims(target, claims, random),
        "fused": rates(target, fused, classes),
    }, (*fusion.weights_, fusion.intercept_, matched)


def check_honesty(points, target, rng):
    """Print the AUC of each signal on pairs of different writers."""
    matcher = StrokeMatcher()
    writers, is_forged = target[:, 0], target[:, 1] == 1
    genuine, everything = np.flatnonzero(~is_forged), np.arange(len(target))
    first, second = rng.choice(genuine, N_HONESTY_PAIRS), rng.choice(everything, N_HONESTY_PAIRS)
    differ = writers[first] != writers[second]
    first, second = first[differ], second[differ]
    agreement = matcher.compare(points[first], points[second])
    print("\nAUC of genuine with genuine against genuine with forged, different writers:")
    for name, values in zip(("direction", "coverage", "pressure", "parallel", "straightness"), agreement.T):
        print(f"  {name:12} {roc_auc_score(~is_forged[second], values):.3f}")


def main():
    options = parse_arguments()
    features, n_network, target = compute_features(options.cedar, options.cache)
    print("references  score     sigver: global per writer random   nearest: global per writer random")
    for n_references in options.references:
        split = WriterSplit(
            n_references=n_references, n_queries=10, dev_writers=DEV_WRITERS, n_splits=options.splits, random_state=0
        )
        found, about, rng = {}, [], np.random.default_rng(0)
        for train, test in split.split(features, target):
            fusion = make_fusion(n_network, options.weights)
            each, weights = score_split(fusion, features[train], features[test], target[train], target[test], rng)
            about.append(weights)
            for name, values in each.items():
                found.setdefault(name, []).append(values)
        for name, values in found.items():
            cells = [f"{mean:5.2f} +- {spread:.2f}" for mean, spread in zip(np.mean(values, 0), np.std(values, 0))]
            print(f"{n_references:10}  {name:8}  {'  '.join(cells)}", flush=True)
        *weights, intercept, matched = np.mean(about, axis=0)
        print(f"            weights {np.round(weights, 2).tolist()}, intercept {intercept:.2f}; {matched:.1%} matched")
    if not options.no_honesty:
        check_honesty(features[:, n_network:], target, np.random.default_rng(0))


if __name__ == "__main__":
    main()
