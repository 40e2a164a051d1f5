"""The strokes of a query, aligned with those of a reference, with their agreement point by point."""

import numpy as np
from scipy.stats import rankdata
from sklearn.utils import Bunch

from sigkit.estimators._strokes._agreement import MATCHED, NEAR, SCORED
from sigkit.estimators._strokes._align import align, double_turn
from sigkit.estimators._strokes._neighbor_map import NeighborMaps
from sigkit.estimators._strokes._stroke_points import StrokePoints
from sigkit.imaging import STROKE_CHANNELS

_COS, _SIN, _DARKNESS, _PIXEL = map(STROKE_CHANNELS.index, ("cos", "sin", "darkness", "pixel"))


def nearest_references(matcher, points):
    """Sort references by the agreement of their strokes with those of a query.

    Parameters
    ----------
    matcher : StrokeMatcher
        The matcher.
    points : ndarray of shape (1 + n_references, 7 * n_points)
        Points of the query and of the references.

    Returns
    -------
    list of int
        The numbers of the references, those that agree best first.
    """
    agreement = matcher.compare(np.repeat(points[:1], len(points) - 1, axis=0), points[1:])
    scored = np.nan_to_num(agreement[:, SCORED].sum(axis=1), nan=-np.inf)
    return np.argsort(-scored, kind="stable").tolist()


def align_strokes(query, reference):
    """Align the strokes of a query with those of a reference.

    Parameters
    ----------
    query, reference : ndarray of shape (7 * n_points,)
        Points of strokes, as `StrokeFeaturizer` measures them.

    Returns
    -------
    Bunch or None
        Of each point of the query: `x` and `y`, its position in pixels of its image; `moved_x` and `moved_y`, the same
        aligned with the reference, in pixels of the reference's image; `direction`, from -1 (perpendicular, or no
        stroke nearby) to 1 (the same direction at the same place); and `pressure`, the difference of the ranks of the
        darkness of the ink, from -1 (paler) to 1 (darker), NaN where no stroke is near. `reference_x` and `reference_y`
        are the points of the reference. None if a signature has no ink.
    """
    own, other = (
        row.reshape(-1, 7)[row.reshape(-1, 7)[:, _PIXEL] > 0].astype(np.float64) for row in (query, reference)
    )
    if not len(own) or not len(other):
        return None
    points = StrokePoints.from_rows(np.stack([query, reference]))
    aligned = align(points, NeighborMaps(points.maps, points.sites), np.array([0]), np.array([1]))
    n_own = len(own)
    affine, distance = aligned.affine[0], aligned.distance[0, :n_own]
    nearest = aligned.nearest[0, :n_own] - points.sites.shape[2]
    centers = own[:, :2].mean(axis=0), other[:, :2].mean(axis=0)
    moved = (np.column_stack([own[:, :2] - centers[0], np.ones(n_own)]) @ affine + centers[1]) / other[0, _PIXEL]
    angles = [np.arctan2(part[:, _SIN], part[:, _COS]) for part in (own, other[nearest])]
    near = np.exp(-0.5 * (distance / NEAR) ** 2)
    # Where no stroke is near, the strokes disagree as much as if they were perpendicular.
    direction = near * (np.cos(angles[0] + double_turn(affine) - angles[1]) + 1) - 1
    matched = distance < MATCHED
    pressure = np.full(n_own, np.nan)
    if matched.any():
        ranks = [_ranks(part[matched, _DARKNESS]) for part in (own, other[nearest])]
        pressure[matched] = ranks[0] - ranks[1]
    (x, y), (reference_x, reference_y) = own[:, :2].T / own[0, _PIXEL], other[:, :2].T / other[0, _PIXEL]
    return Bunch(
        x=x,
        y=y,
        moved_x=moved[:, 0],
        moved_y=moved[:, 1],
        direction=direction,
        pressure=pressure,
        reference_x=reference_x,
        reference_y=reference_y,
    )


def _ranks(values):
    """Return mean ranks from 0 to 1."""
    return (rankdata(values) - 1) / max(1, len(values) - 1)
