"""Operating points and likelihood ratios of verifiers: thresholds, records, trials, enrollment, and bad input."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from sigkit.estimators import (
    LikelihoodRatioCalibrator,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
    reference_curve,
)
from sigkit.estimators._decisions._expected_rates import expected_rates
from sigkit.metrics import cllr_score, eer_threshold, far_threshold, frr_threshold, min_cllr_score

DEV = list(range(12))


@pytest.fixture(scope="module")
def signatures():
    """Features of 18 writers with 12 genuine signatures and 4 skilled forgeries each."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.column_stack([np.arange(18), np.zeros(18, dtype=int)]), 16, axis=0)
    y[np.arange(len(y)) % 16 >= 12, 1] = 1
    hands = rng.normal(size=(18, 8)) * 2
    return hands[y[:, 0]] + rng.normal(size=(len(y), 8)) * (0.4 + 0.8 * y[:, 1:]), y


@pytest.fixture(scope="module")
def parts(signatures):
    """Development writers and six references of each other writer; and queries."""
    y = signatures[1]
    position = np.arange(len(y)) % 16
    is_query = (y[:, 0] >= len(DEV)) & (position >= 6)
    return np.flatnonzero(~is_query), np.flatnonzero(is_query)


def svm(dev=DEV):
    return WriterDependentSVC(dev_writers=dev, random_state=0)


def fitted(signatures, parts, verifier=None, **settings):
    model = OperatingPointVerifier(svm() if verifier is None else verifier, random_state=0, **settings)
    return model.fit(signatures[0][parts[0]], signatures[1][parts[0]])


@pytest.fixture(scope="module")
def usual(signatures, parts):
    return fitted(signatures, parts, level=0.1)


@pytest.mark.parametrize("criterion", ["far", "frr", "eer", "cost"])
def test_the_threshold_is_that_of_the_trials(signatures, parts, criterion):
    model = fitted(signatures, parts, criterion=criterion, level=0.1, cost_far=9.0)
    trials = model.development_trials_
    used = np.isin(trials.kind, ["genuine", "skilled"])
    y_true, y_score = trials.y_true[used], trials.y_score[used]
    if criterion == "cost":
        errors = [9 * np.mean(y_score[y_true == 0] >= one) + np.mean(y_score[y_true == 1] < one) for one in y_score]
        chosen = 9 * np.mean(y_score[y_true == 0] >= model.threshold_) + np.mean(
            y_score[y_true == 1] < model.threshold_
        )
        assert chosen <= min(errors) + 1e-12
        return
    expected = {
        "far": far_threshold(y_true, y_score, far=0.1),
        "frr": frr_threshold(y_true, y_score, frr=0.1),
        "eer": eer_threshold(y_true, y_score),
    }
    assert model.threshold_ == expected[criterion]


def test_decisions_are_those_of_the_threshold(signatures, parts, usual):
    X, claimed = signatures[0][parts[1]], signatures[1][parts[1], 0]
    scores = usual.claim_scores(X, claimed)
    accepted = usual.verify(X, claimed)
    assert 0 < accepted.sum() < len(accepted)
    assert accepted.tolist() == (scores >= usual.threshold_).tolist()
    assert usual.verify(X, claimed, threshold=0.0).tolist() == (scores >= 0).tolist()
    np.testing.assert_array_equal(scores, usual.verifier_.claim_scores(X, claimed))
    np.testing.assert_array_equal(usual.decision_function(X), usual.verifier_.decision_function(X))
    assert usual.classes_.tolist() == list(range(12, 18))


def test_trials_are_claims_of_unknown_development_writers(signatures, parts, usual):
    trials = usual.development_trials_
    assert set(trials.writer.tolist()) == set(DEV)
    counts = {kind: int((trials.kind == kind).sum()) for kind in ("genuine", "random", "skilled")}
    # Two draws; of twelve genuine signatures six are references, and three writers of a part are judged together.
    assert counts == {"genuine": 2 * 12 * 6, "random": 2 * 12 * 6 * 2, "skilled": 2 * 12 * 4}
    assert usual.operating_point_.n_trials == counts
    assert trials.y_true.tolist() == (trials.kind == "genuine").tolist()
    X, y = signatures
    changed = X.copy()
    queries = y[:, 0] >= len(DEV)
    changed[queries] += 0.1
    other = fitted((changed, y), parts, level=0.1)
    # Writers who are enrolled have an influence by the shared scale of the features only.
    assert np.corrcoef(other.development_trials_.y_score, trials.y_score)[0, 1] > 0.99


