"""Find the ink of a scan: its bounding box and its center of mass."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sigkit.imaging._error import ImageError

_BLUR_SIGMA = 2.0
# The kernel is truncated at four standard deviations, as by scipy.ndimage.gaussian_filter.
_BLUR_RADIUS = 8
_BLOCK = 32
PART = 2**22
"""Number of pixels that are processed at once: all of them in usual images."""
# Blurring in float32 changes a flat patch by up to 1e-4 gray values. A patch exactly at the threshold is ink.
_ROUNDING = 1e-4


class InkBox(NamedTuple):
    """The bounding box of the ink, `image[top:bottom, left:right]`, and the ink's center of mass relative to it."""

    top: int
    bottom: int
    left: int
    right: int
    center_row: int
    center_column: int


def rows_at_a_time(image):
    """Return the number of rows, whole blocks of the blur, that are processed at once."""
    return max(_BLOCK, PART // image.shape[1] // _BLOCK * _BLOCK)


def find_ink(image, thresholds, whole_thresholds):
    """Find the bounding box of the ink and its center of mass.

    Ink are the pixels of the image, blurred by a Gaussian of two pixels, at or below a threshold: blurring removes
    single specks. If it removes all ink, the image is compared without blurring. An `ImageError` is raised if there is
    no ink, or only one row or column of it.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        The image.
    thresholds : iterable of (int, float or ndarray)
        For each `rows_at_a_time`, the first row, and the threshold of all pixels or of each.
    whole_thresholds : int or ndarray of shape (height, width), dtype uint8
        The thresholds of the image without blurring: whole numbers divide its pixels alike. They are used after all
        `thresholds` were taken.

    Returns
    -------
    InkBox
        The box.
    """
    n_rows = rows_at_a_time(image)
    rows, columns = _count(
        (blur(image, first, first + n_rows) <= threshold + _ROUNDING for first, threshold in thresholds), image
    )
    # Blurring can remove thin lines completely, or leave only the points where they cross.
    if min(np.count_nonzero(rows), np.count_nonzero(columns)) < 2:
        is_array = isinstance(whole_thresholds, np.ndarray)
        parts = [slice(first, first + n_rows) for first in range(0, len(image), n_rows)]
        rows, columns = _count(
            (image[part] <= (whole_thresholds[part] if is_array else whole_thresholds) for part in parts), image
        )
    ink_rows, ink_columns = np.nonzero(rows)[0], np.nonzero(columns)[0]
    if not len(ink_rows):
        raise ImageError("no ink: no pixel is darker than the paper around it. Scan it again, or leave it out.")
    # The last row and the last column are excluded, as in the training images of the published weights.
    top, bottom, left, right = ink_rows[0], ink_rows[-1], ink_columns[0], ink_columns[-1]
    if top == bottom or left == right:
        raise ImageError(
            f"the ink is {bottom - top + 1} x {right - left + 1} pixels, too small for a signature. "
            "Scan it at 300 dpi, or leave it out."
        )
    # The center of mass from the marginal sums: the mean row and column of all ink pixels, rounded down.
    n_ink = rows.sum()
    center_row = int(rows @ np.arange(len(rows)) / n_ink - top)
    center_column = int(columns @ np.arange(len(columns)) / n_ink - left)
    return InkBox(int(top), int(bottom), int(left), int(right), center_row, center_column)


def _count(parts, image):
    """Return the number of ink pixels in each row and each column of an image, from its parts one after another."""
    rows, columns = [], np.zeros(image.shape[1], dtype=np.int64)
    for ink in parts:
        rows.append(ink.sum(axis=1))
        columns += ink.sum(axis=0)
    return np.concatenate(rows), columns


def blur(image, first=0, last=None):
    """Blur rows of a uint8 image, by default all, by a Gaussian of two pixels; the result is float32.

    Equal to `scipy.ndimage.gaussian_filter(image, 2, mode="nearest")` up to float32 rounding, and several times faster:
    each pass is one batched matrix product of blocks of 32 rows (or columns) with the same small banded matrix.
    """
    height, width = image.shape
    height = min(height if last is None else last, height) - first
    n_row_blocks, n_column_blocks = -(-height // _BLOCK), -(-width // _BLOCK)
    pad = _BLUR_RADIUS
    # Pad to whole blocks plus the radius of the kernel on each side, repeating the edge pixels of the image.
    padded = np.empty((n_row_blocks * _BLOCK + 2 * pad, n_column_blocks * _BLOCK + 2 * pad), dtype=np.float32)
    source = image[max(0, first - pad) : first + n_row_blocks * _BLOCK + pad]
    top = max(0, pad - first)
    bottom = top + len(source)
    padded[top:bottom, pad : pad + width] = source
    padded[:top] = padded[top]
    padded[bottom:] = padded[bottom - 1]
    padded[:, :pad] = padded[:, pad : pad + 1]
    padded[:, pad + width :] = padded[:, pad + width - 1 : pad + width]

    band = _band_matrix()
    # Views of overlapping blocks, each with its margins: no pixel is copied.
    row_step, column_step = padded.strides
    row_blocks = as_strided(
        padded,
        shape=(n_row_blocks, _BLOCK + 2 * pad, padded.shape[1]),
        strides=(_BLOCK * row_step, row_step, column_step),
    )
    blurred_rows = np.matmul(band.T, row_blocks).reshape(n_row_blocks * _BLOCK, -1)
    row_step, column_step = blurred_rows.strides
    column_blocks = as_strided(
        blurred_rows,
        shape=(n_column_blocks, len(blurred_rows), _BLOCK + 2 * pad),
        strides=(_BLOCK * column_step, row_step, column_step),
    )
    # The product writes each block of columns into its place, so that the final reshape needs no copy.
    blurred = np.empty((len(blurred_rows), n_column_blocks, _BLOCK), dtype=np.float32)
    np.matmul(column_blocks, band, out=blurred.transpose(1, 0, 2))
    return blurred.reshape(len(blurred_rows), -1)[:height, :width]


@lru_cache(maxsize=1)
def _band_matrix():
    """Return the kernel as a matrix from a block with its margins to the blurred block."""
    offsets = np.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / _BLUR_SIGMA) ** 2)
    weights /= weights.sum()
    band = np.zeros((_BLOCK + 2 * _BLUR_RADIUS, _BLOCK), dtype=np.float32)
    for column in range(_BLOCK):
        band[column : column + len(weights), column] = weights
    return band
