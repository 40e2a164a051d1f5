"""Meta-learn on BHSig260, then verify writers that nothing was learned from, by five references each; print a table.

    python examples/meta_learning.py /data/BHSig260 --cedar cedar_170x242.npz --checkpoint-dir run

The network starts from the weights in the package, which no real signature taught. Meta-learned is on BHSig260 but for
Bengali writers 1 to 20 and Hindi writers 61 to 80, on whom it is measured, and on CEDAR. Beside it stand support vector
machines on the features that it starts from, with negatives of the development writers or of the other enrolled writers
(peers). `--weights` takes a file instead, such as one that `examples/train_signet.py` learned from the same writers.

With `--dev-sizes 9 35` the first variant is meta-learned from so many development writers, drawn at random, and with
`--forgery-writers 5 35` the skilled forgeries of so many are used. Killed and started again, it goes on.
"""

import argparse
import os
import warnings

import numpy as np
from features_table import both_eers, cells
from train_signet import HELD_OUT, is_held_out

from sigkit.datasets import load_bhsig260, load_npz
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

COMMON = {"head": "distance", "inner_lr": 0.05, "lr": 3e-3, "multi_step_epochs": 0, "validation_fraction": 0.0}
# The last layer is learned on features that stay, or with the network that makes them, or all weights adapt.
LAST_LAYER = {"adapt": "head", "network_lr": 0.0, "epochs": 20, "augmentation": None}
FEATURES = {"adapt": "head", "network_lr": 3e-4, "epochs": 8}
ALL = {"network_inner_lr": 1e-4, "network_lr": 3e-4, "epochs": 3}
VARIANTS = {
    "one-class, last layer": LAST_LAYER | {"n_random_forgeries": 0},
    "two-class, last layer": LAST_LAYER,
    "two-class, last layer, linear": LAST_LAYER | {"head": "linear", "inner_lr": 0.002},
    "one-class, features learned": FEATURES | {"n_random_forgeries": 0},
    "two-class, features learned": FEATURES,
    "one-class, first order": ALL | {"n_random_forgeries": 0, "order": 1},
    "one-class": ALL | {"n_random_forgeries": 0},
    "two-class": ALL,
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bhsig260", help="where BHSig260 is")
    parser.add_argument("--weights", default="synthetic", help="weights to start from (default: those in the package)")
    parser.add_argument("--cedar", help="sigver's npz file of preprocessed signatures")
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--epochs", type=int, help="other than the variants' own")
    parser.add_argument("--dev-sizes", type=int, nargs="*", default=[], help="numbers of development writers")
    parser.add_argument("--forgery-writers", type=int, nargs="*", default=[], help="of those with forgeries")
    parser.add_argument("--splits", type=int, default=10, help="draws of references and queries (default: 10)")
    parser.add_argument("--checkpoint-dir", help="folder that keeps the states of the trainings")
    parser.add_argument("--memory", help="folder that remembers preprocessed images")
    parser.add_argument("--no-svm", action="store_true", help="without the support vector machines")
    return parser.parse_args()


def load(options):
    """Images and target of the development writers, and of each set to measure on."""
    corpus = load_bhsig260(options.bhsig260, on_error="skip")
    writers = np.array(corpus.target[:, 0].tolist())
    preprocessor = SignaturePreprocessor(canvas_size=corpus.canvas_size, memory=options.memory, n_jobs=-1, verbose=1)
    chosen = {name: is_held_out(writers, [ids]) for name, ids in HELD_OUT["bhsig260"].items()}
    chosen["development"] = ~np.any(list(chosen.values()), axis=0)
    sets = {}
    for name, rows in chosen.items():
        rows = np.flatnonzero(rows)
        sets[name] = preprocessor.fit_transform([corpus.images[row] for row in rows]), corpus.target[rows]
    development = sets.pop("development")
    if options.cedar:
        cedar = load_npz(options.cedar)
        names = [[f"C-{writer + 1:02d}", forgery] for writer, forgery in cedar.target.tolist()]
        sets["CEDAR 1-55"] = cedar.images, np.array(names, dtype=object)
    return development, sets


def measure(score, images, target, n_splits):
    """EER in per cent: global and a writer, by both methods; mean and deviation over splits."""
    rows = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(give half to each side|enroll with fewer than)")
        for train, test in WriterSplit(5, 10, n_splits=n_splits, random_state=0).split(images, target):
            rows.append(both_eers(target[test], score(train, test)))
    return np.mean(rows, axis=0), np.std(rows, axis=0)


def show(corpus, system, figures):
    print(f"| {corpus} | {system} | {cells(figures)} |", flush=True)


def support_vector_machines(options, development, sets):
    featurizer = SigNetFeaturizer(weights=options.weights, precision="auto")
    taught = featurizer.fit_transform(development[0]), development[1]
    dev_writers = sorted(set(development[1][:, 0]))
    for corpus, (images, target) in sets.items():
        features = featurizer.transform(images)

        def score(train, test, dev, features=features, target=target):
            X, y = features[train], target[train]
            if dev:
                X, y = np.concatenate([X, taught[0]]), np.concatenate([y, taught[1]])
            settings = {"dev_writers": dev_writers} if dev else {"n_peer_negatives": 5}
            model = WriterDependentSVC(**settings, gamma="auto", n_jobs=-1, random_state=0).fit(X, y)
            return model.claim_scores(features[test], target[test, 0])

        for name, dev in (("SVM, development negatives", True), ("SVM, peers", False)):
            figures = measure(lambda train, test, dev=dev: score(train, test, dev), images, target, options.splits)
            show(corpus, name, figures)


def meta_learned(options, name, settings, development, sets):
    folder = options.checkpoint_dir and os.path.join(options.checkpoint_dir, name.replace(", ", "_").replace(" ", "_"))
    images, target = development
    chosen = np.isin(target[:, 0], settings.pop("writers", np.unique(target[:, 0])))
    settings = {"dev_writers": sorted(set(target[chosen, 0])), "checkpoint_dir": folder} | settings
    model = MetaLearnedVerifier(weights=options.weights, random_state=0, precision="auto", verbose=1, **settings)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(their tasks score what there is|They take what there is)")
        model.fit(images[chosen], target[chosen])
    for corpus, (images, target) in sets.items():

        def score(train, test, images=images, target=target):
            model.enroll(images[train], target[train])
            return model.claim_scores(images[test], target[test, 0])

        model.verbose = 0
        show(corpus, name, measure(score, images, target, options.splits))


def main():
    options = parse_arguments()
    development, sets = load(options)
    known = np.unique(development[1][:, 0])
    print(f"{len(development[0])} scans of {len(known)} development writers\n")
    print("| corpus, writers | system | sigver: global | a writer | nearest: global | a writer |")
    print("| --- | --- | --- | --- | --- | --- |")
    if not options.no_svm:
        support_vector_machines(options, development, sets)
    changed = {} if options.epochs is None else {"epochs": options.epochs}
    for name in options.variants:
        meta_learned(options, name, COMMON | VARIANTS[name] | changed, development, sets)
    first = next(iter(VARIANTS))
    common = COMMON | VARIANTS[first] | changed
    order = np.random.default_rng(0).permutation(known)
    for size in options.dev_sizes:
        settings = common | {"writers": order[:size]}
        meta_learned(options, f"{first}, {size} development writers", settings, development, sets)
    for size in options.forgery_writers:
        settings = common | {"n_forgery_writers": size}
        meta_learned(options, f"{first}, forgeries of {size}", settings, development, sets)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
