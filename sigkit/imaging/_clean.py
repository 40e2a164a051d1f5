"""Clean preprocessed images: remove what is too faint or too small to be a stroke."""

import numpy as np
from scipy import ndimage

from sigkit.imaging._threshold import otsu_threshold

_EIGHT_NEIGHBORS = np.ones((3, 3), dtype=bool)


def remove_background(image, min_size=0):
    """Set background pixels and, optionally, small specks to 0.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A preprocessed signature: background near 0 and ink up to 255.
    min_size : int, default=0
        Minimum size in pixels of a connected component of the ink; smaller components are removed. Pixels that touch
        at a corner are connected.

    Returns
    -------
    ndarray of shape (height, width), dtype uint8
        The cleaned image. Pixels that Otsu's threshold assigns to the background are 0, the others are unchanged. An
        image with a single gray value has no threshold; only small components are removed from it.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import remove_background
    >>> image = np.array([[0, 3, 200, 0, 0], [2, 220, 0, 0, 180]], dtype=np.uint8)
    >>> remove_background(image)
    array([[  0,   0, 200,   0,   0],
           [  0, 220,   0,   0, 180]], dtype=uint8)
    >>> remove_background(image, min_size=2)
    array([[  0,   0, 200,   0,   0],
           [  0, 220,   0,   0,   0]], dtype=uint8)
    """
    cleaned = image.copy()
    if image.min() != image.max():
        # The threshold is defined for dark ink on bright paper.
        inverted = 255 - image
        cleaned[inverted > otsu_threshold(inverted)] = 0
    return remove_specks(cleaned, min_size) if min_size > 1 else cleaned


def remove_specks(image, min_size):
    """Remove the connected components of non-zero pixels that have fewer than `min_size` pixels."""
    labels, _ = ndimage.label(image, structure=_EIGHT_NEIGHBORS)
    sizes = np.bincount(labels.ravel())
    # The background, label 0, is kept or removed with no effect: its pixels are 0 already.
    return np.where(sizes[labels] >= min_size, image, np.uint8(0))
