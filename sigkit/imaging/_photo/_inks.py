"""Keep the ink of a signature beside print and stamps of another color."""

import numpy as np
from scipy import ndimage

from sigkit.imaging._photo._blobs import dilate
from sigkit.imaging._photo._components import Pieces
from sigkit.imaging._photo._light import percentile

_MIN_SHARE = 0.03
_MIN_PIXELS = 60
_MIN_DISTANCE = 0.25
_MIN_SHADE = 0.4
_MIN_SPREAD = 0.05
_REACH = 5
_MOST_FROM_PRINT = 0.4
_SHARE_OF_LETTER, _MIN_RATIO = 0.2, 2
_SHARE_OF_OVAL = 0.75
_MIN_SHARE_OF_BLUE, _MIN_LENGTH_OF_BLUE = 0.12, 0.25
_MIN_EMPTIER, _LONGEST_STAMP = 0.2, 2.5
_DIRECTIONS_OF_RING, _DIRECTIONS_OF_STAMP, _MIN_SHARE_OF_STAMP = 27, 30, 0.3
"""Of 36, for a ring that a signature has broken, and for a stamp alone; and its share of all ink, at least."""
_MAX_SHARE_INSIDE_RING = 0.1


def remove_other_inks(mask, darkness, unclear=None, printed=None):
    """Keep the ink of one color, where there are two: that of the signature.

    What has the shape of a stamp, a closed figure that is empty inside, is removed. Then blue ink is kept beside
    printed lines of another color, long strokes beside small letters, the color that printed lines do not have, blue
    ink beside print, and otherwise the color with the largest piece.

    Parameters
    ----------
    mask : ndarray of shape (height, width), dtype bool
        The ink.
    darkness : ndarray of shape (3, height, width)
        The darkness in red, green and blue.
    unclear : ndarray of shape (height, width), dtype bool or None
        Where the color is that of a printed line. Ink there is kept if it is next to ink of the signature.
    printed : ndarray of shape (3, n_pixels) or None
        The darkness of pixels of printed lines.

    Returns
    -------
    ndarray of shape (height, width), dtype bool
        The mask of the signature.
    """
    clear = mask if unclear is None else mask & ~unclear
    if np.count_nonzero(clear) < _MIN_PIXELS or not _may_have_two_colors(clear, darkness):
        return mask
    colors, share = _two_colors(clear, darkness)
    print_color = None
    if printed is not None and printed.shape[1] >= _MIN_PIXELS:
        print_color = np.median(_color_of(*printed), axis=0)
    if colors is None or _is_one_ink(colors, print_color):
        return mask
    rows, columns = np.nonzero(clear)
    parts = []
    for is_second in (False, True):
        part = np.zeros_like(mask)
        of_part = share == is_second
        part[rows[of_part], columns[of_part]] = True
        parts.append(part)
    if unclear is not None:
        # Printed lines cut strokes and stamps into pieces, which say little about their shape.
        parts = [part | (mask & unclear & dilate(part, _REACH)) for part in parts]
    chosen = parts[_choose(colors, parts, print_color)]
    # Where the signature crosses print, the color is that of the print.
    return chosen | (mask & ~dilate(~dilate(chosen, 4), 4))


def _may_have_two_colors(mask, darkness):
    """Return False if the colors of single pixels already differ little."""
    red, green, blue = (channel[mask][::4] for channel in darkness)
    points = _color_of(red, green, blue)
    dark = red + green + blue
    return bool((points[dark >= percentile(dark, 25)].std(axis=0) > _MIN_SPREAD).any())


def _color_of(red, green, blue):
    """Return the pairs (red - blue, red + blue - 2 green) of the darkness, relative to the darkest channel."""
    most = np.maximum(np.maximum(np.maximum(red, green), blue), 0.05)
    return np.stack([(red - blue) / most, (red + blue - 2 * green) / (2 * most)], axis=1)


