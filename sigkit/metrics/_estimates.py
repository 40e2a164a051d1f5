"""The error rates of a report or a scorer, computed for any weights of writers or trials."""

from dataclasses import dataclass

import numpy as np

from sigkit.metrics._by_writer import _errors_of_writers, _threshold_of_trials
from sigkit.metrics._curves import _area_under_roc, _equal_error, _equal_error_rate, _operating_points, _ratio
from sigkit.metrics._trials import _Trials


@dataclass(frozen=True)
class Estimate:  # numpydoc ignore=PR01
    """One error rate (or area under the ROC curve) of a verification report.

    Attributes
    ----------
    value : float
        The error rate or the area, in [0, 1].
    low, high : float or None
        Bounds of the bootstrap interval; None with `n_bootstraps=0`.
    n_genuine, n_forgeries : int
        Number of trials behind the value, 0 for trials that it does not depend on.
    n_writers : int or None
        Number of claimed writers of these trials; None if the writers are not known.

    Examples
    --------
    >>> from sigkit.metrics import verification_report
    >>> report = verification_report([1, 1, 0, 0], [0.8, -0.1, 0.3, -0.6], n_bootstraps=0)
    >>> report.estimates["frr"]
    Estimate(value=0.5, low=None, high=None, n_genuine=2, n_forgeries=0, n_writers=None)
    """

    value: float
    low: float | None
    high: float | None
    n_genuine: int
    n_forgeries: int
    n_writers: int | None


class _WeightedEstimates:
    """All error rates of a set of trials, as functions of the weights of their units (writers or trials).

    A bootstrap replicate is the error rate of weighted trials, and the sample itself has weights of 1. Trials are
    counted once, here: FRR, FAR and what has user-specific thresholds are then products of weights and counts. Only the
    global EER has to be searched for every row of weights again, as its threshold depends on all trials.
    """

    def __init__(self, trials: _Trials, threshold: object, method: str, unit: str, kind: str = "skilled"):
        self.trials, self.method, self.unit = trials, method, unit
        self.units = trials.writer if unit == "writers" else np.arange(len(trials.score))
        self.n_units = len(trials.writers) if unit == "writers" else len(trials.score)
        genuine, forgeries = trials.require_genuine(), trials.require_forgeries("all")
        accepted = trials.score >= _threshold_of_trials(trials, threshold)
        # By name: the trials behind each estimate, and the errors and totals of each rate at the given threshold.
        self.masks = {"frr": genuine}
        self.rates = {"frr": self._count(genuine & ~accepted, genuine)}
        for name in trials.forgery_kinds:
            key = f"far_{name}" if trials.has_kinds else "far"
            self.masks[key] = trials.require_forgeries(name) if trials.has_kinds else forgeries
            self.rates[key] = self._count(self.masks[key] & accepted, self.masks[key])
        self.compared = self.by_writer = None
        if kind == "all" or kind in trials.forgery_kinds or not trials.has_kinds:
            self._compare(genuine | trials.require_forgeries(kind), kind)

    def weighted(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Compute all estimates for each row of weights (n_rows, n_units)."""
        # Products of integer arrays do not use BLAS, those of floats do.
        as_float = weights.astype(np.float64)
        values = {name: _ratio(as_float @ errors, as_float @ totals) for name, (errors, totals) in self.rates.items()}
        if self.compared is None:
            return values
        points = _operating_points(self.compared.score, self.compared.genuine, weights[:, self.compared_units])
        values["eer"] = _equal_error_rate(points, self.method)
        if self.unit == "writers":
            values["eer_writer"] = self.by_writer.pooled_rate(as_float)
            values["mean_auc"] = self.by_writer.mean_area(as_float)
            return values
        if self.by_writer is not None:
            # Trials are the units although writers are known, so there is only one: its threshold is the global one.
            values["eer_writer"] = values["eer"]
        values["mean_auc"] = _area_under_roc(points)
        return values

    def unweighted(self) -> dict[str, float]:
        """Compute all estimates of the sample itself."""
        ones = np.ones((1, self.n_units), dtype=np.int64)
        return {name: float(values[0]) for name, values in self.weighted(ones).items()}

    def eer_threshold(self) -> float | None:
        """Find the global threshold of the EER; None if there are no forgeries of the kind compared."""
        if self.compared is None:
            return None
        return float(_equal_error(_operating_points(self.compared.score, self.compared.genuine), self.method).threshold)

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

    def _compare(self, mask, kind):
        """Set up the estimates that compare genuine trials with the forgeries of one kind: EER and area."""
        self.compared, self.compared_units = self.trials.select(mask), self.units[mask]
        self.masks |= {"eer": mask, "mean_auc": mask}
        if self.trials.writer is not None:
            self.masks["eer_writer"] = mask
            self.by_writer = _errors_of_writers(self.trials, kind, self.method)

    def _count(self, errors, totals):
        """Count the trials of both masks in each unit."""
        counts = (np.bincount(self.units[mask], minlength=self.n_units) for mask in (errors, totals))
        return tuple(count.astype(np.float64) for count in counts)
