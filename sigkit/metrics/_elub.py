"""Bounds of likelihood ratios that a number of trials supports."""

import numpy as np


def _supported_range(log10_lr: np.ndarray, genuine: np.ndarray, misleading: tuple[float, float]) -> tuple[float, float]:
    """Compute the empirical lower and upper bound (ELUB) of log10 likelihood ratios.

    Decisions by the likelihood ratios are compared with decisions by the prior odds alone. `misleading` are numbers of
    a genuine trial with the lowest and of a forgery with the highest likelihood ratio, which are added. The bounds are
    the prior odds at which the likelihood ratios are then not better any more.
    """
    genuine_lr, forged_lr = log10_lr[genuine], log10_lr[~genuine]
    upper = _upper_bound(genuine_lr, forged_lr, *misleading)
    lower = -_upper_bound(-forged_lr, -genuine_lr, *misleading[::-1])
    return lower, upper


def _upper_bound(supporting, opposed, n_misleading_supporting, n_misleading_opposed):
    """Find the first threshold t >= 1 at which 1 - FRR(t) < t FAR(t); both rates with the misleading trials."""
    supporting, opposed = np.sort(supporting), np.sort(opposed)
    # Between two neighboring likelihood ratios both rates are constant.
    edges = np.unique(np.concatenate([[0.0], supporting[supporting > 0], opposed[opposed > 0]]))
    above = edges[1:]
    n_missed = np.searchsorted(supporting, above, side="left") + n_misleading_supporting
    n_accepted = len(opposed) - np.searchsorted(opposed, above, side="left") + n_misleading_opposed
    hit_rate = 1 - n_missed / (len(supporting) + n_misleading_supporting)
    false_rate = n_accepted / (len(opposed) + n_misleading_opposed)
    with np.errstate(divide="ignore"):
        limit = np.log10(np.maximum(hit_rate, 0)) - np.log10(false_rate)
    exceeded = np.flatnonzero(limit < above)
    if not len(exceeded):
        return float(edges[-1])
    return float(max(edges[exceeded[0]], limit[exceeded[0]]))
