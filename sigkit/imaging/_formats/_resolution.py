"""The resolution that files state, and how far it can be trusted."""

import math
import struct
from typing import NamedTuple

from sigkit.imaging._formats._exif import Directory

_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296
_PER_INCH = {2: 1.0, 3: 2.54}
"""Factors to pixels per inch, by the unit in the tags of TIFF and EXIF; others have no unit."""

_DEFAULTS = (72, 96)
"""What software writes if nothing is known, in dpi."""

_LIMITS = 50, 4800
_MAX_RATIO = 4
_PER_METER_ERROR = 0.013
_SQUARE = 1.02
CANVAS_DPI = 300
"""Resolution of a canvas."""


class Resolution(NamedTuple):
    """The resolution that a file states; `make_resolution` makes it.

    Attributes
    ----------
    down, across : float
        Pixels per inch in a column, and in a row.
    has_unit : bool, default=True
        Whether they are pixels per inch; otherwise only their ratio has a meaning.
    """

    down: float
    across: float
    has_unit: bool = True

    @property
    def is_square(self):
        """Whether pixels are as high as wide, but for 2 %."""
        return max(self.down, self.across) <= _SQUARE * min(self.down, self.across)

    @property
    def is_known(self):
        """Whether it can be the resolution of a scan: from 50 to 4800 dpi, and not a default of software."""
        is_default = self.is_square and any(abs(self.across - default) < 0.5 for default in _DEFAULTS)
        return self.has_unit and not is_default and all(_LIMITS[0] <= side <= _LIMITS[1] for side in self[:2])

    @property
    def dpi(self):
        """Pixels per inch down and across; if they are not known, those of pixels of this shape, the finer side 300."""
        if self.is_known:
            return self.down, self.across
        finest = max(self.down, self.across)
        return CANVAS_DPI * self.down / finest, CANVAS_DPI * self.across / finest

    def turned(self):
        """Return the resolution of the image after a quarter turn."""
        return self._replace(down=self.across, across=self.down)

    def __str__(self):
        if not self.has_unit:
            return f"pixels of {self.down / self.across:.3g} : 1"
        sides = f"{self.across:.4g}", f"{self.down:.4g}"
        return f"{sides[0]} dpi" if sides[0] == sides[1] else f"{' x '.join(sides)} dpi"


def make_resolution(across, down, unit=None):
    """Make a resolution of the numbers in a file.

    Parameters
    ----------
    across, down : float
        Pixels per unit in a row, and in a column.
    unit : float or None, default=None
        The number of units in an inch, or None if the file gives none.

    Returns
    -------
    Resolution or None
        None if the numbers have no meaning: not positive, infinite, or of pixels four times as long as wide.
    """
    if not all(math.isfinite(side) and side > 0 for side in (across, down)):
        return None
    if max(across, down) > _MAX_RATIO * min(across, down):
        return None
    if unit is None:
        return None if across == down else Resolution(down, across, has_unit=False)
    return Resolution(*(_to_whole(side * unit) for side in (down, across)))


def _to_whole(dpi):
    """Return a whole number if the dpi became a fraction because the file has whole pixels per meter."""
    return float(round(dpi)) if abs(dpi - round(dpi)) < _PER_METER_ERROR else dpi


def resolution_of_tags(directory):
    """Return the resolution by the tags of a TIFF file or of EXIF data.

    Parameters
    ----------
    directory : Directory
        The tags.

    Returns
    -------
    Resolution or None
        None if there is none, or if its tags are damaged.
    """
    try:
        sides = [directory.number(tag) for tag in (_X_RESOLUTION, _Y_RESOLUTION) if tag in directory]
        unit = _PER_INCH.get(directory.integer(_UNIT, 2))
    except (struct.error, ValueError):
        return None
    # One side alone is that of square pixels.
    return make_resolution(sides[0], sides[-1], unit) if sides else None


def resolution_of_exif(exif):
    """Return the resolution in EXIF data, or None.

    Parameters
    ----------
    exif : bytes
        The content of a small TIFF file, sometimes after the mark "Exif".

    Returns
    -------
    Resolution or None
        None if there is none, or if the data are damaged.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    if exif[:4] not in (b"II*\0", b"MM\0*"):
        return None
    try:
        return resolution_of_tags(Directory(exif))
    except struct.error:
        return None