def test_the_record_has_what_the_threshold_was_set_on(usual):
    point = usual.operating_point_
    assert (point.threshold, point.n_writers, point.n_references, point.n_judged) == (usual.threshold_, 12, 6, 6)
    trials = usual.development_trials_
    for name, kind in (("frr", "genuine"), ("far_random", "random"), ("far_skilled", "skilled")):
        wrong = (trials.y_score >= usual.threshold_) != (kind == "genuine")
        assert point.rates[name].value == pytest.approx(wrong[trials.kind == kind].mean())
        assert 0 <= point.rates[name].low <= point.rates[name].value <= point.rates[name].high <= 1
    assert set(point.rates) == {"frr", "far_random", "far_skilled"}
    assert str(point).startswith("FAR of skilled forgeries at most 10 %: threshold ")
    assert "Expected for 6 writers, with intervals of 90%" in str(point)


def test_the_threshold_of_another_level_needs_no_fit(signatures, parts, usual):
    again = fitted(signatures, parts, level=0.02, criterion="frr", confidence=0.8)
    model = copy.copy(usual).choose_threshold(level=0.02, criterion="frr", confidence=0.8)
    assert (model.threshold_, str(model.operating_point_)) == (again.threshold_, str(again.operating_point_))
    assert model.threshold_ != usual.threshold_
    before = model.get_params(), model.operating_point_
    with pytest.raises(ValueError, match="choose_threshold cannot change n_draws"):
        model.choose_threshold(n_draws=3)
    with pytest.raises(ValueError, match="The 'level' parameter"):
        model.choose_threshold(level=2.0)
    assert (model.get_params(), model.operating_point_) == before


def simulated(n_writers, seed, spread=1.0):
    rng = np.random.RandomState(seed)
    kind = np.tile(np.repeat(["genuine", "skilled"], [10, 20]), n_writers)
    writer = np.repeat(np.arange(n_writers), 30)
    score = rng.normal(2.0 * (kind == "genuine")) + rng.normal(scale=spread, size=n_writers)[writer]
    return Bunch(y_true=(kind == "genuine").astype(int), y_score=score, kind=kind, writer=writer)


def test_intervals_cover_the_rates_of_other_writers():
    covered = 0
    for seed in range(20):
        trials, others = simulated(30, seed), simulated(20, 1000 + seed)

        def choose(rows, trials=trials):
            return far_threshold(trials.y_true[rows], trials.y_score[rows], far=0.1)

        threshold = choose(np.arange(len(trials.y_score)))
        rates = expected_rates(trials, threshold, choose, 20, 0.9, False, np.random.RandomState(0))
        measured = np.mean(others.y_score[others.kind == "skilled"] >= threshold)
        covered += rates["far_skilled"].low <= measured <= rates["far_skilled"].high
    assert covered >= 16


def test_intervals_of_another_corpus_are_wider_and_without_errors_exact():
    trials = simulated(30, 0)
    settings = {"choose": None, "n_judged": 20, "confidence": 0.9, "rng": np.random.RandomState(0)}
    same, other = (expected_rates(trials, 1.5, other_corpus=one, **settings)["far_skilled"] for one in (False, True))
    assert other.low < same.low < same.value < same.high < other.high
    for threshold in np.linspace(-3, 5, 17):
        rate = expected_rates(trials, threshold, other_corpus=True, **settings)["far_skilled"]
        assert rate.low <= rate.value <= rate.high
    exact = expected_rates(trials, 100.0, other_corpus=False, **settings)["far_skilled"]
    assert (exact.value, exact.low, exact.interval) == (0, 0, "exact")
    assert exact.high >= 1 - 0.1 ** (1 / 600)


@pytest.mark.parametrize("user_specific", [False, True])
def test_a_threshold_of_the_references(signatures, parts, user_specific):
    X, y = signatures
    settings = {"criterion": "frr", "level": 0.2, "source": "references", "user_specific": user_specific}
    model = fitted(signatures, parts, **settings)
    trials = model.development_trials_
    assert set(trials.writer.tolist()) == set(range(12, 18))
    assert (trials.kind == "genuine").sum() == 6 * 6
    assert "writers, whose references were left out one by one" in str(model.operating_point_)
    if not user_specific:
        genuine = trials.y_true == 1
        assert model.threshold_ == frr_threshold(trials.y_true[genuine], trials.y_score[genuine], frr=0.2)
        return
    own = trials.y_score[(trials.writer == 12) & (trials.kind == "genuine")]
    assert model.threshold_[12] == np.sort(own)[1]
    rows = np.flatnonzero((y[:, 0] == 3) & (y[:, 1] == 0))
    unknown = fitted(signatures, parts, svm(DEV[4:]), dev_writers=DEV[4:], **settings)
    assert set(unknown.threshold_) == {0, 1, 2, 3, *range(12, 18)}
    unknown.remove([3])
    assert 3 not in unknown.threshold_
    with pytest.warns(UserWarning, match="less than half of the 8 references"):
        unknown.enroll(X[rows[:2]], y[rows[:2]])
    assert unknown.threshold_[3] == unknown._threshold
    assert unknown.verify(X[rows[:1]] + 1e-3, [3]).tolist() == [True]


