"""Find straight lines across a scan, dark edges, and strokes that are cut at a border."""

import numpy as np

from sigkit.imaging._quality._cells import find_changes, reduce_ink

_STRIPS = 20
"""Strips into which a scan is divided to find lines across it."""

_FILLED = 178
"""Ink, from 0 to 255, of a row of a strip that counts as filled: dashes of the same length as their gaps are not."""

_DARK = 0.6
"""Share of ink along a border from which it is a dark edge."""

_STEEPEST = 0.05
"""The slope of the steepest line that is found: three degrees."""


def find_line(is_ink):
    """Return the length of the longest straight, almost horizontal line, as a share of the width.

    In each strip, the line is a short run of filled rows. The middles of these runs are points, and the line is the one
    through most of them, within a pixel: a line drawn by hand deviates by more.
    """
    height, width = is_ink.shape
    strip = max(1, width // _STRIPS)
    # A line of two pixels that is not quite horizontal fills two rows of a strip partly.
    thick = is_ink[:, : width // strip * strip].copy()
    thick[1:] |= is_ink[:-1, : thick.shape[1]]
    filled = (reduce_ink(thick, (strip, 1)) >= _FILLED).T
    n_strips = len(filled)
    padded = np.zeros((n_strips, height + 2), dtype=bool)
    padded[:, 1:-1] = filled
    changes = find_changes(padded.ravel())
    strips, tops = np.divmod(changes[::2], height + 2)
    if len(np.unique(strips)) < n_strips / 2:
        return len(np.unique(strips)) / n_strips
    middles = tops + np.diff(changes)[::2] / 2
    # One pixel at the ends of the line from each slope to the next.
    reach = int(_STEEPEST * width / 2) + 1
    slopes = np.arange(-reach, reach + 1) * 2 / n_strips
    offsets = middles - slopes[:, np.newaxis] * (strips - (n_strips - 1) / 2)
    bins = np.rint(offsets).astype(np.intp) + reach + 1
    n_bins = height + 2 * reach + 4
    counts = np.bincount(
        (bins + n_bins * np.arange(len(slopes))[:, np.newaxis]).ravel(), minlength=n_bins * len(slopes)
    )
    counts = counts.reshape(len(slopes), n_bins)
    return min(1.0, float((counts[:, :-2] + counts[:, 1:-1] + counts[:, 2:]).max() / n_strips))


def find_edges(is_ink):
    """Return the depths of the dark edges at the top, bottom, left and right of a scan, in pixels; 0 where none is."""
    sides = is_ink, is_ink[::-1], is_ink.T, is_ink.T[::-1]
    return [_edge_depth(side) for side in sides]


def _edge_depth(side):
    """Return the number of lines from the border that are mostly ink; the first may be paper."""
    if side[:3].mean(axis=1).max() < _DARK:
        return 0
    is_paper = side.mean(axis=1) < _DARK
    is_paper[:3] = False
    depth = int(np.argmax(is_paper))
    return depth if depth else len(side)


def count_cut_strokes(is_ink, run):
    """Return the greatest number of strokes that reach one of the borders, and a stroke's width inside still are there.

    A dark line on the border itself is no stroke.
    """
    inside = min(int(np.ceil(run)), *(side - 1 for side in is_ink.shape))
    shortest = 0.5 * run
    sides = is_ink, is_ink[::-1], is_ink.T, is_ink.T[::-1]
    return max(min(_count_runs(side[depth], shortest) for depth in (0, inside)) for side in sides)


def _count_runs(line, shortest):
    padded = np.concatenate([[False], line, [False]])
    return int(np.count_nonzero(np.diff(find_changes(padded))[::2] >= shortest))
