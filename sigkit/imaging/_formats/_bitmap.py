"""BMP files, and those of the PBM, PGM and PPM formats."""

import re
import struct

from PIL.BmpImagePlugin import BmpImageFile
from PIL.PpmImagePlugin import PpmImageFile

from sigkit.imaging._error import not_supported, truncated
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._resolution import make_resolution

_RUN_LENGTH = (1, 2)
_METERS = 0.0254
"""Meters in an inch."""

_MAX_SLOW = 2**22
"""The largest number of bytes, or of samples, that Pillow decodes in Python, at about a million per second."""

_MAX_HEADER = 2**12
_NUMBER = rb"\s+(?:#[^\r\n]*[\r\n]\s*)*(\d{1,9})"
_PNM = re.compile(rb"(P4)" + _NUMBER * 2 + rb"()\s|(P[56])" + _NUMBER * 3 + rb"\s")
_CHANNELS = {b"P5": 1, b"P6": 3}


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


def open_pnm(content):
    """Return the `Encoded` image of a binary PBM, PGM or PPM file, with a header that has no comments."""
    found = _PNM.match(content[:_MAX_HEADER])
    if not found:
        raise not_supported("its header is damaged, or it is of the plain kind, which is not read")
    kind, width, height, highest = (group for group in found.groups() if group is not None)
    width, height, channels = int(width), int(height), _CHANNELS.get(kind)
    if channels is None:
        row = -(-width // 8)
    else:
        row = width * channels * (2 if int(highest) > 255 else 1)
        # Others are scaled, and colors of 16 bits too.
        is_raw = int(highest) == 255 or (int(highest) == 65535 and kind == b"P5")
        if not is_raw and width * height * channels > _MAX_SLOW:
            raise not_supported(
                f"{kind.decode()} files with values up to {int(highest)} are read up to {_MAX_SLOW:,} samples"
            )
    pixels = memoryview(content)[found.end() :][: row * height]
    if len(pixels) < row * height:
        raise truncated(content)
    header = b" ".join([kind, b"%d" % width, b"%d" % height, highest]).rstrip() + b"\n"
    return Encoded(PpmImageFile, b"".join([header, pixels]), (width, height))
