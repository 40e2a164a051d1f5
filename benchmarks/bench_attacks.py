"""Time the Carlini-Wagner attack on batches, on single claims, and in the Adversarial Robustness Toolbox.

    python benchmarks/bench_attacks.py
    python benchmarks/bench_attacks.py --network signet --claims 8

All take the same number of steps for the same claims on synthetic signatures: a fixed number of constants and of steps
per constant, without early stopping. The toolbox attacks one claim at a time, as each claim is a classifier of its own.
Each of its steps includes a line search, which is part of its method.
"""

import argparse
import time

import numpy as np
import torch
from sklearn.pipeline import make_pipeline

from sigkit.attacks import ArtAttack, CarliniWagnerL2
from sigkit.datasets import make_signatures
from sigkit.estimators import DifferentiableVerifier, WriterDependentSVC
from sigkit.nets import center_crop
from sigkit.training import SigNetTraining
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", default=["tiny", "signet_residual"])
    parser.add_argument("--claims", type=int, default=32)
    parser.add_argument("--constants", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10, help="for each constant (default: 10)")
    parser.add_argument(
        "--art-claims", type=int, default=4, help="number of claims for the toolbox, whose time is extrapolated"
    )
    parser.add_argument("--device", help="cpu or cuda (default: an accelerator, if available)")
    return parser.parse_args()


def timed(attack, verifier, images, claims):
    verifier(torch.from_numpy(images).float().to(verifier.device), claims)
    start = time.perf_counter()
    attacked = attack(verifier, images, claims, goal="reject", threshold=-100.0)
    if verifier.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, attacked


def main():
    options = parse_arguments()
    scans, target = make_signatures(n_writers=8, n_genuine=8, n_skilled=0, random_state=0)
    images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    images = np.ascontiguousarray(center_crop(images, (150, 220)))
    claims = target[:, 0].astype(int)
    steps = f"{options.constants} constants of {options.steps} steps"
    print(f"{options.claims} claims, {steps}, {torch.get_num_threads()} threads")
    print("| network | at once | one at a time | ratio | toolbox | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.network:
        featurizer = SigNetFeaturizer(name, training=SigNetTraining(epochs=0), random_state=0)
        pipe = make_pipeline(featurizer, WriterDependentSVC())
        verifier = DifferentiableVerifier(pipe.fit(images, claims), device=options.device)
        settings = {"n_search_steps": options.constants, "n_iterations": options.steps, "abort_early": False}
        chosen = slice(0, options.claims)
        times = [
            timed(CarliniWagnerL2(batch_size=size, **settings), verifier, images[chosen], claims[chosen])[0]
            for size in (options.claims, 1)
        ]
        toolbox = ArtAttack(make=lambda classifier: make_toolbox_attack(classifier, options))
        few = slice(0, options.art_claims)
        theirs = timed(toolbox, verifier, images[few], claims[few])[0] * options.claims / options.art_claims
        print(
            f"| {name} | {times[0]:.1f} s | {times[1]:.1f} s | {times[1] / times[0]:.1f} | {theirs:.1f} s | "
            f"{theirs / times[0]:.1f} |",
            flush=True,
        )


def make_toolbox_attack(classifier, options):
    from art.attacks.evasion import CarliniL2Method

    return CarliniL2Method(
        classifier, binary_search_steps=options.constants, max_iter=options.steps, initial_const=1.0, verbose=False
    )


if __name__ == "__main__":
    main()
