"""Find scans that are copies of each other: equal files, equal pixels, nearly equal ink."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sigkit.imaging import center_pictures

LEVELS = ("file", "pixels", "near")
"""Equal bytes; equal gray values; nearly equal ink. Each includes those before it."""

_BLOCK = 1024


def group_copies(file_digests, pixel_digests, descriptors, near):
    """Group copies.

    Parameters
    ----------
    file_digests, pixel_digests : list of str
        Digests of each scan, "" where there is none.
    descriptors : ndarray of shape (n_scans, rows, columns), dtype uint8
        Pictures of the ink, zeros where there is none.
    near : float
        Least correlation of the pictures of near copies.

    Returns
    -------
    dict of str to ndarray of shape (n_scans,), dtype int64
        For each of `LEVELS`, the first row of the group to which each row belongs, which is its own row if it has no
        copy.
    """
    first = {"file": _first_equal(file_digests)}
    pixels = _first_equal(pixel_digests)
    first["pixels"] = _join(first["file"], [np.arange(len(pixels))], [pixels])
    distinct = np.flatnonzero((first["pixels"] == np.arange(len(pixels))) & descriptors.any(axis=(1, 2)))
    pairs = _near_pairs(descriptors[distinct], near)
    first["near"] = _join(first["pixels"], *([distinct[rows] for rows in side] for side in pairs))
    return first


def relations(first, writers, forgery):
    """Count scans by what they are copies of.

    Parameters
    ----------
    first : ndarray of shape (n_scans,)
        The first row of the group of each row.
    writers, forgery : ndarray of shape (n_scans,)
        The writer and the forgery kind.

    Returns
    -------
    dict of str to int
        "same": how many could be left out because the same writer and kind has another copy; "kinds" and "writers": how
        many scans are in groups with several kinds of a writer, and with several writers.
    """
    same, kinds, across = 0, 0, 0
    for rows in copy_groups(first):
        cells = {(writers[row], forgery[row]) for row in rows}
        n_writers = len({writer for writer, _ in cells})
        same += len(rows) - len(cells)
        kinds += len(rows) if len(cells) > n_writers else 0
        across += len(rows) if n_writers > 1 else 0
    return {"same": same, "kinds": kinds, "writers": across}


def copy_groups(first):
    """Return the rows of each group of two or more."""
    order = np.argsort(first, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(first[order])) + 1)
    return [rows.tolist() for rows in parts if len(rows) > 1]


def _first_equal(digests):
    """Return the first row with the digest of each row; its own if it has none."""
    seen = {}
    return np.array([seen.setdefault(digest, row) if digest else row for row, digest in enumerate(digests)], dtype=int)


def _near_pairs(pictures, near):
    """Return the two sides of all pairs of pictures whose correlation is at least `near`, in blocks."""
    vectors = center_pictures(pictures)
    sides = [], []
    for start in range(0, len(vectors), _BLOCK):
        # The matrix is symmetric: a block is compared with itself and what follows.
        rows, columns = np.nonzero(vectors[start : start + _BLOCK] @ vectors[start:].T >= near)
        is_pair = rows < columns
        sides[0].append(rows[is_pair] + start)
        sides[1].append(columns[is_pair] + start)
    return sides


def _join(first, left, right):
    """Join groups by pairs of rows, and return the first row of the group of each row."""
    n_rows = len(first)
    ends = np.concatenate([np.arange(n_rows), *left]).astype(int), np.concatenate([first, *right]).astype(int)
    graph = coo_array((np.ones(len(ends[0]), dtype=bool), ends), shape=(n_rows, n_rows))
    _, labels = connected_components(graph, directed=False)
    _, least = np.unique(labels, return_index=True)
    return least[labels]
