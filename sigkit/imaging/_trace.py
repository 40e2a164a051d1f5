"""What preprocessing takes for ink in a scan, and what it removes: for pictures, at the pixels of the scan."""

import os
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from sigkit._utils import printable_path
from sigkit.imaging._error import ImageError
from sigkit.imaging._ink import rows_at_a_time
from sigkit.imaging._photo import locate_signature
from sigkit.imaging._preprocess import CroppedInk, crop_gray, crop_ink
from sigkit.imaging._read import MAX_MEMORY, read_with_resolution
from sigkit.imaging._resample import as_pair, check_resampled, dpi_of_scan, resample
from sigkit.imaging._threshold import adaptive_thresholds, otsu_threshold

_MARGIN = 1 / 300
"""Width of the blurred edges of strokes, relative to the longer side of the scan."""


class Trace(NamedTuple):
    """What was done with a scan.

    Attributes
    ----------
    name : str
        The path of the file, or the position of the array.
    scan : ndarray of shape (height, width) or (height, width, 3), dtype uint8, or None
        The scan, resampled if a resolution is used; None if the file cannot be read.
    ink : ndarray of shape (height, width), dtype bool, or None
        The pixels that are taken for ink; None if there is an error.
    removed : ndarray of shape (height, width), dtype bool, or None
        Other pixels that are darker than the paper.
    cropped : CroppedInk or None
        The result of `crop_ink`.
    error : str
        Why the scan cannot be used; "" if it can be.
    """

    name: str
    scan: np.ndarray | None = None
    ink: np.ndarray | None = None
    removed: np.ndarray | None = None
    cropped: CroppedInk | None = None
    error: str = ""


def trace_scan(source, position, background, resolution, max_memory=MAX_MEMORY):
    """Return the `Trace` of a scan, which is a path, the content of a file, an open file or an array."""
    is_photo, stated = background == "photo", None
    is_path = isinstance(source, (str, os.PathLike))
    is_file = is_path or isinstance(source, (bytes, bytearray)) or hasattr(source, "read")
    trace = Trace(printable_path(source) if is_path else f"image {position}")
    try:
        if is_file:
            scan, stated = read_with_resolution(source, color=is_photo, max_memory=max_memory)
        else:
            scan = _check_array(source, trace.name, is_photo)
        trace = trace._replace(scan=scan)
        dpi = dpi_of_scan(stated, resolution, background)
        if dpi is not None:
            check_resampled(scan.shape, as_pair(dpi), is_photo, max_memory)
            scan = resample(scan, as_pair(dpi), usual_size=is_photo)
            trace = trace._replace(scan=scan)
        if is_photo:
            cropped, ink = crop_ink(scan, background, check=True), locate_signature(scan)
        else:
            cropped, inside = crop_gray(scan, background, check=True)
            ink = np.zeros(scan.shape, dtype=bool)
            ink[inside] = cropped.pixels >= cropped.min_ink
    except ImageError as error:
        # A picture has room for one name only.
        return trace._replace(error=str(error).removeprefix(f"{trace.name}: "))
    return trace._replace(ink=ink, removed=_find_removed(scan, ink), cropped=cropped)


def _check_array(scan, name, is_photo):
    scan = np.asarray(scan)
    is_color = is_photo and scan.ndim == 3 and scan.shape[2] == 3
    if scan.dtype != np.uint8 or not (scan.ndim == 2 or is_color) or not scan.size:
        raise ValueError(
            f"{name} is {scan.dtype} of shape {scan.shape}; scans are paths, or uint8 arrays of shape (height, width), "
            'and with background="photo" also (height, width, 3).'
        )
    return scan


def _find_removed(scan, ink):
    """Return what is dark by Otsu's threshold, or darker than the paper around it, and is neither ink nor its edge."""
    gray = scan if scan.ndim == 2 else np.asarray(Image.fromarray(scan).convert("L"))
    dark = gray <= otsu_threshold(gray)
    for first, thresholds in adaptive_thresholds(gray, rows_at_a_time(gray)):
        part = slice(first, first + len(thresholds))
        dark[part] |= gray[part] <= thresholds
    margin = max(2, round(_MARGIN * max(gray.shape)))
    return dark & ~ndimage.maximum_filter(ink, 2 * margin + 1)
