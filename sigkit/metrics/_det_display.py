"""Detection error trade-off curves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.metrics import DetCurveDisplay
from sklearn.utils import Bunch

from sigkit._utils import listing
from sigkit.metrics._axes import _make_axes, _names_of_kinds, _plain, _title
from sigkit.metrics._curves import _equal_error_rate, _operating_points, _ratio
from sigkit.metrics._distances import _check_direction
from sigkit.metrics._systems import _trials_of_systems
from sigkit.metrics._trials import _check_kind, _make_trials, _Trials

TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99, 0.999)
# Points of a curve that are nearer to each other than this, in units of the axes, are not visible apart.
RESOLUTION = 1 / 200
# Lower rates are of interest only if the EER is near to them.
LOWEST = 1e-4


class VerificationDetDisplay:
    """Detection error trade-off (DET): FRR against FAR, with one curve per kind of forgery or per system.

    Both axes have the scale of normal deviates, on which normally distributed scores give straight lines. They show
    the part of the curves where both rates are at most 50 %, or twice the EER, and at least 0.01 %, or a fifth of the
    EER, if the EER is that high or low. A rate of 0 is drawn at half an error: with 1,000 forgeries the lowest FAR is
    0.05 %. A curve without errors is a dot in the corner, at half an error or 0.01 %, and is named so.

    Parameters
    ----------
    trials : Bunch or mapping of str to Bunch
        The trials, as :func:`verification_trials` returns them; or those of several systems by name.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries if there are several systems. With one system, all kinds are plotted.

    Attributes
    ----------
    displays_ : dict of str to DetCurveDisplay
        The scikit-learn display of each kind of forgery, or of each system.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    ScoreHistogramDisplay : Histograms of the scores.
    compare_systems : A table of the error rates of several systems.

    References
    ----------
    .. [1] A. Martin, G. Doddington, T. Kamm, M. Ordowski, M. Przybocki. The DET curve in assessment of detection task
       performance. Eurospeech 1997.

    Examples
    --------
    >>> from sigkit.metrics import VerificationDetDisplay
    >>> display = VerificationDetDisplay.from_predictions(y_true, y_score)  # doctest: +SKIP
    >>> display.figure_.savefig("det.png")  # doctest: +SKIP
    """

    def __init__(self, trials: Bunch | Mapping[str, Bunch], *, kind: str = "skilled"):
        self.trials = trials
        self.kind = kind

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
    ) -> VerificationDetDisplay:
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
        trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
        _check_direction(trials)
        return cls(trials.to_bunch()).plot(ax=ax)

    @classmethod
    def from_systems(
        cls,
        systems: Mapping[str, ArrayLike],
        y_true: ArrayLike,
        *,
        kind: str = "skilled",
        classes: ArrayLike | None = None,
        writers: ArrayLike | None = None,
        pos_label: object = None,
        ax=None,
    ) -> VerificationDetDisplay:
        """Plot the DET curves of several systems on the same trials.

        Parameters
        ----------
        systems : mapping of str to array-like
            The scores of each system, as `y_score` of :meth:`from_predictions`.
        y_true : array-like of shape (n_samples,) or (n_samples, 2)
            Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
        kind : {"random", "skilled", "simple", "all"}, default="skilled"
            The kind of forgeries. Ignored for plain labels.
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
        options = {"classes": classes, "writers": writers, "pos_label": pos_label}
        trials = _trials_of_systems(systems, y_true, **options)
        for of_system in trials.values():
            _check_direction(of_system, kind)
        return cls({name: of_system.to_bunch() for name, of_system in trials.items()}, kind=kind).plot(ax=ax)

    def plot(self, ax=None) -> VerificationDetDisplay:
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
        curves = self._curves()
        errors = [_equal_error_rate(points, "nearest") for _, points in curves.values()]
        # Beyond twice the EER, and one half, there is no operating point of interest.
        highest = min(0.99, 2 * max(0.25, *errors))
        drawn = []
        for (name, (label, points)), error in zip(curves.items(), errors):
            far, frr, has_errors = _visible_points(points)
            if not has_errors:
                far, frr = far.clip(LOWEST), frr.clip(LOWEST)
            drawn.append((far, frr, error, (points.n_forgeries, points.n_genuine)))
            options = {} if has_errors else {"marker": "o", "markevery": [int(np.argmin(far + frr))]}
            label += "" if has_errors else " (no errors)"
            self.displays_[name] = DetCurveDisplay(fpr=far, fnr=frr).plot(ax=self.ax_, name=label, **options)
        lowest = np.min([_lowest_shown(*one, highest) for one in drawn], axis=0)
        tops = np.max([_highest_shown(far, frr, lowest, highest) for far, frr, *_ in drawn], axis=0)
        box, inch = self.ax_.get_window_extent(), self.figure_.dpi
        _scale(self.ax_.xaxis, self.ax_.set_xlim, (lowest[0], tops[0]), box.width / inch, _width)
        _scale(self.ax_.yaxis, self.ax_.set_ylim, (lowest[1], tops[1]), box.height / inch, _height)
        diagonal = norm.ppf([lowest.min(), highest])
        self.ax_.plot(diagonal, diagonal, linestyle=":", linewidth=1, color="gray", label="equal error")
        self.ax_.set(xlabel="False acceptance rate", ylabel="False rejection rate")
        self.ax_.legend(loc="upper right")
        return self

    def _curves(self):
        """Return a label and the operating points of each curve, by name."""
        if isinstance(self.trials, Bunch):
            kinds = _names_of_kinds(self.trials)
            if kinds[0] != "genuine" or len(kinds) == 1:
                raise ValueError(f"A DET curve needs genuine trials and forgeries; found {listing(kinds)} only.")
            kinds = kinds[1:]
            rows = {kind: np.isin(self.trials.kind, ["genuine", kind]) for kind in kinds}
            genuine = self.trials.y_true == 1
            return {
                kind: (_title(kind), _operating_points(self.trials.y_score[mask], genuine[mask]))
                for kind, mask in rows.items()
            }
        _check_kind(self.kind)
        curves = {}
        for name, bunch in self.trials.items():
            trials = _Trials.from_bunch(bunch)
            chosen = trials.select(trials.require_genuine() | trials.require_forgeries(self.kind))
            curves[name] = _plain(str(name)), _operating_points(chosen.score, chosen.genuine)
        return curves


