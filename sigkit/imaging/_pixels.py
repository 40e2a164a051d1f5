"""Convert decoded images of any mode to 8 bits, in gray or in color, without another copy of the whole image."""

from functools import partial

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from sigkit.imaging._error import ImageError

BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
"""Bytes per pixel of a decoded image, by its mode; 4 in all other modes."""

_PART = 2**22
"""Number of pixels that are converted at once."""


_GRAY_MODES = ("1", "L", "LA", "La")


def to_array(image, color=False):
    """Return the pixels of an image that was opened, with dtype uint8; see `read_image`."""
    if image.mode == "F":
        raise ImageError("float32 pixels have no known range; save it as 8-bit or 16-bit gray.")
    if isinstance(image, TiffImageFile):
        # Otherwise Pillow creates it, after it has compared the size with a limit of its own.
        image.im = Image.new(image.mode, image.size).im
    image.load()
    n_rows = max(1, _PART // image.width)
    is_wide = image.mode.startswith("I")
    mode = "RGB" if color and not is_wide and image.mode not in _GRAY_MODES else "L"
    if is_wide:
        parts = (np.asarray(part) for _, part in _parts(image, n_rows))
        convert = _from_range(*np.array([(part.min(), part.max()) for part in parts]).T)
    else:
        convert = partial(_from_bytes, mode=mode)
    if image.height <= n_rows:
        return convert(image)
    shape = (image.height, image.width, 3) if mode == "RGB" else (image.height, image.width)
    pixels = np.empty(shape, dtype=np.uint8)
    for top, part in _parts(image, n_rows):
        pixels[top : top + n_rows] = convert(part)
    return pixels


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
            part.palette = image.palette.copy()
            part.palette.dirty = 1
        yield top, part


def _from_bytes(image, mode):
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image).convert("RGB")
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _from_range(lows, highs):
    """Return the conversion of integers of more than 8 bits, given the smallest and largest values of each part.

    Paper is bright, so a largest value up to 255 means that they have 8 bits.
    """
    low, high = lows.min(), highs.max()
    if low < 0 or high > 65535:
        raise ImageError(f"integers from {low} to {high} have no known range; save it as 8-bit or 16-bit gray.")
    shift = 0 if high <= 255 else 8
    return lambda image: (np.asarray(image).astype(np.uint16) >> shift).astype(np.uint8)
