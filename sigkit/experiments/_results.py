"""What an experiment found."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.utils import Bunch

from sigkit._utils import GENUINE
from sigkit.metrics import VerificationReport, verification_report

LABELS = {
    "frr": "FRR",
    "far_random": "FAR random",
    "far_simple": "FAR simple",
    "far_skilled": "FAR skilled",
    "eer": "EER",
    "eer_writer": "EER, a threshold a writer",
    "eer_sigver": "EER, method 'sigver'",
    "eer_writer_sigver": "EER, method 'sigver', a threshold a writer",
    "mean_auc": "mean AUC",
}


@dataclass(frozen=True, eq=False)
class ExperimentResults:  # numpydoc ignore=PR01
    """Error rates of an experiment, split by split; `print` it for their means and deviations.

    Attributes
    ----------
    figures : dict of str to ndarray of shape (n_splits,)
        "frr", "far_random", "far_simple" and "far_skilled" at the threshold, "eer" and "eer_writer" of skilled
        forgeries by the default method and by "sigver", "mean_auc"; as far as the trials allow.
    fit_time, score_time : ndarray of shape (n_splits,)
        Seconds of fitting and of scoring.
    threshold : float
        The threshold of FRR and FAR.
    trials : list of Bunch
        For each split: `rows`, the queries as rows of `X`, and `target`, their rows `[writer, forgery]`; `classes`, the
        enrolled writers; `genuine_scores` of shape (n_genuine, n_enrolled), each genuine query against every enrolled
        writer; `forgery_scores`, each forgery against the writer it claims to be.

    See Also
    --------
    writer_dependent_experiment : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.experiments import ExperimentResults
    >>> times = np.array([1.0, 1.0])
    >>> print(ExperimentResults({"frr": np.array([0.1, 0.2])}, times, times, 0.0, []))
    FRR  15.00 +- 5.00 %
    ...
    """

    figures: dict[str, np.ndarray]
    fit_time: np.ndarray
    score_time: np.ndarray
    threshold: float
    trials: list[Bunch] = field(repr=False)

    def report(self, split: int, **options) -> VerificationReport:
        """Report all error rates of one split, with intervals.

        Parameters
        ----------
        split : int
            The split's number, from 0.
        **options : object
            What :func:`sigkit.metrics.verification_report` takes beside the trials: `method`, `kind`, `random_state`
            and others.

        Returns
        -------
        VerificationReport
            The report.
        """
        trials = self.trials[split]
        genuine = trials.target[:, 1] == GENUINE
        claimed = np.searchsorted(trials.classes, np.array(trials.target[:, 0].tolist()))
        scores = np.zeros((len(genuine), len(trials.classes)))
        scores[genuine] = trials.genuine_scores
        scores[~genuine, claimed[~genuine]] = trials.forgery_scores
        return verification_report(
            trials.target, scores, classes=trials.classes, **{"threshold": self.threshold, **options}
        )

    def __str__(self) -> str:
        width = max(len(LABELS[name]) for name in self.figures)
        lines = []
        for name in filter(self.figures.__contains__, LABELS):
            values = self.figures[name]
            if name == "mean_auc":
                numbers = f"{values.mean():6.4f} +- {values.std():.4f}"
            else:
                numbers = f"{100 * values.mean():6.2f} +- {100 * values.std():.2f} %"
            lines.append(f"{LABELS[name]:<{width}} {numbers}")
        return "\n".join(
            [
                *lines,
                "",
                f"Mean and standard deviation over {len(self.fit_time)} splits; FRR and FAR at the threshold "
                f"{self.threshold:g}, EER and AUC of skilled forgeries.",
                f"Fitting took {self.fit_time.mean():.1f} s a split, scoring {self.score_time.mean():.1f} s.",
            ]
        )
