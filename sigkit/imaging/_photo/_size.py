"""Bring ink to the size of a usual signature at 300 dpi, and level it."""

import numpy as np
from PIL import Image

_SPREAD = 140.0
"""Root mean square distance in pixels of the ink of a usual signature from its center, at 300 dpi."""

_MAX_TILT = np.deg2rad(30)


def measure_spread(mask):
    """Return the root mean square distance of the ink from its center, and the angle of its principal axis."""
    rows, columns = np.nonzero(mask)
    (xx, xy), (_, yy) = np.cov(np.stack([columns, rows]))
    return np.sqrt(xx + yy), 0.5 * np.arctan2(2 * xy, xx - yy)


def to_usual_size(darkness, mask):
    """Crop ink, turn its principal axis to the horizontal, and scale it so that its spread is 140 pixels.

    An axis at more than 30 degrees is that of an upright signature, not of a tilted photograph, and is left.

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
    spread, angle = measure_spread(mask)
    factor = _SPREAD / spread
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    crop = darkness[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ink = Image.fromarray((255 * crop + 0.5).astype(np.uint8))
    size = max(8, round(ink.width * factor)), max(8, round(ink.height * factor))
    margin = 12
    resized = ink.resize(size, Image.Resampling.BICUBIC)
    tilt = angle if abs(angle) < _MAX_TILT else 0.0
    sheet = Image.new("L", (size[0] + 2 * margin, size[1] + 2 * margin))
    sheet.paste(resized, (margin, margin))
    if abs(tilt) > 0.005:
        sheet = sheet.rotate(np.rad2deg(tilt), Image.Resampling.BICUBIC, expand=True)
    return 255 - np.asarray(sheet)
