"""False acceptance, false rejection and the equal error rate."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from sigkit.metrics._by_writer import _errors_of_writers, _threshold_of_trials
from sigkit.metrics._curves import _equal_error, _equal_error_rate, _operating_points
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
    r"""False acceptance rate: the share of forgeries that are accepted.

    .. math:: \mathrm{FAR}(t) = |\{i \in F : s_i \ge t\}| \,/\, |F|

    where :math:`F` are the forgeries of the kind asked for, pooled over writers.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores that rise with genuineness, against the claimed writer or against every enrolled writer.
    threshold : float, mapping or array-like of shape (n_writers,), default=0.0
        Scores from here on are accepted. A threshold a writer is a mapping `{writer: threshold}` or an array in
        the order of `classes` (matrix) or of the sorted claimed writers.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The forgeries that count. Ignored where `y_true` is plain labels, which tell no kinds apart.
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
        If there are no forgeries of that kind, or a claimed writer has no threshold; also for the malformed
        input that :func:`verification_trials` refuses.

    See Also
    --------
    frr_score : The other error.

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
    r"""False rejection rate: the share of genuine signatures that are rejected.

    .. math:: \mathrm{FRR}(t) = |\{i \in G : s_i < t\}| \,/\, |G|

    where :math:`G` are the genuine trials, pooled over writers.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores that rise with genuineness, against the claimed writer or against every enrolled writer.
    threshold : float, mapping or array-like of shape (n_writers,), default=0.0
        Scores below are rejected. A threshold a writer is a mapping `{writer: threshold}` or an array in the
        order of `classes` (matrix) or of the sorted claimed writers.
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
        If there are no genuine trials, or a claimed writer has no threshold; also for the malformed input
        that :func:`verification_trials` refuses.

    See Also
    --------
    far_score : The other error.

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
    return _false_rejection(trials, threshold)


def eer_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    kind: str = "skilled",
    method: str = "nearest",
    threshold: str = "global",
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    r"""Equal error rate: the error where false acceptance and false rejection meet.

    .. math:: \mathrm{EER} = \tfrac{1}{2}\,(\mathrm{FAR}(t^*) + \mathrm{FRR}(t^*)), \qquad
        t^* = \arg\min_t |\mathrm{FAR}(t) - \mathrm{FRR}(t)|

    The threshold is taken from the very scores that are judged, so the EER compares systems; it is not the
    error of a system in use. Report FRR and FAR at a threshold fixed beforehand next to it.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores that rise with genuineness, against the claimed writer or against every enrolled writer.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The forgeries that count. Ignored where `y_true` is plain labels, which tell no kinds apart.
    method : {"nearest", "interpolated", "sigver"}, default="nearest"
        `"nearest"` tries every observed score as the threshold. `"interpolated"` joins FAR and FRR by straight
        lines between neighbouring thresholds, from a point above all scores on, and finds their crossing.
        `"sigver"` tries the corners of the ROC curve alone, as the code behind [1]_ does: with few trials a writer
        it may differ by a point, so use it beside published figures only.
    threshold : {"global", "writer"}, default="global"
        One threshold for all writers, or one a writer: the errors of all writers are then pooled, each at its
        own threshold, divided by the numbers of trials, and both shares averaged. By `"interpolated"` that is the
        average of the writers' rates, weighted by genuine trials on one side and by forgeries on the other.
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
        If there are no genuine trials or no forgeries of that kind, or a threshold a writer is asked for and
        no writers are known; also for the malformed input that :func:`verification_trials` refuses.

    Warns
    -----
    UndefinedMetricWarning
        If writers lack genuine trials or forgeries of that kind: a threshold a writer leaves them out. The rate
        is NaN if that leaves nobody.

    See Also
    --------
    eer_threshold : The threshold behind it.
    verification_report : All error rates with their intervals.

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
    if _is_global(threshold):
        return float(_equal_error_rate(_points(trials, kind), method))
    return float(_errors_of_writers(trials, kind, method).pooled_rate(np.ones(len(trials.writers))))


def eer_threshold(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    kind: str = "skilled",
    method: str = "nearest",
    threshold: str = "global",
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float | np.ndarray:
    """Threshold of the equal error rate.

    Find it on scores set aside for the purpose and fix it there: judged on the same scores it flatters.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores that rise with genuineness, against the claimed writer or against every enrolled writer.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The forgeries that count. Ignored where `y_true` is plain labels, which tell no kinds apart.
    method : {"nearest", "interpolated", "sigver"}, default="nearest"
        As in :func:`eer_score`. The highest of equally good thresholds is taken. `"sigver"` may return infinity.
    threshold : {"global", "writer"}, default="global"
        One threshold for all writers, or one a writer.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float or ndarray of shape (n_writers,)
        The threshold; with `threshold="writer"` one a writer, in the order of `classes` (matrix) or of the sorted
        claimed writers, and NaN for a writer who lacks genuine trials or forgeries of that kind.

    Raises
    ------
    ValueError
        As :func:`eer_score`.

    Warns
    -----
    UndefinedMetricWarning
        If writers lack genuine trials or forgeries of that kind.

    See Also
    --------
    eer_score : The rate at this threshold.

    Examples
    --------
    >>> from sigkit.metrics import eer_threshold
    >>> eer_threshold([1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.1, 0.3, -0.6])
    0.7
    """
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    if _is_global(threshold):
        return float(_equal_error(_points(trials, kind), method).threshold)
    return _errors_of_writers(trials, kind, method).threshold


def _false_acceptance(trials: _Trials, threshold: object, kind: str) -> float:
    """FAR of trials; see `far_score`."""
    forgeries = trials.select(trials.require_forgeries(kind))
    return float(np.mean(forgeries.score >= _threshold_of_trials(forgeries, threshold)))


def _false_rejection(trials: _Trials, threshold: object) -> float:
    """FRR of trials; see `frr_score`."""
    genuine = trials.select(trials.require_genuine())
    return float(np.mean(genuine.score < _threshold_of_trials(genuine, threshold)))


def _points(trials, kind):
    chosen = trials.select(trials.require_genuine() | trials.require_forgeries(kind))
    return _operating_points(chosen.score, chosen.genuine)


def _is_global(threshold):
    if not isinstance(threshold, str) or threshold not in ("global", "writer"):
        raise ValueError(
            f"threshold must be 'global' or 'writer', the way to choose it; got {threshold!r}. For error rates at "
            "a given threshold call far_score and frr_score."
        )
    return threshold == "global"
