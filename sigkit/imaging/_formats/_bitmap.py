"""BMP files, and those of the PBM, PGM and PPM formats."""

import re
import struct
from typing import NamedTuple

from PIL.BmpImagePlugin import BmpImageFile
from PIL.PpmImagePlugin import PpmImageFile

from sigkit.imaging._error import not_supported, truncated
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._pages import check_count, choose_page
from sigkit.imaging._formats._resolution import make_resolution

_RUN_LENGTH = (1, 2)
_METERS = 0.0254
"""Meters in an inch."""

_MAX_SLOW = 2**22
"""The largest number of bytes, or of samples, that Pillow decodes in Python, at about a million per second."""

_MAX_HEADER = 2**12
_NUMBER = rb"\s+(?:#[^\r\n]*[\r\n]\s*)*(\d{1,9})"
_PNM = re.compile(rb"(P4)" + _NUMBER * 2 + rb"()\s|(P[56])" + _NUMBER * 3 + rb"\s")
_CHANNELS = {b"P4": 1, b"P5": 1, b"P6": 3}


def open_bmp(content):
    """Return the `Encoded` image of a BMP file."""
    try:
        (header,) = struct.unpack_from("<I", content, 14)
        width, height = struct.unpack_from("<HH" if header == 12 else "<ii", content, 18)
        compression = 0 if header == 12 else struct.unpack_from("<I", content, 30)[0]
        per_meter = (0, 0) if header < 40 else struct.unpack_from("<ii", content, 38)
    except struct.error:
        raise truncated(content) from None
    decoder_bytes = 0
    if compression in _RUN_LENGTH:
        if len(content) > _MAX_SLOW:
            raise not_supported(f"BMP files with run lengths are read up to {_MAX_SLOW:,} bytes")
        decoder_bytes = 2 * width * abs(height)
    resolution = make_resolution(*per_meter, _METERS)
    return Encoded(BmpImageFile, content, (width, abs(height)), decoder_bytes, resolution=resolution)


def open_pnm(content, page=None):
    """Return the `Encoded` image of a binary PBM, PGM or PPM file, with a header that has no comments.

    Several images can follow one another in a file.
    """
    headers = _find_headers(content, page)
    header = headers[choose_page(page, len(headers), lambda: list(range(len(headers))))]
    # Others are scaled, and colors of 16 bits too.
    is_raw = header.highest == 255 or (header.highest == 65535 and header.kind == b"P5")
    n_samples = header.width * header.height * _CHANNELS[header.kind]
    if not is_raw and n_samples > _MAX_SLOW:
        raise not_supported(
            f"{header.kind.decode()} files with values up to {header.highest} are read up to {_MAX_SLOW:,} samples"
        )
    pixels = memoryview(content)[header.end :][: header.size]
    if len(pixels) < header.size:
        raise truncated(content)
    highest = b"" if header.kind == b"P4" else b" %d" % header.highest
    kept = b"%s %d %d%s\n" % (header.kind, header.width, header.height, highest)
    # Pillow scales all values to 16 bits.
    return Encoded(PpmImageFile, kept + pixels, (header.width, header.height), highest=65535)


def find_pnm_scans(content):
    """Return the numbers of the images in a PNM file."""
    return list(range(len(_find_headers(content))))


class _Header(NamedTuple):
    """A header of an image in a PNM file, which ends at a position, and the number of bytes of the pixels after it."""

    kind: bytes
    width: int
    height: int
    highest: int
    end: int
    size: int


def _find_headers(content, page=None):
    """Return the headers of a PNM file, up to that of a page if one is given."""
    headers, at = [], 0
    while not headers or content[at : at + 2] in _CHANNELS:
        found = _PNM.match(content[at : at + _MAX_HEADER])
        if not found:
            raise not_supported("its header is damaged, or it is of the plain kind, which is not read")
        kind, width, height, highest = (group for group in found.groups() if group is not None)
        width, height, highest = int(width), int(height), int(highest or 255)
        row = -(-width // 8) if kind == b"P4" else width * _CHANNELS[kind] * (2 if highest > 255 else 1)
        headers.append(_Header(kind, width, height, highest, at + found.end(), row * height))
        at += found.end() + row * height
        if page is not None and len(headers) > page:
            break
        check_count(len(headers))
        # Between images there can be space.
        at += len(content[at : at + 16]) - len(content[at : at + 16].lstrip())
    return headers
