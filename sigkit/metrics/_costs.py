"""Expected costs of decisions: the detection cost function and its minimum over thresholds."""

from __future__ import annotations

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from sigkit.metrics._curves import _operating_points, _OperatingPoints
from sigkit.metrics._distances import _check_direction
from sigkit.metrics._trials import _make_trials


def min_dcf_score(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    prior: float,
    cost_far: float = 1.0,
    cost_frr: float = 1.0,
    kind: str = "skilled",
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> float:
    r"""Compute the minimum of the detection cost function (minDCF) over all thresholds.

    .. math:: \mathrm{minDCF} = \frac{\min_t\; \pi\, c_{FRR}\, \mathrm{FRR}(t) + (1 - \pi)\, c_{FAR}\, \mathrm{FAR}(t)}
        {\min(\pi\, c_{FRR},\; (1 - \pi)\, c_{FAR})}

    where :math:`\pi` is the prior probability that a claim is genuine. The denominator is the cost of the better of the
    two decisions that use no score, to accept everything or to reject everything.

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
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    float
        The cost, in [0, 1]; lower is better, and 1 means that the scores do not help.

    Raises
    ------
    ValueError
        If `prior` or a cost is out of range, if there are no genuine trials or no forgeries of that kind, or if the
        input is not valid for :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If the area under the ROC curve is below one half, as that of distances.

    See Also
    --------
    cost_threshold : The threshold with the lowest cost.
    min_cllr_score : The same for all priors and costs at once.

    References
    ----------
    .. [1] G. R. Doddington, M. A. Przybocki, A. F. Martin, D. A. Reynolds. The NIST speaker recognition evaluation:
       overview, methodology, systems, results, perspective. Speech Communication 31, 2000.

    Examples
    --------
    >>> from sigkit.metrics import min_dcf_score
    >>> min_dcf_score([1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.1, 0.3, -0.6], prior=0.5)
    0.25
    """
    weights = _weights_of_errors(prior, cost_far, cost_frr)
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    _check_direction(trials, kind)
    chosen = trials.select(trials.require_genuine() | trials.require_forgeries(kind))
    return _least_cost(_operating_points(chosen.score, chosen.genuine), *weights)[1] / min(weights)


def _weights_of_errors(prior: object, cost_far: object, cost_frr: object) -> tuple[float, float]:
    """Check prior and costs; return the weights of FAR and FRR in the expected cost."""
    if not isinstance(prior, Real) or isinstance(prior, bool) or not 0 < prior < 1:
        raise ValueError(f"prior must be the probability that a claim is genuine, between 0 and 1; got {prior!r}.")
    for name, cost in {"cost_far": cost_far, "cost_frr": cost_frr}.items():
        if not isinstance(cost, Real) or isinstance(cost, bool) or not 0 < cost < np.inf:
            raise ValueError(f"{name} must be a number above 0; got {cost!r}.")
    # In double precision, also where a number has less.
    return (1 - float(prior)) * float(cost_far), float(prior) * float(cost_frr)


def _least_cost(points: _OperatingPoints, far_weight: float, frr_weight: float) -> tuple[float, float]:
    """Find the threshold with the lowest weighted sum of FAR and FRR, and this sum."""
    # Above all scores nothing is accepted: FAR is 0 and FRR is 1.
    far = np.append(0.0, points.false_accepts / points.n_forgeries)
    frr = np.append(1.0, points.false_rejects / points.n_genuine)
    thresholds = np.append(np.nextafter(points.thresholds[0], np.inf), points.thresholds)
    cost = far_weight * far + frr_weight * frr
    best = cost.argmin()
    return float(thresholds[best]), float(cost[best])
