"""Meta-learning on BHSig260, evaluated on other writers with five references each; prints a table of EERs.

    python reproduce/meta_learning.py /data/BHSig260 --cedar cedar_170x242.npz --checkpoint-dir run

The initial weights are those in the package, which were trained on synthetic signatures only; `--weights` takes a file
instead, such as one that `reproduce/train_signet.py` trained on the same writers. Bengali writers 1 to 20, Hindi
writers 61 to 80 and CEDAR are test sets; the other writers of BHSig260 are the development writers. The table also has
SVMs on the initial features, with negatives from the development writers or from the other enrolled writers (peers).

`--dev-sizes 9 35` repeats the first variant with 9 and with 35 randomly drawn development writers, and
`--forgery-writers 5 35` with the skilled forgeries of 5 and of 35 of them. With `--checkpoint-dir`, an interrupted run
resumes when it is started again with the same arguments.

Expected, on 26 November 2026 (docs/meta_learning.rst has all rows): EER in percent, mean and standard deviation over 10
splits.

    corpus, writers   system                       sigver: global   per writer     nearest: global  per writer
    Bengali 1-20      SVM, development negatives    5.97 +- 1.36     2.99 +- 1.19   5.99 +- 1.36     3.05 +- 1.20
    Bengali 1-20      one-class, features learned   4.84 +- 1.38     1.78 +- 0.76   4.79 +- 1.38     2.04 +- 0.73
    Hindi 61-80       SVM, development negatives    8.27 +- 1.14     4.25 +- 0.71   8.18 +- 1.11     4.66 +- 0.62
    Hindi 61-80       one-class, features learned   6.62 +- 0.70     3.68 +- 0.82   6.63 +- 0.76     3.88 +- 0.97
    CEDAR 1-55        SVM, development negatives   12.62 +- 0.88     7.48 +- 1.05  12.62 +- 0.86     7.93 +- 1.02
    CEDAR 1-55        one-class, features learned  11.98 +- 0.98     6.68 +- 1.05  11.95 +- 0.97     7.07 +- 0.94
"""

import argparse
import os
import warnings

import numpy as np
from features_table import both_eers, cells
from sklearn.base import clone
from train_signet import HELD_OUT, is_held_out

from sigkit.datasets import load_bhsig260, load_npz
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.model_selection import WriterSplit
from sigkit.training import InnerLoop, MetaTraining
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

