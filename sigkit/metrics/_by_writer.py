"""User-specific thresholds: errors at the best threshold of each writer, and validation of given thresholds."""

from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sigkit._utils import check_threshold, listing, thresholds_of_writers, warn
from sigkit.metrics._curves import _area_under_roc, _equal_error, _operating_points, _ratio
from sigkit.metrics._trials import _Trials


@dataclass(frozen=True)
class _WriterErrors:
    """Errors of each writer at the writer's own equal error threshold, arrays of shape (n_writers,).

    Counts rather than rates, so that any resample of writers is a weighted sum. A writer without genuine trials or
    without forgeries has counts of 0, which drop out of every sum, and NaN as threshold and area.
    """

    threshold: np.ndarray
    false_accepts: np.ndarray
    false_rejects: np.ndarray
    n_forgeries: np.ndarray
    n_genuine: np.ndarray
    area: np.ndarray

    def pooled_rate(self, weights: np.ndarray) -> np.ndarray:
        """Pool the errors of all writers and average FAR and FRR; `weights` (..., n_writers) counts each writer."""
        far = _ratio(weights @ self.false_accepts, weights @ self.n_forgeries)
        frr = _ratio(weights @ self.false_rejects, weights @ self.n_genuine)
        return (far + frr) / 2

    def mean_area(self, weights: np.ndarray) -> np.ndarray:
        """Average the area under the ROC curve over the writers who have one."""
        # 0 * NaN is NaN: an undefined area has to be left out, a weight of 0 is not enough.
        defined = ~np.isnan(self.area)
        return _ratio(weights[..., defined] @ self.area[defined], weights[..., defined].sum(axis=-1))


def _errors_of_writers(trials: _Trials, kind: str, method: str) -> _WriterErrors:
    """Find the equal error point of each writer, and warn about writers without genuine trials or forgeries."""
    chosen = trials.select(trials.require_genuine() | trials.require_forgeries(kind))
    groups = _rows_of_writers(chosen)
    # Rows in the order of the fields of _WriterErrors; threshold and area are undefined until computed.
    totals = np.zeros((6, len(chosen.writers)))
    totals[[0, 5]] = np.nan
    for writer, rows in enumerate(groups):
        genuine = chosen.genuine[rows]
        if not genuine.any() or genuine.all():
            continue
        points = _operating_points(chosen.score[rows], genuine)
        error = _equal_error(points, method)
        counts = error.false_accepts, error.false_rejects, points.n_forgeries, points.n_genuine
        totals[:, writer] = error.threshold, *counts, _area_under_roc(points)
    errors = _WriterErrors(*totals)
    _warn_about_undefined(
        chosen.writers[errors.n_genuine == 0], len(chosen.writers), kind if trials.has_kinds else "all"
    )
    return errors


def _rows_of_writers(trials: _Trials) -> list[np.ndarray]:
    """Group the trials by claimed writer, in the order of `trials.writers`, or raise if the writers are not known."""
    if trials.writer is None:
        raise ValueError(
            "User-specific thresholds need the claimed writer of each score. Pass writers, or rows [writer, forgery] "
            "as y_true, or use one global threshold."
        )
    # One sort groups the trials of all writers. A mask per writer would take n_writers passes over all trials.
    order = np.argsort(trials.writer, kind="stable")
    ends = np.cumsum(np.bincount(trials.writer, minlength=len(trials.writers)))
    return np.split(order, ends[:-1])


def _align_thresholds(threshold: object, trials: _Trials) -> float | np.ndarray:
    """Validate the threshold passed by the user: return a float, or an array in the order of `trials.writers`.

    The array may hold NaN for a writer without trials.
    """
    # A Series also converts to an array, but in the order of its index, which need not be that of the writers.
    by_writer = thresholds_of_writers(threshold) if hasattr(threshold, "items") else None
    if by_writer is None and np.ndim(threshold) == 0:
        return check_threshold(threshold)
    if trials.writer is None:
        raise ValueError(
            "User-specific thresholds need the claimed writer of each score. Pass writers, rows [writer, forgery] as "
            "y_true, or a score matrix with classes."
        )
    if by_writer is not None:
        values = np.array([by_writer.get(writer, np.nan) for writer in trials.writers.tolist()])
    else:
        values = np.asarray(threshold)
        if values.dtype.kind not in "iuf":
            raise ValueError(f"threshold must be a number for each writer; found {threshold!r}.")
        values = values.astype(np.float64)
    if values.shape != trials.writers.shape:
        raise ValueError(
            f"threshold must be a number, a mapping from writers, or an array with one value for each of the "
            f"{len(trials.writers)} claimed writers in order; got shape {values.shape}."
        )
    needed = np.bincount(trials.writer, minlength=len(values)) > 0
    missing = trials.writers[np.isnan(values) & needed].tolist()
    if missing:
        raise ValueError(
            f"threshold has no value for {len(missing)} claimed writers: {listing(map(repr, missing))}. "
            "Add their thresholds, or leave out their trials."
        )
    return values


def _threshold_of_trials(trials: _Trials, threshold: object) -> float | np.ndarray:
    """Return the threshold of every trial: a float for all, or an array with that of each trial's writer."""
    values = _align_thresholds(threshold, trials)
    return values if isinstance(values, float) else values[trials.writer]


def _check_user_specific(user_specific: object) -> bool:
    """Raise a ValueError unless the parameter is a boolean."""
    if not isinstance(user_specific, (bool, np.bool_)):
        raise ValueError(
            f"user_specific must be True (a threshold for each writer) or False (one global threshold); got "
            f"{user_specific!r}. For error rates at given thresholds use far_score and frr_score."
        )
    return user_specific


def _warn_about_undefined(writers, n_writers, kind):
    if len(writers):
        warn(
            f"{len(writers)} of {n_writers} writers have no genuine trials or no forgeries (kind {kind!r}). They are "
            f"ignored by metrics with user-specific thresholds and by the mean AUC: "
            f"{listing(map(repr, writers.tolist()))}.",
            UndefinedMetricWarning,
        )
