"""Alignment of the points of one signature with those of another: iterated closest points, in batches of pairs."""

from typing import NamedTuple

import numpy as np

N_ITERATIONS, KEPT = 6, 0.8
RIDGE = np.diag([60.0, 60.0, 1e-3])
"""The pull of the affine map towards the identity."""

_STEP = 16
"""Points are compared in multiples of so many, so that sums are those of present points to the last bit."""

_IDENTITY = np.array([[1.0, 0], [0, 1], [0, 0]])
_PULL = RIDGE @ _IDENTITY


class Aligned(NamedTuple):
    """Pairs of signatures after the alignment.

    Parameters
    ----------
    affine : ndarray of shape (n_pairs, 3, 2)
        The map `[x, y, 1] @ affine` of positions relative to their mean.
    distance : ndarray of shape (n_pairs, n_points)
        Distance from each moved point to the nearest point of the other signature; infinite for absent points.
    nearest : ndarray of shape (n_pairs, n_points), dtype int
        That point, as a position in the flattened points of all signatures.
    """

    affine: np.ndarray
    distance: np.ndarray
    nearest: np.ndarray


def align(points, maps, moving, fixed):
    """Align pairs of signatures.

    In each iteration every point of the moving signature is matched with the nearest point of the fixed one, and the
    affine map is fitted to the nearest four fifths of the matches, by least squares with a pull to the identity.

    Parameters
    ----------
    points : StrokePoints
        All signatures.
    maps : NeighborMaps
        Their maps.
    moving, fixed : ndarray of shape (n_pairs,), dtype int
        The two signatures of each pair.

    Returns
    -------
    Aligned
        The maps and matches.
    """
    n_present = points.n_present[moving]
    width = min(-(-int(n_present.max()) // _STEP) * _STEP, points.design.shape[2])
    # The rows x, y, 1 of the moving signature, and those of the matched points.
    rows = np.empty((len(moving), 5, width))
    design, matched = rows[:, :3], rows[:, 3:]
    design[...] = points.design[moving, :, :width]
    is_absent = np.arange(width) >= n_present[:, None]
    pixel, center = points.pixel[fixed, None], points.center[fixed]
    pair_maps, largest_kept = maps.of_pairs(fixed), _Quantile(n_present, width)
    affine = np.broadcast_to(_IDENTITY, (len(moving), 3, 2))
    for iteration in range(N_ITERATIONS + 1):
        # To pixels of the map of the fixed signature.
        to_map = affine / pixel[:, :, None]
        to_map[:, 2] += center / pixel
        nearest, squares = pair_maps.find_nearest(to_map.transpose(0, 2, 1) @ design)
        distance = np.sqrt(squares, out=squares)
        distance *= pixel
        distance[is_absent] = np.inf
        if iteration == N_ITERATIONS:
            return Aligned(affine, distance, nearest)
        kept = distance <= largest_kept.of(distance) + 1e-6
        matched[:, 0], matched[:, 1] = maps.x.take(nearest), maps.y.take(nearest)
        affine = _fit(design * kept[:, None].astype(np.float64), rows, pixel, center)


def double_turn(affine):
    """Return twice the angle by which affine maps turn, about that of the closest rotation.

    Parameters
    ----------
    affine : ndarray of shape (..., 3, 2)
        The maps.

    Returns
    -------
    ndarray of shape (...)
        The angles.
    """
    return 2 * np.arctan2(affine[..., 0, 1] - affine[..., 1, 0], affine[..., 0, 0] + affine[..., 1, 1])


def _fit(weighted, rows, pixel, center):
    """Fit the affine maps by their normal equations."""
    products = weighted @ rows.transpose(0, 2, 1)
    gram, moments = products[:, :, :3], products[:, :, 3:] * pixel[:, :, None]
    # The matched positions are relative to the origin of the map; the map is fitted to those relative to their mean.
    moments -= gram[:, :, 2:] * center[:, None]
    return np.linalg.solve(gram + RIDGE, moments + _PULL)


class _Quantile:
    """The quantile of the distances of present points that are kept, interpolated as by `numpy.quantile`.

    Parameters
    ----------
    n_present : ndarray of shape (n_pairs,)
        Points of each pair; the distances of the others are infinite.
    width : int
        Number of points with those that are absent.
    """

    def __init__(self, n_present, width):
        position = KEPT * (n_present - 1)
        below = position.astype(np.intp)
        first = np.arange(0, len(n_present) * width, width)
        self.places = np.stack([first + below, first + np.minimum(below + 1, n_present - 1)])
        self.share = position - below

    def of(self, distance):
        """Return the quantile of each row of the distances, shape (n_pairs, 1)."""
        low, high = np.sort(distance, axis=1).take(self.places)
        return (low + (high - low) * self.share)[:, None]
