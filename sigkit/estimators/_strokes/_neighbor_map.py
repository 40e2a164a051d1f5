"""Maps of one signature by which the point nearest to any position is found without a search."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt

UNSURE = 0x8000
"""Mark of a cell in which other points may be nearest than those that the map names."""

MARGIN = 12
"""Cells around the points. Positions beyond it are compared with all points."""

_NUMBER = np.uint16(UNSURE - 1)

_LARGEST = 2**22

_NEARER = 1e-9

_AT_ONCE = 512
"""Positions that are compared with all points at once: it bounds the memory."""


@dataclass(frozen=True, eq=False)
class NeighborMap:
    """The points that can be nearest in each cell of a grid: those nearest to its corners, and one other.

    Parameters
    ----------
    entries : ndarray of shape (n_rows, n_columns), dtype uint16
        The number of the point nearest to each node, and the mark of the cell to the right of and below it.
    cells : ndarray of shape (n_cells,), dtype int32
        The cells in which a point is nearest that is nearest to no corner, as positions in the flattened grid.
    inside : ndarray of shape (n_cells,), dtype uint16
        That point.
    """

    entries: np.ndarray
    cells: np.ndarray
    inside: np.ndarray

    @classmethod
    def of(cls, column, row):
        """Make the map of points at the nodes of a grid.

        A cell lies between four nodes, its corners. The positions that are nearest to a point form a convex set. So a
        point that is nearest in the cell but at no corner is nearest somewhere on a side. Cells with several such
        points are marked, and those at the border.

        Parameters
        ----------
        column, row : ndarray of shape (n_present,), dtype int
            The nodes of the points, at least `MARGIN`.

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
        cells, inside, are_sure = _points_inside(entries, column[first], row[first], first)
        entries.reshape(-1)[cells[~are_sure]] |= np.uint16(UNSURE)
        for border in (np.s_[:1], np.s_[-2:], np.s_[:, :1], np.s_[:, -2:]):
            entries[border] |= np.uint16(UNSURE)
        return cls(entries, cells.astype(np.int32), inside.astype(np.uint16))


def _points_inside(entries, column, row, number):
    """Return the cells in which a point is nearest that is nearest to no corner, that point, and if it is the only one.

    Cells are positions in the flattened map.
    """
    nodes, n_columns = entries.reshape(-1), entries.shape[1]
    sides = [np.flatnonzero(entries[:-1] != entries[1:]), np.flatnonzero(nodes[:-1] != nodes[1:])]
    step = np.repeat([n_columns, 1], [len(side) for side in sides])
    begin = np.concatenate(sides)
    # The nodes of a row end where those of the next one begin.
    is_side = (step > 1) | (begin % n_columns < n_columns - 1)
    begin, step = begin[is_side], step[is_side]
    first, last = nodes.take(begin), nodes.take(begin + step)
    crossings = _Crossings(column, row, number, n_columns)
    hidden, is_hidden = crossings.find_nearer(begin, step, first, last)
    begin, step, first, last, hidden = (values[is_hidden] for values in (begin, step, first, last, hidden))
    # The ends are nearest up to where the hidden point takes over, if no other point is nearer there.
    twice = (np.tile(values, 2) for values in (begin, step, hidden))
    is_only = ~crossings.find_nearer(*twice, np.concatenate([first, last]))[1].reshape(2, -1).any(axis=0)
    # A side belongs to the cell that begins with it, and to the one before.
    cells = np.concatenate([begin, begin - np.where(step == 1, n_columns, 1)])
    points, is_only = np.tile(hidden, 2), np.tile(is_only, 2)
    # Cells at the border are marked anyway.
    kept = (cells >= 0) & (cells < entries.size - n_columns - 1)
    corners = cells[:, None] + [0, 1, n_columns, n_columns + 1]
    kept &= (nodes.take(corners, mode="clip") != points[:, None]).all(axis=1) | ~is_only
    order = np.flatnonzero(kept)
    order = order[np.argsort(cells[order], kind="stable")]
    cells, points, is_only = cells[order], points[order], is_only[order]
    if len(cells):
        begins = np.flatnonzero(np.diff(cells, prepend=-1))
        is_only = np.logical_and.reduceat(is_only, begins)
        is_only &= np.maximum.reduceat(points, begins) == np.minimum.reduceat(points, begins)
        cells, points = cells[begins], points[begins]
    return cells, points, is_only


