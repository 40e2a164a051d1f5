"""False acceptance rate, false rejection rate and equal error rate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from sigkit.metrics._by_writer import _check_user_specific, _errors_of_writers, _threshold_of_trials
from sigkit.metrics._curves import _equal_error, _equal_error_rate, _operating_points
from sigkit.metrics._distances import _check_direction, _warn_about_distances
from sigkit.metrics._trials import _make_trials, _Trials


def far_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    threshold: float | Mapping | ArrayLike = 0.0,
    kind: str = "skilled",
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    r"""Compute the false acceptance rate: the fraction of forgeries that are accepted.

    .. math:: \mathrm{FAR}(t) = |\{i \in F : s_i \ge t\}| \,/\, |F|

    where :math:`F` are the forgeries of the given kind of all writers.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    threshold : float, mapping or array-like of shape (n_writers,), default=0.0
        Scores of at least the threshold are accepted. User-specific thresholds are a mapping `{writer: threshold}`, or
        an array in the order of `classes` (score matrix) or of the sorted claimed writers.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries to count. Ignored if `y_true` holds plain labels, which do not distinguish kinds.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float
        The rate, in [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If there are no forgeries of that kind, if a claimed writer has no threshold, or if the input is not valid for
        :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If the area under the ROC curve is below one half, as that of distances.

    See Also
    --------
    frr_score : False rejection rate.

    References
    ----------
    .. [1] ISO/IEC 19795-1, Biometric performance testing and reporting, Part 1: Principles and framework.

    Examples
    --------
    >>> from sigkit.metrics import far_score
    >>> far_score([1, 1, 0, 0], [0.8, -0.1, 0.3, -0.6])
    0.5
    """
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials, kind)
    return _false_acceptance(trials, threshold, kind)


def frr_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    threshold: float | Mapping | ArrayLike = 0.0,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    r"""Compute the false rejection rate: the fraction of genuine signatures that are rejected.

    .. math:: \mathrm{FRR}(t) = |\{i \in G : s_i < t\}| \,/\, |G|

    where :math:`G` are the genuine trials of all writers.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    threshold : float, mapping or array-like of shape (n_writers,), default=0.0
        Scores below the threshold are rejected. User-specific thresholds are a mapping `{writer: threshold}`, or an
        array in the order of `classes` (score matrix) or of the sorted claimed writers.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float
        The rate, in [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If there are no genuine trials, if a claimed writer has no threshold, or if the input is not valid for
        :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If the area under the ROC curve is below one half, as that of distances.

    See Also
    --------
    far_score : False acceptance rate.

    References
    ----------
    .. [1] ISO/IEC 19795-1, Biometric performance testing and reporting, Part 1: Principles and framework.

    Examples
    --------
    >>> from sigkit.metrics import frr_score
    >>> frr_score([1, 1, 0, 0], [0.8, -0.1, 0.3, -0.6])
    0.5
    """
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials)
    return _false_rejection(trials, threshold)


def eer_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    kind: str = "skilled",
    method: str = "nearest",
    user_specific: bool = False,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    r"""Compute the equal error rate (EER): the error rate at the threshold where FAR and FRR are equal.

    .. math:: \mathrm{EER} = \tfrac{1}{2}\,(\mathrm{FAR}(t^*) + \mathrm{FRR}(t^*)), \qquad
        t^* = \arg\min_t |\mathrm{FAR}(t) - \mathrm{FRR}(t)|

    The threshold is chosen on the scores that are evaluated. The EER is therefore useful to compare systems, but it is
    not the error rate of a system in use. Report FRR and FAR at a threshold fixed beforehand next to it.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries to count. Ignored if `y_true` holds plain labels, which do not distinguish kinds.
    method : {"nearest", "interpolated", "sigver"}, default="nearest"
        How the threshold is found. `"nearest"` tries every observed score. `"interpolated"` interpolates FAR and FRR
        linearly between neighboring thresholds, starting above all scores, and takes the point where they cross.
        `"sigver"` only tries the corners of the ROC curve, as the code behind [1]_ does. With few trials per writer
        its result may differ by a percentage point, so use it only to compare with published results.
    user_specific : bool, default=False
        Whether to use the best threshold of each writer (user-specific thresholds) instead of one global threshold for
        all writers. The errors of all writers at their respective thresholds are then summed and divided by the numbers
        of trials, and both rates are averaged.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float
        The rate, in [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If there are no genuine trials or no forgeries of that kind, if `user_specific` is set and the writers are not
        known, or if the input is not valid for :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If `user_specific` is set and writers have no genuine trials or no forgeries of that kind. They are ignored; the
        rate is NaN if no writer is left. Also if the area under the ROC curve is below one half, as that of distances.

    See Also
    --------
    eer_threshold : The threshold with this error rate.
    verification_report : All error rates, with bootstrap intervals.

    References
    ----------
    .. [1] L. G. Hafemann, R. Sabourin, L. S. Oliveira. Learning features for offline handwritten signature
       verification using deep convolutional neural networks. Pattern Recognition 70, 2017. arXiv:1705.05787.

    Examples
    --------
    >>> from sigkit.metrics import eer_score
    >>> eer_score([1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.1, 0.3, -0.6])
    0.125
    """
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_user_specific(user_specific)
    points = _points(trials, kind)
    _warn_about_distances(points)
    if user_specific:
        return float(_errors_of_writers(trials, kind, method).pooled_rate(np.ones(len(trials.writers))))
    return float(_equal_error_rate(points, method))


def eer_threshold(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    kind: str = "skilled",
    method: str = "nearest",
    user_specific: bool = False,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float | np.ndarray:
    """Find the threshold of the equal error rate.

    Choose an operating point on validation scores: error rates at this threshold are too optimistic on the scores on
    which it was found.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries to count. Ignored if `y_true` holds plain labels, which do not distinguish kinds.
    method : {"nearest", "interpolated", "sigver"}, default="nearest"
        How the threshold is found, as in :func:`eer_score`. The highest of equally good thresholds is returned;
        `"sigver"` may return infinity.
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
        the sorted claimed writers, and NaN for a writer without genuine trials or without forgeries of that kind.

    Raises
    ------
    ValueError
        As in :func:`eer_score`.

    Warns
    -----
    UndefinedMetricWarning
        As in :func:`eer_score`.

    See Also
    --------
    eer_score : The error rate at this threshold.

    Examples
    --------
    >>> from sigkit.metrics import eer_threshold
    >>> eer_threshold([1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.1, 0.3, -0.6])
    0.7
    """
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_user_specific(user_specific)
    points = _points(trials, kind)
    _warn_about_distances(points)
    if user_specific:
        return _errors_of_writers(trials, kind, method).threshold
    return float(_equal_error(points, method).threshold)


def _false_acceptance(trials: _Trials, threshold: object, kind: str) -> float:
    """Compute the FAR; see `far_score`."""
    forgeries = trials.select(trials.require_forgeries(kind))
    return float(np.mean(forgeries.score >= _threshold_of_trials(forgeries, threshold)))


def _false_rejection(trials: _Trials, threshold: object) -> float:
    """Compute the FRR; see `frr_score`."""
    genuine = trials.select(trials.require_genuine())
    return float(np.mean(genuine.score < _threshold_of_trials(genuine, threshold)))


def _points(trials, kind):
    """Count the errors of genuine trials and forgeries of one kind at every threshold."""
    chosen = trials.select(trials.require_genuine() | trials.require_forgeries(kind))
    return _operating_points(chosen.score, chosen.genuine)
