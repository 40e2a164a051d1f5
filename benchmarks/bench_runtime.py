"""Features of the network in the package by several runtimes and precisions: speed beside error rates.

    python benchmarks/bench_runtime.py --cedar cedar_170x242.npz

Features are those of the fused verifier, at magnifications 1 and 1.25. Times are those of one image alone and of one in
a batch of 32, the medians of rounds in which all runtimes take turns. The scales of int8 come from drawn signatures.
EERs are of skilled forgeries in percent, with a global threshold and with user-specific thresholds: one SVM per writer,
12 references, ten splits, the first ten writers of CEDAR are the development set. Without --cedar, they are left out.
bfloat16 is measured on a part of the images only, unless the processor computes in it: elsewhere it is slow.
"""

import argparse
import os
import platform
import time

import numpy as np
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_validate

from sigkit.datasets import make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.nets import choose_precision
from sigkit.transformers import OnnxFeaturizer, SignaturePreprocessor, SigNetFeaturizer

DEV_WRITERS, N_REFERENCES = range(10), 12


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cedar", help="cedar_170x242.npz")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--splits", type=int, default=10)
    return parser.parse_args()


def make_runtimes(drawn, n_threads):
    """Return the fitted featurizers by name."""
    featurizer = SigNetFeaturizer(weights="synthetic", magnification=(1, 1.25), device="cpu")
    return {
        "PyTorch, float32": featurizer.fit(drawn),
        "PyTorch, bfloat16": clone(featurizer).set_params(precision="bfloat16").fit(drawn),
        "ONNX Runtime, float32": OnnxFeaturizer(featurizer, n_threads=n_threads).fit(drawn),
        "ONNX Runtime, int8": OnnxFeaturizer(featurizer, precision="int8", n_threads=n_threads).fit(drawn),
    }


def measure_times(runtimes, images, n_rounds):
    """Return the median seconds of an image alone, and in a batch of 32, by runtime."""
    times = {name: ([], []) for name in runtimes}
    for _ in range(n_rounds):
        for name, featurizer in runtimes.items():
            for kept, batch in zip(times[name], (images[:1], images[:32])):
                start = time.perf_counter()
                featurizer.transform(batch)
                kept.append((time.perf_counter() - start) / len(batch))
    return {name: [np.median(part[1:]) for part in both] for name, both in times.items()}


def cosine(features, expected):
    products = (features * expected).sum(axis=1)
    return products / np.linalg.norm(features, axis=1) / np.linalg.norm(expected, axis=1)


def error_rates(features, target, n_splits):
    """Return the EERs in percent, global and by writer."""
    svc = WriterDependentSVC(gamma="auto", dev_writers=DEV_WRITERS, random_state=0, n_jobs=-1)
    cv = WriterSplit(
        n_references=N_REFERENCES, n_queries=10, dev_writers=DEV_WRITERS, n_splits=n_splits, random_state=0
    )
    scores = cross_validate(svc, features, target, cv=cv, scoring=verification_scorer)
    return [-100 * scores[f"test_{name}"].mean() for name in ("neg_eer", "neg_eer_writer")]


def main():
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    scans, _ = make_signatures(32, 2, n_skilled=1, random_state=11)
    drawn = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    runtimes = make_runtimes(drawn, options.threads)
    times = measure_times(runtimes, drawn, options.rounds)
    is_fast = choose_precision("auto", torch.device("cpu")) == "bfloat16"
    print(f"{platform.processor() or platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, ", end="")
    print(
        f"{options.threads} threads, bfloat16 {'' if is_fast else 'not '}in hardware; load {os.getloadavg()[0]:.1f}\n"
    )
    print("| runtime | one image, ms | in a batch, ms | ratio | ratio in a batch | least cosine | EER, % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    images, target = drawn, None
    if options.cedar:
        with np.load(options.cedar) as corpus:
            images, target = corpus["x"][:, 0], np.column_stack([corpus["y"], corpus["yforg"]]).astype(int)
    today, first = times["PyTorch, float32"], None
    for name, featurizer in runtimes.items():
        whole = is_fast or not name.endswith("bfloat16")
        features = featurizer.transform(images if whole else images[:: max(1, len(images) // 64)])
        first = features if first is None else first
        expected = first if whole else first[:: max(1, len(images) // 64)]
        eer = (
            ""
            if target is None or not whole
            else "{:.2f} / {:.2f}".format(*error_rates(features, target, options.splits))
        )
        one, batch = times[name]
        print(
            f"| {name} | {1000 * one:.1f} | {1000 * batch:.1f} | {today[0] / one:.2f} | {today[1] / batch:.2f} | "
            f"{cosine(features, expected).min():.5f} | {eer} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
