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

_BATCH = 3200
"""Points of a batch of pairs in each way, about."""


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
    # Pairs with about equal numbers of points, in batches whose arrays fit into the processor's cache.
    width = np.maximum(points.n_present[first], points.n_present[second])
    order = np.argsort(width, kind="stable")
    start = 0
    while start < len(order):
        batch = order[start : start + max(1, int(_BATCH // width[order[start]]))]
        a, b = first[batch], second[batch]
        both = _compare(points, maps, np.concatenate([a, b]), np.concatenate([b, a]))
        agreement[batch] = both[: len(a)] + both[len(a) :]
        start += len(batch)
    return agreement


def _compare(points, maps, moving, fixed):
    affine, distance, nearest = align(points, maps, moving, fixed)
    n_present = points.n_present[moving]
    near = np.exp(distance**2 * (-0.5 / NEAR**2))
    width = distance.shape[1]
    cos, sin = points.cos[moving, :width], points.sin[moving, :width]
    other_cos, other_sin = points.cos.reshape(-1).take(nearest), points.sin.reshape(-1).take(nearest)
    turn = double_turn(affine)
    along, across = cos * other_cos + sin * other_sin, sin * other_cos - cos * other_sin
    cosine = np.cos(turn)[:, None] * along - np.sin(turn)[:, None] * across
    coverage = _sum(near) / n_present
    direction = _sum(near, cosine) / n_present
    parallel = _sum(near, cosine > PARALLEL) / n_present
    matched = distance < MATCHED
    n_matched = matched.sum(axis=1)
    other_darkness = points.darkness.reshape(-1).take(nearest)
    correlation = _rank_correlation(points.darkness[moving, :width], other_darkness, matched, n_matched)
    pressure = np.where(n_matched > _LEAST_MATCHED, correlation * n_matched / n_present, 0.0)
    difference = np.abs(points.straightness[moving, :width] - points.straightness.reshape(-1).take(nearest))
    differing = _sum(near, difference) / n_present
    straightness = -(differing + _FAR[0] * _FAR[1]) / (coverage + _FAR[0])
    return np.stack([direction, coverage, pressure, parallel, straightness], axis=1)


def _sum(*factors):
    """Sum the products of the columns of each row; absent points, at the end, do not change how it is rounded."""
    return np.einsum(",".join(["ij"] * len(factors)) + "->i", *factors)


def _rank_correlation(values, others, matched, n_matched):
    """Compute Spearman's correlation of the matched columns of each row; 0 where either has one value only."""
    first, second = _centered_ranks(np.stack([values, others]), matched, n_matched)
    products = [np.einsum("ij,ij->i", *pair) for pair in ((first, second), (first, first), (second, second))]
    return products[0] / np.sqrt(np.where(products[1] * products[2] > 0, products[1] * products[2], np.inf))


def _centered_ranks(values, matched, n_matched):
    """Rank the matched columns of each row, minus the mean rank; equal values have their mean rank, others 0."""
    values = np.where(matched, values, np.float32(np.inf))
    n = values.shape[-1]
    before = np.arange(0, values.size, n).reshape(*values.shape[:-1], 1)
    order = (np.argsort(values, axis=-1) + before).reshape(-1)
    ordered = values.take(order).reshape(values.shape)
    begins = np.ones(values.shape, dtype=bool)
    np.not_equal(ordered[..., 1:], ordered[..., :-1], out=begins[..., 1:])
    # Equal values have the mean of their places.
    starts = begins.reshape(-1).nonzero()[0]
    ends = np.append(starts[1:], values.size)
    ranks = np.empty(values.size)
    ranks[order] = np.repeat((starts + ends - 1) / 2, ends - starts)
    return np.where(matched, ranks.reshape(values.shape) - (before + (n_matched[:, None] - 1) / 2), 0.0)
