"""Thresholds that separate ink (at or below) from paper (above)."""

from itertools import pairwise

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter1d

from sigkit.imaging._error import ImageError

_CACHED = 2**16
"""Number of pixels for which several arrays of float64 fit into the cache of a processor."""


def count_grays(image):
    """Return the histogram of a uint8 image, shape (256,)."""
    # Pillow counts several times faster than numpy.bincount, which converts every pixel to int64 first.
    return np.array(Image.fromarray(image).histogram(), dtype=np.int64)


def otsu_threshold(image):
    """Compute Otsu's threshold.

    The threshold t maximizes the variance between the classes {pixels <= t} and {pixels > t}. If no pixel has a value
    between t and the next occurring gray value, all thresholds in this gap give the same classes, and the one at three
    quarters of the gap is returned. In scans in which all gray values occur there is no gap, and the result is Otsu's
    t. In a black and white scan it is 191. The smallest equivalent threshold (0) would be the gray value of the ink
    itself, which no pixel of a thin stroke has after blurring, and the middle of the gap (127) would lose strokes of up
    to three pixels.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A gray image.

    Returns
    -------
    int
        The threshold, from 0 to 254.

    Raises
    ------
    ImageError
        If all pixels have the same gray value.

    References
    ----------
    Otsu, N. (1979). A threshold selection method from gray-level histograms. IEEE Transactions on Systems, Man, and
    Cybernetics, 9(1), 62-66.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import otsu_threshold
    >>> otsu_threshold(np.array([[0, 0, 255], [255, 255, 255]], dtype=np.uint8))
    191
    """
    return otsu_of_histogram(count_grays(image))


def otsu_of_histogram(counts):
    """Compute Otsu's threshold from a histogram of shape (256,); see `otsu_threshold`."""
    levels = np.nonzero(counts)[0]
    if len(levels) < 2:
        raise ImageError(f"blank: every pixel has the gray value {levels[0]}. Scan it again, or leave it out.")
    # Gray values that do not occur cannot change the classes, so only the others are candidates.
    counts, grays = counts[levels], levels.astype(np.float64)
    n_dark = np.cumsum(counts)[:-1]
    n_bright = counts.sum() - n_dark
    sum_dark = np.cumsum(counts * grays)[:-1]
    sum_bright = (counts * grays).sum() - sum_dark
    # The variance between the classes is n_dark n_bright (mean_bright - mean_dark)^2, up to a constant factor. The
    # product in float32 reproduces a rounding of the code that prepared the training images of the published weights:
    # it moves the threshold of two scans in a thousand by one gray value.
    sizes = n_dark.astype(np.float32) * n_bright.astype(np.float32)
    between = sizes * (sum_bright / n_bright - sum_dark / n_dark) ** 2
    best = int(np.argmax(between))
    # Three quarters of the way to the next level; equal to levels[best] if the levels are adjacent.
    return int(levels[best] + 3 * levels[best + 1]) // 4


def adaptive_threshold(image):
    """Compute Sauvola's threshold at every pixel, for photographs with uneven light.

    The threshold is m (1 + k (s / R - 1)) with the mean m and the standard deviation s of the pixels in a square window
    around the pixel, k = 0.2 and R = 128. The side of the window is a quarter of the image's shorter side, at least 15
    pixels.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A gray image.

    Returns
    -------
    ndarray of shape (height, width), dtype float64
        The threshold at each pixel.

    References
    ----------
    Sauvola, J., and Pietikäinen, M. (2000). Adaptive document image binarization. Pattern Recognition, 33(2), 225-236.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import adaptive_threshold
    >>> shaded_paper = np.full((40, 40), 90, dtype=np.uint8)
    >>> bool((shaded_paper > adaptive_threshold(shaded_paper)).all())
    True
    """
    return np.concatenate([thresholds for _, thresholds in adaptive_thresholds(image, len(image))])


def adaptive_thresholds(image, n_rows):
    """Compute the thresholds of `adaptive_threshold` for some rows at a time.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A gray image.
    n_rows : int
        Number of rows at a time.

    Yields
    ------
    first : int
        The first of these rows.
    thresholds : ndarray of shape (n_rows or fewer, width), dtype float64
        The thresholds, in an array that is used again for the next rows.
    """
    k, deviation_range = 0.2, 128.0
    thresholds = np.empty((min(n_rows, len(image)), image.shape[1]))
    first = n_filled = 0
    for mean, mean_square in _window_means(image, n_rows):
        # In place, in arrays that fit into the cache of a processor. Rounding can make the variance of a flat patch
        # slightly negative.
        deviation = mean_square
        deviation -= mean * mean
        np.sqrt(np.maximum(deviation, 0.0, out=deviation), out=deviation)
        deviation /= deviation_range
        deviation -= 1
        deviation *= k
        deviation += 1
        np.multiply(mean, deviation, out=thresholds[n_filled : n_filled + len(mean)])
        n_filled += len(mean)
        if n_filled == len(thresholds) or first + n_filled == len(image):
            yield first, thresholds[:n_filled]
            first, n_filled = first + n_filled, 0


def _window_means(image, n_rows):
    """Yield the mean of the pixels in the windows around them, and that of their squares, for a few rows at a time.

    Equal to the last bit to `scipy.ndimage.uniform_filter(mode="mirror")`, which converts the whole image to float64.
    The sum of a window is that of the row above, plus the row that enters, minus the one that leaves. No group of rows
    extends beyond a multiple of `n_rows`.
    """
    height, width = image.shape
    # "| 1" makes the side odd, so that the window is centered on its pixel.
    window = max(15, min(image.shape) // 4) | 1
    # Rows beyond the edges are mirrored about the center of the edge pixels.
    period = max(1, 2 * (height - 1))
    rows = np.abs(np.arange(-(window // 2) - 1, height + window // 2)) % period
    rows = np.minimum(rows, period - rows)
    # The squares in a column of a window add up to less than 2**31 if it has fewer than 33,000 rows.
    kind = np.int32 if window < 2**15 else np.int64
    totals = [sum(image[row].astype(kind) ** power for row in rows[:window]) for power in (1, 2)]
    for start in range(0, height, n_rows):
        stop, step = min(start + n_rows, height), max(1, _CACHED // width)
        for first in range(start, stop, step):
            last = min(first + step, stop)
            entering, leaving = (image[rows[first + shift : last + shift]].astype(kind) for shift in (window, 0))
            change = entering - leaving
            means = []
            for number, sums in enumerate((change, change * (entering + leaving))):
                sums[0] += totals[number]
                # Three times as fast as numpy.add.accumulate along this axis.
                for above, row in pairwise(sums):
                    row += above
                totals[number] = sums[-1].copy()
                means.append(uniform_filter1d(sums / window, window, axis=1, mode="mirror"))
            yield means
