"""Plots of likelihood ratios: Tippett plots and empirical cross-entropy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from sigkit.metrics._axes import _make_axes, _names_of_kinds, _title
from sigkit.metrics._cllr import _expected_entropy, _mean_bits
from sigkit.metrics._distances import _check_direction
from sigkit.metrics._pav import _pool_violators
from sigkit.metrics._trials import _check_scores, _make_trials

# More points than this are not visible in a plot.
N_POINTS = 2000


class TippettDisplay:
    """Tippett plot: the fraction of likelihood ratios above each value, for genuine trials and kinds of forgeries.

    The legend has the fraction of misleading likelihood ratios: those below 1 of genuine trials, and above 1 of
    forgeries.

    Parameters
    ----------
    trials : Bunch
        The trials, as :func:`verification_trials` returns them, with log10 likelihood ratios as `y_score`.

    Attributes
    ----------
    misleading_ : dict of str to float
        For each kind of trials, the fraction of likelihood ratios that support the wrong proposition.
    lines_ : dict of str to matplotlib Line2D
        The curve of each kind of trials.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    EceDisplay : Discrimination and calibration for every prior.
    ScoreCalibrator : Computes likelihood ratios.

    References
    ----------
    .. [1] C. F. Tippett, V. J. Emerson, M. J. Fereday, F. Lawton, S. M. Lampert. The evidential value of the comparison
       of paint flakes from sources other than vehicles. Journal of the Forensic Science Society 8, 1968.

    Examples
    --------
    >>> from sigkit.metrics import TippettDisplay
    >>> display = TippettDisplay.from_predictions(y_true, log10_lr)  # doctest: +SKIP
    >>> display.figure_.savefig("tippett.png")  # doctest: +SKIP
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
    ) -> TippettDisplay:
        """Plot the curves from log10 likelihood ratios.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,) or (n_samples, 2)
            Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
        y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
            Base-10 logarithms of likelihood ratios.
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
        TippettDisplay
            The display.
        """
        trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
        _check_direction(trials)
        return cls(trials.to_bunch()).plot(ax=ax)

    def plot(self, ax=None) -> TippettDisplay:
        """Plot the curves, and a line at a likelihood ratio of 1.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        TippettDisplay
            The display.
        """
        self.ax_ = _make_axes(ax)
        self.figure_ = self.ax_.figure
        self.misleading_, self.lines_ = {}, {}
        for kind in _names_of_kinds(self.trials):
            log10_lr = np.sort(self.trials.y_score[self.trials.kind == kind])
            self.misleading_[kind] = float(np.mean(log10_lr < 0 if kind == "genuine" else log10_lr > 0))
            label = f"{_title(kind)} ({100 * self.misleading_[kind]:.2f} % misleading)"
            kept = np.unique(np.linspace(0, len(log10_lr) - 1, N_POINTS).astype(int))
            # Before its first point a curve is 1, and it falls to 0 at its last point.
            x, above = log10_lr[np.append(0, kept)], np.append(1.0, 1 - (kept + 1) / len(log10_lr))
            (self.lines_[kind],) = self.ax_.plot(x, above, drawstyle="steps-post", label=label)
        self.ax_.axvline(0, linestyle=":", linewidth=1, color="gray")
        self.ax_.set(xlabel="log10 likelihood ratio", ylabel="Fraction of trials above")
        self.ax_.legend()
        return self


