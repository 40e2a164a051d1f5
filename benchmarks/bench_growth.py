"""Time and memory of enrollment, claims and identification with 100 to 10,000 enrolled writers.

    python benchmarks/bench_growth.py --plot growth.png

Development writers and features are those of `bench_writer_dependent.py`. The references of each step are drawn,
enrolled and discarded, as in a service; the time of drawing is not counted. Memory is that of the fitted model.
"""

import argparse
import pickle
import resource
import time
from functools import partial

import numpy as np
from drawn_features import draw_features

from sigkit.estimators import WriterDependentSVC

N_DEV, N_REFERENCES, STEP = 581, 12, 500


class Counter:
    """A file that counts the bytes written to it."""

    def __init__(self):
        self.n_bytes = 0

    def write(self, data):
        self.n_bytes += len(data) if isinstance(data, bytes) else memoryview(data).nbytes


def size_of(model):
    counter = Counter()
    pickle.dump(model, counter, protocol=5)
    return counter.n_bytes


def timed(work, repeats=3):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def plot(rows, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    columns = np.array(rows).T
    for axis, column, label in ((axes[0], 1, "seconds to enroll all"), (axes[1], 3, "MiB of the fitted model")):
        axis.loglog(columns[0], columns[column], "o-")
        axis.set(xlabel="enrolled writers", ylabel=label)
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--plot", help="file for the plot")
    options = parser.parse_args()
    most = max(options.writers)
    dev = draw_features(N_DEV, 14, first=most)
    queries = draw_features(min(options.writers), N_REFERENCES + 1)[:, -1]
    claimed = np.arange(len(queries))
    model = WriterDependentSVC(dev_writers=range(most, most + N_DEV), n_jobs=-1, random_state=0)
    model.fit(dev.reshape(-1, dev.shape[2]), np.repeat(np.arange(most, most + N_DEV), 14))
    print(f"empty: {size_of(model) / 2**20:.0f} MiB\n")
    print("| writers | enroll all, s | one more, ms | model, MiB | KiB per writer | one claim, ms | identify, ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    rows, enrolled, seconds = [], 0, 0.0
    for n_writers in sorted(options.writers):
        while enrolled < n_writers:
            step = min(STEP, n_writers - enrolled)
            references = draw_features(step, N_REFERENCES, first=enrolled).reshape(-1, dev.shape[2])
            ids = np.repeat(np.arange(enrolled, enrolled + step), N_REFERENCES)
            start = time.perf_counter()
            model.enroll(references, ids)
            seconds += time.perf_counter() - start
            enrolled += step
        newcomer = references[:N_REFERENCES], np.full(N_REFERENCES, -1)
        one = timed(partial(model.enroll, *newcomer))
        model.remove([-1])
        claim = timed(lambda: model.claim_scores(queries[:1], claimed[:1]))
        identify = timed(lambda: model.decision_function(queries)) / len(queries)
        size = size_of(model)
        each = np.mean([writer.nbytes for writer in model.models_.values()])
        rows.append((n_writers, seconds, one, size / 2**20))
        print(
            f"| {n_writers:,} | {seconds:.1f} | {1000 * one:.0f} | {size / 2**20:.0f} | {each / 1024:.0f} | "
            f"{1000 * claim:.1f} | {1000 * identify:.1f} |",
            flush=True,
        )
    print(f"\nidentification is of {len(queries)} queries at a time")
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    if options.plot:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()
