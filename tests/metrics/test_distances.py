"""Distances in place of scores are warned about, and chance is not."""

import matplotlib
import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sigkit.metrics import (
    EceDisplay,
    ScoreHistogramDisplay,
    TippettDisplay,
    VerificationDetDisplay,
    cllr_score,
    cost_threshold,
    eer_score,
    eer_threshold,
    far_at_frr_score,
    far_score,
    far_threshold,
    frr_at_far_score,
    frr_score,
    frr_threshold,
    min_cllr_score,
    min_dcf_score,
    verification_report,
    wrong_decisions,
)

matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


def test_distances_are_warned_about():
    rng = np.random.default_rng(0)
    distance = np.concatenate([rng.normal(0.3, 0.1, 50), rng.normal(0.7, 0.1, 200)])
    y = np.repeat([1, 0], [50, 200])
    rows = np.column_stack([np.arange(250) % 5, 1 - y])
    for call in (
        lambda: eer_score(y, distance),
        lambda: eer_threshold(y, distance),
        lambda: eer_score(rows, distance, user_specific=True),
        lambda: verification_report(y, distance, n_bootstraps=0),
        lambda: far_score(y, distance, threshold=0.5),
        lambda: frr_score(rows, distance, threshold=0.5),
        lambda: far_threshold(y, distance, far=0.05),
        lambda: frr_threshold(y, distance, frr=0.05),
        lambda: cost_threshold(rows, distance, prior=0.5),
        lambda: frr_at_far_score(y, distance, far=0.05),
        lambda: far_at_frr_score(rows, distance, frr=0.05),
        lambda: min_dcf_score(y, distance, prior=0.5),
        lambda: cllr_score(y, distance),
        lambda: min_cllr_score(rows, distance),
        lambda: wrong_decisions(rows, distance),
        lambda: VerificationDetDisplay.from_predictions(y, distance),
        lambda: VerificationDetDisplay.from_systems({"one": distance}, rows),
        lambda: ScoreHistogramDisplay.from_predictions(y, distance),
        lambda: TippettDisplay.from_predictions(y, distance),
        lambda: EceDisplay.from_predictions(rows, distance),
    ):
        with pytest.warns(UndefinedMetricWarning, match=r"ROC curve is 0\.00.*pass -y_score") as warned:
            call()
        assert warned[0].filename == __file__
    assert far_score(y, -distance, threshold=-0.5) < 0.05
    assert eer_score(y, -distance) < 0.05


def test_chance_is_not_warned_about():
    n_warned = 0
    for seed in range(50):
        s = np.random.default_rng(seed).normal(size=300)
        try:
            eer_score(np.arange(300) % 3 == 0, s)
        except UndefinedMetricWarning:
            n_warned += 1
    assert n_warned < 5
