"""Agreement of the strokes of two signatures, by several signals."""

import numpy as np

from sigkit.estimators._strokes._align import align, double_turn
from sigkit.estimators._strokes._neighbor_map import NeighborMaps

SIGNALS = ("direction", "coverage", "pressure", "parallel", "straightness")
SCORED = [SIGNALS.index(name) for name in ("direction", "pressure", "parallel", "straightness")]
"""The signals that are part of the score."""

NEAR, MATCHED = 2.5, 4.0
"""Pixels of an image of 170 rows: the scale of nearness, and the distance up to which ink is compared."""

PARALLEL = 0.9
"""The least cosine of twice the angle between strokes that count as parallel: 13 degrees."""

_LEAST_MATCHED = 10
_FAR = 1e-3, 0.3
"""Straightness where no point is near: a share of the points that differs by so much."""

_BATCH = 64


def compare_points(points, first, second):
    """Compare pairs of signatures, each in both ways, and add the agreement of both ways.

    Parameters
    ----------
    points : StrokePoints
        All signatures.
    first, second : ndarray of shape (n_pairs,), dtype int
        The two signatures of each pair.

    Returns
    -------
    ndarray of shape (n_pairs, 5)
        The signals, in the order of `SIGNALS`; each between -2 and 2.
    """
    maps = NeighborMaps(points.maps, points.sites)
    agreement = np.empty((len(first), len(SIGNALS)))
    # Batches of pairs, so that their arrays fit into the processor's cache.
    for start in range(0, len(first), _BATCH):
        a, b = first[start : start + _BATCH], second[start : start + _BATCH]
        both = _compare(points, maps, np.concatenate([a, b]), np.concatenate([b, a]))
        agreement[start : start + _BATCH] = both[: len(a)] + both[len(a) :]
    return agreement


def _compare(points, maps, moving, fixed):
    affine, distance, nearest = align(points, maps, moving, fixed)
    n_present = points.n_present[moving]
    near = np.exp(distance**2 * (-0.5 / NEAR**2))
    cos, sin = points.cos[moving], points.sin[moving]
    other_cos, other_sin = points.cos.reshape(-1).take(nearest), points.sin.reshape(-1).take(nearest)
    turn = double_turn(affine)
    along, across = cos * other_cos + sin * other_sin, sin * other_cos - cos * other_sin
    cosine = np.cos(turn)[:, None] * along - np.sin(turn)[:, None] * across
    coverage = near.sum(axis=1) / n_present
    direction = (near * cosine).sum(axis=1) / n_present
    parallel = (near * (cosine > PARALLEL)).sum(axis=1) / n_present
    matched = distance < MATCHED
    n_matched = matched.sum(axis=1)
    other_darkness = points.darkness.reshape(-1).take(nearest)
    correlation = _rank_correlation(points.darkness[moving], other_darkness, matched, n_matched)
    pressure = np.where(n_matched > _LEAST_MATCHED, correlation * n_matched / n_present, 0.0)
    difference = np.abs(points.straightness[moving] - points.straightness.reshape(-1).take(nearest))
    differing = (near * difference).sum(axis=1) / n_present
    straightness = -(differing + _FAR[0] * _FAR[1]) / (coverage + _FAR[0])
    return np.stack([direction, coverage, pressure, parallel, straightness], axis=1)


def _rank_correlation(values, others, matched, n_matched):
    """Compute Spearman's correlation of the matched columns of each row; 0 where either has one value only."""
    first, second = (_centered_ranks(part, matched, n_matched) for part in (values, others))
    products = [np.einsum("ij,ij->i", *pair) for pair in ((first, second), (first, first), (second, second))]
    return products[0] / np.sqrt(np.where(products[1] * products[2] > 0, products[1] * products[2], np.inf))


def _centered_ranks(values, matched, n_matched):
    """Rank the matched columns of each row, minus the mean rank; equal values have their mean rank, others 0."""
    values = np.where(matched, values, np.float32(np.inf))
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    n = values.shape[1]
    # Positions of the first and the last of equal values.
    begins = np.ones(values.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=begins[:, 1:])
    place = np.arange(n)
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    ends = np.roll(begins, -1, axis=1)
    ends[:, -1] = True
    last = np.minimum.accumulate(np.where(ends, place, n)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2, axis=1)
    return np.where(matched, ranks - (n_matched[:, None] - 1) / 2, 0.0)
