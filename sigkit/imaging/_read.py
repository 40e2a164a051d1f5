"""Read a scan of any kind into one: 8-bit grey, bright paper, dark ink."""

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
    try:
        with Image.open(name) as image:
            return _to_grey(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file.") from None
    except UnidentifiedImageError:
        size = os.path.getsize(name)
        raise ImageError(f"{name}: not an image that Pillow can read ({size} bytes). Convert it, or leave it out.") from None
    except Exception as error:
        # A damaged file fails in its decoder with whatever that decoder raises: OSError, SyntaxError, struct.error...
        raise ImageError(f"{name}: cannot be read ({error}). Scan or copy it again, or leave it out.") from error


def _to_grey(image):
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _deep_to_grey(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(paper, image).convert("RGB")
    return np.asarray(image.convert("L"))


def _deep_to_grey(pixels):
    """Keep the high byte of 16-bit grey values."""
    if pixels.dtype.kind == "f" or pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError(
            f"{pixels.dtype} pixels from {pixels.min()} to {pixels.max()} have no known range; save it as 8-bit or 16-bit grey"
        )
    return (pixels.astype(np.uint16) >> 8).astype(np.uint8)
