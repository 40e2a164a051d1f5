"""Remove printed rules and frames, but not straight strokes."""

from functools import cached_property

import numpy as np

from sigkit.imaging._photo._band import Band
from sigkit.imaging._photo._blobs import dilate, stroke_width
from sigkit.imaging._photo._components import Pieces
from sigkit.imaging._photo._light import percentile
from sigkit.imaging._photo._lines import find_lines

_MAX_RESIDUAL = 0.45
_NEAR_BORDER = 0.03
_NEAR_LINE = 5
_LONG, _LONGEST = 0.3, 0.6
_MAX_SKEW, _MAX_SKEW_OF_LONG, _MAX_SKEW_OF_LONGEST = 0.1, 0.2, 0.35
_LONGEST_STROKE = 100
_AROUND_BLOB = 20
_MIN_STROKES = 60
_MAX_TURN = 0.15


class Rules:
    """The straight lines of a mask of ink: printed ones, and strokes.

    A line is printed if each of its ends is at the border of the image or at another such line, or if it is dotted.
    Other lines have a free end; whether they are printed shows only when they are compared with strokes.

    Parameters
    ----------
    mask : ndarray of shape (height, width), dtype bool
        The ink.
    darkness : ndarray of shape (height, width)
        How dark each pixel is.
    blobs : ndarray of shape (height, width), dtype bool, or None
        Where the ink is too thick for strokes, such as black edges and shadows.

    Attributes
    ----------
    where : ndarray of shape (height, width), dtype bool or None
        Where lines were removed, with a margin; None if none were.
    doubtful : ndarray of shape (height, width), dtype bool or None
        The blobs and all long straight lines, whether printed or strokes, with margins; None if there are none.
    """

    def __init__(self, mask, darkness, blobs=None):
        self.darkness = darkness
        self.where = None
        self.blobs = blobs
        lines = [line for line in find_lines(mask) if _is_straight(line)]
        self.shape = mask.shape
        held = {id(line) for line in _supported(lines, mask.shape, blobs)}
        self.printed, self.free = [], []
        for line in lines:
            is_printed = id(line) in held or line.is_dotted
            (self.printed if is_printed else self.free).append(Band(line, mask.shape))
        self.doubtful = None if blobs is None else dilate(blobs, _AROUND_BLOB)
        for band in [*self.printed, *self.free]:
            if _is_long(band.line, mask.shape) and len(band.line.centers) >= _LONGEST_STROKE and self._is_along(band):
                self.doubtful = np.zeros(mask.shape, dtype=bool) if self.doubtful is None else self.doubtful
                band.mark(self.doubtful, beyond=False)

    def _is_along(self, band):
        """Return whether a line is in a direction of the printed lines, as far as they are known."""
        if self.axes is None:
            return True
        (_, across), (along, _) = self.axes / np.diag(self.axes)
        expected = across if band.line.is_upright else along
        return abs(band.line.steepness - expected) < _MAX_TURN

    @cached_property
    def axes(self):
        """Unit vectors (column, row) along the printed lines and across, as columns, or None without lines."""
        slopes = []
        for is_upright in (False, True):
            lines = [band.line for band in self.printed if band.line.is_upright == is_upright]
            lines = [line.steepness for line in lines if _is_long(line, self.shape)]
            slopes.append(np.median(lines) if lines else None)
        along, across = slopes
        if along is None and across is None:
            return None
        # Across and along are at a right angle where only one of them is seen.
        along = -across if along is None else along
        across = -along if across is None else across
        axes = np.array([[1, across], [along, 1]])
        return axes / np.linalg.norm(axes, axis=0)

    def remove_printed(self, mask):
        """Remove the printed lines from a mask, but not the strokes that cross them."""
        if self.printed:
            strokes = self._strokes(mask, [*self.printed, *self.free])
            self._remove(self.printed, mask, _level(strokes, self.darkness))

    def remove_free(self, mask):
        """Remove the lines that are finer or paler than the strokes of a mask, or that extend beyond them."""
        if self.free:
            strokes = self._strokes(mask, self.free)
            level = _level(strokes, self.darkness)
            self._remove(_unlike_strokes(self.free, strokes, self.darkness, level), mask, level)

    def _strokes(self, mask, bands):
        """Return the ink that is on none of these lines."""
        strokes = mask.copy()
        for band in bands:
            band.erase(strokes)
        if self.blobs is not None and np.count_nonzero(strokes & ~self.blobs) >= _MIN_STROKES:
            strokes &= ~self.blobs
        return strokes

    def _remove(self, bands, mask, level):
        if bands and self.where is None:
            self.where = np.zeros(mask.shape, dtype=bool)
        for band in bands:
            own = band.darkness(self.darkness)
            if own < 0.65 * level:
                band.clear_paler(mask, self.darkness, 0.5 * (own + level))
            else:
                band.clear(mask)
            band.mark(self.where)


