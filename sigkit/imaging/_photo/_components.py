"""Which connected pieces of ink belong to a signature."""

from functools import cached_property

import numpy as np

from sigkit.imaging._error import ImageError
from sigkit.imaging._photo._label import first_connected, label_runs
from sigkit.imaging._photo._slopes import bin_across

_MIN_SIDE, _MIN_SIDE_OF_STROKE, _MIN_EXTENT = 30, 20, 40
MIN_LENGTH_OF_STROKE = 8
_MIN_LENGTH = 20
"""Least length of the strokes of a signature, in widths of a stroke: that of a small ring."""
_MIN_LENGTH_OF_PART, _MAX_LENGTH_OF_PART, _MIN_SIDE_OF_PART = 4, 60, 8
_MIN_PARTS, _MIN_LENGTH_OF_PARTS = 4, 28
_MAX_ANGLE_OF_LINE = 20
_MAX_LINES, _MIN_SPAN_OF_LINE, _MIN_COVERAGE, _MAX_REST = 6, 0.6, 0.9, 0.08
"""A form: no more lines than these; each as long as this share of its side, ink on this share of it; the rest."""
_SLOPES = np.tan(np.deg2rad(np.arange(-14, 15, 2.0)))[:, np.newaxis]
_NOTHING = "no signature: {}. Leave it out, or take it again."


class Pieces:
    """The connected components of a mask, with their sizes and boxes (top, bottom, left, right); 0 is the paper."""

    def __init__(self, mask):
        rows, starts, stops, of_runs = label_runs(mask)
        self.n = int(of_runs.max(initial=0))
        self.labels = np.zeros(mask.shape, dtype=np.int32)
        # Most pixels are paper: only those of the ink are looked at.
        self._at, self._of_ink = np.flatnonzero(mask), np.repeat(of_runs, stops - starts)
        self.labels.ravel()[self._at] = self._of_ink
        self.sizes = np.bincount(self._of_ink, minlength=self.n + 1)
        self.boxes = np.zeros((self.n + 1, 4), dtype=int)
        self.boxes[1:, ::2] = max(mask.shape)
        for column, of_least, ends in (
            (0, np.minimum, rows),
            (1, np.maximum, rows + 1),
            (2, np.minimum, starts),
            (3, np.maximum, stops),
        ):
            of_least.at(self.boxes[:, column], of_runs, ends)

    def share(self, where):
        """Return the share of each component's pixels for which a mask is true."""
        counts = np.bincount(self.labels[where], minlength=self.n + 1)
        return counts / np.maximum(self.sizes, 1)

    def is_at_border(self):
        """Return whether each component touches the border of the image."""
        height, width = self.labels.shape
        top, bottom, left, right = self.boxes.T
        return (top == 0) | (bottom == height) | (left == 0) | (right == width)

    @cached_property
    def widths(self):
        """The mean width of each component, if it is a stroke: 2.55 times its area, divided by its edges."""
        edges, is_ink, labels = np.zeros(self.n + 1), self.labels > 0, self.labels.ravel()
        step = self.labels.shape[1]
        below = np.flatnonzero(is_ink[1:] != is_ink[:-1])
        beside = np.flatnonzero(is_ink[:, 1:] != is_ink[:, :-1])
        beside += beside // max(1, step - 1)
        for at, distance in ((below, step), (beside, 1)):
            # Different components never touch, so that one of the two is the paper.
            edges += np.bincount(labels[at] + labels[at + distance], minlength=self.n + 1)
        return 2.55 * self.sizes / np.maximum(edges, 1)

    @property
    def lengths(self):
        """The length of each component, if it is a stroke, in its own widths."""
        return self.sizes / np.maximum(self.widths, 1) ** 2

    def mask(self, kept):
        """Return the mask of the components that are kept, a boolean for each."""
        mask = np.zeros(self.labels.shape, dtype=bool)
        mask.ravel()[self._at[kept[self._of_ink]]] = True
        return mask


def group(pieces, kept):
    """Return the components of the largest group: components are in one group if the gap between them is small.

    A group with at least a seventh of the ink of the largest belongs to the signature as well, such as a second word.
    """
    ids = np.flatnonzero(kept)
    if len(ids) < 2:
        return kept
    boxes = pieces.boxes[ids].astype(np.float32)
    is_large = pieces.sizes[ids] >= 0.1 * pieces.sizes[ids].max()
    extent = _extent(boxes[is_large])
    # A dot is closer to its letter than a word to the next.
    reach = extent * np.where(is_large[:, np.newaxis] & is_large, 0.25, 0.12)
    row_gap = np.maximum(boxes[:, np.newaxis, 0] - boxes[:, 1], boxes[:, 0] - boxes[:, np.newaxis, 1])
    column_gap = np.maximum(boxes[:, np.newaxis, 2] - boxes[:, 3], boxes[:, 2] - boxes[:, np.newaxis, 3])
    is_near = np.maximum(row_gap, 0) ** 2 + np.maximum(column_gap, 0) ** 2 <= reach**2
    groups = first_connected(len(ids), *np.nonzero(is_near))
    ink = np.bincount(groups, weights=pieces.sizes[ids])
    result = np.zeros_like(kept)
    result[ids[(ink >= ink.max() / 7)[groups]]] = True
    return result


