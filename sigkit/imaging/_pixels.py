"""Convert decoded images of any mode to 8 bits, in gray or in color, without another copy of the whole image."""

from functools import partial

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from sigkit.imaging._error import ImageError, not_supported

_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
"""Bytes per pixel of a decoded image, by its mode; 4 in all other modes."""

_PART = 2**22
"""Number of pixels that are converted at once."""

_GRAY_MODES = ("1", "L", "LA", "La")

_BITS = (8, 10, 12)
"""Fewer bits than a pixel has room for: those of cameras and scanners."""

_DARK, _PALE = 80, 0.25
"""Ink is pale if no pixel differs more from white, and all together by less than this share of their alpha."""


def bytes_per_pixel(image, color):
    """Return the memory per pixel of a decoded image and of its array, as `to_array` makes it."""
    return _BYTES_PER_PIXEL.get(image.mode, 4) + (3 if _array_mode(image, color) == "RGB" else 1)


def to_array(image, color=False, highest=None, bits=16, is_inverted=False):
    """Return the pixels of an image that was opened, with dtype uint8; see `read_image`.

    Parameters
    ----------
    image : PIL.Image.Image
        The image; it is decoded here.
    color : bool, default=False
        Whether colors are kept.
    highest : int or None, default=None
        The largest possible value of gray with more than 8 bits, if it is known.
    bits : int, default=16
        The number of bits that gray of more than 8 bits has room for: 15 if its integers are signed.
    is_inverted : bool, default=False
        Whether white is 0 in gray with more than 8 bits.

    Returns
    -------
    ndarray of shape (height, width) or (height, width, 3), dtype uint8
        The pixels.
    """
    if image.mode == "F":
        raise ImageError("float32 pixels have no known range; save it as 8-bit or 16-bit gray.")
    if isinstance(image, TiffImageFile):
        # Otherwise Pillow creates it, after it has compared the size with a limit of its own.
        image.im = Image.new(image.mode, image.size).im
    is_gray = image.mode.startswith("I")
    is_wide_color = not is_gray and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    image.load()
    n_rows = max(1, _PART // image.width)
    mode = _array_mode(image, color)
    if is_gray:
        parts = (np.asarray(part) for _, part in _parts(image, n_rows))
        ranges = np.array([(part.min(), part.max()) for part in parts])
        convert = _from_range(ranges[:, 0].min(), ranges[:, 1].max(), highest, bits, is_inverted)
        if "transparency" in image.info:
            convert = partial(_with_paper, convert=convert, paper=image.info["transparency"])
    elif image.has_transparency_data and _alpha_is_ink(part for _, part in _parts(image, n_rows)):
        mode, convert = "L", _inverted_alpha
    else:
        convert = partial(_from_bytes, mode=mode)
    if image.height <= n_rows:
        pixels = convert(image)
    else:
        shape = (image.height, image.width, 3) if mode == "RGB" else (image.height, image.width)
        pixels = np.empty(shape, dtype=np.uint8)
        for top, part in _parts(image, n_rows):
            pixels[top : top + n_rows] = convert(part)
    if is_wide_color and pixels.max() < 16:
        # Pillow keeps their high bytes only.
        raise not_supported("its colors have 16 bits, of which only the lowest 12 are used")
    return pixels


def _array_mode(image, color):
    is_gray = image.mode.startswith("I") or image.mode in _GRAY_MODES or _has_gray_palette(image)
    return "RGB" if color and not is_gray else "L"


def _has_gray_palette(image):
    if image.mode != "P" or image.palette is None:
        return False
    every = Image.frombytes("P", (256, 1), bytes(range(256)))
    _copy_palette(image, every)
    red, green, blue = every.convert("RGB").split()
    return red.tobytes() == green.tobytes() == blue.tobytes()


def _parts(image, n_rows):
    """Yield the first row of each part, and the part with this number of rows."""
    if image.height <= n_rows:
        yield 0, image
        return
    for top in range(0, image.height, n_rows):
        # Unlike `Image.crop`, this does not compare the size with the limit of Pillow.
        part = Image.new(image.mode, (image.width, min(n_rows, image.height - top)))
        part.paste(image, (0, -top))
        part.info = image.info
        if image.palette:
            _copy_palette(image, part)
        yield top, part


def _copy_palette(image, other):
    other.palette = image.palette.copy()
    other.palette.dirty = 1


def _on_white(image):
    """Return a transparent image on white paper, and its alpha channel."""
    image = image.convert("RGBA")
    paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(paper, image).convert("RGB"), image.getchannel("A")


def _alpha_is_ink(parts):
    """Return whether strokes can be seen in the alpha channel only: white or pale ink on transparent paper."""
    counts, darkness, darkest = np.zeros(256), np.zeros(256), 0
    for part in parts:
        image, alpha = _on_white(part)
        dark, alpha = 255 - np.asarray(image.convert("L")), np.asarray(alpha).ravel()
        darkest = max(darkest, dark.max())
        counts += np.bincount(alpha, minlength=256)
        darkness += np.bincount(alpha, dark.ravel(), minlength=256)
    alphas = np.flatnonzero(counts)
    # Ink is what is more than half as opaque as the most opaque pixels. Opaque paper with a transparent edge is none.
    ink = np.arange(256) > alphas[-1] / 2
    is_pale = darkest <= _DARK and darkness[ink].sum() < _PALE * (counts * np.arange(256))[ink].sum()
    return is_pale and alphas[-1] - alphas[0] > _DARK and counts[ink].sum() < counts.sum() / 2


def _inverted_alpha(image):
    return 255 - np.asarray(image.convert("RGBA").getchannel("A"))


def _from_bytes(image, mode):
    if image.has_transparency_data:
        image, _ = _on_white(image)
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _from_range(low, high, highest, room, is_inverted):
    """Return the conversion of integers of more than 8 bits, given the smallest and largest of an image."""
    if low < 0 or high > 65535:
        raise ImageError(f"integers from {low} to {high} have no known range; save it as 8-bit or 16-bit gray.")
    if highest is not None and high <= highest:
        bits = min(room, max(8, int(highest).bit_length()))
    elif not is_inverted:
        # Paper is bright, so the largest value tells how many bits are used.
        bits = next((bits for bits in _BITS if high < 2**bits), room)
    elif high >= 2**12:
        bits = room
    else:
        # The largest value is that of ink, which can be pale, or that of noise on an empty sheet.
        raise ImageError(
            f"its values reach {high} of 65535, and 0 is white: nothing says how dark that is. Write the tag "
            "MaxSampleValue, or save it as 8-bit gray."
        )
    inversion = np.uint8(255 if is_inverted else 0)
    return lambda image: (np.asarray(image).astype(np.uint16) >> (bits - 8)).astype(np.uint8) ^ inversion


def _with_paper(image, convert, paper):
    """Convert an image in which one value means transparent, which is white paper."""
    return np.where(np.asarray(image) == paper, np.uint8(255), convert(image))
