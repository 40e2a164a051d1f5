"""The report agrees with the single metrics, counts the trials of each, and its intervals have their coverage."""

import json
import pickle

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score

from sigkit.metrics import eer_score, eer_threshold, far_score, far_threshold, frr_score, verification_report

METHODS = ("nearest", "interpolated", "sigver")


def make_claims(n_writers=12, spread=1.0, seed=0, n_genuine=6, n_skilled=8):
    """Draw scores of claims; the mean score of a writer has the standard deviation `spread`."""
    rng = np.random.default_rng(seed)
    kind = np.tile([0] * n_genuine + [1] * n_skilled, n_writers)
    y = np.column_stack([np.repeat(np.arange(n_writers), n_genuine + n_skilled), kind])
    return y, rng.normal(size=len(y)) + 1.5 * (kind == 0) + (spread * rng.normal(size=n_writers))[y[:, 0]] - 0.75


def make_matrix(n_writers=6):
    y, claimed = make_claims(n_writers)
    scores = np.random.default_rng(1).normal(size=(len(y), n_writers)) - 1
    scores[np.arange(len(y)), y[:, 0]] = claimed
    return y, scores


@pytest.mark.parametrize("method", METHODS)
def test_report_agrees_with_the_single_metrics(method):
    y, scores = make_matrix()
    given = {"classes": np.arange(6)}
    report = verification_report(y, scores, threshold=0.2, method=method, n_bootstraps=5, random_state=0, **given)
    values = {name: estimate.value for name, estimate in report.estimates.items()}
    areas = [roc_auc_score(y[y[:, 0] == writer, 1] == 0, scores[y[:, 0] == writer, writer]) for writer in range(6)]
    assert values == pytest.approx(
        {
            "frr": frr_score(y, scores, threshold=0.2, **given),
            "far_random": far_score(y, scores, threshold=0.2, kind="random", **given),
            "far_skilled": far_score(y, scores, threshold=0.2, **given),
            "eer": eer_score(y, scores, method=method, **given),
            "eer_writer": eer_score(y, scores, method=method, user_specific=True, **given),
            "mean_auc": np.mean(areas),
        }
    )
    assert report.eer_threshold == eer_threshold(y, scores, method=method, **given)
    assert (report.threshold, report.eer_kind, report.resampled) == (0.2, "skilled", "writers")


def test_a_score_on_the_threshold_is_accepted():
    estimates = verification_report([1, 1, 0, 0], [0.5, 0.4, 0.5, 0.4], threshold=0.5, n_bootstraps=0).estimates
    assert (estimates["frr"].value, estimates["far"].value) == (0.5, 0.5)
    estimates = verification_report([1, 0], [0.5, 0.5], threshold=0.5, n_bootstraps=0).estimates
    assert (estimates["frr"].value, estimates["far"].value) == (0, 1)


def test_numbers_of_trials():
    y, scores = make_matrix()
    report = verification_report(y, scores, classes=np.arange(6), n_bootstraps=0)
    counts = {name: (f.n_genuine, f.n_forgeries, f.n_writers) for name, f in report.estimates.items()}
    assert counts == {
        "frr": (36, 0, 6),
        "far_random": (0, 180, 6),
        "far_skilled": (0, 48, 6),
        "eer": (36, 48, 6),
        "eer_writer": (36, 48, 6),
        "mean_auc": (36, 48, 6),
    }
    assert report.trials.y_score.shape == (36 + 180 + 48,)


def test_rates_at_a_far_need_ten_accepted_forgeries():
    y, scores = make_claims(40, n_skilled=25)
    report = verification_report(y, scores, n_bootstraps=5, random_state=0)
    threshold = report.far_thresholds["frr_at_far_0.01"]
    assert threshold == far_threshold(y, scores, far=0.01)
    assert far_score(y, scores, threshold=threshold) == 0.01
    assert report.estimates["frr_at_far_0.01"].value == frr_score(y, scores, threshold=threshold)
    assert "frr_at_far_0.001" not in report.estimates
    assert f"FRR at FAR skilled 1 %: at the threshold {threshold:.4g}" in str(report)
    assert "frr_at_far_0.01" not in verification_report(y[1:-1], scores[1:-1], n_bootstraps=0).estimates


