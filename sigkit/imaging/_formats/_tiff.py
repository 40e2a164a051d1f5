"""TIFF files."""

import struct
from functools import partial

from PIL.TiffImagePlugin import TiffImageFile

from sigkit.imaging._error import ImageError, damaged, not_supported, truncated
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._exif import Directory, read_orientation
from sigkit.imaging._formats._fax import check_fax
from sigkit.imaging._formats._jpeg import open_jpeg
from sigkit.imaging._formats._resolution import resolution_of_tags

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _PLANES, _FAX_OPTIONS, _XMP = 274, 277, 278, 284, 292, 700
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_STRIPS, _TILES = (273, 279), (324, 325)
_JPEG_TABLES, _COEFFICIENTS, _REFERENCE = 347, 529, 532

# The tags that the decoder gets, beside those of the strips or tiles, each with the largest number of its values.
_INTEGERS = {tag: 1 for tag in (_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _SAMPLES, _PLANES, 317)}
_INTEGERS |= {_FAX_OPTIONS: 1, 293: 1, _BITS: 6, 338: 6, 339: 6, 320: 3 * 2**16, 530: 2}
_OTHERS = {_JPEG_TABLES: (7, 2**16), _COEFFICIENTS: (5, 3), _REFERENCE: (5, 6)}

# LZMA and Zstandard can need any amount of memory; the others are of no scanner.
_RAW, _JPEG = 1, 7
_FAX = {2: "modified Huffman", 3: "Group 3", 4: "Group 4", 32771: "modified Huffman"}
_COMPRESSIONS = {_RAW, *_FAX, 5, _JPEG, 8, 32773, 32946}
_WORDS = {32771: 2}
_MAX_FAX = 2**22
"""Bytes of fax code: the lines of each are checked in Python, at about a million bytes per second."""

_YCBCR = 6
_MAX_PIECES = 2**16
_MAX_OVERLAP = 2**26
"""Bytes by which the strips may be longer than the file: some writers use the same blank strip several times."""

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def open_tiff(content):
    """Return the `Encoded` image of a TIFF file: its first page, with a directory of the necessary tags only.

    Pillow reads all tags of all pages, and warns for each that is damaged.
    """
    try:
        directory = Directory(content)
        if directory.integer(_COMPRESSION, _RAW) not in _COMPRESSIONS:
            raise not_supported(f"TIFF compression {directory.integer(_COMPRESSION)} is not read")
        layout = _Layout(directory)
        tags = _necessary_tags(directory, layout)
        xmp = directory.data(_XMP) if _XMP in directory else b""
        orientation = directory.integer(_ORIENTATION, 1)
    except (struct.error, ValueError, OverflowError) as error:
        if isinstance(error, ImageError):
            raise
        raise damaged(f"its tags are not valid: {error}") from None
    kept = _append_directory(content, directory.order, tags)
    if not 1 <= orientation <= 8:
        orientation = 1
    return Encoded(
        TiffImageFile,
        kept,
        (layout.width, layout.height),
        layout.decoder_bytes,
        orientation if _ORIENTATION in directory else read_orientation(xmp=xmp),
        partial(layout.check_pieces, content),
        resolution_of_tags(directory),
    )


