"""Read image files of any kind as 8-bit gray images."""

import io
import os

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


class ImageError(ValueError):
    """A signature image cannot be used; the message names the image and the reason.

    Examples
    --------
    >>> from sigkit.imaging import ImageError, read_image
    >>> try:
    ...     read_image("nowhere.png")
    ... except ImageError as error:
    ...     print(error)
    nowhere.png: no such file.
    """


def read_image(source, *, color=False):
    """Read an image file as 8-bit gray, or in color.

    Every mode that Pillow supports is converted: colors by luminance, palettes by their colors, transparent pixels
    as white paper, 16-bit gray by its high byte, bilevel scans to 0 and 255. The EXIF orientation is applied. Only the
    first page of a file with several pages is read.

    Parameters
    ----------
    source : str, os.PathLike or bytes
        Path of a PNG, TIFF, BMP or JPEG file, or of any other format that Pillow supports; or the content of such a
        file as bytes.
    color : bool, default=False
        Whether an image that has colors keeps them.

    Returns
    -------
    ndarray of shape (height, width), dtype uint8
        Gray values; in a scan the paper is bright (255) and the ink is dark (0). With `color`, and if the file has
        colors, the shape is (height, width, 3), for red, green and blue.

    Raises
    ------
    ImageError
        If the file does not exist, is not an image, is truncated, or has pixel values of unknown range.

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
    if isinstance(source, bytes):
        return _decode(source, color)
    name = os.fspath(source)
    try:
        with open(name, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file.") from None
    except OSError as error:
        raise ImageError(f"{name}: cannot be read ({error.strerror}).") from error
    try:
        return _decode(content, color)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error


def _decode(content, color):
    try:
        with Image.open(io.BytesIO(content)) as image:
            return _to_array(ImageOps.exif_transpose(image), color)
    except UnidentifiedImageError:
        raise ImageError(
            f"not an image that Pillow can read ({len(content)} bytes). Convert it, or leave it out."
        ) from None
    except MemoryError:
        raise
    except Exception as error:
        # Decoders raise OSError, SyntaxError, struct.error and more on damaged files.
        raise ImageError(f"cannot be read ({error}). Scan or copy it again, or leave it out.") from error


def _to_array(image, color):
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _wide_to_gray(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image).convert("RGB")
    return np.asarray(image.convert("RGB" if color and image.mode not in ("1", "L", "LA", "La") else "L"))


def _wide_to_gray(pixels):
    """Convert integers of more than 8 bits; paper is bright, so a maximum up to 255 means 8-bit values."""
    if pixels.dtype.kind == "f" or pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError(
            f"{pixels.dtype} pixels from {pixels.min()} to {pixels.max()} have no known range; "
            "save it as 8-bit or 16-bit gray"
        )
    return (pixels if pixels.max() <= 255 else pixels.astype(np.uint16) >> 8).astype(np.uint8)
