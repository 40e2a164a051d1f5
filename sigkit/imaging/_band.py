"""The pixels along a straight line, from which it is removed without breaking the strokes that cross it."""

from itertools import pairwise

import numpy as np


class Band:
    """The rows and columns of the pixels along a line.

    Parameters
    ----------
    line : Line
        The line.
    shape : tuple of (int, int)
        Height and width of the image.
    """

    def __init__(self, line, shape):
        self.is_upright = line.is_upright
        self.height, width = shape[::-1] if line.is_upright else shape
        # The line may continue beyond a gap, or paler.
        margin = int(0.1 * max(shape))
        self.columns = np.arange(max(0, line.span[0] - margin), min(width, line.span[1] + margin))
        self.on_line = (self.columns >= line.span[0]) & (self.columns < line.span[1])
        beyond = self.columns - np.clip(self.columns, line.span[0], line.span[1] - 1)
        centers = line.centers[self.columns - beyond - line.span[0]]
        slopes = np.where(beyond < 0, line.centers[1] - line.centers[0], line.centers[-1] - line.centers[-2])
        self.rows = np.rint(centers + beyond * slopes).astype(int)
        self.reach = int(np.ceil(line.thickness / 2)) + 1

    def _oriented(self, image):
        return image.T if self.is_upright else image

    def _at(self, image, step):
        """Return the pixels this many rows below the line, 0 outside of the image."""
        rows = self.rows + step
        inside = (rows >= 0) & (rows < self.height)
        return np.where(inside, self._oriented(image)[np.clip(rows, 0, self.height - 1), self.columns], 0)

    def darkness(self, darkness):
        """Return how dark the line is where no stroke crosses it."""
        return float(np.median(self._at(darkness, 0)[self.on_line]))

    def mark(self, bands):
        """Set the pixels of the line and a margin of one pixel."""
        self._set(bands, True, self.reach + 1, np.ones(len(self.columns), dtype=bool))

    def erase(self, mask):
        """Remove the line and everything on it."""
        self._set(mask, False, self.reach, np.ones(len(self.columns), dtype=bool))

    def clear(self, mask):
        """Remove the line where no stroke is seen on one of its sides."""
        above, below = (
            (self._at(mask, sign * (self.reach + 1)) | self._at(mask, sign * (self.reach + 2))).astype(bool)
            for sign in (-1, 1)
        )
        self._set(mask, False, self.reach, ~_crossed(above, below, 3 * self.reach))

    def clear_paler(self, mask, darkness, level):
        """Remove the pixels of the line that are paler than strokes."""
        for step in range(-self.reach, self.reach + 1):
            self._set(mask, False, 0, self._at(darkness, step) < level, step)

    def _set(self, image, value, reach, where, center=0):
        oriented = self._oriented(image)
        for step in range(center - reach, center + reach + 1):
            rows = self.rows + step
            inside = where & (rows >= 0) & (rows < self.height)
            oriented[rows[inside], self.columns[inside]] = value


def _crossed(above, below, limit):
    """Return where strokes cross a line, from where they touch it above and below.

    A stroke at a small angle touches one side, then lies within the line for some pixels, then touches the other side.
    """
    crossed = above | below
    at = np.flatnonzero(crossed)
    for first, last in pairwise(at):
        if 1 < last - first <= limit and ((above[first] and below[last]) or (below[first] and above[last])):
            crossed[first:last] = True
    grown = crossed.copy()
    grown[1:] |= crossed[:-1]
    grown[:-1] |= crossed[1:]
    return grown
