"""Run a complete experiment of the size of GPDS-300 on synthetic features: 10 splits, fitted and scored on all trials.

    python benchmarks/bench_experiment.py
    python benchmarks/bench_experiment.py --scaling writer --splits 2

Each split has 300 enrolled writers with 12 references, 10 genuine queries and 30 forgeries each, and 581 development
writers with 14 negatives each (8,134 in total). Features have 2,048 dimensions. This makes 3,000 genuine trials,
897,000 random forgeries and 9,000 skilled forgeries per split.
"""

import argparse
import resource
import time

import numpy as np
from drawn_features import draw_features

from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit

N_WRITERS, N_DEV, N_GENUINE, N_FORGERIES = 300, 581, 24, 30


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scaling", choices=("shared", "writer"), default="shared")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--folder", help="folder in which finished splits are saved")
    options = parser.parse_args()
    genuine = draw_features(N_WRITERS, N_GENUINE)
    # A forgery is the mean of a signature of the imitated writer and one of the forger.
    forgers = draw_features(N_WRITERS, N_FORGERIES, first=N_WRITERS + N_DEV)
    forged = 0.5 * genuine[:, np.arange(N_FORGERIES) % N_GENUINE] + 0.5 * forgers
    dev = draw_features(N_DEV, 14, first=N_WRITERS)
    width = dev.shape[2]
    X = np.concatenate([part.reshape(-1, width) for part in (genuine, forged, dev)])
    writers = [np.repeat(np.arange(N_WRITERS), N_GENUINE), np.repeat(np.arange(N_WRITERS), N_FORGERIES)]
    writers.append(np.repeat(np.arange(N_WRITERS, N_WRITERS + N_DEV), 14))
    forgery = np.repeat([0, 1, 0], [len(part) for part in writers])
    y = np.stack([np.concatenate(writers), forgery], axis=1)
    dev_writers = range(N_WRITERS, N_WRITERS + N_DEV)
    cv = WriterSplit(12, 10, dev_writers, options.splits, random_state=0)
    model = WriterDependentSVC(dev_writers=dev_writers, scaling=options.scaling, n_jobs=-1, random_state=0)
    start = time.perf_counter()
    results = writer_dependent_experiment(model, X, y, cv=cv, folder=options.folder, verbose=1)
    seconds = time.perf_counter() - start
    print(f"{results}\n\n{options.splits} splits in {seconds / 60:.1f} minutes, scaling={options.scaling!r}")
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
