"""Histograms of scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from sigkit._utils import check_threshold
from sigkit.metrics._axes import _make_axes, _names_of_kinds, _title
from sigkit.metrics._distances import _check_direction
from sigkit.metrics._trials import _make_trials


class ScoreHistogramDisplay:
    """Histograms of the scores of genuine trials and of each kind of forgery.

    Parameters
    ----------
    trials : Bunch
        The trials, as :func:`verification_trials` returns them.
    threshold : float, default=None
        The threshold to mark; none by default.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the histograms.
    figure_ : matplotlib Figure
        Figure with the axes.
    line_ : matplotlib Line2D or None
        The line that marks the threshold.

    See Also
    --------
    VerificationDetDisplay : Error rates at all thresholds.

    Examples
    --------
    >>> from sigkit.metrics import ScoreHistogramDisplay
    >>> display = ScoreHistogramDisplay.from_predictions(y_true, y_score)  # doctest: +SKIP
    >>> display.figure_.savefig("scores.png")  # doctest: +SKIP
    """

    def __init__(self, trials: Bunch, *, threshold: float | None = None):
        self.trials = trials
        self.threshold = threshold

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        threshold: float | None = None,
        bins: int = 40,
        classes: ArrayLike | None = None,
        writers: ArrayLike | None = None,
        pos_label: object = None,
        ax=None,
    ) -> ScoreHistogramDisplay:
        """Plot histograms from scores.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,) or (n_samples, 2)
            Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
        y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
            Scores against the claimed writer or against every enrolled writer; higher is more genuine.
        threshold : float, default=None
            The threshold to mark; none by default.
        bins : int, default=40
            The number of bins over the range of all scores.
        classes : array-like of shape (n_enrolled,), default=None
            The enrolled writers, in the order of the columns of a score matrix.
        writers : array-like of shape (n_samples,), default=None
            The claimed writer of each score of shape (n_samples,).
        pos_label : int, bool or str, default=None
            The label of genuine samples in plain labels other than 0/1 and -1/1.
        ax : matplotlib Axes, default=None
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        ScoreHistogramDisplay
            The display.
        """
        trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
        _check_direction(trials)
        return cls(trials.to_bunch(), threshold=threshold).plot(ax=ax, bins=bins)

    def plot(self, ax=None, *, bins: int = 40) -> ScoreHistogramDisplay:
        """Plot the histograms, normalized to an area of 1, and the threshold.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; by default those of a new figure.
        bins : int, default=40
            The number of bins over the range of all scores.

        Returns
        -------
        ScoreHistogramDisplay
            The display.
        """
        self.ax_ = _make_axes(ax)
        self.figure_ = self.ax_.figure
        edges = np.histogram_bin_edges(self.trials.y_score, bins=bins)
        for kind in _names_of_kinds(self.trials):
            # As densities: there are many more random forgeries than genuine trials, which would be invisible next to
            # them.
            scores = self.trials.y_score[self.trials.kind == kind]
            self.ax_.hist(scores, bins=edges, density=True, histtype="stepfilled", alpha=0.5, label=_title(kind))
        self.line_ = None
        if self.threshold is not None:
            threshold = check_threshold(self.threshold)
            label = f"threshold {threshold:.4g}"
            self.line_ = self.ax_.axvline(threshold, color="black", linestyle="--", label=label)
        self.ax_.set(xlabel="Score", ylabel="Density")
        self.ax_.legend()
        return self
