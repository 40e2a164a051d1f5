"""Thresholds at wanted error rates and costs, compared with a search over all thresholds."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sigkit.metrics import (
    cost_threshold,
    far_at_frr_score,
    far_score,
    far_threshold,
    frr_at_far_score,
    frr_score,
    frr_threshold,
    min_dcf_score,
)

# Levels are compared with exact counts, also those below one error.
pytestmark = pytest.mark.filterwarnings("ignore:.*are too few for a F.R of")

LEVELS = (0, 0.01, 0.1, 0.29, 0.5, 0.99)


def random_trials(seed, n=100, ties=False):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 3 == 0).astype(int)
    scores = rng.normal(size=n) + y
    return y, np.round(scores) if ties else scores


def all_thresholds(s):
    """Every threshold that makes a difference: below all scores, between neighbors, and above all."""
    distinct = np.unique(s)
    return np.concatenate([[distinct[0] - 1], (distinct[1:] + distinct[:-1]) / 2, [distinct[-1] + 1]])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_rates_at_a_level_are_the_best_of_all_thresholds(seed, ties, level):
    y, s = random_trials(seed, ties=ties)
    far = np.array([np.mean(s[y == 0] >= t) for t in all_thresholds(s)])
    frr = np.array([np.mean(s[y == 1] < t) for t in all_thresholds(s)])
    assert frr_at_far_score(y, s, far=level) == frr[far <= level].min()
    assert far_at_frr_score(y, s, frr=level) == far[frr <= level].min()
    threshold = far_threshold(y, s, far=level)
    assert far_score(y, s, threshold=threshold) <= level
    assert frr_score(y, s, threshold=threshold) == frr[far <= level].min()
    threshold = frr_threshold(y, s, frr=level)
    assert frr_score(y, s, threshold=threshold) <= level
    assert far_score(y, s, threshold=threshold) == far[frr <= level].min()
    assert frr_score(y, s, threshold=np.nextafter(threshold, np.inf)) > level


def test_a_rate_that_is_exactly_the_level_is_allowed():
    """0.29 * 100 is 28.999999999999996."""
    s = np.arange(200.0)
    y = np.repeat([0, 1], 100)
    assert far_score(y, s, threshold=far_threshold(y, s, far=0.29)) == 0.29
    assert frr_score(y, s, threshold=frr_threshold(y, s, frr=0.29)) == 0.29


def test_threshold_at_a_far_survives_single_precision():
    y, s = random_trials(0, n=1000)
    s = s.astype(np.float32)
    threshold = far_threshold(y, s, far=0.05)
    assert (
        np.mean(s[y == 0] >= np.float32(threshold))
        == far_score(y, s, threshold=threshold)
        == pytest.approx(0.05, abs=2e-3)
    )


def test_without_a_higher_score_the_threshold_is_the_next_number():
    assert far_threshold([1, 0], [0.0, 1.0], far=0) == np.nextafter(1.0, 2)
    assert frr_at_far_score([1, 0], [0.0, 1.0], far=0) == 1
    neighbors = [1.0, np.nextafter(1.0, 2)]
    assert far_threshold([0, 1], neighbors, far=0) == neighbors[1]
    huge = [1e308, 1.7e308]
    assert huge[0] < far_threshold([0, 1], huge, far=0) < huge[1]


def test_one_kind_of_trials_is_enough():
    assert far_threshold([0, 0], [1.0, 2.0], far=0.5) == 1.5
    assert frr_threshold([1, 1], [1.0, 2.0], frr=0.5) == 2.0
    with pytest.raises(ValueError, match="no skilled forgeries"):
        far_threshold([1, 1], [1.0, 2.0], far=0.5)
    with pytest.raises(ValueError, match="no genuine"):
        frr_threshold([0, 0], [1.0, 2.0], frr=0.5)


def test_kinds_and_score_matrices():
    y = [["a", 0], ["a", 1], ["b", 0], ["b", 2]]
    matrix = [[5, 1], [3, 9], [2, 6], [9, 4]]
    given = {"classes": ["a", "b"], "far": 0}
    assert far_threshold(y, matrix, **given) == 4.0
    assert far_threshold(y, matrix, kind="random", **given) == 3.5
    assert far_threshold(y, matrix, kind="simple", **given) == 4.5
    assert far_at_frr_score(y, matrix, frr=0, kind="all", classes=["a", "b"]) == 0


def test_user_specific_thresholds():
    y = [[1, 0], [1, 0], [1, 1], [2, 0], [2, 0], [2, 1]]
    s = [5, 3, 4, 2, 1, 0]
    np.testing.assert_array_equal(far_threshold(y, s, far=0, user_specific=True), [4.5, 0.5])
    np.testing.assert_array_equal(frr_threshold(y, s, frr=0, user_specific=True), [3, 1])
    assert frr_at_far_score(y, s, far=0, user_specific=True) == 0.25
    assert far_at_frr_score(y, s, frr=0, user_specific=True) == 0.5
    np.testing.assert_array_equal(cost_threshold(y, s, prior=0.5, user_specific=True), [5, 1])
    with pytest.raises(ValueError, match="claimed writer of each score"):
        far_threshold([1, 0], [1, 0], far=0, user_specific=True)


def test_writers_without_the_trials_of_a_rate_are_named():
    y, s = [["a", 0], ["a", 1], ["b", 0], ["b", 0]], [1, 0, -1, 2]
    with pytest.warns(UndefinedMetricWarning, match="1 of 2 writers.*'b'"):
        assert frr_at_far_score(y, s, far=0, user_specific=True) == 0
    assert np.isfinite(frr_threshold(y, s, frr=0, user_specific=True)).all()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("prior", "cost_far", "cost_frr"), [(0.5, 1, 1), (0.9, 1, 1), (0.5, 10, 1), (0.01, 1, 10)])
@pytest.mark.parametrize("seed", range(5))
def test_least_cost_is_that_of_an_enumeration(seed, prior, cost_far, cost_frr, ties):
    y, s = random_trials(seed, ties=ties)
    thresholds = all_thresholds(s)
    costs = [
        prior * cost_frr * np.mean(s[y == 1] < t) + (1 - prior) * cost_far * np.mean(s[y == 0] >= t) for t in thresholds
    ]
    options = {"prior": prior, "cost_far": cost_far, "cost_frr": cost_frr}
    trivial = min(prior * cost_frr, (1 - prior) * cost_far)
    assert min_dcf_score(y, s, **options) == pytest.approx(min(costs) / trivial)
    at = cost_threshold(y, s, **options)
    cost = prior * cost_frr * frr_score(y, s, threshold=at) + (1 - prior) * cost_far * far_score(y, s, threshold=at)
    assert cost == pytest.approx(min(costs))


def test_scores_that_do_not_help_cost_as_much_as_no_scores():
    assert min_dcf_score([1, 0], [0, 1], prior=0.3) == 1
    assert cost_threshold([1, 0], [0, 1], prior=0.3) > 1
    assert cost_threshold([1, 0], [0, 1], prior=0.7) == 0


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (far_threshold, {"far": 1}, "far must be a fraction"),
        (far_threshold, {"far": -0.1}, "far must be a fraction"),
        (far_threshold, {"far": np.nan}, "far must be a fraction"),
        (frr_threshold, {"frr": True}, "frr must be a fraction"),
        (frr_at_far_score, {"far": "1 %"}, "far must be a fraction"),
        (far_at_frr_score, {"frr": 5}, "frr must be a fraction"),
        (far_threshold, {"far": 0.1, "user_specific": 1}, "user_specific must be"),
        (cost_threshold, {"prior": 0}, "prior must be"),
        (min_dcf_score, {"prior": 0.5, "cost_far": 0}, "cost_far must be"),
        (min_dcf_score, {"prior": 0.5, "cost_frr": np.inf}, "cost_frr must be"),
    ],
)
def test_invalid_parameters_raise(function, options, message):
    with pytest.raises(ValueError, match=message):
        function([1, 0], [1, 0], **options)


@pytest.mark.parametrize(
    ("find", "message"),
    [
        (lambda y, s: far_threshold(y, s, far=0.001), r"120 forgeries are too few for a FAR of 0\.1 %.* at least 1000"),
        (lambda y, s: frr_at_far_score(y, s, far=0.001), "120 forgeries"),
        (lambda y, s: frr_threshold(y, s, frr=0.01), "60 genuine trials are too few for a FRR of 1 %"),
        (lambda y, s: far_at_frr_score(y, s, frr=0.01), "60 genuine trials"),
    ],
)
def test_a_level_below_one_error_is_warned_about(find, message):
    y = np.repeat([1, 0], [60, 120])
    s = np.random.default_rng(0).normal(2 * y)
    with pytest.warns(UndefinedMetricWarning, match=message) as warned:
        find(y, s)
    assert warned[0].filename == __file__


def test_levels_that_trials_support_and_zero_are_not_warned_about():
    y = np.repeat([1, 0], 100)
    s = np.random.default_rng(0).normal(2 * y)
    with warnings.catch_warnings(action="error"):
        for level in (0, 0.01, 0.1):
            far_threshold(y, s, far=level)
            frr_threshold(y, s, frr=level)


def test_costs_of_single_precision_are_those_of_double_precision():
    y, s = random_trials(0)
    cost = min_dcf_score(y, s, prior=np.float32(0.25), cost_far=np.float32(3))
    assert isinstance(cost, float)
    assert cost == min_dcf_score(y, s, prior=0.25, cost_far=3)
