"""A verifier with a threshold that is fixed before any query is seen."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import (
    GENUINE,
    by_writer,
    check_threshold,
    listing,
    own_random_state,
    parse_target,
    warn,
    without_warnings,
)
from sigkit.estimators._decisions._choose_threshold import choose_threshold, counted_trials, select
from sigkit.estimators._decisions._expected_rates import expected_rates
from sigkit.estimators._decisions._operating_point import OperatingPoint
from sigkit.estimators._decisions._reference_trials import reference_trials
from sigkit.estimators._decisions._wrapped_verifier import WrappedVerifier
from sigkit.estimators._development import usual_number
from sigkit.estimators._enrolled import NumberOfReferencesWarning
from sigkit.estimators._enrollment import change_lock
from sigkit.estimators._verifier import unchanged_on_error

# Fewer references of a writer say less about the writer's scores than those of all writers.
_MIN_REFERENCES = 3
_THRESHOLD = "threshold"

_OF_THRESHOLD = {"criterion", "level", "forgery", "prior", "cost_far", "cost_frr", "confidence", "other_corpus"}
"""The parameters that say how a threshold is chosen on given trials."""


class OperatingPointVerifier(WrappedVerifier):
    """Fix the threshold of a verifier in `fit`, for a wanted error rate.

    The threshold is chosen on claims of development writers, or on the references of the enrolled writers, so that
    no query has an influence. `verify` applies it. `operating_point_` says what it was set on, and which error rates
    are expected for the enrolled writers, with intervals.

    Parameters
    ----------
    verifier : estimator
        A verifier such as `WriterDependentSVC` or `VerifierFusion`, or a Pipeline that ends in one.
    criterion : {"far", "frr", "eer", "cost"}, default="far"
        What the threshold is to meet on the trials. "far": the lowest threshold with a FAR of at most `level`. "frr":
        the highest threshold with an FRR of at most `level`. "eer": equal rates. "cost": the lowest expected cost.
    level : float, default=0.05
        The wanted error rate, with the criteria "far" and "frr".
    forgery : {"skilled", "random", "simple"}, default="skilled"
        The kind of forgeries that the criterion counts.
    source : {"dev", "references"}, default="dev"
        "dev": claims of development writers. "references": references of the enrolled writers, which are left out one
        by one; they have no skilled forgeries, so the criterion is "frr", or `forgery` is "random".
    user_specific : bool, default=False
        Whether each writer has a threshold, with `source="references"` and `criterion="frr"`. Writers with fewer than
        three references have the global one.
    dev_writers : iterable of writer ids or None, default=None
        The development writers. None: those of the verifier. If they are not development writers of the verifier too,
        it does not see their signatures.
    other_corpus : bool, default=False
        Whether development writers come from another source than enrolled writers, such as `make_signatures`. The
        intervals are then wider.
    n_references : int or None, default=None
        Number of references of a development writer. None: as many as the enrolled writers have on average, or 5 if
        none is enrolled in `fit`.
    n_draws : int, default=2
        Number of times that development writers are divided and references are drawn. The time is proportional.
    prior : float, default=0.5
        The probability that a claim is genuine, with the criterion "cost".
    cost_far, cost_frr : float, default=1.0
        The cost of accepting a forgery and of rejecting a genuine signature, with the criterion "cost".
    confidence : float, default=0.9
        Probability of the intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of all draws.

    Attributes
    ----------
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted: the columns of `decision_function`.
    verifier_ : estimator
        The fitted verifier.
    threshold_ : float or dict of writer id to float
        The lowest accepted score; of each writer with `user_specific`.
    operating_point_ : OperatingPoint
        The threshold, what it was set on, and the expected error rates; `print` shows them.
    development_trials_ : Bunch
        The trials: `y_true` (1 genuine, 0 forgery), `y_score`, `kind` and the claimed `writer` of each.

    See Also
    --------
    LikelihoodRatioCalibrator : Verifier whose scores are likelihood ratios.
    sigkit.metrics.far_threshold : The threshold at a wanted FAR, for given scores.

    Notes
    -----
    The development writers are divided into four parts. The writers of a part are enrolled into a clone of the
    verifier, with the others as its development writers. Their remaining genuine signatures and their forgeries are
    scored. Every genuine signature also claims five other writers, as a random forgery. Features are computed once;
    a step that learns from development writers is fitted again for each part. If the verifier has
    `development_trials_`, these are used. `choose_threshold` uses the trials again, for another criterion or level.

    The interval of a rate is a prediction for as many writers as are enrolled, or as many as the trials have if none
    is. It includes that other development writers would have led to another threshold, and that the enrolled writers
    differ from others. With `other_corpus` a normal deviation is added to the logit of the rate, whose standard
    deviation was measured between drawn writers of nine kinds. It does not include that forgers may be more skilled.

    References that are left out are compared with one reference less than queries will be, so the FRR is overestimated.
    But references are often written in one sitting: if queries are not, their FRR is higher than expected from these.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import OperatingPointVerifier, WriterDependentSVC
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(np.column_stack([np.arange(20), np.zeros(20, dtype=int)]), 15, axis=0)
    >>> y[10::15, 1] = y[11::15, 1] = 1
    >>> X = rng.normal(size=(20, 8))[y[:, 0]] * 2 + rng.normal(size=(300, 8)) * (0.3 + y[:, 1:])
    >>> svc = WriterDependentSVC(gamma="auto", dev_writers=range(14), random_state=0)
    >>> verifier = OperatingPointVerifier(svc, level=0.1, random_state=0).fit(X[:-2], y[:-2])
    >>> verifier.operating_point_.rates["far_skilled"].value <= 0.1
    True
    >>> verifier.verify(X[-2:], [19, 18])
    array([ True, False])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "verifier": [HasMethods(["fit"])],
        "criterion": [StrOptions({"far", "frr", "eer", "cost"})],
        "level": [Interval(Real, 0, 1, closed="left")],
        "forgery": [StrOptions({"skilled", "random", "simple"})],
        "source": [StrOptions({"dev", "references"})],
        "user_specific": ["boolean"],
        "dev_writers": ["array-like", set, range, None],
        "other_corpus": ["boolean"],
        "n_references": [Interval(Integral, 1, None, closed="left"), None],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "prior": [Interval(Real, 0, 1, closed="neither")],
        "cost_far": [Interval(Real, 0, None, closed="neither")],
        "cost_frr": [Interval(Real, 0, None, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        verifier,
        *,
        criterion="far",
        level=0.05,
        forgery="skilled",
        source="dev",
        user_specific=False,
        dev_writers=None,
        other_corpus=False,
        n_references=None,
        n_draws=2,
        prior=0.5,
        cost_far=1.0,
        cost_frr=1.0,
        confidence=0.9,
        random_state=None,
    ):
        self.verifier = verifier
        self.criterion = criterion
        self.level = level
        self.forgery = forgery
        self.source = source
        self.user_specific = user_specific
        self.dev_writers = dev_writers
        self.other_corpus = other_corpus
        self.n_references = n_references
        self.n_draws = n_draws
        self.prior = prior
        self.cost_far = cost_far
        self.cost_frr = cost_frr
        self.confidence = confidence
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Fit the verifier, and choose the threshold.

        Parameters
        ----------
        X : array-like of n_samples
            Signatures, in the form that the verifier takes.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`. Forgeries of enrolled writers are ignored.

        Returns
        -------
        OperatingPointVerifier
            The fitted model.

        Raises
        ------
        ValueError
            If the verifier cannot be fitted, or there are no trials for the criterion.
        """
        self._check_source()
        with unchanged_on_error(self):
            fitted = self._fit_verifier(X, y)
            writers, references = fitted.writers, np.flatnonzero(~fitted.is_dev & (fitted.forgery == GENUINE))
            if self.source == "dev":
                trials = self._development_trials(X, fitted)
            else:
                signatures = X if isinstance(X, list) or hasattr(X, "shape") else np.asarray(X)
                own = _safe_indexing(signatures, references), writers[references]
                trials = reference_trials(self.verifier_, *own, own_random_state(self.random_state))
            self.development_trials_ = trials
            given = trials.get("n_enrolled", [usual_number(writers[references])])
            self._set_threshold(np.unique(writers[references]), round(np.mean(given)))
            if self.n_references is not None and self.source == "dev":
                self._compare_numbers(references, writers)
        return self

    def choose_threshold(self, **params):
        """Choose the threshold again on the same trials, for another criterion; nothing is fitted again.

        Parameters
        ----------
        **params : dict
            New values of `criterion`, `level`, `forgery`, `prior`, `cost_far`, `cost_frr`, `confidence` and
            `other_corpus`, as for `set_params`.

        Returns
        -------
        OperatingPointVerifier
            The model, with another `threshold_` and `operating_point_`.

        Raises
        ------
        ValueError
            If a parameter is not valid, is another one, which needs `fit`, or there are no trials for the criterion.
            Then nothing changes.
        """
        check_is_fitted(self)
        others = sorted(set(params) - _OF_THRESHOLD)
        if others:
            raise ValueError(
                f"choose_threshold cannot change {listing(others)}; it changes {listing(sorted(_OF_THRESHOLD))}. Set "
                "other parameters by set_params, and call fit."
            )
        with change_lock(self), unchanged_on_error(self):
            self.set_params(**params)
            self._validate_params()
            self._check_source()
            self._set_threshold(self.classes_, self.operating_point_.n_references)
        return self

    def _change_writers(self, X, y, *, extend):
        if self.user_specific and extend:
            raise ValueError(
                "A user-specific threshold depends on all references of a writer: enroll the writer with the earlier "
                "references and the new ones."
            )
        writers, forgery = parse_target(y)
        with change_lock(self), unchanged_on_error(self):
            super()._change_writers(X, y, extend=extend)
            if not extend:
                self._compare_numbers(np.flatnonzero(forgery == GENUINE), writers)
            if self.user_specific:
                rows = np.flatnonzero(forgery == GENUINE)
                own = _safe_indexing(X, rows), writers[rows]
                trials = reference_trials(self.verifier_, *own, own_random_state(self.random_state), required=False)
                self._thresholds = self._thresholds | self._by_writer(trials, np.unique(writers[rows]))
        return self

    def _writer_arrays(self, writer):
        own = {_THRESHOLD: np.array(self._thresholds[writer])} if self.user_specific else {}
        return super()._writer_arrays(writer) | own

    def _holding(self, writers):
        others = {
            writer: {name: array for name, array in arrays.items() if name != _THRESHOLD}
            for writer, arrays in writers.items()
        }
        copied = super()._holding(others)
        if self.user_specific:
            copied._thresholds = {writer: check_threshold(arrays[_THRESHOLD]) for writer, arrays in writers.items()}
        return copied

    def _describe(self):
        if not self.user_specific:
            return super()._describe()
        # A writer is stored with a threshold, which depends on these. A RandomState gives other numbers each time.
        seed = int(self.random_state) if isinstance(self.random_state, Integral) else None
        return [*super()._describe(), float(self.level), float(self._threshold), seed]

    def _set_threshold(self, enrolled, n_references):
        """Choose the threshold on the trials, and predict the error rates of the enrolled writers."""
        trials = self.development_trials_
        frr_only = self.criterion == "frr"
        counted = trials.kind == "genuine" if frr_only else counted_trials(trials, self.forgery)
        threshold = choose_threshold(self, select(trials, counted))
        n_writers = len(np.unique(trials.writer))
        kinds, counts = np.unique(trials.kind, return_counts=True)

        def choose(rows):
            # The trials themselves have been warned about.
            with without_warnings(UndefinedMetricWarning):
                return choose_threshold(self, select(trials, rows[counted[rows]]))

        self._threshold, self._thresholds = threshold, {}
        if self.user_specific:
            self._thresholds = self._by_writer(trials, enrolled)
            threshold, choose = self._thresholds, None
        n_judged = len(enrolled) or n_writers
        rng = own_random_state(self.random_state)
        rates = expected_rates(trials, threshold, choose, n_judged, self.confidence, self.other_corpus, rng)
        self.operating_point_ = OperatingPoint(
            threshold,
            self.criterion,
            self.level,
            self.forgery,
            self.source,
            n_references,
            n_writers,
            dict(zip(kinds.tolist(), counts.tolist())),
            n_judged,
            self.confidence,
            self.other_corpus,
            rates,
        )

    def _compare_numbers(self, rows, writers):
        """Warn about writers with another number of references than those for whom error rates are expected."""
        wanted = self.operating_point_.n_references
        counts = {writer: len(own) for writer, own in by_writer(rows, writers).items()}
        few = [writer for writer, count in counts.items() if count < wanted / 2]
        # Scores of forgeries rise with the number of references as well.
        many = [writer for writer, count in counts.items() if count > wanted * 2]
        for found, which, expected in (
            (few, "less than half of", "Expect more errors; reference_curve shows how many."),
            (many, "more than twice", "Expect a higher FAR, or set n_references to their number and fit again."),
        ):
            if found:
                named = listing(f"{writer!r} ({counts[writer]})" for writer in found)
                warn(
                    f"{len(found)} of {len(counts)} writers enroll with {which} the {wanted} references for which the "
                    f"error rates of operating_point_ hold: {named}. {expected}",
                    NumberOfReferencesWarning,
                )

    def _by_writer(self, trials, writers):
        """Return the threshold of each writer."""
        thresholds = {}
        for writer in writers.tolist():
            own = select(trials, (trials.writer == writer) & (trials.kind == "genuine"))
            enough = len(own.y_score) >= _MIN_REFERENCES
            # The references of a single writer are always few.
            with without_warnings(UndefinedMetricWarning):
                thresholds[writer] = choose_threshold(self, own) if enough else self._threshold
        return thresholds

    def _check_source(self):
        if self.source == "references" and self.criterion != "frr" and self.forgery != "random":
            raise ValueError(
                f'source="references" has no {self.forgery} forgeries: set criterion="frr" or forgery="random", or use '
                'source="dev".'
            )
        if self.user_specific and (self.source, self.criterion) != ("references", "frr"):
            raise ValueError(
                'user_specific=True needs source="references" and criterion="frr": only genuine signatures of each '
                f"writer are known; found source={self.source!r} and criterion={self.criterion!r}."
            )

    @property
    def threshold_(self):
        if not self.user_specific:
            return self._threshold
        return {writer: self._thresholds[writer] for writer in self.classes_.tolist()}
