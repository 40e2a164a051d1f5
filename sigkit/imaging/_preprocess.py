"""The preprocessing of [1], from a scan to an image of fixed size."""

from typing import NamedTuple

import numpy as np

from sigkit.imaging._ink import InkBox, find_ink
from sigkit.imaging._resize import plan_resize
from sigkit.imaging._threshold import adaptive_threshold, count_greys, otsu_of_counts

_LEAST_INK_SIDE = 16
_LEAST_CONTRAST = 10
# Fractions are dropped; without this, rounding would decide whether solid ink is 255 or 254.
_ROUNDING = 1e-6


class Preprocessed(NamedTuple):
    """A preprocessed image, and what is doubtful about it.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        The image; background is 0 and ink is up to 255.
    doubts : dict of str to str
        What was found, by the kind of doubt.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import Preprocessed
    >>> Preprocessed(np.zeros((170, 242), dtype=np.uint8), {}).doubts
    {}
    """

    image: np.ndarray
    doubts: dict[str, str]


class Ink(NamedTuple):
    """What parts a scan's ink from its paper, and what is doubtful about it.

    Parameters
    ----------
    box : InkBox
        Where the ink is.
    threshold : int or ndarray of shape (height, width)
        The brightest grey of ink.
    doubts : dict of str to str
        What was found, by the kind of doubt.

    Examples
    --------
    >>> from sigkit.imaging import Ink, InkBox
    >>> Ink(InkBox(0, 9, 0, 30, 4, 15), threshold=191, doubts={"small": "9 x 30"}).box.shape
    (9, 30)
    """

    box: InkBox
    threshold: int | np.ndarray
    doubts: dict[str, str]


def measure_ink(image, background="otsu"):
    """Find the ink of a scan, and the threshold that parts it from the paper.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A scan, paper bright and ink dark.
    background : {"otsu", "adaptive", "none"}, default="otsu"
        How the threshold is found; see `preprocess_image`.

    Returns
    -------
    Ink
        The box of the ink; the brightest grey of ink, in the whole scan or (adaptive) at each pixel; and doubts, a dict
        from a kind of doubt ("small", "faint", "dark_paper") to what was found.

    Raises
    ------
    ImageError
        If the scan is blank, or its ink too small for a signature.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import measure_ink
    >>> scan = np.full((60, 80), 255, dtype=np.uint8)
    >>> scan[20:41, 30:61] = 0
    >>> ink = measure_ink(scan)
    >>> ink.box.shape, ink.threshold
    ((22, 32), 191)
    """
    counts = count_greys(image)
    threshold = otsu_of_counts(counts)
    doubts = _doubts_about_paper(counts, threshold)
    if background == "adaptive":
        threshold = adaptive_threshold(image)
    box = find_ink(image, threshold)
    if max(box.shape) < _LEAST_INK_SIDE:
        doubts["small"] = "{} x {}".format(*box.shape)
    return Ink(box, threshold, doubts)


