"""Several verifiers as one: a weighted sum of their scores."""

from dataclasses import replace
from numbers import Real

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context, clone
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import (
    GENUINE,
    before_last_step,
    by_writer,
    check_ordered,
    development_rows,
    equal_warnings_once,
    listing,
    own_random_state,
    parse_target,
    warn,
)
from sigkit.estimators._development import usual_number, with_development_writers
from sigkit.estimators._enrollment import change_lock, enroll_into
from sigkit.estimators._fit_with_features import fit_with_features
from sigkit.estimators._fusion._combination import Combination, learn_combination
from sigkit.estimators._fusion._development import development_claims
from sigkit.estimators._fusion._fused import Fused
from sigkit.estimators._fusion._parameters import check_bounds, check_verifiers, check_weights
from sigkit.estimators._marks import report_copies
from sigkit.estimators._verifier import (
    NO_INFORMATION,
    VerifierMixin,
    check_has_target,
    check_target,
    unchanged_on_error,
)


class VerifierFusion(VerifierMixin, ClassifierMixin, _BaseComposition):
    """Verify signatures by several verifiers, whose scores are added with weights.

    Each verifier is an estimator such as `WriterDependentSVC`, or a Pipeline that ends in one and begins with its own
    features; all receive the same signatures. The first verifier decides about claims that are far from acceptable,
    such as random forgeries: only claims for which its score is at least `reach` are scored by the others. Their scores
    are limited to `bounds`, and count as the lower bound for all other claims. So a claim that is not within reach is
    never accepted because of them, and thousands of enrolled writers can be compared.

    Parameters
    ----------
    verifiers : list of (str, estimator)
        Names and verifiers, the most reliable against random forgeries first. Each has `enroll`, `remove`,
        `claim_scores`, `decision_function`, `verify` and `classes_`.
    weights : "learned", array-like of shape (n_verifiers,) or None, default=None
        The weights of the scores. None: 1 for the first verifier, and 0.4 for each other one. "learned": by logistic
        regression on claims of the development writers; the first weight is 1. It needs skilled forgeries of at least
        four development writers who have two genuine signatures; without them, or if the first verifier does not
        separate the claims within `reach`, the weights are those of None, with a warning.
    dev_writers : iterable of writer ids or None, default=None
        The development writers, from which weights are learned. The same must be set in each verifier that has such a
        parameter.
    reach : float, default=-0.5
        The lowest score of the first verifier for which the others are asked. Minus infinity asks them about all.
    bounds : tuple of (float, float), default=(-2.0, 2.0)
        Bounds of the scores of the others. By default from three standard deviations below the agreement of the
        references to one above it, for a `StrokeMatcher`.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws in the learning of weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted: the columns of `decision_function`.
    verifiers_ : list of estimator
        The fitted verifiers.
    named_verifiers_ : dict of str to estimator
        The fitted verifiers by name.
    weights_ : ndarray of shape (n_verifiers,)
        The weights of the scores.
    intercept_ : float
        Added to the sum; 0 unless the weights are learned.
    threshold_ : float
        The threshold of `verify` by default: 0.4, or 0 with learned weights, where 0 is the boundary that was learned.
        0.4 was chosen on drawn writers for a FAR of skilled forgeries of at most 10 %, for an SVM and strokes.

    See Also
    --------
    StrokeMatcher : Verify by the direction and the pressure of strokes.
    WriterDependentSVC : Verify by an SVM on features of a network.

    Notes
    -----
    In the learning of weights, half of the development writers are enrolled into clones of the verifiers, with as many
    references as the enrolled writers have on average, and the other half is their development set; then the halves
    are exchanged. The claims are other genuine signatures, forgeries, and random forgeries within reach. No signature
    of the writers whom `fit` enrolls is used.

    A query has no information where the first verifier says so, and is then rejected. Where another verifier has no
    information, its score is the lower bound.

    `fit`, `enroll`, `add_references` and `remove` replace the fitted state as a whole at their end: an error in one
    verifier leaves all of them as they were. Several threads may enroll and remove writers at once, while others score.
    Features are computed in all threads at once, models in one after another.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import StrokeMatcher, VerifierFusion, WriterDependentSVC
    >>> from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor, StrokeFeaturizer
    >>> scans, target = make_signatures(n_writers=3, n_genuine=5, n_skilled=1, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> fusion = VerifierFusion(
    ...     [
    ...         ("svm", make_pipeline(CLBPFeaturizer(), WriterDependentSVC(gamma="scale"))),
    ...         ("strokes", make_pipeline(StrokeFeaturizer(), StrokeMatcher())),
    ...     ]
    ... )
    >>> references = [row for row in range(len(images)) if row % 6 < 4]
    >>> fusion.fit(images[references], target[references]).decision_function(images[4:6]).shape
    (2, 3)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "verifiers": [list],
        "weights": ["array-like", StrOptions({"learned"}), None],
        "dev_writers": ["array-like", set, range, None],
        "reach": [Interval(Real, None, None, closed="both")],
        "bounds": [tuple, list],
        "random_state": ["random_state"],
    }
    _state = "_fused"

    def __init__(self, verifiers, *, weights=None, dev_writers=None, reach=-0.5, bounds=(-2.0, 2.0), random_state=None):
        self.verifiers = verifiers
        self.weights = weights
        self.dev_writers = dev_writers
        self.reach = reach
        self.bounds = bounds
        self.random_state = random_state

    def get_params(self, deep=True):
        """Return the parameters, those of the verifiers by their path, such as `strokes__strokematcher__allowance`.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parameters of the verifiers too.

        Returns
        -------
        dict
            Values by name.
        """
        return self._get_params("verifiers", deep=deep)

    def set_params(self, **params):
        """Set parameters, those of the verifiers by their path, or a verifier by its name.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        VerifierFusion
            This model.
        """
        self._set_params("verifiers", **params)
        return self

    def fit(self, X, y):
        """Fit all verifiers, and learn the weights where they are to be learned.

        Parameters
        ----------
        X : array-like of n_samples
            Signatures, in the form that all verifiers take.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`. Forgeries of enrolled writers are ignored.

        Returns
        -------
        VerifierFusion
            The fitted model.

        Raises
        ------
        ValueError
            If names are not unique, weights or bounds are not valid, the verifiers do not enroll the same writers or
            enroll development writers, or one of them cannot be fitted.

        Warns
        -----
        UserWarning
            If weights cannot be learned.
        """
        self._fit_verifiers(X, y)
        return self

    def remove(self, writers):
        """Remove enrolled writers from all verifiers.

        Parameters
        ----------
        writers : array-like of shape (n_writers,)
            Enrolled writers.

        Returns
        -------
        VerifierFusion
            The model.

        Raises
        ------
        ValueError
            If a writer is not enrolled; the writer is named.
        """
        check_is_fitted(self)
        with change_lock(self):
            self._fused = self._fused.changed(lambda position, last: last.remove(writers))
        return self

    def count_matched(self, X):
        """Count the claims of `decision_function` for which all verifiers are asked, not only the first.

        Parameters
        ----------
        X : array-like of n_queries
            Queries.

        Returns
        -------
        ndarray of shape (n_queries,), dtype int
            For each query, the number of enrolled writers within `reach`.
        """
        check_is_fitted(self)
        fused = self._fused
        first = fused.first_scores([before_last_step(fused.verifiers[0], X)])
        return fused.combination.find_matched(first).sum(axis=1)

    def claim_scores(self, X, writers):
        """Score each query against its claimed writer.

        Parameters
        ----------
        X : array-like of n_queries
            Queries, as in `fit`.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.

        Returns
        -------
        ndarray of shape (n_queries,)
            Scores; higher is more genuine. -10.0 where the first verifier has no information.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled; the writer is named.
        """
        check_is_fitted(self)
        fused = self._fused
        scores = fused.score_claims(fused.features(X), parse_target(writers, "writers")[0])
        return np.where(np.isnan(scores), NO_INFORMATION, scores)

    @_fit_context(prefer_skip_nested_validation=False)
    def _fit_verifiers(self, X, y):
        """Fit the model; return the features of each verifier."""
        names = check_verifiers(self.verifiers)
        self._validate_names(names)
        weights = check_weights(self.weights, len(names))
        combination = Combination(weights, 0.0, float(self.reach), check_bounds(self.bounds))
        check_has_target(self, y)
        check_ordered(X)
        with unchanged_on_error(self):
            verifiers = tuple(clone(one) for _, one in self.verifiers)
            with equal_warnings_once():
                features = tuple(fit_with_features(one, X, y) for one in verifiers)
            fused = Fused(verifiers, combination)
            fused.check_classes(names)
            writers, forgery = check_target(X, y)
            is_dev = development_rows(writers, self.dev_writers)
            enrolled = sorted(set(writers[is_dev].tolist()).intersection(fused.classes.tolist()))
            if enrolled:
                raise ValueError(
                    "The verifiers have enrolled development writers of the fusion: "
                    f"{listing(map(repr, enrolled))}. Set the same dev_writers in each verifier."
                )
            if isinstance(self.weights, str):
                fused = replace(fused, combination=self._learn(X, writers, forgery, is_dev, combination))
            self._fused = fused
        return features

    def _change_writers(self, X, y, *, extend):
        check_is_fitted(self)
        # Features take longest, and do not depend on who is enrolled.
        features = self._fused.features(X)
        with change_lock(self):
            self._fused = self._fused.changed(lambda number, last: enroll_into(last, features[number], y, extend))
        return self

    def _find_copies(self, X, writers):
        check_is_fitted(self)
        fused = self._fused
        return fused.find_copies([before_last_step(fused.verifiers[0], X)], parse_target(writers, "writers")[0])

    def _judge_claims(self, X, writers):
        check_is_fitted(self)
        fused, writers = self._fused, parse_target(writers, "writers")[0]
        # Features are computed once, for scores and copies.
        features = fused.features(X)
        judged = fused.judge_claims(features, writers)
        report_copies(fused.find_copies(features, writers), writers)
        return judged

    def _score_claims(self, X, writers):
        check_is_fitted(self)
        fused, writers = self._fused, parse_target(writers, "writers")[0]
        return fused.judge_claims(fused.features(X), writers)

    def _score_enrolled(self, X):
        check_is_fitted(self)
        fused = self._fused
        return fused.classes, fused.score_all(fused.features(X))

    def _learn(self, X, writers, forgery, is_dev, fixed):
        """Learn the combination from development writers; return the fixed one if they are too few."""
        rows = np.flatnonzero(is_dev)
        # A writer with one genuine signature has no other one for a query.
        genuine = by_writer(rows[forgery[rows] == GENUINE], writers)
        rows = rows[np.isin(writers[rows], [writer for writer, own in genuine.items() if len(own) > 1])]
        if len(np.unique(writers[rows[forgery[rows] != GENUINE]])) < 4:
            warn(
                'weights="learned" needs forgeries of at least four development writers who have two genuine '
                f"signatures. The weights are {fixed.weights.tolist()}."
            )
            return fixed
        n_references = usual_number(writers[~is_dev & (forgery == GENUINE)])

        def make_fused(X, target, dev_writers):
            clones = [with_development_writers(one, dev_writers) for _, one in self.verifiers]
            return Fused(tuple(one.fit(X, target) for one in clones), fixed)

        rng = own_random_state(self.random_state)
        drawn = _safe_indexing(X, rows), writers[rows], forgery[rows]
        scores, is_genuine = development_claims(make_fused, *drawn, n_references, rng)
        within = fixed.find_matched(scores[:, 0])
        learned = learn_combination(scores[within], is_genuine[within], fixed.reach, fixed.bounds)
        if learned is None:
            warn(
                f'weights="learned": the first verifier does not separate the claims of development writers within '
                f"reach={fixed.reach:g}. The weights are {fixed.weights.tolist()}."
            )
        return learned or fixed

    @property
    def _default_threshold(self):
        return 0.0 if isinstance(self.weights, str) else 0.4

    @property
    def classes_(self):
        return self._fused.classes

    @property
    def verifiers_(self):
        return list(self._fused.verifiers)

    @property
    def named_verifiers_(self):
        return dict(zip((name for name, _ in self.verifiers), self._fused.verifiers))

    @property
    def n_features_in_(self):
        try:
            return self._fused.verifiers[0].n_features_in_
        except AttributeError as error:
            message = "VerifierFusion has no n_features_in_: not fitted, or signatures are images."
            raise AttributeError(message) from error

    @property
    def weights_(self):
        return self._fused.combination.weights

    @property
    def intercept_(self):
        return self._fused.combination.intercept

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_fused")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.verifiers:
            tags.input_tags = get_tags(self.verifiers[0][1]).input_tags
        tags.target_tags.required = True
        return tags
