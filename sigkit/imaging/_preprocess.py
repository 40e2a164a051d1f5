"""The preprocessing of [1], from a scan to an image of fixed size, in two steps: crop the ink, place it on a canvas.

The first step does not depend on the canvas, so that its result can be kept until the size of the canvas is known.
"""

from typing import NamedTuple

import numpy as np

from sigkit.imaging._check_array import check_array
from sigkit.imaging._ink import PART, find_ink, rows_at_a_time
from sigkit.imaging._photo import clean_photograph
from sigkit.imaging._quality import find_problems, measure_scan
from sigkit.imaging._resample import as_pair, resample
from sigkit.imaging._resize import plan_resize
from sigkit.imaging._threshold import adaptive_thresholds, count_grays, otsu_of_histogram

# The resized values are truncated to uint8. Without this constant, rounding errors would decide whether solid ink
# becomes 255 or 254.
_ROUNDING = 1e-6
_GROUP = 8
"""Number of rows of a large image's result that are computed at once."""

_LEAST_SHARES = {"print": 0.4, "stamp": 0.01, "table": 0.1}
"""Share of the ink from which a photograph is reported, by the kind of problem."""


class CroppedInk(NamedTuple):
    """The ink of a scan, cropped and inverted; see `crop_ink`."""

    pixels: np.ndarray
    center: tuple[int, int]
    min_ink: int
    issues: dict[str, str]


class Preprocessed(NamedTuple):
    """A preprocessed image and the possible problems that were found; see `preprocess_image`."""

    image: np.ndarray
    issues: dict[str, str]


def crop_ink(image, background="otsu", check=False, resolution=None):
    """Crop the ink of a scan, clear its background and invert it.

    This is the part of `preprocess_image` that does not depend on the canvas.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A scan: bright paper and dark ink. With `background="photo"` it can also have colors, shape (height, width, 3).
    background : {"otsu", "adaptive", "photo", "none"}, default="otsu"
        How the background is found; see `preprocess_image`.
    check : bool, default=False
        Whether problems of the scan are looked for, as by `check_scan`.
    resolution : float, tuple of (float, float) or None, default=None
        Resolution of the scan in dpi, or down and across if its pixels are not square; see `preprocess_image`.

    Returns
    -------
    pixels : ndarray of shape (ink_height, ink_width), dtype uint8
        The bounding box of the ink, without its last row and column; background 0 (unless `background` is "none") and
        ink up to 255.
    center : tuple of (int, int)
        Row and column of the ink's center of mass in `pixels`.
    min_ink : int
        Minimum value of a pixel that counts as ink.
    issues : dict of str to str
        The problems of the scan, by kind, and a short description of each; empty without `check`.

    Raises
    ------
    ImageError
        If the scan is blank, or its ink too small for a signature.
    ValueError
        If the scan is no such array; TypeError if it is no array.

    See Also
    --------
    place_ink : Make an image of fixed size from the result.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import crop_ink
    >>> scan = np.full((60, 80), 255, dtype=np.uint8)
    >>> scan[20:41, 30:61] = 0
    >>> ink = crop_ink(scan)
    >>> ink.pixels.shape, ink.center
    ((22, 32), (11, 16))
    """
    check_array(image, color=background == "photo")
    if resolution is not None:
        image = resample(image, as_pair(resolution), usual_size=background == "photo")
    shares = {}
    if background == "photo":
        image, shares = clean_photograph(image)
    ink = crop_gray(image, background, check)[0]
    if check:
        found = {kind: share for kind, share in shares.items() if share >= _LEAST_SHARES[kind]}
        ink.issues.update({kind: f"{share:.0%} of the ink" for kind, share in found.items()})
    return ink


