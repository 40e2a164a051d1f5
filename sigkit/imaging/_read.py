"""Read image files of the usual kinds as 8-bit images, in gray or in color."""

import io
from numbers import Real

import numpy as np
from PIL import Image

from sigkit._utils import MAX_SCAN_SIZE, printable_path, read_file
from sigkit.imaging._error import ImageError, damaged
from sigkit.imaging._formats import identify
from sigkit.imaging._pixels import BYTES_PER_PIXEL, to_array

MAX_MEMORY = 700
"""The default of `max_memory`, in MiB: with the interpreter and its libraries, less than 1 GB in all."""

_PREPROCESSING = 3
"""Bytes per pixel that preprocessing takes: the gray image, its thresholds, and the ink."""

_WORKSPACE, _PER_SIDE = 100 * 2**20, 1500
"""Bytes for what is processed in parts, which are whole rows: at least, and per pixel of both sides."""

# How the rows and columns of an array with this EXIF orientation become those of the image.
_ORIENT = {
    2: np.fliplr,
    3: lambda pixels: pixels[::-1, ::-1],
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


def read_image(source, *, color=False, max_memory=MAX_MEMORY):
    """Read an image file as 8-bit gray, or in color.

    Every mode is converted: colors by luminance, palettes by their colors, transparent pixels as white paper, 16-bit
    gray by its high byte, bilevel scans to 0 and 255. The EXIF orientation is applied. Only the first page of a file
    with several pages is read.

    Parameters
    ----------
    source : str, os.PathLike or bytes
        Path of a PNG, TIFF, JPEG, BMP, GIF, WebP, or binary PBM, PGM or PPM file; or the content of such a file as
        bytes. The content decides, not the suffix. Files of other formats are not opened, because the programs that
        read some of them can be made to do anything.
    color : bool, default=False
        Whether an image that has colors keeps them.
    max_memory : float, default=700
        Largest memory in MiB that reading and preprocessing the image may take; a small file can ask for any amount. It
        is compared with the size that the file gives, before anything is decoded. The default is enough for 200 million
        pixels in gray, 120 in color, 50 in a progressive JPEG file, and 29 in a WebP file.

    Returns
    -------
    ndarray of shape (height, width), dtype uint8
        Gray values; in a scan the paper is bright (255) and the ink is dark (0). With `color`, and if the file has
        colors, the shape is (height, width, 3), for red, green and blue.

    Raises
    ------
    ImageError
        If the file does not exist or is no regular file, if it is of another format, truncated or damaged, if it needs
        more memory, or if it has pixel values of unknown range.

    Notes
    -----
    Damage is found where the format allows it: PNG files have checksums, and the lines of fax-compressed TIFF files
    must have the right length. A changed byte within the pixels of a JPEG, an uncompressed or a fax-compressed file can
    give other pixels without an error.

    Examples
    --------
    >>> import os, tempfile
    >>> from PIL import Image
    >>> from sigkit.imaging import read_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "scan.png")
    ...     Image.new("RGBA", (4, 2), (0, 0, 0, 0)).save(path)
    ...     read_image(path)
    array([[255, 255, 255, 255],
           [255, 255, 255, 255]], dtype=uint8)
    >>> read_image(b"P5 2 1 255 " + bytes([0, 255]))
    array([[  0, 255]], dtype=uint8)
    """
    return read_with_resolution(source, color, max_memory)[0]


def read_with_resolution(source, color=False, max_memory=MAX_MEMORY):
    """Read an image file as `read_image` does; return the pixels, and the `Resolution` that the file states or None."""
    if not isinstance(max_memory, Real) or not max_memory > 0:
        raise ValueError(f"max_memory must be a positive number, in MiB; found {max_memory!r}.")
    if isinstance(source, bytes):
        return _decode(source, color, max_memory)
    try:
        content = read_file(source, MAX_SCAN_SIZE)
    except OSError as error:
        raise ImageError(str(error)) from error
    try:
        return _decode(content, color, max_memory)
    except ImageError as error:
        raise ImageError(f"{printable_path(source)}: {error}") from error


def stated_resolution(content):
    """Return the `Resolution` of the image in the content of a file, or None; nothing is decoded."""
    return _oriented_resolution(identify(content))


def _oriented_resolution(encoded):
    """Return the resolution of an image that has the orientation of its file."""
    is_turned = encoded.resolution and encoded.orientation >= 5
    return encoded.resolution.turned() if is_turned else encoded.resolution


def _decode(content, color, max_memory):
    encoded = identify(content)
    # Some decoders take their memory as soon as they open a file, others when they decode it.
    decoder_bytes = (encoded.content is not content) * len(encoded.content) + encoded.decoder_bytes
    _check_memory(encoded.size, len(content), decoder_bytes, 0, max_memory)
    if encoded.check:
        encoded.check()
    try:
        with encoded.decoder(_Stream(encoded.content)) as image:
            per_pixel = BYTES_PER_PIXEL.get(image.mode, 4) + (3 if color else 1)
            _check_memory(image.size, len(content), decoder_bytes, per_pixel, max_memory)
            pixels = to_array(image, color)
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"{error} Raise PIL.Image.MAX_IMAGE_PIXELS, or convert it to PNG.") from error
    except Exception as error:
        # Decoders raise OSError, SyntaxError, struct.error and more on damaged files.
        raise damaged(error) from error
    if encoded.orientation in _ORIENT:
        pixels = np.ascontiguousarray(_ORIENT[encoded.orientation](pixels))
    return pixels, _oriented_resolution(encoded)


def _check_memory(size, n_content, decoder_bytes, per_pixel, max_memory):
    """Raise if decoding or preprocessing an image needs too much memory, before it is taken."""
    width, height = size
    n_pixels = width * height
    needed = n_content + max(decoder_bytes + per_pixel * n_pixels, _PREPROCESSING * n_pixels)
    needed = (needed + max(_WORKSPACE, _PER_SIDE * (width + height))) / 2**20
    if needed > max_memory:
        raise ImageError(
            f"{width} x {height} pixels need {needed:,.0f} MiB of memory, more than max_memory={max_memory:g}. Crop "
            "the image or reduce its size, or raise max_memory."
        )


class _Stream(io.BytesIO):
    """Content that raises an error if more is read than there is, even if a user has set Pillow to ignore that."""

    def read(self, size=-1):
        data = super().read(size)
        if not data and size:
            raise SyntaxError("it is truncated")
        return data
