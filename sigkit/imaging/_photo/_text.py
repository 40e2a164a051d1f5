"""Find lines of printed letters in the ink: unlike written ones they have the same bottom, and few tops."""

import numpy as np

from sigkit.imaging._photo._slopes import bin_across

_MIN_LETTERS, _MIN_LETTERS_OF_NEXT = 6, 4
_MIN_HEIGHT, _TOLERANCE = 8, 0.03
"""Height of a letter in pixels, and the deviation of its top and bottom relative to the height of the highest."""
_MIN_LENGTH = 3
"""Length of a line in heights of its highest letter."""
_BIN, _N_SLOPES, _MAX_PIECES = 2, 8, 100
"""Pixels in which bottoms are counted, the slopes that are looked at closely, and the largest number of letters."""
_SLOPES = np.tan(np.deg2rad(np.arange(-12, 12.2, 0.25)))[:, np.newaxis]


def share_of_text(boxes, sizes):
    """Return the share of the ink that is printed letters, bars or the like, all of the same height.

    Parameters
    ----------
    boxes : ndarray of shape (n_pieces, 4)
        Top, bottom, left and right of each connected piece of the ink; the largest are looked at.
    sizes : ndarray of shape (n_pieces,)
        The number of its pixels.

    Returns
    -------
    float
        The share, 0 if there is no line of at least six such pieces.
    """
    is_text, least = np.zeros(len(boxes), dtype=bool), _MIN_LETTERS
    is_rest = boxes[:, 1] - boxes[:, 0] >= _MIN_HEIGHT
    is_rest[np.argsort(-sizes, kind="stable")[_MAX_PIECES:]] = False
    while np.count_nonzero(is_rest) >= least:
        rest = np.flatnonzero(is_rest)
        line = rest[_find_line(boxes[rest].astype(np.float64))]
        if len(line) < least or not _is_long(boxes[line]):
            break
        is_text[line], is_rest[line], least = True, False, _MIN_LETTERS_OF_NEXT
    return sizes[is_text].sum() / sizes.sum()


def _find_line(boxes):
    """Return which boxes have the same bottom and a top like another, along a line of any slope, for most of them."""
    heights, shifts = boxes[:, 1] - boxes[:, 0], _SLOPES * boxes[:, 2:].mean(axis=1)
    # The slopes by which the most bottoms are in two neighboring bins.
    _, counts = bin_across(boxes[:, 1] - shifts, _BIN)
    order = np.argsort(-counts.max(axis=1), kind="stable")
    # The line stands on one of the boxes, which is the highest of it or nearly.
    tolerances = np.maximum(1.0, _TOLERANCE * heights)[:, np.newaxis]
    best = np.zeros(len(boxes), dtype=bool)
    for shift in shifts[order[:_N_SLOPES]]:
        bottoms, tops = boxes[:, 1] - shift, boxes[:, 0] - shift
        on_line = np.abs(bottoms - bottoms[:, np.newaxis]) <= tolerances
        on_line &= heights <= heights[:, np.newaxis] + tolerances
        number = on_line.sum(axis=1).argmax()
        near = np.abs(tops - tops[:, np.newaxis]) <= tolerances[number]
        found = on_line[number] & ((near & on_line[number]).sum(axis=1) > 1)
        if found.sum() > best.sum():
            best = found
    return best


def _is_long(boxes):
    return np.ptp(boxes[:, 2:]) >= _MIN_LENGTH * (boxes[:, 1] - boxes[:, 0]).max()