def check_is_signature(pieces, kept, shape, doubtful=None):
    """Raise an `ImageError` if the ink is too small for a signature, or no more than blots and straight lines.

    `doubtful` is a mask, or None: ink there is no evidence of a signature, even if it belongs to one.
    """
    if not kept.any():
        raise ImageError(_NOTHING.format("there are only lines and specks on the paper"))
    boxes = pieces.boxes[kept]
    height, width = boxes[:, 1].max() - boxes[:, 0].min(), boxes[:, 3].max() - boxes[:, 2].min()
    if max(height, width) < _MIN_SIDE:
        raise ImageError(_NOTHING.format(f"the ink is {height} x {width} pixels"))
    share = pieces.sizes[kept].sum() / (shape[0] * shape[1])
    if share > 0.3:
        raise ImageError(_NOTHING.format(f"{share:.0%} of the image are darker than the paper"))
    if doubtful is not None:
        pieces = Pieces(pieces.mask(kept) & ~doubtful)
        kept = pieces.sizes > 0
    lengths = pieces.lengths
    sides = np.maximum(pieces.boxes[:, 1] - pieces.boxes[:, 0], pieces.boxes[:, 3] - pieces.boxes[:, 2])
    parts = np.flatnonzero(kept & (lengths >= _MIN_LENGTH_OF_PART) & (sides >= _MIN_SIDE_OF_PART))
    angles = np.array([_direction(pieces, label) for label in parts])
    is_bent = np.isnan(angles)
    is_stroke = is_bent & (lengths[parts] >= MIN_LENGTH_OF_STROKE) & (sides[parts] >= _MIN_SIDE_OF_STROKE)
    for number in np.flatnonzero(is_stroke & (sides[parts] >= 0.8 * _extent(boxes))):
        is_stroke[number] = not _is_form(pieces, parts[number])
    if lengths[parts[is_stroke]].sum() >= _MIN_LENGTH and _extent(pieces.boxes[parts[is_stroke]]) >= _MIN_EXTENT:
        return
    # Lines cut strokes into short parts. Broken lines have such parts too, but in the directions of the lines.
    is_part = (is_bent & (lengths[parts] <= _MAX_LENGTH_OF_PART)) | (np.abs(angles - 45) < 45 - _MAX_ANGLE_OF_LINE)
    parts = parts[is_part]
    is_cut = len(parts) >= _MIN_PARTS and lengths[parts].sum() >= _MIN_LENGTH_OF_PARTS
    if not is_cut or _extent(pieces.boxes[parts]) < _MIN_EXTENT:
        raise ImageError(_NOTHING.format("the ink is only blots and straight lines"))


def _extent(boxes):
    """Return the longer side of the box around boxes."""
    if not len(boxes):
        return 0
    return max(boxes[:, 1].max() - boxes[:, 0].min(), boxes[:, 3].max() - boxes[:, 2].min())


def _direction(pieces, label):
    """Return the angle of a component from the horizontal, 0 to 90 degrees, or nan if it is not straight."""
    points = _points(pieces, label)
    points -= points.mean(axis=1, keepdims=True)
    across, along = np.linalg.eigh(points @ points.T)[1].T
    if np.mean(np.abs(across @ points) <= max(2.0, 0.8 * pieces.widths[label])) <= 0.9:
        return np.nan
    return np.rad2deg(np.arctan2(abs(along[0]), abs(along[1])))


def _points(pieces, label):
    """Return rows and columns of up to 1,000 pixels of a component, counted from the corner of its box."""
    top, bottom, left, right = pieces.boxes[label]
    at = np.flatnonzero(pieces.labels[top:bottom, left:right] == label)
    return np.stack(np.divmod(at[:: len(at) // 1000 + 1], right - left)).astype(np.float64)


def _is_form(pieces, label):
    """Return whether a component is long straight lines along the page's sides, and next to nothing else."""
    points, (top, bottom, left, right) = _points(pieces, label), pieces.boxes[label]
    sides, is_rest = (bottom - top, right - left), np.ones(points.shape[1], dtype=bool)
    width = max(4.0, pieces.widths[label], 0.01 * max(sides))
    for _ in range(_MAX_LINES):
        if is_rest.mean() <= _MAX_REST:
            return True
        lines = [(across, *_find_line(points, is_rest, across, width)) for across in (0, 1)]
        across, on_line, _ = max(lines, key=lambda line: line[2])
        # Lines that nearly coincide share points.
        along = points[1 - across, on_line]
        steps = np.unique((along - along.min()) // (2 * width))
        if np.ptp(along) < _MIN_SPAN_OF_LINE * sides[1 - across] or len(steps) < _MIN_COVERAGE * steps[-1]:
            return False
        is_rest &= ~on_line
    return is_rest.mean() <= _MAX_REST


def _find_line(points, is_rest, across, width):
    """Find the line along the rows (across=0) or the columns (1), but for a small slope, with most of the rest.

    Return whether each point is on the line, which is two bins of `width` wide, and how many of the rest are.
    """
    bins, counts = bin_across(points[across] - _SLOPES * points[1 - across], width, is_rest)
    row, first = np.unravel_index(counts.argmax(), counts.shape)
    return (bins[row] == first) | (bins[row] == first + 1), counts.max()
