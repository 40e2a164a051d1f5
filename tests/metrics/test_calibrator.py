"""Calibrated likelihood ratios: known densities, bounds, and monotonicity."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from sigkit.metrics import ScoreCalibrator


def draw(n_genuine, n_forged, distance=2.0, seed=0):
    y = np.repeat([1, 0], [n_genuine, n_forged])
    return np.random.default_rng(seed).normal(distance * y), y


def pool_slowly(fractions, weights):
    """Pool adjacent violators, one pair at a time."""
    blocks = [[fraction, weight, 1] for fraction, weight in zip(fractions, weights)]
    while any(a[0] >= b[0] for a, b in pairwise(blocks)):
        at = next(i for i in range(len(blocks) - 1) if blocks[i][0] >= blocks[i + 1][0])
        (p, v, n), (q, w, m) = blocks[at : at + 2]
        blocks[at : at + 2] = [[(p * v + q * w) / (v + w), v + w, n + m]]
    return np.concatenate([[p] * n for p, _, n in blocks])


@pytest.mark.parametrize("method", ["logistic", "isotonic"])
def test_likelihood_ratios_of_known_densities(method):
    """Of normal densities with means 0 and 2 and unit variance the log LR is 2 (s - 1); the prior does not matter."""
    grid = np.linspace(0, 2, 5)
    for n_forged in (20_000, 200_000):
        found = ScoreCalibrator(method=method).fit(*draw(20_000, n_forged)).transform(grid)
        np.testing.assert_allclose(found, 2 * (grid - 1) / np.log(10), atol=0.04 if method == "logistic" else 0.15)


@pytest.mark.parametrize(("distance", "moved"), [(2, 0.0), (2, 1e4), (8, 0.0)])
def test_logistic_has_the_smallest_loss(distance, moved):
    """The loss is minimized without derivatives; with a distance of 8 only the prior keeps the slope finite."""
    s, y = draw(50, 300, distance=distance)
    center = (s[y == 1].mean() + s[y == 0].mean()) / 2
    z = (s - center) / np.sqrt(sum(np.mean((s[y == k] - center) ** 2) for k in (0, 1)) / 2)

    def loss(parameters):
        log_odds = parameters[0] * z + parameters[1]
        misfit = np.logaddexp(0, -log_odds[y == 1]).mean() / 2 + np.logaddexp(0, log_odds[y == 0]).mean() / 2
        # A sample of 50 trials with a Gaussian prior of standard deviation 10.
        return misfit + parameters[0] ** 2 / (2 * 100 * 50)

    found = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-15}).x
    expected = (found[0] * z + found[1]) / np.log(10)
    calibrator = ScoreCalibrator(bound=1000.0).fit(s + moved, y)
    np.testing.assert_allclose(calibrator.transform(s + moved), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("ties", [False, True])
def test_isotonic_is_pav_with_one_misleading_trial_at_each_end(ties):
    s, y = draw(30, 60, distance=1)
    s = np.round(s, 1) if ties else s
    distinct = np.unique(s)
    genuine = np.array([np.sum(s[y == 1] == t) for t in distinct], dtype=float)
    forged = np.array([np.sum(s[y == 0] == t) for t in distinct], dtype=float)
    genuine[0] += 1
    forged[-1] += 1
    posterior = pool_slowly(genuine / (genuine + forged), genuine + forged)
    expected = np.log10(posterior / (1 - posterior)) - np.log10(31 / 61)
    found = ScoreCalibrator(method="isotonic", bound=None).fit(s, y).transform(distinct)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def supported(lr, y, t):
    """Whether likelihood ratios decide at the threshold t as well as the prior does, with a misleading trial each."""
    frr = (np.sum(lr[y == 1] < t) + 1) / (np.sum(y == 1) + 1)
    far = (np.sum(lr[y == 0] >= t) + 1) / (np.sum(y == 0) + 1)
    return frr + t * far <= min(1, t) + 1e-9


@pytest.mark.parametrize("distance", [1, 3, 10])
@pytest.mark.parametrize("sizes", [(8, 20), (40, 40), (100, 1000)])
def test_bounds_are_the_first_thresholds_without_support(sizes, distance):
    s, y = draw(*sizes, distance=distance)
    low, high = ScoreCalibrator().fit(s, y).bounds_
    lr = 10 ** ScoreCalibrator(bound=10_000).fit(s, y).transform(s)
    grid = 10 ** np.linspace(-5, 5, 5_001)
    good = np.array([supported(lr, y, t) for t in grid])
    above, below = grid[(grid > 1) & ~good], grid[(grid < 1) & ~good]
    assert high == pytest.approx(np.log10(above.min()), abs=2.1e-3)
    assert low == pytest.approx(np.log10(below.max()), abs=2.1e-3)


def test_separated_trials_support_as_many_as_there_are():
    y = np.repeat([1, 0], [50, 400])
    s = y.astype(float)
    # One misleading forgery among 401 and one misleading genuine trial among 51.
    np.testing.assert_allclose(ScoreCalibrator().fit(s, y).bounds_, np.log10([401 / 400 / 51, 401 * 50 / 51]))
    writers = np.concatenate([np.arange(50) % 10, np.arange(400) % 10])
    by_writer = ScoreCalibrator().fit(s, y, writers=writers).bounds_
    np.testing.assert_allclose(by_writer, np.log10([11 / 10 / 11, 11 * 10 / 11]))


@pytest.mark.parametrize("bound", ["elub", 1.5, None])
@pytest.mark.parametrize("method", ["logistic", "isotonic"])
@pytest.mark.parametrize("distance", [0.5, 3, 100])
def test_always_finite_monotone_and_within_the_bounds(method, bound, distance):
    s, y = draw(12, 30, distance=distance)
    calibrator = ScoreCalibrator(method=method, bound=bound).fit(s, y)
    grid = np.concatenate([[-1e308, -1e6], np.linspace(-10, 110, 20_001), np.sort(s), [1e6, 1e308]])
    found = calibrator.transform(np.sort(grid))
    low, high = calibrator.bounds_
    assert low <= 0 <= high
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()
    assert low <= found[0] <= found[-1] <= high
    if bound == 1.5:
        assert (low, high) == (-1.5, 1.5)


def test_scores_of_any_scale():
    s, y = draw(40, 80)
    expected = ScoreCalibrator().fit(s, y).transform(s)
    for factor, shift in ((1e-300, 0), (1e300, 0), (1, 1e6), (3, -2)):
        moved = factor * s + shift
        np.testing.assert_allclose(ScoreCalibrator().fit(moved, y).transform(moved), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("scores", [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
def test_scores_that_do_not_rise_with_genuineness_are_no_evidence(scores):
    with pytest.warns(UserWarning, match="Do scores rise with genuineness"):
        calibrator = ScoreCalibrator().fit(scores, [1, 1, 0, 0])
    np.testing.assert_array_equal(calibrator.transform([-5, 0, 5]), 0)
    with pytest.warns(UserWarning, match="Do scores rise with genuineness"):
        isotonic = ScoreCalibrator(method="isotonic").fit(scores, [1, 1, 0, 0])
    np.testing.assert_allclose(isotonic.transform([-5, 0, 5]), 0, atol=1e-12)


def test_shapes_rows_and_pickling():
    s, y = draw(30, 60)
    calibrator = ScoreCalibrator().fit(s[:, None], y)
    assert calibrator.transform(s).shape == (90,)
    np.testing.assert_array_equal(calibrator.transform(s.reshape(45, 2)), calibrator.transform(s).reshape(45, 2))
    again = pickle.loads(pickle.dumps(calibrator))
    np.testing.assert_array_equal(again.transform(s), calibrator.transform(s))
    assert clone(calibrator).get_params() == {"bound": "elub", "method": "logistic"}
    writers = np.arange(90) % 6
    rows = np.column_stack([writers, np.where(y == 1, 0, np.arange(90) % 2 + 1)])
    labels = clone(calibrator).fit(s, y, writers=writers)
    np.testing.assert_array_equal(clone(calibrator).fit(s, rows).bounds_, labels.bounds_)


@pytest.mark.parametrize(
    ("options", "X", "y", "message"),
    [
        ({"method": "platt"}, [0, 1], [0, 1], "'method' parameter"),
        ({"bound": 0}, [0, 1], [0, 1], "'bound' parameter"),
        ({"bound": "max"}, [0, 1], [0, 1], "'bound' parameter"),
        ({}, [0, np.nan], [0, 1], "NaN or infinity"),
        ({}, [0, 1], [0, 0], "no genuine trials"),
        ({}, [0, 1], [1, 1], "no forgeries"),
        ({}, [[0, 1], [1, 0]], [1, 0], r"one score per row.*got \(2, 2\)"),
    ],
)
def test_invalid_input_raises(options, X, y, message):
    with pytest.raises(ValueError, match=message):
        ScoreCalibrator(**options).fit(X, y)


def test_errors_of_transform():
    with pytest.raises(ValueError, match="X holds NaN or infinity"):
        ScoreCalibrator().fit([0, 1], [0, 1]).transform([np.inf])


class FirstColumn(ScoreCalibrator):
    """The checks of scikit-learn pass tables, of which this takes one column, and several classes."""

    def fit(self, X, y=None):
        X, y = validate_data(self, X, y)
        return super().fit(X[:, 0], y == np.max(y))

    def transform(self, X):
        check_is_fitted(self)
        return super().transform(validate_data(self, X, reset=False)[:, :1])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = False, True
        return tags


def expected_failures(estimator):
    return {"check_fit2d_1sample": "the error counts genuine trials and forgeries instead of samples"}


@pytest.mark.filterwarnings("ignore:Genuine scores are not higher", "ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([FirstColumn(), FirstColumn(method="isotonic")], expected_failed_checks=expected_failures)
def test_common_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("factor", [1e-310, 1.7e308])
def test_scores_at_the_ends_of_the_range_of_floats_are_refused(factor):
    with pytest.raises(ValueError, match="beyond the range in which a slope can be computed"):
        ScoreCalibrator().fit(factor * np.array([1.0, 0.9, -1.0, -0.8]), [1, 1, 0, 0])
