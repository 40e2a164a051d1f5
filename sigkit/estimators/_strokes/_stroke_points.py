"""The points of many signatures, as arrays that pairs of them are compared by."""

from dataclasses import dataclass, fields

import numpy as np

from sigkit.estimators._strokes._neighbor_map import MARGIN, NeighborMap
from sigkit.estimators._strokes._straightness import measure_straightness

N_CHANNELS = 7


@dataclass(frozen=True, eq=False)
class StrokePoints:
    """The points of signatures, and a map of the nearest point of each signature.

    The last points of a signature may be absent: their positions are those of its first point.

    Parameters
    ----------
    design : ndarray of shape (n_signatures, 3, n_points)
        Positions relative to their mean, x and y, and ones.
    sites : ndarray of shape (n_signatures, 2, n_points)
        Positions, x and y, in pixels of the image, relative to the origin of the map.
    center : ndarray of shape (n_signatures, 2)
        The mean position, relative to the origin of the map.
    pixel : ndarray of shape (n_signatures,)
        The side of a pixel.
    cos, sin, darkness : ndarray of shape (n_signatures, n_points), dtype float32
        The direction of the stroke, by cosine and sine of its double angle, and the darkness of its ink.
    straightness : ndarray of shape (n_signatures, n_points)
        How straight the strokes are around each point; 0 for absent points.
    n_present : ndarray of shape (n_signatures,), dtype int
        The number of points; at least 1.
    maps : ndarray of shape (n_signatures,), dtype object
        The `NeighborMap` of each signature.
    """

    design: np.ndarray
    sites: np.ndarray
    center: np.ndarray
    pixel: np.ndarray
    cos: np.ndarray
    sin: np.ndarray
    darkness: np.ndarray
    straightness: np.ndarray
    n_present: np.ndarray
    maps: np.ndarray

    @classmethod
    def from_rows(cls, X):
        """Make the points of the rows of `StrokeFeaturizer`, all of which have a point.

        Parameters
        ----------
        X : ndarray of shape (n_signatures, 7 * n_points)
            Features.

        Returns
        -------
        StrokePoints
            The points.

        Raises
        ------
        ValueError
            If the points of a signature are too far from each other for a map.
        """
        x, y, cos, sin, darkness, _, side = np.moveaxis(X.reshape(len(X), -1, N_CHANNELS), 2, 0)
        is_present = side > 0
        n_present, pixel = is_present.sum(axis=1), side[:, 0].astype(np.float64)
        nodes, origins, maps = [], [], np.empty(len(X), dtype=object)
        straightness = np.zeros(x.shape)
        for number, last in enumerate(n_present):
            own = (values[number, :last] for values in (x, y, cos, sin))
            straightness[number, :last] = measure_straightness(*own)
        for number, positions in enumerate(np.stack([x, y], axis=1) / pixel[:, None, None]):
            present = np.rint(positions[:, : n_present[number]]).astype(np.int64)
            origin = present.min(axis=1, keepdims=True) - MARGIN
            present -= origin
            maps[number] = NeighborMap.of(*present)
            absent = np.repeat(present[:, :1], len(is_present[number]) - n_present[number], axis=1)
            nodes.append(np.concatenate([present, absent], axis=1))
            origins.append(origin[:, 0])
        sites = np.array(nodes, dtype=np.float64).reshape(len(X), 2, -1)
        # Absent points are copies of the first one, whose share is subtracted.
        n_points = sites.shape[2]
        total = sites.sum(axis=2) - (n_points - n_present)[:, None] * sites[:, :, 0]
        center = total / n_present[:, None] * pixel[:, None]
        centered = sites * pixel[:, None, None] - center[:, :, None]
        design = np.concatenate([centered, np.ones((len(X), 1, n_points))], axis=1)
        cos, sin, darkness = (np.ascontiguousarray(values) for values in (cos, sin, darkness))
        return cls(design, sites, center, pixel, cos, sin, darkness, straightness, n_present, maps)

    def find_copies(self, others):
        """Find the signatures that equal one of others.

        Parameters
        ----------
        others : StrokePoints
            The others.

        Returns
        -------
        ndarray of shape (n_signatures,), dtype bool
            Whether each has an equal.
        """
        same = np.ones((len(self), len(others)), dtype=bool)
        for name in ("sites", "pixel", "cos", "sin", "darkness", "n_present"):
            own, known = (getattr(points, name).reshape(len(points), 1, -1) for points in (self, others))
            same &= (own == known.swapaxes(0, 1)).all(axis=2)
        return same.any(axis=1)

    def take(self, rows):
        """Return the points of some signatures.

        Parameters
        ----------
        rows : slice or ndarray
            The signatures.

        Returns
        -------
        StrokePoints
            Their points.
        """
        return StrokePoints(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def join(cls, parts):
        """Join the signatures of several objects.

        Parameters
        ----------
        parts : list of StrokePoints
            The objects.

        Returns
        -------
        StrokePoints
            All signatures, in this order.
        """
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def to_arrays(self):
        """Return the points as named arrays, those of each map with its number.

        Returns
        -------
        dict of str to ndarray
            The arrays.
        """
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "maps"}
        for number, own in enumerate(self.maps):
            arrays |= {f"{field.name} {number}": getattr(own, field.name) for field in fields(own)}
        return arrays

    @classmethod
    def from_arrays(cls, arrays):
        """Make the points of named arrays.

        Parameters
        ----------
        arrays : dict of str to ndarray
            What `to_arrays` returned, and any others.

        Returns
        -------
        StrokePoints
            The points.
        """
        maps = np.empty(len(arrays["design"]), dtype=object)
        for number in range(len(maps)):
            maps[number] = NeighborMap(*(arrays[f"{field.name} {number}"] for field in fields(NeighborMap)))
        return cls(*(arrays[field.name] for field in fields(cls) if field.name != "maps"), maps)

    def __len__(self):
        return len(self.design)
