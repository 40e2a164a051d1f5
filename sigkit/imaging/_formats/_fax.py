"""Check the code of fax-compressed strips: libtiff decodes damaged lines to other pixels, without an error."""

from functools import lru_cache

import numpy as np

from sigkit.imaging._error import damaged

# The codes of ITU-T T.4, in the order of the run lengths: 0 to 63, then multiples of 64 up to 1728.
_WHITE = (
    "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 101010 101011 "
    "0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 "
    "00011010 00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 "
    "00101100 00101101 00000100 00000101 00001010 00001011 01010010 01010011 01010100 01010101 00100100 00100101 "
    "01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100 11011 10010 010111 0110111 "
    "00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011 011010100 "
    "011010101 011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 "
    "010011011"
)
_BLACK = (
    "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 "
    "0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 "
    "00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001 000001101010 "
    "000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 000001101100 "
    "000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111 000001100100 "
    "000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 "
    "000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111 0000001111 "
    "000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101 "
    "0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100 0000001110101 "
    "0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011 "
    "0000001100100 0000001100101"
)
# Multiples of 64 from 1792 to 2560, of both colors.
_LONG = (
    "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 "
    "000000010111 000000011100 000000011101 000000011110 000000011111"
)
# The modes of T.6. The vertical ones are shifts from the line before.
_VERTICAL = {"1": 0, "011": 1, "000011": 2, "0000011": 3, "010": -1, "000010": -2, "0000010": -3}
_PASS, _HORIZONTAL = "0001", "001"

_WINDOW = 13
"""Number of bits of the longest code."""

_INVALID = -(2**40)
"""The run of a window that begins with no code: no line can contain it."""

_CHUNK = 2**16
"""Number of bytes for which the windows are computed at once."""


class _Damaged(Exception):
    """The code of a line is not valid."""


def check_fax(code, columns, rows, *, scheme, two_dimensional=False, word=1):
    """Check that fax code describes an image of the given size, line by line.

    A changed bit that turns one valid line into another cannot be found, because the code has no checksum.

    Parameters
    ----------
    code : bytes
        The code of one strip or tile, the first bit of a byte being its highest.
    columns, rows : int
        The size of the strip.
    scheme : {"Group 3", "Group 4", "modified Huffman"}
        The compression. In the last one, lines begin at whole words and have no end-of-line codes.
    two_dimensional : bool, default=False
        Whether lines of Group 3 may refer to the line before.
    word : int, default=1
        Bytes in a word.

    Raises
    ------
    ImageError
        If a line is not valid code, or has another number of pixels.
    """
    bits = _Bits(code, columns)
    line, has_ends = [columns] * 4, False
    for row in range(rows):
        try:
            if bits.at > bits.enough:
                bits.advance()
            is_2d = scheme == "Group 4"
            if scheme == "Group 3":
                ended = bits.skip_end_of_line()
                # An end-of-line code is before every line or before none: libtiff skips all code before the first one.
                if row and ended != has_ends:
                    raise _Damaged
                has_ends = ended
                is_2d = ended and two_dimensional and bits.take() == 0
            elif scheme == "modified Huffman":
                bits.align(word)
            if is_2d:
                bits.at, line = _read_2d(bits.windows, bits.at, columns, line)
            else:
                bits.at, line = _read_1d(bits.windows, bits.at, columns)
        except (_Damaged, IndexError):
            raise damaged(f"line {row + 1} of {rows} of its {scheme} code is not valid") from None
    if bits.n_left() < 0:
        raise damaged(f"its {scheme} code ends before line {rows}")


class _Bits:
    """A position in the code, and for each position near it the next 13 bits."""

    def __init__(self, code, columns):
        self._code, self._n_bits, self._start = code, 8 * len(code), 0
        # The code of a line in a sound file is much shorter than four bits per pixel.
        self._chunk = max(_CHUNK, columns)
        self.enough = 4 * self._chunk
        self._compute()

    def _compute(self):
        part = self._code[self._start : self._start + self._chunk + 2] + bytes(3)
        part = np.frombuffer(part, dtype=np.uint8).astype(np.uint32)
        three = part[:-2] << 16 | part[1:-1] << 8 | part[2:]
        shifts = np.arange(24 - _WINDOW, 24 - _WINDOW - 8, -1, dtype=np.uint32)
        windows = (three[:, np.newaxis] >> shifts) & (2**_WINDOW - 1)
        self.windows, self.at = memoryview(windows.astype(np.uint16).ravel()), 0

    def advance(self):
        """Compute the windows of the next chunk, once the position is in the second half of this one."""
        self._start, bit = self._start + self.at // 8, self.at % 8
        self._compute()
        self.at = bit

    def n_left(self):
        return self._n_bits - 8 * self._start - self.at

    def take(self):
        self.at += 1
        return self.windows[self.at - 1] >> (_WINDOW - 1)

    def align(self, word):
        self.at += -(8 * self._start + self.at) % (8 * word)

    def skip_end_of_line(self):
        """Skip an end-of-line code, 11 or more zeros and a one, and return whether there is one."""
        if self.windows[self.at] >> 2:
            return False
        while not self.windows[self.at] >> 12:
            self.at += 1
        self.at += 1
        return True


