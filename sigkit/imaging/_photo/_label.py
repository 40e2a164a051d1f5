"""Number the connected components of a mask by its runs, several times faster than pixel by pixel."""

import numpy as np


def label_runs(mask):
    """Return the runs of a mask and the number of the connected component of each, from 1.

    Pixels that touch at a corner are connected. Components are numbered in the order of their first pixels.

    Parameters
    ----------
    mask : ndarray of shape (height, width), dtype bool
        The mask.

    Returns
    -------
    rows, starts, stops, labels : ndarray of shape (n_runs,)
        The row of each run, its first column, the column after its last one, and the number of its component.
    """
    rows, starts, stops, above, below = find_runs(mask)
    root = first_connected(len(starts), above, below)
    numbers = np.cumsum(root == np.arange(len(root)))
    return rows, starts, stops, numbers[root]


def find_runs(mask):
    """Return the row, the first column and the column after the last one of each run, and which runs touch.

    The pairs of runs that touch, also at a corner, are two arrays: the one above and the one below.
    """
    height, width = mask.shape
    # A column of paper separates the rows: a run never continues in the next row.
    step = width + 1
    framed = np.zeros(height * step + 1, dtype=bool)
    framed[:-1].reshape(height, step)[:, 1:] = mask
    changes = np.flatnonzero(framed[1:] != framed[:-1]) + 1
    starts, stops = changes[::2], changes[1::2]
    first = np.searchsorted(stops, starts + step)
    n_below = np.searchsorted(starts, stops + step, side="right") - first
    above = np.repeat(np.arange(len(starts)), n_below)
    below = np.arange(len(above)) + np.repeat(first - np.cumsum(n_below) + n_below, n_below)
    rows = starts // step
    return rows, starts - rows * step - 1, stops - rows * step - 1, above, below


def first_connected(n, one, other):
    """Return the first of the elements that each of n elements is connected with, given pairs of neighbors."""
    root = np.arange(n)
    while True:
        first, second = root[one], root[other]
        is_open = first != second
        if not is_open.any():
            return root
        # At least half of the groups that have neighbors join one in each round.
        one, other, first, second = one[is_open], other[is_open], first[is_open], second[is_open]
        lower = np.minimum(first, second)
        np.minimum.at(root, first, lower)
        np.minimum.at(root, second, lower)
        while not np.array_equal(root, further := root[root]):
            root = further
