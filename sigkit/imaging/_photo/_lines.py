"""Straight printed lines: the rules of paper, the frames of forms, the lines to sign on."""

from typing import NamedTuple

import numpy as np

_SLOPES = np.tan(np.deg2rad(np.arange(-15, 15.01, 0.5)))
_COARSE_SIDE = 260
_SHORTEST = 0.12
_THICKEST = 5
_LONGEST_GAP = 14
_MAX_CANDIDATES = 60
_MIN_DOTS = 8
_FITTED_COLUMNS = 64
_RIDGE = 1e-9 * np.eye(3)
_MAX_MIDDLE_DISTANCE = 1.0
_FRAME = 4
"""Rows of paper added above and below a mask, so that rows near a line can be looked up wherever it is."""


class Line(NamedTuple):
    """A straight line of the mask from left to right, or, if `is_upright`, from top to bottom.

    `centers` has the row of each column in `span`; `residual` is the root mean square distance of the ink from it.
    """

    is_upright: bool
    span: tuple[int, int]
    centers: np.ndarray
    thickness: float
    residual: float
    coverage: float
    n_gaps: int

    @property
    def steepness(self):
        """Pixels across for each pixel along."""
        return (self.centers[-1] - self.centers[0]) / max(1, len(self.centers) - 1)

    @property
    def end_error(self):
        """How many pixels longer it can be at each end: the distance of the columns at which it is fitted."""
        return (self.span[1] - self.span[0]) // _FITTED_COLUMNS

    @property
    def is_dotted(self):
        """Whether there are many gaps."""
        return self.n_gaps >= _MIN_DOTS

    def point(self, end):
        """Return (row, column) of the first (0) or the last (-1) point."""
        along, across = (self.span[0], self.span[1] - 1)[end], self.centers[end]
        return (along, across) if self.is_upright else (across, along)


def find_lines(mask):
    """Find thin straight lines in a mask of ink, at most 15 degrees from the horizontal or the vertical.

    Parameters
    ----------
    mask : ndarray of shape (height, width), dtype bool
        The ink.

    Returns
    -------
    list of Line
        The lines, of at least 12 % of the shorter side.
    """
    shortest = max(24, _SHORTEST * min(mask.shape))
    return [*_find(mask, shortest, False), *_find(mask.T, shortest, True)]


