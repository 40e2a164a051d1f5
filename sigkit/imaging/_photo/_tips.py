"""Remove the tips of shadows: unlike strokes, they are not darker than what is on all sides of them."""

import numpy as np
from scipy import ndimage

from sigkit.imaging._photo._blobs import dilate, stroke_width
from sigkit.imaging._photo._components import Pieces

_NEAR, _FAR = 1, 3
_CONTRAST = 0.4
_MAX_OPEN, _MAX_OPEN_OF_SPECK = 0.45, 0.25
_MAX_SHARE, _MAX_SHARE_OF_SPECK = 0.4, 0.1
_SPECK, _BLOT = 8, 10
"""Length in widths of what is as round as a speck, and at most of what is a blot if it is much wider than strokes."""
_WIDTH_OF_BLOT = 1.5
_MIN_PIXELS, _MIN_RING = 16, 8


def remove_tips(mask, darkness, brightness, ignored=None):
    """Remove pieces of ink that continue as the dark side of a shadow's edge.

    The paper within a wide shadow is known to be paper, but its corners and edges are as narrow as strokes.

    Parameters
    ----------
    mask : ndarray of shape (height, width), dtype bool
        The ink.
    darkness : ndarray of shape (height, width)
        How much darker than the paper each pixel is.
    brightness : ndarray of shape (height, width), dtype uint8
        The photograph.
    ignored : ndarray of shape (height, width), dtype bool or None
        Where printed lines were; they are no evidence of a shadow.

    Returns
    -------
    ndarray of shape (height, width), dtype bool
        The mask without them.
    """
    pieces = Pieces(mask)
    share = pieces.sizes / max(1, pieces.sizes.sum())
    widths = pieces.widths()
    lengths = pieces.sizes / np.maximum(widths, 1) ** 2
    is_blot = (widths > _WIDTH_OF_BLOT * stroke_width(mask)) & (lengths < _BLOT) & (share < _MAX_SHARE)
    is_speck = (lengths < _SPECK) & (share < _MAX_SHARE_OF_SPECK)
    limits = np.where(is_speck, _MAX_OPEN_OF_SPECK, _MAX_OPEN)
    gone = is_blot & (pieces.sizes >= _MIN_PIXELS)
    for label in np.flatnonzero((pieces.sizes >= _MIN_PIXELS) & (share < _MAX_SHARE) & ~is_blot):
        gone[label] = _open_share(pieces, label, mask, darkness, brightness, ignored) > limits[label]
    return mask & ~gone[pieces.labels]


def _open_share(pieces, label, mask, darkness, brightness, ignored):
    """Return how much of the surroundings of a piece is hardly brighter than the piece itself, from 0 to 1."""
    box = tuple(slice(max(0, start - _FAR - 1), stop + _FAR + 1) for start, stop in pieces.boxes[label].reshape(2, 2))
    piece = pieces.labels[box] == label
    ring = dilate(piece, _FAR) & ~dilate(piece, _NEAR) & ~mask[box]
    if ignored is not None:
        ring &= ~ignored[box]
    if np.count_nonzero(ring) < _MIN_RING:
        return 0.0
    around = brightness[box].astype(np.float32)
    darkest = ndimage.minimum_filter(np.where(piece, around, 255), 2 * _FAR + 1)
    contrast = 1 / max(1 - np.median(darkness[box][piece]), 0.1) - 1
    return np.mean(around[ring] < darkest[ring] * (1 + _CONTRAST * contrast))
