"""Meta-learn on drawn signatures, then verify other drawn writers by five references each; print error rates.

    python examples/meta_learning_drawn.py

No corpus is needed. The network starts from the weights in the package. Printed is the global EER, over draws of
references and queries, of the verifier before and after the meta-training, and of support vector machines on the
features before it, with negatives of the development writers or of the other enrolled writers (peers).
"""

import argparse

import numpy as np

from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.metrics import eer_score
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

SETTINGS = {"weights": "synthetic", "head": "distance", "inner_lr": 0.05, "adapt": "head", "n_random_forgeries": 0}
SETTINGS |= {"lr": 3e-3, "network_lr": 3e-4, "multi_step_epochs": 0, "validation_fraction": 0.0, "precision": "auto"}


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev-writers", type=int, default=200, help="who are learned from (default: 200)")
    parser.add_argument("--writers", type=int, default=60, help="who are verified (default: 60)")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--splits", type=int, default=5, help="draws of references and queries (default: 5)")
    parser.add_argument("--seed", type=int, default=7, help="of what is drawn (default: 7)")
    parser.add_argument("--checkpoint-dir", help="folder that keeps the state of the training")
    return parser.parse_args(arguments)


def draw(options):
    n_writers = options.dev_writers + options.writers
    scans, target = make_signatures(n_writers, 15, 10, random_state=options.seed, n_jobs=-1, verbose=1)
    return SignaturePreprocessor(canvas_size=(765, 1089), n_jobs=-1, verbose=1).fit_transform(scans), target


def main(arguments=None):
    options = parse_arguments(arguments)
    images, target = draw(options)
    dev = range(1, options.dev_writers + 1)
    is_dev = np.isin(target[:, 0], dev)
    features = SigNetFeaturizer(weights="synthetic", precision="auto").fit_transform(images)
    models = {}
    for name, epochs in (("before", 0), ("after", options.epochs)):
        folder = options.checkpoint_dir if epochs else None
        model = MetaLearnedVerifier(dev_writers=dev, epochs=epochs, checkpoint_dir=folder, random_state=0, verbose=1)
        models[name] = model.set_params(**SETTINGS).fit(images[is_dev], target[is_dev]).set_params(verbose=0)
    machines = {"dev_writers": dev}, {"n_peer_negatives": 5}
    errors = []
    for train, test in WriterSplit(5, 10, dev, n_splits=options.splits, random_state=0).split(images, target):
        references, genuine, claimed = train[~is_dev[train]], target[test, 1] == 0, target[test, 0]
        row = [
            eer_score(genuine, model.enroll(images[references], target[references]).claim_scores(images[test], claimed))
            for model in models.values()
        ]
        for settings, rows in zip(machines, (train, references)):
            svm = WriterDependentSVC(**settings, gamma="auto", random_state=0).fit(features[rows], target[rows])
            row.append(eer_score(genuine, svm.claim_scores(features[test], claimed)))
        errors.append(row)
    systems = *(f"{name} meta-training" for name in models), "SVM, development negatives", "SVM, peers"
    for system, mean, deviation in zip(systems, np.mean(errors, axis=0), np.std(errors, axis=0)):
        print(f"{system:30} {mean:.1%} +- {deviation:.1%}")


if __name__ == "__main__":
    main()
