"""Scans that differ from the others of the corpus."""

import os

import numpy as np

_RARE, _LEAST = 0.02, 10
_FAR = 3.0
_FORMATS = {
    **{suffix: ("JPEG", "MPO") for suffix in (".jpg", ".jpeg", ".jpe", ".jfif")},
    **{suffix: ("TIFF",) for suffix in (".tif", ".tiff")},
    **{suffix: ("PPM",) for suffix in (".pbm", ".pgm", ".ppm", ".pnm")},
    **{f".{name.lower()}": (name,) for name in ("PNG", "BMP", "GIF", "WEBP")},
}


def find_odd(columns, readable):
    """Find odd scans.

    Odd are: several pages; a suffix of another format; a format, mode or resolution that a single scan or at most 2 %
    have, if most of at least ten scans have the same; and a height, width or stroke width of more than three times,
    or less than a third of the median.

    Parameters
    ----------
    columns : dict of str to ndarray of shape (n_scans,)
        What the files say, and the sizes.
    readable : ndarray of shape (n_scans,), dtype bool
        Which scans can be read; the others are not odd as well.

    Returns
    -------
    dict of int to tuple of str
        The reasons, by row.
    """
    odd = {}
    rows = np.flatnonzero(readable)

    def note(row, reason):
        odd.setdefault(int(row), []).append(reason)

    for row in rows:
        if columns["pages"][row] > 1:
            note(row, f"{columns['pages'][row]} pages")
        suffix = os.path.splitext(columns["name"][row])[1].lower()
        if columns["format"][row] not in _FORMATS.get(suffix, {columns["format"][row]}):
            note(row, f"suffix {suffix}, but {columns['format'][row]}")
    for name in ("format", "mode", "dpi"):
        texts, which, counts = np.unique(columns[name][rows], return_inverse=True, return_counts=True)
        if len(rows) >= _LEAST and counts.max() > len(rows) / 2:
            usual = texts[counts.argmax()] or "none"
            for row, text in zip(rows, which):
                if counts[text] <= max(1, _RARE * len(rows)):
                    note(row, f"{name} {texts[text] or 'none'}, usually {usual}")
    for name in ("height", "width", "stroke_width"):
        # Scans without ink have no strokes.
        known = rows[np.isfinite(columns[name][rows])]
        values = columns[name][known]
        usual = np.median(values) if len(values) else 0
        for row in known[(values > _FAR * usual) | (values * _FAR < usual)]:
            note(row, f"{name.replace('_', ' ')} {columns[name][row]:.3g}, usually {usual:.3g}")
    return {row: tuple(odd[row]) for row in sorted(odd)}
