"""Read a scan of any kind into one: 8-bit grey, bright paper, dark ink."""

import io
import os

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


class ImageError(ValueError):
    """A signature image that cannot be used; the message names it and says why.

    Examples
    --------
    >>> from sigkit.imaging import ImageError, read_image
    >>> try:
    ...     read_image("nowhere.png")
    ... except ImageError as error:
    ...     print(error)
    nowhere.png: no such file.
    """


def read_image(path):
    """Read an image file as 8-bit grey.

    Any mode that Pillow reads is converted: colours by luminance, palettes by their colours, transparency over white
    paper, 16-bit grey by its high byte, two-valued scans to 0 and 255. The orientation that a camera noted is applied.
    Of a file with several pages the first is read.

    Parameters
    ----------
    path : str or os.PathLike
        A PNG, TIFF, BMP or JPEG file, or any other format of Pillow's.

    Returns
    -------
    ndarray of shape (height, width), dtype uint8
        Grey values; in a scan paper is bright (255) and ink is dark (0).

    Raises
    ------
    ImageError
        If the file does not exist, is no image, is cut short, or has values without a known range.

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
    """
    name = os.fspath(path)
    data = read_bytes(name)
    try:
        return decode_image(data)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error


def read_bytes(path):
    """Read a file whole.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    bytes
        What the file holds.

    Raises
    ------
    ImageError
        If there is no such file, or it may not be read.

    Examples
    --------
    >>> from sigkit.imaging import read_bytes
    >>> read_bytes("nowhere.png")
    Traceback (most recent call last):
        ...
    sigkit.imaging._read.ImageError: nowhere.png: no such file.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file.") from None
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror}).") from error


def decode_image(data):
    """Decode the bytes of an image file as 8-bit grey; see `read_image`.

    Parameters
    ----------
    data : bytes
        What the file holds.

    Returns
    -------
    ndarray of shape (height, width), dtype uint8
        Grey values.

    Raises
    ------
    ImageError
        If the bytes are no image, are cut short, or have values without a known range.

    Examples
    --------
    >>> from sigkit.imaging import decode_image
    >>> decode_image(b"P5 2 1 255 " + bytes([0, 255]))
    array([[  0, 255]], dtype=uint8)
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return _to_grey(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise ImageError(
            f"not an image that Pillow can read ({len(data)} bytes). Convert it, or leave it out."
        ) from None
    except MemoryError:
        raise
    except Exception as error:
        # A damaged file fails in its decoder with whatever that decoder raises: OSError, SyntaxError, struct.error...
        raise ImageError(f"cannot be read ({error}). Scan or copy it again, or leave it out.") from error


def _to_grey(image):
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _deep_to_grey(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image).convert("RGB")
    return np.asarray(image.convert("L"))


def _deep_to_grey(pixels):
    """Keep the high byte of 16-bit grey values; paper is bright, so values up to 255 are 8-bit ones in a wide type."""
    if pixels.dtype.kind == "f" or pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError(
            f"{pixels.dtype} pixels from {pixels.min()} to {pixels.max()} have no known range; "
            "save it as 8-bit or 16-bit grey"
        )
    return (pixels if pixels.max() <= 255 else pixels.astype(np.uint16) >> 8).astype(np.uint8)
