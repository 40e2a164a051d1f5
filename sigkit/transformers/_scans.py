"""Check scans and sizes that the user passes, and read the scans."""

import os
from numbers import Integral, Real

import numpy as np

from sigkit._utils import check_ordered, check_several, printable_path, read_scan, read_upload, warn
from sigkit.imaging import ImageError

MAX_SIDE = 100_000
"""Pixels of the longest side of a canvas or an image."""


def check_scans(X, color=False):
    """Return pairs (name, path, bytes or uint8 array), with the name by which an error refers to the scan.

    Arrays are two-dimensional; if `color`, they may also have the shape (height, width, 3).
    """
    check_several(X)
    check_ordered(X)
    X = X.to_numpy() if hasattr(X, "to_numpy") else X
    if isinstance(X, np.ndarray) and X.dtype.kind in "OUT" and X.ndim == 2:
        if X.shape[1] != 1:
            raise ValueError(f"X is a table of {X.shape[1]} columns. Pass the column of the paths, such as X['path'].")
        X = X[:, 0]
    if isinstance(X, np.ndarray) and X.dtype.kind == "S":
        raise ValueError(
            "X is an array of bytes, which loses zeros at their end. Pass a list of bytes, or paths as str."
        )
    if isinstance(X, np.ndarray) and X.ndim == 2:
        raise ValueError(f"X is one image of shape {X.shape}; pass a list of images, or X[np.newaxis].")
    if isinstance(X, np.ndarray) and X.ndim == 3 and X.shape[2] in (1, 3, 4):
        what = "images" if color else "2-D gray images"
        raise ValueError(f"X looks like one color image, of shape {X.shape}; pass a list of {what}.")
    if not hasattr(X, "__len__"):
        raise ValueError(f"X must be paths or images; found {type(X).__name__}.")
    if len(X) == 0:
        raise ValueError("Found 0 signatures in X; at least 1 is needed. Is the folder of scans empty?")
    return [_check_scan(scan, index, color) for index, scan in enumerate(X)]


def _check_scan(scan, index, color):
    if isinstance(scan, (str, os.PathLike)):
        return printable_path(scan), os.fsdecode(scan)
    try:
        content = read_upload(scan)
    except OSError as error:
        raise ImageError(f"scan {index} of X: {error}") from error
    if content is not None:
        return getattr(content, "name", f"scan {index} of X"), content
    # NA of pandas, which is compared with nothing.
    if scan is None or isinstance(scan, Real) or type(scan).__name__ == "NAType":
        raise ValueError(f"scan {index} of X is {scan!r}: did reading it fail? Leave it out.")
    scan = np.asarray(scan)
    name = f"image {index}"
    has_colors = scan.ndim == 3 and scan.shape[2] == 3 and scan.dtype == np.uint8
    if has_colors and not color:
        raise ValueError(
            f'{name} of X is a color image of shape {scan.shape}. Only background="photo" takes colors; otherwise pass '
            "2-D gray images."
        )
    if not has_colors and (scan.ndim != 2 or scan.dtype not in (np.uint8, np.bool_)):
        raise ValueError(
            f"{name} of X is {scan.dtype} of shape {scan.shape}; signatures are file paths, or 2-D uint8 arrays with "
            "paper near 255 and ink near 0."
        )
    if not scan.size:
        raise ValueError(f"{name} of X is empty, of shape {scan.shape}. Leave it out.")
    return name, scan.astype(np.uint8) * 255 if scan.dtype == np.bool_ else scan


def check_shape(size, name):
    """Return (rows, columns) as integers, or raise an error that names the parameter."""
    is_pair = len(size) == 2 and all(isinstance(side, Integral) and 0 < side <= MAX_SIDE for side in size)
    if not is_pair:
        raise ValueError(f"{name} must be two positive integers up to {MAX_SIDE:,}, rows and columns; found {size!r}.")
    return int(size[0]), int(size[1])


def warn_if_turned(canvas_size, image_size):
    """Warn if the canvas is higher than wide and the image wider than high, or the other way round."""
    (rows, columns), (height, width) = canvas_size, image_size
    # A canvas of another shape is legitimate; one that is nearly a square, too.
    if (rows - columns) * (height - width) < 0 and not 0.9 < rows / columns < 1 / 0.9:
        warn(
            f"canvas_size={canvas_size} and image_size={image_size} are (rows, columns): one is higher than wide, the "
            f"other is not, so most of the canvas would not be seen. Was {canvas_size[::-1]} meant?"
        )


def read_content(scan, max_memory):
    """Return the bytes of a file, or the array or bytes that were passed, and the page: what identifies a scan."""
    if not isinstance(scan, str):
        return scan, None
    try:
        return read_scan(scan, max_memory)
    except OSError as error:
        # The caller adds the name.
        raise ImageError(str(error).removeprefix(f"{printable_path(scan)}: ")) from error
