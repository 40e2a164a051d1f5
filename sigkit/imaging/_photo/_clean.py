"""Turn a photograph of a signature, or the scan of a form, into what a clean scan of it at 300 dpi would be."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from sigkit.imaging._error import ImageError
from sigkit.imaging._photo._blobs import dilate, find_blobs, may_have_blobs, stroke_width
from sigkit.imaging._photo._components import Pieces, check_is_signature, group
from sigkit.imaging._photo._inks import remove_other_inks, share_of_stamp
from sigkit.imaging._photo._light import find_darkness, percentile
from sigkit.imaging._photo._rules import Rules
from sigkit.imaging._photo._shapes import check_shape
from sigkit.imaging._photo._size import measure_spread, to_usual_size
from sigkit.imaging._photo._table import NO_SHEET, find_table, share_beside_sheet
from sigkit.imaging._photo._text import share_of_text
from sigkit.imaging._photo._tips import doubt_tips, remove_tips

_MIN_PIXELS, _MAX_PIXELS = 225_000, 300_000
_WINDOW = 48
"""Side in pixels of the squares that are too wide for a stroke."""
_MIN_WINDOW = 12
_SMALL_SPREAD = 80
_MIN_INK = 20
_HALO = 17
_MIN_SHADOW, _AROUND_SHADOW = 2, 7
_NOISY = 0.02
_PALEST_INK = 0.18
_BRIGHTER = 0.08
"""How much brighter than most of the image a tenth of it is at least, where there is no paper."""
_LEAST_SHARES = {"print": 0.4, "stamp": 0.01, "table": 0.1}
"""Share of the ink from which it is doubted, by the kind of problem."""
_OF_LINES = frozenset({"shape", "table"})
"""The kinds of problems that the remains of printed lines have."""
_MAX_GAP = 4
"""Pixels between the border of an image and what is at the border."""
_OWN = 0.3
"""Darkness of the palest ink of a signature, relative to its own level, without print and shadows."""


class _Ink(NamedTuple):
    """Ink of a signature within `box` of an image of this shape, how dark it is from 0 to 1; and the sheet's axes."""

    mask: np.ndarray
    darkness: np.ndarray
    box: tuple[slice, slice]
    shape: tuple[int, int]
    axes: np.ndarray | None
    share_of_text: float
    share_of_stamp: float
    share_beside_sheet: float = 0.0


def clean_photograph(image):
    """Clean a photograph: what is left is the ink of the signature, at the size of a usual signature at 300 dpi.

    Parameters
    ----------
    image : ndarray of shape (height, width) or (height, width, 3), dtype uint8
        A photograph or a scan, in gray or in red, green and blue.

    Returns
    -------
    scan : ndarray of shape (new_height, new_width), dtype uint8
        A scan: paper is 255 and ink is dark.
    doubts : dict of str to str
        Why the ink may be no signature, by the kind of the problem: a share of it may be printed letters ("print"),
        in a ring, as that of a stamp ("stamp"), or beside the sheet ("table"), or its shape is that of something else
        ("shape").

    Raises
    ------
    ImageError
        If there is no signature.
    """
    ink, _, shape = _find_signature(image)
    shares = {"print": ink.share_of_text, "stamp": ink.share_of_stamp, "table": ink.share_beside_sheet}
    doubts = {kind: f"{share:.0%} of the ink" for kind, share in shares.items() if share >= _LEAST_SHARES[kind]}
    if shape:
        doubts["shape"] = shape
    if ink.axes is not None and not _OF_LINES.isdisjoint(doubts) and _is_at_border(ink):
        raise ImageError("no signature: beside printed lines there seem to be only remains of them or of a shadow.")
    return to_usual_size(ink.darkness, ink.mask, ink.axes), doubts


def _is_at_border(ink):
    """Return whether the box of the ink reaches the border of the image, as printed lines do."""
    return any(side.start <= _MAX_GAP or side.stop >= length - _MAX_GAP for side, length in zip(ink.box, ink.shape))


