"""JPEG files."""

import re
import struct
from itertools import cycle, islice

from PIL.JpegImagePlugin import JpegImageFile

from sigkit.imaging._error import damaged, not_supported, truncated
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._exif import read_orientation
from sigkit.imaging._formats._resolution import make_resolution, resolution_beside_exif

_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
# Lossless, hierarchical and arithmetic coding, which no camera or scanner uses.
_UNUSUAL = {*range(0xC3, 0xD0)} - {0xC4, 0xC8, 0xCC}
# Also what a changed bit in the data of a scan can give.
_RESERVED = {*range(0x02, 0xC0), 0xC8, *range(0xF0, 0xFE)}
_END, _SCAN, _APP0, _APP1 = 0xD9, 0xDA, 0xE0, 0xE1
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
# Comments, and what applications add, except JFIF and Adobe segments, on which the colors depend.
_LEFT_OUT = {0xFE, *range(0xE1, 0xF0)} - {0xEE}
_MAX_SEGMENTS = 2**16
_MAX_SCANS = 32
"""Encoders write about ten; each takes as long as reading the whole image."""

# Within the data of a scan, 0xFF is followed by 0 or a restart marker: any other marker ends it.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_RESTARTS = [bytes([number]) for number in range(0xD0, 0xD8)]
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JFIF = b"JFIF\0"
_PER_INCH = {1: 1.0, 2: 2.54}
"""Factors to pixels per inch, by the unit of a JFIF segment; others have no unit."""


def open_jpeg(content):
    """Return the `Encoded` image of a JPEG file.

    Thumbnails, profiles, comments, and the further images that cameras append are left out.
    """
    kept, exif, xmp, jfif = [content[:2]], b"", b"", None
    size = components = process = None
    scans = []
    at, marker, n_segments = 2, None, 0
    while marker != _END:
        at, marker = _next_marker(content, at)
        n_segments += 1
        if n_segments > _MAX_SEGMENTS:
            raise not_supported(f"it has more than {_MAX_SEGMENTS:,} segments")
        if marker == _END or marker in _WITHOUT_LENGTH:
            continue
        if marker in _RESERVED:
            raise damaged(f"the marker {marker:#x} at byte {at - 2} has no meaning")
        start = at
        length = int.from_bytes(content[at : at + 2], "big")
        segment = content[at + 2 : at + length]
        if length < 2 or len(segment) != length - 2:
            raise truncated(content)
        at += length
        if marker in _UNUSUAL:
            raise not_supported(f"it is coded by process {marker:#x} of JPEG, which is not read")
        if marker in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            if size is not None or length < 8:
                raise damaged("its frame is not valid")
            (height, width, components), process = struct.unpack_from(">HHB", segment, 1), marker
            size = width, height
        elif marker == _SCAN:
            at = _next_marker(content, at)[0] - 2
            _check_restarts(content[start + length : at])
            scans.append(segment[:1])
        elif marker == _APP0 and segment.startswith(_JFIF) and length >= 14:
            unit, across, down = struct.unpack_from(">BHH", segment, 7)
            jfif = jfif or make_resolution(across, down, _PER_INCH.get(unit))
        elif marker == _APP1:
            exif = exif or (segment if segment.startswith(b"Exif\0\0") else b"")
            xmp = xmp or (segment if segment.startswith(_XMP) else b"")
        if marker not in _LEFT_OUT:
            kept += [bytes([0xFF, marker]), content[start:at]]
    if size is None or not scans:
        raise damaged("it has no image data")
    if len(scans) > _MAX_SCANS:
        raise not_supported(f"it has {len(scans)} scans; at most {_MAX_SCANS} are read")
    kept.append(bytes([0xFF, _END]))
    # All coefficients, two bytes each, are kept from one scan to the next. The sides are padded to whole blocks.
    in_one_scan = process != _PROGRESSIVE and scans[0] == bytes([components])
    coefficients = 0 if in_one_scan else 2 * components * (size[0] + 32) * (size[1] + 32)
    resolution = resolution_beside_exif(jfif, exif)
    kept, orientation = b"".join(kept), read_orientation(exif, xmp)
    return Encoded(JpegImageFile, kept, size, coefficients, orientation, resolution=resolution)


def _next_marker(content, at):
    """Return the position after the next marker, and its number."""
    found = _MARKER.search(content, at)
    if not found:
        raise truncated(content)
    return found.end(), content[found.end() - 1]


def _check_restarts(data):
    """Raise unless the restart markers in the data of a scan are numbered in turn: a part may be missing."""
    numbers = _RESTART.findall(data)
    if numbers != list(islice(cycle(_RESTARTS), len(numbers))):
        raise damaged("a part of its image data is missing")
