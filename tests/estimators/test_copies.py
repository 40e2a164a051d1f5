"""A query that is a copy of a reference is reported, and another signature is not."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone

from sigkit.estimators import OperatingPointVerifier, StrokeMatcher, VerifierFusion, WriterDependentSVC
from sigkit.estimators._marks import N_VALUES, mark


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    writers = np.repeat(["ada", "bob", "eve"], 6)
    X = (rng.normal(size=(3, 200)).repeat(6, axis=0) + 0.5 * rng.normal(size=(18, 200))).astype(np.float32)
    return X, writers


def known(writers):
    return np.arange(len(writers)) % 6 < 4


@pytest.mark.parametrize("settings", [{}, {"kernel": "linear"}, {"scaling": "writer"}, {"C": 100}, {"scaling": "none"}])
def test_copies_of_features(features, settings):
    X, writers = features
    model = WriterDependentSVC(gamma="auto", **settings).fit(X[known(writers)], writers[known(writers)])
    queries, claims = X[[4, 5, 2, 8]], ["ada", "ada", "ada", "eve"]
    assert model.find_copies(queries, claims).tolist() == [-1, -1, 2, -1]
    # Rounding, and small differences as by another compression.
    for change in (1e-6, 0.02):
        changed = queries * (1 + change * np.random.default_rng(1).normal(size=queries.shape))
        assert model.find_copies(changed, claims).tolist() == [-1, -1, 2, -1]
    with pytest.warns(UserWarning, match=r"1 of 4 queries are copies .*: query 2 \(writer 'ada', reference 2"):
        accepted = model.verify(queries, claims)
    # The decision is that of the score.
    assert accepted.tolist() == (model.claim_scores(queries, claims) >= 0).tolist()
    # The same signature is a copy for the writer who has it as a reference only.
    assert model.find_copies(X[[2]], ["bob"]).tolist() == [-1]


def test_copies_after_changes_of_the_enrolled(features, tmp_path):
    X, writers = features
    rows = known(writers)
    model = WriterDependentSVC(gamma="auto", random_state=0).fit(X[rows], writers[rows])
    model.export_writer("ada", tmp_path / "ada.safetensors")
    other = clone(model).fit(X[rows], writers[rows])
    other.remove(["ada"])
    with pytest.raises(ValueError, match="never enrolled: 'ada'"):
        other.find_copies(X[:1], ["ada"])
    assert other.enroll(X[4:6], writers[4:6]).find_copies(X[[0, 5]], ["ada", "ada"]).tolist() == [-1, 1]
    model.load_writer(tmp_path / "ada.safetensors")
    found = model.find_copies(X[:6], writers[:6])
    assert (found[:4] >= 0).all()
    assert (found[4:] == -1).all()


@pytest.mark.filterwarnings("ignore:.*one reference only")
def test_few_features_and_one_reference():
    X = np.array([[0.0, 1], [0, 1.001], [3, 0], [4, 1]])
    model = WriterDependentSVC(gamma=1.0).fit(X, ["ada", "ada", "bob", "bob"])
    # Nearly equal is chance with two features; equal is not.
    assert model.find_copies([[0, 1.00001], [0, 1.001]], ["ada", "ada"]).tolist() == [-1, 1]
    model.enroll(X[:1], ["ada"])
    assert model.find_copies([[0, 1.001], [0, 1]], ["ada", "ada"]).tolist() == [-1, 0]
    assert model.find_copies(np.empty((0, 2)), np.empty(0, dtype=str)).tolist() == []


def test_signatures_without_information_are_no_copies(features):
    X, writers = features
    blank = np.zeros((2, 200), dtype=np.float32)
    with pytest.warns(UserWarning, match="cannot be distinguished from others: 'zoe'"):
        model = WriterDependentSVC(gamma="auto").fit(np.concatenate([X, blank]), [*writers, "zoe", "zoe"])
    assert model.find_copies(blank[:1], ["zoe"]).tolist() == [-1]


def test_strokes_and_fusions(features):
    X, writers = features
    rows = known(writers)
    fusion = VerifierFusion([("one", WriterDependentSVC(gamma="auto")), ("other", WriterDependentSVC("linear"))])
    fusion.fit(X[rows], writers[rows])
    assert fusion.find_copies(X[[5, 3]], ["ada", "ada"]).tolist() == [-1, 3]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fusion.verify(X[[5, 3]], ["ada", "ada"])
    assert ["1 of 2 queries are copies" in str(one.message) for one in caught] == [True]
    outer = OperatingPointVerifier(fusion, criterion="frr", level=0.1, source="references", random_state=0)
    outer.fit(X[rows], writers[rows])
    assert outer.find_copies(X[[5, 3]], ["ada", "ada"]).tolist() == [-1, 3]
    with pytest.warns(UserWarning, match="1 of 2 queries are copies"):
        outer.verify(X[[5, 3]], ["ada", "ada"])
    outer.claim_scores(X[[5, 3]], ["ada", "ada"])
    # Points of strokes: x, y, cos, sin, darkness, width, pixel.
    points = np.random.default_rng(0).uniform(10, 90, size=(8, 40, 7)).round()
    points[:, :, 2:4], points[:, :, 4:] = 0.7, (0.5, 2, 1)
    points = points.reshape(8, -1)
    matcher = StrokeMatcher().fit(points[:6], [1, 1, 1, 2, 2, 2])
    assert matcher.find_copies(points[[1, 6, 5]], [1, 1, 2]).tolist() == [1, -1, 2]
    assert matcher.remove([2]).find_copies(points[[1]], [1]).tolist() == [1]


def test_images(blots, fitted_verifier):
    images, target = blots
    model = fitted_verifier()
    own = np.flatnonzero((target[:, 0] == 5) & (target[:, 1] == 0))
    query = (0.9 * images[own[2]]).astype(np.uint8)
    forgery = images[np.flatnonzero((target[:, 0] == 5) & (target[:, 1] == 1))[0]]
    assert model.find_copies(np.array([query, forgery]), [5, 5]).tolist() == [2, -1]
    with pytest.warns(UserWarning, match=r"query 0 \(writer 5, reference 2\)"):
        model.verify(query[None], [5])


@pytest.mark.parametrize("n_features", [1, 3, N_VALUES, 1000])
def test_marks_keep_distances(n_features):
    X = np.random.default_rng(0).normal(size=(200, n_features)).astype(np.float32)
    marks = mark(X)
    assert (marks.shape, marks.dtype) == ((200, N_VALUES), np.float32)
    ratio = np.linalg.norm(marks[1:] - marks[:-1], axis=1) / np.linalg.norm(X[1:] - X[:-1], axis=1)
    assert np.abs(ratio - 1).max() < (1e-4 if n_features <= N_VALUES else 0.4)
    assert np.array_equal(mark(X[::2]), marks[::2])
