"""Trials of development writers: copies and numbers of references; and identification by likelihood ratios."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from sigkit.estimators import LikelihoodRatioCalibrator, OperatingPointVerifier, VerifierFusion, WriterDependentSVC

DEV = list(range(12))


@pytest.fixture(scope="module")
def known():
    """Twelve development writers with ten signatures and four forgeries, and eight with five references."""
    rng = np.random.default_rng(0)
    y = np.array([[writer, kind] for writer in range(20) for kind in [0] * 10 + [1] * 4])
    center, forger = rng.normal(size=(2, 20, 12))[:, y[:, 0]]
    X = np.where(y[:, 1:] > 0, (center + forger) / 2, center) + 0.3 * rng.normal(size=center.shape)
    kept = (y[:, 0] < 12) | (np.tile(np.arange(14), 20) < 5)
    return X[kept], y[kept], X[~kept], y[~kept]


def svc():
    return WriterDependentSVC(dev_writers=DEV, random_state=0)


def test_copies_are_no_queries(known):
    X, y = known[:2]
    copied = np.flatnonzero((y[:, 0] < 12) & (y[:, 1] == 0))
    once = OperatingPointVerifier(svc(), random_state=0).fit(X, y)
    rows = np.concatenate([np.arange(len(X)), copied])
    twice = OperatingPointVerifier(svc(), random_state=0).fit(X[rows], y[rows])
    assert twice.operating_point_.n_trials == once.operating_point_.n_trials


def test_number_of_references_is_that_of_the_trials(known):
    X, y = known[:2]
    ratios = LikelihoodRatioCalibrator(svc(), n_references=3, random_state=0)
    model = OperatingPointVerifier(ratios, random_state=0).fit(X, y)
    assert model.operating_point_.n_references == 3
    assert model.operating_point_.n_trials["genuine"] == 2 * 12 * 7
    other = OperatingPointVerifier(ratios, n_references=4, n_draws=1, random_state=0).fit(X, y)
    assert other.operating_point_.n_references == 4
    assert other.operating_point_.n_trials["genuine"] == 12 * 6


def test_development_writers_with_too_few_signatures_have_fewer_references(known):
    X, y = known[:2]
    few = OperatingPointVerifier(svc(), n_references=9, n_draws=1, random_state=0).fit(X, y)
    assert few.operating_point_.n_references == 8
    assert few.operating_point_.n_trials["genuine"] == 12 * 2
    assert "with 8 references" in str(few.operating_point_)


def test_bounded_likelihood_ratios_do_not_change_identification(known):
    X, y, queries, _ = known
    model = LikelihoodRatioCalibrator(svc(), bound=0.01, random_state=0).fit(X, y)
    scores = model.decision_function(queries)
    assert ((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1).any()
    assert model.predict(queries).tolist() == model.verifier_.predict(queries).tolist()


class Doubled(TransformerMixin, BaseEstimator):
    """Features that are twice the input, and a count of the signatures that were transformed."""

    n_transformed = 0

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        Doubled.n_transformed += len(X)
        return 2 * np.asarray(X)

    def __sklearn_is_fitted__(self):
        return True


def test_features_are_computed_once(known):
    X, y = known[:2]
    doubled = OperatingPointVerifier(svc(), random_state=0).fit(2 * X, y)
    Doubled.n_transformed = 0
    model = OperatingPointVerifier(make_pipeline(Doubled(), svc()), random_state=0).fit(X, y)
    assert Doubled.n_transformed == len(X)
    np.testing.assert_array_equal(model.development_trials_.y_score, doubled.development_trials_.y_score)
    assert model.threshold_ == doubled.threshold_
    fusion = VerifierFusion([("a", make_pipeline(Doubled(), svc())), ("b", make_pipeline(Doubled(), svc()))])
    OperatingPointVerifier(fusion, dev_writers=DEV, random_state=0).fit(X, y)
    assert Doubled.n_transformed == 3 * len(X)
