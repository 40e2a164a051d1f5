"""Attack verifiers, and print success rates and perturbation sizes: the campaign of arXiv:1901.03398.

    python reproduce/adversarial.py
    python reproduce/adversarial.py --cedar cedar_170x242.npz --weights signet.safetensors --other other.safetensors
    python reproduce/adversarial.py --cedar cedar_170x242.npz --weights robust.safetensors --attacks carlini-wagner

Without arguments it makes synthetic signatures and trains two tiny networks on some of the writers, in two minutes.
This shows how a campaign works; the networks are far from state of the art. With `--cedar`, the file of preprocessed
signatures of sigver, the network is that of `--weights`, and an attacker without the features of the system has the
network of `--other`. The systems are this network and completed local binary patterns (CLBP), each with linear and RBF
SVMs. Images are cropped to the 150 x 220 pixels of the network input. With `--folder` the results of each attack are
saved, and the next call resumes there.

Expected, on 23 November 2026, for the commands in docs/attacks.rst, which has all rows: success rates in percent, and
in parentheses the median root mean square perturbation in gray levels.

    system          knowledge  attack    type I      II, random   II, skilled
    network linear  perfect    FGM        88 (4.13)   11 (4.43)    16 (4.10)
    network linear  perfect    C & W     100 (0.13)  100 (0.53)   100 (0.24)
    network RBF     perfect    FGM       100 (4.08)    0            0
    network RBF     perfect    C & W     100 (0.14)   74 (0.92)   100 (0.42)
"""

import argparse
import os
import tempfile
import warnings

import numpy as np
from sklearn.pipeline import Pipeline

from sigkit.attacks import FGM, PGD, AnnealingAttack, BoundaryAttack, CarliniWagnerL2
from sigkit.datasets import load_npz, make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import AttackCampaign
from sigkit.nets import center_crop
from sigkit.training import SigNetTraining
from sigkit.transformers import BackgroundRemover, CLBPFeaturizer, SignaturePreprocessor, SigNetFeaturizer

KERNELS = {"linear": {"kernel": "linear"}, "RBF": {"gamma": 2.0**-11}}
# As in the paper, on counts that are not divided by their standard deviations.
CLBP_KERNELS = {"linear": {"kernel": "linear"}, "RBF": {"gamma": 2.0**-15}}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cedar", help="npz file of signatures preprocessed by sigver (default: synthetic ones)")
    parser.add_argument("--weights", help="weights of the network of the systems")
    parser.add_argument("--other", help="weights of the other network, of the attacker")
    parser.add_argument("--attacks", nargs="+", default=["fgm", "carlini-wagner", "annealing", "boundary"])
    parser.add_argument("--knowledge", nargs="+", default=["perfect", "limited", "limited-features"])
    parser.add_argument("--systems", nargs="+", default=["network", "clbp"], choices=["network", "clbp"])
    parser.add_argument("--kernels", nargs="+", default=list(KERNELS), choices=list(KERNELS))
    parser.add_argument("--epsilon", type=float, default=1000.0, help="of FGM and PGD, in gray levels (default: 1000)")
    parser.add_argument("--confidence", type=float, default=0.5, help="of Carlini-Wagner, in scores (default: 0.5)")
    parser.add_argument("--iterations", type=int, default=60, help="of Carlini-Wagner, for each of 5 constants")
    parser.add_argument("--steps", type=int, default=250, help="of annealing and boundary attack (default: 250)")
    parser.add_argument("--folder", help="folder in which the results of attacks are saved")
    parser.add_argument("--plots", help="folder in which plots of the attacks are saved")
    return parser.parse_args()


def load(options):
    """Load preprocessed images, their target, and the featurizers of the system and of the attacker."""
    if options.cedar:
        cedar = load_npz(options.cedar)
        featurizers = [path and SigNetFeaturizer(weights=path) for path in (options.weights, options.other)]
        return center_crop(cedar.images, (150, 220)), cedar.target, featurizers
    scans, target = make_signatures(n_writers=24, n_genuine=20, n_skilled=10, script="latin", random_state=0)
    images = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(85, 121)).fit_transform(scans)
    writers = target[:, 0].astype(int)
    is_training = writers < 12
    featurizers, folder = [], options.folder or tempfile.mkdtemp()
    for seed in range(2):
        path = os.path.join(folder, f"synthetic-{seed}.safetensors")
        if not os.path.exists(path):
            featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=20, lr=0.02), random_state=seed)
            featurizer.fit(images[is_training], target[is_training]).save_weights(path)
        featurizers.append(SigNetFeaturizer(weights=path))
    return images[~is_training], target[~is_training], featurizers


def make_attacks(options):
    known = {
        "fgm": FGM(epsilon=options.epsilon),
        "pgd": PGD(epsilon=options.epsilon),
        "carlini-wagner": CarliniWagnerL2(
            confidence=options.confidence, n_search_steps=5, n_iterations=options.iterations, learning_rate=0.003
        ),
        "annealing": AnnealingAttack(n_steps=options.steps),
        "boundary": BoundaryAttack(n_steps=options.steps),
    }
    return {name: known[name] for name in options.attacks}


def main():
    options = parse_arguments()
    if options.folder:
        os.makedirs(options.folder, exist_ok=True)
    with warnings.catch_warnings():
        # The images of the file are cropped here, and its pickled mapping of users is not read.
        warnings.filterwarnings("ignore", message=".*(preprocessed differently|user_mapping is pickled)")
        images, target, (featurizer, other) = load(options)
        systems, other_features = {}, {}
        for kernel in options.kernels:
            if "network" in options.systems:
                verifier = WriterDependentSVC(**KERNELS[kernel])
                systems[f"network {kernel}"] = Pipeline([("features", featurizer), ("svc", verifier)])
                if other is not None:
                    other_features[f"network {kernel}"] = Pipeline([("features", other), ("svc", verifier)])
            if "clbp" in options.systems:
                verifier = WriterDependentSVC(**CLBP_KERNELS[kernel], scaling="none")
                systems[f"CLBP {kernel}"] = Pipeline([("features", CLBPFeaturizer()), ("svc", verifier)])
        campaign = AttackCampaign(
            systems,
            make_attacks(options),
            knowledge=options.knowledge,
            other_features=other_features,
            defences={"otsu": BackgroundRemover(), "otsu, no specks": BackgroundRemover(min_size=10)},
            folder=options.folder,
            verbose=1,
        )
        results = campaign.run(np.ascontiguousarray(images), target)
    print(results)
    if options.plots:
        import matplotlib.pyplot as plt

        os.makedirs(options.plots, exist_ok=True)
        for system, knowledge, attack in results.images:
            figure = results.plot(system, knowledge, attack)
            figure.savefig(os.path.join(options.plots, f"{system}-{knowledge}-{attack}.png".replace(" ", "_")), dpi=100)
            plt.close(figure)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
