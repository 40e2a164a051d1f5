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
_FITTED_COLUMNS = 100
_MAX_MIDDLE_DISTANCE = 1.0


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
    return [*_find(mask, shortest, False), *_find(np.ascontiguousarray(mask.T), shortest, True)]


def _find(mask, shortest, is_upright):
    """Find lines from left to right: the best of a Hough transform of thin ink, again and again."""
    factor = max(1, round(max(mask.shape) / _COARSE_SIDE))
    coarse = _pool(mask, factor)
    votes = _Votes(coarse)
    longest_gap = max(2, round(_LONGEST_GAP / factor), coarse.shape[1] // 60)
    lines = []
    for _ in range(_MAX_CANDIDATES):
        count, offset, steepness = votes.best()
        if count < 0.75 * shortest / factor:
            break
        columns, rows, runs = _runs(coarse, offset, steepness, longest_gap)
        votes.remove(columns, rows)
        for run in runs:
            if (run[1] - run[0]) * factor >= shortest:
                line = _fit(mask, run, offset, steepness, factor, is_upright)
                if line is not None and not any(_same(line, other) for other in lines):
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
    height, width = (side // factor for side in mask.shape)
    kept = mask[: height * factor, : width * factor]
    return kept.reshape(height, factor, width, factor).any(axis=(1, 3)) if factor > 1 else kept


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
        self.left = thin
        self.counts = self._count(*np.nonzero(thin))
        self.pairs = self._pairs()

    def _count(self, rows, columns):
        cells = (self.shifts[:, columns] + rows.astype(np.int32)).ravel()
        return np.bincount(cells, minlength=len(_SLOPES) * self.depth)

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

    def remove(self, columns, rows):
        """Take away the votes of the ink near these pixels."""
        near_rows = np.concatenate([rows + step for step in (-1, 0, 1, 2)])
        near_columns = np.tile(columns, 4)
        inside = (near_rows >= 0) & (near_rows < self.height)
        near_rows, near_columns = near_rows[inside], near_columns[inside]
        voted = self.left[near_rows, near_columns]
        near_rows, near_columns = near_rows[voted], near_columns[voted]
        self.left[near_rows, near_columns] = False
        self.counts -= self._count(near_rows, near_columns)
        self.pairs = self._pairs()


def _runs(coarse, offset, steepness, longest_gap):
    """Return the columns and rows of a line, and (start, stop) of each run of ink on it."""
    height, width = coarse.shape
    columns = np.arange(width)
    rows = np.floor(offset + steepness * (columns - width / 2)).astype(int)
    inside = (rows >= 0) & (rows < height)
    columns, rows = columns[inside], rows[inside]
    hit = np.zeros(width, dtype=bool)
    for step in (-1, 0, 1, 2):
        hit[columns] |= coarse[np.clip(rows + step, 0, height - 1), columns]
    at = np.flatnonzero(hit)
    if not len(at):
        return columns, rows, []
    # Gaps of a few pixels: between dots, and where the print is worn off.
    breaks = np.flatnonzero(np.diff(at) > longest_gap + 1)
    return columns, rows, list(zip(at[np.r_[0, breaks + 1]].tolist(), (at[np.r_[breaks, len(at) - 1]] + 1).tolist()))


def _fit(mask, run, offset, steepness, factor, is_upright):
    """Fit a parabola through the ink along a run, or return None if it is not one thin line."""
    height, width = mask.shape
    start, stop = max(0, (run[0] - 1) * factor), min(width, (run[1] + 1) * factor)
    columns = np.arange(start, stop, max(1, (stop - start) // _FITTED_COLUMNS))
    scaled = (columns - start) / (stop - start) - 0.5
    powers = np.stack([np.ones_like(scaled), scaled, scaled**2], axis=1)
    predicted = (offset + (columns / factor - (width // factor) / 2) * steepness + 0.5) * factor
    half = 2 * factor + 2
    for is_last in (False, True):
        rows = np.rint(predicted).astype(int) + np.arange(-half, half + 1)[:, np.newaxis]
        ink = mask[np.clip(rows, 0, height - 1), columns]
        ink &= (rows >= 0) & (rows < height)
        count = ink.sum(axis=0)
        filled = np.flatnonzero(count)
        if len(filled) < 0.3 * len(columns):
            return None
        # Where a stroke crosses, touches or covers the line, the ink is thicker.
        thickness = float(np.sort(count[filled])[int(0.35 * len(filled))])
        good = filled[count[filled] <= thickness + 1.5]
        if len(good) < max(12, 0.25 * len(columns)):
            return None
        centers = (ink * rows).sum(axis=0)[good] / count[good]
        used = np.ones(len(good), dtype=bool)
        for _ in range(2):
            of_used = powers[good[used]]
            solution = np.linalg.solve(of_used.T @ of_used + 1e-9 * np.eye(3), of_used.T @ centers[used])
            distance = np.abs(centers - powers[good] @ solution)
            middle = np.sort(distance)[len(distance) // 2]
            used = distance < max(1.0, 3 * middle)
        if middle > (_MAX_MIDDLE_DISTANCE if is_last else 2 * _MAX_MIDDLE_DISTANCE):
            return None
        predicted = powers @ solution
        half = int(thickness) + 2
    first, last = int(columns[filled[0]]), int(columns[filled[-1]]) + 1
    scaled = (np.arange(first, last) - start) / (stop - start) - 0.5
    return Line(
        is_upright=is_upright,
        span=(first, last),
        centers=solution[0] + solution[1] * scaled + solution[2] * scaled**2,
        thickness=thickness,
        residual=float(np.sqrt(np.mean(distance[used] ** 2))),
        coverage=float(used.sum() / (filled[-1] - filled[0] + 1)),
        n_gaps=int(np.count_nonzero(np.diff(filled) > 1)),
    )