def _find(mask, shortest, is_upright):
    """Find lines from left to right: the best of a Hough transform of thin ink, again and again."""
    factor = max(1, round(max(mask.shape) / _COARSE_SIDE))
    coarse = _pool(mask, factor)
    votes = _Votes(coarse)
    longest_gap = max(2, round(_LONGEST_GAP / factor), coarse.shape[1] // 60)
    runs = []
    for _ in range(_MAX_CANDIDATES):
        count, offset, steepness = votes.best()
        if count < 0.75 * shortest / factor:
            break
        for start, stop in _runs(votes.take_away(offset, steepness), longest_gap):
            if (stop - start) * factor >= shortest:
                runs.append((start, stop, offset, steepness))
    lines = []
    for line in _fit(mask, runs, factor, is_upright) if runs else []:
        if not any(_same(line, other) for other in lines):
            lines.append(line)
    return lines


def _same(line, other):
    """Return whether most of a line was found before."""
    start, stop = max(line.span[0], other.span[0]), min(line.span[1], other.span[1])
    if stop - start < 0.5 * (line.span[1] - line.span[0]):
        return False
    middle = (start + stop) // 2
    apart = abs(line.centers[middle - line.span[0]] - other.centers[middle - other.span[0]])
    return apart < 0.5 * (line.thickness + other.thickness)


def _pool(mask, factor):
    """Reduce a mask: a pixel is ink if one of those that it stands for is."""
    height, width = (side // factor * factor for side in mask.shape)
    # Strided operations are several times faster than a reduction of two axes.
    rows = mask[:height:factor, :width]
    for offset in range(1, factor):
        rows = rows | mask[offset:height:factor, :width]
    cells = rows[:, ::factor]
    for offset in range(1, factor):
        cells = cells | rows[:, offset::factor]
    return cells


class _Votes:
    """A Hough transform by sheared projections, from which the ink of a line can be taken away."""

    def __init__(self, coarse):
        self.height, self.width = coarse.shape
        thin = coarse.copy()
        # A line has paper above and below; letters and upright strokes mostly do not.
        thin[_THICKEST:] &= ~coarse[:-_THICKEST]
        thin[:-_THICKEST] &= ~coarse[_THICKEST:]
        columns = np.arange(self.width) - self.width / 2
        self.pad = int(self.width * 0.14) + 2
        self.depth = self.height + 2 * self.pad
        shifts = self.pad - np.rint(_SLOPES[:, np.newaxis] * columns).astype(np.int32)
        self.shifts = shifts + (np.arange(len(_SLOPES), dtype=np.int32) * self.depth)[:, np.newaxis]
        frame = (_FRAME, _FRAME), (0, 0)
        self.ink, self.left = np.pad(coarse, frame).ravel(), np.pad(thin, frame).ravel()
        self.counts = self._count(np.flatnonzero(self.left))
        self.pairs = self._pairs()

    def _count(self, cells):
        rows, columns = np.divmod(cells.astype(np.int32), np.int32(self.width))
        votes = self.shifts[:, columns] + (rows - _FRAME)
        return np.bincount(votes.ravel(), minlength=len(_SLOPES) * self.depth).astype(np.int32)

    def _pairs(self):
        """A line between two rows of pixels votes for both."""
        pairs = self.counts.copy()
        pairs[:-1] += self.counts[1:]
        return pairs

    def best(self):
        """Return the votes of the best line, its row in the middle column, and its steepness."""
        cell = int(self.pairs.argmax())
        steepness, row = divmod(cell, self.depth)
        return self.pairs[cell], row - self.pad + 0.5, _SLOPES[steepness]

    def take_away(self, offset, steepness):
        """Take away the votes of the ink near a line, and return in which columns there is ink."""
        columns = np.arange(self.width)
        rows = np.floor(offset + _FRAME + steepness * (columns - self.width / 2)).astype(np.int64)
        rows = np.minimum(np.maximum(rows, 1), self.height + 2 * _FRAME - 3)
        cells = rows * self.width + columns + self.width * np.arange(-1, 3)[:, np.newaxis]
        voted = cells[self.left[cells]]
        self.left[voted] = False
        self.counts -= self._count(voted)
        self.pairs = self._pairs()
        return self.ink[cells].any(axis=0)


def _runs(hit, longest_gap):
    """Return (start, stop) of each run of ink on a line."""
    at = np.flatnonzero(hit)
    if not len(at):
        return []
    # Gaps of a few pixels: between dots, and where the print is worn off.
    breaks = np.flatnonzero(at[1:] - at[:-1] > longest_gap + 1)
    starts, stops = [0, *(breaks + 1).tolist()], [*breaks.tolist(), -1]
    return [(int(at[start]), int(at[stop]) + 1) for start, stop in zip(starts, stops)]


def _fit(mask, runs, factor, is_upright):
    """Fit parabolas through the ink along runs, all at once; yield a line for each run that is one thin line."""
    height, width = mask.shape
    # Lookups by one index are several times faster than by row and column. Above and below the mask there is paper.
    pixels = np.zeros((height + 2) * width, dtype=bool)
    pixels[width:-width].reshape(mask.shape)[:] = mask
    starts, stops, offsets, steepness = np.transpose(runs)[..., np.newaxis]
    starts, stops = np.maximum(0, (starts - 1) * factor), np.minimum(width, (stops + 1) * factor)
    strides = np.maximum(1, (stops - starts) // _FITTED_COLUMNS)
    columns = starts + strides * np.arange(np.ceil((stops - starts) / strides).max())
    n_columns = np.ceil((stops - starts) / strides)
    is_on_run = columns < stops
    at_columns = np.minimum(columns, width - 1).astype(np.int32)[:, np.newaxis] + width
    scaled = (columns - starts) / (stops - starts) - 0.5
    powers = np.stack([np.ones_like(scaled), scaled, scaled**2], axis=1)
    predicted = (offsets + (columns / factor - (width // factor) / 2) * steepness + 0.5) * factor
    reach = np.full((len(runs), 1), 2 * factor + 2)
    is_line = np.ones((len(runs), 1), dtype=bool)
    for limit in (2 * _MAX_MIDDLE_DISTANCE, _MAX_MIDDLE_DISTANCE):
        steps = np.arange(-reach.max(), reach.max() + 1, dtype=np.int32)
        middle_rows = np.rint(predicted).astype(np.int32)
        rows = middle_rows[:, np.newaxis] + steps[:, np.newaxis]
        ink = pixels[np.minimum(np.maximum(rows, -1), height) * width + at_columns]
        within = (np.abs(steps) <= reach).astype(np.float32)
        count, moment = (np.stack([within, within * steps], axis=1) @ ink.astype(np.float32)).swapaxes(0, 1)
        filled = (count > 0) & is_on_run
        n_filled = filled.sum(axis=1, keepdims=True)
        # Where a stroke crosses, touches or covers the line, the ink is thicker.
        thickness = _quantile(count, filled, 0.35 * n_filled)
        good = filled & (count <= thickness + 1.5)
        n_good = good.sum(axis=1, keepdims=True)
        is_line &= (n_filled >= 0.3 * n_columns) & (n_good >= np.maximum(12, 0.25 * n_columns))
        centers = middle_rows + moment / np.maximum(count, 1)
        used = good
        for _ in range(2):
            of_used = powers * used[:, np.newaxis]
            solution = np.linalg.solve(of_used @ powers.swapaxes(1, 2) + _RIDGE, of_used @ centers[..., np.newaxis])
            predicted = (solution.swapaxes(1, 2) @ powers)[:, 0]
            distance = np.abs(centers - predicted)
            middle = _quantile(distance, good, n_good // 2)
            used = good & (distance < np.maximum(1.0, 3 * middle))
        is_line &= middle <= limit
        reach = np.where(is_line, thickness, 0).astype(int) + 2
    first, last = filled.argmax(axis=1), filled.shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
    n_used = used.sum(axis=1)
    residual = np.sqrt((distance**2 * used).sum(axis=1) / np.maximum(n_used, 1))
    coverage = n_used / (last - first + 1)
    n_gaps = (filled[:, 1:] > filled[:, :-1]).sum(axis=1) + filled[:, 0] - 1
    for row in np.flatnonzero(is_line):
        span = int(columns[row, first[row]]), int(columns[row, last[row]]) + 1
        scaled = (np.arange(*span) - starts[row]) / (stops[row] - starts[row]) - 0.5
        constant, linear, quadratic = solution[row, :, 0].tolist()
        yield Line(
            is_upright=is_upright,
            span=span,
            centers=constant + (linear + quadratic * scaled) * scaled,
            thickness=float(thickness[row, 0]),
            residual=float(residual[row]),
            coverage=float(coverage[row]),
            n_gaps=int(n_gaps[row]),
        )


def _quantile(values, where, number):
    """Return, for each row, the value of this number, from 0, in the order of those that are chosen."""
    ordered = np.sort(np.where(where, values, np.inf), axis=1)
    return np.take_along_axis(ordered, number.astype(int), axis=1)
