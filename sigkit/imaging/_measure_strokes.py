"""Points on the strokes of a signature, with the direction, darkness and width of the stroke."""

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.special import erfinv

from sigkit.imaging._thin import thin_ink

STROKE_CHANNELS = ("x", "y", "cos", "sin", "darkness", "width", "pixel")
"""What is known of a point. The last one is the side of a pixel; it is 0 where there is no point."""

_UNIT_HEIGHT = 170
"""Lengths are in pixels of an image of this height, which others are scaled to."""

_INK = 0.25
"""The least brightness of ink, relative to the mean brightness of the signature weighted by itself."""

_GRADIENT, _TENSOR, _DARKNESS, _WIDTH = 1.0, 1.5, 0.8, 1.5
"""Standard deviations of the filters, in units."""

_WIDEST_RATIO = 0.99


def measure_strokes(images, n_points=260):
    """Measure points on the skeleton of preprocessed signatures.

    Parameters
    ----------
    images : array-like of shape (n_images, height, width)
        Preprocessed signatures, background 0 and ink up to 255.
    n_points : int, default=260
        The largest number of points. Of a longer skeleton, evenly spaced pixels are taken, in the order of reading.

    Returns
    -------
    ndarray of shape (n_images, n_points, 7), dtype float32
        For each point: its column `x` and row `y`; cosine and sine of twice the angle between stroke and horizontal;
        the darkness of the ink, from 0 to 1; the width of the stroke; and the side of a pixel. Lengths are in pixels
        of an image of 170 rows. Points that a shorter skeleton lacks are 0 in all channels.

    Raises
    ------
    ValueError
        If `images` has another number of axes or no pixels, or values outside 0 to 255.

    Notes
    -----
    Ink is brighter than a quarter of the mean brightness of the signature, weighted by the brightness. The direction
    is that of the structure tensor. The width is that of a line with sharp edges that has the same brightness after a
    Gaussian filter.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import measure_strokes
    >>> image = np.zeros((1, 170, 242), dtype=np.uint8)
    >>> image[0, 80:83, 50:150] = 200
    >>> points = measure_strokes(image, n_points=4)[0]
    >>> np.abs(points[1, [2, 3, 5, 6]]).round(1)
    array([1. , 0. , 3.1, 1. ], dtype=float32)
    """
    images = np.asarray(images)
    if images.ndim != 3:
        raise ValueError(f"images must have the shape (n_images, height, width), found {images.shape}.")
    if 0 in images.shape[1:]:
        raise ValueError(f"images must have pixels, found the shape {images.shape}.")
    # Comparisons with NaN are False.
    if len(images) and not (images.min() >= 0 and images.max() <= 255):
        raise ValueError(
            f"images must have values from 0 (background) to 255 (ink), found {images.min():g} to {images.max():g}."
        )
    measured = np.zeros((len(images), n_points, len(STROKE_CHANNELS)), dtype=np.float32)
    pixel = _UNIT_HEIGHT / images.shape[1]
    brightness = images.astype(np.float32) / 255
    total, squares = brightness.sum(axis=(1, 2)), np.einsum("nij,nij->n", brightness, brightness)
    level = squares / np.maximum(total, 1e-3)
    skeletons = thin_ink(brightness > _INK * level[:, None, None])
    for points, image, skeleton in zip(measured, brightness, skeletons):
        row, column = np.nonzero(skeleton)
        if len(row) > n_points:
            chosen = (np.arange(n_points) * len(row) + len(row) // 2) // n_points
            row, column = row[chosen], column[chosen]
        if len(row):
            points[: len(row)] = _measure(image, row, column, pixel)
    return measured


def _measure(image, row, column, pixel):
    """Return the channels of the points of one image."""
    # Beyond the widest filter, the image around the ink changes nothing.
    margin = int(np.ceil(12 / pixel))
    top, left = max(row.min() - margin, 0), max(column.min() - margin, 0)
    ink = np.pad(image[top : row.max() + margin + 1, left : column.max() + margin + 1], 1)
    at = row - top + 1, column - left + 1

    def smooth(values, sigma):
        return gaussian_filter(values, sigma / pixel, mode="constant")

    down, right = np.gradient(smooth(ink, _GRADIENT))
    # The stroke is perpendicular to the gradient: twice the angle differs by pi.
    cos = -smooth(right * right - down * down, _TENSOR)[at]
    sin = -smooth(2 * right * down, _TENSOR)[at]
    length = np.maximum(np.hypot(cos, sin), np.finfo(np.float32).tiny)
    ratio = smooth(ink, _WIDTH)[at] / np.maximum(maximum_filter(ink, 3)[at], 1e-3)
    width = 2 * np.sqrt(2) * _WIDTH * erfinv(np.minimum(ratio, _WIDEST_RATIO))
    darkness = smooth(ink, _DARKNESS)[at]
    return np.stack(
        [column * pixel, row * pixel, cos / length, sin / length, darkness, width, np.full(len(row), pixel)], axis=1
    )
