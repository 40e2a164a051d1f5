"""What is wrong with a single scan: the one place of the audit that judges the quality of an image."""

from typing import NamedTuple

import numpy as np

from sigkit.imaging import ImageError, check_scan, crop_ink


class Judged(NamedTuple):
    """The result of `crop_ink`, None if there is no ink; the names of the defects; and the width of the strokes."""

    ink: tuple | None
    defects: tuple[str, ...]
    stroke_width: float


def judge_scan(image, background):
    """Judge a scan.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        The scan.
    background : str
        How the ink is found, as in `sigkit.imaging.crop_ink`.

    Returns
    -------
    Judged
        The cropped ink; the defects, which are the names of the problems that `check_scan` finds; and the width of the
        strokes in pixels, NaN if there are none.
    """
    quality = check_scan(image, background)
    defects, stroke_width = tuple(sorted(quality.problems)), quality.measures.get("stroke_width", np.nan)
    try:
        return Judged(crop_ink(image, background), defects, stroke_width)
    except ImageError:
        return Judged(None, defects or ("blank",), np.nan)
