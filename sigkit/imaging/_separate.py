"""Separate the ink of a scan from its paper."""

from typing import NamedTuple

import numpy as np

from sigkit.imaging._threshold import adaptive_threshold, count_grays, otsu_of_histogram


class Separated(NamedTuple):
    """A scan and what separates its ink from its paper.

    Pixels of `image` at or below `threshold`, a number or one number per pixel, are ink. Inverted, ink pixels are at
    least `min_ink`. `counts` is the histogram of `image`. `is_even` says whether one gray value is that of all paper.
    """

    image: np.ndarray
    threshold: object
    min_ink: int
    counts: np.ndarray
    is_even: bool


def separate_ink(image, background):
    """Find the threshold between ink and paper; see `preprocess_image` for `background`."""
    counts = count_grays(image)
    threshold = otsu_of_histogram(counts)
    if background == "adaptive":
        # It differs between pixels, but is always below 255, so that after clearing the background all values above 0
        # are ink.
        return Separated(image, adaptive_threshold(image), 1, counts, False)
    # Inverted, `pixel <= threshold` is `value >= 255 - threshold`.
    return Separated(image, threshold, 255 - threshold, counts, True)
