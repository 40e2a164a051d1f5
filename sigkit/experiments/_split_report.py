"""The verification report of one split of an experiment."""

import numpy as np

from sigkit._utils import GENUINE
from sigkit.metrics import verification_report


def scores_of_split(trials):
    """Make the matrix of scores of one split.

    Parameters
    ----------
    trials : Bunch
        The trials of the split.

    Returns
    -------
    ndarray of shape (n_queries, n_enrolled)
        The scores. A forgery counts in the column of the claimed writer only; the other columns of its row are 0 and
        never used.
    """
    genuine = trials.target[:, 1] == GENUINE
    claimed = np.searchsorted(trials.classes, np.array(trials.target[:, 0].tolist()))
    scores = np.zeros((len(genuine), len(trials.classes)))
    scores[genuine] = trials.genuine_scores
    scores[~genuine, claimed[~genuine]] = trials.forgery_scores
    return scores


def report_of_split(trials, threshold, **options):
    """Compute the verification report of the trials of one split.

    Parameters
    ----------
    trials : Bunch
        An entry of `ExperimentResults.trials`.
    threshold : float
        The threshold of FRR and FAR.
    **options : object
        Further parameters of :func:`sigkit.metrics.verification_report`.

    Returns
    -------
    VerificationReport
        The report.
    """
    settings = {"classes": trials.classes, "threshold": threshold, **options}
    return verification_report(trials.target, scores_of_split(trials), **settings)
