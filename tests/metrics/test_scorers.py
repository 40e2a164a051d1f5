"""The scorers work for binary classifiers and writer-dependent models, in all functions with `scoring`."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from sigkit.metrics import (
    eer_score,
    far_at_frr_score,
    far_score,
    frr_at_far_score,
    frr_score,
    make_verification_scorer,
    verification_report,
    verification_scorer,
)

X, Y = make_classification(n_samples=200, flip_y=0.2, random_state=0)
BINARY = ["neg_eer", "neg_far", "neg_frr", "mean_auc"]


class NearestReferences(ClassifierMixin, BaseEstimator):
    """One column per writer: the negative distance to the mean of the references, plus `shift`."""

    def __init__(self, shift=2.0):
        self.shift = shift

    def fit(self, X, y):
        self.classes_ = np.unique(y[:, 0])
        self.means_ = np.array([X[(y[:, 0] == writer) & (y[:, 1] == 0)].mean(axis=0) for writer in self.classes_])
        return self

    def decision_function(self, X):
        return self.shift - np.linalg.norm(X[:, None] - self.means_, axis=2)


def make_signatures(n_writers=5, kinds=(0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2), seed=0):
    rng = np.random.default_rng(seed)
    y = np.column_stack([np.repeat(np.arange(n_writers), len(kinds)), np.tile(kinds, n_writers)])
    centers = 2 * rng.normal(size=(n_writers, 3))
    return centers[y[:, 0]] + rng.normal(size=(len(y), 3)) * (1 + y[:, 1:]), y


@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(20, random_state=0)])
def test_grid_search_over_a_plain_binary_classifier(model):
    grid = {"C": [0.01, 1]} if isinstance(model, LogisticRegression) else {"max_depth": [1, None]}
    search = GridSearchCV(model, grid, scoring=verification_scorer, refit="neg_eer", cv=3).fit(X, Y)
    assert {f"mean_test_{name}" for name in BINARY} <= set(search.cv_results_)
    assert -0.5 < search.best_score_ < 0
    assert search.cv_results_["rank_test_neg_eer"][search.best_index_] == 1
    # The fitted search is an estimator with decision_function or predict_proba itself.
    assert sorted(verification_scorer(search, X, Y)) == sorted(BINARY)


def test_cross_validate_a_pipeline_with_string_labels():
    names = np.array(["forged", "genuine"])[Y]
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    scorer = make_verification_scorer("all", pos_label="genuine")
    found = cross_validate(pipe, X, names, scoring=scorer, cv=3, error_score="raise")
    as_numbers = cross_validate(pipe, X, Y, scoring=verification_scorer, cv=3, error_score="raise")
    for name in BINARY:
        np.testing.assert_array_equal(found[f"test_{name}"], as_numbers[f"test_{name}"])


def test_binary_scores_are_those_of_the_metrics():
    model = LogisticRegression().fit(X, Y)
    scores = model.decision_function(X)
    assert verification_scorer(model, X, Y) == pytest.approx(
        {
            "neg_eer": -eer_score(Y, scores),
            "neg_frr": -frr_score(Y, scores),
            "neg_far": -far_score(Y, scores),
            "mean_auc": roc_auc_score(Y, scores),
        }
    )


def test_threshold_of_probabilities_is_one_half():
    forest = RandomForestClassifier(20, max_depth=2, random_state=0).fit(X, Y)
    scores = forest.predict_proba(X)[:, 1]
    expected = -frr_score(Y, scores, threshold=0.5)
    assert expected < 0
    assert make_verification_scorer("frr")(forest, X, Y) == expected
    assert make_verification_scorer("frr", threshold=0.8)(forest, X, Y) == -frr_score(Y, scores, threshold=0.8)


@pytest.mark.parametrize("metric", ["eer", "eer_writer", "frr", "far", "auc"])
@pytest.mark.parametrize("kind", ["skilled", "random", "simple", "all"])
def test_single_scores_of_a_writer_dependent_model(metric, kind):
    signatures, y = make_signatures()
    model = NearestReferences().fit(signatures, y)
    matrix, given = model.decision_function(signatures), {"classes": model.classes_, "kind": kind}
    expected = {
        "eer": lambda: -eer_score(y, matrix, **given),
        "eer_writer": lambda: -eer_score(y, matrix, user_specific=True, **given),
        "frr": lambda: -frr_score(y, matrix, classes=model.classes_),
        "far": lambda: -far_score(y, matrix, **given),
        "auc": lambda: np.mean([_area(matrix[:, writer], y, writer, kind) for writer in model.classes_]),
    }[metric]()
    score = make_verification_scorer(metric, kind=kind)(model, signatures, y)
    assert isinstance(score, float)
    assert score == pytest.approx(expected)
    assert score != 0


@pytest.mark.parametrize("kind", ["skilled", "random"])
def test_one_rate_at_a_level_of_the_other(kind):
    signatures, y = make_signatures()
    model = NearestReferences().fit(signatures, y)
    matrix, given = model.decision_function(signatures), {"classes": model.classes_, "kind": kind}
    for metric, expected in (
        ("frr_at_far", frr_at_far_score(y, matrix, far=0, **given)),
        ("far_at_frr", far_at_frr_score(y, matrix, frr=0, **given)),
    ):
        scorer = make_verification_scorer(metric, kind=kind, level=0)
        assert scorer(model, signatures, y) == -expected < 0
        assert repr(scorer) == f"make_verification_scorer('{metric}', kind='{kind}', method='nearest', level=0)"
        with pytest.raises(ValueError, match="level must be a fraction"):
            make_verification_scorer(metric)
    with pytest.raises(ValueError, match="level is for"):
        make_verification_scorer("eer", level=0.1)


def _area(column, y, writer, kind):
    own, genuine = y[:, 0] == writer, y[:, 1] == 0
    forged = {"skilled": own & (y[:, 1] == 1), "simple": own & (y[:, 1] == 2), "random": ~own & genuine}
    forged["all"] = forged["skilled"] | forged["simple"] | forged["random"]
    return roc_auc_score(
        *np.concatenate([[(1, s) for s in column[own & genuine]], [(0, s) for s in column[forged[kind]]]]).T
    )


def test_scorer_agrees_with_the_report():
    signatures, y = make_signatures()
    model = NearestReferences().fit(signatures, y)
    scores = verification_scorer(model, signatures, y)
    report = verification_report(y, model.decision_function(signatures), classes=model.classes_, n_bootstraps=0)
    values = {name: estimate.value for name, estimate in report.estimates.items()}
    assert scores.pop("mean_auc") == values.pop("mean_auc")
    assert scores == {f"neg_{name}": -value for name, value in values.items()}
    assert set(scores) == {f"neg_{n}" for n in ("eer", "eer_writer", "frr", "far_random", "far_skilled", "far_simple")}


def test_kinds_that_do_not_occur_are_left_out():
    signatures, y = make_signatures(kinds=(0, 0, 0, 0, 2))
    scores = verification_scorer(NearestReferences().fit(signatures, y), signatures, y)
    assert set(scores) == {"neg_frr", "neg_far_random", "neg_far_simple"}


def test_writer_dependent_model_in_cross_validate_and_grid_search():
    signatures, y = make_signatures(kinds=[0] * 12 + [1] * 12)
    cv = ShuffleSplit(3, test_size=0.5, random_state=0)
    pipe = make_pipeline(StandardScaler(), NearestReferences())
    found = cross_validate(pipe, signatures, y, scoring=verification_scorer, cv=cv, error_score="raise")
    assert found["test_neg_eer_writer"].shape == (3,)
    grid = {"nearestreferences__shift": [0.1, 1.5]}
    search = GridSearchCV(pipe, grid, scoring=verification_scorer, refit="neg_frr", cv=cv).fit(signatures, y)
    assert search.best_params_ == {"nearestreferences__shift": 1.5}
    np.testing.assert_allclose(*search.cv_results_["mean_test_neg_eer"])


def test_multiclass_classifier():
    signatures, y = make_signatures(n_writers=3, kinds=[0] * 10)
    forest = RandomForestClassifier(10, random_state=0).fit(signatures[::2], y[::2, 0])
    found = make_verification_scorer("eer", kind="random")(forest, signatures[1::2], y[1::2, 0])
    matrix = forest.predict_proba(signatures[1::2])
    assert found == -eer_score(y[1::2, 0], matrix, kind="random", classes=forest.classes_)


def test_outlier_detectors_are_one_class_verifiers():
    inliers = np.where(Y == 1, 1, -1)
    for model in (OneClassSVM(), IsolationForest(n_estimators=10, random_state=0)):
        model.fit(X[Y == 1])
        assert make_verification_scorer("eer")(model, X, inliers) == -eer_score(inliers, model.decision_function(X))


def test_scorers_pickle_and_show_their_options():
    scorer = make_verification_scorer("far", kind="random", threshold=0.25)
    assert repr(scorer) == "make_verification_scorer('far', kind='random', method='nearest', threshold=0.25)"
    model = LogisticRegression().fit(X, Y)
    for one in (scorer, verification_scorer):
        again = pickle.loads(pickle.dumps(one))
        assert repr(again) == repr(one)
        assert again(model, X, Y) == one(model, X, Y)


def test_an_error_of_zero_is_not_negative_zero():
    model = LogisticRegression(C=1e6).fit([[0.0], [1.0]] * 4, [0, 1] * 4)
    scores = verification_scorer(model, [[0.0], [1.0]], [0, 1])
    assert scores["mean_auc"] == 1
    assert not any(np.signbit(list(scores.values())))


@pytest.mark.parametrize("options", [{"metric": "acc"}, {"kind": "traced"}, {"method": "best"}])
def test_parameters_are_checked_when_the_scorer_is_made(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be one of"):
        make_verification_scorer(**options)


def test_errors_of_the_scorer():
    model = LogisticRegression().fit(X, Y)
    with pytest.raises(ValueError, match="no genuine trials"):
        verification_scorer(model, X[Y == 0], Y[Y == 0])
    with pytest.raises(ValueError, match="not fitted on"):
        verification_scorer(model, X, Y + 1)
    with pytest.raises(ValueError, match="needs writers"):
        make_verification_scorer("eer_writer")(model, X, Y)
    with pytest.raises(TypeError, match="StandardScaler has neither"):
        verification_scorer(StandardScaler().fit(X), X, Y)
    signatures, y = make_signatures(kinds=(0, 0, 0))
    with pytest.raises(ValueError, match="no skilled forgeries"):
        make_verification_scorer("eer")(NearestReferences().fit(signatures, y), signatures, y)


def test_eer_of_a_constant_classifier_is_one_half():
    assert make_verification_scorer("eer")(DummyClassifier().fit(X, Y), X, Y) == -0.5


@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(20, random_state=0)])
def test_pos_label(model):
    rng = np.random.default_rng(0)
    y = np.repeat([1, 0], [40, 80])
    X = y[:, None] + rng.normal(size=(120, 2))
    expected = verification_scorer(clone(model).fit(X, y), X, y)
    names = np.array(["impostor", "genuine"])[y]
    fitted = clone(model).fit(X, names)
    scored = make_verification_scorer("all", pos_label="genuine")(fitted, X, names)
    assert scored == pytest.approx(expected)
    with pytest.warns(UserWarning, match="'impostor' is taken as genuine"):
        assert verification_scorer(fitted, X, names)["neg_frr"] == pytest.approx(expected["neg_far"])
    with pytest.raises(ValueError, match="pos_label='me'"):
        make_verification_scorer("all", pos_label="me")(fitted, X, names)
