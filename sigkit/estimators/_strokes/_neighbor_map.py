"""Maps of one signature by which the point nearest to any position is found without a search."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import Delaunay

AMBIGUOUS, HIDDEN = 0x4000, 0x8000
"""Marks of a cell: points of more than one corner are nearest in it; or perhaps points of no corner."""

MARGIN = 12
"""Cells around the points. Positions beyond it are looked up at the border."""

_NUMBER = AMBIGUOUS - 1

_LARGEST = 2**22

_MOVE = 1e-6
_N_NEIGHBORS = 16
"""Columns of the table of neighbors; more where a point has more neighbors."""


@dataclass(frozen=True, eq=False)
class NeighborMap:
    """The nearest point of each node of a grid, and the neighbors of each point.

    Parameters
    ----------
    entries : ndarray of shape (n_rows, n_columns), dtype uint16
        The number of the point nearest to each node, and the mark of the cell to the right of and below it.
    neighbors : ndarray of shape (n_points, n_neighbors), dtype uint16
        Each point and its neighbors in the Delaunay triangulation, padded by the point itself.
    """

    entries: np.ndarray
    neighbors: np.ndarray

    @classmethod
    def of(cls, column, row, n_points):
        """Make the map of points at the nodes of a grid.

        A cell lies between four nodes, its corners. The positions that are nearest to a point form a convex set. So if
        a point is nearest to all corners, it is nearest everywhere in the cell. Otherwise the cell is ambiguous. A
        point that is nearest in the cell but at no corner is nearest somewhere on a side, and there also where the
        points of the two corners of that side are equally far; such a point is hidden. Cells at the border are marked
        as if they had hidden points.

        Parameters
        ----------
        column, row : ndarray of shape (n_present,), dtype int
            The nodes of the points, at least `MARGIN`.
        n_points : int
            The number of points with those that are absent, which have no neighbors.

        Returns
        -------
        NeighborMap
            The map.

        Raises
        ------
        ValueError
            If the points are too far from each other.
        """
        shape = int(row.max()) + MARGIN + 1, int(column.max()) + MARGIN + 1
        if shape[0] * shape[1] > _LARGEST:
            raise ValueError(
                f"The points of a signature are spread over {shape[0]} x {shape[1]} pixels, more "
                f"than {_LARGEST} in all. Preprocess with a smaller image_size, and pass what StrokeFeaturizer returns."
            )
        # Of points at one node, the first counts.
        nodes, first = np.unique(row * shape[1] + column, return_index=True)
        is_empty = np.ones(shape, dtype=bool)
        is_empty.reshape(-1)[nodes] = False
        number = np.zeros(shape, dtype=np.uint16)
        number.reshape(-1)[nodes] = first
        entries = number[tuple(distance_transform_edt(is_empty, return_distances=False, return_indices=True))]
        neighbors = _triangulate(column[first], row[first], first, n_points)
        differs = entries[:-1] != entries[1:], entries[:, :-1] != entries[:, 1:]
        hides = _find_hidden(entries, differs, (column, row), neighbors)
        for mark, (left, above) in ((AMBIGUOUS, differs), (HIDDEN, hides)):
            marked = left[:, :-1] | left[:, 1:] | above[:-1] | above[1:]
            entries[:-1, :-1] |= marked * np.uint16(mark)
        for border in (np.s_[:1], np.s_[-2:], np.s_[:, :1], np.s_[:, -2:]):
            entries[border] |= np.uint16(HIDDEN)
        return cls(entries, neighbors)


def _triangulate(column, row, number, n_points):
    """Return each point and its neighbors, padded by the point itself."""
    # Points of a grid lie on common circles, which takes Qhull twice the time. Moved so little, they do not.
    phase = np.arange(len(column))
    positions = np.stack([column + _MOVE * np.sin(phase), row + _MOVE * np.cos(1.7 * phase)], axis=1)
    # Three points far away, so that there is a triangulation even of one point or of points on a line.
    far = 10.0 * (np.ptp(column) + np.ptp(row) + 100)
    around = np.array([[0, far], [-far, -far], [far, -far]]) + positions[0]
    first, found = Delaunay(np.concatenate([positions, around])).vertex_neighbor_vertices
    counts = np.diff(first)[: len(number)]
    # Those far away come last: their numbers are replaced by that of the owner.
    owners, found = np.repeat(np.arange(len(number)), counts), found[: first[len(number)]]
    found = np.where(found < len(number), found, owners)
    neighbors = np.repeat(np.arange(n_points, dtype=np.uint16)[:, None], max(counts.max() + 1, _N_NEIGHBORS), axis=1)
    neighbors[number[owners], np.arange(len(owners)) - first[owners] + 1] = number[found]
    return neighbors


def _find_hidden(entries, differs, sites, neighbors):
    """Find the sides of cells on which a point is nearest that is nearest to neither end."""
    found = []
    for axis, differing in enumerate(differs):
        where = np.nonzero(differing)
        begin = np.stack(where[::-1]).astype(np.float64)
        point = entries[where]
        other = entries[1:][where] if axis == 0 else entries[:, 1:][where]
        # Along the side the difference of the squared distances is linear; it is 0 at the crossing.
        to_point, to_other = ([site[which] - start for site, start in zip(sites, begin)] for which in (point, other))
        squares = [across**2 + down**2 for across, down in (to_point, to_other)]
        begin[1 - axis] += (squares[1] - squares[0]) / 2 / (to_other[1 - axis] - to_point[1 - axis])
        # If any point is nearer to the crossing, a neighbor is.
        around = neighbors[point]
        reached = sum((site[around] - at[:, None]) ** 2 for site, at in zip(sites, begin))
        hidden = np.zeros(differing.shape, dtype=bool)
        hidden[where] = reached.min(axis=1) < reached[:, 0] - 1e-9
        found.append(hidden)
    return found


class NeighborMaps:
    """The maps of several signatures, one after the other in memory.

    Parameters
    ----------
    maps : sequence of NeighborMap
        One map per signature.
    sites : ndarray of shape (n_signatures, 2, n_points)
        The nodes of the points, x and y.
    """

    def __init__(self, maps, sites):
        self.n_points = sites.shape[2]
        self.flat_sites = np.ascontiguousarray(sites.transpose(1, 0, 2)).reshape(2, -1)
        self.entries = np.concatenate([one.entries.reshape(-1) for one in maps])
        self.shapes = np.array([one.entries.shape for one in maps])
        sizes = self.shapes.prod(axis=1)
        self.first = np.cumsum(sizes) - sizes
        n_neighbors = max(one.neighbors.shape[1] for one in maps)
        self.neighbors = np.concatenate([_widened(one.neighbors, n_neighbors) for one in maps])

    def of_pairs(self, which):
        """Select the map of each of several pairs.

        Parameters
        ----------
        which : ndarray of shape (n_pairs,)
            The signature of each pair.

        Returns
        -------
        PairMaps
            The maps of the pairs.
        """
        return PairMaps(self, which)


def _widened(neighbors, n_neighbors):
    lacking = n_neighbors - neighbors.shape[1]
    return np.concatenate([neighbors, np.repeat(neighbors[:, :1], lacking, axis=1)], axis=1) if lacking else neighbors


class PairMaps:
    """The maps that the positions of several pairs are looked up in.

    Parameters
    ----------
    maps : NeighborMaps
        All maps.
    which : ndarray of shape (n_pairs,)
        The signature of each pair.
    """

    def __init__(self, maps, which):
        self.maps = maps
        height, self.width = maps.shapes[which].T
        self.largest = np.stack([self.width, height], axis=1)[:, :, None] - 2.0
        self.first = maps.first[which, None]
        self.offset = which * maps.n_points
        # A copy in the memory order of a column is not needed in each iteration.
        self.column_width, self.column_offset = self.width[:, None], self.offset[:, None]

    def find_nearest(self, positions):
        """Find the point nearest to each position, exactly.

        Parameters
        ----------
        positions : ndarray of shape (n_pairs, 2, n_positions)
            Positions, x and y, in cells of the grid of their signature.

        Returns
        -------
        ndarray of shape (n_pairs, n_positions), dtype int
            The nearest points, as positions in the flattened points of all signatures.
        """
        cells = np.minimum(np.maximum(positions, 0), self.largest).astype(np.intp)
        cell = cells[:, 1] * self.column_width
        cell += cells[:, 0]
        cell += self.first
        entries = self.maps.entries.take(cell)
        nearest = (entries & _NUMBER) + self.column_offset
        flat = nearest.reshape(-1)
        marked = (entries.reshape(-1) >= AMBIGUOUS).nonzero()[0]
        pair = marked // entries.shape[1]
        # The y of a pair are behind its x.
        at = marked + pair * entries.shape[1]
        positions = positions.reshape(-1)
        x, y = positions.take(at), positions.take(at + entries.shape[1])
        offset = self.offset.take(pair)
        best = self._among_corners(x, y, cell.reshape(-1).take(marked), self.width.take(pair), offset)
        hidden = (entries.reshape(-1).take(marked) >= HIDDEN).nonzero()[0]
        best[hidden] = self._walk(x.take(hidden), y.take(hidden), best.take(hidden), offset.take(hidden))
        flat[marked] = best
        return nearest

    def _among_corners(self, x, y, cell, width, offset):
        corners = np.empty((4, len(cell)), dtype=np.intp)
        corners[0], corners[1] = cell, cell + 1
        np.add(corners[:2], width, out=corners[2:])
        candidates = (self.maps.entries.take(corners) & _NUMBER) + offset
        squares = self._squares(x, y, candidates)
        # Three comparisons are faster than argmin over an axis of four.
        right = squares[1::2] < squares[::2]
        rows = np.where(right, candidates[1::2], candidates[::2])
        of_rows = np.minimum(squares[1::2], squares[::2])
        return np.where(of_rows[1] < of_rows[0], rows[1], rows[0])

    def _walk(self, x, y, current, offset):
        """Go from point to nearer neighbor, which ends at the nearest point."""
        walking = np.arange(len(x))
        while len(walking):
            # The point itself comes first, so that it stays if no neighbor is nearer.
            around = self.maps.neighbors.take(current.take(walking), axis=0) + offset.take(walking)[:, None]
            squares = self._squares(x.take(walking)[:, None], y.take(walking)[:, None], around)
            best = squares.argmin(axis=1)
            is_nearer = best.nonzero()[0]
            walking = walking.take(is_nearer)
            current[walking] = around[is_nearer, best.take(is_nearer)]
        return current

    def _squares(self, x, y, points):
        across, down = self.maps.flat_sites[0].take(points), self.maps.flat_sites[1].take(points)
        across -= x
        down -= y
        across *= across
        down *= down
        across += down
        return across