class EceDisplay:
    r"""Empirical cross-entropy (ECE): the information that is missing after the likelihood ratios, for every prior.

    .. math:: \mathrm{ECE}(\pi) = \frac{\pi}{|G|} \sum_{i \in G} \log_2 \left(1 + \frac{1}{LR_i\, o}\right)
        + \frac{1 - \pi}{|F|} \sum_{i \in F} \log_2 (1 + LR_i\, o), \qquad o = \frac{\pi}{1 - \pi}

    The plot has three curves: the given likelihood ratios, the same after perfect calibration (PAV), and likelihood
    ratios of 1, which is the prior alone. The first above the third means that the likelihood ratios do harm at this
    prior. At a prior of 1/2 the first is the Cllr and the second the minimal Cllr.

    Parameters
    ----------
    log10_odds : ndarray of shape (n_odds,)
        Base-10 logarithms of the prior odds that a claim is genuine.
    ece, ece_calibrated, ece_prior : ndarray of shape (n_odds,)
        The entropy in bits, of the likelihood ratios, of the same after PAV, and of the prior alone.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    cllr_score : The entropy at a prior of 1/2.
    TippettDisplay : The distribution of the likelihood ratios.

    References
    ----------
    .. [1] D. Ramos, J. Gonzalez-Rodriguez. Reliable support: measuring calibration of likelihood ratios. Forensic
       Science International 230, 2013.

    Examples
    --------
    >>> from sigkit.metrics import EceDisplay
    >>> display = EceDisplay.from_predictions(y_true, log10_lr)  # doctest: +SKIP
    >>> display.figure_.savefig("ece.png")  # doctest: +SKIP
    """

    def __init__(self, log10_odds: np.ndarray, ece: np.ndarray, ece_calibrated: np.ndarray, ece_prior: np.ndarray):
        self.log10_odds = log10_odds
        self.ece = ece
        self.ece_calibrated = ece_calibrated
        self.ece_prior = ece_prior

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        kind: str = "skilled",
        log10_odds: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        writers: ArrayLike | None = None,
        pos_label: object = None,
        ax=None,
    ) -> EceDisplay:
        """Compute and plot the curves from log10 likelihood ratios.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,) or (n_samples, 2)
            Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
        y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
            Base-10 logarithms of likelihood ratios.
        kind : {"random", "skilled", "simple", "all"}, default="skilled"
            The kind of forgeries to count. Ignored if `y_true` holds plain labels, which do not distinguish kinds.
        log10_odds : array-like of shape (n_odds,), default=None
            Base-10 logarithms of the prior odds; by default from -3 to 3.
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
        EceDisplay
            The display.
        """
        trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
        _check_direction(trials, kind)
        genuine, forgeries = trials.require_genuine(), trials.require_forgeries(kind)
        chosen = trials.select(genuine | forgeries)
        odds = np.linspace(-3, 3, 61)
        if log10_odds is not None:
            odds = _check_scores(np.atleast_1d(log10_odds), "log10_odds").ravel()
        prior = 1 / (1 + 10**-odds)
        supporting, opposed = -trials.score[genuine], trials.score[forgeries]
        ece = [pi * _mean_bits(supporting - at) + (1 - pi) * _mean_bits(opposed + at) for pi, at in zip(prior, odds)]
        blocks = _pool_violators(chosen.score, chosen.genuine)
        calibrated = [_expected_entropy(blocks, pi) for pi in prior]
        alone = [pi * _mean_bits(-at) + (1 - pi) * _mean_bits(at) for pi, at in zip(prior, odds)]
        return cls(odds, np.array(ece), np.array(calibrated), np.array(alone)).plot(ax=ax)

    def plot(self, ax=None) -> EceDisplay:
        """Plot the three curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        EceDisplay
            The display.
        """
        self.ax_ = _make_axes(ax)
        self.figure_ = self.ax_.figure
        self.ax_.plot(self.log10_odds, self.ece, label="likelihood ratios")
        self.ax_.plot(self.log10_odds, self.ece_calibrated, linestyle="--", label="after PAV calibration")
        self.ax_.plot(self.log10_odds, self.ece_prior, linestyle=":", color="gray", label="prior alone")
        # Likelihood ratios that mislead strongly have an entropy of many bits, which would hide the other curves.
        self.ax_.set(xlabel="log10 prior odds of a genuine claim", ylabel="Empirical cross-entropy (bits)")
        self.ax_.set_ylim(0, 1.5 * self.ece_prior.max())
        self.ax_.legend()
        return self