def preprocess_image(image, canvas_size, image_size=(170, 242), background="otsu"):
    """Centre a signature on a canvas, clear its background, invert it and resize it.

    The procedure of [1], step by step: find the box and the centre of mass of the ink; put the box on a white canvas
    with the centre of mass in the middle, moved where it would stand over an edge; set what is brighter than the
    threshold to white; invert; scale so that the canvas covers the image; cut its centre out; drop the fractions.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A scan, paper bright and ink dark.
    canvas_size : tuple of (int, int)
        Rows and columns of the canvas, in pixels of the scan. A larger signature is cut around its middle.
    image_size : tuple of (int, int), default=(170, 242)
        Rows and columns of the result.
    background : {"otsu", "adaptive", "none"}, default="otsu"
        What is paper: "otsu" by one threshold, "adaptive" by Sauvola's threshold at each pixel (photographs with
        uneven light), "none" leaves the paper in the picture (Otsu's threshold still finds the ink).

    Returns
    -------
    Preprocessed
        The image, uint8 of `image_size`, background 0 and ink up to 255; and doubts, a dict from a kind of doubt
        ("over_canvas", "cut_off", "small", "faint", "dark_paper") to what was found.

    Raises
    ------
    ImageError
        If the scan is blank, or its ink too small for a signature.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import preprocess_image
    >>> scan = np.full((60, 80), 255, dtype=np.uint8)
    >>> scan[20:41, 30:61] = 0
    >>> image, doubts = preprocess_image(scan, canvas_size=(85, 121))
    >>> image.shape, image.max(), doubts
    ((170, 242), np.uint8(255), {})
    """
    box, threshold, doubts = measure_ink(image, background)
    if any(side > room for side, room in zip(box.shape, canvas_size)):
        doubts["over_canvas"] = "{} x {}".format(*box.shape)
    crop_rows, canvas_top = _place(box.top, box.bottom, box.center_row, canvas_size[0])
    crop_columns, canvas_left = _place(box.left, box.right, box.center_column, canvas_size[1])

    crop = image[crop_rows, crop_columns]
    is_ink = crop <= (threshold[crop_rows, crop_columns] if background == "adaptive" else threshold)
    ink = 255 - crop
    if background != "none":
        ink *= is_ink
    plan = plan_resize(tuple(canvas_size), tuple(image_size))
    lost = _cut_off(is_ink, canvas_top, canvas_left, plan)
    if lost:
        doubts["cut_off"] = f"{lost:.1%} of its ink" if lost >= 0.0005 else "less than 0.1% of its ink"
    rows = plan.rows[:, canvas_top : canvas_top + ink.shape[0]]
    columns = plan.columns[:, canvas_left : canvas_left + ink.shape[1]]
    return Preprocessed(_resize(ink, rows, columns), doubts)


def _place(start, stop, center, room):
    """Choose which part of the ink's extent goes on the canvas, and where it starts there."""
    length = stop - start
    if length > room:
        start += (length - room) // 2
        return slice(start, start + room), 0
    return slice(start, stop), max(0, min(room // 2 - center, room - length))


def _cut_off(is_ink, top, left, plan):
    """Share of the ink whose pixels' middles lie outside the part of the canvas that the image shows."""
    row = np.arange(top, top + is_ink.shape[0]) + 0.5
    column = np.arange(left, left + is_ink.shape[1]) + 0.5
    hidden_rows = (row < plan.visible_rows[0]) | (row > plan.visible_rows[1])
    hidden_columns = (column < plan.visible_columns[0]) | (column > plan.visible_columns[1])
    if not (hidden_rows.any() or hidden_columns.any()):
        return 0.0
    return 1 - is_ink[~hidden_rows][:, ~hidden_columns].sum() / max(1, is_ink.sum())


def _resize(ink, rows, columns):
    """Multiply by the two matrices, leaving out the rows and columns of the image that no ink reaches."""
    used_rows, used_columns = np.nonzero(rows.any(axis=1))[0], np.nonzero(columns.any(axis=1))[0]
    image = np.zeros((len(rows), len(columns)), dtype=np.uint8)
    if len(used_rows) and len(used_columns):
        at_rows = slice(used_rows[0], used_rows[-1] + 1)
        at_columns = slice(used_columns[0], used_columns[-1] + 1)
        resized = rows[at_rows] @ ink.astype(np.float64) @ columns[at_columns].T
        image[at_rows, at_columns] = resized + _ROUNDING
    return image


def _doubts_about_paper(counts, threshold):
    dark, bright = counts[: threshold + 1], counts[threshold + 1 :]
    doubts = {}
    if dark.sum() > counts.sum() / 2:
        doubts["dark_paper"] = f"{dark.sum() / counts.sum():.0%}"
    contrast = threshold + 1 + np.average(np.arange(len(bright)), weights=bright)
    contrast -= np.average(np.arange(len(dark)), weights=dark)
    if contrast < _LEAST_CONTRAST:
        doubts["faint"] = f"{contrast:.1f}"
    return doubts
