"""FAR, FRR and EER compared with values computed by hand and by brute force, and their invariances."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import det_curve, roc_curve

from sigkit.metrics import eer_score, eer_threshold, far_score, frr_score

METHODS = ("nearest", "interpolated", "sigver")
GENUINE, FORGED = [0.9, 0.8, 0.7, 0.1], [0.3, -0.6]
Y, S = [1, 1, 1, 1, 0, 0], [*GENUINE, *FORGED]


def random_trials(seed, n=60, ties=False):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 3 == 0).astype(int)
    scores = rng.normal(size=n) + y
    return y, np.round(scores) if ties else scores


def brute_force(y, s, thresholds):
    genuine, forged = s[y == 1], s[y == 0]
    far = np.array([np.mean(forged >= t) for t in thresholds])
    frr = np.array([np.mean(genuine < t) for t in thresholds])
    return far, frr


def test_a_score_on_the_threshold_is_accepted():
    assert far_score(Y, S, threshold=0.3) == 0.5
    assert far_score(Y, S, threshold=np.nextafter(0.3, 1)) == 0
    assert frr_score(Y, S, threshold=0.1) == 0
    assert frr_score(Y, S, threshold=np.nextafter(0.1, 1)) == 0.25


def test_far_of_each_kind():
    y = [[1, 0], [1, 1], [1, 1], [1, 2], [2, 0]]
    matrix = [[1, -1], [1, 9], [-1, 9], [-1, 9], [1, 1]]
    options = {"classes": [1, 2]}
    assert far_score(y, matrix, **options) == 1 / 2
    assert far_score(y, matrix, kind="simple", **options) == 0
    assert far_score(y, matrix, kind="random", **options) == 1 / 2
    assert far_score(y, matrix, kind="all", **options) == 2 / 5
    assert frr_score(y, matrix, **options) == 0


def test_kind_is_ignored_for_plain_labels():
    assert len({far_score(Y, S, kind=kind) for kind in ("random", "skilled", "simple", "all")}) == 1


def test_eer_by_hand():
    # At 0.7 FAR is 0 and FRR 1/4; at 0.3 FAR is 1/2 and FRR 1/4. Equally near, so the higher threshold wins.
    assert eer_threshold(Y, S) == 0.7
    assert eer_score(Y, S) == 1 / 8
    # Between them FRR stays at 1/4 while FAR rises from 0 to 1/2: they cross half way, at 0.5.
    assert eer_score(Y, S, method="interpolated") == 1 / 4
    assert eer_threshold(Y, S, method="interpolated") == pytest.approx(0.5)


@pytest.mark.parametrize("method", METHODS)
def test_extremes(method):
    assert eer_score([1, 1, 0, 0], [4, 3, 2, 1], method=method) == 0
    assert eer_threshold([1, 1, 0, 0], [4, 3, 2, 1], method=method) == 3
    with pytest.warns(UndefinedMetricWarning, match="pass -y_score"):
        assert eer_score([1, 1, 0, 0], [1, 2, 3, 4], method=method) == 1
    assert eer_score([1, 1, 0, 0], [5, 5, 5, 5], method=method) == 0.5


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_nearest_is_the_best_of_all_observed_thresholds(seed, ties):
    y, s = random_trials(seed, ties=ties)
    thresholds = np.unique(s)[::-1]
    far, frr = brute_force(y, s, thresholds)
    at = eer_threshold(y, s)
    gap = np.round(np.abs(far - frr), 12)
    assert at == thresholds[gap.argmin()]
    assert eer_score(y, s) == pytest.approx((far + frr)[gap.argmin()] / 2)
    assert eer_score(y, s) == pytest.approx((far_score(y, s, threshold=at) + frr_score(y, s, threshold=at)) / 2)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_sigver_uses_the_points_that_roc_curve_keeps(seed, ties):
    y, s = random_trials(seed, ties=ties)
    fpr, tpr, thresholds = roc_curve(y, s)
    best = thresholds[np.abs(fpr - (1 - tpr)).argmin()]
    assert eer_threshold(y, s, method="sigver") == best
    far, frr = brute_force(y, s, [best])
    assert eer_score(y, s, method="sigver") == pytest.approx((far[0] + frr[0]) / 2)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_interpolated_lies_on_both_error_curves(seed, ties):
    y, s = random_trials(seed, ties=ties)
    far, frr, _ = det_curve(y, s, drop_intermediate=False)
    order = np.lexsort([-frr, far])
    far, frr = np.append(0, far[order]), np.append(1, frr[order])
    # Walk the DET polygon densely: the point nearest to the diagonal is the crossing.
    grid = np.linspace(0, len(far) - 1, 20_000 * len(far))
    x, z = np.interp(grid, np.arange(len(far)), far), np.interp(grid, np.arange(len(far)), frr)
    assert eer_score(y, s, method="interpolated") == pytest.approx(x[np.abs(x - z).argmin()], abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_eer_is_invariant_to_increasing_transformations(method):
    y, s = random_trials(1)
    assert eer_score(y, np.exp(s), method=method) == eer_score(y, s, method=method)
    if method != "interpolated":
        assert eer_threshold(y, np.exp(s), method=method) == np.exp(eer_threshold(y, s, method=method))
    with pytest.warns(UndefinedMetricWarning, match="pass -y_score"):
        assert eer_score(y, -s, method=method) != eer_score(y, s, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_rows_does_not_matter(method):
    y, s = random_trials(2, ties=True)
    writers = np.arange(60) % 4
    shuffled = np.random.default_rng(0).permutation(60)
    for user_specific in (False, True):
        options = {"method": method, "user_specific": user_specific}
        straight = eer_score(y, s, writers=writers, **options)
        assert eer_score(y[shuffled], s[shuffled], writers=writers[shuffled], **options) == straight


def test_interpolated_eer_is_symmetric():
    y, s = random_trials(3)
    mirrored = eer_score(1 - y, -s, method="interpolated")
    assert mirrored == pytest.approx(eer_score(y, s, method="interpolated"))


def test_user_specific_thresholds_can_separate_better_than_a_global_one():
    y = [[1, 0], [1, 0], [1, 1], [2, 0], [2, 0], [2, 1]]
    s = [5, 4, 3, 2, 1, 0]
    assert eer_score(y, s, user_specific=True) == 0
    assert eer_threshold(y, s, user_specific=True).tolist() == [4, 1]
    assert eer_score(y, s) > 0


def test_errors_of_writers_are_pooled_before_they_are_averaged():
    # Writer a: 1 of 1 genuine rejected at its best threshold, 1 of 1 forgeries accepted; writer b: 3 + 2 without error.
    y, s = [1, 0, 1, 1, 1, 0, 0], [0, 1, 9, 8, 7, 3, 2]
    writers = ["a", "a", "b", "b", "b", "b", "b"]
    assert eer_score(y, s, user_specific=True, writers=writers) == pytest.approx((1 / 4 + 1 / 3) / 2)
    interpolated = eer_score(y, s, user_specific=True, writers=writers, method="interpolated")
    assert interpolated == pytest.approx((1 / 4 + 1 / 3) / 2)


@pytest.mark.parametrize("method", METHODS)
def test_pooled_eer_is_the_error_rate_at_the_user_specific_thresholds(method):
    y, s = random_trials(4, n=200)
    writers = np.array(["w", "x", "y", "z"])[np.arange(200) // 50]
    thresholds = eer_threshold(y, s, user_specific=True, method=method, writers=writers)
    pooled = eer_score(y, s, user_specific=True, method=method, writers=writers)
    if method == "interpolated":
        rates = [eer_score(y[writers == w], s[writers == w], method=method) for w in "wxyz"]
        genuine = [y[writers == w].sum() for w in "wxyz"]
        forged = [(1 - y[writers == w]).sum() for w in "wxyz"]
        assert pooled == pytest.approx((np.average(rates, weights=genuine) + np.average(rates, weights=forged)) / 2)
        return
    rates = [rate(y, s, threshold=thresholds, writers=writers) for rate in (far_score, frr_score)]
    assert pooled == pytest.approx(np.mean(rates))


def test_user_specific_thresholds_in_every_form():
    y, s = [["a", 0], ["a", 1], ["b", 0], ["b", 1]], [1, 0, 11, 10]
    for threshold in ([1, 11], {"b": 11, "a": 1}, pd.Series({"b": 11.0, "a": 1.0})):
        assert far_score(y, s, threshold=threshold) == 0
        assert frr_score(y, s, threshold=threshold) == 0
    assert far_score(y, s, threshold=[11, 1]) == 0.5
    matrix = [[1, 0], [0, 0], [0, 11], [0, 10]]
    assert far_score(y, matrix, threshold=[11, 1], classes=["a", "b"]) == 0.5
    assert far_score(y, np.fliplr(matrix), threshold=[11, 1], classes=["b", "a"]) == 0


@pytest.mark.parametrize(
    ("threshold", "options", "message"),
    [
        ({"a": 1}, {}, "no value for 1 claimed writers: 'b'"),
        ([1, np.nan], {}, "no value for 1 claimed writers: 'b'"),
        ([1, 2, 3], {}, r"each of the 2 claimed writers in order; got shape \(3,\)"),
        (np.nan, {}, "must be a number.*found nan"),
        ("0.5", {}, "must be a number.*found '0.5'"),
        (None, {}, "must be a number.*found None"),
        (True, {}, "must be a number.*found True"),
        (["0.5", "1"], {}, "must be a number for each writer"),
        ([True, False], {}, "must be a number for each writer"),
        ([[1], [2]], {}, r"got shape \(2, 1\)"),
        ({"a": "1", "b": 1}, {}, "must be a number.*found '1'.*writer 'a'"),
        ({"a": True, "b": 1}, {}, "must be a number.*found True"),
        ({"a": 1, 2: 1}, {}, "threshold mixes int, str"),
    ],
)
def test_invalid_thresholds_raise(threshold, options, message):
    with pytest.raises(ValueError, match=message):
        far_score([["a", 0], ["a", 1], ["b", 0], ["b", 1]], [1, 0, 11, 10], threshold=threshold, **options)


def test_only_the_writers_of_the_counted_trials_need_a_threshold():
    y, s = [["a", 0], ["a", 1], ["b", 0]], [1, 0, 11]
    assert far_score(y, s, threshold={"a": 0}) == 1
    with pytest.raises(ValueError, match="'b'"):
        frr_score(y, s, threshold={"a": 0})


def test_user_specific_thresholds_need_writers():
    with pytest.raises(ValueError, match="the claimed writer of each score"):
        far_score(Y, S, threshold=[0, 1])
    with pytest.raises(ValueError, match="the claimed writer of each score"):
        eer_score(Y, S, user_specific=True)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "traced"},
        {"method": "best"},
        {"user_specific": "writer"},
        {"user_specific": 0.0},
        {"user_specific": [1.0]},
    ],
)
def test_invalid_parameters_are_named(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        eer_score(Y, S, **options)


def test_writers_without_genuine_trials_or_forgeries_are_named():
    y = [["a", 0], ["a", 1], ["b", 0], ["c", 1]]
    with pytest.warns(UndefinedMetricWarning, match=r"2 of 3 writers.*'skilled'.*'b', 'c'") as warned:
        assert eer_score(y, [1, 2, 3, 4], user_specific=True) == 1
    assert warned[0].filename == __file__
    with pytest.warns(UndefinedMetricWarning, match="'b', 'c'"):
        thresholds = eer_threshold(y, [1, 2, 3, 4], user_specific=True)
    np.testing.assert_array_equal(np.isnan(thresholds), [False, True, True])
    with pytest.warns(UndefinedMetricWarning, match="2 of 2 writers"):
        assert np.isnan(eer_score(y[2:], [3, 4], user_specific=True))
