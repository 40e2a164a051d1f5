"""Thinning of ink to lines that are one pixel wide."""

import numpy as np

_NEIGHBORS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Offsets (row, column) of the neighbors, clockwise from above: bit k of a code is the k-th of them."""

_BATCH = 32


def thin_ink(ink):
    """Thin ink to lines that are one pixel wide, by the parallel algorithm of Zhang and Suen [1]_.

    Afterwards the corners of stairs are removed, so that neighbors on a line touch at a side or at a corner, not both.
    All images are thinned at once, and only at the pixels that still have ink. An image is thinned in the same way
    whatever the others are.

    Parameters
    ----------
    ink : array-like of shape (n_images, height, width), dtype bool
        True where there is ink.

    Returns
    -------
    ndarray of shape (n_images, height, width), dtype bool
        True where ink remains. A connected blot keeps at least one pixel, except a square of 2 x 2 pixels, of which the
        algorithm leaves nothing.

    Raises
    ------
    ValueError
        If `ink` has another number of axes.

    References
    ----------
    .. [1] Zhang, T. Y., and Suen, C. Y. (1984). A fast parallel algorithm for thinning digital patterns.
       Communications of the ACM, 27(3), 236-239.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.imaging import thin_ink
    >>> bar = np.zeros((1, 5, 9), dtype=bool)
    >>> bar[0, 1:4, 1:8] = True
    >>> thin_ink(bar)[0].astype(int)
    array([[0, 0, 0, 0, 0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0, 0, 0, 0, 0],
           [0, 0, 1, 1, 1, 1, 0, 0, 0],
           [0, 0, 0, 0, 0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0, 0, 0, 0, 0]])
    """
    ink = np.asarray(ink, dtype=bool)
    if ink.ndim != 3:
        raise ValueError(f"ink must have the shape (n_images, height, width), found {ink.shape}.")
    thinned = np.empty_like(ink)
    # In parts, so that the pixels fit into the processor's cache.
    for first in range(0, len(ink), _BATCH):
        thinned[first : first + _BATCH] = _thin(ink[first : first + _BATCH])
    return thinned


def _removable():
    """Return two tables by the code of the eight neighbors: whether the pixel is removed in each half of a pass."""
    bits = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(bool)
    count = bits.sum(axis=1)
    n_changes = (~bits & np.roll(bits, -1, axis=1)).sum(axis=1)
    is_border = (count >= 2) & (count <= 6) & (n_changes == 1)
    above, right, below, left = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    return (
        is_border & ~(above & right & below) & ~(right & below & left),
        is_border & ~(above & right & left) & ~(above & below & left),
    )


def _corners():
    """Return a table for each orientation of a stair: whether the pixel is its corner."""
    bits = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(bool)
    turned = [np.roll(bits, -first, axis=1) for first in (0, 2, 4, 6)]
    # A side and the next one have ink, and nothing opposite depends on the pixel.
    return tuple(side[:, 0] & side[:, 2] & ~side[:, 4] & ~side[:, 5] & ~side[:, 6] for side in turned)


_TABLES, _CORNERS = _removable(), _corners()


def _thin(ink):
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    pixels, stride = padded.reshape(-1), padded.shape[2]
    offsets = [down * stride + right for down, right in _NEIGHBORS]
    rows = np.flatnonzero(pixels)

    def without(rows, table):
        codes = np.zeros(len(rows), dtype=np.uint8)
        for bit, offset in enumerate(offsets):
            codes |= pixels.take(rows + offset) << bit
        removed = table.take(codes)
        pixels[rows[removed]] = 0
        return rows[~removed]

    n_before = len(rows) + 1
    while len(rows) < n_before:
        n_before = len(rows)
        for table in _TABLES:
            rows = without(rows, table)
    for table in _CORNERS:
        rows = without(rows, table)
    return padded[:, 1:-1, 1:-1].astype(bool)
