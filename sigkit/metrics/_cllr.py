"""The cost of log likelihood ratios (Cllr), and how much of it better calibration would remove."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sigkit.metrics._distances import _check_direction
from sigkit.metrics._pav import _Blocks, _pool_violators
from sigkit.metrics._trials import _make_trials


def cllr_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    kind: str = "skilled",
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    r"""Compute the cost of log likelihood ratios, in bits.

    .. math:: C_{llr} = \frac{1}{2} \left( \frac{1}{|G|} \sum_{i \in G} \log_2 (1 + 1 / LR_i)
        + \frac{1}{|F|} \sum_{i \in F} \log_2 (1 + LR_i) \right)

    where :math:`G` are the genuine trials and :math:`F` the forgeries. It is 0 for perfect likelihood ratios, 1 if all
    of them are 1, which is no information, and above 1 if they mislead.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Base-10 logarithms of likelihood ratios, as :class:`ScoreCalibrator` computes them.
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
        The cost, at least 0; lower is better.

    Raises
    ------
    ValueError
        If there are no genuine trials or no forgeries of that kind, or if the input is not valid for
        :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If the area under the ROC curve is below one half, as that of distances.

    See Also
    --------
    min_cllr_score : The cost that would be left after perfect calibration.
    ScoreCalibrator : Maps scores to log10 likelihood ratios.

    References
    ----------
    .. [1] N. Brümmer, J. du Preez. Application-independent evaluation of speaker detection. Computer Speech and
       Language 20, 2006.

    Examples
    --------
    >>> from sigkit.metrics import cllr_score
    >>> cllr_score([1, 1, 0, 0], [0.0, 0.0, 0.0, 0.0])
    1.0
    >>> round(cllr_score([1, 1, 0, 0], [2.0, 1.0, -1.0, -2.0]), 3)
    0.076
    """
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials, kind)
    genuine, forgeries = trials.require_genuine(), trials.require_forgeries(kind)
    return (_mean_bits(-trials.score[genuine]) + _mean_bits(trials.score[forgeries])) / 2


def min_cllr_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    kind: str = "skilled",
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    """Compute the lowest cost of log likelihood ratios that increase with the scores, in bits.

    The best such likelihood ratios are those of the pool adjacent violators algorithm on the scores that are evaluated.
    The result measures how well scores of any scale separate genuine trials from forgeries; `cllr_score` minus it
    measures calibration.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
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
        The cost, in [0, 1]; lower is better.

    Raises
    ------
    ValueError
        If there are no genuine trials or no forgeries of that kind, or if the input is not valid for
        :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If the area under the ROC curve is below one half, as that of distances.

    See Also
    --------
    cllr_score : The cost of given likelihood ratios.
    EceDisplay : Plots both for every prior.

    References
    ----------
    .. [1] N. Brümmer, J. du Preez. Application-independent evaluation of speaker detection. Computer Speech and
       Language 20, 2006.

    Examples
    --------
    >>> from sigkit.metrics import min_cllr_score
    >>> min_cllr_score([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1])
    0.0
    >>> min_cllr_score([1, 0, 1, 0], [0.9, 0.8, 0.8, 0.1])
    0.5
    """
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials, kind)
    chosen = trials.select(trials.require_genuine() | trials.require_forgeries(kind))
    return _expected_entropy(_pool_violators(chosen.score, chosen.genuine), 1 / 2)


def _mean_bits(log10_odds):
    """Average log2(1 + odds)."""
    return float(np.mean(np.logaddexp2(0, log10_odds * np.log2(10))))


def _expected_entropy(blocks: _Blocks, prior: float) -> float:
    """Compute the empirical cross-entropy of the likelihood ratios of PAV, in bits."""
    genuine = prior * blocks.n_genuine / blocks.n_genuine.sum()
    forged = (1 - prior) * blocks.n_forgeries / blocks.n_forgeries.sum()
    both = genuine + forged
    # A block of one kind has no cost: 0 * log2(0) is 0.
    cost = -sum(part * np.log2(np.where(part > 0, part, both) / both) for part in (genuine, forged))
    return 0.0 + float(cost.sum())
