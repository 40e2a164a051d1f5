"""Identify the format of a file by its content."""

from sigkit.imaging._error import ImageError
from sigkit.imaging._formats._bitmap import open_bmp, open_pnm
from sigkit.imaging._formats._gif import open_gif
from sigkit.imaging._formats._jpeg import open_jpeg
from sigkit.imaging._formats._png import open_png
from sigkit.imaging._formats._tiff import open_tiff
from sigkit.imaging._formats._webp import open_webp

FORMATS = "PNG, TIFF, JPEG, BMP, GIF, WebP and binary PBM, PGM and PPM"

# Formats that are read, by their first bytes. None of their decoders starts a program or opens another file.
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
    **{b"P%d" % kind: open_pnm for kind in range(1, 7)},
}

# Others that people have, by the bytes at a position: they are named in the error.
_NOT_READ = (
    (0, b"%!PS", "PostScript"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript"),
    (0, b"\x04%!PS", "PostScript"),
    (0, b"%PDF", "PDF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
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


def identify(content):
    """Return what is known of an image file before it is decoded.

    Parameters
    ----------
    content : bytes
        The content of the file. Its name does not matter.

    Returns
    -------
    Encoded
        Its decoder, its size, and what the decoder needs.

    Raises
    ------
    ImageError
        If it is of another format, or its structure is damaged. Nothing is decoded.
    """
    for mark, opened in _READ.items():
        if content.startswith(mark):
            return opened(content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return open_webp(content)
    if not content.strip(b"\0"):
        found = "it is empty" if not content else "all of its bytes are 0"
        raise ImageError(f"not an image: {found} ({len(content)} bytes). Scan or copy it again, or leave it out.")
    kind = next((kind for at, mark, kind in _NOT_READ if content.startswith(mark, at)), None)
    found = f"a file of the kind {kind}, which is not read" if kind else "not an image that is read"
    raise ImageError(f"{found} ({len(content)} bytes): only {FORMATS} are. Convert it to PNG, or leave it out.")