# Parameters of MetaLearnedVerifier. First: what all variants have in common.
COMMON = {
    "head": "distance",
    "training": MetaTraining(lr=3e-3, multi_step_epochs=0, validation_fraction=0.0, inner_loop=InnerLoop(lr=0.05)),
}
# Only the last layer adapts, on fixed features or on features that are trained for it; or all weights adapt.
LAST_LAYER = {"adapt": "head", "training__network_lr": 0.0, "training__epochs": 20, "training__augmentation": None}
FEATURES = {"adapt": "head", "training__network_lr": 3e-4, "training__epochs": 8}
ALL = {"training__inner_loop__network_lr": 1e-4, "training__network_lr": 3e-4, "training__epochs": 3}
VARIANTS = {
    "one-class, last layer": LAST_LAYER | {"n_random_forgeries": 0},
    "two-class, last layer": LAST_LAYER,
    "two-class, last layer, linear": LAST_LAYER | {"head": "linear", "training__inner_loop__lr": 0.002},
    "one-class, features learned": FEATURES | {"n_random_forgeries": 0},
    "two-class, features learned": FEATURES,
    "one-class, first order": ALL | {"n_random_forgeries": 0, "training__inner_loop__order": 1},
    "one-class": ALL | {"n_random_forgeries": 0},
    "two-class": ALL,
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bhsig260", help="the folder of BHSig260")
    parser.add_argument("--weights", default="synthetic", help="initial weights (default: those in the package)")
    parser.add_argument("--cedar", help="sigver's npz file of preprocessed signatures")
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--epochs", type=int, help="use another number than that of the variants")
    parser.add_argument(
        "--dev-sizes", type=int, nargs="*", default=[], help="also use these numbers of development writers"
    )
    parser.add_argument(
        "--forgery-writers", type=int, nargs="*", default=[], help="also use the forgeries of these numbers of writers"
    )
    parser.add_argument("--splits", type=int, default=10, help="draws of references and queries (default: 10)")
    parser.add_argument("--checkpoint-dir", help="folder in which the states of the trainings are stored")
    parser.add_argument("--memory", help="folder in which preprocessed images are cached")
    parser.add_argument("--no-svm", action="store_true", help="without the rows of SVMs")
    return parser.parse_args()


def load(options):
    """Load images and target of the development writers, and of each test set."""
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
    """Return means and standard deviations over splits of the EERs in percent; see `both_eers`."""
    rows = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(give half to each fold|enroll with fewer references)")
        for train, test in WriterSplit(5, 10, n_splits=n_splits, random_state=0).split(images, target):
            rows.append(both_eers(target[test], score(train, test)))
    return np.mean(rows, axis=0), np.std(rows, axis=0)


def show(corpus, system, figures):
    print(f"| {corpus} | {system} | {cells(figures)} |", flush=True)


def evaluate_svms(options, development, sets):
    """Print rows of SVMs on the initial features."""
    featurizer = SigNetFeaturizer(weights=options.weights, precision="auto")
    dev_features, dev_target = featurizer.fit_transform(development[0]), development[1]
    dev_writers = sorted(set(development[1][:, 0]))
    for corpus, (images, target) in sets.items():
        features = featurizer.transform(images)

        def score(train, test, dev, features=features, target=target):
            X, y = features[train], target[train]
            if dev:
                X, y = np.concatenate([X, dev_features]), np.concatenate([y, dev_target])
            settings = {"dev_writers": dev_writers} if dev else {"n_peer_negatives": 5}
            model = WriterDependentSVC(**settings, gamma="auto", n_jobs=-1, random_state=0).fit(X, y)
            return model.claim_scores(features[test], target[test, 0])

        for name, dev in (("SVM, development negatives", True), ("SVM, peers", False)):
            figures = measure(lambda train, test, dev=dev: score(train, test, dev), images, target, options.splits)
            show(corpus, name, figures)


def evaluate_meta_learning(options, name, settings, development, sets):
    """Train one variant, and print a row for each test set."""
    folder = options.checkpoint_dir and os.path.join(options.checkpoint_dir, name.replace(", ", "_").replace(" ", "_"))
    images, target = development
    chosen = np.isin(target[:, 0], settings.pop("writers", np.unique(target[:, 0])))
    settings = {"dev_writers": sorted(set(target[chosen, 0])), "training__checkpoint_dir": folder} | settings
    training = clone(settings.pop("training"))
    model = MetaLearnedVerifier(
        weights=options.weights, training=training, random_state=0, precision="auto", verbose=1
    ).set_params(**settings)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(their tasks score those that exist|Tasks use all of them)")
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
    print("| corpus, writers | system | sigver: global | per writer | nearest: global | per writer |")
    print("| --- | --- | --- | --- | --- | --- |")
    if not options.no_svm:
        evaluate_svms(options, development, sets)
    changed = {} if options.epochs is None else {"training__epochs": options.epochs}
    for name in options.variants:
        evaluate_meta_learning(options, name, COMMON | VARIANTS[name] | changed, development, sets)
    first = next(iter(VARIANTS))
    common = COMMON | VARIANTS[first] | changed
    order = np.random.default_rng(0).permutation(known)
    for size in options.dev_sizes:
        settings = common | {"writers": order[:size]}
        evaluate_meta_learning(options, f"{first}, {size} development writers", settings, development, sets)
    for size in options.forgery_writers:
        settings = common | {"training__n_forgery_writers": size}
        evaluate_meta_learning(options, f"{first}, forgeries of {size}", settings, development, sets)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
