"""PNG files."""

import struct
import zlib

from PIL.PngImagePlugin import PngImageFile

from sigkit.imaging._error import damaged, not_supported, truncated
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._exif import read_orientation
from sigkit.imaging._formats._resolution import make_resolution, resolution_beside_exif

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"sBIT", b"PLTE", b"tRNS", b"IDAT")
_MAX_CHUNKS = 2**20
_XMP = b"XML:com.adobe.xmp\0"
_METERS = 0.0254
"""Meters in an inch: the unit of the pHYs chunk, if it has one."""


def open_png(content):
    """Return the `Encoded` image of a PNG file.

    Only the chunks of its pixels are kept. Texts and profiles can be bombs of their own. Checksums are compared, which
    decoders do not for the image data.
    """
    chunks = {kind: [] for kind in _PIXELS}
    exif = xmp = b""
    resolution = None
    at, kind, n_chunks = len(_SIGNATURE), None, 0
    while kind != b"IEND":
        n_chunks += 1
        if n_chunks > _MAX_CHUNKS:
            raise not_supported(f"it has more than {_MAX_CHUNKS:,} chunks")
        length, kind = _unpack(">I4s", content, at)
        start, end = at + 8, at + 8 + length
        (checksum,) = _unpack(">I", content, end)
        if kind in chunks:
            chunk = memoryview(content)[at : end + 4]
            if zlib.crc32(chunk[4:-4]) != checksum:
                raise damaged(f"the checksum of its {kind.decode()} chunk at byte {at} is wrong")
            chunks[kind].append(chunk)
        elif kind == b"eXIf":
            exif = content[start:end]
        elif kind == b"pHYs" and length == 9:
            across, down, unit = _unpack(">IIB", content, start)
            resolution = make_resolution(across, down, _METERS if unit == 1 else None)
        elif kind == b"iTXt" and content.startswith(_XMP, start):
            xmp = content[start:end]
        at = end + 4
    if not chunks[b"IHDR"] or not chunks[b"IDAT"]:
        raise damaged("it has no image data")
    size = _unpack(">II", chunks[b"IHDR"][0], 8)
    kept = b"".join([_SIGNATURE, *(chunk for kind in _PIXELS for chunk in chunks[kind])])
    # The significant bits of the first channel, after the length and the kind.
    bits = chunks[b"sBIT"][0][8] if chunks[b"sBIT"] else 0
    highest = 2**bits - 1 if 0 < bits <= 16 else None
    orientation, resolution = read_orientation(exif, xmp), resolution_beside_exif(resolution, exif)
    return Encoded(PngImageFile, kept, size, orientation=orientation, highest=highest, resolution=resolution)


def _unpack(code, content, at):
    try:
        return struct.unpack_from(code, content, at)
    except struct.error:
        raise truncated(content) from None
