"""HEIC files, which phones write, by the package pillow-heif."""

from PIL import Image

from sigkit.imaging._error import damaged, needs_extra
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._pages import choose_page, without_previews
from sigkit.imaging._formats._resolution import resolution_of_exif

_DECODER_BYTES = 5
"""Bytes per pixel of the decoder: its planes, and the colors. It refuses images that are larger than the file says."""


def open_heic(content, page=None):
    """Return the `Encoded` image of a HEIC file; several images beside each other are pages.

    The orientation is applied by the decoder. Thumbnails, depths and other parts of an image are left out.
    """
    images = _find_images(content)
    page = choose_page(page, len(images), lambda: _without_previews(images))
    image = images[page]
    width, height = image.size

    def decode(_):
        return Image.frombuffer(image.mode, image.size, image.data, "raw", image.mode, image.stride, 1)

    resolution = resolution_of_exif(image.info.get("exif") or b"")
    decoder_bytes = _DECODER_BYTES * width * height
    return Encoded(decode, content, (width, height), decoder_bytes, resolution=resolution, is_decoded=True)


def find_heic_scans(content):
    """Return the numbers of the images in a HEIC file."""
    return _without_previews(_find_images(content))


def _without_previews(images):
    return without_previews([image.size for image in images], list(range(len(images))))


def _find_images(content):
    try:
        # Called by its name, and never registered with Pillow, which would then open other files with it.
        from pillow_heif import HeifFile
    except ImportError:
        raise needs_extra("HEIC", "heic") from None
    try:
        images = list(HeifFile(content))
    except Exception as error:
        # Mostly ValueError, but the checks of the library raise other errors too.
        raise damaged(error) from error
    if not all(image.size[0] and image.size[1] for image in images):
        raise damaged("an image has no pixels")
    if not images:
        raise damaged("it has no image")
    return images
