"""Scores that fall with genuineness."""

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sigkit._utils import warn
from sigkit.metrics._curves import _area_under_roc, _operating_points, _OperatingPoints
from sigkit.metrics._trials import _Trials


def _warn_about_distances(points: _OperatingPoints | None) -> None:
    """Warn if the area under the ROC curve is below one half by more than chance explains."""
    if points is None:
        return
    n_genuine, n_forgeries = int(points.n_genuine), int(points.n_forgeries)
    area = float(_area_under_roc(points))
    # The standard deviation of the area of scores that do not depend on the label. Without it every other system at
    # chance level would be warned about. Of two trials of each kind, only a complete reversal is.
    deviation = np.sqrt((n_genuine + n_forgeries + 1) / (12 * n_genuine * n_forgeries))
    if area < 0.5 - 2 * deviation or (area == 0 and min(n_genuine, n_forgeries) > 1):
        warn(
            f"The area under the ROC curve is {area:.4f}, below one half: genuine trials have lower scores than "
            "forgeries. Do the scores fall with genuineness, as distances do? Then pass -y_score.",
            UndefinedMetricWarning,
        )


def _check_direction(trials: _Trials, kind: str = "all") -> None:
    """Warn as `_warn_about_distances`, if there are genuine trials and forgeries."""
    genuine = trials.genuine
    if not genuine.any() or genuine.all():
        return
    chosen = trials.select(genuine | trials.require_forgeries(kind))
    score, genuine = chosen.score, chosen.genuine
    # Medians of millions of scores are found much faster than the area, which needs sorted scores.
    if np.median(score[genuine]) <= np.median(score[~genuine]):
        _warn_about_distances(_operating_points(score, genuine))