def test_a_pipeline_and_a_fusion_around_and_within(signatures, parts):
    X, y = signatures
    around = fitted(signatures, parts, make_pipeline(StandardScaler(), svm()), level=0.1)
    within = make_pipeline(StandardScaler(), OperatingPointVerifier(svm(), level=0.1, random_state=0))
    within.fit(X[parts[0]], y[parts[0]])
    assert around.threshold_ == within[-1].threshold_
    queries = X[parts[1]], y[parts[1], 0]
    assert around.verify(*queries).tolist() == within[-1].verify(within[:-1].transform(queries[0]), queries[1]).tolist()
    fusion = VerifierFusion([("a", svm()), ("b", svm().set_params(kernel="linear"))], dev_writers=DEV)
    model = fitted(signatures, parts, fusion, level=0.1)
    assert model.operating_point_.rates["far_skilled"].value <= 0.1
    again = pickle.loads(pickle.dumps(model))
    assert again.verify(*queries).tolist() == model.verify(*queries).tolist()
    assert clone(model).get_params()["verifier__a__dev_writers"] == DEV


def test_development_writers_whom_the_verifier_does_not_know(signatures, parts):
    model = fitted(signatures, parts, WriterDependentSVC(random_state=0), dev_writers=DEV, level=0.1)
    assert model.classes_.tolist() == list(range(12, 18))
    assert set(model.development_trials_.writer.tolist()) == set(DEV)


def test_enrollment_does_not_change_the_copy_of_another_thread(signatures, usual):
    X, y = signatures
    model = pickle.loads(pickle.dumps(usual))
    before, threshold = model.verifier_, model.threshold_
    model.remove([17])
    assert before.classes_.tolist() == list(range(12, 18))
    model.enroll(X[y[:, 0] == 17], y[y[:, 0] == 17])
    assert model.classes_.tolist() == list(range(12, 18))
    assert model.threshold_ == threshold


def test_few_references(signatures, parts, usual):
    X, y = signatures
    curve = reference_curve(OperatingPointVerifier(svm(), level=0.1, random_state=0), X, y, n_references=[2, 6])
    assert [point.n_references for point in curve.values()] == list(curve) == [2, 6]
    assert curve[2].rates["frr"].value > curve[6].rates["frr"].value
    with pytest.raises(ValueError, match="needs an OperatingPointVerifier"):
        reference_curve(svm(), X, y)
    with pytest.raises(ValueError, match="n_references must be a list of numbers"):
        reference_curve(OperatingPointVerifier(svm()), X, y, n_references=3)
    model = pickle.loads(pickle.dumps(usual))
    rows = np.flatnonzero(y[:, 0] == 17)
    with pytest.warns(UserWarning, match=r"1 of 1 writers enroll with less than half of the 6 references.*17 \(2\)"):
        model.enroll(X[rows[:2]], y[rows[:2]])
    model.enroll(X[rows[:3]], y[rows[:3]])


def test_a_threshold_for_other_numbers_of_references_is_warned_about(signatures, parts):
    with pytest.warns(UserWarning, match=r"6 of 6 writers enroll with more than twice the 1 references.*12 \(6\)"):
        model = fitted(signatures, parts, n_references=1, n_draws=1, level=0.1)
    X, y = signatures
    rows = np.flatnonzero(y[:, 0] == 17)
    with pytest.warns(UserWarning, match=r"more than twice.*17 \(3\)\. Expect a higher FAR"):
        model.enroll(X[rows[:3]], y[rows[:3]])
    model.enroll(X[rows[:2]], y[rows[:2]])


