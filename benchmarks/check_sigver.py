"""Whether sigver itself reads the files of sigkit, and sigkit those of sigver: its code is run.

    git clone https://github.com/luizgh/sigver
    python benchmarks/check_sigver.py sigver

Signatures are drawn. `sigver.wd.test` computes features with weights that sigkit wrote, from an .npz file that sigkit
wrote; its pickled results are read, its metrics are computed again from its scores, and its features are compared.
sigver needs scikit-image and tqdm. The exit code is 1 if anything differs.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

from sigkit.datasets import load_npz, make_signatures, save_npz
from sigkit.experiments import load_sigver_results
from sigkit.metrics import verification_report
from sigkit.nets import build_network, save_sigver_weights
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

MODEL = "signet_thin"
ESTIMATES = {
    "frr": "frr",
    "far_random": "far_random",
    "far_skilled": "far_skilled",
    "eer_sigver": "eer",
    "eer_writer_sigver": "eer_writer",
    "mean_auc": "mean_auc",
}
FEATURES = """
import sys, numpy, torch
from sigver.datasets.util import load_dataset
from sigver.featurelearning.data import extract_features
from sigver.featurelearning.models import available_models
npz, weights, model, output = sys.argv[1:]
network = available_models[model]().eval()
network.load_state_dict(torch.load(weights)[0])
features = extract_features(load_dataset(npz)[0], lambda batch: network(batch[0]), 32, (150, 220))
numpy.save(output, features)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sigver", help="folder of a clone of sigver")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        npz, weights, results, features = (
            os.path.join(folder, name) for name in ("a.npz", "a.pth", "a.pickle", "a.npy")
        )
        scans, target = make_signatures(8, 8, 4, random_state=0)
        images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
        save_npz(npz, images, [(writer - 1, forgery) for writer, forgery in target.tolist()])
        save_sigver_weights(weights, build_network(MODEL, seed=0), MODEL)

        def run(*arguments):
            subprocess.run([sys.executable, *arguments], cwd=options.sigver, check=True, stdout=subprocess.DEVNULL)

        run("-c", FEATURES, npz, weights, MODEL, features)
        files = ["--model-path", weights, "--data-path", npz, "--save-path", results]
        sizes = ["--exp-users", "0", "5", "--dev-users", "5", "8", "--gen-for-train", "4", "--gen-for-test", "4"]
        sizes += ["--forg-from_dev", "6", "--folds", "3"]
        run("-m", "sigver.wd.test", "-m", MODEL, *files, *sizes)
        ours = SigNetFeaturizer(MODEL, weights=weights).fit_transform(load_npz(npz).images)
        difference = np.abs(ours - np.load(features)).max()
        print(f"features: they differ by at most {difference:.1e}")
        is_good = difference < 1e-5
        for number, split in enumerate(load_sigver_results(results)):
            settings = {"writers": split.writers, "method": "sigver", "n_bootstraps": 0}
            report = verification_report(split.y_true, split.y_score, **settings)
            differences = [split.metrics[name] - report.estimates[own].value for name, own in ESTIMATES.items()]
            difference = np.abs([*differences, *(split.auc - report.per_writer().auc)]).max()
            print(f"split {number}: metrics in the file and computed again differ by at most {difference:.1e}")
            is_good &= difference < 1e-12
    sys.exit(not is_good)


if __name__ == "__main__":
    main()
