"""GIF files."""

import struct

from PIL.GifImagePlugin import GifImageFile

from sigkit.imaging._error import damaged, not_supported, truncated
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._resolution import make_resolution

_EXTENSION, _IMAGE, _TRAILER = b"!", b",", b";"
_GRAPHIC_CONTROL = 0xF9
_MAX_SIZE = 2**26
"""Bytes of a file, whose blocks can have one byte each."""

_HAS_COLORS, _TRANSPARENT = 0x80, 0x01


def open_gif(content):
    """Return the `Encoded` image of a GIF file: its first frame, without comments.

    How the frame is replaced by the next one is left out too, because it takes memory.
    """
    if len(content) > _MAX_SIZE:
        raise not_supported(f"GIF files are read up to {_MAX_SIZE:,} bytes")
    try:
        width, height, flags, background, aspect = struct.unpack_from("<HHBBB", content, 6)
        at = 13 + _color_bytes(flags)
        colors, control = content[13:at], b""
        while content[at : at + 1] == _EXTENSION:
            end = _end_of_blocks(content, at + 2)
            if content[at + 1] == _GRAPHIC_CONTROL and end - at == 8:
                control = bytes([*content[at : at + 3], content[at + 3] & _TRANSPARENT, *content[at + 4 : end]])
            at = end
        if content[at : at + 1] != _IMAGE:
            raise damaged("it has no image data")
        left, top, frame_width, frame_height, frame_flags = struct.unpack_from("<HHHHB", content, at + 1)
        data = at + 10 + _color_bytes(frame_flags)
        end = _end_of_blocks(content, data + 1)
    except (struct.error, IndexError):
        raise truncated(content) from None
    # A frame may be larger than the screen.
    size = max(width, left + frame_width), max(height, top + frame_height)
    screen = struct.pack("<HHBBB", *(min(side, 0xFFFF) for side in size), flags, background, aspect)
    kept = b"".join([content[:6], screen, colors, control, content[at:end], _TRAILER])
    # The width of a pixel in 64ths of its height, less 15; 0 if the file does not state it.
    resolution = make_resolution(1, (aspect + 15) / 64) if aspect else None
    return Encoded(GifImageFile, kept, size, resolution=resolution)


def _color_bytes(flags):
    return 3 * 2 ** ((flags & 7) + 1) if flags & _HAS_COLORS else 0


def _end_of_blocks(content, at):
    """Return the position after the blocks of data that begin at a position, and the empty block that ends them."""
    while content[at]:
        at += content[at] + 1
    return at + 1
