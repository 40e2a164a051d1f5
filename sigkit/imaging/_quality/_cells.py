"""Measure the gray values, the strokes and the arrangement of the ink of a scan.

The measures that need more than a few passes over the pixels are taken on a grid of cells, so that all of them together
take less time than the preprocessing.
"""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from sigkit.imaging._threshold import count_grays

_LONGEST_SIDE = 192
"""Cells along the longer side of a scan, at most."""

_INK_CELL = 51
"""Ink, from 0 to 255, from which a cell belongs to a stroke: a line of one pixel fills a quarter of a cell of 4."""

_MIN_FRAME, _FRAME_BAND, _FRAME_COVERED = 16, 0.045, 0.8
"""Cells of the longer side of a frame; how far it may be from its box, as a share of it, and how much must be there."""

_EIGHT_NEIGHBORS = np.ones((3, 3), dtype=bool)


class Cells(NamedTuple):
    """A scan in square cells: their side in pixels; ink (0 to 255), mean gray value and kind of each cell."""

    side: int
    ink: np.ndarray
    grays: np.ndarray
    is_stroke: np.ndarray


def make_cells(image, is_ink):
    """Divide a scan and its ink into cells."""
    side = max(2, math.ceil(max(image.shape) / _LONGEST_SIDE))
    ink = reduce_ink(is_ink, (side, side))
    return Cells(side, ink, np.asarray(Image.fromarray(image).reduce(side)), ink >= _INK_CELL)


def reduce_ink(is_ink, size):
    """Return the share of ink, from 0 to 255, in blocks of (width, height) pixels."""
    return np.asarray(Image.fromarray(is_ink.view(np.uint8) * np.uint8(255)).reduce(size))


def middle_gray(counts):
    """Return the median gray value of a histogram, 0 if it is empty."""
    total = np.cumsum(counts)
    return int(np.searchsorted(total, total[-1] / 2)) if total[-1] else 0


def measure_noise(image):
    """Return the standard deviation of the noise, from the median difference of neighboring pixels."""
    rows = image[::4]
    left, right = rows[:, :-1], rows[:, 1:]
    difference = np.maximum(left, right) - np.minimum(left, right)
    # The median of |N(0, 2 s^2)| is 0.954 s.
    return middle_gray(count_grays(difference)) / 0.954 if difference.size else 0.0


