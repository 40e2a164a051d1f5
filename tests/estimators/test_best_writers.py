"""Identification among models in parts."""

import numpy as np
import pytest

from sigkit.estimators import WriterDependentSVC, find_best_writers


@pytest.fixture(scope="module")
def enrolled():
    rng = np.random.default_rng(0)
    hands = rng.normal(size=(30, 12))
    X = np.repeat(hands, 4, axis=0) + 0.2 * rng.normal(size=(120, 12))
    svc = WriterDependentSVC("linear", dev_writers=range(10), random_state=0).fit(X, np.repeat(np.arange(30), 4))
    return svc, hands[10:] + 0.2 * rng.normal(size=(20, 12))


def parts_of(svc, dtype):
    models = [svc.models_[writer] for writer in svc.classes_.tolist()]
    directions = np.array([model.direction for model in models], dtype=dtype)
    intercepts = np.array([model.intercept for model in models])
    return [directions[:7], directions[7:7], directions[7:]], [intercepts[:7], intercepts[7:7], intercepts[7:]]


@pytest.mark.parametrize("block_bytes", [1, 10**6])
def test_the_best_writers_are_those_of_the_scores(enrolled, monkeypatch, block_bytes):
    monkeypatch.setattr("sigkit.estimators._best_writers._BLOCK_BYTES", block_bytes)
    svc, queries = enrolled
    writers, scores = find_best_writers(svc.bank_.standardise(queries), *parts_of(svc, np.float32), n_best=5)
    expected = svc.decision_function(queries)
    np.testing.assert_array_equal(writers, np.argsort(-expected, axis=1)[:, :5])
    np.testing.assert_allclose(scores, np.sort(expected, axis=1)[:, :-6:-1], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(svc.classes_[writers[:, 0]], svc.predict(queries))


def test_models_may_be_on_disk_in_half_precision(enrolled, tmp_path):
    svc, queries = enrolled
    directions, intercepts = parts_of(svc, np.float16)
    for number, part in enumerate(directions):
        np.save(tmp_path / f"{number}.npy", part)
    mapped = [
        np.load(tmp_path / f"{number}.npy", mmap_mode="r") if number != 1 else directions[1] for number in range(3)
    ]
    writers, _ = find_best_writers(svc.bank_.standardise(queries), mapped, intercepts, n_best=1)
    np.testing.assert_array_equal(svc.classes_[writers[:, 0]], svc.predict(queries))


def test_there_are_no_more_columns_than_writers(enrolled):
    svc, queries = enrolled
    writers, scores = find_best_writers(svc.bank_.standardise(queries), *parts_of(svc, np.float32), n_best=100)
    assert writers.shape == scores.shape == (20, 20)
    np.testing.assert_array_equal(np.sort(writers, axis=1), np.tile(np.arange(20), (20, 1)))


def test_what_does_not_fit_is_an_error():
    ones = [np.ones((3, 4))]
    with pytest.raises(ValueError, match="4 features, but a part of directions has the shape"):
        find_best_writers(np.ones((2, 4)), [np.ones((3, 5))], [np.ones(3)])
    with pytest.raises(ValueError, match=r"numbers of writers \[3\] and \[2\]"):
        find_best_writers(np.ones((2, 4)), ones, [np.ones(2)])
    with pytest.raises(ValueError, match="at least one writer"):
        find_best_writers(np.ones((2, 4)), [], [])
    with pytest.raises(ValueError, match="n_best must be an integer of at least 1, found 0"):
        find_best_writers(np.ones((2, 4)), ones, [np.ones(3)], n_best=0)
    with pytest.raises(ValueError, match="NaN"):
        find_best_writers(np.full((2, 4), np.nan), ones, [np.ones(3)])