def crop_gray(image, background, check):
    """Return the cropped ink of a gray image, and the slices of its bounding box."""
    counts = count_grays(image)
    threshold = otsu_of_histogram(counts)
    # Inverted, `pixel <= threshold` is `value >= 255 - threshold`. An adaptive threshold differs between pixels, but is
    # always below 255, so that after clearing the background all values above 0 are ink.
    min_ink = 255 - threshold
    n_rows = rows_at_a_time(image)
    if background == "adaptive":
        min_ink, threshold = 1, np.empty_like(image)
        thresholds = _keep_whole(adaptive_thresholds(image, n_rows), threshold)
    else:
        thresholds = ((first, threshold) for first in range(0, len(image), n_rows))
    box = find_ink(image, thresholds, threshold)
    issues = find_problems(measure_scan(image, threshold), background) if check else {}
    inside = slice(box.top, box.bottom), slice(box.left, box.right)
    crop = image[inside]
    pixels = 255 - crop
    if background != "none":
        threshold = np.broadcast_to(threshold, image.shape)[inside]
        for first in range(0, len(crop), n_rows):
            part = slice(first, first + n_rows)
            pixels[part] *= crop[part] <= threshold[part]
    return CroppedInk(pixels, (box.center_row, box.center_column), min_ink, issues), inside


def place_ink(ink, canvas_size, image_size=(170, 242)):
    """Place cropped ink on a canvas and resize it.

    Parameters
    ----------
    ink : tuple of (pixels, center, min_ink, issues)
        The result of `crop_ink`.
    canvas_size : tuple of (int, int)
        Rows and columns of the canvas, in pixels of the scan. If the ink is larger, only its middle part is kept.
    image_size : tuple of (int, int), default=(170, 242)
        Rows and columns of the image.

    Returns
    -------
    image : ndarray of shape image_size, dtype uint8
        The image: background 0 and ink up to 255.
    issues : dict of str to str
        The issues of `ink`, and also "over_canvas" if the ink is larger than the canvas and "cut_off" if the image does
        not show all ink on the canvas.

    See Also
    --------
    crop_ink : Crop the ink of a scan.
    fit_canvas : Find a canvas for the largest of many signatures.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import crop_ink, fit_canvas, place_ink
    >>> scan = np.full((60, 80), 255, dtype=np.uint8)
    >>> scan[20:41, 30:61] = 0
    >>> ink = crop_ink(scan)
    >>> image, issues = place_ink(ink, fit_canvas(ink.pixels.shape, (170, 242)))
    >>> image.shape, issues
    ((170, 242), {})
    """
    pixels, center, min_ink, issues = ink
    issues = dict(issues)
    if any(side > room for side, room in zip(pixels.shape, canvas_size)):
        issues["over_canvas"] = "{} x {}".format(*pixels.shape)
    rows, top = _place(pixels.shape[0], center[0], canvas_size[0])
    columns, left = _place(pixels.shape[1], center[1], canvas_size[1])
    pixels = pixels[rows, columns]
    plan = plan_resize(tuple(canvas_size), tuple(image_size))
    lost = _lost_share(pixels, min_ink, top, left, plan)
    if lost:
        issues["cut_off"] = f"{lost:.1%} of its ink" if lost >= 0.0005 else "less than 0.1% of its ink"
    # The canvas is 0 outside the ink, so the columns of the two matrices that would multiply it are left out.
    row_weights = plan.rows[:, top : top + pixels.shape[0]]
    column_weights = plan.columns[:, left : left + pixels.shape[1]]
    return Preprocessed(_resize(pixels, row_weights, column_weights), issues)