def measure_light(grays, contrast):
    """Return by how much the paper's gray value differs between parts of the scan, relative to the contrast."""
    height, width = (max(1, side // parts) for side, parts in zip(grays.shape, (6, 8)))
    n_rows, n_columns = grays.shape[0] // height, grays.shape[1] // width
    tiles = grays[: n_rows * height, : n_columns * width].reshape(n_rows, height, n_columns, width)
    # The brightest cell of a part is paper.
    paper = tiles.max(axis=(1, 3))
    return int(paper.max() - paper.min()) / contrast


def measure_pale(cells, paper, contrast):
    """Return the number of pale cells away from the ink, relative to those of strokes."""
    away = ~ndimage.binary_dilation(cells.ink > 0, _EIGHT_NEIGHBORS)
    pale = away & (cells.grays < paper - 0.2 * contrast)
    return int(np.count_nonzero(pale)) / max(1, int(np.count_nonzero(cells.is_stroke)))


def measure_speckle(is_ink):
    """Return the share of pixels that are ink and have no ink among their eight neighbors."""
    padded = np.pad(is_ink, 1)
    beside = padded[:, :-2] | padded[:, 2:]
    in_row = beside | padded[:, 1:-1]
    near = in_row[:-2] | in_row[2:] | beside[1:-1]
    return int(np.count_nonzero(is_ink & ~near)) / is_ink.size


class Strokes(NamedTuple):
    """The usual length of a horizontal run of ink in pixels, and the length of the ink's outline."""

    run: float
    outline: float


def measure_strokes(is_ink, transposed):
    """Measure the runs of ink along rows and columns."""
    changes = find_changes(is_ink.ravel())
    runs = np.diff(changes)[int(is_ink.flat[0]) :: 2]
    n_vertical = len(find_changes(transposed.ravel()))
    return Strokes(float(np.median(runs)) if len(runs) else 0.0, math.hypot(len(changes), n_vertical))


def find_changes(line):
    """Return the positions at which ink begins or ends."""
    return np.flatnonzero(line[1:] != line[:-1])


def measure_solid(is_ink, run):
    """Return the share of the scan that is covered by squares, three strokes wide, without any paper."""
    side = min(max(8, int(3 * run)), *is_ink.shape)
    return float(np.mean(reduce_ink(is_ink, (side, side)) >= 250))


class Layout(NamedTuple):
    """The arrangement of the ink.

    Height and width of the ink in pixels; by how far small parts extend the box of the large ones, relative to its
    longer side; the widest empty gap between large parts, relative to the height or width of all ink; the number of
    connected parts, and the number of lines, which are groups of rows with empty rows between them; and the longer side
    of the largest frame in pixels.
    """

    height: int
    width: int
    stray: float
    gap: float
    n_parts: int
    n_lines: int
    frame: int


def measure_layout(cells):
    """Measure the arrangement of the connected parts of the ink."""
    labels, n_parts = ndimage.label(cells.is_stroke, _EIGHT_NEIGHBORS)
    if not n_parts:
        return Layout(0, 0, 0.0, 0.0, 0, 0, 0)
    masses = np.bincount(labels.ravel(), weights=cells.ink.ravel(), minlength=n_parts + 1)[1:]
    slices = ndimage.find_objects(labels)
    boxes = np.array([[rows.start, columns.start, -rows.stop, -columns.stop] for rows, columns in slices])
    box = boxes.min(axis=0)
    height, width = -box[2:] - box[:2]
    lengths = np.max(-boxes[:, 2:] - boxes[:, :2], axis=1)
    is_large = (masses >= 0.04 * masses.sum()) & (lengths >= 0.06 * max(height, width))
    is_large[np.argmax(masses)] = True
    large = boxes[is_large].min(axis=0)
    stray = max(large - box) / max(-large[2:] - large[:2])
    inked = np.where(cells.is_stroke, cells.ink, 0)
    gap_below, n_lines = _measure_gaps(inked.sum(axis=1, dtype=np.float64))
    gap_beside, _ = _measure_gaps(inked.sum(axis=0, dtype=np.float64))
    side = cells.side
    sizes = int(height) * side, int(width) * side
    frame = side * max(map(_frame_side, range(1, n_parts + 1), slices, [labels] * n_parts))
    return Layout(*sizes, float(stray), max(gap_below, gap_beside), n_parts, n_lines, frame)


def _frame_side(label, box, labels):
    """Return the longer side of a part that follows all four sides of its box and is hollow; 0 for others."""
    longest = max(part.stop - part.start for part in box)
    if longest < _MIN_FRAME:
        return 0
    part = labels[box] == label
    band = max(2, round(_FRAME_BAND * longest))
    sides = part[:band].any(axis=0), part[-band:].any(axis=0), part[:, :band].any(axis=1), part[:, -band:].any(axis=1)
    is_frame = min(part.shape) > 3 * band and part.mean() < 0.5 and min(side.mean() for side in sides) >= _FRAME_COVERED
    return longest if is_frame else 0


def _measure_gaps(profile):
    """Return the widest gap with an eighth of the ink on each side, relative to the extent, and the number of groups.

    A group has a twentieth of the ink or more, and no ink in the row or column on each side of it.
    """
    inked = np.flatnonzero(profile)
    gaps = np.diff(inked) - 1
    share = np.cumsum(profile)[inked] / profile.sum()
    is_inner = (share[:-1] >= 0.125) & (share[:-1] <= 0.875)
    ends = share[np.append(gaps > 0, True)]
    n_groups = np.count_nonzero(np.diff(ends, prepend=0.0) >= 0.05)
    return float((gaps * is_inner).max(initial=0) / (inked[-1] - inked[0] + 1)), int(n_groups)
