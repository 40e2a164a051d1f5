"""What is wrong with a single scan: the one place of the audit that judges the quality of an image."""

from typing import NamedTuple

from sigkit.imaging import ImageError, check_scan, crop_ink


class Judged(NamedTuple):
    """The result of `crop_ink`, None if there is no ink, and the names of the defects."""

    ink: tuple | None
    defects: tuple[str, ...]


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
        The cropped ink, and the defects: the names of the problems that `check_scan` finds.
    """
    defects = tuple(sorted(check_scan(image, background).problems))
    try:
        return Judged(crop_ink(image, background), defects)
    except ImageError:
        return Judged(None, defects or ("blank",))
