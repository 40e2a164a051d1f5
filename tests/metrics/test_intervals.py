"""Intervals: exact ones without errors, and fast resamples, compared with slow ones."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.exceptions import UndefinedMetricWarning

from sigkit.metrics import eer_score, frr_at_far_score, verification_report
from sigkit.metrics._bootstrap import _draw_weights, _replicates
from sigkit.metrics._estimates import _Estimates, _TrialResampler
from sigkit.metrics._trials import _make_trials


def separated(n_genuine, n_forged):
    return np.repeat([1, 0], [n_genuine, n_forged]), np.repeat([1.0, -1.0], [n_genuine, n_forged])


def overlapping(n_writers=20, n_trials=200, seed=0, decimals=None):
    rng = np.random.default_rng(seed)
    writer = np.repeat(np.arange(n_writers), n_trials)
    kind = np.tile(np.arange(n_trials) % 4 > 0, n_writers).astype(int)
    s = rng.normal(size=len(writer)) + 1.5 * (kind == 0) + rng.normal(size=n_writers)[writer]
    return np.column_stack([writer, kind]), s if decimals is None else s.round(decimals)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize(("n_genuine", "n_forged"), [(20, 20), (5, 300)])
def test_without_errors_the_interval_is_that_of_clopper_and_pearson(n_genuine, n_forged, confidence):
    y, s = separated(n_genuine, n_forged)
    report = verification_report(y, s, confidence=confidence, n_bootstraps=20, random_state=0)

    def limit(n, level):
        # A two-sided interval of 2 level - 1 has the one-sided limit of `level`.
        return binomtest(0, n).proportion_ci(2 * level - 1, method="exact").high

    half = (1 + confidence) / 2
    expected = {
        "frr": (0, limit(n_genuine, confidence)),
        "far": (0, limit(n_forged, confidence)),
        "eer": (0, limit(min(n_genuine, n_forged), half)),
        "mean_auc": (1 - limit(n_genuine, half) - limit(n_forged, half), 1),
    }
    for name, bounds in expected.items():
        estimate = report.estimates[name]
        assert (estimate.low, estimate.high) == pytest.approx(bounds), name
        assert estimate.interval == "exact"
    if (n_genuine, confidence) == (20, 0.95):
        assert "[0.00, 13.91]*" in str(report)
    assert "* Exact interval" in str(report)


def test_if_every_trial_is_in_error_the_interval_is_exact_too():
    y, s = separated(20, 20)
    frr = verification_report(y, s, threshold=2, n_bootstraps=20, random_state=0).estimates["frr"]
    assert (frr.low, frr.high, frr.interval) == (pytest.approx(0.05 ** (1 / 20)), 1, "exact")


def test_without_errors_user_specific_thresholds_have_no_interval():
    y, s = separated(20, 20)
    rows = np.column_stack([np.arange(40) % 2, 1 - y])
    report = verification_report(rows, s, n_bootstraps=20, random_state=0)
    for name in ("eer_writer", "mean_auc"):
        estimate = report.estimates[name]
        assert (estimate.low, estimate.high, estimate.interval) == (None, None, None)
    assert report.estimates["far_skilled"].high == pytest.approx(1 - 0.05 ** (1 / 20))
    assert verification_report(rows, s, n_bootstraps=0).estimates["frr"].interval is None


def test_trials_of_one_of_several_writers_have_no_interval():
    with pytest.warns(UndefinedMetricWarning, match="1 of 2 writers"):
        report = verification_report([["a", 0], ["a", 0], ["a", 1], ["b", 1]], [1, -1, -2, -3], n_bootstraps=20)
    frr = report.estimates["frr"]
    assert (frr.value, frr.low, frr.high, frr.interval) == (0.5, None, None, None)
    assert "No interval (-)" in str(report)


def test_intervals_are_marked_only_where_they_are_exact():
    y, s = overlapping()
    report = verification_report(y, s, threshold=100, n_bootstraps=20, random_state=0)
    kinds = {name: estimate.interval for name, estimate in report.estimates.items()}
    assert kinds.pop("frr") == kinds.pop("far_skilled") == "exact"
    assert set(kinds.values()) == {"bootstrap"}


def test_coverage_of_the_exact_interval_of_the_eer():
    """Scores of uniform distributions that overlap by 4 %: the EER is 2 %."""
    hits = n_exact = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        s = np.concatenate([rng.uniform(0.96, 1.96, 15), rng.uniform(0, 1, 25)])
        report = verification_report(np.repeat([1, 0], [15, 25]), s, n_bootstraps=2, confidence=0.8, random_state=0)
        eer = report.estimates["eer"]
        if eer.interval == "exact":
            n_exact += 1
            hits += eer.low <= 0.02 <= eer.high
    assert n_exact > 100
    assert hits / n_exact > 0.8


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("method", ["nearest", "interpolated"])
@pytest.mark.parametrize("n_bins", [3, 50, 4000])
def test_bins_do_not_change_the_resamples_of_writers(monkeypatch, method, decimals, n_bins):
    """Compare with the error rates of copies of the rows of the drawn writers."""
    monkeypatch.setattr("sigkit.metrics._resampled_curve.N_BINS", n_bins)
    monkeypatch.setattr("sigkit.metrics._resampled_curve.MATRIX", 20 * n_bins)
    y, s = overlapping(decimals=decimals)
    estimates = _Estimates(_make_trials(y, s), 0.0, method, "writers", "skilled", (0.01, 0.1))
    found = _replicates(estimates, 10, np.random.RandomState(3), 0)
    for row, drawn in enumerate(np.random.RandomState(3).randint(20, size=(10, 20))):
        rows = np.concatenate([np.flatnonzero(y[:, 0] == writer) for writer in drawn])
        assert found["eer"][row] == pytest.approx(eer_score(y[rows], s[rows], method=method), abs=1e-12)
        assert found["frr_at_far_0.1"][row] == pytest.approx(frr_at_far_score(y[rows], s[rows], far=0.1), abs=1e-12)
        assert found["frr_at_far_0.01"][row] == pytest.approx(frr_at_far_score(y[rows], s[rows], far=0.01), abs=1e-12)


@pytest.mark.parametrize("n_bins", [7, 2048])
@pytest.mark.parametrize("method", ["nearest", "interpolated"])
def test_fast_resamples_of_trials_have_the_distribution_of_slow_ones(monkeypatch, method, n_bins):
    monkeypatch.setattr("sigkit.metrics._resampled_curve.N_BINS", n_bins)
    y, s = overlapping(1, 400, decimals=2)
    estimates = _Estimates(_make_trials(y[:, 1] == 0, s), 0.5, method, "trials", levels=(0.1,))
    fast = _replicates(estimates, 3000, np.random.RandomState(0), 0)
    blocks, _ = _draw_weights(estimates.trials, "trials", 3000, np.random.RandomState(1))
    slow = [_TrialResampler(estimates).weighted(weights) for weights in blocks]
    assert set(fast) == set(slow[0]) == {"frr", "far", "eer", "frr_at_far_0.1", "mean_auc"}
    for name, values in fast.items():
        expected = np.concatenate([block[name] for block in slow])
        assert values.mean() == pytest.approx(expected.mean(), abs=4 * expected.std() / 3000**0.5), name
        # Within bins only the pairs of the sample count, so the area varies less with few bins.
        tolerance = 0.15 if name == "mean_auc" and n_bins < 10 else 0.06
        assert values.std() == pytest.approx(expected.std(), rel=tolerance), name


def test_progress_is_reported(capsys):
    y, s = overlapping()
    verification_report(y, s, n_bootstraps=20, random_state=0)
    assert capsys.readouterr().err == ""
    verification_report(y, s, n_bootstraps=20, random_state=0, verbose=1)
    assert "[sigkit] bootstrap" in capsys.readouterr().err