def _level(strokes, darkness):
    """Return how dark strokes are, 0 if there are none."""
    return percentile(darkness[strokes], 75) if np.count_nonzero(strokes) >= _MIN_STROKES else 0.0


def _is_long(line, shape, share=_LONG):
    return line.span[1] - line.span[0] >= share * shape[1 - line.is_upright]


def _is_straight(line):
    return line.residual <= _MAX_RESIDUAL + 0.02 * line.thickness and (line.coverage >= 0.4 or line.is_dotted)


def _supported(lines, shape, blobs=None):
    """Return the lines both ends of which are at the border or at another one of them, or which hold two such lines.

    A line can also end where a shadow or a black edge begins.

    A frame and a line next to one of its sides are found as one line, longer than the frame.
    """
    supported = list(lines)
    while True:
        kept = []
        for line in supported:
            is_held = all(_is_held(line, end, supported, shape, blobs) for end in (0, -1))
            if is_held or _holds_two(line, supported, shape):
                kept.append(line)
        if len(kept) == len(supported):
            return kept
        supported = kept


def _is_held(line, end, lines, shape, blobs):
    row, column = line.point(end)
    if blobs is not None and blobs[tuple(np.clip((int(row), int(column)), 0, np.subtract(shape, 1)))]:
        return True
    if min(row, column, shape[0] - 1 - row, shape[1] - 1 - column) <= max(5, _NEAR_BORDER * max(shape)):
        return True
    return any(_ends_at(line, end, other, shape) for other in lines)


def _holds_two(line, lines, shape):
    """Return whether two lines far from each other end at this one, as the sides of a frame do."""
    at = [
        other.point(end)[1 - line.is_upright] for end in (0, -1) for other in lines if _ends_at(other, end, line, shape)
    ]
    return bool(at) and max(at) - min(at) > 0.5 * (line.span[1] - line.span[0])


def _ends_at(line, end, other, shape):
    """Return whether a line ends at another one, at a right angle; in perspective, angles of long lines differ."""
    if other.is_upright == line.is_upright:
        return False
    # Shorter ones can be strokes between two rules, such as the legs of an A.
    skew = _MAX_SKEW
    for share, limit in ((_LONG, _MAX_SKEW_OF_LONG), (_LONGEST, _MAX_SKEW_OF_LONGEST)):
        if _is_long(line, shape, share) and _is_long(other, shape, share):
            skew = limit
    # Also after a turn, slopes against rows and against columns add up to 0.
    if abs(line.steepness + other.steepness) >= skew:
        return False
    row, column = line.point(end)
    along, across = (row, column) if other.is_upright else (column, row)
    start, stop = other.span
    position = int(np.clip(along, start, stop - 1))
    near = _NEAR_LINE + other.thickness
    # The ends of a line are known to one of the columns at which it is fitted.
    return (
        abs(along - position) <= near + other.end_error
        and abs(other.centers[position - start] - across) <= near + line.end_error
    )


def _unlike_strokes(bands, strokes, darkness, level):
    """Return those lines that are finer or paler than the strokes, or extend beyond them on both sides."""
    if not level:
        return []
    width = stroke_width(Pieces(strokes))
    extents = []
    for axis in (0, 1):
        at = np.cumsum(strokes.sum(axis=axis))
        extents.append(np.searchsorted(at, [0.02 * at[-1], 0.98 * at[-1]]))
    printed = []
    for band in bands:
        start, stop = band.line.span
        margin = 0.02 * (stop - start)
        low, high = extents[int(band.line.is_upright)]
        # The thickness of short strokes is measured in a few whole pixels.
        is_fine = band.line.thickness + 0.5 < 0.6 * width or band.darkness(darkness) < 0.55 * level
        is_fine &= _is_long(band.line, strokes.shape)
        # An upright stroke of the signature often is the tallest.
        is_beyond = not band.line.is_upright and start < low - margin and stop > high + margin
        if is_fine or is_beyond:
            printed.append(band)
    return printed
