"""Time of one claim, from the file of a scan to the decision, in a warm process and in a new one.

    python benchmarks/bench_claim.py

Scans are drawn at 300 dpi and stored as PNG files. The system is the recommended one: preprocessing,
the fused verifier with 12 references of each writer, and a threshold set on development writers. Every claim reads
another file; claims of skilled and random forgeries are among them. With several threads, the time of a claim is that
from its question to its answer, while the other threads ask too.
"""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial

START = time.perf_counter()

N_REFERENCES, N_DEV, N_GENUINE, N_FORGED = 12, 8, 6, 6
PARTS = {
    "preprocessing": ("sigkit.transformers", "SignaturePreprocessor", "transform"),
    "features of the network": ("sigkit.transformers", "SigNetFeaturizer", "transform"),
    "points of strokes": ("sigkit.transformers", "StrokeFeaturizer", "transform"),
    "SVM": ("sigkit.estimators", "WriterDependentSVC", "_score_claims"),
    "strokes": ("sigkit.estimators", "StrokeMatcher", "_score_claims"),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=6)
    parser.add_argument("--claims", type=int, default=200, help="claims in each row of the table")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--fresh", nargs=3, metavar=("SYSTEM", "SCAN", "WRITER"), help=argparse.SUPPRESS)
    return parser.parse_args()


def fit_system(folder, n_writers):
    """Return the fitted system, and the claims: paths and claimed writers."""
    from PIL import Image
    from sklearn.pipeline import make_pipeline

    from sigkit.datasets import make_signatures
    from sigkit.estimators import OperatingPointVerifier, make_fused_verifier
    from sigkit.transformers import SignaturePreprocessor

    scans, target = make_signatures(N_DEV + n_writers, N_REFERENCES + N_GENUINE, n_skilled=N_FORGED, random_state=5)
    paths = []
    for number, scan in enumerate(scans):
        paths.append(os.path.join(folder, f"{number}.png"))
        Image.fromarray(scan).save(paths[-1], dpi=(300, 300))
    dev = sorted(set(target[:, 0].tolist()))[:N_DEV]
    number = [row % (N_REFERENCES + N_GENUINE + N_FORGED) for row in range(len(paths))]
    teaches = [row for row in range(len(paths)) if target[row, 0] in dev or number[row] < N_REFERENCES]
    claimed = [row for row in range(len(paths)) if row not in set(teaches)]
    verifier = make_fused_verifier(dev_writers=dev, random_state=0)
    preprocess = SignaturePreprocessor(canvas_size=(765, 1089), resolution="file")
    system = OperatingPointVerifier(make_pipeline(preprocess, verifier), random_state=0)
    system.fit([paths[row] for row in teaches], target[teaches])
    writers = target[claimed, 0].tolist()
    # One claim in ten is a random forgery.
    writers[::10] = [writers[row - 30] for row in range(0, len(writers), 10)]
    return system, list(zip([paths[row] for row in claimed], writers))


def timed(work, *arguments):
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def ask(system, claim):
    return system.verify([claim[0]], [claim[1]])[0]


def measure(system, claims, n_claims, n_threads):
    """Return the seconds of each claim."""
    asked = [claims[number % len(claims)] for number in range(n_claims)]
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(partial(timed, ask, system), asked[:10]))
        return list(pool.map(partial(timed, ask, system), asked))


def measure_parts(system, claims):
    """Return the median seconds of each step of a claim."""
    import importlib

    import numpy as np

    times = {part: [] for part in PARTS}
    originals = []
    for part, (module, name, method) in PARTS.items():
        owner = getattr(importlib.import_module(module), name)
        original = getattr(owner, method)
        originals.append((owner, method, original))

        def wrapped(self, *arguments, original=original, own=times[part]):
            start = time.perf_counter()
            try:
                return original(self, *arguments)
            finally:
                own.append(time.perf_counter() - start)

        setattr(owner, method, wrapped)
    try:
        total = [timed(ask, system, claim) for claim in claims]
    finally:
        for owner, method, original in originals:
            setattr(owner, method, original)
    medians = {part: np.median(own) * len(own) / len(claims) for part, own in times.items()}
    medians["checks, copies, threshold"] = np.median(total) - sum(medians.values())
    return medians


def ask_in_fresh_process(path, scan, writer):
    """Print the seconds of the import, of loading the system and of the first claim, and of the second one."""
    import sigkit.estimators
    import sigkit.transformers  # noqa: F401

    imported = time.perf_counter()
    with open(path, "rb") as file:
        system = pickle.load(file)
    loaded = time.perf_counter()
    first = timed(ask, system, (scan, int(writer)))
    print(imported - START, loaded - imported, first, timed(ask, system, (scan, int(writer))))


def main():
    options = parse_arguments()
    if options.fresh:
        return ask_in_fresh_process(*options.fresh)
    import numpy as np

    warnings.filterwarnings("ignore", message=".*copies of references")
    with tempfile.TemporaryDirectory() as folder:
        system, claims = fit_system(folder, options.writers)
        accepted = [bool(ask(system, claim)) for claim in claims]
        print(f"{len(claims)} claims, {sum(accepted)} accepted, {N_REFERENCES} references, {os.cpu_count()} cores\n")
        print("| threads that ask | p50, ms | p99, ms | claims per second | load average |")
        print("| --- | --- | --- | --- | --- |")
        for n_threads in options.threads:
            start = time.perf_counter()
            seconds = measure(system, claims, options.claims, n_threads)
            rate = (options.claims + 10) / (time.perf_counter() - start)
            p50, p99 = 1000 * np.percentile(seconds, [50, 99])
            print(f"| {n_threads} | {p50:.1f} | {p99:.1f} | {rate:.0f} | {os.getloadavg()[0]:.1f} |", flush=True)
        print("\n| step of one claim | ms |\n| --- | --- |")
        for part, seconds in measure_parts(system, claims).items():
            print(f"| {part} | {1000 * seconds:.1f} |")
        path = os.path.join(folder, "system")
        with open(path, "wb") as file:
            pickle.dump(system, file)
        command = [sys.executable, __file__, "--fresh", path, claims[0][0], str(claims[0][1])]
        fresh = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(3)]
        imported, loaded, first, second = np.median(np.array(fresh, dtype=float), axis=0)
        print(
            f"\nnew process: import {imported:.2f} s, loading the system {loaded:.2f} s, first claim {first:.2f} s, "
            f"second claim {1000 * second:.0f} ms"
        )


if __name__ == "__main__":
    main()
