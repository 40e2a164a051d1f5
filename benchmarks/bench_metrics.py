"""Error rates of millions of scores, beside `det_curve` of scikit-learn, and bootstrap intervals.

    python benchmarks/bench_metrics.py

Each line is the shortest of several runs. The peak of the memory is that of the process, with the scores themselves, so
that of a line includes the lines before.
"""

import argparse
import resource
import time

import matplotlib
import numpy as np
from sklearn.metrics import det_curve

from sigkit.metrics import (
    VerificationDetDisplay,
    compare_systems,
    eer_score,
    far_at_frr_score,
    frr_at_far_score,
    min_cllr_score,
    verification_report,
)

matplotlib.use("Agg")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-scores", type=int, default=10_000_000, help="scores of the error rates")
    parser.add_argument("--n-resampled", type=int, default=5_000_000, help="scores of the bootstrap over trials")
    parser.add_argument("--n-writers", type=int, default=300, help="writers of the bootstrap over writers")
    parser.add_argument("--n-bootstraps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


def draw_scores(n_scores):
    """Draw scores of which a tenth is genuine; the EER is 6.7 %."""
    rng = np.random.default_rng(0)
    y_true = (rng.random(n_scores) < 0.1).astype(np.int8)
    return y_true, rng.normal(3.0 * y_true)


def draw_matrix(n_writers):
    """Draw a score matrix of 10 genuine signatures and 30 skilled forgeries of each writer."""
    rng = np.random.default_rng(0)
    target = np.column_stack([np.repeat(np.arange(n_writers), 40), np.tile([0] * 10 + [1] * 30, n_writers)])
    scores = rng.normal(size=(len(target), n_writers)) + rng.normal(size=n_writers) / 2
    scores[np.arange(len(target)), target[:, 0]] += 2 + 2 * (target[:, 1] == 0)
    return target, scores


def measure(name, function, rounds):
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name:<62} {min(seconds):7.2f} s   {peak:5.2f} GiB", flush=True)


def main():
    options = parse_arguments()
    y_true, scores = draw_scores(options.n_scores)
    millions = f"{options.n_scores / 1e6:g} million scores"
    print(f"{'':<62} {'time':>9}   {'peak':>9}")
    measure(f"EER of {millions}", lambda: eer_score(y_true, scores), options.rounds)
    measure(f"det_curve of scikit-learn, {millions}", lambda: det_curve(y_true, scores), options.rounds)
    measure(f"FRR at FAR 0.1 % of {millions}", lambda: frr_at_far_score(y_true, scores, far=0.001), options.rounds)
    measure(f"FAR at FRR 0.1 % of {millions}", lambda: far_at_frr_score(y_true, scores, frr=0.001), options.rounds)
    measure(f"minimal Cllr of {millions}", lambda: min_cllr_score(y_true, scores), options.rounds)
    measure(f"DET plot of {millions}", lambda: VerificationDetDisplay.from_predictions(y_true, scores), options.rounds)
    target, matrix = draw_matrix(options.n_writers)
    given = {"classes": np.arange(options.n_writers), "n_bootstraps": options.n_bootstraps, "random_state": 0}
    for kind in ("skilled", "random"):
        name = f"report, {options.n_bootstraps} resamples of {options.n_writers} writers, EER of {kind} forgeries"
        measure(name, lambda kind=kind: verification_report(target, matrix, kind=kind, **given), options.rounds)
    systems = {"one": matrix, "two": matrix + np.random.default_rng(1).normal(size=matrix.shape)}
    name = f"comparison of two systems, {options.n_bootstraps} resamples of {options.n_writers} writers"
    measure(name, lambda: compare_systems(systems, target, **given), options.rounds)
    few = slice(0, options.n_resampled)
    given = {"n_bootstraps": options.n_bootstraps, "random_state": 0, "verbose": 1}
    name = f"report, {options.n_bootstraps} resamples of {options.n_resampled / 1e6:g} million scores"
    measure(name, lambda: verification_report(y_true[few], scores[few], **given), options.rounds)


if __name__ == "__main__":
    main()
