"""WebP files."""

import struct
from itertools import islice

from PIL.WebPImagePlugin import WebPImageFile

from sigkit.imaging._error import damaged, truncated
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._exif import read_orientation
from sigkit.imaging._formats._resolution import resolution_of_exif

_MAX_CHUNKS = 2**12
"""More than those of the image data, of its size and of its orientation."""

_DECODER_BYTES = 16
"""Bytes per pixel of the decoder: two canvases, the frame, and a copy of the result."""


def open_webp(content):
    """Return the `Encoded` image of a WebP file, whose memory Pillow takes as soon as it opens the file."""
    first = {}
    for name, data in islice(_chunks(content), _MAX_CHUNKS):
        first.setdefault(name, data)
    # The first chunk of image data has the size of the canvas.
    name = next((name for name in first if name in (b"VP8X", b"VP8L", b"VP8 ")), None)
    try:
        if name == b"VP8X":
            width, height = (1 + int.from_bytes(first[name][at : at + 3], "little") for at in (4, 7))
        elif name == b"VP8L":
            (bits,) = struct.unpack_from("<I", first[name], 1)
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        else:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", first[name], 6))
    except (KeyError, struct.error):
        raise damaged("it has no image data") from None
    exif, xmp = (bytes(first.get(name, b"")) for name in (b"EXIF", b"XMP "))
    decoder_bytes, resolution = _DECODER_BYTES * width * height, resolution_of_exif(exif)
    orientation = read_orientation(exif, xmp)
    return Encoded(WebPImageFile, content, (width, height), decoder_bytes, orientation, resolution=resolution)


def _chunks(content):
    """Yield the name and the data of each chunk."""
    size = int.from_bytes(content[4:8], "little")
    if not 4 <= size <= len(content) - 8:
        raise truncated(content)
    at = 12
    while at + 8 <= size + 8:
        name, length = struct.unpack_from("<4sI", content, at)
        yield name, memoryview(content)[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
