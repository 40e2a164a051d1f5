"""Error counts a writer, from which every pooled figure and its bootstrap are sums."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sigkit._utils import listing
from sigkit.metrics._curves import _area_under_roc, _equal_error, _operating_points, _share
from sigkit.metrics._trials import _Trials


@dataclass(frozen=True)
class _WriterErrors:
    """Each writer's errors at a threshold of its own, arrays of shape (n_writers,).

    A writer who lacks genuine trials or forgeries has totals of 0, and NaN as threshold and area.
    """

    threshold: np.ndarray
    false_accepts: np.ndarray
    false_rejects: np.ndarray
    n_forgeries: np.ndarray
    n_genuine: np.ndarray
    area: np.ndarray

    def pooled_rate(self, weights: np.ndarray) -> np.ndarray:
        """Average the two error shares of all writers together; `weights` (..., n_writers) counts writers."""
        far = _share(weights @ self.false_accepts, weights @ self.n_forgeries)
        frr = _share(weights @ self.false_rejects, weights @ self.n_genuine)
        return (far + frr) / 2

    def mean_area(self, weights: np.ndarray) -> np.ndarray:
        """Average the areas under the ROC of the writers who have one."""
        defined = ~np.isnan(self.area)
        return _share(weights[..., defined] @ self.area[defined], weights[..., defined].sum(axis=-1))


def _errors_of_writers(trials: _Trials, kind: str, method: str) -> _WriterErrors:
    """Find each writer's equal error point; warn about writers who lack either side."""
    chosen = trials.select(trials.require_genuine() | trials.require_forgeries(kind))
    if chosen.writer is None:
        raise ValueError(
            "A threshold a writer needs to know whose claim each score is. Pass writers, rows [writer, forgery], "
            "or ask for one global threshold."
        )
    order = np.argsort(chosen.writer, kind="stable")
    ends = np.cumsum(np.bincount(chosen.writer, minlength=len(chosen.writers)))
    totals = np.zeros((6, len(chosen.writers)))
    totals[[0, 5]] = np.nan
    for writer, rows in enumerate(np.split(order, ends[:-1])):
        genuine = chosen.genuine[rows]
        if not genuine.any() or genuine.all():
            continue
        points = _operating_points(chosen.score[rows], genuine)
        error = _equal_error(points, method)
        counts = error.false_accepts, error.false_rejects, points.n_forgeries, points.n_genuine
        totals[:, writer] = error.threshold, *counts, _area_under_roc(points)
    errors = _WriterErrors(*totals)
    _warn_left_out(chosen.writers[errors.n_genuine == 0], len(chosen.writers), kind if trials.has_kinds else "all")
    return errors


def _align_thresholds(threshold: object, trials: _Trials) -> float | np.ndarray:
    """Read a threshold given by the user: a number, or an array in the order of `trials.writers`.

    NaN stands in that array for a writer without a threshold, which is well as long as nobody claims to be that writer.
    """
    # A Series has positions, too, but only its index tells whose threshold is whose.
    if hasattr(threshold, "to_dict"):
        threshold = threshold.to_dict()
    if np.ndim(threshold) == 0 and not isinstance(threshold, Mapping):
        if np.asarray(threshold).dtype.kind not in "biuf" or np.isnan(threshold):
            raise ValueError(f"threshold is {threshold!r}. Pass a number, or thresholds a writer.")
        return float(threshold)
    if trials.writer is None:
        raise ValueError(
            "Thresholds a writer need to know whose claim each score is. Pass writers, rows [writer, forgery], "
            "or a matrix with classes."
        )
    if isinstance(threshold, Mapping):
        values = np.array([threshold.get(writer, np.nan) for writer in trials.writers.tolist()], dtype=np.float64)
    else:
        values = np.asarray(threshold, dtype=np.float64)
    if values.shape != trials.writers.shape:
        raise ValueError(
            f"threshold must be a number, a mapping from writers, or an array with a value for each of the "
            f"{len(trials.writers)} claimed writers in order; got shape {values.shape}."
        )
    needed = np.bincount(trials.writer, minlength=len(values)) > 0
    missing = trials.writers[np.isnan(values) & needed].tolist()
    if missing:
        raise ValueError(
            f"threshold has no value for {len(missing)} claimed writers: {listing(map(repr, missing))}. "
            "Give each of them one, or leave their trials out."
        )
    return values


def _threshold_of_trials(trials: _Trials, threshold: object) -> float | np.ndarray:
    """Spread a threshold over the trials: one for all, or each trial's writer's own."""
    values = _align_thresholds(threshold, trials)
    return values if isinstance(values, float) else values[trials.writer]


def _warn_left_out(left_out, n_writers, kind):
    if len(left_out):
        warnings.warn(
            f"{len(left_out)} of {n_writers} writers lack genuine trials or forgeries (kind {kind!r}) and are left out "
            f"of figures with a threshold a writer and of the mean AUC: {listing(map(repr, left_out.tolist()))}.",
            UndefinedMetricWarning,
            stacklevel=4,
        )