def _visible_points(points):
    """Return FAR and FRR from the lowest threshold to above all scores, and whether any threshold has an error.

    Points on a straight step of the curve are left out, and those that are not visible apart.
    """
    accepts = np.append(0, points.false_accepts)[::-1]
    rejects = np.append(points.n_genuine, points.false_rejects)[::-1]
    has_errors = bool(np.min(accepts + rejects) > 0)
    # A corner is where one count changes before, and the other one after.
    moves = np.diff(accepts) != 0, np.diff(rejects) != 0
    is_corner = (moves[0][:-1] != moves[0][1:]) | (moves[1][:-1] != moves[1][1:]) | (moves[0][1:] & moves[1][1:])
    kept = np.concatenate([[True], is_corner, [True]])
    far = _ratio(accepts[kept], points.n_forgeries).clip(1 / (2 * points.n_forgeries), 1 - 1 / (2 * points.n_forgeries))
    frr = _ratio(rejects[kept], points.n_genuine).clip(1 / (2 * points.n_genuine), 1 - 1 / (2 * points.n_genuine))
    cells = np.round(norm.ppf(np.stack([far, frr])) / RESOLUTION)
    apart = np.append(True, (np.diff(cells) != 0).any(axis=0))
    return far[apart], frr[apart], has_errors


def _lowest_shown(far, frr, error, counts, highest):
    """Return the lowest FAR and FRR to show of a curve, which has no operating point of interest beyond the highest."""
    inside = (far <= highest) & (frr <= highest)
    inside |= not inside.any()
    # A rate below ten errors is not reliable, but the point of equal errors is shown in any case.
    floors = (min(LOWEST, max(error / 5, min(10 / n, error / 2)) or LOWEST) for n in counts)
    return [max(rates[inside].min(), floor) for rates, floor in zip((far, frr), floors)]


def _highest_shown(far, frr, lowest, highest):
    """Return the highest FAR and FRR to show of a curve: the tick above the point where it falls below the lowest.

    At least 1 %, so that there are several ticks.
    """
    shown = (far >= lowest[0]) & (frr >= lowest[1]) & (far <= highest) & (frr <= highest)
    tops = []
    for rates, others, end in ((far, frr, lowest[1]), (frr, far, lowest[0])):
        leaves = shown.any() and others.min() < end
        top = max(0.01, rates[shown].max()) if leaves else highest
        tops.append(min(highest, *(tick for tick in TICKS if tick >= top)))
    return tops


def _width(label):
    """Estimate the width of a label and a gap, in font sizes."""
    return 0.65 * (len(label) + 1)


def _height(label):
    """Return the height of a line, in font sizes."""
    return 1.3


def _scale(axis, set_limits, ends, inches, size):
    """Set the limits of an axis, and ticks that do not overlap; `size` is that of a label along the axis."""
    # The margin keeps a curve that ends at half an error inside the axes.
    limits = norm.ppf(ends[0]) - 0.1, norm.ppf(ends[1])
    set_limits(*limits)
    places = norm.ppf(TICKS)
    per_font_size = axis.get_ticklabels()[0].get_fontsize() / 72 / inches * (limits[1] - limits[0])
    kept, labels = [], []
    # From the right: rates above 1 % are of most interest.
    for rate, place in zip(TICKS[::-1], places[::-1]):
        label = f"{100 * rate:g} %"
        if not ends[0] <= rate <= ends[1]:
            continue
        if not kept or kept[-1] - place >= per_font_size * ((size(label) + size(labels[-1])) / 2):
            kept.append(place)
            labels.append(label)
    axis.set_ticks(kept[::-1], labels[::-1])
