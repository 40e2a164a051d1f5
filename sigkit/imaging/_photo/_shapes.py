"""Shapes of things that are dark, as ink is, and unlike handwriting: rings, codes, frames, hairs and clips."""

import numpy as np
from PIL import Image, ImageFilter

from sigkit.imaging._error import ImageError
from sigkit.imaging._photo._label import find_runs

_MAX_RESIDUAL, _RESIDUAL_SHARE, _N_DIRECTIONS, _MIN_CLOSED = 0.03, 0.85, 36, 0.95
"""A ring: the outline is an ellipse but for this share of its radius, at most points; it is seen in most directions."""
_N_POINTS = 50
"""Rows and columns, or up to twice as many, at the ends of which the outline is seen."""
_RIM, _MIN_ON_RIM = 0.9, 0.85
"""Radius from which ink is on the rim of a ring, and the share of the ink there if nothing is inside."""

_SIDE = 128
"""Longer side of the image whose edges are compared, in pixels; turns are counted in half of it."""

_DARK_EDGE, _TOLERANCE = 0.25, 8
"""Strength of an edge at least, relative to the strongest, and its deviation from a direction in degrees."""
_STRAIGHT, _STRAIGHT_IF_THICK, _THICK = 0.64, 0.55, 0.02
"""Share of the edges in two directions at a right angle that handwriting does not reach; less, if strokes are thick."""
_ONLY_STRAIGHT, _MAX_TURNS_OF_LINES = 0.75, 16
"""Share of the edges in two directions, and most turns, of a frame or the like."""

_SEEN = 10
"""Gray value from which there is ink where turns are counted."""
_MIN_TURNS, _TURNS_IF_THICK, _TURNS_OF_BOLD = 14, 600, 40
"""Least turns of handwriting: a number, one for strokes as thick as the ink is large, and one for all bold strokes."""


def check_shape(mask, darkness):
    """Look whether ink has a shape that handwriting does not have.

    Parameters
    ----------
    mask : ndarray of shape (height, width), dtype bool
        The ink.
    darkness : ndarray of shape (height, width)
        How dark the ink is, from 0 to 1.

    Returns
    -------
    str
        The shape, in words, if it may be that of something else; empty if it is that of handwriting.

    Raises
    ------
    ImageError
        If it is certain that there is no signature.
    """
    inner = tuple(slice(at[0], at[-1] + 1) for at in (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)))
    mask, darkness = mask[inner], darkness[inner]
    on_rim = _share_on_rim(mask)
    if on_rim >= _MIN_ON_RIM:
        raise ImageError("no signature: the ink is a ring. Leave it out, or take it again.")
    if on_rim:
        return "all ink is within a ring, as that of a stamp"
    image = Image.fromarray((255 * darkness).astype(np.uint8))
    factor = max(image.size) / _SIDE
    if factor > 1:
        image = image.resize([max(4, round(side / factor)) for side in image.size], Image.Resampling.BOX, None, 1.0)
    straight, turns = _straightness(np.asarray(image)), _count_turns(np.asarray(image.reduce(2)))
    # Few inks have either.
    thickness = _thickness(mask) if straight >= _STRAIGHT_IF_THICK or turns < _TURNS_OF_BOLD else 0.0
    if straight >= _ONLY_STRAIGHT and turns <= _MAX_TURNS_OF_LINES:
        raise ImageError("no signature: the ink is only straight lines. Leave it out, or take it again.")
    if straight >= (_STRAIGHT_IF_THICK if thickness > _THICK else _STRAIGHT):
        return f"{straight:.0%} of its edges are in two directions, as those of bars, a code or a clip"
    if turns < max(_MIN_TURNS, _TURNS_IF_THICK * thickness):
        return f"it turns and ends only {turns} times, as a hair, a clip or a fold"
    return ""


def _share_on_rim(mask):
    """Return the share of the ink that is on the rim of a closed ring around all ink, 0 if there is none."""
    height, width = mask.shape
    rows, columns = (np.arange(0, side, max(1, side // _N_POINTS)) for side in mask.shape)
    # The first and the last pixels of rows and of columns.
    across, down = mask[rows], mask[:, columns]
    x = np.concatenate([across.argmax(axis=1), width - 1 - across[:, ::-1].argmax(axis=1), columns, columns])
    y = np.concatenate([rows, rows, down.argmax(axis=0), height - 1 - down[::-1].argmax(axis=0)])
    if not mask[y, x].all():
        return 0.0
    x, y = 2 * (x + 0.5) / width - 1, 2 * (y + 0.5) / height - 1
    terms = _terms(x, y)
    # The least squares of single points of a line are not unique.
    conic = np.linalg.solve(terms.T @ terms + 1e-6 * np.eye(terms.shape[1]), terms.sum(axis=0))
    radius = np.sqrt(np.maximum(terms @ conic, 0))
    if np.mean(np.abs(radius - 1) < _MAX_RESIDUAL) < _RESIDUAL_SHARE:
        return 0.0
    directions = ((np.arctan2(y, x) / np.pi + 1) * _N_DIRECTIONS / 2).astype(int) % _N_DIRECTIONS
    if np.count_nonzero(np.bincount(directions)) < _MIN_CLOSED * _N_DIRECTIONS:
        return 0.0
    y, x = np.nonzero(mask)
    x, y = 2 * (x + 0.5) / width - 1, 2 * (y + 0.5) / height - 1
    return np.mean(_terms(x, y) @ conic > _RIM**2)


def _terms(x, y):
    return np.stack([x * x, x * y, y * y, x, y], axis=1)


def _straightness(image):
    """Return the largest share of the edges of the ink that is in two directions at a right angle."""
    values = np.pad(image, 2).astype(np.float32)
    smooth = values[2:] + 2 * values[1:-1] + values[:-2]
    across = (smooth[:, 2:] - smooth[:, :-2]).ravel()
    smooth = values[:, 2:] + 2 * values[:, 1:-1] + values[:, :-2]
    down = (smooth[2:] - smooth[:-2]).ravel()
    strength = across * across + down * down
    at = np.flatnonzero(strength > _DARK_EDGE**2 * strength.max())
    angles = (np.arctan2(down[at], across[at]) * (180 / np.pi) + 180).astype(int) % 90
    counts = np.bincount(angles, np.sqrt(strength[at]), minlength=90)
    reach = np.cumsum(np.concatenate([[0], counts[-_TOLERANCE:], counts, counts[:_TOLERANCE]]))
    return (reach[2 * _TOLERANCE + 1 :] - reach[: -2 * _TOLERANCE - 1]).max() / counts.sum()


def _count_turns(image):
    """Return the number of places where strokes end, turn, fork or meet, seen along rows and along columns."""
    seen = np.asarray(Image.fromarray(np.pad(image, 3)).filter(ImageFilter.BoxBlur(1))) >= _SEEN
    height, width = seen.shape
    # Both at once take little more time than one.
    both = np.zeros((height + width, max(seen.shape)), dtype=bool)
    both[:height, :width], both[height:, :height] = seen, seen.T
    rows, _, _, above, below = find_runs(both)
    return int(sum(np.abs(np.bincount(runs, minlength=len(rows)) - 1).sum() for runs in (above, below)))


def _thickness(mask):
    """Return the mean width of strokes, see `Pieces.widths`, relative to the longer side of the ink."""
    framed = np.pad(mask, 1)
    edges = sum(np.count_nonzero(np.diff(framed, axis=axis)) for axis in (0, 1))
    return 2.55 * np.count_nonzero(mask) / edges / max(mask.shape)
