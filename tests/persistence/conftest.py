"""Signatures, a verifier and a store."""

import numpy as np
import pytest

from sigkit.estimators import WriterDependentSVC
from sigkit.persistence import StoredVerifier, WriterStore

N_POINTS = 12


@pytest.fixture(scope="module")
def signatures():
    """Features and points of strokes in one array, and target: 12 writers with 8 genuine signatures and 2 forgeries."""
    rng = np.random.default_rng(0)
    writers, number = np.repeat(np.arange(12), 10), np.tile(np.arange(10), 12)
    target = np.column_stack([writers, (number > 7).astype(int)])
    features = rng.normal(size=(12, 16))[writers] * 3 + rng.normal(size=(120, 16)) * (1 + 2 * target[:, 1:])
    points = np.zeros((120, N_POINTS, 7))
    points[:, :, :2] = (rng.uniform(10, 90, (12, N_POINTS, 2))[writers] + rng.normal(size=(120, N_POINTS, 2))).round()
    angle = rng.uniform(0, 6.28, size=(12, N_POINTS))[writers] + rng.normal(0, 0.2, size=(120, N_POINTS))
    points[:, :, 2:5] = np.stack([np.cos(angle), np.sin(angle), rng.uniform(size=angle.shape)], axis=2)
    points[:, :, 6] = 1
    return np.concatenate([features, points.reshape(120, -1)], axis=1).astype(np.float32), target


@pytest.fixture(scope="module")
def svc(signatures):
    X, target = signatures
    model = WriterDependentSVC(gamma=0.05, dev_writers=list(range(8)), random_state=0)
    return model.fit(X[target[:, 0] < 8], target[target[:, 0] < 8])


@pytest.fixture
def store(tmp_path):
    with WriterStore(tmp_path / "writers.sqlite") as store:
        yield store


@pytest.fixture
def verifier(svc, store, signatures):
    """The SVM, with the writers 8 to 11 in the store."""
    X, target = signatures
    references = (target[:, 0] >= 8) & (np.tile(np.arange(10), 12) < 5)
    return StoredVerifier(svc, store).enroll(X[references], target[references, 0])