def test_warnings_of_trials_are_given_once(signatures, parts):
    """Not about each part of the development writers, and each replicate of the bootstrap."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        fitted(signatures, parts, n_references=1, level=0.001)
    about = sorted(str(one.message) for one in warned)
    assert len(about) == 2
    assert about[0].startswith("6 of 6 writers enroll with more than twice the 1 references")
    assert "forgeries are too few for a FAR" in about[1]
    with pytest.warns(UserWarning, match="on average 9 instead of 30"):
        reference_curve(OperatingPointVerifier(svm(), level=0.1), *signatures, n_references=[1, 30])


def test_names_of_features(signatures, parts):
    X, y = signatures
    table = pd.DataFrame(X, columns=list("abcdefgh"))
    for wrapped in (OperatingPointVerifier(svm(), random_state=0), LikelihoodRatioCalibrator(svm(), random_state=0)):
        model = clone(wrapped).fit(table.iloc[parts[0]], y[parts[0]])
        assert model.feature_names_in_.tolist() == list("abcdefgh")
        of_arrays = clone(wrapped).fit(X[parts[0]], y[parts[0]])
        assert not hasattr(of_arrays, "feature_names_in_")
        np.testing.assert_array_equal(model.development_trials_.y_score, of_arrays.development_trials_.y_score)


def test_likelihood_ratios(signatures, parts):
    X, y = signatures
    model = LikelihoodRatioCalibrator(svm(), random_state=0).fit(X[parts[0]], y[parts[0]])
    queries, claimed = X[parts[1]], y[parts[1], 0]
    ratios = model.claim_scores(queries, claimed)
    expected = model.calibrator_.transform(model.verifier_.claim_scores(queries, claimed))
    np.testing.assert_array_equal(ratios, expected)
    genuine = (y[parts[1], 1] == 0).astype(int)
    assert cllr_score(genuine, ratios) < min_cllr_score(genuine, ratios) + 0.2
    np.testing.assert_allclose(model.posterior(queries, claimed, prior=0.5), 1 / (1 + 10**-ratios))
    odds = 0.01 / 0.99 * 10**ratios
    np.testing.assert_allclose(model.posterior(queries, claimed, prior=0.01), odds / (1 + odds))
    assert model.threshold_ == 0
    assert model.verify(queries, claimed).tolist() == (ratios >= 0).tolist()
    assert np.abs(model.decision_function(queries)).max() <= np.abs(model.calibrator_.bounds_).max()
    outer = fitted(signatures, parts, LikelihoodRatioCalibrator(svm(), random_state=0), level=0.1)
    assert outer.development_trials_ is outer.verifier_.development_trials_
    inner = fitted(signatures, parts, level=0.1)
    assert outer.verify(queries, claimed).tolist() == inner.verify(queries, claimed).tolist()


def test_no_information_is_no_evidence(signatures, parts):
    X, y = signatures
    model = LikelihoodRatioCalibrator(svm(), random_state=0).fit(X[parts[0]], y[parts[0]])
    nothing = np.zeros((1, 8))
    assert model.claim_scores(nothing, [12]).tolist() == [-10]
    assert model.posterior(nothing, [12], prior=0.3).tolist() == pytest.approx([0.3])
    assert not model.verify(nothing, [12], threshold=-1e9)[0]
    with pytest.raises(ValueError, match="prior must be above 0"):
        model.posterior(nothing, [12], prior=1.0)
    with pytest.raises(ValueError, match="prior must be above 0 and below 1; found 'even'"):
        model.posterior(nothing, [12], prior="even")
    with pytest.raises(ValueError, match="one for each query"):
        model.posterior(nothing, [12], prior=[0.5, 0.5])


def test_default_thresholds():
    assert [WriterDependentSVC(one).threshold_ for one in ("rbf", "linear")] == [0.4, 0.8]
    assert StrokeMatcher().threshold_ == 0.6
    assert [VerifierFusion([], weights=one).threshold_ for one in (None, "learned")] == [0.4, 0]


def test_the_default_of_verify(signatures, parts):
    X, y = signatures
    model = svm().fit(X[parts[0]], y[parts[0]])
    claims = X[parts[1]], y[parts[1], 0]
    assert model.verify(*claims).tolist() == (model.claim_scores(*claims) >= 0.4).tolist()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "references"}, r'has no skilled forgeries: set criterion="frr" or forgery="random"'),
        ({"user_specific": True}, r"user_specific=True needs source"),
        ({"verifier": KNeighborsClassifier()}, "must be a verifier"),
        ({"verifier": svm(DEV[:3])}, "at least 4 development writers with two genuine signatures; found 3"),
        ({"forgery": "simple"}, r"forgeries of the kinds \['random', 'skilled'\] only"),
        ({"level": 1.0}, "level"),
    ],
)
def test_bad_settings(signatures, parts, settings, message):
    with pytest.raises(ValueError, match=message):
        fitted(signatures, parts, **settings)
