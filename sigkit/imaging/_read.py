"""Read image files of the usual kinds as 8-bit images, in gray or in color."""

import io
import os
from numbers import Integral, Real

import numpy as np
from PIL import Image

from sigkit._utils import printable_path, read_scan, read_upload, too_many_bytes
from sigkit.imaging._error import ImageError, damaged, not_supported
from sigkit.imaging._formats import find_scans, identify
from sigkit.imaging._pixels import bytes_per_pixel, to_array

MAX_MEMORY = 700
"""The default of `max_memory`, in MiB: with the interpreter and its libraries, less than 1 GB in all."""

PREPROCESSING_BYTES = 3
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


def read_image(source, *, page=None, color=False, max_memory=MAX_MEMORY):
    """Read an image file as 8-bit gray, or in color.

    Every mode is converted: colors by luminance, palettes by their colors, transparent pixels as white paper, bilevel
    scans to 0 and 255, and gray of more than 8 bits by its highest 8 bits of those that are used. The orientation of
    the camera is applied, and so is the tag of TIFF files that 0 is white. Of an animation, the first frame is read.

    Parameters
    ----------
    source : str, os.PathLike, bytes or file object
        Path of a PNG, TIFF, JPEG, BMP, GIF, WebP, or binary PBM, PGM or PPM file; or the content of such a file as
        bytes, or as a file that is open for reading bytes. With extras of sigkit, HEIC and PDF files are read, too. The
        path can end in the number of a page, counted from 0: ``"ada.tif[2]"`` is the third page, unless a file has this
        very name. The content decides, not the suffix. Files of other formats are not opened, because the programs that
        read some of them can be made to do anything.
    page : int or None, default=None
        Number of the page, from 0, if the path does not name one. A file with several pages needs it, except if all
        others are masks or previews: marked as such, or copies of less than 0.3 times the height and width.
    color : bool, default=False
        Whether an image that has colors keeps them.
    max_memory : float, default=700
        Largest memory in MiB that reading and preprocessing the image may take; a small file can ask for any amount. It
        is compared with the size that the file gives, before anything is decoded. The default is enough for 200 million
        pixels in gray, 120 in color, 85 if its colors are kept, 50 in a progressive JPEG file, and 29 in a WebP file.

    Returns
    -------
    ndarray of shape (height, width), dtype uint8
        Gray values; in a scan the paper is bright (255) and the ink is dark (0). With `color`, and if the file has
        colors, the shape is (height, width, 3), for red, green and blue.

    Raises
    ------
    ImageError
        If the file does not exist or is no regular file, if it is of another format, truncated or damaged, if it needs
        more memory, has pixel values of unknown range, or has several pages and none is named.

    See Also
    --------
    list_pages : The pages of a file, as paths.

    Notes
    -----
    If no ink can be seen on white paper, because it is white or pale on transparent paper, the alpha channel is the
    ink. The pages of a PDF file are rendered at 300 dpi, in a process with limited time and memory.

    Gray of more than 8 bits uses as many as the file says: the tag MaxSampleValue of TIFF, the chunk sBIT of PNG. If
    it says nothing, paper is taken to be bright: the largest value tells whether 8, 10, 12 or 16 bits are used.

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
    return read_with_resolution(source, page, color, max_memory)[0]


def read_with_resolution(source, page=None, color=False, max_memory=MAX_MEMORY):
    """Read an image file as `read_image` does; return the pixels, and the `Resolution` that the file states or None."""
    if not isinstance(max_memory, Real) or not max_memory > 0:
        raise ValueError(f"max_memory must be a positive number, in MiB; found {max_memory!r}.")
    if page is not None and (not isinstance(page, Integral) or isinstance(page, bool) or page < 0):
        raise ValueError(f"page must be an integer from 0, or None; found {page!r}.")
    content = _read_upload(source)
    if content is not None:
        return _decode(content, page, color, max_memory)
    content, own_page = _read(source, max_memory)
    if page is not None and own_page is not None:
        raise ValueError(f"page={page}, and the path {printable_path(source)} names a page too; leave one of them out.")
    try:
        return _decode(content, page if own_page is None else own_page, color, max_memory)
    except ImageError as error:
        raise ImageError(f"{printable_path(source)}: {error}") from error


def stated_resolution(content, page=None):
    """Return the `Resolution` of a page in the content of a file, or None; nothing is decoded."""
    return _oriented_resolution(identify(content, page))


def _oriented_resolution(encoded):
    """Return the resolution of an image that has the orientation of its file."""
    is_turned = encoded.resolution and encoded.orientation >= 5
    return encoded.resolution.turned() if is_turned else encoded.resolution


def list_pages(path):
    """List the pages of an image file as paths, each of which is a scan for all functions that take paths.

    Parameters
    ----------
    path : str, os.PathLike, bytes or file object
        The file: its path, its content, or the file open for reading bytes.

    Returns
    -------
    list of str or list of int
        The path with the number of each page, from 0, such as ``"ada.tif[0]"``; the path alone for a file of a single
        page. Without a path, the numbers alone, for `page` of `read_image`. TIFF, HEIC, PDF, PBM, PGM and PPM files can
        have several. Previews and masks in a TIFF file are left out, and the frames of an animation are no pages.

    Raises
    ------
    ImageError
        If the file does not exist, is no regular file, is of another format, or its structure is damaged.

    See Also
    --------
    read_image : Read a page.

    Examples
    --------
    >>> import os, tempfile
    >>> from PIL import Image
    >>> from sigkit.imaging import list_pages, read_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "ada.tif")
    ...     sheets = [Image.new("L", (4, 2), gray) for gray in (255, 128)]
    ...     sheets[0].save(path, save_all=True, append_images=sheets[1:])
    ...     pages = list_pages(path)
    ...     print([os.path.basename(page) for page in pages])
    ...     read_image(pages[1])
    ['ada.tif[0]', 'ada.tif[1]']
    array([[128, 128, 128, 128],
           [128, 128, 128, 128]], dtype=uint8)
    """
    content = _read_upload(path)
    if content is not None:
        return find_scans(content)
    content, page = _read(path)
    path = os.fsdecode(path)
    if page is not None:
        return [path]
    try:
        numbers = find_scans(content)
    except ImageError as error:
        raise ImageError(f"{printable_path(path)}: {error}") from error
    return [path] if numbers == [0] else [f"{path}[{number}]" for number in numbers]


def _read_upload(source):
    try:
        return read_upload(source)
    except OSError as error:
        raise ImageError(str(error)) from error


def _read(path, max_memory=None):
    try:
        return read_scan(path, max_memory)
    except OSError as error:
        raise ImageError(str(error)) from error


def _decode(content, page, color, max_memory):
    problem = too_many_bytes(len(content), max_memory)
    if problem:
        raise ImageError(problem)
    encoded = identify(content, page)
    # Some decoders take their memory as soon as they open a file, others when they decode it.
    decoder_bytes = (encoded.content is not content) * len(encoded.content) + encoded.decoder_bytes
    per_pixel = (7 if color else 5) if encoded.is_decoded else 0
    _check_memory(encoded.size, len(content), decoder_bytes, per_pixel, max_memory)
    if encoded.check:
        encoded.check()
    try:
        with encoded.decoder(_Stream(encoded.content)) as image:
            per_pixel = bytes_per_pixel(image, color)
            _check_memory(image.size, len(content), decoder_bytes, per_pixel, max_memory)
            pixels = to_array(image, color, encoded.highest, encoded.bits, encoded.is_inverted)
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"{error} Raise PIL.Image.MAX_IMAGE_PIXELS, or convert it to PNG.") from error
    except Exception as error:
        if "pixel mode" in str(error):
            raise not_supported("its kind of pixels is rare") from error
        # Decoders raise OSError, SyntaxError, struct.error and more on damaged files.
        raise damaged(error) from error
    if encoded.orientation in _ORIENT:
        pixels = np.ascontiguousarray(_ORIENT[encoded.orientation](pixels))
    return pixels, _oriented_resolution(encoded)


def _check_memory(size, n_content, decoder_bytes, per_pixel, max_memory):
    """Raise if decoding or preprocessing an image needs too much memory, before it is taken."""
    width, height = size
    n_pixels = width * height
    needed = n_content + max(decoder_bytes + per_pixel * n_pixels, PREPROCESSING_BYTES * n_pixels)
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
