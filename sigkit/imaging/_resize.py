"""Resize by two small matrices: anti-aliasing and interpolation are linear and separable."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class ResizePlan(NamedTuple):
    """How a canvas is resized, `rows @ canvas @ columns.T`, and which part of the canvas the image shows.

    `visible_rows` and `visible_columns` are pairs (from, to) in pixels of the canvas.
    """

    rows: np.ndarray
    columns: np.ndarray
    visible_rows: tuple[float, float]
    visible_columns: tuple[float, float]


_BLOCK = 2**12
"""Number of pixels on a side up to which a matrix is computed at once; the blocks of longer sides are shorter."""


@lru_cache(maxsize=8)
def plan_resize(canvas_size, image_size):
    """Plan how to resize a canvas so that it covers an image, and how to crop the center of the result.

    The canvas is scaled by one factor so that it covers `image_size`; what extends beyond it on two sides is cropped.
    Each matrix is a Gaussian of standard deviation (factor - 1) / 2 with zeros beyond the edges, followed by linear
    interpolation: the same weights as `skimage.transform.resize(mode="constant", anti_aliasing=True)`.
    """
    (canvas_rows, canvas_columns), (height, width) = canvas_size, image_size
    row_factor, column_factor = canvas_rows / height, canvas_columns / width
    # The side with the smaller factor is fitted exactly; the other one becomes too large and is cropped.
    if column_factor > row_factor:
        covering = height, round(canvas_columns / row_factor)
    else:
        covering = round(canvas_rows / column_factor), width
    top, left = round((covering[0] - height) / 2), round((covering[1] - width) / 2)
    row_scale, column_scale = canvas_rows / covering[0], canvas_columns / covering[1]
    return ResizePlan(
        rows=_resize_matrix(canvas_rows, covering[0], top, height),
        columns=_resize_matrix(canvas_columns, covering[1], left, width),
        visible_rows=(top * row_scale, (top + height) * row_scale),
        visible_columns=(left * column_scale, (left + width) * column_scale),
    )


def fit_canvas(largest, image_size):
    """Find the smallest canvas with the aspect ratio of an image that holds the largest signature.

    Parameters
    ----------
    largest : tuple of (int, int)
        Minimum number of rows and columns of the canvas.
    image_size : tuple of (int, int)
        Rows and columns of the image that the canvas will be resized to.

    Returns
    -------
    tuple of (int, int)
        Rows and columns of the canvas. Nothing is cropped when it is resized to `image_size`.

    Examples
    --------
    >>> from sigkit.imaging import fit_canvas
    >>> fit_canvas((300, 1000), (170, 242))
    (702, 1000)
    """
    height, width = image_size
    # One row less than the ratio gives, because rounding may allow it.
    rows = max(largest[0], int(largest[1] * height / width) - 1, 1)
    # Sides are whole numbers, so few canvases have the exact ratio: take the first that `plan_resize` rounds to
    # `image_size` on both sides, whichever side it fits.
    while True:
        columns = max(round(rows * width / height), largest[1])
        if round(columns * height / rows) == width and round(rows * width / columns) == height:
            return rows, columns
        rows += 1


def _resize_matrix(n_from, n_to, first, n_kept):
    """Return rows of the matrix of shape (n_to, n_from) that smooths and interpolates one axis."""
    factor = n_from / n_to
    is_short = max(n_from, n_to) <= _BLOCK
    # All rows of a short matrix are computed, because their number can affect the rounding of a matrix product.
    outputs = np.arange(n_to) if is_short else np.arange(first, first + n_kept)
    # Pixels are unit squares with their center at 0.5: output pixel i samples the input at (i + 0.5) factor - 0.5.
    centers = (outputs + 0.5) * factor - 0.5
    below = np.floor(centers).astype(int)
    above_weight = centers - below
    # The standard deviation is that of scikit-image; it removes frequencies that the smaller image cannot represent.
    sigma = max(0.0, (factor - 1) / 2)
    matrix = np.zeros((len(outputs), n_from))
    # A matrix that blurs a long side as a whole would have n_from rows and columns, nearly all of them 0.
    size = n_from if is_short else _BLOCK // 8
    for start in range(0, n_from, size):
        stop = min(start + size, n_from)
        interpolation = np.zeros((len(outputs), stop - start))
        for index, weight in ((below, 1 - above_weight), (below + 1, above_weight)):
            inside = (index >= start) & (index < stop)
            interpolation[np.nonzero(inside)[0], index[inside] - start] += weight[inside]
        used = slice(None) if is_short else interpolation.any(axis=1)
        columns, blur = _gaussian_rows(n_from, sigma, start, stop)
        matrix[used, columns] += interpolation[used] @ blur
    return matrix[first : first + n_kept] if is_short else matrix


def _gaussian_rows(n, sigma, start, stop):
    """Return rows of the matrix of shape (n, n) that blurs one axis, with zeros beyond the edges.

    Only the columns that are not 0 are returned, after the slice of them.
    """
    if sigma == 0:
        return slice(start, stop), np.eye(stop - start)
    # Truncated at four standard deviations, as by scipy.ndimage.gaussian_filter.
    radius = int(4 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    matrix = np.zeros((stop - start, stop - start + 2 * radius))
    for row in range(stop - start):
        matrix[row, row : row + len(weights)] = weights
    columns = slice(max(0, start - radius), min(n, stop + radius))
    return columns, matrix[:, columns.start - start + radius : columns.stop - start + radius]
