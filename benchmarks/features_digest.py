"""Digests of the features of the weights in the package, to compare two revisions on one machine.

    python benchmarks/features_digest.py
    PYTHONPATH=/path/to/another/clone python /path/to/this/clone/benchmarks/features_digest.py

Rounding depends on the processor and the version of torch, so only compare results of one machine. The images are
synthetic signatures, and the script only uses functions that all revisions have.
"""

import hashlib

import torch

import sigkit
from sigkit.datasets import make_signatures
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def main():
    torch.set_num_threads(1)
    print(f"sigkit in {sigkit.__path__[0]}, torch {torch.__version__}")
    scans, _ = make_signatures(n_writers=4, n_genuine=4, n_skilled=2, random_state=0)
    images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    print(f"images               {digest(images)}")
    for name, settings in (
        ("features", {}),
        ("features, two scales", {"magnification": (1, 1.25)}),
        ("features, three views", {"n_views": 3}),
        ("features, bfloat16", {"precision": "bfloat16"}),
    ):
        features = SigNetFeaturizer(weights="synthetic", **settings).fit(images).transform(images)
        print(f"{name:21}{digest(features)}")


if __name__ == "__main__":
    main()
