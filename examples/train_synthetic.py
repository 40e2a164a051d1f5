"""Train a network on drawn signatures alone, and write its weights to a file.

    python examples/train_synthetic.py synthetic.safetensors --checkpoint-dir run --half

Everything is kept in the folder of `--checkpoint-dir`: the drawn signatures, preprocessed, some writers a file, and the
state of the training after each epoch. Stopped and started again, it goes on there. No signature of a real person is
looked at. `--architecture signet` trains the large network in the same way. `examples/features_table.py` measures the
weights on real corpora.
"""

import argparse
import hashlib
import os
from pathlib import Path

import numpy as np

import sigkit.datasets
from sigkit.datasets import load_npz, make_signatures, save_npz
from sigkit.training import SYNTHETIC_RECIPE
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

CANVAS_SIZE = (765, 1089)
N_GENUINE = 7
"""Genuine signatures a writer, and as many forgeries."""

CHUNK = 50
"""Writers that are drawn, preprocessed and kept together."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", help="the file to write, .safetensors")
    parser.add_argument("--checkpoint-dir", required=True, help="folder that keeps what was drawn and learned")
    parser.add_argument("--n-writers", type=int, default=4000)
    parser.add_argument("--n-genuine", type=int, default=N_GENUINE, help="genuine signatures a writer, and forgeries")
    parser.add_argument("--architecture", help="another network than the recipe's, such as signet")
    parser.add_argument("--epochs", type=int, help="another number than the recipe's")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "auto"), default="auto")
    parser.add_argument("--device", help="cpu or cuda; an accelerator if there is one")
    parser.add_argument("--half", action="store_true", help="write the weights in half precision")
    parser.add_argument("--n-jobs", type=int, default=-1, help="writers drawn at a time (default: a core each)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def check_weights_path(path):
    """Refuse, before a training, a file that could not be written after it."""
    if not path.endswith(".safetensors") or not os.access(os.path.dirname(os.path.abspath(path)), os.W_OK):
        raise ValueError(f"{path}: name a .safetensors file in a folder that can be written into.")


def describe_drawing():
    """Fingerprint the code that draws, so that what another version has drawn is not taken for its work."""
    sources = sorted(Path(sigkit.datasets.__file__).parent.glob("_synthesis/*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def draw(folder, n_writers, n_genuine, seed, n_jobs):
    """Draw and preprocess signatures, some writers at a time; what is in the folder already is read."""
    os.makedirs(folder, exist_ok=True)
    version = describe_drawing()
    chunks = []
    for first in range(1, n_writers + 1, CHUNK):
        count = min(CHUNK, n_writers + 1 - first)
        path = os.path.join(folder, f"drawn-{version}-{seed}-{n_genuine}-{first}-{first + count - 1}.npz")
        if not os.path.exists(path):
            print(f"drawing writers {first} to {first + count - 1}", flush=True)
            settings = {"scan": "mixed", "n_jobs": n_jobs, "random_state": seed}
            scans, target = make_signatures(count, n_genuine, n_genuine, first_writer=first, **settings)
            save_npz(path, SignaturePreprocessor(canvas_size=CANVAS_SIZE, n_jobs=n_jobs).fit_transform(scans), target)
        chunks.append(load_npz(path))
    return np.concatenate([chunk.images for chunk in chunks]), np.concatenate([chunk.target for chunk in chunks])


def main():
    options = parse_arguments()
    check_weights_path(options.weights)
    images, target = draw(options.checkpoint_dir, options.n_writers, options.n_genuine, options.seed, options.n_jobs)
    print(f"{len(images)} drawn signatures of {options.n_writers} writers to learn from")
    chosen = {name: getattr(options, name) for name in ("architecture", "epochs")}
    recipe = SYNTHETIC_RECIPE | {name: value for name, value in chosen.items() if value is not None}
    featurizer = SigNetFeaturizer(
        **recipe,
        checkpoint_dir=options.checkpoint_dir,
        device=options.device,
        precision=options.precision,
        random_state=options.seed,
        verbose=1,
    ).fit(images, target)
    corpus = f"signatures of {options.n_writers} writers who do not exist, drawn by sigkit.datasets.make_signatures"
    featurizer.save_weights(options.weights, corpus=corpus, licence="BSD-3-Clause", half=options.half)
    print(f"The weights are in {options.weights}.")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
