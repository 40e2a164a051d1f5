"""Which signatures are decided wrongly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from sigkit.metrics._by_writer import _threshold_of_trials
from sigkit.metrics._distances import _check_direction
from sigkit.metrics._trials import KIND_NAMES, _check_kind, _make_trials


def wrong_decisions(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    threshold: float | Mapping | ArrayLike = 0.0,
    kind: str = "all",
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> Bunch:
    """Find the trials that are decided wrongly: rejected genuine signatures and accepted forgeries.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    threshold : float, mapping or array-like of shape (n_writers,), default=0.0
        Scores of at least the threshold are accepted; or user-specific thresholds, as in :func:`far_score`.
    kind : {"random", "skilled", "simple", "all"}, default="all"
        The kind of forgeries to look at, besides genuine signatures.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    Bunch
        Arrays of shape (n_wrong,), the largest margins first, which `pandas.DataFrame` accepts: `row`, the row of the
        signature in `y_score`; `kind` ("genuine" is a false rejection, all others are false acceptances); `y_score`;
        `margin`, the distance of the score to the threshold; and `writer`, the claimed writer, if writers are known.

    Raises
    ------
    ValueError
        If there are no forgeries of that kind, if a claimed writer has no threshold, or if the
        input is not valid for :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If the area under the ROC curve is below one half, as that of distances.

    See Also
    --------
    verification_report : The rates of these errors.

    Examples
    --------
    >>> from sigkit.metrics import wrong_decisions
    >>> claims = [["ada", 0], ["ada", 1], ["bob", 0], ["bob", 1]]
    >>> wrong = wrong_decisions(claims, [0.7, 0.2, -0.4, -0.9])
    >>> wrong.row.tolist(), wrong.writer.tolist(), wrong.kind.tolist()
    ([2, 1], ['bob', 'ada'], ['genuine', 'skilled'])
    """
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_kind(kind)
    _check_direction(trials, kind)
    if kind != "all" and trials.has_kinds:
        trials = trials.select(trials.genuine | trials.require_forgeries(kind))
    thresholds = np.broadcast_to(_threshold_of_trials(trials, threshold), trials.score.shape)
    wrong = np.flatnonzero(trials.genuine != (trials.score >= thresholds))
    margin = np.abs(trials.score - thresholds)[wrong]
    order = np.argsort(-margin, kind="stable")
    wrong = wrong[order]
    names = np.array([KIND_NAMES[code] for code in range(len(KIND_NAMES))])
    rows = wrong if trials.row is None else trials.row[wrong]
    found = Bunch(row=rows, kind=names[trials.kind[wrong]], y_score=trials.score[wrong], margin=margin[order])
    if trials.writer is not None:
        found.writer = trials.writers[trials.writer[wrong]]
    return found
