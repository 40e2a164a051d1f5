"""A verifier whose scores are likelihood ratios."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import Bunch
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sigkit.estimators._decisions._choose_threshold import counted_trials, select
from sigkit.estimators._decisions._wrapped_verifier import WrappedVerifier
from sigkit.estimators._verifier import NO_INFORMATION, unchanged_on_error
from sigkit.metrics import ScoreCalibrator


class LikelihoodRatioCalibrator(WrappedVerifier):
    """Convert the scores of a verifier to base-10 logarithms of likelihood ratios.

    The likelihood ratio of a claim says how many times as probable its score is for a genuine signature as for a
    forgery. It is calibrated on claims of development writers, whose numbers of genuine signatures and of forgeries do
    not matter: it contains no prior.

    Parameters
    ----------
    verifier : estimator
        A verifier such as `WriterDependentSVC` or `VerifierFusion`, or a Pipeline that ends in one.
    method : {"logistic", "isotonic"}, default="logistic"
        The map from scores to likelihood ratios, see :class:`~sigkit.metrics.ScoreCalibrator`.
    bound : "elub", float or None, default="elub"
        Limits of the likelihood ratios, see :class:`~sigkit.metrics.ScoreCalibrator`.
    forgery : {"skilled", "random", "simple"}, default="skilled"
        The kind of forgeries that is the alternative.
    dev_writers : iterable of writer ids or None, default=None
        The development writers. None: those of the verifier. If they are not development writers of the verifier too,
        it does not see their signatures.
    n_references : int or None, default=None
        Number of references of a development writer. None: as many as the enrolled writers have on average, or 5 if
        none is enrolled in `fit`.
    n_draws : int, default=2
        Number of times that development writers are divided and references are drawn.
    random_state : int, RandomState instance or None, default=None
        Seed of all draws.

    Attributes
    ----------
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted: the columns of `decision_function`.
    verifier_ : estimator
        The fitted verifier.
    calibrator_ : ScoreCalibrator
        The map of its scores.
    development_trials_ : Bunch
        The trials: `y_true` (1 genuine, 0 forgery), `y_score` (log10 likelihood ratios), `verifier_score` (before
        calibration), `kind` and the claimed `writer` of each.
    threshold_ : float
        0, the lowest score that `verify` accepts by default: a likelihood ratio of 1.

    See Also
    --------
    OperatingPointVerifier : Fixes the threshold of a verifier, also of this one.
    sigkit.metrics.verbal_scale : Words for likelihood ratios.
    sigkit.metrics.cllr_score : Measures how good likelihood ratios are.

    Notes
    -----
    Development trials are those of `OperatingPointVerifier`. The likelihood ratio compares scores of one system on one
    kind of forgeries: it is valid for writers, scans and forgers like those of the development set only. Claims without
    information have the score -10.0; they are rejected, and say nothing about who wrote the signature.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import LikelihoodRatioCalibrator, WriterDependentSVC
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(np.column_stack([np.arange(20), np.zeros(20, dtype=int)]), 15, axis=0)
    >>> y[10::15, 1] = y[11::15, 1] = 1
    >>> X = rng.normal(size=(20, 8))[y[:, 0]] * 2 + rng.normal(size=(300, 8)) * (0.3 + y[:, 1:])
    >>> svc = WriterDependentSVC(gamma="auto", dev_writers=range(14), random_state=0)
    >>> model = LikelihoodRatioCalibrator(svc, random_state=0).fit(X[:-2], y[:-2])
    >>> model.claim_scores(X[-2:], [19, 18]) > 0
    array([ True, False])
    >>> model.posterior(X[-2:], [19, 18], prior=0.5) > 0.5
    array([ True, False])
    """

    _default_threshold = 0.0
    _parameter_constraints: dict = {  # noqa: RUF012
        "verifier": [HasMethods(["fit"])],
        "method": [StrOptions({"logistic", "isotonic"})],
        "bound": [StrOptions({"elub"}), Interval(Real, 0, None, closed="neither"), None],
        "forgery": [StrOptions({"skilled", "random", "simple"})],
        "dev_writers": ["array-like", set, range, None],
        "n_references": [Interval(Integral, 1, None, closed="left"), None],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        verifier,
        *,
        method="logistic",
        bound="elub",
        forgery="skilled",
        dev_writers=None,
        n_references=None,
        n_draws=2,
        random_state=None,
    ):
        self.verifier = verifier
        self.method = method
        self.bound = bound
        self.forgery = forgery
        self.dev_writers = dev_writers
        self.n_references = n_references
        self.n_draws = n_draws
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Fit the verifier, and calibrate its scores.

        Parameters
        ----------
        X : array-like of n_samples
            Signatures, in the form that the verifier takes.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`. Forgeries of enrolled writers are ignored.

        Returns
        -------
        LikelihoodRatioCalibrator
            The fitted model.

        Raises
        ------
        ValueError
            If the verifier cannot be fitted, or the development writers have no forgeries of the kind.

        Warns
        -----
        UserWarning
            If genuine trials do not have higher scores than forgeries on average.
        """
        with unchanged_on_error(self):
            trials = self._development_trials(X, self._fit_verifier(X, y))
            # The score of claims without information is a convention, not a measurement.
            counted = counted_trials(trials, self.forgery) & (trials.y_score != NO_INFORMATION)
            used = select(trials, counted)
            calibrator = ScoreCalibrator(method=self.method, bound=self.bound)
            self.calibrator_ = calibrator.fit(used.y_score, used.y_true)
            lrs = self._to_ratios(np.where(trials.y_score == NO_INFORMATION, np.nan, trials.y_score))
            lrs = np.where(np.isnan(lrs), NO_INFORMATION, lrs)
            self.development_trials_ = Bunch(**trials | {"y_score": lrs, "verifier_score": trials.y_score})
        return self

    def posterior(self, X, writers, *, prior):
        """Compute the probability that each query is a genuine signature of its claimed writer.

        Parameters
        ----------
        X : array-like of n_queries
            Queries, as in `fit`.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.
        prior : float or array-like of shape (n_queries,)
            The probability before the signatures are compared, above 0 and below 1. It follows from the circumstances
            of a case, not from scores.

        Returns
        -------
        ndarray of shape (n_queries,)
            Probabilities; the prior where the query or the model of the writer has no information.

        Raises
        ------
        ValueError
            If a prior is out of range, or a claimed writer was never enrolled.
        """
        values = np.asarray(prior)
        if values.dtype.kind not in "iuf" or not ((values > 0) & (values < 1)).all():
            raise ValueError(f"prior must be above 0 and below 1; found {prior!r}.")
        prior = values.astype(np.float64)
        log10_lr = np.nan_to_num(self._score_claims(X, writers)[0], nan=0.0)
        if prior.shape not in ((), log10_lr.shape):
            raise ValueError(f"prior must be a number, or one for each query, {log10_lr.shape}; got {prior.shape}.")
        return 1 / (1 + (1 - prior) / prior * 10**-log10_lr)

    def _describe(self):
        fitted = {name: value for name, value in vars(self.calibrator_).items() if name.endswith("_")}
        return [*super()._describe(), self.calibrator_.method, fitted]

    def _score_claims(self, X, writers):
        scores, informed = super()._score_claims(X, writers)
        return self._to_ratios(scores), informed

    def _judge_claims(self, X, writers):
        scores, informed = super()._judge_claims(X, writers)
        return self._to_ratios(scores), informed

    def _score_enrolled(self, X):
        classes, scores = super()._score_enrolled(X)
        return classes, self._to_ratios(scores)

    def _to_ratios(self, scores):
        ratios = np.full(scores.shape, np.nan)
        known = ~np.isnan(scores)
        if known.any():
            ratios[known] = self.calibrator_.transform(scores[known])
        return ratios
