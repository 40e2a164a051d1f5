"""The pool adjacent violators (PAV) algorithm on counts of trials."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from sigkit.metrics._curves import _operating_points


@dataclass(frozen=True)
class _Blocks:
    """Runs of neighboring scores in increasing order, within which PAV does not distinguish scores."""

    lowest: np.ndarray
    highest: np.ndarray
    n_genuine: np.ndarray
    n_forgeries: np.ndarray


def _pool_violators(score: np.ndarray, genuine: np.ndarray, *, with_misleading: bool = False) -> _Blocks:
    """Pool scores until the fraction of genuine trials increases with the score.

    `with_misleading` adds a genuine trial at the lowest score and a forgery at the highest one, so that no block is
    without genuine trials or without forgeries.
    """
    points = _operating_points(score, genuine)
    scores = points.thresholds[::-1]
    n_forgeries = np.diff(points.false_accepts, prepend=0)[::-1].astype(np.float64)
    n_genuine = np.diff(points.n_genuine - points.false_rejects, prepend=0)[::-1].astype(np.float64)
    if with_misleading:
        n_genuine[0] += 1
        n_forgeries[-1] += 1
    totals = n_genuine + n_forgeries
    starts = isotonic_regression(n_genuine / totals, weights=totals).blocks
    return _Blocks(
        scores[starts[:-1]],
        scores[starts[1:] - 1],
        np.add.reduceat(n_genuine, starts[:-1]),
        np.add.reduceat(n_forgeries, starts[:-1]),
    )
