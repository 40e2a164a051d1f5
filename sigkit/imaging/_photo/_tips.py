"""Find the tips of shadows: unlike strokes, they are not darker than what is on all sides of them."""

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
_MAX_OPEN_OF_EVIDENCE = 0.3
_PAPER, _EVEN = 0.1, 0.75
"""Darkness of paper at most, and the share of its brightness that is left in even light."""


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
    width = stroke_width(mask) or np.inf
    is_blot = (widths > _WIDTH_OF_BLOT * width) & (lengths < _BLOT) & (share < _MAX_SHARE)
    is_speck = (lengths < _SPECK) & (share < _MAX_SHARE_OF_SPECK)
    limits = np.where(is_speck, _MAX_OPEN_OF_SPECK, _MAX_OPEN)
    gone = is_blot & (pieces.sizes >= _MIN_PIXELS)
    gone |= _open_shares(pieces, ~is_blot & (share < _MAX_SHARE), darkness, brightness, ignored) > limits
    return mask & ~gone[pieces.labels]


def doubt_tips(pieces, kept, darkness, brightness, ignored=None):
    """Return where ink may be the dark side of a shadow's edge, or None if there is no shadow.

    It may belong to a signature, but is no evidence of one. `kept` is a boolean for each of the components `pieces`;
    the other arrays are those of `remove_tips`.
    """
    darkness_of_sample, sample = darkness[::4, ::4], brightness[::4, ::4]
    is_paper = darkness_of_sample < _PAPER
    if not is_paper.any():
        return None
    darkest, lightest = np.percentile(sample[is_paper], (2, 98))
    if darkest > _EVEN * lightest:
        return None
    is_open = _open_shares(pieces, kept, darkness, brightness, ignored) > _MAX_OPEN_OF_EVIDENCE
    return is_open[pieces.labels] if is_open.any() else None


def _open_shares(pieces, chosen, darkness, brightness, ignored):
    """Return how much of the surroundings of each chosen component is hardly brighter than itself, from 0 to 1."""
    shares = np.zeros(pieces.n + 1)
    for label in np.flatnonzero(chosen & (pieces.sizes >= _MIN_PIXELS)):
        rows, columns = pieces.boxes[label].reshape(2, 2)
        box = tuple(slice(max(0, start - _FAR - 1), stop + _FAR + 1) for start, stop in (rows, columns))
        piece = pieces.labels[box] == label
        ring = dilate(piece, _FAR) & ~dilate(piece, _NEAR) & (pieces.labels[box] == 0)
        if ignored is not None:
            ring &= ~ignored[box]
        if np.count_nonzero(ring) < _MIN_RING:
            continue
        around = brightness[box].astype(np.float32)
        darkest = ndimage.minimum_filter(np.where(piece, around, 255), 2 * _FAR + 1)
        contrast = 1 / max(1 - np.median(darkness[box][piece]), 0.1) - 1
        shares[label] = np.mean(around[ring] < darkest[ring] * (1 + _CONTRAST * contrast))
    return shares