def _two_colors(mask, darkness):
    """Return two colors and which of them each pixel of the ink has, or None if there is only one color."""
    at = np.flatnonzero(mask)
    weight = _sum_around(mask.astype(np.float32))[at]
    points = _color_of(*(_sum_around(channel * mask)[at] / weight for channel in darkness))
    sample = points[:: max(1, len(points) // 4000)]
    # From the two ends of the direction in which the colors differ most.
    centered = sample - sample.mean(axis=0)
    direction = np.linalg.eigh(centered.T @ centered)[1][:, -1]
    along = centered @ direction
    colors = np.stack(
        [sample[along <= percentile(along, 10)].mean(axis=0), sample[along >= percentile(along, 90)].mean(axis=0)]
    )
    is_second, total = np.zeros(len(sample), dtype=bool), sample.sum(axis=0)
    for _ in range(8):
        before, is_second = is_second, _nearer(sample, colors)
        n_second = np.count_nonzero(is_second)
        if not 0 < n_second < len(sample):
            return None, None
        if np.array_equal(is_second, before):
            break
        of_second = is_second @ sample
        colors = np.stack([(total - of_second) / (len(sample) - n_second), of_second / n_second])
    spread = np.sqrt(np.mean(((sample - colors[is_second.astype(int)]) @ direction) ** 2))
    distance = np.linalg.norm(colors[1] - colors[0])
    rare = min(is_second.mean(), 1 - is_second.mean())
    if distance < max(_MIN_DISTANCE, 3 * spread) or rare < _MIN_SHARE:
        return None, None
    return colors, _nearer(points, colors)


def _is_one_ink(colors, print_color):
    """Return whether one color is a paler shade of the other, and not that of the print."""
    paler, purer = colors[np.argsort(np.linalg.norm(colors, axis=1))]
    share = paler @ purer / max(purer @ purer, 1e-6)
    if share < _MIN_SHADE or np.linalg.norm(paler - share * purer) > 0.5 * _MIN_DISTANCE:
        return False
    return print_color is None or np.linalg.norm(paler - print_color) > 0.5 * np.linalg.norm(purer - print_color)


def _sum_around(values):
    """Return the sum of the square of 5 x 5 pixels around each pixel, as a vector."""
    height, width = values.shape
    framed = np.zeros((height + 4, width + 4), dtype=np.float32)
    framed[2:-2, 2:-2] = values
    values = framed
    for _ in range(2):
        pairs = values[1:] + values[:-1]
        values = (pairs[2:-1] + pairs[:-3] + values[4:]).T
    return values.ravel()


def _nearer(points, colors):
    """Return whether points are nearer to the second of two colors."""
    return points @ (colors[1] - colors[0]) > 0.5 * ((colors[1] ** 2).sum() - (colors[0] ** 2).sum())


def _choose(colors, parts, print_color):
    """Return the index of the color of the signature."""
    lengths, emptiness, shares = zip(*(_largest(part) for part in parts))
    signature, stamp = np.argsort(emptiness)
    if emptiness[stamp] - emptiness[signature] > _MIN_EMPTIER and lengths[stamp] < _LONGEST_STAMP * lengths[signature]:
        return int(signature)
    # Blue ink is dark in red, and bright in blue; print is gray, and the ink of stamps often violet, dark in green.
    is_blue = (colors[:, 0] > 0.2) & (colors[:, 1] > -0.3)
    blue, has_one_blue = int(is_blue[1]), is_blue[0] != is_blue[1]
    own = None
    if print_color is not None:
        distances = np.linalg.norm(colors - print_color, axis=1)
        farther = int(distances.argmax())
        # What is left of the lines has their color; small pieces of another color are those of a shadow or a stamp.
        is_seen = lengths[farther] > 0.4 * lengths[1 - farther] and not _is_little(parts[farther], parts[1 - farther])
        if is_seen and distances.min() < min(0.5 * distances.max(), _MOST_FROM_PRINT):
            own = farther
    if own is not None and has_one_blue and own == blue:
        return own
    script, letters = np.argsort(shares)[::-1]
    is_seen = lengths[script] > 0.4 * lengths[letters]
    if is_seen and shares[letters] < min(_SHARE_OF_LETTER, shares[script] / _MIN_RATIO):
        return int(script)
    if own is not None and np.count_nonzero(parts[own]) > np.count_nonzero(parts[1 - own]):
        return own
    # What is left of blue rules is little.
    is_small = lengths[blue] < _MIN_LENGTH_OF_BLUE * lengths[1 - blue] or _is_little(parts[blue], parts[1 - blue])
    return blue if has_one_blue and not is_small else int(np.argmax(lengths))


def _is_little(part, other):
    return np.count_nonzero(part) < _MIN_SHARE_OF_BLUE * np.count_nonzero(other)


def _largest(part):
    """Describe the largest piece inside the image.

    Returns
    -------
    length : float
        Its diagonal.
    emptiness : float
        The empty share of what it encloses, if it is round or a rectangle, and closed, like a stamp; else 0.
    share : float
        The share of ink in the largest of all pieces: a letter of print is a small one.
    """
    letters = Pieces(dilate(part, 1)).sizes
    share = letters.max() / max(1, letters.sum())
    pieces = Pieces(dilate(part, 3))
    sizes = np.where(pieces.is_at_border(), 0, pieces.sizes)
    if not sizes.any():
        return 0.0, 0.0, share
    label = int(np.argmax(sizes))
    top, bottom, left, right = pieces.boxes[label]
    piece = pieces.labels[top:bottom, left:right] == label
    length = float(np.hypot(bottom - top, right - left))
    if _is_ring(piece):
        return length, 1.0, share
    filled = ndimage.binary_fill_holes(piece)
    is_round = filled.mean() > 0.65 and 0.4 < (bottom - top) / (right - left) < 2.5
    if not is_round and filled.mean() < _SHARE_OF_OVAL:
        return length, 0.0, share
    # A stamp is empty inside; a small letter is filled by its own strokes.
    return length, 1 - np.count_nonzero(piece) / np.count_nonzero(filled), share


def share_of_stamp(pieces, kept):
    """Return the share of the ink that is in one closed and empty ring or oval, as that of a stamp; 0 without one.

    There is none in the 705 scans of CEDAR, BHSig260 and SigComp2011 that were looked at.
    """
    label = int(np.argmax(np.where(kept, pieces.sizes, 0)))
    share = pieces.sizes[label] / pieces.sizes[kept].sum()
    top, bottom, left, right = pieces.boxes[label]
    piece = pieces.labels[top:bottom, left:right] == label
    is_stamp = share >= _MIN_SHARE_OF_STAMP and _is_ring(piece, _LONGEST_STAMP, _DIRECTIONS_OF_STAMP)
    return float(share) if is_stamp else 0.0


def _is_ring(piece, longest=1.25, n_directions=_DIRECTIONS_OF_RING):
    """Return whether most of the circle within the box of a piece is ink: a stamp that a signature has broken."""
    height, width = piece.shape
    if not 1 / longest < height / width < longest:
        return False
    rows, columns = np.nonzero(piece)
    y, x = (2 * rows + 1) / height - 1, (2 * columns + 1) / width - 1
    radius = np.hypot(y, x)
    if np.mean(radius < 0.55) > _MAX_SHARE_INSIDE_RING:
        return False
    is_outer = np.abs(radius - 0.93) < 0.1
    directions = (18 * (np.arctan2(y[is_outer], x[is_outer]) / np.pi + 1)).astype(int) % 36
    return np.count_nonzero(np.bincount(directions, minlength=36)) >= n_directions
