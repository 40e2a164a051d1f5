"""Run preprocessing, enrollment and an experiment on a cluster, and compare with the results of a single process.

    python examples/distributed.py --workers 2
    python examples/distributed.py --scheduler tcp://10.0.0.1:8786 --writers 300

Without the address of a scheduler it starts worker processes on this machine. All parallel work of sigkit goes through
joblib, so it runs on the cluster within `joblib.parallel_config("dask")`; nothing else has to be changed. The extra
"distributed" must be installed here and on the workers. The signatures are synthetic and the network is not trained, so
the error rates have no meaning.
"""

import argparse
import os
import sys
import time
from contextlib import contextmanager, nullcontext

# This script has the name of a library, and Python searches the folder of the script first.
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != os.path.dirname(os.path.abspath(__file__))]

import joblib
import numpy as np
from distributed import Client, LocalCluster

from sigkit.datasets import make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.training import SigNetTraining
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scheduler", help="address of a running scheduler")
    parser.add_argument("--workers", type=int, default=2, help="worker processes to start without one (default: 2)")
    parser.add_argument("--writers", type=int, default=30, help="number of writers (default: 30)")
    return parser.parse_args()


@contextmanager
def timed(label):
    start = time.perf_counter()
    yield
    print(f"{label}: {time.perf_counter() - start:.1f} s", flush=True)


def main():
    options = parse_arguments()
    if options.scheduler:
        cluster = nullcontext(options.scheduler)
    else:
        cluster = LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=None)
    with cluster as address, Client(address) as client:
        print(client)
        scans, target = make_signatures(options.writers, n_genuine=16, n_skilled=8, random_state=0)
        dev = range(1, options.writers // 3 + 1)
        model = WriterDependentSVC(dev_writers=dev, random_state=0)
        cv = WriterSplit(n_references=8, n_queries=8, dev_writers=dev, n_splits=4, random_state=0)

        def work():
            with timed("preprocessing"):
                images = SignaturePreprocessor().fit_transform(scans)
            featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
            features = featurizer.fit_transform(images)
            with timed("enrollment"):
                model.fit(features, target)
            with timed("experiment"):
                results = writer_dependent_experiment(model, features, target, cv=cv)
            return images, model.decision_function(features), results

        print("\nIn this process:")
        here = work()
        print("\nOn the cluster:")
        with joblib.parallel_config("dask", client=client):
            there = work()
        same = [np.array_equal(one, other) for one, other in zip(here[:2], there[:2])]
        for name, values in here[2].metrics.items():
            same.append(np.array_equal(values, there[2].metrics[name]))
        print(f"\n{here[2]}\n\nEqual to the last bit: {all(same)}")


if __name__ == "__main__":
    main()
