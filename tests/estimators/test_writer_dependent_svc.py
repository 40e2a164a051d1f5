import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sigkit.estimators import WriterDependentSVC


@pytest.fixture(scope="module")
def features():
    """Six writers of 10 genuine signatures and 4 forgeries each; two features are always 0."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(6, 12)) * 2
    y = np.array([[writer, forgery] for writer in range(1, 7) for forgery in [0] * 10 + [1] * 4])
    X = centers[y[:, 0] - 1] + rng.normal(size=(len(y), 12)) * (1 + y[:, 1:])
    X = np.maximum(X, 0)
    X[:, [3, 7]] = 0
    return X, y


def known(y, dev, n_references=5):
    """Rows of a training set: all of development writers, and the first genuine ones of the others."""
    rank = np.tile(np.arange(14), 6)
    return np.isin(y[:, 0], dev) | ((y[:, 1] == 0) & (rank < n_references))


def scikit_learn_svm(X, y, writer, negatives, kernel, C, gamma):
    """The same model made of scikit-learn estimators: a scaler and an SVC with a class weight."""
    positives = X[(y[:, 0] == writer) & (y[:, 1] == 0)]
    samples = np.concatenate([positives, negatives])
    labels = np.repeat([1, -1], [len(positives), len(negatives)])
    svc = SVC(kernel=kernel, C=C, gamma=gamma, class_weight={1: len(negatives) / len(positives)})
    return make_pipeline(StandardScaler(with_mean=False), svc).fit(samples, labels)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("gamma", [0.05, "scale", "auto"])
def test_writer_scaling_equals_scikit_learn(features, kernel, gamma):
    X, y = features
    dev = [1, 2]
    rows = known(y, dev)
    model = WriterDependentSVC(kernel, C=3, gamma=gamma, dev_writers=dev, scaling="writer").fit(X[rows], y[rows])
    negatives = X[np.isin(y[:, 0], dev) & (y[:, 1] == 0)]
    scores = model.decision_function(X)
    assert model.classes_.tolist() == [3, 4, 5, 6]
    for column, writer in enumerate(model.classes_):
        expected = scikit_learn_svm(X[rows], y[rows], writer, negatives, kernel, 3, gamma).decision_function(X)
        np.testing.assert_allclose(scores[:, column], expected, atol=5e-3 if kernel == "rbf" else 0.05)


@pytest.mark.parametrize("settings", [{"gamma": 2**-15}, {"kernel": "linear"}], ids=["rbf", "linear"])
def test_features_without_scaling(features, settings):
    """Counts, whose magnitude is their weight; computed in double precision."""
    X, y = features
    X = np.rint(X * np.geomspace(1, 300, X.shape[1])).astype(np.float32)
    rows = known(y, [1, 2])
    model = WriterDependentSVC(**settings, dev_writers=[1, 2], scaling="none").fit(X[rows], y[rows])
    assert (model.scale_ == 1).all()
    assert model.bank_.rows.dtype == np.float64
    negatives = X[np.isin(y[:, 0], [1, 2]) & (y[:, 1] == 0)]
    scores = model.decision_function(X)
    for column, writer in enumerate(model.classes_):
        positives = X[rows & (y[:, 0] == writer) & (y[:, 1] == 0)]
        samples = np.concatenate([positives, negatives]).astype(np.float64)
        labels = np.repeat([1, -1], [len(positives), len(negatives)])
        weight = {1: len(negatives) / len(positives)}
        svc = SVC(**settings, class_weight=weight, tol=1e-6).fit(samples, labels)
        expected = svc.decision_function(X.astype(np.float64))
        np.testing.assert_allclose(scores[:, column], expected, atol=5e-3 if "gamma" in settings else 0.05)


def test_peers_are_negatives_without_development_writers(features):
    X, y = features
    rows = known(y, [])
    model = WriterDependentSVC(gamma=0.05, scaling="writer").fit(X[rows], y[rows])
    negatives = X[rows & (y[:, 0] != 4)]
    expected = scikit_learn_svm(X[rows], y[rows], 4, negatives, "rbf", 1, 0.05).decision_function(X)
    np.testing.assert_allclose(model.decision_function(X)[:, 3], expected, atol=5e-3)


def test_peers_and_development_writers_together(features):
    X, y = features
    rows = known(y, [1])
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1], n_peer_negatives=5, scaling="writer").fit(X[rows], y[rows])
    negatives = X[rows & (y[:, 0] != 4) & (y[:, 1] == 0)]
    expected = scikit_learn_svm(X[rows], y[rows], 4, negatives, "rbf", 1, 0.05).decision_function(X)
    np.testing.assert_allclose(model.claim_scores(X, np.full(len(X), 4)), expected, atol=5e-3)


def test_shared_scale_is_that_of_the_whole_training_set(features):
    X, y = features
    rows = known(y, [1, 2])
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1, 2]).fit(X[rows], y[rows])
    negatives = X[(y[:, 0] <= 2) & (y[:, 1] == 0)]
    deviation = X[rows & (y[:, 1] == 0)].std(axis=0)
    scale = np.where(deviation > 0, deviation, 1)
    np.testing.assert_allclose(model.scale_, scale)
    positives = X[rows & (y[:, 0] == 3)]
    svc = SVC(gamma=0.05, class_weight={1: len(negatives) / 5})
    svc.fit(np.concatenate([positives, negatives]) / scale, np.repeat([1, -1], [5, len(negatives)]))
    np.testing.assert_allclose(model.decision_function(X)[:, 0], svc.decision_function(X / scale), atol=5e-3)


def test_numbers_of_negatives(features):
    X, y = features
    rows = known(y, [1, 2])
    model = WriterDependentSVC(dev_writers=[1, 2], n_dev_negatives=3, random_state=0).fit(X[rows], y[rows])
    assert (model.bank_.rows.shape, model.bank_.n_dev) == ((6, 12), 6)
    again = WriterDependentSVC(dev_writers=[1, 2], n_dev_negatives=3, random_state=0).fit(X[rows], y[rows])
    other = WriterDependentSVC(dev_writers=[1, 2], n_dev_negatives=3, random_state=1).fit(X[rows], y[rows])
    assert np.array_equal(model.bank_.rows, again.bank_.rows)
    assert not np.array_equal(model.bank_.rows, other.bank_.rows)
    peers = WriterDependentSVC(n_peer_negatives=2).fit(X[rows], y[rows]).bank_
    assert (peers.owners.tolist(), peers.n_dev) == (np.repeat(np.arange(1, 7), 2).tolist(), 0)
    assert peers.negatives_for(3).sum() == 10


@pytest.mark.parametrize("scaling", ["shared", "writer"])
def test_forgeries_are_ignored(features, scaling):
    X, y = features
    genuine = y[:, 1] == 0
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1], scaling=scaling, random_state=0)
    with_forgeries = clone(model).fit(X, y).decision_function(X)
    without = clone(model).fit(X[genuine], y[genuine, 0]).decision_function(X)
    assert np.array_equal(with_forgeries, without)


def test_enrolling_later_equals_enrolling_in_fit(features):
    X, y = features
    rows = known(y, [1, 2])
    late = rows & (y[:, 0] == 5)
    for scaling in ("writer", "shared"):
        settings = {"gamma": 0.05, "dev_writers": [1, 2], "scaling": scaling}
        at_once = WriterDependentSVC(**settings).fit(X[rows], y[rows])
        model = WriterDependentSVC(**settings).fit(X[rows & ~late], y[rows & ~late])
        before = model.models_[3]
        assert model.enroll(X[late], y[late, 0]) is model
        assert model.classes_.tolist() == [3, 4, 5, 6]
        assert model.models_[3] is before
        if scaling == "writer":
            np.testing.assert_allclose(model.decision_function(X), at_once.decision_function(X), atol=5e-3)
        else:
            assert not np.allclose(model.scale_, at_once.scale_)
            assert model.score(X[late], y[late]) > 0.9


def test_fit_with_development_writers_only(features):
    X, y = features
    dev = y[:, 0] <= 2
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1, 2]).fit(X[dev], y[dev])
    with pytest.raises(ValueError, match="No writer is enrolled yet"):
        model.decision_function(X)
    rows = known(y, []) & ~dev
    model.enroll(X[rows], y[rows])
    assert model.decision_function(X).shape == (len(X), 4)


def test_enrolling_again_replaces_the_model(features):
    X, y = features
    rows = known(y, [1, 2])
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1, 2]).fit(X[rows], y[rows])
    others = model.decision_function(X)[:, 1:]
    new = (y[:, 0] == 3) & (y[:, 1] == 0) & ~rows
    model.enroll(X[new], y[new])
    assert model.classes_.tolist() == [3, 4, 5, 6]
    assert (model.claim_scores(X[new], y[new, 0]) > 0.5).all()
    np.testing.assert_allclose(model.decision_function(X)[:, 1:], others, atol=1e-9)


def test_enroll_raises(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    with pytest.raises(ValueError, match="Development writers cannot be enrolled: 1"):
        model.enroll(X[:3], [1, 1, 1])
    with pytest.raises(ValueError, match="found 'ada'"):
        model.enroll(X[:2], ["ada", "ada"])
    with pytest.raises(NotFittedError):
        WriterDependentSVC().enroll(X, y)


@pytest.mark.filterwarnings("ignore:.* copies of references")
def test_claims_pick_columns(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    claimed = np.random.default_rng(0).choice(model.classes_, len(X))
    columns = np.searchsorted(model.classes_, claimed)
    scores = model.claim_scores(X, claimed)
    np.testing.assert_allclose(scores, model.decision_function(X)[np.arange(len(X)), columns], atol=1e-9)
    assert np.array_equal(model.verify(X, claimed), scores >= model.threshold_)
    assert np.array_equal(model.verify(X, claimed, threshold=0.3), scores >= 0.3)
    thresholds = {writer: 0.1 * writer for writer in range(2, 7)}
    assert np.array_equal(model.verify(X, claimed, thresholds), scores >= 0.1 * claimed)
    with pytest.raises(ValueError, match="no entry for the writers 2"):
        model.verify(X, claimed, {writer: 0.0 for writer in range(3, 7)})


def test_claims_of_unknown_writers_raise(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    with pytest.raises(ValueError, match=r"never enrolled: 1, 77\. Enrolled are 2, 3, 4, 5, 6"):
        model.claim_scores(X[:3], [77, 1, 2])
    with pytest.raises(ValueError, match="inconsistent"):
        model.claim_scores(X[:3], [2, 2])


def test_identification(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    genuine = (y[:, 1] == 0) & (y[:, 0] > 1)
    accuracy = model.score(X[genuine], y[genuine])
    assert (model.predict(X[genuine]) == y[genuine, 0]).mean() == accuracy > 0.9
    with pytest.warns(UserWarning, match="20 forgeries in y are ignored. .* pass scoring=sigkit.metrics"):
        assert model.score(X[y[:, 0] > 1], y[y[:, 0] > 1]) == accuracy


@pytest.mark.filterwarnings("ignore:.* copies of references")
def test_string_writers_and_tables(features):
    X, y = features
    names = np.array(["", "ada", "bob", "cyd", "dan", "eve", "flo"])[y[:, 0]]
    table = pd.DataFrame({"writer": names, "forgery": y[:, 1]})
    model = WriterDependentSVC(gamma=0.05, dev_writers=["ada", "bob"]).fit(pd.DataFrame(X), table)
    numbers = WriterDependentSVC(gamma=0.05, dev_writers=[1, 2]).fit(X, y)
    assert model.classes_.tolist() == ["cyd", "dan", "eve", "flo"]
    np.testing.assert_allclose(model.decision_function(pd.DataFrame(X)), numbers.decision_function(X), atol=1e-9)
    assert model.verify(pd.DataFrame(X[30:31]), ["cyd"]).tolist() == [True]


def test_one_column_per_writer_for_one_and_two_writers(features):
    X, y = features
    for last in (3, 4):
        rows = y[:, 0] <= last
        model = WriterDependentSVC(gamma=0.05, dev_writers=[1, 2]).fit(X[rows], y[rows])
        assert model.decision_function(X).shape == (len(X), last - 2)


@pytest.mark.parametrize(
    ("choose", "parameters", "message"),
    [
        (lambda y: y[:, 0] == 3, {}, "needs negatives: y holds one class only, the writer 3"),
        (lambda y: y[:, 1] == 1, {}, "without a genuine signature: 1, 2, 3, 4, 5 and 1 more"),
        (lambda y: (y[:, 0] != 4) | (y[:, 1] == 1), {}, "without a genuine signature: 4"),
        (lambda y: y[:, 0] > 2, {"dev_writers": [1, 2, 3]}, "not in y: 1, 2"),
        (lambda y: y[:, 0] > 9, {}, "0 sample"),
        (lambda y: y[:, 0] > 0, {"C": 0}, "C"),
        (lambda y: y[:, 0] > 0, {"scaling": "some"}, "scaling"),
        (lambda y: y[:, 0] > 0, {"gamma": -1.0}, "gamma"),
    ],
)
def test_invalid_training_sets_and_parameters(features, choose, parameters, message):
    X, y = features
    rows = choose(y)
    with pytest.raises(ValueError, match=message):
        WriterDependentSVC(**parameters).fit(X[rows], y[rows])


def test_errors_of_missing_features_name_rows_and_writers(features):
    X, y = features
    broken = X.copy()
    broken[15, 2] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinity in rows 15 \(writer 2\)"):
        WriterDependentSVC(dev_writers=[1]).fit(broken, y)
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    with pytest.raises(ValueError, match="NaN or infinity in rows 15"):
        model.claim_scores(broken, np.full(len(X), 2))


def test_pickle_and_jobs(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1], n_jobs=2).fit(X, y)
    one = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(again.decision_function(X), one.decision_function(X), atol=1e-9)


@pytest.mark.parametrize("scaling", ["shared", "writer"])
@pytest.mark.parametrize("constant", [0.1, 0.7, 2.2])
def test_constant_features_are_not_scaled(features, scaling, constant):
    X, y = features
    with_constant = np.column_stack([X, np.full(len(X), constant)])
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1, 2], scaling=scaling)
    expected = clone(model).fit(X, y).decision_function(X)
    np.testing.assert_allclose(clone(model).fit(with_constant, y).decision_function(with_constant), expected, atol=5e-3)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_that_vary_for_one_writer_only(features, kernel, dtype):
    """For the other writers the variance must be exactly 0 in spite of rounding."""
    X, y = features
    of_one = np.where(y[:, 0] == 6, np.linspace(0.1, 0.9, len(X)), 0)
    X = np.column_stack([X, of_one]).astype(dtype)
    rows = known(y, [1, 2])
    model = WriterDependentSVC(kernel, gamma=0.05, dev_writers=[1, 2], scaling="writer").fit(X[rows], y[rows])
    negatives = X[(y[:, 0] <= 2) & (y[:, 1] == 0)]
    for writer in (3, 6):
        expected = scikit_learn_svm(X[rows].astype(float), y[rows], writer, negatives, kernel, 1, 0.05)
        scores = model.claim_scores(X, np.full(len(X), writer))
        np.testing.assert_allclose(scores, expected.decision_function(X), atol=5e-3 if kernel == "rbf" else 0.05)


@pytest.mark.parametrize("negatives", [{"dev_writers": [1, 2]}, {}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_outlier_of_one_writer_does_not_affect_the_others(features, dtype, negatives):
    X, y = features
    X = X.astype(dtype)
    rows = known(y, negatives.get("dev_writers", []))
    X[np.flatnonzero(rows & (y[:, 0] == 6))[0], 2] = 1e6
    model = WriterDependentSVC(gamma=0.05, scaling="writer", **negatives).fit(X[rows], y[rows])
    others = X[rows & (y[:, 0] != 3)] if not negatives else X[(y[:, 0] <= 2) & (y[:, 1] == 0)]
    expected = scikit_learn_svm(X[rows].astype(float), y[rows], 3, others, "rbf", 1, 0.05).decision_function(X)
    scores = model.claim_scores(X, np.full(len(X), 3))
    outlier = X[:, 2] == 1e6
    np.testing.assert_allclose(scores[~outlier], expected[~outlier], atol=5e-3)
    # The outlier is far from everything, where the score of the SVM is its intercept, positive for some writers.
    assert (scores[outlier] < 0).all()


def test_ids_of_other_types_are_refused(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    with pytest.raises(ValueError, match="ids like 2; found '1' in y"):
        model.score(X, y[:, 0].astype(str))
    model.enroll(X[:4], np.full(4, 9, dtype=np.uint64))
    assert model.classes_.dtype == np.int64
    with pytest.raises(ValueError, match=r"rows 0, or values beyond 1e\+15"):
        model.claim_scores(np.full((1, 12), 3e38, dtype=np.float32), [3])


def test_a_fitted_model_keeps_its_kernel(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1], scaling="writer").fit(X, y)
    scores = model.decision_function(X)
    model.set_params(kernel="linear")
    assert np.array_equal(model.decision_function(X), scores)


def test_ids_of_any_integer_type_are_the_same_writers(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    model.enroll(X[:4] + 1, np.full(4, 9, dtype=np.uint8))
    assert model.classes_.tolist() == [2, 3, 4, 5, 6, 9]


@pytest.mark.parametrize("claimed", ["ada", 3])
def test_a_single_claim_must_be_a_list(features, claimed):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    with pytest.raises(ValueError, match=rf"\[{claimed!r}\] instead of {claimed!r}"):
        model.claim_scores(X[:1], claimed)


@pytest.mark.parametrize(
    "threshold",
    [np.nan, "0", True, np.bool_(True), 1j, [0.0], np.zeros(1), np.zeros((1, 1)), -np.inf, {3: "0"}, {3: True}]
    + [{3: None}, {3: -np.inf}, pd.DataFrame({"threshold": [0.0]}), pd.Series([0.0, 1.0], index=[3, 3]), {3: [0.0]}],
    ids=repr,
)
def test_thresholds_are_numbers(features, threshold):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    with pytest.raises(ValueError, match=r"threshold (must be|is a table|names the writer 3 twice)"):
        model.verify(X[:1], [3], threshold)


@pytest.mark.parametrize("thresholds", [{True: 0.0}, {"3": 0.0}, {3.5: 0.0}, {3: 0.0, "4": 0.0}, {4: 0.0}, {3: np.nan}])
def test_thresholds_of_other_writers_are_not_used(features, thresholds):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[2]).fit(X, y)
    with pytest.raises(
        ValueError, match=r"threshold has (no entry for the writers 3|bool|float)|threshold mixes int, str"
    ):
        model.verify(X[:1], [3], thresholds)


@pytest.mark.filterwarnings("ignore:.* copies of references")
def test_thresholds_of_every_numeric_type(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    scores, claims = model.claim_scores(X, np.full(len(X), 3)), np.full(len(X), 3)
    for threshold in (1, np.float32(1), np.array(1.0), {3: 1}, {np.uint8(3): np.int64(1)}, pd.Series({3: 1.0, 4: 9.0})):
        assert np.array_equal(model.verify(X, claims, threshold), scores >= 1)
    assert not model.verify(X, claims, np.inf).any()


def test_score_needs_genuine_signatures_of_equal_number(features):
    X, y = features
    model = WriterDependentSVC(gamma=0.05, dev_writers=[1]).fit(X, y)
    with pytest.raises(ValueError, match="forgeries only"):
        model.score(X[y[:, 1] == 1], y[y[:, 1] == 1])
    with pytest.raises(ValueError, match="inconsistent"):
        model.score(X[1:], y)
