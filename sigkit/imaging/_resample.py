"""Resample scans to the resolution of the canvas."""

import numpy as np
from PIL import Image

from sigkit.imaging._error import ImageError
from sigkit.imaging._formats import CANVAS_DPI
from sigkit.imaging._read import PREPROCESSING_BYTES
from sigkit.imaging._threshold import count_grays

_SAME = 0.01
"""Largest relative change of a side for which it is left as it is: resampling blurs."""


def as_pair(resolution):
    """Return a resolution as (dpi down, dpi across), or raise an error if it is not one or two positive numbers."""
    try:
        down, across = np.broadcast_to(np.asarray(resolution, dtype=float), 2).tolist()
    except (TypeError, ValueError):
        down = across = 0.0
    if not (0 < down < np.inf and 0 < across < np.inf):
        raise ValueError(f"resolution must be a positive number in dpi, or two, down and across; found {resolution!r}.")
    return down, across


def dpi_of_scan(stated, setting, background):
    """Return the resolution, down and across, from which a scan is resampled, or None if it is not.

    Parameters
    ----------
    stated : Resolution or None
        What its file states.
    setting : float, "file" or None
        The parameter `resolution` of the preprocessor.
    background : str
        The parameter of the preprocessor; "photo" brings signatures to a usual size, whatever their resolution.

    Returns
    -------
    tuple of (float, float) or None
        In dpi.

    Raises
    ------
    ImageError
        If the file states two shapes of its pixels, and the background is "photo".
    """
    if background == "photo":
        if stated is not None and stated.has_other_shape:
            raise ImageError(
                f"the file states {stated}: nothing says what the shape of its pixels is. Save it as PNG with the "
                "right resolution."
            )
        return None if stated is None or stated.is_square else stated.dpi
    if setting == "file":
        return stated.dpi if stated else None
    return None if setting is None else (float(setting), float(setting))


def resampled_shape(shape, dpi, usual_size=False):
    """Return the rows and columns of a scan after `resample`."""
    # With a usual size, only the shape of the pixels has a meaning, and no side is reduced.
    target = max(dpi) if usual_size else CANVAS_DPI
    factors = (target / side for side in dpi)
    return tuple(
        max(1, round(side * factor)) if abs(factor - 1) > _SAME else side for side, factor in zip(shape, factors)
    )


def resample(image, dpi, usual_size=False):
    """Resample a scan to 300 dpi.

    Scans are resampled before their ink is found, because its threshold and the blur that removes specks depend on the
    resolution. Two-valued scans stay two-valued: with gray edges, Otsu's threshold would make strokes thicker.

    Parameters
    ----------
    image : ndarray of shape (height, width) or (height, width, 3), dtype uint8
        The scan.
    dpi : tuple of (float, float)
        Its resolution down and across.
    usual_size : bool, default=False
        Whether the ink is brought to a usual size later: then pixels only become square.

    Returns
    -------
    ndarray, dtype uint8
        The scan; the same array if it has this resolution.
    """
    height, width = resampled_shape(image.shape, dpi, usual_size)
    if (height, width) == image.shape[:2]:
        return image
    # It is smoothed as much as it is reduced.
    resampled = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
    if image.ndim == 2:
        values = np.flatnonzero(count_grays(image))
        if len(values) == 2:
            dark, bright = values.astype(np.uint8)
            return np.where(resampled > values.mean(), bright, dark)
    return resampled


def check_resampled(shape, dpi, usual_size, max_memory):
    """Raise an error if a scan would need too much memory after `resample`, where that enlarges it.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the scan, and perhaps its number of colors.
    dpi : tuple of (float, float)
        Its resolution down and across.
    usual_size : bool
        Whether pixels only become square.
    max_memory : float
        Largest memory in MiB.

    Raises
    ------
    ImageError
        If it needs more.
    """
    height, width = resampled_shape(shape, dpi, usual_size)
    n_channels = int(np.prod(shape[2:]))
    needed = (PREPROCESSING_BYTES + n_channels - 1) * height * width / 2**20
    if height * width > shape[0] * shape[1] and needed > max_memory:
        down, across = dpi
        raise ImageError(
            f"{shape[1]} x {shape[0]} pixels at {across:.4g} x {down:.4g} dpi are {width} x {height} at "
            f"{max(dpi) if usual_size else CANVAS_DPI:.4g} dpi, which need {needed:,.0f} MiB of memory, more than "
            f"max_memory={max_memory:g}. If this resolution is wrong, pass the right one as a number, or crop the scan."
        )
