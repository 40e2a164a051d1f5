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


@lru_cache(maxsize=32)
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
        rows=_resize_matrix(canvas_rows, covering[0])[top : top + height],
        columns=_resize_matrix(canvas_columns, covering[1])[left : left + width],
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


def _resize_matrix(n_from, n_to):
    """Return the matrix of shape (n_to, n_from) that smooths and interpolates one axis."""
    factor = n_from / n_to
    # Pixels are unit squares with their center at 0.5: output pixel i samples the input at (i + 0.5) factor - 0.5.
    centers = (np.arange(n_to) + 0.5) * factor - 0.5
    below = np.floor(centers).astype(int)
    above_weight = centers - below
    interpolation = np.zeros((n_to, n_from))
    for index, weight in ((below, 1 - above_weight), (below + 1, above_weight)):
        inside = (index >= 0) & (index < n_from)
        interpolation[np.nonzero(inside)[0], index[inside]] += weight[inside]
    # The standard deviation is that of scikit-image; it removes frequencies that the smaller image cannot represent.
    return interpolation @ _gaussian_matrix(n_from, max(0.0, (factor - 1) / 2))


def _gaussian_matrix(n, sigma):
    """Return the matrix of shape (n, n) that blurs one axis, with zeros beyond the edges."""
    if sigma == 0:
        return np.eye(n)
    # Truncated at four standard deviations, as by scipy.ndimage.gaussian_filter.
    radius = int(4 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    matrix = np.zeros((n, n + 2 * radius))
    for row in range(n):
        matrix[row, row : row + len(weights)] = weights
    return matrix[:, radius : radius + n]
