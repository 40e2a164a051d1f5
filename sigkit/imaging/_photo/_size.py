"""Bring ink to the size of a usual signature at 300 dpi, and reduce its tilt."""

import numpy as np
from PIL import Image

_SPREAD = 140.0
"""Root mean square distance in pixels of the ink of a usual signature from its center, at 300 dpi."""

_AREA = 7000.0
"""Pixels of the ink of a usual signature at 300 dpi."""

_BY_AREA = 0.25
"""Weight of the size by area, which depends on the pen too."""

_LEVELLED = 1 / 3
"""Share of the ink's slope that is turned back.

The slope belongs to the writer, too: on simulated photographs, more made forgeries better, and less made tilt worse.
"""

_MARGIN = 12


def measure_spread(mask):
    """Return the root mean square distance of the ink from its center."""
    (xx, _), (_, yy) = _covariance(mask)
    return np.sqrt(xx + yy)


def to_usual_size(darkness, mask, axes=None):
    """Crop ink, turn it towards the horizontal, and scale it to a usual size.

    The size is a geometric mean of that by the spread of the ink and that by its area: they vary between signatures of
    a writer for different reasons. The slope is that of a regression line through the ink, after `axes` are upright.

    Parameters
    ----------
    darkness : ndarray of shape (height, width)
        0 for paper to 1 for ink.
    mask : ndarray of shape (height, width), dtype bool
        The ink.
    axes : ndarray of shape (2, 2) or None
        Columns are unit vectors (column, row) along what is horizontal and what is vertical on the sheet, if known.

    Returns
    -------
    ndarray of shape (new_height, new_width), dtype uint8
        A clean scan: paper is 255.
    """
    upright = np.eye(2) if axes is None else np.linalg.inv(axes)
    (xx, xy), (_, yy) = upright @ _covariance(mask) @ upright.T
    area = np.count_nonzero(mask) * np.linalg.det(upright)
    by_spread, by_area = _SPREAD / np.sqrt(xx + yy), np.sqrt(_AREA / area)
    factor = by_spread ** (1 - _BY_AREA) * by_area**_BY_AREA
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    crop = darkness[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ink = Image.fromarray((255 * crop + 0.5).astype(np.uint8))
    angle = _LEVELLED * np.arctan2(xy, xx)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    # Most photographs are enlarged, and there are fewer pixels to turn before.
    ink = _transform(ink, turn @ upright)
    ink = ink.resize((max(8, round(ink.width * factor)), max(8, round(ink.height * factor))), Image.Resampling.BICUBIC)
    return np.pad(255 - np.asarray(ink), _MARGIN, constant_values=255)


def _transform(ink, matrix):
    """Return an image after a linear transform of (column, row)."""
    center = np.array([ink.width, ink.height]) / 2
    # Beyond its edge, the ink fades to paper.
    size = np.ceil(np.abs(matrix) @ (2 * center)).astype(int) + 4
    inverse = np.linalg.inv(matrix)
    start = center - inverse @ (size / 2) + 2
    coefficients = [*inverse[0], start[0], *inverse[1], start[1]]
    padded = Image.new("L", (ink.width + 4, ink.height + 4))
    padded.paste(ink, (2, 2))
    return padded.transform(tuple(size), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)


def _covariance(mask):
    rows, columns = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return np.cov(np.stack([columns, rows]))
