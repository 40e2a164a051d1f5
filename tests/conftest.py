"""Common fixtures: settings of threads, the folder of real data, and synthetic images."""

import os
import threading
from pathlib import Path

# Before torch is imported, and for every process that a test starts: one thread per test process, because the test
# processes already occupy the cores; and threads that wait without spinning, because a thread that spins takes the core
# from the one that it waits for. On a machine with other work that made single tests a hundred times slower.
for _name, _value in {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "KMP_BLOCKTIME": "0",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}.items():
    os.environ.setdefault(_name, _value)

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
MAX_WORKERS = 8
"""Test processes started by `-n auto`: each holds torch in memory, and more of them end hardly earlier."""


def pytest_xdist_auto_num_workers(config):
    """Return the number of test processes that `-n auto` starts: one per core that this process may use, at most 8."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_WORKERS)


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real scans and reference arrays; the test is skipped where it is absent."""
    folder = Path(os.environ.get("SIGKIT_DATA", ROOT / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data: there is no folder {folder}; set SIGKIT_DATA to where it is")
    return folder


@pytest.fixture
def draw_scan():
    """Return a function that draws a scan: gray paper, and ink along a wavy line."""

    def draw(height=120, width=260, ink=40, paper=230, seed=0):
        rng = np.random.default_rng(seed)
        scan = np.full((height, width), paper, dtype=np.uint8)
        scan -= rng.integers(0, 12, scan.shape, dtype=np.uint8)
        for column in range(20, width - 20):
            middle = int(height * (0.5 + 0.25 * np.sin(column / 17 + seed)))
            scan[middle - 2 : middle + 3, column] = ink + rng.integers(0, 12)
        return scan

    return draw


@pytest.fixture(scope="session")
def draw_blots():
    """Return a function that draws small images of blots, one shape per writer, for trainings of the network "tiny"."""

    def draw(height=40, width=60, n_writers=5, n_genuine=8, n_skilled=4, seed=0):
        """Return images and rows `[writer, forgery kind]`; a forgery has the upper half of the writer's shape."""
        rng = np.random.default_rng(seed)
        shapes = rng.random((2 * n_writers, 6, 8)) > 0.6
        images, target = [], []
        for writer in range(n_writers):
            for number in range(n_genuine + n_skilled):
                shape = shapes[writer].copy()
                if number >= n_genuine:
                    shape[3:] = shapes[n_writers + writer][3:]
                image = np.kron(shape, np.ones((height // 10, width // 12))) * rng.integers(120, 255)
                image = np.pad(image, ((0, height - image.shape[0]), (0, width - image.shape[1])))
                shift = (height - 6 * (height // 10)) // 2 + rng.integers(-1, 2), width // 6 + rng.integers(-2, 3)
                image = np.roll(image, shift, axis=(0, 1)) * (rng.random(image.shape) > 0.1)
                images.append(image.astype(np.uint8))
                target.append([writer + 1, int(number >= n_genuine)])
        return np.array(images), np.array(target)

    return draw


@pytest.fixture(scope="session")
def blots(draw_blots):
    """Return blots of seven writers, eight genuine and four forged each, for meta-training: do not change them."""
    return draw_blots(28, 36, n_writers=7)


@pytest.fixture(scope="session")
def make_verifier():
    """Return a function that makes a small meta-learned verifier; writers 1 to 4 are its development writers."""
    from sklearn.base import clone

    from sigkit.estimators import MetaLearnedVerifier
    from sigkit.training import InnerLoop, MetaTraining

    small = MetaLearnedVerifier(
        "tiny",
        dev_writers=(1, 2, 3, 4),
        n_references=4,
        n_random_forgeries=3,
        n_updates=2,
        training=MetaTraining(epochs=2, inner_loop=InnerLoop(lr=0.1), n_queries=(4, 3, 4)),
        random_state=0,
    )

    def make(**parameters):
        return clone(small).set_params(**parameters)

    return make


@pytest.fixture(scope="session")
def fitted_verifier(make_verifier, blots):
    """Return a function that makes a small verifier and fits it to the blots, once for the same parameters."""
    known = {}

    def fitted(**parameters):
        """Return the verifier: tests that change it take a copy."""
        key = repr(sorted(parameters.items()))
        if key not in known:
            known[key] = make_verifier(**parameters).fit(*blots)
        return known[key]

    return fitted


@pytest.fixture
def is_free():
    """Return a function that tells whether a lock is free."""

    def try_lock(lock):
        """Try a lock in another thread, because the same thread may acquire it again."""
        found = []

        def acquire():
            found.append(lock.acquire(timeout=1))
            if found == [True]:
                lock.release()

        thread = threading.Thread(target=acquire)
        thread.start()
        thread.join()
        return found == [True]

    return try_lock
