"""Resizing as two small matrices: anti-aliasing and interpolation are linear and separable."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class ResizePlan(NamedTuple):
    """How a canvas becomes an image: `rows @ canvas @ columns.T`, and what part of the canvas that shows.

    Parameters
    ----------
    rows : ndarray of shape (height, canvas_rows)
        Weights of the rows.
    columns : ndarray of shape (width, canvas_columns)
        Weights of the columns.
    visible_rows, visible_columns : tuple of (float, float)
        From where to where the image shows the canvas, in pixels of the canvas.

    Examples
    --------
    >>> from sigkit.imaging import plan_resize
    >>> plan = plan_resize((730, 1042), (170, 242))
    >>> plan.rows.shape, plan.columns.shape
    ((170, 730), (242, 1042))
    """

    rows: np.ndarray
    columns: np.ndarray
    visible_rows: tuple[float, float]
    visible_columns: tuple[float, float]


@lru_cache(maxsize=32)
def plan_resize(canvas_size, image_size):
    """Plan the resizing of a canvas so that it covers an image, and the crop of its centre.

    The canvas is scaled by one factor so that it covers `image_size`; what stands over on two sides is cut. Each matrix
    is a Gaussian of deviation (factor - 1) / 2, nothing beyond the edges, followed by linear interpolation: the same
    weights as `skimage.transform.resize(mode="constant", anti_aliasing=True)`.

    Parameters
    ----------
    canvas_size : tuple of (int, int)
        Rows and columns of the canvas.
    image_size : tuple of (int, int)
        Rows and columns of the image.

    Returns
    -------
    ResizePlan
        The two matrices, and the canvas rows and columns (from, to) that remain visible after the crop.

    Examples
    --------
    >>> from sigkit.imaging import plan_resize
    >>> plan_resize((100, 300), (100, 200)).visible_columns
    (50.0, 250.0)
    """
    (canvas_rows, canvas_columns), (height, width) = canvas_size, image_size
    row_factor, column_factor = canvas_rows / height, canvas_columns / width
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
    """Find the smallest canvas of an image's shape that holds the largest signature.

    Parameters
    ----------
    largest : tuple of (int, int)
        Rows and columns that the canvas must have at least.
    image_size : tuple of (int, int)
        Rows and columns of the image that the canvas will be resized to.

    Returns
    -------
    tuple of (int, int)
        Rows and columns of the canvas; resized to `image_size`, nothing of it is cut off.

    Examples
    --------
    >>> from sigkit.imaging import fit_canvas
    >>> fit_canvas((300, 1000), (170, 242))
    (702, 1000)
    """
    height, width = image_size
    rows = max(largest[0], int(largest[1] * height / width) - 1, 1)
    while True:
        columns = max(round(rows * width / height), largest[1])
        if round(columns * height / rows) == width and round(rows * width / columns) == height:
            return rows, columns
        rows += 1


def _resize_matrix(n_from, n_to):
    factor = n_from / n_to
    centers = (np.arange(n_to) + 0.5) * factor - 0.5
    below = np.floor(centers).astype(int)
    above_weight = centers - below
    interpolation = np.zeros((n_to, n_from))
    for index, weight in ((below, 1 - above_weight), (below + 1, above_weight)):
        inside = (index >= 0) & (index < n_from)
        interpolation[np.nonzero(inside)[0], index[inside]] += weight[inside]
    return interpolation @ _gaussian_matrix(n_from, max(0.0, (factor - 1) / 2))


def _gaussian_matrix(n, sigma):
    if sigma == 0:
        return np.eye(n)
    radius = int(4 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    matrix = np.zeros((n, n + 2 * radius))
    for row in range(n):
        matrix[row, row : row + len(weights)] = weights
    return matrix[:, radius : radius + n]