def preprocess_image(image, canvas_size, image_size=(170, 242), background="otsu", check=False, resolution=None):
    """Center a signature on a canvas, clear its background, invert it and resize it.

    The procedure of [1]_: find the bounding box and the center of mass of the ink; place the box on a white canvas with
    the center of mass in the middle, shifted if the box would extend beyond an edge; set pixels brighter than the
    threshold to white; invert; scale the canvas to cover the image; crop the center; truncate to uint8.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A scan: bright paper and dark ink. With `background="photo"` it can also have colors, shape (height, width, 3).
    canvas_size : tuple of (int, int)
        Rows and columns of the canvas, in pixels of the scan, or with `resolution` at 300 dpi: 765 x 1089 pixels are
        then 65 x 92 mm. If the ink is larger, only its middle part is kept.
    image_size : tuple of (int, int), default=(170, 242)
        Rows and columns of the result.
    background : {"otsu", "adaptive", "photo", "none"}, default="otsu"
        How the background is found: "otsu" by Otsu's threshold for the whole scan; "adaptive" by Sauvola's threshold at
        each pixel, for uneven light. "photo" is for photographs and forms: it removes shadows, rules, frames, black
        edges, specks, and print of another color, and brings the signature to a usual size at 300 dpi, less tilted.
        With "none" the background is not cleared, and Otsu's threshold is used to find the ink only.
    check : bool, default=False
        Whether problems of the scan are looked for, as by `check_scan`.
    resolution : float, tuple of (float, float) or None, default=None
        Resolution of the scan in dpi, or down and across if its pixels are not square. The scan is resampled to 300 dpi
        before the ink is found. With None it is not resampled. With `background="photo"`, which has a usual size, its
        pixels only become square.

    Returns
    -------
    image : ndarray of shape image_size, dtype uint8
        The image: background 0 and ink up to 255.
    issues : dict of str to str
        "over_canvas" and "cut_off", see `place_ink`, and with `check` the problems of the scan, by kind, and a short
        description of each.

    Raises
    ------
    ImageError
        If the scan is blank, or its ink too small for a signature.
    ValueError
        If the scan is no such array; TypeError if it is no array.

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
    >>> image, issues = preprocess_image(scan, canvas_size=(85, 121))
    >>> image.shape, image.max(), issues
    ((170, 242), np.uint8(255), {})
    """
    return place_ink(crop_ink(image, background, check, resolution), canvas_size, image_size)


def _keep_whole(thresholds, kept):
    """Yield thresholds, and keep them rounded down: gray values are whole, and an array of float64 is large."""
    for first, values in thresholds:
        kept[first : first + len(values)] = values
        yield first, values


def _place(length, center, room):
    """Return which part of one side of the ink goes on the canvas, and where it starts there."""
    if length > room:
        start = (length - room) // 2
        return slice(start, start + room), 0
    return slice(0, length), max(0, min(room // 2 - center, room - length))


def _lost_share(pixels, min_ink, top, left, plan):
    """Return the share of ink pixels with their center outside the part of the canvas that the image shows."""
    row = np.arange(top, top + pixels.shape[0]) + 0.5
    column = np.arange(left, left + pixels.shape[1]) + 0.5
    rows, columns = _between(row, plan.visible_rows), _between(column, plan.visible_columns)
    if (rows.stop - rows.start, columns.stop - columns.start) == pixels.shape:
        return 0.0
    is_ink = pixels >= min_ink
    return 1 - np.count_nonzero(is_ink[rows, columns]) / max(1, np.count_nonzero(is_ink))


def _between(values, limits):
    """Return the slice of sorted values between two limits, both included."""
    return slice(np.searchsorted(values, limits[0]), np.searchsorted(values, limits[1], side="right"))


def _resize(pixels, rows, columns):
    """Multiply by the two matrices, without the rows and columns of the image that no ink reaches."""
    used_rows, used_columns = np.nonzero(rows.any(axis=1))[0], np.nonzero(columns.any(axis=1))[0]
    image = np.zeros((len(rows), len(columns)), dtype=np.uint8)
    if len(used_rows) and len(used_columns):
        at_rows = slice(used_rows[0], used_rows[-1] + 1)
        at_columns = slice(used_columns[0], used_columns[-1] + 1)
        resized = _multiply(rows[at_rows], pixels) @ columns[at_columns].T
        image[at_rows, at_columns] = resized + _ROUNDING
    return image


def _multiply(rows, pixels):
    """Return `rows @ pixels`, where every row is zero except for some columns next to each other."""
    if pixels.size <= PART:
        return rows @ pixels.astype(np.float64)
    # Large images are not converted to float64 as a whole, and most of the product would be multiplications by 0.
    product = np.empty((len(rows), pixels.shape[1]))
    for first in range(0, len(rows), _GROUP):
        group = rows[first : first + _GROUP]
        used = np.nonzero(group.any(axis=0))[0]
        used = slice(used[0], used[-1] + 1)
        n_columns = max(1, PART // (used.stop - used.start))
        for left in range(0, pixels.shape[1], n_columns):
            part = pixels[used, left : left + n_columns].astype(np.float64)
            product[first : first + _GROUP, left : left + n_columns] = group[:, used] @ part
    return product
