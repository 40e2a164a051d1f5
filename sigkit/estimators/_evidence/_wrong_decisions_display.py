"""Pictures of the signatures that were decided wrongly."""

import os
import textwrap

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_consistent_length

from sigkit._utils import check_several, printable_path
from sigkit.estimators._evidence._claim_picture import new_figure
from sigkit.imaging import ImageError, read_image
from sigkit.metrics import wrong_decisions

_LONGEST = 500
_COLORS = {"genuine": "tab:blue"}


class WrongDecisionsDisplay:
    """Pictures of the signatures that were decided wrongly, the largest errors first.

    False rejections have a blue frame and false acceptances a red one. Above each picture are the claimed writer, the
    kind of signature and the score.

    Parameters
    ----------
    wrong : Bunch
        The wrong decisions, as :func:`sigkit.metrics.wrong_decisions` returns them.
    X : sequence of n_samples (str, os.PathLike or ndarray)
        All scans: paths, or images.

    Attributes
    ----------
    wrong : Bunch
        All wrong decisions, also those that are not shown.
    axes_ : ndarray of shape (n_shown,), dtype object
        The matplotlib Axes.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    sigkit.metrics.wrong_decisions : The same as a table.
    ClaimReportDisplay : The page of one claim.

    Examples
    --------
    >>> from sigkit.estimators import WrongDecisionsDisplay
    >>> scores = pipe.decision_function(scans)  # doctest: +SKIP
    >>> display = WrongDecisionsDisplay.from_predictions(
    ...     scans, target, scores, classes=pipe.classes_
    ... )  # doctest: +SKIP
    >>> display.figure_.savefig("wrong.png")  # doctest: +SKIP
    """

    def __init__(self, wrong, X):
        self.wrong = wrong
        self.X = X

    @classmethod
    def from_predictions(
        cls, X, y_true, y_score, *, threshold=0.0, kind="all", classes=None, writers=None, n_shown=12, figure=None
    ):
        """Find the wrong decisions and plot their pictures.

        Parameters
        ----------
        X : sequence of n_samples (str, os.PathLike or ndarray)
            The scans: paths, or uint8 images.
        y_true : array-like of shape (n_samples,) or (n_samples, 2)
            Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`.
        y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
            Scores against the claimed writer or against every enrolled writer.
        threshold : float or mapping of writer id to float, default=0.0
            The lowest accepted score.
        kind : {"random", "skilled", "simple", "all"}, default="all"
            The kind of forgeries to look at, besides genuine signatures.
        classes : array-like of shape (n_enrolled,), default=None
            The enrolled writers, in the order of the columns of a score matrix.
        writers : array-like of shape (n_samples,), default=None
            The claimed writer of each score of shape (n_samples,).
        n_shown : int, default=12
            The largest number of pictures.
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        WrongDecisionsDisplay
            The display.

        Raises
        ------
        ValueError
            If the numbers of scans and scores differ, or the input is not valid for
            :func:`sigkit.metrics.wrong_decisions`.
        ImportError
            If matplotlib is not installed.
        """
        check_several(X, "X")
        check_consistent_length(X, y_true, y_score)
        wrong = wrong_decisions(y_true, y_score, threshold=threshold, kind=kind, classes=classes, writers=writers)
        return cls(wrong, X).plot(n_shown=n_shown, figure=figure)

    def plot(self, *, n_shown=12, figure=None):
        """Plot the pictures.

        Parameters
        ----------
        n_shown : int, default=12
            The largest number of pictures.
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        WrongDecisionsDisplay
            The display.
        """
        if n_shown < 1:
            raise ValueError(f"n_shown must be at least 1; found {n_shown}.")
        n_wrong = len(self.wrong.row)
        shown = min(n_wrong, n_shown)
        n_rows = max(1, -(-shown // 4))
        if figure is None:
            figure = new_figure(type(self).__name__, figsize=(11, 0.6 + 2 * n_rows), layout="constrained")
        self.figure_ = figure
        grid = np.array(figure.subplots(n_rows, 4, squeeze=False)).reshape(-1)
        for number, axes in enumerate(grid):
            if number < shown:
                self._show(axes, number)
            else:
                axes.set_axis_off()
        self.axes_ = grid[:shown]
        n_rejected = int((self.wrong.kind == "genuine").sum())
        counts = f"{n_rejected} genuine signatures rejected, {n_wrong - n_rejected} forgeries accepted"
        figure.suptitle(f"{counts}; {shown} of {n_wrong} shown", fontsize=10)
        return self

    def _show(self, axes, number):
        kind, score = self.wrong.kind[number], self.wrong.y_score[number]
        scan = _safe_indexing(self.X, int(self.wrong.row[number]))
        name = ""
        is_path = isinstance(scan, (str, os.PathLike))
        if is_path:
            name = textwrap.shorten(os.path.basename(printable_path(scan)), 30, placeholder="...")
        if is_path or isinstance(scan, bytes) or hasattr(scan, "read"):
            try:
                scan = read_image(scan)
            except ImageError as error:
                axes.text(0.5, 0.5, textwrap.fill(str(error), 30), fontsize=7, ha="center", va="center", wrap=True)
                scan = None
        if scan is not None:
            scan = np.asarray(scan)
            step = max(1, max(scan.shape) // _LONGEST)
            axes.imshow(scan[::step, ::step], cmap="gray", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[])
        claimed = f"writer {self.wrong.writer[number]}, " if "writer" in self.wrong else ""
        axes.set_title("\n".join(filter(None, [name, f"{claimed}{kind}, score {score:.2f}"])), fontsize=8)
        for spine in axes.spines.values():
            spine.set(edgecolor=_COLORS.get(kind, "tab:red"), linewidth=2)
