"""The results of an experiment over several splits."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.utils import Bunch

from sigkit.experiments._split_report import report_of_split, scores_of_split
from sigkit.metrics import VerificationReport, latex_table, rows_to_frame

# In the order of the table.
LABELS = {
    "frr": "FRR",
    "far_random": "FAR random",
    "far_simple": "FAR simple",
    "far_skilled": "FAR skilled",
    "frr_at_far_0.01": "FRR at FAR 1 %",
    "frr_at_far_0.001": "FRR at FAR 0.1 %",
    "frr_at_far_0.0001": "FRR at FAR 0.01 %",
    "eer": "EER",
    "eer_writer": "EER, user-specific thresholds",
    "eer_sigver": "EER, method 'sigver'",
    "eer_writer_sigver": "EER, method 'sigver', user-specific thresholds",
    "mean_auc": "mean AUC",
}


@dataclass(frozen=True, eq=False)
class ExperimentResults:  # numpydoc ignore=PR01
    """Error rates of an experiment in each split; `print` it for means and standard deviations.

    Attributes
    ----------
    metrics : dict of str to ndarray of shape (n_splits,)
        "frr", "far_random", "far_simple" and "far_skilled" at the threshold; "frr_at_far_0.01" and the like, the FRR at
        a FAR of skilled forgeries, if a split has enough of them; "eer" and "eer_writer" (with user-specific
        thresholds) of skilled forgeries, and both by the method "sigver" as "eer_sigver" and "eer_writer_sigver";
        "mean_auc". Metrics for which a split has no trials are left out.
    fit_time, score_time : ndarray of shape (n_splits,)
        Time of fitting and of scoring in seconds.
    threshold : float
        The threshold of FRR and FAR.
    trials : list of Bunch
        The trials of each split: `rows` of the queries in `X`, and `target`, their rows `[writer, forgery]`; `classes`,
        the enrolled writers; `genuine_scores` of shape (n_genuine, n_enrolled), the scores of genuine queries against
        every enrolled writer; `forgery_scores`, the scores of forgeries against their claimed writers.

    See Also
    --------
    writer_dependent_experiment : Runs an experiment.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.experiments import ExperimentResults
    >>> times = np.array([1.0, 1.0])
    >>> print(ExperimentResults({"frr": np.array([0.1, 0.2])}, times, times, 0.0, []))
    FRR  15.00 +- 5.00 %
    ...
    """

    metrics: dict[str, np.ndarray]
    fit_time: np.ndarray
    score_time: np.ndarray
    threshold: float
    trials: list[Bunch] = field(repr=False)

    def report(self, split: int, **options) -> VerificationReport:
        """Compute all error rates of one split, with bootstrap intervals.

        Parameters
        ----------
        split : int
            Index of the split.
        **options : object
            Further parameters of :func:`sigkit.metrics.verification_report`, such as `method`, `kind` and
            `random_state`.

        Returns
        -------
        VerificationReport
            The report.
        """
        return report_of_split(self.trials[split], self.threshold, **options)

    def scores(self, split: int) -> np.ndarray:
        """Return the scores of one split, for functions of `sigkit.metrics` such as `compare_systems`.

        Parameters
        ----------
        split : int
            Index of the split.

        Returns
        -------
        ndarray of shape (n_queries, n_enrolled)
            The scores, in the order of ``trials[split].target`` and ``trials[split].classes``. A forgery has a score
            against its claimed writer only; the others are 0, and are not used.
        """
        return scores_of_split(self.trials[split])

    def to_frame(self):
        """Convert the metrics to a pandas DataFrame.

        Returns
        -------
        DataFrame
            A row for each metric, indexed by its name: its `label`, `mean` and `std` over the splits, and a column
            `split_0`, `split_1`, ... for each split.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        rows = {}
        for name in self._names():
            values = self.metrics[name]
            rows[name] = {"label": LABELS[name], "mean": values.mean(), "std": values.std()}
            rows[name] |= {f"split_{split}": value for split, value in enumerate(values)}
        return rows_to_frame(rows, "metric")

    def to_latex(self) -> str:
        """Convert the means and standard deviations to a LaTeX table.

        Returns
        -------
        str
            A `tabular` environment, whose rules need the package booktabs, and a note below it.
        """
        rows = [["", "mean", "standard deviation"]]
        for name in self._names():
            unit = "" if name == "mean_auc" else " %"
            rows.append([LABELS[name], *(number + unit for number in self._mean_and_deviation(name))])
        return latex_table(rows, [self._note()])

    def _names(self):
        return filter(self.metrics.__contains__, LABELS)

    def _mean_and_deviation(self, name):
        values = self.metrics[name]
        if name == "mean_auc":
            return f"{values.mean():.4f}", f"{values.std():.4f}"
        return f"{100 * values.mean():.2f}", f"{100 * values.std():.2f}"

    def _note(self):
        return (
            f"Mean and standard deviation over {len(self.fit_time)} splits; FRR and FAR at the threshold "
            f"{self.threshold:g}, EER and AUC of skilled forgeries."
        )

    def __str__(self) -> str:
        width = max(len(LABELS[name]) for name in self.metrics)
        lines = []
        for name in self._names():
            mean, deviation = self._mean_and_deviation(name)
            unit = "" if name == "mean_auc" else " %"
            lines.append(f"{LABELS[name]:<{width}} {mean:>6} +- {deviation}{unit}")
        lines += [
            "",
            self._note(),
            f"Time per split: {self.fit_time.mean():.1f} s for fitting, {self.score_time.mean():.1f} s for scoring.",
        ]
        return "\n".join(lines)
