"""The pixels along a straight line, from which it is removed without breaking the strokes that cross it."""

import numpy as np

from sigkit.imaging._photo._light import percentile


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
        self.line = line
        self.height, width = shape[::-1] if line.is_upright else shape
        # The line may continue beyond a gap, or paler.
        margin = int(0.1 * max(shape))
        self.columns = np.arange(max(0, line.span[0] - margin), min(width, line.span[1] + margin))
        self.on_line = slice(line.span[0] - self.columns[0], line.span[1] - self.columns[0])
        beyond = self.columns - np.clip(self.columns, line.span[0], line.span[1] - 1)
        centers = line.centers[self.columns - beyond - line.span[0]]
        slopes = np.where(beyond < 0, line.centers[1] - line.centers[0], line.centers[-1] - line.centers[-2])
        self.rows = np.rint(centers + beyond * slopes).astype(int)
        # Dots are round: thicker than most of their columns.
        self.reach = int(np.ceil(line.thickness / 2)) + (2 if line.is_dotted else 1)

    def darkness(self, darkness):
        """Return how dark the line is where no stroke crosses it."""
        share = 85 if self.line.is_dotted else 50
        return float(percentile(self._pixels(darkness, [0])[0, self.on_line], share))

    def mark(self, bands, beyond=True):
        """Set the pixels of the line and a margin of one pixel, and what it would cover if it were longer."""
        where = np.full(len(self.columns), beyond)
        where[self.on_line] = True
        self._set(bands, True, self.reach + 1, where)

    def erase(self, mask):
        """Remove the line and everything on it."""
        self._set(mask, False, self.reach, True)

    def clear(self, mask):
        """Remove the line where no stroke is seen on one of its sides."""
        near, far = self.reach + 1, self.reach + 2
        sides = self._pixels(mask, [-near, -far, near, far])
        crossed = _crossed(sides[0] | sides[1], sides[2] | sides[3], 3 * self.reach)
        self._set(mask, False, self.reach, ~crossed)

    def clear_paler(self, mask, darkness, level):
        """Remove the pixels of the line that are paler than strokes."""
        steps = np.arange(-self.reach, self.reach + 1)
        self._set(mask, False, self.reach, self._pixels(darkness, steps) < level)

    def _oriented(self, image):
        return image.T if self.line.is_upright else image

    def _pixels(self, image, steps):
        """Return the pixels these numbers of rows below the line, one row for each; 0 outside of the image."""
        rows = self.rows + np.reshape(steps, (-1, 1))
        inside = (rows >= 0) & (rows < self.height)
        return self._oriented(image)[np.clip(rows, 0, self.height - 1), self.columns] * inside

    def _set(self, image, value, reach, where):
        rows = self.rows + np.arange(-reach, reach + 1)[:, np.newaxis]
        chosen = (rows >= 0) & (rows < self.height) & where
        self._oriented(image)[rows[chosen], np.broadcast_to(self.columns, rows.shape)[chosen]] = value


def _crossed(above, below, limit):
    """Return where strokes cross a line, from where they touch it above and below.

    A stroke at a small angle touches one side, then lies within the line for some pixels, then touches the other side.
    """
    crossed = above | below
    at = np.flatnonzero(crossed)
    gaps = np.flatnonzero((np.diff(at) > 1) & (np.diff(at) <= limit))
    for first, last in zip(at[gaps], at[gaps + 1]):
        if (above[first] and below[last]) or (below[first] and above[last]):
            crossed[first:last] = True
    grown = crossed.copy()
    grown[1:] |= crossed[:-1]
    grown[:-1] |= crossed[1:]
    return grown
