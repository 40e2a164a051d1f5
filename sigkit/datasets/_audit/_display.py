"""A page of pictures of the scans that an audit found; matplotlib is imported on plotting."""

import math
import os
import textwrap
from collections import Counter

import numpy as np

from sigkit._utils import listing, optional_package
from sigkit.imaging import ImageError, read_image

_N_COLUMNS = 5


class AuditDisplay:
    """Pictures of the scans of an audit that a person should look at first.

    First those that cannot be read, then copies with different labels, odd and poor scans, and the extremes of the
    strongest shortcut.

    Parameters
    ----------
    found : CorpusAudit
        The findings.

    Attributes
    ----------
    rows_ : list of int
        The rows of the scans that are shown.
    axes_ : list of matplotlib Axes
        The axes of each.
    figure_ : matplotlib Figure
        The page.

    See Also
    --------
    audit : Audits a corpus.

    Examples
    --------
    >>> from sigkit.datasets import audit, AuditDisplay
    >>> display = AuditDisplay(audit(images, target)).plot()  # doctest: +SKIP
    >>> display.figure_.savefig("worst.png")  # doctest: +SKIP
    """

    def __init__(self, found):
        self.found = found

    def plot(self, n_scans=20, *, figure=None):
        """Plot the page.

        Parameters
        ----------
        n_scans : int, default=20
            The largest number of scans.
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        AuditDisplay
            The display.
        """
        chosen = self._choose(max(1, n_scans))
        self.rows_ = list(chosen)
        n_lines = max(1, math.ceil(len(chosen) / _N_COLUMNS))
        if figure is None:
            with optional_package("matplotlib", type(self).__name__):
                import matplotlib.pyplot as plt

            figure = plt.figure(figsize=(3 * _N_COLUMNS, 2 * n_lines), layout="constrained")
        self.figure_, self.axes_ = figure, []
        for place, (row, reason) in enumerate(chosen.items(), start=1):
            axes = figure.add_subplot(n_lines, _N_COLUMNS, place)
            self._show(axes, row, reason)
            self.axes_.append(axes)
        return self

    def _choose(self, n_scans):
        """Return reasons by row, the gravest first."""
        # Of several scans with the same defect, a few are shown before the next defect, and the others after all.
        first, later, counts = {}, {}, Counter()
        for category, row, reason in self._worst():
            if row not in first and row not in later:
                counts[category] += 1
                (first if counts[category] <= max(2, n_scans // 5) else later)[int(row)] = reason
        return dict(list((first | later).items())[:n_scans])

    def _worst(self):
        """Yield category, row and reason of scans, the gravest first; a row can come again."""
        found, columns = self.found, self.found.columns
        for row in found.unreadable:
            yield "unreadable", row, "unreadable"
        for group in found.copy_groups():
            if len({(columns["writer"][row], columns["forgery"][row]) for row in group}) > 1:
                for row in group:
                    yield "copies", row, f"copies: {listing(group)}"
        for rows in (found.poor, found.odd):
            for row, reasons in rows.items():
                yield reasons[0].split()[0], row, ", ".join(reasons).replace("_", " ")
        for shortcut in found.shortcuts[:3]:
            yield from self._extremes(shortcut.statistic, columns[shortcut.statistic])

    def _extremes(self, statistic, values):
        if values.dtype.kind == "f":
            order = values.argsort()[: np.count_nonzero(~np.isnan(values))]
            for pair in zip(order, order[::-1]):
                for row in pair:
                    yield statistic, row, f"{statistic} {values[row]:.4g}".replace("_", " ")

    def _show(self, axes, row, reason):
        columns = self.found.columns
        kind = ("genuine", "skilled", "simple")[columns["forgery"][row]]
        title = f"{row}: {columns['writer'][row]}, {kind}\n{textwrap.shorten(reason, 38)}"
        axes.set_title(title, fontsize=8)
        axes.set_axis_off()
        scan = self.found.images[row]
        if not isinstance(scan, np.ndarray):
            try:
                scan = read_image(scan)
            except ImageError:
                name = os.path.basename(columns["name"][row])
                axes.text(0.5, 0.5, name, ha="center", va="center", fontsize=8)
                return
        # Scans can be large: a picture needs few of their pixels.
        step = max(1, max(scan.shape) // 600)
        axes.imshow(scan[::step, ::step], cmap="gray", vmin=0, vmax=255)
