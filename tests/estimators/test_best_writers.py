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


@pytest.mark.parametrize(
    ("directions", "intercepts", "message"),
    [
        (None, [np.zeros(2)], "directions must be a list of arrays of shape .* found a NoneType"),
        ([np.eye(2)], 3, "intercepts must be a list of arrays of shape .* found a int"),
        ([None], [np.zeros(2)], r"directions\[0\] is a NoneType of shape \(\)"),
        ("text", [np.zeros(2)], r"directions\[0\] is a str of shape \(\)"),
        ([[[1, 2], [3]]], [np.zeros(2)], "directions must be a list of arrays of shape"),
        (np.eye(2), [np.zeros(2)], r"directions\[0\] is a ndarray of shape \(2,\)\. Put .* \[directions\]"),
        ([np.eye(2)], np.zeros(2), r"intercepts\[0\] is a float64 of shape \(\)\. Put .* \[intercepts\]"),
        ([np.eye(2)], [np.zeros((2, 1))], r"intercepts\[0\] is a ndarray of shape \(2, 1\)\.$"),
        ([np.eye(2)], [np.zeros((2, 2))], r"intercepts\[0\] is a ndarray of shape \(2, 2\)\.$"),
        ([np.ones((2, 2, 2))], [np.zeros(2)], r"directions\[0\] is a ndarray of shape \(2, 2, 2\)\.$"),
        ([np.eye(2).astype(object)], [np.zeros(2)], r"directions\[0\] has values of type object"),
        ([np.eye(2).astype(str)], [np.zeros(2)], r"directions\[0\] has values of type <U32"),
        ([np.eye(2)], [["0", "5"]], r"intercepts\[0\] has values of type <U1"),
        ([np.eye(2) * 1j], [np.zeros(2)], r"directions\[0\] has values of type complex128"),
        ([np.ma.masked_equal(np.eye(2), 0)], [np.zeros(2)], r"directions\[0\] has masked values"),
    ],
)
def test_what_is_no_list_of_arrays_is_an_error(directions, intercepts, message):
    for n_queries in (1, 2, 3):
        with pytest.raises(ValueError, match=message):
            find_best_writers(np.ones((n_queries, 2)), directions, intercepts, n_best=1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("query", [[1.0, 1], [0, 1]])
def test_a_damaged_model_is_named(value, query, monkeypatch):
    monkeypatch.setattr("sigkit.estimators._best_writers._BLOCK_BYTES", 16)
    directions, intercepts = [np.ones((3, 2)), np.ones((5, 2))], [np.zeros(3), np.zeros(5)]
    message = r"directions\[1\] and intercepts\[1\] have a model in row 3 whose score is NaN or infinite"
    for part, place in ((directions[1], (3, 0)), (intercepts[1], 3)):
        part[place] = value
        with pytest.raises(ValueError, match=message):
            find_best_writers([query], directions, intercepts, n_best=2)
        part[place] = 0


@pytest.mark.parametrize("dtype", ["<f2", ">f4", ">f8", "i1", "u2", ">i8", "longdouble"])
def test_models_have_any_type_of_numbers(dtype):
    directions = np.array([[1, 0], [0, 3], [2, 2]], dtype=dtype)
    writers, scores = find_best_writers([[1, 2]], [directions], [np.array([0, 0, 1], dtype=dtype)], n_best=3)
    assert (writers.tolist(), scores.tolist()) == ([[2, 1, 0]], [[7, 6, 1]])