class _Layout:
    """The pieces of an image, which are strips or tiles: their sizes, and where they are in the file."""

    def __init__(self, directory):
        integer = directory.integer
        self.width, self.height = integer(_WIDTH), integer(_HEIGHT)
        self.compression = integer(_COMPRESSION, _RAW)
        self.fax_options, self.fill_order = integer(_FAX_OPTIONS, 0), integer(_FILL_ORDER, 1)
        self.tiled = _TILE_WIDTH in directory
        if self.tiled:
            self.piece_width, self.piece_height = integer(_TILE_WIDTH), integer(_TILE_HEIGHT)
            places = _TILES if _TILES[0] in directory else _STRIPS
        else:
            self.piece_width, self.piece_height = self.width, min(integer(_ROWS_PER_STRIP, self.height), self.height)
            places = _STRIPS
        if not min(self.width, self.height, self.piece_width, self.piece_height):
            raise ValueError("a side is 0")
        samples, bits = integer(_SAMPLES, 1), directory.integers(_BITS, _INTEGERS[_BITS], (1,))
        separate = integer(_PLANES, 1) == 2
        pixel_bits = max(bits) if separate else sum(bits) if len(bits) >= samples else bits[0] * samples
        self.row_bytes = -(-self.piece_width * pixel_bits // 8)
        self.decoder_bytes = self.row_bytes * self.piece_height
        if integer(_PHOTOMETRIC, 0) == _YCBCR:
            if self.compression == _RAW:
                raise not_supported("TIFF with colors as YCbCr that are not compressed is not read")
            # It is decoded by way of RGBA.
            self.decoder_bytes += 4 * self.piece_width * self.piece_height
        across = -(-self.width // self.piece_width)
        n_pieces = across * -(-self.height // self.piece_height) * (samples if separate else 1)
        if n_pieces > _MAX_PIECES:
            raise not_supported(f"it has {n_pieces:,} strips or tiles; at most {_MAX_PIECES:,} are read")
        self.offsets, self.counts = (directory.integers(tag, n_pieces) for tag in places)
        if len(self.offsets) < n_pieces or 0 < len(self.counts) < n_pieces:
            raise ValueError(f"{len(self.offsets)} of {n_pieces} strips or tiles")
        if not self.counts:
            self.counts = tuple(len(directory.content) - offset for offset in self.offsets)
        elif self.compression == _RAW:
            self.counts = tuple(self.row_bytes * rows for rows in self._rows())

    def _rows(self):
        """Yield the number of rows of each piece."""
        n_down = -(-self.height // self.piece_height)
        across = -(-self.width // self.piece_width)
        for piece in range(len(self.offsets)):
            row = piece // across % n_down
            yield self.piece_height if self.tiled else min(self.piece_height, self.height - row * self.piece_height)

    def check_pieces(self, content):
        """Raise unless the pieces are within the file, and are valid as far as libtiff does not check them."""
        if self.compression != _RAW and sum(self.counts) > len(content) + _MAX_OVERLAP:
            raise damaged("its strips or tiles overlap")
        scheme = _FAX.get(self.compression)
        if scheme and sum(self.counts) > _MAX_FAX:
            raise not_supported(f"it has {sum(self.counts):,} bytes of fax code; at most {_MAX_FAX:,} are read")
        for offset, count, rows in zip(self.offsets, self.counts, self._rows()):
            if offset + count > len(content):
                raise truncated(content)
            if self.compression == _JPEG:
                open_jpeg(content[offset : offset + count])
            if scheme:
                code = content[offset : offset + count]
                check_fax(
                    code.translate(_REVERSED) if self.fill_order == 2 else code,
                    self.piece_width,
                    rows,
                    scheme=scheme,
                    two_dimensional=bool(self.fax_options & 1),
                    word=_WORDS.get(self.compression, 1),
                )


def _necessary_tags(directory, layout):
    """Return the type, the number and the bytes of the values of each tag that the decoder needs."""
    tags = {}
    for tag, most in _INTEGERS.items():
        values = directory.integers(tag, most)
        if values:
            tags[tag] = _pack(directory.order, values)
    for tag, (kind, most) in _OTHERS.items():
        if tag in directory and directory.kind(tag) == kind:
            size = 8 if kind == 5 else 1
            data = directory.data(tag)[: most * size]
            tags[tag] = kind, len(data) // size, data
    if layout.tiled:
        tags[_TILE_WIDTH] = _pack(directory.order, (layout.piece_width,))
        tags[_TILE_HEIGHT] = _pack(directory.order, (layout.piece_height,))
    else:
        tags[_ROWS_PER_STRIP] = _pack(directory.order, (layout.piece_height,))
    for tag, values in zip(_TILES if layout.tiled else _STRIPS, (layout.offsets, layout.counts)):
        tags[tag] = _pack(directory.order, values)
    return tags


def _pack(order, values):
    """Return the type, short or long, the number and the bytes of integers."""
    kind, code = (3, "H") if max(values) < 2**16 else (4, "I")
    return kind, len(values), struct.pack(f"{order}{len(values)}{code}", *values)


def _append_directory(content, order, tags):
    """Return a TIFF file with a new directory at its end, which its first bytes refer to."""
    start = len(content) + len(content) % 2
    entries, values = [struct.pack(f"{order}H", len(tags))], []
    at = start + 2 + 12 * len(tags) + 4
    for tag, (kind, count, data) in sorted(tags.items()):
        entries.append(struct.pack(f"{order}HHI", tag, kind, count))
        if len(data) > 4:
            entries.append(struct.pack(f"{order}I", at))
            values.append(data + b"\0" * (len(data) % 2))
            at += len(values[-1])
        else:
            entries.append(data.ljust(4, b"\0"))
    header = content[:2] + struct.pack(f"{order}HI", 42, start)
    padding = b"\0" * (start - len(content))
    return b"".join([header, memoryview(content)[8:], padding, *entries, b"\0" * 4, *values])
