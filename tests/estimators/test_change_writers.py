"""Enrollment and removal in several threads, and references that are added to those of a writer."""

import copy
import pickle
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sigkit.estimators import (
    MetaLearnedVerifier,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
)
from sigkit.estimators._enrollment import change_lock
from sigkit.training import MetaTraining

N_POINTS, SHAPE = 12, (40, 57)


@pytest.fixture(scope="module")
def signatures():
    """Features, points of strokes and images of 12 writers with 6 signatures each; the first 3 teach."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(12), 6)
    features = (rng.normal(size=(12, 16))[y] * 2 + rng.normal(size=(len(y), 16))).astype(np.float32)
    points = np.zeros((len(y), N_POINTS, 7), dtype=np.float32)
    points[:, :, :2] = (rng.uniform(10, 90, size=(12, N_POINTS, 2))[y] + rng.normal(size=(len(y), N_POINTS, 2))).round()
    angle = rng.uniform(0, 6.28, size=(12, N_POINTS))[y] + rng.normal(0, 0.2, size=(len(y), N_POINTS))
    points[:, :, 2:5] = np.stack([np.cos(angle), np.sin(angle), rng.uniform(size=angle.shape)], axis=2)
    points[:, :, 6] = 1
    images = np.zeros((len(y), *SHAPE), dtype=np.uint8)
    for image, one in zip(images, points[:, :, :2].astype(int) // 3):
        image[one[:, 1], one[:, 0]] = 255
    return {"features": features, "points": points.reshape(len(y), -1), "images": images, "y": y}


def make(kind):
    """Return a verifier, and the names of its input."""
    dev = [0, 1, 2]
    if kind == "peers":
        return WriterDependentSVC(gamma=0.05, random_state=0), "features"
    if kind in ("rbf", "linear"):
        return WriterDependentSVC(kind, gamma=0.05, dev_writers=dev, random_state=0), "features"
    if kind == "strokes":
        return StrokeMatcher(dev_writers=dev), "points"
    if kind == "fusion":
        svm = make_pipeline(
            FunctionTransformer(first_columns), WriterDependentSVC(gamma=0.05, dev_writers=dev, random_state=0)
        )
        strokes = make_pipeline(FunctionTransformer(other_columns), StrokeMatcher(dev_writers=dev))
        return VerifierFusion([("svm", svm), ("strokes", strokes)], dev_writers=dev), "both"
    return (
        MetaLearnedVerifier(
            "tiny",
            dev_writers=dev,
            n_references=2,
            n_random_forgeries=3,
            adapt="head" if kind == "meta head" else "all",
            training=MetaTraining(epochs=0),
            random_state=0,
        ),
        "images",
    )


def first_columns(X):
    return X[:, :16]


def other_columns(X):
    return X[:, 16:]


def fitted(kind, signatures, n_writers=6):
    """Return a verifier of the writers below `n_writers`, all signatures, and their writers."""
    model, name = make(kind)
    X = np.concatenate([signatures["features"], signatures["points"]], axis=1) if name == "both" else signatures[name]
    y = signatures["y"]
    return model.fit(X[y < n_writers], y[y < n_writers]), X, y


KINDS = ["rbf", "peers", "linear", "strokes", "fusion", "meta", "meta head"]


@pytest.mark.parametrize("kind", KINDS)
def test_added_references_are_as_good_as_those_of_enrollment(signatures, kind):
    model, X, y = fitted(kind, signatures)
    together = copy.deepcopy(model)
    first, second = (np.flatnonzero((y == 7) | (y == 8)).reshape(2, 6)[:, rows].ravel() for rows in ([0, 1], [2, 3]))
    model = pickle.loads(pickle.dumps(model.enroll(X[first], y[first])))
    before = model.claim_scores(X[y == 7], [7] * 6)
    assert model.add_references(X[second], y[second]) is model
    both = np.concatenate([first, second])
    # References of the other writers are negatives, and their order is that of enrollment.
    together.enroll(X[both], y[both])
    np.testing.assert_allclose(model.decision_function(X), together.decision_function(X), rtol=1e-5, atol=1e-5)
    if kind != "peers":
        assert np.array_equal(model.decision_function(X), together.decision_function(X))
    assert not np.array_equal(model.claim_scores(X[y == 7], [7] * 6), before)


@pytest.mark.parametrize("kind", ["rbf", "strokes", "fusion", "meta"])
def test_references_for_others_are_refused(signatures, kind):
    model, X, y = fitted(kind, signatures)
    before = model.decision_function(X)
    with pytest.raises(ValueError, match=r"References for writers who are not enrolled: 7\. .* Enroll them first"):
        model.add_references(X[y == 7], y[y == 7])
    with pytest.raises(ValueError, match="Development writers cannot be enrolled: 1"):
        model.add_references(X[y == 1], y[y == 1])
    assert np.array_equal(model.decision_function(X), before)


def test_references_of_a_loaded_writer(signatures, tmp_path):
    model, X, y = fitted("rbf", signatures)
    model.export_writer(4, tmp_path / "writer")
    model.load_writer(tmp_path / "writer")
    with pytest.raises(ValueError, match=r"loaded from a file, .*: 4\. Enroll them with their earlier references"):
        model.add_references(X[y == 4][:1], [4])
    model.enroll(X[y == 4][:2], [4, 4]).add_references(X[y == 4][2:4], [4, 4])


def test_a_copy_of_a_reference_of_strokes_counts_once(signatures):
    model, X, y = fitted("strokes", signatures)
    before = model.decision_function(X)
    assert np.array_equal(model.add_references(X[y == 4][1:3], [4, 4]).decision_function(X), before)


@pytest.mark.parametrize("kind", ["rbf", "strokes"])
def test_a_single_reference_is_warned_about(signatures, kind):
    model, X, y = fitted(kind, signatures)
    with pytest.warns(UserWarning, match="1 of 2 writers have one reference only: 7") as caught:
        model.enroll(X[[42, 48, 49]], [7, 8, 8])
    assert caught[0].filename == __file__
    # Warnings are errors in the tests: there is none.
    model.add_references(X[[43]], [7])
    rows = np.flatnonzero((y < 4) | (y == 5))[:-5]
    with pytest.warns(UserWarning, match="1 of 2 writers have one reference only: 5"):
        clone(model).fit(X[rows], y[rows])


@pytest.mark.parametrize("kind", ["rbf", "peers", "strokes", "fusion", "meta"])
def test_no_change_of_several_threads_is_lost(signatures, kind):
    model, X, y = fitted(kind, signatures)
    queries, writers = X[y == 4], np.full(6, 4)
    expected = model.claim_scores(queries, writers)
    final = copy.deepcopy(model)
    finished, wrong = threading.Event(), []

    def clerk(number):
        try:
            own = X[y == 6 + number]
            for n in range(2):
                model.enroll(own[:2], [100 + 10 * number + n] * 2)
                model.enroll(own[:2], [200 + number] * 2)
                model.add_references(own[2:4], [100 + 10 * number + n] * 2)
                model.remove([200 + number])
        except BaseException as error:
            wrong.append(error)

    def score():
        n_scored = 0
        while not wrong and (not finished.is_set() or not n_scored):
            scores = model.claim_scores(queries, writers)
            n_scored += 1
            if not np.array_equal(scores, expected):
                wrong.append(scores)

    clerks = [threading.Thread(target=clerk, args=(number,)) for number in range(3)]
    reader = threading.Thread(target=score)
    for thread in [*clerks, reader]:
        thread.start()
    for thread in clerks:
        thread.join()
    finished.set()
    reader.join()
    assert not wrong
    names = [100 + 10 * number + n for number in range(3) for n in range(2)]
    assert model.classes_.tolist() == [*final.classes_.tolist(), *names]
    if kind == "peers":
        # The models depend on the order of enrollments, which is not fixed.
        return
    rows = np.concatenate([np.flatnonzero(y == 6 + number)[:4] for number in range(3) for _ in range(2)])
    final.enroll(X[rows], np.repeat(names, 4))
    assert np.array_equal(model.decision_function(X), final.decision_function(X))


def test_scoring_does_not_wait_for_a_change(signatures):
    model, X, _ = fitted("rbf", signatures)
    scored = threading.Event()

    def score():
        model.decision_function(X)
        scored.set()

    with change_lock(model):
        reader = threading.Thread(target=score)
        reader.start()
        assert scored.wait(60)
    reader.join()


def test_an_interruption_within_the_lock_releases_it(signatures, monkeypatch):
    model, X, y = fitted("rbf", signatures)
    before = model.decision_function(X)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sigkit.estimators._svc._gallery.joined", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.enroll(X[y == 7], y[y == 7])
    assert np.array_equal(model.decision_function(X), before)
    other = threading.Thread(target=model.enroll, args=(X[y == 7], y[y == 7]))
    other.start()
    other.join(60)
    assert 7 in model.classes_


def test_verifiers_with_a_lock_are_copied_and_pickled(signatures):
    model, X, y = fitted("rbf", signatures)
    with change_lock(model):
        copies = [copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model)), clone(model).fit(X, y)]
        # Copies have locks of their own.
        others = [threading.Thread(target=one.remove, args=([4],)) for one in copies]
        for other in others:
            other.start()
        for other in others:
            other.join(60)
    assert 4 in model.classes_
    assert all(4 not in one.classes_ for one in copies)


def test_references_are_added_to_a_verifier_with_an_operating_point(signatures):
    X, y = signatures["features"], signatures["y"]
    svc = WriterDependentSVC(gamma=0.05, dev_writers=range(6), random_state=0)
    model = OperatingPointVerifier(svc, criterion="frr", level=0.2, forgery="random", n_draws=1, random_state=0)
    model.fit(X[y < 8], y[y < 8])
    threshold, together = model.threshold_, copy.deepcopy(model)
    rows = np.flatnonzero(y == 9)
    with pytest.warns(UserWarning, match="enroll with less than half of the 5 references"):
        model.enroll(X[rows[:2]], y[rows[:2]])
    model.add_references(X[rows[2:4]], y[rows[2:4]])
    together.enroll(X[rows[:4]], y[rows[:4]])
    assert np.array_equal(model.decision_function(X), together.decision_function(X))
    assert model.threshold_ == threshold
    assert model.remove([9]).classes_.tolist() == [6, 7]
