"""Find the tips of shadows: unlike strokes, they are not darker than what is on all sides of them."""

import numpy as np
from scipy import ndimage

from sigkit.imaging._photo._blobs import dilate, stroke_width
from sigkit.imaging._photo._components import Pieces

_NEAR, _FAR = 1, 3
_CONTRAST = 0.5
_MAX_OPEN, _MAX_OPEN_OF_EVIDENCE = 0.2, 0.15
_LENGTH_OF_BLOT, _WIDTH_OF_BLOT, _SHARE_OF_BLOT = 10, 1.5, 0.4
"""Most length in its own widths, least width in widths of a stroke, and largest share of the ink."""
_FARTHEST_INSIDE = 6
_MIN_PIXELS, _MIN_RING = 16, 8
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
    is_blot = pieces.widths > _WIDTH_OF_BLOT * (stroke_width(pieces) or np.inf)
    is_blot &= (pieces.lengths < _LENGTH_OF_BLOT) & (pieces.sizes >= _MIN_PIXELS)
    is_blot &= pieces.sizes < _SHARE_OF_BLOT * pieces.sizes.sum()
    gone = is_blot | (_open_shares(pieces, ~is_blot, darkness, brightness, ignored) > _MAX_OPEN)
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
        # The edge of a stroke is brighter than its middle.
        reach = _FAR + int(min(pieces.widths[label] / 2, _FARTHEST_INSIDE))
        darkest = ndimage.minimum_filter(np.where(piece, around, 255), 2 * reach + 1)
        contrast = 1 / max(1 - np.median(darkness[box][piece]), 0.1) - 1
        shares[label] = np.mean(around[ring] < darkest[ring] * (1 + _CONTRAST * contrast))
    return shares
