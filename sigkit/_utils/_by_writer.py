"""Rows of signatures, grouped by writer."""

import numpy as np


def by_writer(rows, writers):
    """Group rows by their writer.

    Parameters
    ----------
    rows : ndarray of int
        Rows of the signatures to group.
    writers : ndarray of shape (n_signatures,)
        The writer of every signature, whether its row is among `rows` or not.

    Returns
    -------
    dict of writer id to ndarray of int
        The rows of each writer: writers sorted, rows in the given order.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import by_writer
    >>> by_writer(np.array([0, 2, 3]), np.array(["eve", "eve", "ada", "eve"]))
    {'ada': array([2]), 'eve': array([0, 3])}
    """
    known, which, counts = np.unique(writers[rows], return_inverse=True, return_counts=True)
    parts = np.split(rows[np.argsort(which, kind="stable")], np.cumsum(counts)[:-1])
    return dict(zip(known.tolist(), parts))