def _read_2d(windows, at, columns, reference):
    """Return the position after a line and the columns where its color changes, given those of the line before."""
    modes, runs = _tables()
    changes = []
    # `index` is the next change of the line before that is to the right of `start` and to the other color.
    start = index = 0
    while start < columns:
        n_bits, vertical, mode = modes[windows[at]]
        at += n_bits
        for shift, n_after in vertical:
            stop = reference[index] + shift
            if start < stop < reference[index + 1] and (shift >= 0 or reference[index - 1] <= stop):
                # Nearly always the next change belongs to the next one of the line before.
                start = stop
                changes.append(stop)
                index += 1
                continue
            if not (start < stop <= columns or (stop == 0 and not changes)):
                raise _Damaged
            start = stop
            changes.append(stop)
            if start == columns:
                # The other codes belong to the next line.
                at -= n_after
                break
            index += 1 if index == 0 else -1
            while reference[index] <= start:
                index += 2
        if vertical:
            continue
        if mode == _HORIZONTAL:
            color = len(changes) % 2
            at, start = _read_run(windows, at, runs[color], start, columns)
            _append(changes, start)
            at, start = _read_run(windows, at, runs[1 - color], start, columns)
            _append(changes, start)
        elif mode == _PASS and reference[index + 1] < columns:
            start = reference[index + 1]
        else:
            raise _Damaged
        while reference[index] <= start < columns:
            index += 2
    return at, changes + [columns] * 4


def _read_1d(windows, at, columns):
    """Return the position after a line of white and black runs, and the columns where its color changes."""
    runs = _tables()[1]
    changes = []
    start = color = 0
    while start < columns:
        at, start = _read_run(windows, at, runs[color], start, columns)
        _append(changes, start)
        color = 1 - color
    return at, changes + [columns] * 4


def _read_run(windows, at, table, start, columns):
    """Return the position after the codes of a run that begins at a column, and the column where it ends."""
    run = 64
    while run >= 64:
        n_bits, run = table[windows[at]]
        at += n_bits
        start += run
    if not 0 <= start <= columns:
        raise _Damaged
    return at, start


def _append(changes, column):
    """Append a change of color; a run of no pixels, which joins two others, undoes the change before."""
    if changes and changes[-1] == column:
        changes.pop()
    else:
        changes.append(column)


@lru_cache(maxsize=1)
def _tables():
    """Return what a window begins with: the codes of a line of T.6, and for each color (number of bits, run)."""
    lengths, long = [*range(64), *range(64, 1729, 64)], dict(zip(_LONG.split(), range(1792, 2561, 64)))
    runs = [_first_codes(dict(zip(codes.split(), lengths)) | long, _INVALID) for codes in (_WHITE, _BLACK)]
    shifts = _first_codes(_VERTICAL, None)
    others = _first_codes({mode: mode for mode in (_PASS, _HORIZONTAL)}, "invalid")
    modes = []
    for window in range(2**_WINDOW):
        at, found = 0, []
        while at < _WINDOW:
            n_bits, shift = shifts[(window << at) % 2**_WINDOW]
            if shift is None or at + n_bits > _WINDOW:
                break
            at += n_bits
            found.append((shift, at))
        vertical = tuple((shift, at - end) for shift, end in found)
        n_bits, mode = (at, "") if vertical else others[window]
        modes.append((n_bits, vertical, mode))
    return modes, runs


def _first_codes(values, other):
    """Return the number of bits and the value of the code that each window begins with, or (0, other)."""
    table = [(0, other)] * 2**_WINDOW
    for code, value in values.items():
        n_free = 2 ** (_WINDOW - len(code))
        first = int(code, 2) * n_free
        table[first : first + n_free] = [(len(code), value)] * n_free
    return table
