"""Directories of tags as in TIFF files, and the orientation that cameras write into one."""

import re
import struct

# By the type of a tag (byte, text, short, long, rational, undefined, float, double, long8): the bytes of one value, and
# the codes of `struct` for integers and for floating-point numbers.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 11: 4, 12: 8, 16: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_FLOATS = {11: "f", 12: "d"}
_RATIONAL = 5

_MAX_TAGS = 2**16
_ORIENTATION = 0x0112
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])")


class Directory:
    """A directory of tags in the content of a TIFF file: the first, or one at another position.

    Pillow reads every tag of every directory, and warns once for each that is damaged. This class reads one directory,
    and values only when they are asked for. A damaged file raises `struct.error` or `ValueError`.

    Parameters
    ----------
    content : bytes
        The content of the file.
    start : int or None, default=None
        The position of the directory; None for the first.

    Attributes
    ----------
    next : int
        The position of the next directory; 0 if there is none.
    """

    def __init__(self, content, start=None):
        self.content = content
        self.order = {b"II": "<", b"MM": ">"}[content[:2]]
        (version,) = self._unpack("H", 2)
        # BigTIFF, with offsets of eight bytes.
        big = version == 43
        if start is None:
            (start,) = self._unpack("Q", 8) if big else self._unpack("I", 4)
        (n_tags,) = self._unpack("Q" if big else "H", start)
        start, step = start + (8 if big else 2), 20 if big else 12
        end = start + n_tags * step
        self.next = 0
        if n_tags <= _MAX_TAGS and end + (8 if big else 4) <= len(content):
            (self.next,) = self._unpack("Q" if big else "I", end)
        # Fewer if the file has no room for so many.
        n_tags = min(n_tags, _MAX_TAGS, (len(content) - start) // step)
        self._tags = {}
        for at in range(start, start + n_tags * step, step):
            tag, kind, count = self._unpack("HHQ" if big else "HHI", at)
            size = _SIZES.get(kind, 0) * count
            at += 12 if big else 8
            if size > (8 if big else 4):
                (at,) = self._unpack("Q" if big else "I", at)
            # Of a tag that occurs twice, the first counts.
            self._tags.setdefault(tag, (kind, count, at, size))

    def _unpack(self, code, at):
        try:
            return struct.unpack_from(self.order + code, self.content, at)
        except OverflowError:
            # Offsets of eight bytes can be larger than any position.
            raise struct.error(f"a position of {at} is beyond the end") from None

    def __len__(self):
        return len(self._tags)

    def __contains__(self, tag):
        return tag in self._tags

    def kind(self, tag):
        """Return the type of a tag."""
        return self._tags[tag][0]

    def data(self, tag):
        """Return the bytes of a tag's values."""
        _, _, at, size = self._tags[tag]
        if at + size > len(self.content):
            raise ValueError(f"tag {tag} is beyond its end")
        return self.content[at : at + size]

    def integers(self, tag, most, default=()):
        """Return the first values of a tag, or the default if there is none."""
        if tag not in self._tags:
            return default
        kind, count, _, _ = self._tags[tag]
        if kind not in _INTEGERS or not count:
            raise ValueError(f"tag {tag} has {count} values of type {kind}, not integers")
        count = min(count, most)
        return struct.unpack_from(f"{self.order}{count}{_INTEGERS[kind]}", self.data(tag))

    def integer(self, tag, default=None):
        """Return the first value of a tag, or the default if there is none."""
        values = self.integers(tag, 1, (default,))
        if values[0] is None:
            raise ValueError(f"tag {tag} is missing")
        return values[0]

    def number(self, tag):
        """Return the first value of a tag, of any type of number; NaN for a rational number with the denominator 0."""
        kind = self.kind(tag)
        if kind == _RATIONAL:
            above, below = struct.unpack_from(f"{self.order}II", self.data(tag))
            return above / below if below else float("nan")
        if kind in _FLOATS:
            return struct.unpack_from(self.order + _FLOATS[kind], self.data(tag))[0]
        return float(self.integer(tag))


def read_orientation(exif=b"", xmp=b""):
    """Return the orientation, 1 to 8, that the EXIF or XMP data of a photograph give; 1 if they give none.

    Parameters
    ----------
    exif : bytes
        The content of a small TIFF file, sometimes after the mark "Exif".
    xmp : bytes
        XML text.

    Returns
    -------
    int
        1 for an image that is shown as it is stored.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    if exif[:4] in (b"II*\0", b"MM\0*"):
        try:
            orientation = Directory(exif).integer(_ORIENTATION, 0)
            if 1 <= orientation <= 8:
                return orientation
        except (struct.error, ValueError):
            # Damaged data of the camera do not affect the pixels.
            pass
    found = _XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else 1
