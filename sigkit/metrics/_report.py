"""The report of a verification system: error rates with intervals and trial counts, as text and as plots."""

from dataclasses import dataclass, field

from sklearn.utils import Bunch

from sigkit.metrics._det_display import VerificationDetDisplay
from sigkit.metrics._estimates import Estimate
from sigkit.metrics._histogram_display import ScoreHistogramDisplay

# In the order of the table.
LABELS = {"frr": "FRR", "far": "FAR"}
LABELS |= {f"far_{kind}": f"FAR {kind}" for kind in ("random", "simple", "skilled")}
LABELS |= {"eer": "EER", "eer_writer": "EER, user-specific thresholds", "mean_auc": "mean AUC"}


@dataclass(frozen=True, eq=False)
class VerificationReport:  # numpydoc ignore=PR01
    """Error rates of a verification system, with bootstrap intervals; `print` it for a table.

    Attributes
    ----------
    estimates : dict of str to Estimate
        "frr", "far_random", "far_skilled", "far_simple" (or "far" for plain labels), "eer", "eer_writer" (with
        user-specific thresholds) and "mean_auc", without those for which there are no trials.
    threshold : float or dict
        The threshold of FRR and FAR, or the threshold of each writer.
    eer_threshold : float or None
        The global threshold of the EER, chosen on the reported scores; None without an EER.
    eer_kind : str or None
        The kind of forgeries in EER and AUC, "forgery" for plain labels; None without an EER.
    method : str
        How the threshold of the EER was found.
    confidence : float
        The confidence level of the intervals.
    n_bootstraps : int
        The number of bootstrap resamples.
    resampled : {"writers", "trials"}
        What the bootstrap drew.
    trials : Bunch
        The trials, as :func:`verification_trials` returns them.

    See Also
    --------
    verification_report : Computes the report.

    Examples
    --------
    >>> from sigkit.metrics import verification_report
    >>> report = verification_report([1, 1, 0, 0], [0.8, -0.1, 0.3, -0.6], n_bootstraps=0)
    >>> report.estimates["frr"].value, report.eer_threshold
    (0.5, 0.3)
    """

    estimates: dict[str, Estimate]
    threshold: float | dict
    eer_threshold: float | None
    eer_kind: str | None
    method: str
    confidence: float
    n_bootstraps: int
    resampled: str
    trials: Bunch = field(repr=False)

    def to_dict(self) -> dict:
        """Convert the report to a dict that `json.dumps` accepts, without the trials.

        Returns
        -------
        dict
            The attributes by name; `estimates` maps each name to the attributes of an :class:`Estimate`.
        """
        names = ("threshold", "eer_threshold", "eer_kind", "method", "confidence", "n_bootstraps", "resampled")
        estimates = {name: dict(vars(estimate)) for name, estimate in self.estimates.items()}
        return {"estimates": estimates} | {name: getattr(self, name) for name in names}

    def plot_det(self, ax=None) -> VerificationDetDisplay:
        """Plot the trade-off of FAR and FRR, with one curve per kind of forgery.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        VerificationDetDisplay
            The display, with `ax_` and `figure_`.
        """
        return VerificationDetDisplay(self.trials).plot(ax=ax)

    def plot_scores(self, ax=None) -> ScoreHistogramDisplay:
        """Plot histograms of the scores, with the threshold of FRR and FAR if it is global.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        ScoreHistogramDisplay
            The display, with `ax_` and `figure_`.
        """
        threshold = None if isinstance(self.threshold, dict) else self.threshold
        return ScoreHistogramDisplay(self.trials, threshold=threshold).plot(ax=ax)

    def __str__(self) -> str:
        header = ("", "value", f"{100 * self.confidence:g} % interval", "genuine", "forgeries", "writers")
        rows = [header] + [self._row(name, estimate) for name, estimate in self.estimates.items()]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
        return "\n".join([*lines, "", *self._notes()])

    def _row(self, name, estimate):
        label = LABELS[name]
        if name == "mean_auc" and estimate.n_writers is None:
            label = "AUC"
        if name in ("eer", "eer_writer", "mean_auc") and self.eer_kind != "forgery":
            label = label.replace("EER", f"EER {self.eer_kind}").replace("AUC", f"AUC {self.eer_kind}")
        # An area is not an error rate: in percent it would look comparable with the rates above it.
        factor, pattern = (1, "{:.4f}") if name == "mean_auc" else (100, "{:.2f}")
        value = pattern.format(factor * estimate.value) + ("" if factor == 1 else " %")
        interval = "-"
        if estimate.low is not None:
            interval = f"[{pattern.format(factor * estimate.low)}, {pattern.format(factor * estimate.high)}]"
        counts = (estimate.n_genuine or "-", estimate.n_forgeries or "-", estimate.n_writers or "-")
        return (label, value, interval, *map(str, counts))

    def _notes(self):
        thresholds = (
            "user-specific thresholds" if isinstance(self.threshold, dict) else f"threshold {self.threshold:.4g}"
        )
        yield f"FRR, FAR: at the given {thresholds}."
        if self.eer_kind is None:
            yield "EER, AUC: not available without forgeries of the given kind (skilled by default)."
        else:
            yield (
                f"EER: at the threshold where FAR and FRR are equal, chosen on these scores ({self.eer_threshold:.4g}; "
                f"method {self.method!r})."
            )
        if self.n_bootstraps:
            yield f"Intervals: percentiles of {self.n_bootstraps} bootstrap resamples of {self.resampled}."
            if self.resampled == "trials":
                yield "The intervals are too narrow if many trials come from few writers, who are not known here."
