"""The error rates of a report or a scorer, and how they change with the weights of writers or trials."""

from dataclasses import dataclass

import numpy as np

from sigkit.metrics._by_writer import _errors_of_writers, _threshold_of_trials
from sigkit.metrics._curves import (
    _area_under_roc,
    _equal_error,
    _equal_error_rate,
    _operating_points,
    _ratio,
    _rejection_rate_at,
    _weighted_points,
)
from sigkit.metrics._resampled_curve import _WriterCurve
from sigkit.metrics._thresholds import _threshold_at_far
from sigkit.metrics._trials import _Trials

# FAR at which a report shows the FRR, if at least this number of forgeries is accepted there: with fewer the threshold
# depends on single forgeries.
LEVELS = (0.01, 0.001, 0.0001)
MIN_ACCEPTED = 10


@dataclass(frozen=True)
class Estimate:  # numpydoc ignore=PR01
    """One error rate (or area under the ROC curve) of a verification report.

    Attributes
    ----------
    value : float
        The error rate or the area, in [0, 1].
    low, high : float or None
        Bounds of the interval; None with `n_bootstraps=0`, and where no interval is known.
    interval : {"bootstrap", "exact"} or None
        How the interval was computed, see :func:`verification_report`.
    n_genuine, n_forgeries : int
        Number of trials behind the value, 0 for trials that it does not depend on.
    n_writers : int or None
        Number of claimed writers of these trials; None if the writers are not known.

    Examples
    --------
    >>> from sigkit.metrics import verification_report
    >>> report = verification_report([1, 1, 0, 0], [0.8, -0.1, 0.3, -0.6], n_bootstraps=0)
    >>> report.estimates["frr"]
    Estimate(value=0.5, low=None, high=None, interval=None, n_genuine=2, n_forgeries=0, n_writers=None)
    """

    value: float
    low: float | None
    high: float | None
    interval: str | None
    n_genuine: int
    n_forgeries: int
    n_writers: int | None


class _Estimates:
    """All error rates of a set of trials, also as functions of the weights of their units (writers or trials).

    A bootstrap replicate is the error rate of weighted trials. Trials are counted once, here: FRR, FAR and what has
    user-specific thresholds are then products of weights and counts. Only what has a global threshold that depends on
    the trials, such as the EER, has to be searched for every row of weights again.
    """

    def __init__(
        self,
        trials: _Trials,
        threshold: object,
        method: str,
        unit: str,
        kind: str = "skilled",
        levels: tuple[float, ...] = (),
    ):
        self.trials, self.method, self.unit = trials, method, unit
        genuine, forgeries = trials.require_genuine(), trials.require_forgeries("all")
        # By name: the trials behind each estimate, and the errors among them at the threshold, if one is given.
        self.masks, self.errors = {}, {}
        if threshold is not None:
            accepted = trials.score >= _threshold_of_trials(trials, threshold)
            self.masks["frr"], self.errors["frr"] = genuine, genuine & ~accepted
            for name in trials.forgery_kinds:
                key = f"far_{name}" if trials.has_kinds else "far"
                self.masks[key] = trials.require_forgeries(name) if trials.has_kinds else forgeries
                self.errors[key] = self.masks[key] & accepted
        self.compared = self.by_writer = self.points = None
        self.levels = {}
        if kind == "all" or kind in trials.forgery_kinds or not trials.has_kinds:
            self._compare(genuine | trials.require_forgeries(kind), kind, levels)

    def values(self) -> dict[str, float]:
        """Compute all estimates of the sample itself."""
        values = {
            name: np.count_nonzero(self.errors[name]) / np.count_nonzero(self.masks[name]) for name in self.errors
        }
        if self.compared is None:
            return values
        values["eer"] = _equal_error_rate(self.points, self.method)
        values |= {name: _rejection_rate_at(self.points, level) for name, level in self.levels.items()}
        values["mean_auc"] = _area_under_roc(self.points)
        if self.by_writer is not None:
            # Trials are the units although writers are known if there is only one: its threshold is the global one.
            values["eer_writer"] = values["eer"]
            if self.unit == "writers":
                ones = np.ones(len(self.trials.writers))
                values |= {"eer_writer": self.by_writer.pooled_rate(ones), "mean_auc": self.by_writer.mean_area(ones)}
        return {name: float(value) for name, value in values.items()}

    def resampler(self) -> "_WriterResampler | _TrialResampler":
        """Prepare the computation of all estimates for weights of the units."""
        return _WriterResampler(self) if self.unit == "writers" else _TrialResampler(self)

    def eer_threshold(self) -> float | None:
        """Find the global threshold of the EER; None if there are no forgeries of the kind compared."""
        return None if self.points is None else float(_equal_error(self.points, self.method).threshold)

    def far_thresholds(self) -> dict[str, float]:
        """Find the threshold of each FRR at a FAR."""
        return {
            name: _threshold_at_far(self.compared.score, self.compared.genuine, level)
            for name, level in self.levels.items()
        }

    def census(self, name: str) -> tuple[int, int, int | None]:
        """Count the genuine trials, the forgeries and the writers behind an estimate."""
        mask, n_writers = self.masks[name], None
        if self.trials.writer is not None:
            if name in ("eer_writer", "mean_auc"):
                # Writers without genuine trials or forgeries have neither a threshold nor an area.
                mask = mask & np.isin(self.trials.writer, np.flatnonzero(self.by_writer.n_genuine))
            n_writers = len(np.unique(self.trials.writer[mask]))
        n_genuine = int(np.count_nonzero(mask & self.trials.genuine))
        return n_genuine, int(np.count_nonzero(mask)) - n_genuine, n_writers

    def _compare(self, mask, kind, levels):
        """Set up the estimates that compare genuine trials with the forgeries of one kind: EER and area."""
        self.compared = self.trials.select(mask)
        self.points = _operating_points(self.compared.score, self.compared.genuine)
        self.masks |= {"eer": mask, "mean_auc": mask}
        self.levels = {f"frr_at_far_{at}": at for at in levels if at * self.points.n_forgeries >= MIN_ACCEPTED}
        self.masks |= dict.fromkeys(self.levels, mask)
        if self.trials.writer is not None:
            self.masks["eer_writer"] = mask
            self.by_writer = _errors_of_writers(self.trials, kind, self.method)


