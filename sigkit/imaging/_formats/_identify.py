"""Identify the format of a file by its content."""

from sigkit.imaging._error import ImageError
from sigkit.imaging._formats._bitmap import find_pnm_scans, open_bmp, open_pnm
from sigkit.imaging._formats._gif import open_gif
from sigkit.imaging._formats._heic import find_heic_scans, open_heic
from sigkit.imaging._formats._jpeg import open_jpeg
from sigkit.imaging._formats._pages import choose_page
from sigkit.imaging._formats._pdf import find_pdf_scans, open_pdf
from sigkit.imaging._formats._png import open_png
from sigkit.imaging._formats._tiff import open_tiff
from sigkit.imaging._formats._tiff_pages import find_tiff_scans
from sigkit.imaging._formats._webp import open_webp

FORMATS = "PNG, TIFF, JPEG, BMP, GIF, WebP, HEIC, PDF and binary PBM, PGM and PPM"

# Formats that are read, by their first bytes. No decoder opens another file, and only that of PDF starts a program: the
# interpreter, for a process whose time and memory are limited.
_READ = {
    b"\x89PNG\r\n\x1a\n": open_png,
    b"\xff\xd8\xff": open_jpeg,
    b"II*\0": open_tiff,
    b"MM\0*": open_tiff,
    b"II+\0": open_tiff,
    b"MM\0+": open_tiff,
    b"BM": open_bmp,
    b"GIF87a": open_gif,
    b"GIF89a": open_gif,
    b"%PDF": open_pdf,
    **{b"P%d" % kind: open_pnm for kind in range(1, 7)},
}

# Brands of HEIC files, in the first box; those of two others can be of HEIC or AVIF.
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIC_OR_AVIF = {b"mif1", b"msf1", b"mif2"}
_AVIF = {b"avif", b"avis"}

_MAX_BRANDS = 2**12
"""Bytes of the box of brands that are looked at."""

_MAX_PREAMBLE = 2**10
"""Bytes that other programs write before a PDF file, as all readers allow."""

_FIND_SCANS = {
    open_tiff: find_tiff_scans,
    open_pnm: find_pnm_scans,
    open_heic: find_heic_scans,
    open_pdf: find_pdf_scans,
}
"""By the formats with pages: the function that returns the numbers of those that are scans."""

# Others that people have, by the bytes at a position: they are named in the error.
_NOT_READ = (
    (0, b"%!PS", "PostScript"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript"),
    (0, b"\x04%!PS", "PostScript"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftypmif", "AVIF"),
    (4, b"ftypmsf", "AVIF"),
    (4, b"ftyp", "video"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL ", "JPEG XL"),
    (0, b"II\xbc", "JPEG XR"),
    (0, b"\x97JB2", "JBIG2"),
    (0, b"AT&TFORM", "DjVu"),
    (0, b"8BPS", "Photoshop"),
    (0, b"gimp xcf", "GIMP"),
    (0, b"\xd7\xcd\xc6\x9a", "Windows Metafile"),
    (40, b" EMF", "Windows Metafile"),
    (0, b"\0\0\1\0", "icon"),
    (0, b"<?xml", "XML or SVG"),
    (0, b"<svg", "SVG"),
    (0, b"<!DOCTYPE html", "HTML"),
    (0, b"<html", "HTML"),
    (0, b"PK\3\4", "ZIP or Office"),
    (0, b"\x93NUMPY", "numpy"),
)


def identify(content, page=None):
    """Return what is known of an image file before it is decoded.

    Parameters
    ----------
    content : bytes
        The content of the file. Its name does not matter.
    page : int or None, default=None
        The number of the page, from 0; None for the only one.

    Returns
    -------
    Encoded
        Its decoder, its size, and what the decoder needs.

    Raises
    ------
    ImageError
        If it is of another format, its structure is damaged, it has no such page, or it has several and none is named.
        Nothing is decoded.
    """
    opened = _find_opener(content)
    if opened in _FIND_SCANS:
        return opened(content, page)
    # The frames of an animation are no pages.
    choose_page(page, 1, lambda: [0])
    return opened(content)


def find_scans(content):
    """Return the numbers of the pages of an image file that are neither previews nor masks.

    Parameters
    ----------
    content : bytes
        The content of the file.

    Returns
    -------
    list of int
        The numbers, from 0.

    Raises
    ------
    ImageError
        If it is of another format, or its structure is damaged.
    """
    return _FIND_SCANS.get(_find_opener(content), lambda content: [0])(content)


def _find_opener(content):
    for mark, opened in _READ.items():
        if content.startswith(mark):
            return opened
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return open_webp
    if content[4:8] == b"ftyp" and _is_heic(content):
        return open_heic
    if b"%PDF-" in content[:_MAX_PREAMBLE]:
        return open_pdf
    if not content.strip(b"\0"):
        found = "it is empty" if not content else "all of its bytes are 0"
        raise ImageError(f"not an image: {found} ({len(content)} bytes). Scan or copy it again, or leave it out.")
    kind = next((kind for at, mark, kind in _NOT_READ if content.startswith(mark, at)), None)
    found = f"a file of the kind {kind}, which is not read" if kind else "not an image that is read"
    raise ImageError(f"{found} ({len(content)} bytes): only {FORMATS} are. Convert it to PNG, or leave it out.")


def _is_heic(content):
    """Return whether the brands of a file in boxes are those of HEIC."""
    end = min(int.from_bytes(content[:4], "big"), _MAX_BRANDS)
    brand, others = content[8:12], {content[at : at + 4] for at in range(16, end - 3, 4)}
    return brand in _HEIC or (brand in _HEIC_OR_AVIF and not others & _AVIF)
