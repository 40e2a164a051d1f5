"""Thresholds at a wanted false acceptance rate, false rejection rate or expected cost."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import UndefinedMetricWarning

from sigkit._utils import warn
from sigkit.metrics._by_writer import _check_user_specific, _rows_of_writers, _warn_about_undefined
from sigkit.metrics._costs import _least_cost, _weights_of_errors
from sigkit.metrics._curves import _operating_points
from sigkit.metrics._distances import _check_direction
from sigkit.metrics._trials import _make_trials, _Trials


def far_threshold(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    far: float,
    kind: str = "skilled",
    user_specific: bool = False,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float | np.ndarray:
    """Find the lowest threshold whose false acceptance rate (FAR) is at most a given one.

    The FAR at this threshold never exceeds `far` on the given scores. On other scores it varies: choose the threshold
    on development writers and report the FAR on others.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`. Genuine
        trials are not required.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    far : float
        The highest FAR that is allowed, at least 0 and below 1: 0.01 is 1 %.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries to count. Ignored if `y_true` holds plain labels, which do not distinguish kinds.
    user_specific : bool, default=False
        Whether to find a threshold for each writer instead of one global threshold.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float or ndarray of shape (n_writers,)
        The threshold. With `user_specific` the threshold of each writer, in the order of `classes` (score matrix) or of
        the sorted claimed writers, and NaN for a writer without forgeries of that kind.

    Raises
    ------
    ValueError
        If `far` is not a fraction, if there are no forgeries of that kind, if `user_specific` is set and the writers
        are not known, or if the input is not valid for :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If `user_specific` is set and writers have no forgeries of that kind. Also if the area under the ROC curve is
        below one half, as that of distances, or if `far` is less than one of the forgeries, so that none is accepted.

    See Also
    --------
    frr_at_far_score : The false rejection rate at this threshold.
    frr_threshold : The threshold at a wanted false rejection rate.

    Notes
    -----
    The threshold lies halfway between the highest score that has to be rejected and the next higher score, genuine or
    forged, so that rounding of scores to single precision does not change a decision. If no score is higher, it is the
    next floating-point number. With less than `1 / far` forgeries the threshold rejects all of them, and says little
    about the FAR of others.

    Examples
    --------
    >>> from sigkit.metrics import far_score, far_threshold
    >>> y_true, y_score = [1, 1, 0, 0, 0, 0], [0.9, 0.5, 0.7, 0.3, 0.1, 0.0]
    >>> far_threshold(y_true, y_score, far=0.25)
    0.4
    >>> far_score(y_true, y_score, threshold=0.4)
    0.25
    """
    _check_level(far, "far")
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials, kind)
    return _thresholds_at_far(trials, far, kind, user_specific)


def frr_threshold(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    frr: float,
    user_specific: bool = False,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float | np.ndarray:
    """Find the highest threshold whose false rejection rate (FRR) is at most a given one.

    The FRR at this threshold never exceeds `frr` on the given scores. On other scores it varies: choose the threshold
    on development writers, or on references that were left out, and report the FRR on others.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`. Forgeries
        are not required.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    frr : float
        The highest FRR that is allowed, at least 0 and below 1: 0.01 is 1 %.
    user_specific : bool, default=False
        Whether to find a threshold for each writer instead of one global threshold.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float or ndarray of shape (n_writers,)
        The threshold, the score of a genuine trial. With `user_specific` the threshold of each writer, in the order of
        `classes` (score matrix) or of the sorted claimed writers, and NaN for a writer without genuine trials.

    Raises
    ------
    ValueError
        If `frr` is not a fraction, if there are no genuine trials, if `user_specific` is set and the writers are not
        known, or if the input is not valid for :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If `user_specific` is set and writers have no genuine trials. Also if the area under the ROC curve is below one
        half, as that of distances, or if `frr` is less than one of the genuine trials, so that none is rejected.

    See Also
    --------
    far_at_frr_score : The false acceptance rate at this threshold.
    far_threshold : The threshold at a wanted false acceptance rate.

    Examples
    --------
    >>> from sigkit.metrics import frr_score, frr_threshold
    >>> y_true, y_score = [1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.6, 0.2, 0.3, 0.1]
    >>> frr_threshold(y_true, y_score, frr=0.25)
    0.6
    >>> frr_score(y_true, y_score, threshold=0.6)
    0.25
    """
    _check_level(frr, "frr")
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials)
    return _thresholds_at_frr(trials, frr, user_specific)


def cost_threshold(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    prior: float,
    cost_far: float = 1.0,
    cost_frr: float = 1.0,
    kind: str = "skilled",
    user_specific: bool = False,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float | np.ndarray:
    r"""Find the threshold with the lowest expected cost of a decision.

    .. math:: C(t) = \pi\, c_{FRR}\, \mathrm{FRR}(t) + (1 - \pi)\, c_{FAR}\, \mathrm{FAR}(t)

    where :math:`\pi` is the prior probability that a claim is genuine.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    prior : float
        The probability that a claim is genuine, between 0 and 1.
    cost_far, cost_frr : float, default=1.0
        The cost of accepting a forgery and of rejecting a genuine signature, above 0.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries to count. Ignored if `y_true` holds plain labels, which do not distinguish kinds.
    user_specific : bool, default=False
        Whether to find a threshold for each writer instead of one global threshold.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float or ndarray of shape (n_writers,)
        The threshold, the highest of equally good ones; it is above all scores if it is cheapest to reject everything.
        With `user_specific` the threshold of each writer, in the order of `classes` (score matrix) or of the sorted
        claimed writers, and NaN for a writer without genuine trials or without forgeries of that kind.

    Raises
    ------
    ValueError
        If `prior` or a cost is out of range, if there are no genuine trials or no forgeries of that kind, if
        `user_specific` is set and the writers are not known, or if the input is not valid for
        :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If `user_specific` is set and writers have no genuine trials or no forgeries of that kind. Also if the area
        under the ROC curve is below one half, as that of distances.

    See Also
    --------
    min_dcf_score : The lowest expected cost itself.

    Examples
    --------
    >>> from sigkit.metrics import cost_threshold
    >>> y_true, y_score = [1, 1, 1, 0, 0, 0], [0.9, 0.8, 0.4, 0.5, 0.2, 0.1]
    >>> cost_threshold(y_true, y_score, prior=0.5, cost_far=10)
    0.8
    >>> cost_threshold(y_true, y_score, prior=0.5, cost_frr=10)
    0.4
    """
    weights = _weights_of_errors(prior, cost_far, cost_frr)
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials, kind)
    chosen = trials.select(trials.require_genuine() | trials.require_forgeries(kind))

    def find(score, genuine):
        return _least_cost(_operating_points(score, genuine), *weights)[0]

    return _by_writer(chosen, find, kind) if _check_user_specific(user_specific) else find(chosen.score, chosen.genuine)


def _thresholds_at_far(trials: _Trials, far: float, kind: str, user_specific: object) -> float | np.ndarray:
    """Find the threshold, or that of each writer, at a FAR; see `far_threshold`."""
    chosen = trials.select(trials.genuine | trials.require_forgeries(kind))
    _warn_about_few(far, np.count_nonzero(~chosen.genuine), "FAR", "forgeries")
    if _check_user_specific(user_specific):
        return _by_writer(chosen, lambda *columns: _threshold_at_far(*columns, far), kind, needs_genuine=False)
    return _threshold_at_far(chosen.score, chosen.genuine, far)


def _thresholds_at_frr(trials: _Trials, frr: float, user_specific: object) -> float | np.ndarray:
    """Find the threshold, or that of each writer, at an FRR; see `frr_threshold`."""
    genuine = trials.select(trials.require_genuine())
    _warn_about_few(frr, len(genuine.score), "FRR", "genuine trials")
    if _check_user_specific(user_specific):
        return _by_writer(genuine, lambda *columns: _threshold_at_frr(*columns, frr), "all", needs_forgeries=False)
    return _threshold_at_frr(genuine.score, genuine.genuine, frr)


def _check_level(level: object, name: str) -> None:
    """Raise a ValueError unless a wanted error rate is a fraction."""
    if not isinstance(level, Real) or isinstance(level, bool) or not 0 <= level < 1:
        raise ValueError(f"{name} must be a fraction, at least 0 and below 1 (0.01 is 1 %); got {level!r}.")


def _warn_about_few(level, n_trials, rate, what):
    """Warn if a wanted error rate is less than one error, so that it cannot be told from a rate of 0."""
    if 0 < level < 1 / n_trials:
        warn(
            f"{n_trials} {what} are too few for a {rate} of {100 * level:g} %, less than one of them: the threshold is "
            f"that of a {rate} of 0. Pass at least {math.ceil(1 / level)}, better ten times as many, or set a higher "
            "level.",
            UndefinedMetricWarning,
        )


def _allowed_errors(level, n_trials):
    """Return the largest number of errors whose rate is at most the level."""
    # In floating point 0.29 * 100 is less than 29, but 29 / 100 is 0.29: only the quotient decides.
    count = int(level * n_trials) + 1
    while count / n_trials > level:
        count -= 1
    return count


def _threshold_at_far(score: np.ndarray, genuine: np.ndarray, far: float) -> float:
    """Find the threshold at a FAR of scores; see `far_threshold`."""
    forged = score[~genuine]
    rank = len(forged) - 1 - _allowed_errors(far, len(forged))
    rejected = np.partition(forged, rank)[rank]
    higher = score[score > rejected]
    if not len(higher):
        return float(np.nextafter(rejected, np.inf))
    # Halves are added, as the sum of two large scores may exceed the range of floats.
    middle = rejected / 2 + higher.min() / 2
    return float(middle if middle > rejected else higher.min())


def _threshold_at_frr(score, genuine, frr):
    genuine_scores = score[genuine]
    rank = _allowed_errors(frr, len(genuine_scores))
    return float(np.partition(genuine_scores, rank)[rank])


def _by_writer(trials, find, kind, needs_genuine=True, needs_forgeries=True):
    """Apply a function of `score, genuine` to each writer; NaN for writers without the trials that it needs."""
    thresholds = np.full(0 if trials.writer is None else len(trials.writers), np.nan)
    for writer, rows in enumerate(_rows_of_writers(trials)):
        genuine = trials.genuine[rows]
        if len(rows) and (genuine.any() or not needs_genuine) and (not genuine.all() or not needs_forgeries):
            thresholds[writer] = find(trials.score[rows], genuine)
    _warn_about_undefined(
        trials.writers[np.isnan(thresholds)], len(trials.writers), kind if trials.has_kinds else "all"
    )
    return thresholds
