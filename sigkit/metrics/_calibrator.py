"""Calibration of scores: from scores of any scale to likelihood ratios."""

from __future__ import annotations

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import DocumentationLink, warn
from sigkit.metrics._elub import _supported_range
from sigkit.metrics._pav import _pool_violators
from sigkit.metrics._trials import _check_scores, _make_trials

# Standard deviation of the Gaussian prior of the slope, for scores of unit variance. An EER of 5 % means a slope of 6:
# the prior has an effect only if few trials, or none, are in error.
SLOPE_PRIOR = 10.0


class ScoreCalibrator(DocumentationLink, TransformerMixin, BaseEstimator):
    r"""Map scores to base-10 logarithms of likelihood ratios.

    The likelihood ratio of a score is its density among genuine trials, divided by its density among forgeries. It does
    not contain a prior: the numbers of genuine trials and forgeries in `fit` have no influence. The posterior odds that
    a claim is genuine are the prior odds times the likelihood ratio.

    Parameters
    ----------
    method : {"logistic", "isotonic"}, default="logistic"
        `"logistic"` is logistic regression, linear in the score, with equal weight for genuine trials and forgeries.
        `"isotonic"` is the pool adjacent violators algorithm (PAV), which only assumes that likelihood ratios increase
        with the score; it needs hundreds of trials of each kind.
    bound : "elub", float or None, default="elub"
        Limits of the likelihood ratios. `"elub"` are the empirical lower and upper bound [3]_, which few trials make
        narrow. A number `b` limits the logarithms to [-b, b]. None limits them to those of the scores in `fit`: the map
        is not extrapolated.

    Attributes
    ----------
    bounds_ : ndarray of shape (2,)
        The lowest and the highest log10 likelihood ratio.
    coef_, intercept_ : float
        With `method="logistic"`: log10 LR = `coef_` * score + `intercept_` within the bounds.
    score_knots_, log10_lr_knots_ : ndarray of shape (n_knots,)
        With `method="isotonic"`: scores in increasing order and their log10 LR within the bounds; between them the map
        is linear.

    See Also
    --------
    cllr_score : Measures how good likelihood ratios are.
    TippettDisplay : Plots the distribution of likelihood ratios.

    Notes
    -----
    Fit the calibrator on writers other than those that it will serve, and on the kind of forgeries that is expected:
    likelihood ratios against skilled forgeries differ from those against random ones.

    *Logistic.* The fit is that of `LogisticRegression` in scikit-learn. The slope has a Gaussian prior with standard
    deviation 10 for standardized scores, so that it is finite if the trials are separated. It is not negative.

    *Isotonic.* A genuine trial with the lowest score and a forgery with the highest one are added, as in the rule of
    succession, so that no likelihood ratio is infinite or zero.

    *ELUB.* A likelihood ratio of 10,000 cannot be verified with 100 forgeries. To the trials of `fit` the calibrator
    adds one genuine trial with the lowest possible likelihood ratio and one forgery with the highest. The bounds are
    the prior odds at which decisions with likelihood ratios are then no longer better than decisions without. If
    writers are known, all trials of an average writer are added instead of one trial, as trials of a writer are
    correlated.

    References
    ----------
    .. [1] N. Brümmer, J. du Preez. Application-independent evaluation of speaker detection. Computer Speech and
       Language 20, 2006.
    .. [2] G. S. Morrison. Tutorial on logistic-regression calibration and fusion: converting a score to a likelihood
       ratio. Australian Journal of Forensic Sciences 45, 2013.
    .. [3] P. Vergeer, A. van Es, A. de Jongh, I. Alberink, R. Stoel. Numerical likelihood ratios outputted by LR
       systems are often based on extrapolation: when to stop extrapolating? Science and Justice 56, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.metrics import ScoreCalibrator
    >>> rng = np.random.default_rng(0)
    >>> y_true = np.repeat([1, 0], [200, 1000])
    >>> calibrator = ScoreCalibrator().fit(rng.normal(y_true), y_true)
    >>> calibrator.transform([-1.0, 0.5, 2.0]).round(1)
    array([-0.6,  0. ,  0.7])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "method": [StrOptions({"logistic", "isotonic"})],
        "bound": [StrOptions({"elub"}), Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(self, *, method: str = "logistic", bound: str | float | None = "elub"):
        self.method = method
        self.bound = bound

    def fit(self, X: ArrayLike, y: ArrayLike, writers: ArrayLike | None = None) -> ScoreCalibrator:
        """Fit the map from scores to likelihood ratios.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, 1)
            Scores of claims; higher is more genuine.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`, whose forgeries are all used.
        writers : array-like of shape (n_samples,), default=None
            The claimed writer of each score. They make the bounds `"elub"` narrower.

        Returns
        -------
        ScoreCalibrator
            The fitted calibrator.

        Raises
        ------
        ValueError
            If there are no genuine trials or no forgeries, or if scores or labels are not valid.

        Warns
        -----
        UserWarning
            If genuine scores are not higher than those of forgeries on average. With `method="logistic"` all
            likelihood ratios are then 1.
        """
        self._validate_params()
        trials = _make_trials(y, _one_column(X), writers=writers)
        trials.require_forgeries("all")
        genuine = trials.require_genuine()
        if self.method == "logistic":
            self.coef_, self.intercept_ = _fit_logistic(trials.score, genuine)
        else:
            self.score_knots_, self.log10_lr_knots_ = _fit_isotonic(trials.score, genuine)
        log10_lr = self._unbounded(trials.score)
        if self.bound == "elub":
            bounds = _supported_range(log10_lr, genuine, _trials_per_writer(trials))
        elif self.bound is None:
            bounds = min(log10_lr.min(), 0.0), max(log10_lr.max(), 0.0)
        else:
            bounds = -self.bound, self.bound
        self.bounds_ = np.array(bounds, dtype=np.float64)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Map scores to log10 likelihood ratios.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, n_enrolled)
            Finite scores.

        Returns
        -------
        ndarray of the shape of X
            The logarithms, finite and non-decreasing in the score.

        Raises
        ------
        ValueError
            If a score is NaN or infinite.
        """
        check_is_fitted(self)
        return np.clip(self._unbounded(_check_scores(X, "X")), *self.bounds_)

    def _unbounded(self, score):
        if self.method == "logistic":
            # A huge score may exceed the range of floats; the bounds make it finite.
            with np.errstate(over="ignore"):
                return self.coef_ * score + self.intercept_
        knots, values = self.score_knots_, self.log10_lr_knots_
        # Rounding in the interpolation must not exceed the next knot, or the map would decrease there.
        following = values[np.minimum(np.searchsorted(knots, score, side="right"), len(values) - 1)]
        return np.minimum(np.interp(score, knots, values), following)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.target_tags.required = True
        return tags


def _one_column(X):
    score = np.asarray(X)
    if score.ndim == 2 and score.shape[1] != 1:
        raise ValueError(f"X must hold one score per row, of shape (n_samples,) or (n_samples, 1); got {score.shape}.")
    return score.ravel()


def _trials_per_writer(trials):
    """Return the numbers of genuine trials and of forgeries of an average writer; 1 if writers are not known."""
    if trials.writer is None:
        return 1.0, 1.0
    masks = trials.genuine, ~trials.genuine
    return tuple(np.count_nonzero(mask) / len(np.unique(trials.writer[mask])) for mask in masks)


def _warn_about_order(consequence):
    warn(
        f"Genuine scores are not higher than those of forgeries on average, {consequence}. Do scores rise with "
        "genuineness? For distances pass -X."
    )


def _fit_isotonic(score, genuine):
    scaled = score / (np.abs(score).max() or 1.0)
    if scaled[genuine].mean() <= scaled[~genuine].mean():
        _warn_about_order("so likelihood ratios say little")
    blocks = _pool_violators(score, genuine, with_misleading=True)
    log10_lr = np.log10(blocks.n_genuine / blocks.n_genuine.sum()) - np.log10(
        blocks.n_forgeries / blocks.n_forgeries.sum()
    )
    # A block of a single score has one knot, any other has one at each end.
    knots = np.column_stack([blocks.lowest, blocks.highest]).ravel()
    kept = np.append(True, np.diff(knots) > 0)
    return knots[kept], np.maximum.accumulate(np.repeat(log10_lr, 2)[kept])


def _fit_logistic(score, genuine):
    """Fit slope and intercept of the log10 likelihood ratio."""
    largest = np.abs(score).max() or 1.0
    scaled = score / largest
    means = scaled[genuine].mean(), scaled[~genuine].mean()
    center = (means[0] + means[1]) / 2
    spread = np.sqrt((np.mean((scaled[genuine] - center) ** 2) + np.mean((scaled[~genuine] - center) ** 2)) / 2)
    if means[0] <= means[1] or spread == 0:
        _warn_about_order("so the likelihood ratio of every score is 1")
        return 0.0, 0.0
    z = (scaled - center) / spread
    n_genuine, n_forgeries = np.count_nonzero(genuine), np.count_nonzero(~genuine)
    # Both classes have half of the weight, so the log odds of the regression are log likelihood ratios.
    weight = np.where(genuine, 0.5 / n_genuine, 0.5 / n_forgeries)
    # The prior of the slope is weighed against as many trials as the smaller class has.
    model = LogisticRegression(C=SLOPE_PRIOR**2 * min(n_genuine, n_forgeries), solver="newton-cholesky", tol=1e-8)
    model.fit(z[:, None], genuine, sample_weight=weight)
    with np.errstate(over="ignore"):
        scale = spread * largest * np.log(10)
        per_score = max(model.coef_.item(), 0.0) / scale
    intercept = model.intercept_.item() / np.log(10) - per_score * center * largest
    if not np.isfinite([scale, per_score, intercept]).all():
        raise ValueError(
            f"Scores of up to {largest:.3g} are beyond the range in which a slope can be computed. Divide by this."
        )
    return float(per_score), float(intercept)
