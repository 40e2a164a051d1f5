"""Checks of scans that are passed as arrays."""

import os

import numpy as np


def check_array(image, color=False):
    """Check that a scan is an array of gray values, or of colors.

    Values from 0 to 1, of other libraries, would be taken for a black scan.

    Parameters
    ----------
    image : object
        What was passed as a scan.
    color : bool, default=False
        Whether it may have colors, in the shape (height, width, 3).

    Raises
    ------
    TypeError
        If it is no array.
    ValueError
        If it has another shape or type, or no pixels.
    """
    if not isinstance(image, np.ndarray):
        found = repr(image) if isinstance(image, (str, os.PathLike)) else type(image).__name__
        raise TypeError(f"image must be an array; found {found}. Read a file by read_image first.")
    has_shape = image.ndim == 2 or (color and image.ndim == 3 and image.shape[2] == 3)
    if not has_shape or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f"image is {image.dtype} of shape {image.shape}; a scan is a uint8 array of shape (height, width), with "
            f"paper near 255 and ink near 0{', or has three colors' if color else ''}."
        )
