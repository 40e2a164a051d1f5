"""The findings of an audit, as text, as columns and as a page of pictures."""

from dataclasses import dataclass, field

import numpy as np

from sigkit._utils import optional_package
from sigkit.datasets._audit._copies import LEVELS, copy_groups, relations
from sigkit.datasets._audit._display import AuditDisplay
from sigkit.datasets._audit._shortcuts import Shortcut
from sigkit.datasets._audit._text import describe_audit


@dataclass(frozen=True, eq=False)
class CorpusAudit:  # numpydoc ignore=PR01
    """What an audit of a corpus found; `print` it for a report.

    Attributes
    ----------
    columns : dict of str to ndarray of shape (n_scans,)
        One row per scan: "name", "writer" and "forgery"; "file_size", "format", "mode", "pages" and "dpi" of the file;
        the statistics of the raw image and of the preprocessed ink (see Notes); "error" and "defects"; and
        "first_file", "first_pixels" and "first_near", the first row with the same bytes, the same pixels and nearly the
        same ink.
    shortcuts : tuple of Shortcut
        Every statistic, by kind of forgery, that with the greatest area under the ROC curve first.
    unreadable : dict of int to str
        The reason, by row of the scan.
    odd : dict of int to tuple of str
        The reasons, by row: several pages, a format, mode, resolution or size that hardly any other scan has.
    poor : dict of int to tuple of str
        The defects, by row: "blank" without any ink, "faint", "small" or "dark_paper".
    min_auc : float
        The least lower bound of a strong shortcut.
    near : float
        The least correlation of near copies.
    confidence : float
        The confidence level of the intervals.
    n_bootstraps : int
        The number of bootstrap resamples.
    resampled : {"writers", "scans"}
        What the bootstrap drew.
    images : list
        The scans, for the pictures.

    See Also
    --------
    audit : Audits a corpus.

    Notes
    -----
    Of the raw image: height, width, area, aspect (width by height), mean_gray, gray_levels (how many gray values
    occur), background and background_spread (mean and standard deviation of the pixels above Otsu's threshold),
    ink_gray and ink_share (mean and share of the others). Of the ink after preprocessing: ink_height, ink_width,
    ink_area and ink_aspect of its bounding box, ink_pixels, ink_density (their share of the box), stroke_gray (their
    mean, 0 is black) and stroke_width. They do not depend on a canvas. Strong shortcuts among them can be a part of the
    handwriting.

    Examples
    --------
    >>> from sigkit.datasets import audit, make_signatures
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=4, random_state=0)
    >>> print(audit(scans + scans[:1], [*target, target[0]], n_bootstraps=0))
    Audit of 25 scans of 3 writers: 13 genuine, 12 skilled.
    ...
    """

    columns: dict = field(repr=False)
    shortcuts: tuple[Shortcut, ...]
    unreadable: dict[int, str]
    odd: dict[int, tuple]
    poor: dict[int, tuple]
    min_auc: float
    near: float
    confidence: float
    n_bootstraps: int
    resampled: str
    images: list = field(repr=False)

    def copy_groups(self, level="near") -> list[list[int]]:
        """Return the rows of each group of copies.

        Parameters
        ----------
        level : {"file", "pixels", "near"}, default="near"
            What is equal: the bytes of the files, the pixels, or the ink, nearly. Each includes those before it.

        Returns
        -------
        list of list of int
            The groups of two or more scans.
        """
        return copy_groups(self._first(level))

    def count_copies(self, level="near") -> dict[str, int]:
        """Count copies by what they are copies of.

        Parameters
        ----------
        level : {"file", "pixels", "near"}, default="near"
            What is equal; see `copy_groups`.

        Returns
        -------
        dict of str to int
            "same": scans that are a copy of another one of the same writer and kind, not counting the first of each
            group; "kinds": scans in groups with several kinds of signatures of one writer; "writers": scans in groups
            with several writers.
        """
        return relations(self._first(level), self.columns["writer"], self.columns["forgery"])

    def to_dict(self) -> dict:
        """Convert the findings to a dict that `json.dumps` accepts.

        Returns
        -------
        dict
            "shortcuts", a list of dicts; "copies", the counts by level; "unreadable", "odd" and "poor" by the name of
            the scan; and the settings.
        """
        names = self.columns["name"]
        found = {
            "n_scans": len(names),
            "shortcuts": [_without_nan(vars(shortcut)) for shortcut in self.shortcuts],
            "copies": {level: self.count_copies(level) for level in LEVELS},
        }
        for name in ("unreadable", "odd", "poor"):
            found[name] = {str(names[row]): reason for row, reason in getattr(self, name).items()}
        settings = ("min_auc", "near", "confidence", "n_bootstraps", "resampled")
        return found | {name: getattr(self, name) for name in settings}

    def to_frame(self):
        """Convert the columns to a DataFrame.

        Returns
        -------
        pandas.DataFrame
            One row per scan. pandas is imported by this method only.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        with optional_package("pandas", "to_frame"):
            import pandas as pd

        return pd.DataFrame(self.columns)

    def plot(self, n_scans=20, *, figure=None) -> AuditDisplay:
        """Plot a page of pictures: the scans that a person should look at first.

        Parameters
        ----------
        n_scans : int, default=20
            The largest number of scans.
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        AuditDisplay
            The display, with `rows_`, `axes_` and `figure_`.
        """
        return AuditDisplay(self).plot(n_scans, figure=figure)

    def __str__(self) -> str:
        return describe_audit(self)

    def _first(self, level):
        if level not in LEVELS:
            raise ValueError(f"level must be one of {', '.join(map(repr, LEVELS))}, got {level!r}.")
        return self.columns[f"first_{level}"]


def _without_nan(found):
    # JSON has no NaN.
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in found.items()}
