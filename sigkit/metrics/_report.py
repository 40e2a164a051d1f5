"""The report of a verification system: error rates with intervals and trial counts, as text, tables and plots."""

from dataclasses import dataclass, field

from sklearn.utils import Bunch

from sigkit.metrics._det_display import VerificationDetDisplay
from sigkit.metrics._estimates import LEVELS, Estimate
from sigkit.metrics._histogram_display import ScoreHistogramDisplay
from sigkit.metrics._per_writer import _rates_of_writers
from sigkit.metrics._tables import _as_percent, _in_columns, latex_table, rows_to_frame

# In the order of the table.
LABELS = {"frr": "FRR", "far": "FAR"}
LABELS |= {f"far_{kind}": f"FAR {kind}" for kind in ("random", "simple", "skilled")}
LABELS |= {f"frr_at_far_{level}": f"FRR at FAR {100 * level:g} %" for level in LEVELS}
LABELS |= {"eer": "EER", "eer_writer": "EER, user-specific thresholds", "mean_auc": "mean AUC"}
# In ISO/IEC 19795-1 zero-effort impostors are random forgeries; other forgeries are attacks of ISO/IEC 30107-3.
ISO_TERMS = {"frr": "FNMR", "far": "FMR", "far_random": "FMR", "far_simple": "IAPAR", "far_skilled": "IAPAR"}
ISO_NOTE = (
    "In terms of ISO/IEC 19795-1, FRR is FNMR and the FAR of random forgeries FMR; the FAR of others is like the IAPAR "
    "of ISO/IEC 30107-3."
)

# For tables that are read apart from the text.
UNIT_NOTE = "Intervals are in the unit of the value. A dash (-) in the last columns: none, or not known."


@dataclass(frozen=True, eq=False)
class VerificationReport:  # numpydoc ignore=PR01
    """Error rates of a verification system, with intervals; `print` it for a table.

    Attributes
    ----------
    estimates : dict of str to Estimate
        "frr", "far_random", "far_skilled", "far_simple" (or "far" for plain labels), "frr_at_far_0.01",
        "frr_at_far_0.001" and "frr_at_far_0.0001", "eer", "eer_writer" (with user-specific thresholds) and "mean_auc",
        without those for which there are no trials, or too few.
    threshold : float or dict
        The threshold of FRR and FAR, or the threshold of each writer.
    eer_threshold : float or None
        The global threshold of the EER, chosen on the reported scores; None without an EER.
    far_thresholds : dict of str to float
        The global thresholds of the estimates "frr_at_far_0.01" and the like, chosen on the reported scores.
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
    compare_systems : Compares several systems on the same trials.

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
    far_thresholds: dict[str, float]
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
        names = ("threshold", "eer_threshold", "far_thresholds", "eer_kind", "method")
        names += ("confidence", "n_bootstraps", "resampled")
        estimates = {name: dict(vars(estimate)) for name, estimate in self.estimates.items()}
        return {"estimates": estimates} | {name: getattr(self, name) for name in names}

    def to_frame(self):
        """Convert the estimates to a pandas DataFrame.

        Returns
        -------
        DataFrame
            A row for each estimate, indexed by its name: its label, the ISO term ("" if there is none), and the
            attributes of an :class:`Estimate`.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        rows = {
            name: {"label": self._label(name), "iso_term": ISO_TERMS.get(name, "")} | vars(estimate)
            for name, estimate in self.estimates.items()
        }
        return rows_to_frame(rows, "metric")

    def to_latex(self) -> str:
        """Convert the table to LaTeX.

        Returns
        -------
        str
            A `tabular` environment, whose rules need the package booktabs, and the notes below it.
        """
        return latex_table(self._table(), [UNIT_NOTE, *self._notes()])

    def per_writer(self) -> Bunch:
        """Compute the error rates of each writer.

        Returns
        -------
        Bunch
            Arrays of shape (n_writers,), which `pandas.DataFrame` accepts: `writer`; the numbers of trials `n_genuine`
            and `n_forgeries`; `frr` and `far` at the threshold of the report; `eer`, `eer_threshold` and `auc`. The
            forgeries are those of the kind in `eer_kind` (all, if it is None). NaN means that there are no trials.

        Raises
        ------
        ValueError
            If the writers are not known.
        """
        return _rates_of_writers(self.trials, self.threshold, self.eer_kind or "all", self.method)

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
        return "\n".join([*_in_columns(self._table()), "", *self._notes()])

    def _table(self):
        header = ["", "value", f"{100 * self.confidence:g} % interval", "genuine", "forgeries", "writers"]
        return [header, *(self._row(name, estimate) for name, estimate in self.estimates.items())]

    def _label(self, name):
        label = LABELS[name]
        if name == "mean_auc" and self.estimates[name].n_writers is None:
            label = "AUC"
        if self.eer_kind != "forgery":
            label = label.replace("EER", f"EER {self.eer_kind}").replace("AUC", f"AUC {self.eer_kind}")
            label = label.replace("at FAR", f"at FAR {self.eer_kind}")
        return label

    def _row(self, name, estimate):
        counts = (estimate.n_genuine or "-", estimate.n_forgeries or "-", estimate.n_writers or "-")
        return [self._label(name), *_as_percent(name, estimate), *map(str, counts)]

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
        for name, threshold in self.far_thresholds.items():
            yield f"{self._label(name)}: at the threshold {threshold:.4g}, chosen on these scores."
        yield from notes_on_intervals(self.estimates.values(), self.n_bootstraps, self.resampled)
        yield ISO_NOTE


def notes_on_intervals(estimates, n_bootstraps: int, resampled: str):
    """Yield the notes below a table about how its intervals were computed."""
    if not n_bootstraps:
        yield "No intervals (-): n_bootstraps is 0."
        return
    yield f"Intervals: percentiles of {n_bootstraps} bootstrap resamples of {resampled}."
    if resampled == "trials":
        yield "The intervals are too narrow if many trials come from few writers, who are not known here."
    kinds = {estimate.interval for estimate in estimates}
    if "exact" in kinds:
        yield (
            "* Exact interval (Clopper-Pearson, one side), as no trial is in error, or every trial; it takes trials as "
            "independent."
        )
    if None in kinds:
        yield (
            "No interval (-) where no trial is in error at user-specific thresholds, or where all trials are of one "
            "writer."
        )