def test_writers_without_forgeries_are_not_counted():
    y, scores = make_claims(4)
    keep = ~((y[:, 0] == 3) & (y[:, 1] == 1))
    with pytest.warns(UndefinedMetricWarning, match=r"1 of 4 writers.*3"):
        report = verification_report(y[keep], scores[keep], n_bootstraps=20, random_state=0)
    assert report.estimates["eer"].n_genuine == 24
    assert report.estimates["eer_writer"].n_genuine == 18
    assert report.estimates["eer_writer"].n_writers == 3
    assert np.isfinite(report.estimates["eer_writer"].high)


def test_without_skilled_forgeries_there_is_no_equal_error_rate():
    y, scores = make_matrix()
    keep = y[:, 1] == 0
    report = verification_report(y[keep], scores[keep], classes=np.arange(6), n_bootstraps=5, random_state=0)
    assert list(report.estimates) == ["frr", "far_random"]
    assert report.eer_threshold is None
    assert "EER, AUC: not available" in str(report)


def test_plain_labels():
    y, scores = make_claims()
    genuine = y[:, 1] == 0
    report = verification_report(genuine, scores, n_bootstraps=50, random_state=0)
    assert list(report.estimates) == ["frr", "far", "eer", "mean_auc"]
    assert report.estimates["mean_auc"].value == pytest.approx(roc_auc_score(genuine, scores))
    assert report.resampled == "trials"
    assert "resamples of trials" in str(report)
    by_writer = verification_report(genuine, scores, writers=y[:, 0], n_bootstraps=50, random_state=0)
    assert "eer_writer" in by_writer.estimates
    assert "resamples of writers" in str(by_writer)


@pytest.mark.parametrize("method", METHODS)
def test_trials_of_a_single_writer_are_drawn(method):
    y, scores = make_claims(1)
    report = verification_report(y, scores, method=method, n_bootstraps=50, random_state=0)
    assert report.resampled == "trials"
    assert report.estimates["eer_writer"].value == eer_score(y, scores, method=method, user_specific=True)
    assert report.estimates["eer"].low < report.estimates["eer"].high


@pytest.mark.parametrize("method", METHODS)
def test_replicates_are_the_error_rates_of_the_drawn_writers(method):
    """Repeat each draw with copies of the rows of the drawn writers, each copy with another writer id."""
    y, scores = make_claims(5)
    report = verification_report(y, scores, method=method, n_bootstraps=15, confidence=0.5, random_state=3)
    draws = np.random.RandomState(3).randint(5, size=(15, 5))
    replicates = {"frr": [], "far_skilled": [], "eer": [], "eer_writer": []}
    for drawn in draws:
        rows = np.concatenate([np.flatnonzero(y[:, 0] == writer) for writer in drawn])
        copied, again = np.column_stack([np.repeat(np.arange(5), 14), y[rows, 1]]), scores[rows]
        replicates["frr"].append(frr_score(copied, again))
        replicates["far_skilled"].append(far_score(copied, again))
        replicates["eer"].append(eer_score(copied, again, method=method))
        replicates["eer_writer"].append(eer_score(copied, again, method=method, user_specific=True))
    for name, values in replicates.items():
        estimate = report.estimates[name]
        assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(values, [0.25, 0.75]))), name


