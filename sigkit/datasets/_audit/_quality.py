"""What is wrong with a single scan: the one place of the audit that judges the quality of an image."""

from typing import NamedTuple

from sigkit.imaging import ImageError, crop_ink


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
        The cropped ink, and the defects: "blank", or the issues of `crop_ink`.
    """
    try:
        ink = crop_ink(image, background)
    except ImageError:
        return Judged(None, ("blank",))
    return Judged(ink, tuple(sorted(ink.issues)))
