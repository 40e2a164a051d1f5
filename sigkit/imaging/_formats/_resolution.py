"""The resolution that files state, and how far it can be trusted."""

import math
import struct
from typing import NamedTuple

from sigkit.imaging._formats._exif import Directory

_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296
_PER_INCH = {2: 1.0, 3: 2.54}
"""Factors to pixels per inch, by the unit in the tags of TIFF and EXIF; others have no unit."""

_PLACEHOLDERS, _ROUNDED = (1, 2.54, 72, 96), 0.022
"""What software writes if nothing is known, in dpi, but for rounding to whole pixels per centimeter."""

_LIMITS = 50, 4800
_MAX_RATIO = 4
_PER_METER_ERROR = 0.013
_SQUARE = 1.02
_DIFFERENT = 1.05
"""Ratio from which two resolutions contradict each other."""

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
    other : Resolution or None, default=None
        One that the file states too, and that contradicts this one.
    """

    down: float
    across: float
    has_unit: bool = True
    other: "Resolution | None" = None

    @property
    def has_shape(self):
        """Whether the ratio of the sides can be that of pixels: both are positive, and none is four times the other."""
        sides = self.down, self.across
        return all(0 < side < math.inf for side in sides) and max(sides) <= _MAX_RATIO * min(sides)

    @property
    def is_square(self):
        """Whether pixels are taken to be as high as wide: but for 2 %, or because the ratio has no meaning."""
        return not self.has_shape or max(self.down, self.across) <= _SQUARE * min(self.down, self.across)

    @property
    def is_placeholder(self):
        """Whether software writes this if it knows nothing: 72 dpi, or numbers without a unit."""
        is_usual = any(abs(self.across / usual - 1) < _ROUNDED for usual in _PLACEHOLDERS)
        return self.has_shape and self.is_square and (is_usual or not self.has_unit)

    @property
    def is_known(self):
        """Whether it can be the resolution of a scan: from 50 to 4800 dpi, and no placeholder."""
        is_possible = self.has_shape and all(_LIMITS[0] <= side <= _LIMITS[1] for side in self[:2])
        return self.has_unit and is_possible and not self.is_placeholder

    @property
    def is_absurd(self):
        """Whether it is neither known, nor a placeholder, nor the shape of pixels."""
        return self.is_square and not self.is_known and not self.is_placeholder

    @property
    def dpi(self):
        """Pixels per inch down and across; if they are not known, those of pixels of this shape, the finer side 300."""
        if self.is_known:
            return self.down, self.across
        if not self.has_shape:
            return CANVAS_DPI, CANVAS_DPI
        finest = max(self.down, self.across)
        return CANVAS_DPI * self.down / finest, CANVAS_DPI * self.across / finest

    @property
    def has_other_shape(self):
        """Whether the two resolutions of the file contradict each other in the shape of the pixels."""
        return self.other is not None and _differ(self.down * self.other.across, self.across * self.other.down)

    def beside(self, exif):
        """Return the resolution of a file that states this one, and another one or None in its EXIF data.

        Software writes 72 dpi into the one, and the resolution of the scanner into the other: the one that is known
        counts. If they contradict each other, each has a meaning, and the result has both.
        """
        if exif is None:
            return self
        chosen, other = (exif, self) if exif.is_known and not self.is_known else (self, exif)
        if chosen.is_known and other.is_known:
            is_other = any(_differ(*sides) for sides in zip(chosen[:2], other[:2]))
        else:
            is_other = chosen._replace(other=other).has_other_shape and not (
                chosen.is_placeholder or other.is_placeholder or chosen.is_absurd or other.is_absurd
            )
        return chosen._replace(other=other) if is_other else chosen

    def turned(self):
        """Return the resolution of the image after a quarter turn."""
        return self._replace(down=self.across, across=self.down, other=self.other and self.other.turned())

    def __str__(self):
        if self.other is not None:
            return f"{self._replace(other=None)} in one place and {self.other} in another"
        if not self.has_unit and self.has_shape and not self.is_square:
            return f"pixels of {self.down / self.across:.3g} : 1"
        sides = f"{self.across:.4g}", f"{self.down:.4g}"
        unit = "dpi" if self.has_unit else "without a unit"
        return f"{sides[0]} {unit}" if sides[0] == sides[1] else f"{' x '.join(sides)} {unit}"


def _differ(first, second):
    return max(first, second) > _DIFFERENT * min(first, second)


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
        None if nothing is stated: neither number is positive and finite, or both are 1 without a unit.
    """
    if not any(math.isfinite(side) and side > 0 for side in (across, down)):
        return None
    across, down = (0.0 if math.isnan(side) else side for side in (across, down))
    if unit is None:
        return None if across == down == 1 else Resolution(down, across, has_unit=False)
    return Resolution(*(_to_whole(side * unit) for side in (down, across)))


def _to_whole(dpi):
    """Return a whole number if the dpi became a fraction because the file has whole pixels per meter."""
    is_whole = math.isfinite(dpi) and abs(dpi - round(dpi)) < _PER_METER_ERROR
    return float(round(dpi)) if is_whole else dpi


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


def resolution_beside_exif(stated, exif):
    """Return the resolution of a file that has a place of its own for it, and EXIF data.

    Parameters
    ----------
    stated : Resolution or None
        What the file states in its own place.
    exif : bytes
        EXIF data, or nothing.

    Returns
    -------
    Resolution or None
        None if neither states one.
    """
    of_exif = resolution_of_exif(exif)
    return of_exif if stated is None else stated.beside(of_exif)