def locate_signature(image):
    """Return a mask of the pixels of an image that `clean_photograph` takes for the ink of the signature.

    Parameters
    ----------
    image : ndarray of shape (height, width) or (height, width, 3), dtype uint8
        A photograph or a scan, in gray or in red, green and blue.

    Returns
    -------
    ndarray of shape (height, width), dtype bool
        The mask.
    """
    ink, part, _ = _find_signature(image)
    found = np.zeros(ink.shape, dtype=bool)
    found[ink.box] = ink.mask
    height, width = (side.stop - side.start for side in part)
    factors = _factors(height, width)
    inside = (0, 0, width / factors[1], height / factors[0])
    mask = np.zeros(image.shape[:2], dtype=bool)
    mask[part] = Image.fromarray(found).resize((width, height), Image.Resampling.NEAREST, inside)
    return mask


def _find_signature(image):
    """Return the ink of the signature, the slices of the part of the image in which it was found, and doubts."""
    ink, part = _find_ink(_reduce(image)), tuple(slice(0, side) for side in image.shape[:2])
    if min(_factors(*image.shape[:2])) > 1.2 and measure_spread(ink.mask) < _SMALL_SPREAD:
        # The signature is a small part of a large photograph: look at this part at a higher resolution.
        part = _part_around(image, ink)
        ink = _find_ink(_reduce(np.ascontiguousarray(image[part])))
    return ink, part, check_shape(ink.mask, ink.darkness)


def _factors(height, width):
    """Return the factors by which the height and the width of an image are reduced to at most 0.3 million pixels."""
    factor = max(1.0, np.sqrt(height * width / _MAX_PIXELS))
    whole = int(np.ceil(factor))
    # By whole numbers, images are reduced several times faster.
    if height * width >= _MIN_PIXELS * whole**2 or whole == 1:
        return whole, whole
    return tuple(side / max(8, round(side / factor / 4) * 4) for side in (height, width))


def _reduce(image):
    """Return the channels of a reduced image, padded to whole cells; one if it is gray."""
    height, width = image.shape[:2]
    reduced, factors = Image.fromarray(image), _factors(height, width)
    if isinstance(factors[0], int):
        reduced = reduced.reduce(factors[0])
    else:
        reduced = reduced.resize((round(width / factors[1]), round(height / factors[0])), Image.Resampling.BOX)
    channels = [np.asarray(channel) for channel in reduced.split()]
    if all(np.array_equal(channels[0], channel) for channel in channels[1:]):
        channels = channels[:1]
    pads = [(0, -side % 4) for side in channels[0].shape]
    return [np.pad(channel, pads, mode="edge") for channel in channels]


def _part_around(image, ink):
    """Return the slices of the part of an image around the ink of its reduced copy."""
    parts = []
    for side, reduced_side, part in zip(image.shape, ink.shape, ink.box):
        margin = 0.4 * (part.stop - part.start) + 24
        scale = side / reduced_side
        parts.append(slice(int(max(0, part.start - margin) * scale), min(side, int((part.stop + margin) * scale) + 1)))
    return tuple(parts)


