"""One support vector machine a writer."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from sigkit.estimators._writer_model import deviation, fit_writer_model
from sigkit.utils import GENUINE, development_rows, listing, parse_target, same_id_type


class WriterDependentSVC(ClassifierMixin, BaseEstimator):
    """Verify signatures by one support vector machine a writer [1]_.

    For each enrolled writer, an SVM parts the writer's references (positive) from genuine signatures of other people
    (negative): of development writers, of the other enrolled writers (peers), or both. As there are many more
    negatives, the references' `C` is multiplied by the skew, n_negatives / n_references. Features are divided by their
    standard deviation and not centred, so that those that are 0 stay so. Forgeries never teach: rows of `y` with a
    forgery are ignored.

    Parameters
    ----------
    kernel : {"rbf", "linear"}, default="rbf"
        The kernel.
    C : float, default=1.0
        The penalty of an error on a negative.
    gamma : float or {"scale", "auto"}, default=2**-11
        The width of the RBF kernel exp(-gamma ||a - b||^2), as in `sklearn.svm.SVC`.
    dev_writers : iterable of writer ids or None, default=None
        The development writers: known to the system, negatives for everybody, never enrolled.
    n_dev_negatives : int, default=14
        How many genuine signatures of each development writer are negatives, drawn at random; all if there are fewer.
    n_peer_negatives : int, default=0
        How many references of each other enrolled writer are negatives, drawn at random; all if there are fewer.
        Without development writers, 0 means all.
    scaling : {"shared", "writer"}, default="shared"
        Where the standard deviation of the features comes from: "shared", one for all writers, from the negatives of
        the development set (from all references where there is none); "writer", from each writer's own references and
        negatives, as the original code does.
    n_jobs : int or None, default=None
        Number of writers that are enrolled, or score, in parallel threads.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of negatives.

    Attributes
    ----------
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted: the columns of `decision_function`.
    models_ : dict of writer id to WriterModel
        The support vector machine of each enrolled writer.
    dev_negatives_ : ndarray of shape (n_negatives, n_features)
        The negatives from the development set.
    peer_negatives_ : dict of writer id to ndarray of shape (n_negatives, n_features)
        The references of each enrolled writer that are negatives for the others.
    scale_ : ndarray of shape (n_features,) or None
        What features are divided by; None with `scaling="writer"`.
    n_features_in_ : int
        Number of features seen in `fit`.

    See Also
    --------
    sigkit.model_selection.WriterSplit : Splits signatures for `cross_validate` and `GridSearchCV`.
    sigkit.metrics.verification_report : Error rates of the scores.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> rng = np.random.default_rng(0)
    >>> writers = np.repeat(["ada", "bob", "eve"], 10)
    >>> features = rng.normal(size=(30, 8)) + np.repeat(rng.normal(size=(3, 8)) * 3, 10, axis=0)
    >>> model = WriterDependentSVC(gamma=0.1).fit(features[::2], writers[::2])
    >>> model.decision_function(features[1::2]).shape
    (15, 3)
    >>> model.verify(features[1:4:2], ["ada", "eve"])
    array([ True, False])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "kernel": [StrOptions({"rbf", "linear"})],
        "C": [Interval(Real, 0, None, closed="neither")],
        "gamma": [StrOptions({"scale", "auto"}), Interval(Real, 0, None, closed="neither")],
        "dev_writers": ["array-like", set, range, None],
        "n_dev_negatives": [Interval(Integral, 1, None, closed="left")],
        "n_peer_negatives": [Interval(Integral, 0, None, closed="left")],
        "scaling": [StrOptions({"shared", "writer"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        kernel="rbf",
        *,
        C=1.0,
        gamma=2**-11,
        dev_writers=None,
        n_dev_negatives=14,
        n_peer_negatives=0,
        scaling="shared",
        n_jobs=None,
        random_state=None,
    ):
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.dev_writers = dev_writers
        self.n_dev_negatives = n_dev_negatives
        self.n_peer_negatives = n_peer_negatives
        self.scaling = scaling
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Take the negatives from the development writers and enroll all others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are ignored.

        Returns
        -------
        WriterDependentSVC
            The fitted model.

        Raises
        ------
        ValueError
            If features are missing or infinite, a development writer has no row, a writer has forgeries but no genuine
            signature, or there is nobody to take negatives from.
        """
        X, writers = self._check_genuine(X, y, reset=True)
        is_dev = development_rows(writers, self.dev_writers)
        self._random_state = check_random_state(self.random_state).randint(2**31 - 1)
        rng = check_random_state(self._random_state)

        self.dev_negatives_ = X[:0]
        if is_dev.any():
            chosen = [_draw(X[writers == writer], self.n_dev_negatives, rng) for writer in np.unique(writers[is_dev])]
            self.dev_negatives_ = np.concatenate(chosen)
        self.models_, self.peer_negatives_ = {}, {}
        self.classes_ = np.unique(writers[~is_dev])
        if not is_dev.any() and len(self.classes_) < 2:
            raise ValueError(
                f"WriterDependentSVC needs negatives: y holds one class only, the writer "
                f"{self.classes_.tolist()[0]!r}, and dev_writers is None. Add other writers, or name dev_writers."
            )
        self.scale_ = None
        if self.scaling == "shared":
            self.scale_ = deviation(self.dev_negatives_ if is_dev.any() else X)
        return self._enroll(X[~is_dev], writers[~is_dev], rng)

    def enroll(self, X, y):
        """Enroll writers into the fitted model; the others' models stay as they are.

        A writer who was enrolled before is enrolled anew, from these references alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features of references.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are ignored.

        Returns
        -------
        WriterDependentSVC
            The model.

        Raises
        ------
        ValueError
            If features are missing or infinite, a writer belongs to the development set, or has no genuine signature.
        """
        check_is_fitted(self)
        X, writers = self._check_genuine(X, y, reset=False)
        dev = set() if self.dev_writers is None else set(self.dev_writers)
        both = [writer for writer in np.unique(writers).tolist() if writer in dev]
        if both:
            raise ValueError(f"Development writers cannot be enrolled: {listing(map(repr, both))}.")
        known = self.classes_
        if len(known) and not same_id_type(known, writers):
            raise ValueError(
                f"Enrolled writers have ids like {known.tolist()[0]!r}; found {writers.tolist()[0]!r}. Use one type."
            )
        rng = check_random_state(self._random_state)
        self.classes_ = np.unique(np.concatenate([known, writers])) if len(known) else np.unique(writers)
        return self._enroll(X, writers, rng)

    def decision_function(self, X):
        """Score every query against every enrolled writer.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Features of queries.

        Returns
        -------
        ndarray of shape (n_queries, n_enrolled)
            Scores; a column a writer, in the order of `classes_`. Higher is more genuine, and 0 is the boundary of the
            support vector machines.

        Raises
        ------
        ValueError
            If nobody is enrolled, or the features do not fit.
        """
        X = self._check_queries(X)
        scores = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(self.models_[writer].score)(X) for writer in self.classes_.tolist()
        )
        return np.stack(scores, axis=1)

    def claim_scores(self, X, writers):
        """Score each query against the writer it claims to be.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Features of queries.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.

        Returns
        -------
        ndarray of shape (n_queries,)
            Scores; higher is more genuine.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled; the writer is named.
        """
        X = self._check_queries(X)
        writers, _ = parse_target(writers)
        check_consistent_length(X, writers)
        unknown = sorted(set(writers.tolist()) - set(self.models_))
        if unknown:
            raise ValueError(
                f"Claims for writers who were never enrolled: {listing(map(repr, unknown))}. Enrolled are "
                f"{listing(map(repr, self.classes_.tolist()))}. Enroll them first."
            )
        scores = np.empty(len(X))
        for writer in np.unique(writers).tolist():
            rows = np.nonzero(writers == writer)[0]
            scores[rows] = self.models_[writer].score(X[rows])
        return scores

    def verify(self, X, writers, threshold=0.0):
        """Accept or reject each query as the writer it claims to be.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Features of queries.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.
        threshold : float or mapping of writer id to float, default=0.0
            The least score that is accepted, for all or for each claimed writer. Fix it beforehand, on other
            signatures than those it decides on.

        Returns
        -------
        ndarray of shape (n_queries,), dtype bool
            True where the query is accepted.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled, or has no threshold.
        """
        scores = self.claim_scores(X, writers)
        if hasattr(threshold, "keys"):
            claimed = parse_target(writers)[0].tolist()
            lacking = sorted({writer for writer in claimed if writer not in threshold})
            if lacking:
                raise ValueError(f"threshold has no entry for the writers {listing(map(repr, lacking))}.")
            threshold = np.array([threshold[writer] for writer in claimed])
        if np.asarray(threshold).dtype.kind not in "fiu" or np.isnan(threshold).any():
            raise ValueError(f"threshold must be the least score that is accepted, a number; found {threshold!r}.")
        return scores >= threshold

    def predict(self, X):
        """Identify: tell which enrolled writer each query fits best.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Features of queries.

        Returns
        -------
        ndarray of shape (n_queries,)
            Writer ids.
        """
        scores = self.decision_function(X)
        return self.classes_[scores.argmax(axis=1)]

    def score(self, X, y, sample_weight=None):
        """Compute the share of genuine signatures that are identified correctly.

        For error rates of verification, pass `sigkit.metrics.verification_scorer` as `scoring`.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Features of queries.
        y : array-like of shape (n_queries,) or (n_queries, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are left out.
        sample_weight : array-like of shape (n_queries,) or None, default=None
            Weights of the queries.

        Returns
        -------
        float
            Identification accuracy, from 0 to 1.
        """
        writers, forgery = parse_target(y)
        check_consistent_length(X, writers, sample_weight)
        genuine = np.nonzero(forgery == GENUINE)[0]
        if not len(genuine):
            raise ValueError("y has forgeries only; identification is scored on genuine signatures.")
        right = self.predict(X)[genuine] == writers[genuine]
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)[genuine]))

    def _check_genuine(self, X, y, *, reset):
        """Validate training data and leave forgeries out."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        if getattr(y, "shape", (0,))[1:] == (1,):
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected; pass writer ids as (n_samples,).",
                DataConversionWarning,
                stacklevel=3,
            )
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=False, reset=reset)
        writers, forgery = parse_target(y)
        check_classification_targets(writers)
        check_consistent_length(X, writers)
        _check_finite(X, writers)
        genuine = forgery == GENUINE
        lacking = sorted(set(writers.tolist()) - set(writers[genuine].tolist()))
        if lacking:
            raise ValueError(
                f"Writers with forgeries but without a genuine signature: {listing(map(repr, lacking))}. Add "
                "references of theirs, or leave their forgeries out."
            )
        return X[genuine], writers[genuine]

    def _check_queries(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=False, reset=False)
        _check_finite(X)
        if not len(self.classes_):
            raise ValueError("No writer is enrolled yet: call enroll with their references first.")
        return X

    def _enroll(self, X, writers, rng):
        references = {writer: X[writers == writer] for writer in np.unique(writers).tolist()}
        n_peers = self.n_peer_negatives or (0 if len(self.dev_negatives_) else None)
        if n_peers != 0:
            self.peer_negatives_.update({writer: _draw(own, n_peers, rng) for writer, own in references.items()})
        models = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(self._fit_writer)(writer, own) for writer, own in references.items()
        )
        self.models_.update(zip(references, models))
        return self

    def _fit_writer(self, writer, references):
        peers = [negatives for peer, negatives in self.peer_negatives_.items() if peer != writer]
        negatives = np.concatenate([self.dev_negatives_, *peers])
        return fit_writer_model(references, negatives, self.scale_, kernel=self.kernel, C=self.C, gamma=self.gamma)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _draw(rows, n, rng):
    """Draw some rows without replacement, in their order; all for None or where there are fewer."""
    if n is None or len(rows) <= n:
        return rows
    return rows[np.sort(rng.choice(len(rows), n, replace=False))]


def _check_finite(X, writers=None):
    rows = np.nonzero(~np.isfinite(X).all(axis=1))[0]
    if len(rows):
        which = [f"{row}" if writers is None else f"{row} (writer {writers[row].item()!r})" for row in rows.tolist()]
        raise ValueError(
            f"Input X contains NaN or infinity in rows {listing(which)}. Compute them again, or leave them out."
        )
