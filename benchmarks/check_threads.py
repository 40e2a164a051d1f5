"""Check that results depend on `random_state` alone: in threads, in processes and on a dask cluster, to the last bit.

    python benchmarks/check_threads.py

Networks, trainings, meta-trainings and experiments are computed one after another and at the same time. The status is 1
if one of them differs, or if PyTorch's or numpy's global random state, a warning filter or the environment has changed.

PyTorch rounds the sums of several threads otherwise than those of one, and workers in processes have fewer threads than
the caller. So all computations use the same number of PyTorch's threads, 1 unless `--threads` says otherwise. With
another number the processes of a cluster, which are started with one thread, may differ.
"""

import argparse
import os
import random
import sys
import warnings
from contextlib import suppress

import joblib
import numpy as np
import torch
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.nets import build_network
from sigkit.training import InnerLoop, MetaTraining, SigNetTraining
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

N_TRAININGS, N_SPLITS, DEV = 40, 8, (1, 2, 3)
# The second architecture has dropout.
ARCHITECTURES = "tiny", "smallcnn"


def draw_images(image_size):
    scans, target = make_signatures(n_writers=7, n_genuine=8, n_skilled=3, random_state=0)
    return SignaturePreprocessor(canvas_size=(765, 1089), image_size=image_size).fit_transform(scans), target


def numbers_of(network):
    return [tensor.numpy() for tensor in network.state_dict().values()]


def build(seed):
    return numbers_of(build_network("signet_small", seed=seed))


def train(seed, architecture, X, y, n_threads):
    torch.set_num_threads(n_threads)
    training = SigNetTraining(epochs=2 if architecture == "tiny" else 1, batch_size=8)
    fitted = SigNetFeaturizer(architecture, training=training, device="cpu", random_state=seed).fit(X, y)
    return [*numbers_of(fitted.network_), fitted.transform(X)]


def meta_train(seed, X, y, n_threads):
    torch.set_num_threads(n_threads)
    training = MetaTraining(epochs=1, inner_loop=InnerLoop(lr=0.1), n_queries=(3, 3, 3))
    verifier = MetaLearnedVerifier(
        "tiny", dev_writers=DEV, n_references=4, n_random_forgeries=3, n_updates=2, training=training, random_state=seed
    ).fit(X, y)
    return [*numbers_of(verifier.learner_), verifier.decision_function(X[:20])]


def experiment(X, y, n_jobs):
    training = SigNetTraining(epochs=1, batch_size=8)
    pipeline = make_pipeline(
        SigNetFeaturizer("tiny", dev_writers=DEV, training=training, device="cpu", random_state=0),
        WriterDependentSVC(gamma="scale", dev_writers=DEV, random_state=0),
    )
    cv = WriterSplit(n_references=3, n_queries=4, dev_writers=DEV, n_splits=N_SPLITS, random_state=0)
    results = writer_dependent_experiment(pipeline, X, y, cv=cv, n_jobs=n_jobs)
    return [[trials.genuine_scores, trials.forgery_scores] for trials in results.trials]


def state_of_process():
    return {
        "PyTorch's random state": torch.get_rng_state().tolist(),
        "numpy's random state": str(np.random.get_state()),  # noqa: NPY002
        "Python's random state": random.getstate(),
        "warning filters": list(warnings.filters),
        "environment": dict(os.environ),
    }


class Check:
    """Compares results with those of one computation after another, and prints a line for each comparison."""

    def __init__(self):
        self.failed = False

    def compare(self, label, found, expected):
        n_equal = sum(all(map(np.array_equal, one, other)) for one, other in zip(found, expected, strict=True))
        print(f"{label:68} equal to the last bit: {n_equal} of {len(expected)}", flush=True)
        self.failed |= n_equal < len(expected)

    def compare_states(self, before, after):
        for name, value in before.items():
            print(f"{name:68} {'unchanged' if value == after[name] else 'CHANGED'}", flush=True)
            self.failed |= value != after[name]


def in_parallel(function, arguments):
    return joblib.Parallel()(joblib.delayed(function)(*each) for each in arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="number of PyTorch's own threads (default: 1)")
    parser.add_argument("--no-dask", action="store_true", help="leave out the dask cluster")
    n_threads, no_dask = vars(parser.parse_args()).values()
    torch.set_num_threads(n_threads)
    X, y = draw_images((28, 36))
    larger = draw_images((150, 220))
    jobs = {"build_network": (build, [(seed % 4,) for seed in range(N_TRAININGS)])}
    for architecture in ARCHITECTURES:
        images, target = (X, y) if architecture == "tiny" else larger
        n_trainings = N_TRAININGS if architecture == "tiny" else 8
        seeds = [seed % 4 for seed in range(n_trainings)]
        jobs[f"training of {architecture}"] = train, [(seed, architecture, images, target, n_threads) for seed in seeds]
    jobs["meta-training"] = meta_train, [(seed % 4, X, y, n_threads) for seed in range(8)]

    check, before = Check(), state_of_process()
    expected = {name: [function(*each) for each in arguments] for name, (function, arguments) in jobs.items()}
    one_after_another = experiment(X, y, n_jobs=None)
    # Compared here, because starting a dask cluster changes the state of the process.
    check.compare_states(before, state_of_process())

    routes = {f"{n} threads": joblib.parallel_config("threading", n_jobs=n) for n in (4, 8)}
    routes["2 processes"] = joblib.parallel_config("loky", n_jobs=2)
    for route, config in routes.items():
        with config:
            compare_all(check, route, jobs, expected, lambda: experiment(X, y, n_jobs=-1), one_after_another)
    check.compare_states(before, state_of_process())
    if not no_dask:
        from dask.distributed import Client

        for label, processes in (("a dask worker with 4 threads", True), ("4 dask threads in this process", False)):
            client = Client(n_workers=1, threads_per_worker=4, processes=processes, dashboard_address=None)
            with joblib.parallel_config("dask", client=client):
                compare_all(check, label, jobs, expected, lambda: experiment(X, y, n_jobs=-1), one_after_another)
            # On a busy machine a worker may need longer to stop than dask waits.
            with suppress(TimeoutError):
                client.shutdown()
    sys.exit(int(check.failed))


def compare_all(check, route, jobs, expected, run_experiment, one_after_another):
    for name, (function, arguments) in jobs.items():
        check.compare(f"{name}, {route}", in_parallel(function, arguments), expected[name])
    check.compare(f"splits of an experiment with trainings, {route}", run_experiment(), one_after_another)


if __name__ == "__main__":
    main()
