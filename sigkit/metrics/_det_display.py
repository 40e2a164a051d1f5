"""Detection error trade-off curves."""

from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.metrics import DetCurveDisplay, det_curve
from sklearn.utils import Bunch

from sigkit.metrics._axes import _make_axes, _names_of_kinds, _title
from sigkit.metrics._trials import verification_trials


class VerificationDetDisplay:
    """Detection error trade-off (DET): FRR against FAR, with one curve per kind of forgery.

    Parameters
    ----------
    trials : Bunch
        The trials, as :func:`verification_trials` returns them.

    Attributes
    ----------
    displays_ : dict of str to DetCurveDisplay
        The scikit-learn display of each kind of forgery.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    ScoreHistogramDisplay : Histograms of the scores.

    Examples
    --------
    >>> from sigkit.metrics import VerificationDetDisplay
    >>> display = VerificationDetDisplay.from_predictions(y_true, y_score)  # doctest: +SKIP
    >>> display.figure_.savefig("det.png")  # doctest: +SKIP
    """

    def __init__(self, trials: Bunch):
        self.trials = trials

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        writers: ArrayLike | None = None,
        pos_label: object = None,
        ax=None,
    ) -> "VerificationDetDisplay":
        """Plot DET curves from scores.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,) or (n_samples, 2)
            Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
        y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
            Scores against the claimed writer or against every enrolled writer; higher is more genuine.
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
        VerificationDetDisplay
            The display.
        """
        trials = verification_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
        return cls(trials).plot(ax=ax)

    def plot(self, ax=None) -> "VerificationDetDisplay":
        """Plot the curves, and the line of equal error rates.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        VerificationDetDisplay
            The display.
        """
        self.ax_ = _make_axes(ax)
        self.figure_ = self.ax_.figure
        self.displays_ = {}
        genuine = self.trials.kind == "genuine"
        for kind in _names_of_kinds(self.trials):
            if kind == "genuine":
                continue
            rows = genuine | (self.trials.kind == kind)
            fpr, fnr, _ = det_curve(self.trials.y_true[rows], self.trials.y_score[rows])
            self.displays_[kind] = DetCurveDisplay(fpr=fpr, fnr=fnr).plot(ax=self.ax_, name=_title(kind))
        ends = norm.ppf([1e-3, 1 - 1e-3])
        self.ax_.plot(ends, ends, linestyle=":", linewidth=1, color="gray", label="equal error")
        self.ax_.set(xlabel="False acceptance rate", ylabel="False rejection rate")
        self.ax_.legend(loc="upper right")
        return self
