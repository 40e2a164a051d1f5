"""The figures of a report and of a scorer, computed for any weighting of writers or trials."""

from dataclasses import dataclass

import numpy as np

from sigkit.metrics._by_writer import _errors_of_writers, _threshold_of_trials
from sigkit.metrics._curves import _area_under_roc, _equal_error, _equal_error_rate, _operating_points, _share
from sigkit.metrics._trials import _Trials


@dataclass(frozen=True)
class Estimate:  # numpydoc ignore=PR01
    """One figure of a verification report.

    Attributes
    ----------
    value : float
        The error rate or the area, in [0, 1].
    low, high : float or None
        The bounds of its bootstrap interval; None if no interval was asked for.
    n_genuine, n_forgeries : int
        The trials that it stands on, 0 for a side that it does not use.
    n_writers : int or None
        The claimed writers of these trials; None where no writers are known.

    Examples
    --------
    >>> from sigkit.metrics import verification_report
    >>> report = verification_report([1, 1, 0, 0], [0.8, -0.1, 0.3, -0.6], n_bootstraps=0)
    >>> report.figures["frr"]
    Estimate(value=0.5, low=None, high=None, n_genuine=2, n_forgeries=0, n_writers=None)
    """

    value: float
    low: float | None
    high: float | None
    n_genuine: int
    n_forgeries: int
    n_writers: int | None


class _Estimates:
    """Every figure of some trials, as functions of the weights of their units (writers or trials).

    All counting is done once here; `weighted` only sums counts, but for the global EER, whose threshold is found
    anew for every row of weights. The sample itself is a row of ones.
    """

    def __init__(self, trials: _Trials, threshold: object, method: str, unit: str, kind: str = "skilled"):
        self.trials, self.method, self.unit = trials, method, unit
        self.units = trials.writer if unit == "writers" else np.arange(len(trials.score))
        self.n_units = len(trials.writers) if unit == "writers" else len(trials.score)
        genuine, forgeries = trials.require_genuine(), trials.require_forgeries("all")
        accepted = trials.score >= _threshold_of_trials(trials, threshold)
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
        """Compute every figure for each row of weights (n_rows, n_units)."""
        as_float = weights.astype(np.float64)
        figures = {name: _share(as_float @ errors, as_float @ totals) for name, (errors, totals) in self.rates.items()}
        if self.compared is None:
            return figures
        points = _operating_points(self.compared.score, self.compared.genuine, weights[:, self.compared_units])
        figures["eer"] = _equal_error_rate(points, self.method)
        if self.unit == "writers":
            figures["eer_writer"] = self.by_writer.pooled_rate(as_float)
            figures["mean_auc"] = self.by_writer.mean_area(as_float)
            return figures
        if self.by_writer is not None:
            # Known writers give trials as units only when there is one: its own threshold is the global one.
            figures["eer_writer"] = figures["eer"]
        figures["mean_auc"] = _area_under_roc(points)
        return figures

    def unweighted(self) -> dict[str, float]:
        """Compute every figure of the sample itself."""
        ones = np.ones((1, self.n_units), dtype=np.int64)
        return {name: float(values[0]) for name, values in self.weighted(ones).items()}

    def eer_threshold(self) -> float | None:
        """Find the global threshold of the EER, None where it has no forgeries to compare with."""
        if self.compared is None:
            return None
        return float(_equal_error(_operating_points(self.compared.score, self.compared.genuine), self.method).threshold)

    def census(self, name: str) -> tuple[int, int, int | None]:
        """Count the genuine trials, the forgeries and the writers that a figure stands on."""
        mask, n_writers = self.masks[name], None
        if self.trials.writer is not None:
            if name in ("eer_writer", "mean_auc"):
                mask = mask & np.isin(self.trials.writer, np.flatnonzero(self.by_writer.n_genuine))
            n_writers = len(np.unique(self.trials.writer[mask]))
        n_genuine = int(np.count_nonzero(mask & self.trials.genuine))
        return n_genuine, int(np.count_nonzero(mask)) - n_genuine, n_writers

    def _compare(self, mask, kind):
        self.compared, self.compared_units = self.trials.select(mask), self.units[mask]
        self.masks |= {"eer": mask, "mean_auc": mask}
        if self.trials.writer is not None:
            self.masks["eer_writer"] = mask
            self.by_writer = _errors_of_writers(self.trials, kind, self.method)

    def _count(self, errors, totals):
        counts = (np.bincount(self.units[mask], minlength=self.n_units) for mask in (errors, totals))
        return tuple(count.astype(np.float64) for count in counts)
