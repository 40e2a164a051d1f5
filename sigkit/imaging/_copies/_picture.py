"""A small picture of the ink, by which scans that are nearly equal are found."""

import math

import numpy as np
from PIL import Image

from sigkit.imaging._threshold import otsu_threshold

PICTURE_SIZE = 24, 48
"""Rows and columns of the picture."""

_REACH = 2.2


def picture_ink(image):
    """Picture the ink in its own frame: the centre and the spread of the ink decide what is shown.

    Unlike a bounding box, they hardly change by specks, by a wider margin, by compression or by another resolution.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A scan that is not blank.

    Returns
    -------
    ndarray of shape (24, 48), dtype uint8
        The share of ink in each cell, 0 to 255.
    """
    ink = (image <= otsu_threshold(image)).view(np.uint8)
    if 2 * np.count_nonzero(ink) > ink.size:
        ink = 1 - ink
    top, height = _extent(ink.sum(axis=1, dtype=np.int64))
    left, width = _extent(ink.sum(axis=0, dtype=np.int64))
    box = np.array([left, top, left + width, top + height])
    margin = math.ceil(max(0, -left, -top, left + width - ink.shape[1], top + height - ink.shape[0]))
    picture = Image.fromarray(np.pad(255 * ink, margin))
    return np.asarray(picture.resize(PICTURE_SIZE[::-1], Image.Resampling.BOX, box=tuple(box + margin)))


def center_pictures(pictures):
    """Prepare pictures so that their correlations are the products of their vectors.

    Parameters
    ----------
    pictures : ndarray of shape (n_pictures, 24, 48), dtype uint8
        Pictures of ink.

    Returns
    -------
    ndarray of shape (n_pictures, 1152), dtype float32
        Vectors of length 1 whose mean is 0; all 0 for a picture without ink.
    """
    vectors = pictures.reshape(len(pictures), math.prod(pictures.shape[1:])).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors


def _extent(counts):
    """Return where the frame begins, and its length, by the counts of ink along one side."""
    places, n_ink = np.arange(len(counts)) + 0.5, counts.sum()
    center = counts @ places / n_ink
    # At least one pixel, for a scan with a single column of ink.
    spread = max(0.5, math.sqrt(counts @ (places - center) ** 2 / n_ink))
    return center - _REACH * spread, 2 * _REACH * spread