class _Crossings:
    """Where two points are equally far from a side of a cell, and which points are nearer there.

    Parameters
    ----------
    column, row : ndarray of shape (n_distinct,)
        The nodes of the points, each once.
    number : ndarray of shape (n_distinct,)
        The numbers of these points.
    n_columns : int
        Columns of the map.
    """

    def __init__(self, column, row, number, n_columns):
        self.number, self.n_columns = number, n_columns
        self.place = np.zeros(number.max() + 1, dtype=np.intp)
        self.place[number] = np.arange(len(number))
        self.x, self.y = column.astype(np.float64), row.astype(np.float64)
        self.products = np.stack([-2 * self.x, -2 * self.y, self.x * self.x + self.y * self.y])

    def find_nearer(self, begin, step, point, other):
        """Find a point nearer than two others where these are equally far.

        Parameters
        ----------
        begin : ndarray of shape (n_sides,)
            The first node of each side, as a position in the flattened map.
        step : ndarray of shape (n_sides,)
            The positions from there to the other end.
        point, other : ndarray of shape (n_sides,)
            The two points.

        Returns
        -------
        nearest : ndarray of shape (n_sides,)
            The nearest of all points.
        is_nearer : ndarray of shape (n_sides,), dtype bool
            Whether it is nearer than the two.
        """
        row, column = np.divmod(begin, self.n_columns)
        own, opposite = self.place.take(point), self.place.take(other)
        x, y = self.x.take(own) - column, self.y.take(own) - row
        other_x, other_y = self.x.take(opposite) - column, self.y.take(opposite) - row
        is_across = step == 1
        # Along the side the difference of the squared distances is linear; it is 0 at the crossing.
        place = (other_x * other_x + other_y * other_y - x * x - y * y) / 2
        place /= np.where(is_across, other_x - x, other_y - y)
        at = np.ones((len(begin), 3))
        at[:, 0], at[:, 1] = column + np.where(is_across, place, 0), row + np.where(is_across, 0, place)
        nearest, is_nearer = np.empty(len(begin), dtype=np.intp), np.empty(len(begin), dtype=bool)
        for start in range(0, len(begin), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            # The squared distances, but for the square of the crossing, which is the same for all points.
            squares = at[part] @ self.products
            least = squares.argmin(axis=1)
            rows = np.arange(len(squares))
            nearest[part], is_nearer[part] = least, squares[rows, least] < squares[rows, own[part]] - _NEARER
        return self.number.take(nearest), is_nearer


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
        self.sites = np.ascontiguousarray(sites.transpose(1, 0, 2))
        self.n_points = sites.shape[2]
        self.x, self.y = self.sites.reshape(2, -1)
        self.entries = np.concatenate([one.entries.reshape(-1) for one in maps])
        self.shapes = np.array([one.entries.shape for one in maps])
        sizes = self.shapes.prod(axis=1)
        self.first = np.cumsum(sizes) - sizes
        # The point inside of each cell, or that of its node.
        self.inside = self.entries & _NUMBER
        begins = np.repeat(self.first, [len(one.cells) for one in maps])
        self.inside[begins + np.concatenate([one.cells for one in maps])] = np.concatenate([one.inside for one in maps])

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


class _Work(NamedTuple):
    corners: np.ndarray
    numbers: np.ndarray
    candidates: np.ndarray
    sites: np.ndarray

    @classmethod
    def of(cls, n_pairs, n_positions):
        shape = n_pairs, n_positions
        return cls(
            np.empty((4, *shape), dtype=np.intp),
            np.empty((5, *shape), dtype=np.uint16),
            np.empty((5, *shape), dtype=np.intp),
            np.empty((2, 5, *shape)),
        )


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
        self.maps, self.which = maps, which
        height, width = maps.shapes[which].T
        self.width, self.last = width[:, None], np.stack([width, height], axis=1)[:, :, None] - 2.0
        self.first = maps.first[which, None]
        self.offset = which[:, None] * maps.n_points
        self._arrays = None

    def find_nearest(self, positions):
        """Find the point nearest to each position, exactly.

        Parameters
        ----------
        positions : ndarray of shape (n_pairs, 2, n_positions)
            Positions, x and y, in cells of the grid of their signature.

        Returns
        -------
        nearest : ndarray of shape (n_pairs, n_positions), dtype int
            The nearest points, as positions in the flattened points of all signatures.
        squares : ndarray of shape (n_pairs, n_positions)
            Their squared distances, in cells.
        """
        maps, work = self.maps, self._work(positions.shape[2])
        cells = np.minimum(np.maximum(positions, 0), self.last).astype(np.intp)
        corners, numbers, candidates = work.corners, work.numbers, work.candidates
        np.multiply(cells[:, 1], self.width, out=corners[0])
        corners[0] += cells[:, 0]
        corners[0] += self.first
        np.add(corners[0], 1, out=corners[1])
        np.add(corners[:2], self.width, out=corners[2:])
        maps.entries.take(corners, out=numbers[:4], mode="clip")
        maps.inside.take(corners[0], out=numbers[4], mode="clip")
        unsure = (numbers[0].reshape(-1) >= UNSURE).nonzero()[0]
        numbers &= _NUMBER
        np.add(numbers, self.offset, out=candidates)
        sites = (of_axis.take(candidates, out=out, mode="clip") for of_axis, out in zip((maps.x, maps.y), work.sites))
        squares = _squares(*sites, positions[:, 0], positions[:, 1])
        # Comparisons are faster than argmin over an axis of five; of equally near points they take the first.
        right = squares[1:4:2] < squares[:4:2]
        of_rows, least = np.where(right, candidates[1:4:2], candidates[:4:2]), np.minimum(squares[1:4:2], squares[:4:2])
        nearest, least = np.where(least[1] < least[0], of_rows[1], of_rows[0]), np.minimum(*least)
        nearest, least = np.where(squares[4] < least, candidates[4], nearest), np.minimum(squares[4], least)
        for start in range(0, len(unsure), _AT_ONCE):
            self._compare_all(unsure[start : start + _AT_ONCE], positions, nearest.reshape(-1), least.reshape(-1))
        return nearest, least

    def _work(self, n_positions):
        """Return arrays to work in, which are made once: so much memory comes from the system at each allocation."""
        if self._arrays is None or self._arrays.numbers.shape[2] != n_positions:
            self._arrays = _Work.of(len(self.which), n_positions)
        return self._arrays

    def _compare_all(self, rows, positions, nearest, least):
        """Compare some positions with all points; what is nearer is written in place."""
        pair = rows // positions.shape[2]
        # The y of a pair are behind its x.
        at = rows + pair * positions.shape[2]
        x, y = positions.take(at), positions.take(at + positions.shape[2])
        of_pair = self.which.take(pair)
        squares = _squares(*(sites.take(of_pair, axis=0) for sites in self.maps.sites), x[:, None], y[:, None])
        best, smallest = squares.argmin(axis=1), squares.min(axis=1)
        is_nearer = smallest < least[rows]
        rows = rows[is_nearer]
        nearest[rows], least[rows] = (best + of_pair * self.maps.n_points)[is_nearer], smallest[is_nearer]


def _squares(across, down, x, y):
    """Return the squared distances of points from positions; the arrays of the points are overwritten."""
    across -= x
    down -= y
    across *= across
    down *= down
    across += down
    return across
