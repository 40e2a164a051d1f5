"""Train a network on synthetic signatures only, and write its weights to a file.

    python reproduce/train_synthetic.py synthetic.safetensors --checkpoint-dir run --half

The folder `--checkpoint-dir` stores the preprocessed synthetic signatures, some writers per file, and the state of the
training after each epoch. An interrupted training resumes there. No signature of a real person is used.
`--architecture signet` trains the large network in the same way. `reproduce/features_table.py` evaluates the weights on
real corpora.

Expected: 56,000 signatures of 4,000 writers in 7 minutes on two cores, and 10 epochs in 55 minutes on one core with
avx512_bf16. The weights that are shipped were trained so; on CEDAR they have an EER of 8.85 +- 0.83 % with a global and
5.20 +- 0.51 % with user-specific thresholds, by "sigver" (25 November 2026).
"""

import argparse
import hashlib
import os
from pathlib import Path

import numpy as np
from sklearn.base import clone

import sigkit.datasets
from sigkit.datasets import load_npz, make_signatures, save_npz
from sigkit.training import SYNTHETIC_RECIPE
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

CANVAS_SIZE = (765, 1089)
N_GENUINE = 7
"""Number of genuine signatures, and of forgeries, per writer."""

CHUNK = 50
"""Number of writers per file."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", help="the file to write, .safetensors")
    parser.add_argument("--checkpoint-dir", required=True, help="folder for the signatures and the state")
    parser.add_argument("--n-writers", type=int, default=4000)
    parser.add_argument(
        "--n-genuine", type=int, default=N_GENUINE, help="genuine signatures, and forgeries, per writer"
    )
    parser.add_argument("--architecture", default="signet_small", help="the network (default: signet_small)")
    parser.add_argument("--epochs", type=int, help="use another number than that of the recipe")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "auto"), default="auto")
    parser.add_argument("--device", help="cpu or cuda (default: an accelerator if there is one)")
    parser.add_argument("--half", action="store_true", help="write the weights in half precision")
    parser.add_argument("--n-jobs", type=int, default=-1, help="processes that make signatures (default: one per core)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def check_weights_path(path):
    """Check before the training that the file of the weights can be written after it."""
    if not path.endswith(".safetensors") or not os.access(os.path.dirname(os.path.abspath(path)), os.W_OK):
        raise ValueError(f"{path}: name a .safetensors file in a folder that exists and is writable.")


def describe_drawing():
    """Return a digest of the code that makes signatures, so that files of another version are not used."""
    sources = sorted(Path(sigkit.datasets.__file__).parent.glob("_synthesis/*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def draw(folder, n_writers, n_genuine, seed, n_jobs):
    """Make and preprocess signatures, some writers at a time; read those that are in the folder already."""
    os.makedirs(folder, exist_ok=True)
    version = describe_drawing()
    chunks = []
    for first in range(1, n_writers + 1, CHUNK):
        count = min(CHUNK, n_writers + 1 - first)
        path = os.path.join(folder, f"drawn-{version}-{seed}-{n_genuine}-{first}-{first + count - 1}.npz")
        if not os.path.exists(path):
            print(f"making signatures of writers {first} to {first + count - 1}", flush=True)
            settings = {"scan": "mixed", "n_jobs": n_jobs, "random_state": seed}
            scans, target = make_signatures(count, n_genuine, n_genuine, first_writer=first, **settings)
            save_npz(path, SignaturePreprocessor(canvas_size=CANVAS_SIZE, n_jobs=n_jobs).fit_transform(scans), target)
        chunks.append(load_npz(path))
    return np.concatenate([chunk.images for chunk in chunks]), np.concatenate([chunk.target for chunk in chunks])


def main():
    options = parse_arguments()
    check_weights_path(options.weights)
    images, target = draw(options.checkpoint_dir, options.n_writers, options.n_genuine, options.seed, options.n_jobs)
    print(f"Training on {len(images)} synthetic signatures of {options.n_writers} writers")
    training = clone(SYNTHETIC_RECIPE).set_params(checkpoint_dir=options.checkpoint_dir)
    if options.epochs is not None:
        training.set_params(epochs=options.epochs)
    featurizer = SigNetFeaturizer(
        options.architecture,
        training=training,
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
