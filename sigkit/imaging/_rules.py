"""Tell printed rules and frames from straight strokes, and remove them."""

import numpy as np

from sigkit.imaging._band import Band
from sigkit.imaging._lines import find_lines

_MAX_RESIDUAL = 0.45
_NEAR = 0.03
_MIN_STROKES = 60


def remove_rules(mask, darkness):
    """Remove the printed lines from a mask of ink: rules, frames, and lines to sign on.

    A straight line is printed if each of its ends is at the border of the image or at another such line; if it is
    dotted, or thinner or paler than the strokes; or if it extends beyond the ink on both sides. Other straight lines
    are strokes, such as an underline. Where a stroke crosses a printed line, the ink is kept.

    Parameters
    ----------
    mask : ndarray of shape (height, width), dtype bool
        The ink; it is changed.
    darkness : ndarray of shape (height, width)
        How dark each pixel is.

    Returns
    -------
    ndarray of shape (height, width), dtype bool or None
        Where lines were removed, with a margin; None if there are none.
    """
    lines = [line for line in find_lines(mask) if _is_straight(line)]
    if not lines:
        return None
    strokes = mask.copy()
    for line in lines:
        Band(line, mask.shape).clear(strokes)
    has_strokes = np.count_nonzero(strokes) >= _MIN_STROKES
    level = np.percentile(darkness[strokes], 75) if has_strokes else 0.0
    printed = _supported(lines, mask.shape)
    others = [line for line in lines if not any(line is one for one in printed)]
    printed += _unlike_strokes(others, strokes, darkness, level) if has_strokes else others
    bands = np.zeros(mask.shape, dtype=bool)
    for line in printed:
        band = Band(line, mask.shape)
        own = band.darkness(darkness)
        if own < 0.65 * level:
            band.clear_paler(mask, darkness, 0.5 * (own + level))
        else:
            band.clear(mask)
        band.mark(bands)
    return bands


def _is_straight(line):
    return line.residual <= _MAX_RESIDUAL + 0.02 * line.thickness and (line.coverage >= 0.4 or line.n_gaps >= 8)


def _supported(lines, shape):
    """Return the lines both ends of which are at the border or at another one of them."""
    near = max(5.0, _NEAR * max(shape))
    supported = list(lines)
    while True:
        kept = [line for line in supported if all(_is_held(line, end, supported, shape, near) for end in (0, -1))]
        if len(kept) == len(supported):
            return kept
        supported = kept


def _is_held(line, end, lines, shape, near):
    row, column = line.point(end)
    if min(row, column, shape[0] - 1 - row, shape[1] - 1 - column) <= near:
        return True
    for other in lines:
        if other.is_upright != line.is_upright:
            along, across = (row, column) if other.is_upright else (column, row)
            start, stop = other.span
            position = int(np.clip(along, start, stop - 1))
            if abs(along - position) <= near and abs(other.centers[position - start] - across) <= near:
                return True
    return False


def _unlike_strokes(lines, strokes, darkness, level):
    """Return those lines that are dotted, finer or paler than the strokes, or extend beyond them."""
    n_edges = np.count_nonzero(strokes[1:] != strokes[:-1]) + np.count_nonzero(strokes[:, 1:] != strokes[:, :-1])
    width = 2.55 * np.count_nonzero(strokes) / max(n_edges, 1)
    extents = []
    for axis in (0, 1):
        at = np.cumsum(strokes.sum(axis=axis))
        extents.append(np.searchsorted(at, [0.02 * at[-1], 0.98 * at[-1]]))
    printed = []
    for line in lines:
        margin = 0.02 * (line.span[1] - line.span[0])
        low, high = extents[int(line.is_upright)]
        is_dotted = line.n_gaps >= 8
        is_fine = line.thickness < 0.6 * width or Band(line, strokes.shape).darkness(darkness) < 0.55 * level
        is_beyond = line.span[0] < low - margin and line.span[1] > high + margin
        if is_dotted or is_fine or is_beyond:
            printed.append(line)
    return printed