def test_intervals_repeat_with_a_seed():
    y, scores = make_claims()
    tables = [verification_report(y, scores, n_bootstraps=50, random_state=seed).to_dict() for seed in (0, 0, 1)]
    assert tables[0] == tables[1]
    assert tables[0] != tables[2]
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    verification_report(y, scores, n_bootstraps=5, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_intervals_contain_the_value_and_widen_with_confidence():
    y, scores = make_claims(30)
    wide = verification_report(y, scores, n_bootstraps=200, confidence=0.99, random_state=0)
    narrow = verification_report(y, scores, n_bootstraps=200, confidence=0.5, random_state=0)
    for name, estimate in wide.estimates.items():
        assert estimate.low < estimate.value < estimate.high
        assert estimate.low < narrow.estimates[name].low < narrow.estimates[name].high < estimate.high


def test_intervals_over_writers_are_wider_if_writers_differ():
    """Errors of a writer are correlated, which a bootstrap over trials ignores."""
    y, scores = make_claims(30, spread=3)
    by_writer = verification_report(y, scores, n_bootstraps=200, random_state=0).estimates["frr"]
    by_trial = verification_report(y[:, 1] == 0, scores, n_bootstraps=200, random_state=0).estimates["frr"]
    assert by_writer.value == by_trial.value
    assert by_writer.high - by_writer.low > 1.5 * (by_trial.high - by_trial.low)


def test_coverage_of_the_intervals():
    _, many = make_claims(20_000, seed=99)
    kind = make_claims(20_000, seed=99)[0][:, 1]
    truth = np.mean(many[kind == 0] < 0)
    hits = 0
    for seed in range(100):
        y, scores = make_claims(40, seed=seed)
        estimate = verification_report(y, scores, n_bootstraps=200, confidence=0.9, random_state=0).estimates["frr"]
        hits += estimate.low <= truth <= estimate.high
    assert 80 <= hits <= 97


def test_blocks_of_resamples_do_not_change_the_draws(monkeypatch):
    y, scores = make_claims()
    whole = verification_report(y, scores, n_bootstraps=50, random_state=0).to_dict()
    monkeypatch.setattr("sigkit.metrics._bootstrap.BLOCK", 7 * len(y))
    assert verification_report(y, scores, n_bootstraps=50, random_state=0).to_dict() == whole


def test_text_has_aligned_columns():
    y, scores = make_matrix()
    text = str(verification_report(y, scores, classes=np.arange(6), n_bootstraps=20, random_state=0))
    rows = text.split("\n\n")[0].splitlines()
    assert [row.split("  ")[0] for row in rows[1:]] == [
        "FRR",
        "FAR random",
        "FAR skilled",
        "EER skilled",
        "EER skilled, user-specific thresholds",
        "mean AUC skilled",
    ]
    assert len({len(row) for row in rows}) == 1
    assert "chosen on these scores" in text
    assert "20 bootstrap resamples of writers" in text


def test_without_resamples_there_are_no_intervals():
    y, scores = make_claims()
    report = verification_report(y, scores, n_bootstraps=0)
    assert {(estimate.low, estimate.high) for estimate in report.estimates.values()} == {(None, None)}
    assert "resamples" not in str(report)
    assert "No intervals (-): n_bootstraps is 0." in str(report)


def test_to_dict_and_pickling():
    y, scores = make_claims(3)
    names = np.array(["ada", "bob", "eve"])[y[:, 0]]
    claims = np.column_stack([names.astype(object), y[:, 1]])
    report = verification_report(claims, scores, threshold=[0.1, 0.2, 0.3], n_bootstraps=5, random_state=0)
    written = json.loads(json.dumps(report.to_dict()))
    assert written == report.to_dict()
    assert written["threshold"] == {"ada": 0.1, "bob": 0.2, "eve": 0.3}
    assert "user-specific thresholds" in str(report)
    again = pickle.loads(pickle.dumps(report))
    assert str(again) == str(report)
    np.testing.assert_array_equal(again.trials.y_score, report.trials.y_score)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_bootstraps": -1}, "n_bootstraps must be"),
        ({"n_bootstraps": 2.5}, "n_bootstraps must be"),
        ({"confidence": 95}, "confidence must be"),
        ({"method": "best"}, "method must be"),
        ({"threshold": {0: 1.0}}, "no value for 11 claimed writers"),
    ],
)
def test_invalid_parameters_raise(options, message):
    y, scores = make_claims()
    with pytest.raises(ValueError, match=message):
        verification_report(y, scores, **options)


def test_genuine_trials_and_forgeries_are_required():
    y, scores = make_claims()
    for side, message in ((0, "no forgeries"), (1, "no genuine trials")):
        with pytest.raises(ValueError, match=message):
            verification_report(y[y[:, 1] == side], scores[y[:, 1] == side])


def test_kind_of_forgeries_in_the_eer():
    y = [["ada", 0], ["ada", 0], ["bob", 0], ["bob", 0]]
    scores = [[0.9, -0.3], [0.1, 0.2], [-0.5, 0.8], [0.3, 0.6]]
    report = verification_report(y, scores, classes=["ada", "bob"], kind="random", n_bootstraps=0)
    assert report.eer_kind == "random"
    assert report.estimates["eer"].value == eer_score(y, scores, classes=["ada", "bob"], kind="random")
    assert "EER random" in str(report)
    assert "eer" not in verification_report(y, scores, classes=["ada", "bob"], n_bootstraps=0).estimates
