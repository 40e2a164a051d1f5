"""The choice of a threshold from trials."""

import numpy as np

from sigkit.metrics import cost_threshold, eer_threshold, far_threshold, frr_threshold


def choose_threshold(settings, trials):
    """Choose the threshold that meets a criterion on trials.

    Parameters
    ----------
    settings : OperatingPointVerifier
        Has `criterion`, `level`, `prior`, `cost_far` and `cost_frr`.
    trials : Bunch
        `y_true` and `y_score` of genuine trials and of forgeries of one kind.

    Returns
    -------
    float
        The threshold.
    """
    y_true, y_score = trials.y_true, trials.y_score
    if settings.criterion == "far":
        return far_threshold(y_true, y_score, far=settings.level)
    if settings.criterion == "frr":
        return frr_threshold(y_true, y_score, frr=settings.level)
    if settings.criterion == "eer":
        return eer_threshold(y_true, y_score)
    costs = {"prior": settings.prior, "cost_far": settings.cost_far, "cost_frr": settings.cost_frr}
    return cost_threshold(y_true, y_score, **costs)


def counted_trials(trials, forgery):
    """Find genuine trials, and forgeries of one kind.

    Parameters
    ----------
    trials : Bunch
        The trials, with their `kind`.
    forgery : {"skilled", "random", "simple"}
        The kind.

    Returns
    -------
    ndarray of shape (n_trials,), dtype bool
        Whether a trial is one of them.

    Raises
    ------
    ValueError
        If there are no such forgeries.
    """
    genuine, forged = trials.kind == "genuine", trials.kind == forgery
    if not forged.any():
        kinds = sorted(set(trials.kind[~genuine].tolist()))
        raise ValueError(
            f"forgery={forgery!r}: the trials of development writers have forgeries of the kinds {kinds} only. Pass "
            f"{forgery} forgeries of development writers to fit, as rows [writer, forgery] of y, or set "
            "forgery='random'."
        )
    return genuine | forged


def select(trials, rows):
    """Return some of the trials.

    Parameters
    ----------
    trials : Bunch
        Trials.
    rows : ndarray
        Numbers of trials, or which to keep.

    Returns
    -------
    Bunch
        The same arrays, of these trials.
    """
    return type(trials)(**{name: np.asarray(values)[rows] for name, values in trials.items()})
