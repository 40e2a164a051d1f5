"""Results on a dask cluster of worker processes, one of which is killed, equal those of one process."""

import os
import signal
import threading
import time

import joblib
import numpy as np
import pytest
from sklearn.base import clone

from sigkit.datasets import make_signatures
from sigkit.estimators import NegativeBank, WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor

DEV = range(40)


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two worker processes on this machine."""
    distributed = pytest.importorskip("distributed")
    import dask

    with (
        # The memory manager may drop copies while they are sent to all workers, and the sending was seen to hang.
        dask.config.set({"distributed.scheduler.active-memory-manager.start": False}),
        # A free port for the dashboard: where another cluster runs, the default port raises a warning.
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def signatures():
    rng = np.random.default_rng(2)
    y = np.repeat(np.arange(80), 12)
    X = rng.normal(size=(80, 64))[y] + 0.8 * rng.normal(size=(len(y), 64))
    return X.astype(np.float32), y


def assert_same_models(one, other):
    assert one.classes_.tolist() == other.classes_.tolist()
    for writer, model in one.models_.items():
        for part, expected in zip(model, other.models_[writer]):
            assert np.array_equal(part, expected)


@pytest.mark.parametrize("scaling", ["shared", "writer"])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_enrollment_is_bit_equal(cluster, signatures, scaling, kernel):
    model = WriterDependentSVC(kernel, gamma=0.01, dev_writers=DEV, scaling=scaling, random_state=0)
    expected = clone(model).fit(*signatures)
    with joblib.parallel_config("dask", client=cluster):
        found = clone(model).fit(*signatures)
    assert_same_models(found, expected)
    assert_same_models(clone(model).set_params(n_jobs=2).fit(*signatures), expected)


def test_negatives_are_sent_once_per_worker(cluster, signatures):
    model = WriterDependentSVC(gamma=0.01, dev_writers=DEV, random_state=0)
    n_workers = len(cluster.scheduler_info(n_workers=-1)["workers"])

    def pickled(bank, protocol):
        pickles.append(len(bank.rows))
        return object.__reduce_ex__(bank, protocol)

    pickles = []
    with pytest.MonkeyPatch.context() as patch, joblib.parallel_config("dask", client=cluster):
        patch.setattr(NegativeBank, "__reduce_ex__", pickled)
        model.fit(*signatures)
    assert n_workers == 2
    assert len(model.classes_) == 40
    # It is sent once for the kernel and once for the enrollment; dask also pickles it to hash it.
    assert len(pickles) <= 4 * (n_workers + 1)


def test_preprocessing_is_the_same(cluster):
    scans, _ = make_signatures(n_writers=3, n_genuine=4, n_skilled=2, random_state=0)
    expected = SignaturePreprocessor().fit_transform(scans)
    with joblib.parallel_config("dask", client=cluster):
        found = SignaturePreprocessor().fit_transform(scans)
    assert np.array_equal(found, expected)


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(cluster, signatures):
    X, y = signatures
    model = WriterDependentSVC(gamma=0.01, dev_writers=DEV, random_state=0)
    cv = WriterSplit(n_references=6, n_queries=5, dev_writers=DEV, n_splits=6, random_state=0)
    target = np.stack([y, np.zeros_like(y)], axis=1)
    target[5::12, 1] = 1
    expected = writer_dependent_experiment(model, X, target, cv=cv)
    processes = cluster.run(os.getpid)
    killed = []

    def kill():
        """Kill the first worker that processes a task."""
        end = time.monotonic() + 60
        while not killed and time.monotonic() < end:
            busy = [worker for worker, tasks in cluster.processing().items() if tasks]
            if busy:
                os.kill(processes[busy[0]], signal.SIGKILL)
                killed.append(processes[busy[0]])
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    with joblib.parallel_config("dask", client=cluster):
        results = writer_dependent_experiment(model, X, target, cv=cv)
        killer.join()
        enrolled = clone(model).fit(X, y)
    assert killed, "no worker processed a task"
    assert killed[0] not in cluster.run(os.getpid).values()
    for name, values in expected.metrics.items():
        assert np.array_equal(results.metrics[name], values)
    for one, other in zip(results.trials, expected.trials):
        assert np.array_equal(one.genuine_scores, other.genuine_scores)
    assert_same_models(enrolled, clone(model).fit(X, y))
