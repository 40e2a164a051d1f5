"""Measure one scan: what the file says, the statistics of its image, and what identifies it."""

import os
from dataclasses import dataclass

import numpy as np

from sigkit._utils import content_digest, read_scan, scan_digest
from sigkit.datasets._audit._file import FILE_COLUMNS, describe_file
from sigkit.datasets._audit._quality import judge_scan
from sigkit.imaging import PICTURE_SIZE, ImageError, otsu_threshold, picture_ink, read_image

RAW = (
    *("height", "width", "area", "aspect", "mean_gray", "gray_levels"),
    *("background", "background_spread", "ink_gray", "ink_share"),
)
"""Statistics of the image as it was read."""

PREPROCESSED = (
    *("ink_height", "ink_width", "ink_area", "ink_aspect"),
    *("ink_pixels", "ink_density", "stroke_gray", "stroke_width"),
)
"""Statistics of the ink after the background was removed, in its bounding box."""


@dataclass
class Measured:
    """One scan. `error` is the reason if it cannot be read; then only `file` and the digest of its bytes are known."""

    error: str
    file: dict
    statistics: dict
    defects: tuple
    file_digest: str
    pixel_digest: str
    descriptor: np.ndarray | None


def measure_scans(scans, background):
    """Measure some scans.

    Parameters
    ----------
    scans : list of str, os.PathLike, bytes or ndarray
        Paths, contents of files, or images.
    background : str
        How the ink is found.

    Returns
    -------
    list of Measured
        One for each.
    """
    return [_measure(scan, background) for scan in scans]


def _measure(scan, background):
    measured = Measured(
        "", dict.fromkeys(FILE_COLUMNS, ""), dict.fromkeys(RAW + PREPROCESSED, np.nan), (), "", "", None
    )
    measured.file |= {"file_size": np.nan, "pages": 1}
    image = scan
    if isinstance(scan, (str, os.PathLike, bytes)):
        try:
            content, page = (scan, None) if isinstance(scan, bytes) else read_scan(scan)
        except OSError as error:
            measured.error = str(error)
            return measured
        measured.file = describe_file(content)
        measured.file_digest = scan_digest(content, page)
        try:
            image = read_image(content, page=page)
        except (ImageError, MemoryError) as error:
            name = "" if isinstance(scan, bytes) else f"{os.fspath(scan)}: "
            measured.error = f"{name}{error or 'too large for the memory'}"
            return measured
    measured.pixel_digest = content_digest(image)
    _describe_raw(image, measured.statistics)
    ink, measured.defects, stroke_width = judge_scan(image, background)
    if ink is not None:
        measured.statistics["stroke_width"] = stroke_width
        _describe_ink(ink, measured.statistics)
        measured.descriptor = picture_ink(image)
    return measured


def _describe_raw(image, found):
    height, width = image.shape
    counts = np.bincount(image.ravel(), minlength=256)
    found |= {"height": height, "width": width, "area": height * width, "aspect": width / height}
    found |= {"mean_gray": _mean(counts), "gray_levels": np.count_nonzero(counts)}
    if found["gray_levels"] < 2:
        return
    threshold = otsu_threshold(image)
    dark, bright = np.where(np.arange(256) <= threshold, counts, 0), np.where(np.arange(256) > threshold, counts, 0)
    found |= {"ink_gray": _mean(dark), "ink_share": dark.sum() / image.size, "background": _mean(bright)}
    found["background_spread"] = np.sqrt(_mean(bright, 2) - _mean(bright) ** 2)


def _describe_ink(ink, found):
    height, width = ink.pixels.shape
    n_ink = np.count_nonzero(ink.pixels >= ink.min_ink)
    found |= {"ink_height": height, "ink_width": width, "ink_area": height * width, "ink_aspect": width / height}
    found |= {"ink_pixels": n_ink, "ink_density": n_ink / ink.pixels.size}
    found["stroke_gray"] = 255 - ink.pixels.sum(where=ink.pixels >= ink.min_ink, dtype=np.int64) / max(1, n_ink)


def _mean(counts, power=1):
    return counts @ np.arange(256.0) ** power / counts.sum()


def no_descriptor():
    """Return the descriptor that stands for a scan without ink."""
    return np.zeros(PICTURE_SIZE, dtype=np.uint8)