class _WriterResampler:
    """Estimates of resamples of writers."""

    def __init__(self, estimates: _Estimates):
        self.estimates = estimates
        trials, n_writers = estimates.trials, len(estimates.trials.writers)
        self.counts = {
            name: tuple(
                np.bincount(trials.writer[mask], minlength=n_writers).astype(np.float64)
                for mask in (estimates.errors[name], estimates.masks[name])
            )
            for name in estimates.errors
        }
        compared = estimates.compared
        # The corners of the curve, which sigver's method searches, depend on all of its points.
        self.curve = None
        if compared is not None and estimates.method != "sigver":
            self.curve = _WriterCurve(compared.score, compared.genuine, compared.writer, n_writers)

    def weighted(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Compute all estimates for each row of weights (n_rows, n_writers)."""
        # Products of integer arrays do not use BLAS, those of floats do.
        as_float = weights.astype(np.float64)
        values = {name: _ratio(as_float @ errors, as_float @ totals) for name, (errors, totals) in self.counts.items()}
        estimates, compared = self.estimates, self.estimates.compared
        if compared is None:
            return values
        if self.curve is not None:
            values |= self.curve.rates(as_float, estimates.method, estimates.levels)
        else:
            points = _weighted_points(compared.score, compared.genuine, weights[:, compared.writer])
            values |= _rates_of_points(points, estimates)
        values["eer_writer"] = estimates.by_writer.pooled_rate(as_float)
        values["mean_auc"] = estimates.by_writer.mean_area(as_float)
        return values


class _TrialResampler:
    """Estimates of resamples of trials."""

    def __init__(self, estimates: _Estimates):
        self.estimates = estimates
        self.rows = None if estimates.compared is None else np.flatnonzero(estimates.masks["eer"])

    def weighted(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Compute all estimates for each row of weights (n_rows, n_trials)."""
        estimates = self.estimates
        values = {
            name: _ratio(weights[:, errors].sum(axis=1), weights[:, estimates.masks[name]].sum(axis=1))
            for name, errors in estimates.errors.items()
        }
        if estimates.compared is None:
            return values
        points = _weighted_points(estimates.compared.score, estimates.compared.genuine, weights[:, self.rows])
        values |= _rates_of_points(points, estimates) | {"mean_auc": _area_under_roc(points)}
        if estimates.by_writer is not None:
            values["eer_writer"] = values["eer"]
        return values


def _rates_of_points(points, estimates):
    rates = {name: _rejection_rate_at(points, level) for name, level in estimates.levels.items()}
    return rates | {"eer": _equal_error_rate(points, estimates.method)}