def _find_ink(channels):
    table, doubtful = find_table(channels)
    if table is not None:
        channels = [np.where(table, percentile(channel[~table], 50), channel) for channel in channels]
    by_channel = find_darkness(channels, _WINDOW)
    darkness, noise = _combine(by_channel)
    if noise > _NOISY:
        channels = _smooth(channels, noise)
        by_channel = find_darkness(channels, _WINDOW)
        darkness, noise = _combine(by_channel)
    threshold = _lowest_ink(darkness, noise)
    every_ink = darkness > threshold
    blobs = _find_shadows(every_ink, darkness, noise)
    if blobs is not None:
        # Black edges and shadows do not tell how dark the strokes are.
        threshold = _lowest_ink(darkness[~blobs], noise)
        narrow = _find_narrow_darkness(channels, stroke_width(Pieces((darkness > threshold) & ~blobs)))
        by_channel = np.where(blobs, narrow, by_channel)
        darkness, noise = _combine(by_channel)
        threshold = _lowest_ink(darkness, noise)
        gone = every_ink & (darkness <= threshold)
        every_ink = darkness > threshold
        core = ~dilate(~gone, _MIN_SHADOW)
        blobs = dilate(core, _AROUND_SHADOW) if core.any() else None
    mask = every_ink.copy()
    rules = Rules(mask, darkness, blobs)
    rules.remove_printed(mask)
    # Short lines can be strokes.
    printed = None if rules.axes is None else every_ink & ~mask
    if rules.where is not None:
        # The signature may be much paler than the print that was removed.
        own_threshold = _lowest_ink(darkness[mask], noise, _OWN)
        if own_threshold < threshold:
            mask |= (darkness > own_threshold) & ~rules.where
            threshold = own_threshold
    if len(channels) > 1:
        box = _box(mask)
        # Around dark strokes, the compression of the image spoils the color of the paper.
        near = ndimage.maximum_filter(darkness[box] * mask[box], _HALO) if mask.any() else darkness[box]
        unsure = mask[box] & (darkness[box] <= np.maximum(1.3 * threshold, 0.4 * near))
        unclear = None if rules.where is None else rules.where[box]
        clear = mask[box] & ~unsure
        mask[box] = own = remove_other_inks(
            clear, by_channel[:, *box], unclear, None if printed is None else by_channel[:, printed]
        )
        # Pale pixels belong to the strokes next to them.
        mask[box] = own | (unsure & dilate(own, 2) & ~dilate(clear & ~own, 2))
    rules.remove_free(mask)
    brightness = channels[len(channels) // 2]
    mask = remove_tips(mask, darkness, brightness, rules.where)
    own = mask if blobs is None or not (mask & ~blobs).any() else mask & ~blobs
    own_threshold = _lowest_ink(darkness[own], noise, _OWN)
    if own_threshold < 1.3 * threshold:
        removed = every_ink & ~mask & (darkness > 1.3 * threshold)
        paler = (darkness > own_threshold) & ~dilate(removed, 2)
        mask |= paler if rules.where is None else paler & ~rules.where
    else:
        mask &= darkness > own_threshold
    if may_have_blobs(mask):
        mask, darkness = _remove_blobs(mask, darkness, channels)
    _check_paper(darkness, noise)
    ink = _choose_pieces(mask, darkness, brightness, rules, noise)
    corner = tuple(side.start for side in ink.box)
    return ink._replace(share_beside_sheet=share_beside_sheet(ink.mask, corner, doubtful))


def _find_shadows(mask, darkness, noise):
    """Return where the ink is too thick for strokes, or None."""
    blobs = find_blobs(mask, 0) if may_have_blobs(mask) else None
    if blobs is None or np.count_nonzero(mask & ~blobs) < _MIN_INK:
        return None
    # If nothing else is as dark as a signature, these are thick strokes.
    return blobs if _darkness_of_ink(darkness[~blobs], noise) >= _PALEST_INK else None


def _lowest_ink(darkness, noise, share=0.22):
    """Return how dark ink is at least: this share of the level of all ink, and more than the noise."""
    return max(share * _level(darkness, noise), 5 * noise)


def _find_narrow_darkness(channels, width):
    """Compare with paper in a window that is not much wider than strokes of this width: most of a shadow is paper."""
    return find_darkness(channels, int(max(_MIN_WINDOW, 3 * width)))


def _combine(by_channel):
    """Return the darkness of all channels together, 0 for most of the paper, and the noise of the paper."""
    darkness = by_channel[0]
    if len(by_channel) > 1:
        # The darkest channel shows colored ink, the mean has less noise.
        darkness = by_channel.sum(axis=0)
        darkness /= len(by_channel)
        darkness += by_channel.max(axis=0)
        darkness *= 0.5
    offset, noise = _measure_paper(darkness)
    return darkness - offset, noise


def _smooth(channels, noise):
    blur = ImageFilter.GaussianBlur(0.7 if noise < 2 * _NOISY else 1.0)
    return [np.asarray(Image.fromarray(channel).filter(blur)) for channel in channels]


def _measure_paper(darkness):
    """Return the darkness of most of the paper, and its standard deviation between points close to each other."""
    sample = darkness[::4, ::4]
    steps = [np.abs(np.diff(sample[:: 1 + axis, :: 2 - axis], axis=axis)) for axis in (0, 1)]
    steps = np.concatenate([step.ravel() for step in steps])
    return percentile(sample.ravel(), 50), 1.0484 * percentile(steps, 50) if len(steps) else 0.0


def _check_paper(darkness, noise):
    """Raise an `ImageError` if a part of the image is brighter than its paper: wood or cloth, and no sheet."""
    if percentile(darkness[::16, ::8].ravel(), 10) < -max(_BRIGHTER, 2 * noise):
        raise ImageError(NO_SHEET)


def _remove_blobs(mask, darkness, channels):
    """Remove what is much thicker than the strokes, such as the corner of a shadow or a black edge."""
    width = stroke_width(Pieces(mask))
    if find_blobs(mask, width) is None:
        return mask, darkness
    darkness, noise = _combine(_find_narrow_darkness(channels, width))
    mask = mask & (darkness > _lowest_ink(darkness[mask], noise, _OWN))
    blobs = find_blobs(mask, width)
    return (mask if blobs is None else mask & ~blobs), darkness


def _box(mask):
    """Return the slices of the rows and columns with ink, and a margin."""
    box = []
    for axis in (1, 0):
        at = np.flatnonzero(mask.any(axis=axis))
        box.append(slice(max(0, at[0] - 4), at[-1] + 5) if len(at) else slice(0, 0))
    return tuple(box)


def _choose_pieces(mask, darkness, brightness, rules, noise):
    """Return the ink of the signature: dark pieces of it that are close to each other."""
    level = _level(darkness[mask], noise)
    mask = mask & (darkness > max(0.35 * level, 5 * noise))
    box = _box(mask)
    shape, mask, darkness = mask.shape, mask[box], darkness[box]
    bands, doubtful = (None if where is None else where[box] for where in (rules.where, rules.doubtful))
    pieces = Pieces(mask)
    kept = pieces.share(mask & (darkness > max(0.55 * level, 6 * noise))) > 0
    if bands is not None:
        kept &= pieces.share(bands & mask) < 0.8
    total = pieces.sizes[kept].sum()
    kept &= pieces.sizes >= np.where(pieces.is_at_border(), 0.03, 0.004) * total
    kept &= pieces.sizes >= 6
    kept = group(pieces, kept)
    tips = doubt_tips(pieces, kept, darkness, brightness[box], bands)
    if tips is not None:
        doubtful = tips if doubtful is None else doubtful | tips
    check_is_signature(pieces, kept, shape, doubtful)
    top, left = box[0].start, box[1].start
    inner = _box(pieces.mask(kept))
    mask = pieces.mask(kept)[inner]
    box = tuple(slice(start + part.start, start + part.stop) for start, part in zip((top, left), inner))
    darkness = np.where(mask, np.clip(darkness[inner] / level, 0, 1), 0)
    shares = share_of_text(pieces.boxes[kept], pieces.sizes[kept]), share_of_stamp(pieces, kept)
    return _Ink(mask, darkness, box, shape, rules.axes, *shares)


def _darkness_of_ink(darkness, noise):
    """Return how dark the ink is; most pixels of thin strokes are a mixture of ink and paper."""
    ink = darkness[darkness > max(0.1, 6 * noise)]
    return percentile(ink, 90) if len(ink) >= _MIN_INK else 0.0


def _level(darkness, noise):
    """Return how dark the ink is, or raise an `ImageError` if there is none."""
    level = _darkness_of_ink(darkness, noise)
    if level < _PALEST_INK:
        raise ImageError("no signature: nothing is darker than the paper. Leave it out, or take it again.")
    return level
