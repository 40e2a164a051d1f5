"""Cleaning preprocessed images: what is too faint or too small to be a stroke goes."""

import numpy as np
from scipy import ndimage

from sigkit.imaging._threshold import otsu_threshold

_WITH_CORNERS = np.ones((3, 3), dtype=bool)


def remove_background(image):
    """Set everything to 0 that Otsu's threshold takes for paper.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A preprocessed signature, background 0 and ink up to 255.

    Returns
    -------
    ndarray of shape (height, width), dtype uint8
        The same with a clean background; an image of one grey value, which has no threshold, is left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import remove_background
    >>> remove_background(np.array([[0, 3, 200], [2, 220, 0]], dtype=np.uint8))
    array([[  0,   0, 200],
           [  0, 220,   0]], dtype=uint8)
    """
    if image.min() == image.max():
        return image.copy()
    inverted = 255 - image
    return np.where(inverted <= otsu_threshold(inverted), image, np.uint8(0))


def remove_specks(image, min_size):
    """Remove connected parts of the ink that have few pixels.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A preprocessed signature, background 0 and ink up to 255.
    min_size : int
        Number of pixels that a part must have to stay; pixels that touch at a corner belong together.

    Returns
    -------
    ndarray of shape (height, width), dtype uint8
        The same without the small parts.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import remove_specks
    >>> remove_specks(np.array([[9, 9, 0, 0], [0, 9, 0, 7]], dtype=np.uint8), 3)
    array([[9, 9, 0, 0],
           [0, 9, 0, 0]], dtype=uint8)
    """
    parts, _ = ndimage.label(image, structure=_WITH_CORNERS)
    sizes = np.bincount(parts.ravel())
    return np.where(sizes[parts] >= min_size, image, np.uint8(0))
