"""Find lines of any slope by counting what lies in bins across it."""

import numpy as np


def bin_across(offsets, width, counted=slice(None)):
    """Divide offsets from lines of several slopes into bins, and count those in each two neighboring bins.

    Parameters
    ----------
    offsets : ndarray of shape (n_slopes, n_points)
        The distance of each point from a line through the origin, for each slope.
    width : float
        The width of a bin.
    counted : slice or ndarray of shape (n_points,), dtype bool
        The points that are counted.

    Returns
    -------
    bins : ndarray of shape (n_slopes, n_points), dtype int
        The bin of each point, from 0.
    counts : ndarray of shape (n_slopes, n_bins)
        The number of points in each bin and the next one.
    """
    bins = (offsets // width).astype(int)
    bins -= bins.min()
    n_bins = bins.max() + 2
    keys = bins[:, counted] + n_bins * np.arange(len(bins))[:, np.newaxis]
    counts = np.bincount(keys.ravel(), minlength=n_bins * len(bins)).reshape(len(bins), n_bins)
    return bins, counts[:, :-1] + counts[:, 1:]
