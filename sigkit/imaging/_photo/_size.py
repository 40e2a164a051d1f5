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


def to_usual_size(darkness, mask):
    """Crop ink, turn it towards the horizontal, and scale it to a usual size.

    The size is a geometric mean of that by the spread of the ink and that by its area: they vary between signatures of
    a writer for different reasons. The slope is that of a regression line through the ink.

    Parameters
    ----------
    darkness : ndarray of shape (height, width)
        0 for paper to 1 for ink.
    mask : ndarray of shape (height, width), dtype bool
        The ink.

    Returns
    -------
    ndarray of shape (new_height, new_width), dtype uint8
        A clean scan: paper is 255.
    """
    (xx, xy), (_, yy) = _covariance(mask)
    by_spread, by_area = _SPREAD / np.sqrt(xx + yy), np.sqrt(_AREA / np.count_nonzero(mask))
    factor = by_spread ** (1 - _BY_AREA) * by_area**_BY_AREA
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    crop = darkness[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ink = Image.fromarray((255 * crop + 0.5).astype(np.uint8))
    size = max(8, round(ink.width * factor)), max(8, round(ink.height * factor))
    sheet = Image.new("L", (size[0] + 2 * _MARGIN, size[1] + 2 * _MARGIN))
    sheet.paste(ink.resize(size, Image.Resampling.BICUBIC), (_MARGIN, _MARGIN))
    tilt = _LEVELLED * np.rad2deg(np.arctan2(xy, xx))
    return 255 - np.asarray(sheet.rotate(tilt, Image.Resampling.BICUBIC, expand=True))


def _covariance(mask):
    rows, columns = np.nonzero(mask)
    return np.cov(np.stack([columns, rows]))
