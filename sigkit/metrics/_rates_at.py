"""One error rate at a given value of the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sigkit.metrics._distances import _check_direction
from sigkit.metrics._thresholds import _check_level, _thresholds_at_far, _thresholds_at_frr
from sigkit.metrics._trials import _make_trials, _Trials


def frr_at_far_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    far: float,
    kind: str = "skilled",
    user_specific: bool = False,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    r"""Compute the false rejection rate at the lowest threshold whose false acceptance rate is at most `far`.

    .. math:: \min_t\, \mathrm{FRR}(t) \quad \text{subject to} \quad \mathrm{FAR}(t) \le \mathrm{far}

    With `far=0.01` and 0.001 this is called FMR100 and FMR1000 in fingerprint verification; with `far=0` zeroFMR. The
    threshold is chosen on the scores that are evaluated, as for the EER.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    far : float
        The highest FAR that is allowed, at least 0 and below 1: 0.01 is 1 %.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries to count. Ignored if `y_true` holds plain labels, which do not distinguish kinds.
    user_specific : bool, default=False
        Whether the threshold is chosen for each writer. Errors are then counted over all writers.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float
        The FRR, in [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If `far` is not a fraction, if there are no genuine trials or no forgeries of that kind, if `user_specific` is
        set and the writers are not known, or if the input is not valid for :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If `user_specific` is set and writers have no forgeries of that kind. They are ignored. Also if the
        area under the ROC curve is below one half, as that of distances, or if `far` is less than one of the forgeries.

    See Also
    --------
    far_threshold : The threshold.
    far_at_frr_score : The false acceptance rate at a given false rejection rate.

    References
    ----------
    .. [1] ISO/IEC 19795-1, Biometric performance testing and reporting, Part 1: Principles and framework.

    Examples
    --------
    >>> from sigkit.metrics import frr_at_far_score
    >>> frr_at_far_score([1, 1, 0, 0, 0, 0], [0.9, 0.5, 0.7, 0.3, 0.1, 0.0], far=0)
    0.5
    """
    _check_level(far, "far")
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials, kind)
    return _frr_at_far(trials, far, kind, user_specific)


def far_at_frr_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    frr: float,
    kind: str = "skilled",
    user_specific: bool = False,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    r"""Compute the false acceptance rate at the highest threshold whose false rejection rate is at most `frr`.

    .. math:: \min_t\, \mathrm{FAR}(t) \quad \text{subject to} \quad \mathrm{FRR}(t) \le \mathrm{frr}

    The threshold is chosen on the scores that are evaluated, as for the EER.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    frr : float
        The highest FRR that is allowed, at least 0 and below 1: 0.01 is 1 %.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries to count. Ignored if `y_true` holds plain labels, which do not distinguish kinds.
    user_specific : bool, default=False
        Whether the threshold is chosen for each writer. Errors are then counted over all writers.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float
        The FAR, in [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If `frr` is not a fraction, if there are no genuine trials or no forgeries of that kind, if `user_specific` is
        set and the writers are not known, or if the input is not valid for :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If `user_specific` is set and writers have no genuine trials. They are ignored. Also if the area under
        the ROC curve is below one half, as that of distances, or if `frr` is less than one of the genuine trials.

    See Also
    --------
    frr_threshold : The threshold.
    frr_at_far_score : The false rejection rate at a given false acceptance rate.

    References
    ----------
    .. [1] ISO/IEC 19795-1, Biometric performance testing and reporting, Part 1: Principles and framework.

    Examples
    --------
    >>> from sigkit.metrics import far_at_frr_score
    >>> far_at_frr_score([1, 1, 0, 0, 0, 0], [0.9, 0.5, 0.7, 0.3, 0.1, 0.0], frr=0)
    0.25
    """
    _check_level(frr, "frr")
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials, kind)
    return _far_at_frr(trials, frr, kind, user_specific)


def _frr_at_far(trials: _Trials, far: float, kind: str, user_specific: object = False) -> float:
    """Compute the FRR at a FAR; see `frr_at_far_score`."""
    genuine = trials.select(trials.require_genuine())
    thresholds = _thresholds_at_far(trials, far, kind, user_specific)
    return _mean_over_writers_with_thresholds(genuine, thresholds, np.less)


def _far_at_frr(trials: _Trials, frr: float, kind: str, user_specific: object = False) -> float:
    """Compute the FAR at an FRR; see `far_at_frr_score`."""
    forgeries = trials.select(trials.require_forgeries(kind))
    thresholds = _thresholds_at_frr(trials, frr, user_specific)
    return _mean_over_writers_with_thresholds(forgeries, thresholds, np.greater_equal)


def _mean_over_writers_with_thresholds(trials, thresholds, is_error):
    if isinstance(thresholds, float):
        return float(np.mean(is_error(trials.score, thresholds)))
    of_trials = thresholds[trials.writer]
    defined = ~np.isnan(of_trials)
    return float(np.mean(is_error(trials.score[defined], of_trials[defined]))) if defined.any() else np.nan
