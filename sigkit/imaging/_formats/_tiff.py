"""One page of a TIFF file."""

import struct
from functools import partial

from PIL.TiffImagePlugin import TiffImageFile

from sigkit.imaging._error import ImageError, damaged, not_supported, truncated
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._exif import Directory, read_orientation
from sigkit.imaging._formats._fax import check_fax
from sigkit.imaging._formats._jpeg import open_jpeg
from sigkit.imaging._formats._pages import choose_page
from sigkit.imaging._formats._resolution import resolution_of_tags
from sigkit.imaging._formats._tiff_pages import find_directories, find_tiff_scans, has_scan_elsewhere

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _PLANES, _FAX_OPTIONS, _XMP = 274, 277, 278, 284, 292, 700
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_STRIPS, _TILES = (273, 279), (324, 325)
_COLOR_MAP, _LARGEST, _JPEG_TABLES, _COEFFICIENTS, _REFERENCE = 320, 281, 347, 529, 532
_SAMPLE_FORMAT, _SIGNED = 339, 2

# The tags that the decoder gets, beside those of the strips or tiles, each with the largest number of its values.
_INTEGERS = {tag: 1 for tag in (_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _SAMPLES, _PLANES, 317)}
_INTEGERS |= {_FAX_OPTIONS: 1, 293: 1, _BITS: 6, 338: 6, _SAMPLE_FORMAT: 6, _COLOR_MAP: 3 * 2**16, 530: 2}
_OTHERS = {_JPEG_TABLES: (7, 2**16), _COEFFICIENTS: (5, 3), _REFERENCE: (5, 6)}

# LZMA can need 4 GB of memory, whatever the size of the image; the others are of no scanner.
_RAW, _JPEG, _ZSTANDARD = 1, 7, 50000
_FAX = {2: "modified Huffman", 3: "Group 3", 4: "Group 4", 32771: "modified Huffman"}
_COMPRESSIONS = {_RAW, *_FAX, 5, _JPEG, 8, 32773, 32946, _ZSTANDARD}
_WORDS = {32771: 2}
_ZSTANDARD_BYTES = 2**27
"""Memory that its decoder can take: frames with a larger window are refused by it."""
_MAX_FAX = 2**22
"""Bytes of fax code: the lines of each are checked in Python, at about a million bytes per second."""

_RGB, _YCBCR = 2, 6
_MAX_PIECES = 2**16
_MAX_OVERLAP = 2**26
"""Bytes by which the strips may be longer than the file: some writers use the same blank strip several times."""

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def open_tiff(content, page=None):
    """Return the `Encoded` image of a page of a TIFF file, with a directory of the necessary tags only.

    Pillow reads all tags of all pages, and warns for each that is damaged.
    """
    places = find_directories(content, page)
    page = choose_page(page, len(places), lambda: find_tiff_scans(content, places))
    try:
        directory = Directory(content, places[page])
        if has_scan_elsewhere(directory):
            raise not_supported("it is a raw file of a camera")
        if directory.integer(_COMPRESSION, _RAW) not in _COMPRESSIONS:
            raise not_supported(f"TIFF compression {directory.integer(_COMPRESSION)} is not read")
        layout = _Layout(directory)
        # Samples of 12 bits have no order of bytes, and Pillow reads one only.
        order = "<" if layout.bits == 12 else directory.order
        tags = _necessary_tags(directory, layout, order)
        # Pillow does not invert samples of more than 8 bits.
        tags[_PHOTOMETRIC] = _pack(order, (layout.photometric or int(layout.bits > 8),))
        xmp = directory.data(_XMP) if _XMP in directory else b""
        orientation = directory.integer(_ORIENTATION, 1)
        highest, is_signed = _highest(directory, layout.bits), directory.integer(_SAMPLE_FORMAT, 1) == _SIGNED
        if is_signed and layout.bits < 16:
            raise not_supported(f"its samples are signed integers of {layout.bits} bits")
    except (struct.error, ValueError, OverflowError) as error:
        if isinstance(error, ImageError):
            raise
        raise damaged(f"its tags are not valid: {error}") from None
    kept = content
    if layout.fill_order == 2 and layout.compression not in (_JPEG, *_FAX):
        # Pillow knows this order for some kinds of pixels only.
        kept, tags[_FILL_ORDER] = content.translate(_REVERSED), _pack(order, (1,))
    kept = _append_directory(kept, order, tags)
    if not 1 <= orientation <= 8:
        orientation = 1
    return Encoded(
        TiffImageFile,
        kept,
        (layout.width, layout.height),
        layout.decoder_bytes,
        orientation if _ORIENTATION in directory else read_orientation(xmp=xmp),
        partial(layout.check_pieces, content),
        highest=highest,
        bits=15 if is_signed and layout.bits == 16 else 16,
        is_inverted=layout.photometric == 0,
        resolution=resolution_of_tags(directory),
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
        self.bits = max(bits)
        self.photometric = integer(_PHOTOMETRIC, _likely_photometric(self.compression, samples))
        self.row_bytes = -(-self.piece_width * pixel_bits // 8)
        self.decoder_bytes = self.row_bytes * self.piece_height
        if separate and samples > 1 and self.bits > 8 and self.compression == _RAW:
            # Pillow reads their bytes as samples of 8 bits.
            raise not_supported("its colors have 16 bits, are stored in separate planes, and are not compressed")
        if self.compression == _ZSTANDARD:
            self.decoder_bytes += _ZSTANDARD_BYTES
        if self.photometric == _YCBCR:
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


def _likely_photometric(compression, samples):
    """Return the photometric interpretation of a file without one: white is 0 in a fax."""
    return 0 if compression in _FAX else _RGB if samples >= 3 else 1


def _highest(directory, bits):
    """Return the largest value that samples can have, or None if 16 bits or more can be used in part."""
    if bits < 16:
        return 2**bits - 1
    is_valid = _LARGEST in directory and directory.kind(_LARGEST) in (3, 4)
    return (directory.integer(_LARGEST) or None) if is_valid else None


def _necessary_tags(directory, layout, order):
    """Return the type, the number and the bytes of the values of each tag that the decoder needs."""
    tags = {}
    for tag, most in _INTEGERS.items():
        values = directory.integers(tag, most)
        if tag == _COLOR_MAP and values and max(values) < 256:
            # Some writers give 8 bits instead of 16.
            values = tuple(257 * value for value in values)
        if values:
            tags[tag] = _pack(order, values)
    for tag, (kind, most) in _OTHERS.items():
        if tag in directory and directory.kind(tag) == kind:
            size = 8 if kind == 5 else 1
            data = directory.data(tag)[: most * size]
            tags[tag] = kind, len(data) // size, data
    if layout.tiled:
        tags[_TILE_WIDTH] = _pack(order, (layout.piece_width,))
        tags[_TILE_HEIGHT] = _pack(order, (layout.piece_height,))
    else:
        tags[_ROWS_PER_STRIP] = _pack(order, (layout.piece_height,))
    for tag, values in zip(_TILES if layout.tiled else _STRIPS, (layout.offsets, layout.counts)):
        tags[tag] = _pack(order, values)
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
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, start)
    padding = b"\0" * (start - len(content))
    return b"".join([header, memoryview(content)[8:], padding, *entries, b"\0" * 4, *values])
