"""Where the ink is: its box and its centre of mass."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sigkit.imaging._read import ImageError

_BLUR_SIGMA = 2.0
_BLUR_RADIUS = 8
_BLOCK = 32
# Blurring in float32 moves a flat patch by up to 1e-4 grey values; at the threshold itself it must stay ink.
_ROUNDING = 1e-4


class InkBox(NamedTuple):
    """The rows and columns of an image that hold its ink, `image[top:bottom, left:right]`.

    The last row and the last column with ink fall away, as in the images that the published weights were trained on.

    Parameters
    ----------
    top, bottom : int
        The first row, and the row after the last.
    left, right : int
        The first column, and the column after the last.
    center_row, center_column : int
        The centre of mass of the ink, in pixels from the box's corner.

    Examples
    --------
    >>> from sigkit.imaging import InkBox
    >>> InkBox(top=10, bottom=30, left=5, right=65, center_row=12, center_column=20).shape
    (20, 60)
    """

    top: int
    bottom: int
    left: int
    right: int
    center_row: int
    center_column: int

    @property
    def shape(self):
        """Rows and columns of the box."""
        return self.bottom - self.top, self.right - self.left


def find_ink(image, threshold):
    """Find the box of the ink and its centre of mass.

    Ink is where the image, blurred by a Gaussian of two pixels, is at or below the threshold: blurring makes single
    specks vanish. Where it makes all ink vanish, the image itself is compared.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A grey image, paper bright and ink dark.
    threshold : float or ndarray of shape (height, width)
        The brightest grey of ink, in the whole image or at each pixel.

    Returns
    -------
    InkBox
        The box, and the centre of mass of the ink in pixels from the box's corner.

    Raises
    ------
    ImageError
        If there is no ink, or it is a single row or column of pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import find_ink
    >>> image = np.full((60, 80), 255, dtype=np.uint8)
    >>> image[20:41, 30:61] = 0
    >>> find_ink(image, 127)
    InkBox(top=20, bottom=40, left=30, right=60, center_row=10, center_column=15)
    """
    ink = blur(image) <= threshold + _ROUNDING
    rows, columns = ink.sum(axis=1), ink.sum(axis=0)
    # The blur takes thin lines away: all of them, or all but where they cross.
    if min(np.count_nonzero(rows), np.count_nonzero(columns)) < 2:
        ink = image <= threshold
        rows, columns = ink.sum(axis=1), ink.sum(axis=0)
    ink_rows, ink_columns = np.nonzero(rows)[0], np.nonzero(columns)[0]
    if not len(ink_rows):
        raise ImageError("no ink: no pixel is darker than the paper around it. Scan it again, or leave it out.")
    top, bottom, left, right = ink_rows[0], ink_rows[-1], ink_columns[0], ink_columns[-1]
    if top == bottom or left == right:
        raise ImageError(
            f"the ink is {bottom - top + 1} x {right - left + 1} pixels, too small for a signature. "
            "Scan it at 300 dpi, or leave it out."
        )
    n_ink = rows.sum()
    center_row = int(rows @ np.arange(len(rows)) / n_ink - top)
    center_column = int(columns @ np.arange(len(columns)) / n_ink - left)
    return InkBox(int(top), int(bottom), int(left), int(right), center_row, center_column)


def blur(image):
    """Blur by a Gaussian of two pixels, cut off at four deviations, edges repeated.

    Equal to `scipy.ndimage.gaussian_filter(image, 2, mode="nearest")` within float32 rounding, several times as fast:
    each pass is one matrix product a block of 32 rows (or columns) with the same small banded matrix.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A grey image.

    Returns
    -------
    ndarray of shape (height, width), dtype float32
        The blurred image.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import blur
    >>> bool(np.allclose(blur(np.full((5, 5), 7, dtype=np.uint8)), 7))
    True
    """
    height, width = image.shape
    n_row_blocks, n_column_blocks = -(-height // _BLOCK), -(-width // _BLOCK)
    pad = _BLUR_RADIUS
    padded = np.empty((n_row_blocks * _BLOCK + 2 * pad, n_column_blocks * _BLOCK + 2 * pad), dtype=np.float32)
    padded[pad : pad + height, pad : pad + width] = image
    padded[:pad] = padded[pad]
    padded[pad + height :] = padded[pad + height - 1]
    padded[:, :pad] = padded[:, pad : pad + 1]
    padded[:, pad + width :] = padded[:, pad + width - 1 : pad + width]

    band = _band_matrix()
    row_step, column_step = padded.strides
    row_blocks = as_strided(
        padded,
        shape=(n_row_blocks, _BLOCK + 2 * pad, padded.shape[1]),
        strides=(_BLOCK * row_step, row_step, column_step),
    )
    down = np.matmul(band.T, row_blocks).reshape(n_row_blocks * _BLOCK, -1)
    row_step, column_step = down.strides
    column_blocks = as_strided(
        down,
        shape=(n_column_blocks, len(down), _BLOCK + 2 * pad),
        strides=(_BLOCK * column_step, row_step, column_step),
    )
    blurred = np.empty((len(down), n_column_blocks, _BLOCK), dtype=np.float32)
    np.matmul(column_blocks, band, out=blurred.transpose(1, 0, 2))
    return blurred.reshape(len(down), -1)[:height, :width]


@lru_cache(maxsize=1)
def _band_matrix():
    """Weights from a block with its margins to the blurred block."""
    offsets = np.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / _BLUR_SIGMA) ** 2)
    weights /= weights.sum()
    band = np.zeros((_BLOCK + 2 * _BLUR_RADIUS, _BLOCK), dtype=np.float32)
    for column in range(_BLOCK):
        band[column : column + len(weights), column] = weights
    return band
