"""Common parts of the verifiers: enrolled writers, decisions, identification, and checks of the input."""

from contextlib import contextmanager

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sigkit._utils import GENUINE, filters_lock, listing, parse_target, same_id_type, warn


class VerifierMixin:
    """Methods of every verifier, implemented by its enrolled writers and their scores.

    The verifier has `claim_scores`, and `_score_enrolled`, which returns the enrolled writers and a matrix with one
    column per writer. Its fitted state is `_enrolled`, an `EnrolledChecks` that also has `without(writers)`. That
    object is immutable and replaced as a whole, so a thread that scores sees one consistent state; read the attribute
    once per call.
    """

    def remove(self, writers):
        """Remove enrolled writers; the models of the others do not change.

        Parameters
        ----------
        writers : array-like of shape (n_writers,)
            Enrolled writers.

        Returns
        -------
        estimator
            The verifier.

        Raises
        ------
        ValueError
            If a writer is not enrolled; the writer is named.
        """
        check_is_fitted(self)
        enrolled = self._enrolled
        removed = set(parse_target(writers)[0].tolist())
        enrolled.check_enrolled(removed, "Writers to remove who are not enrolled")
        self._enrolled = enrolled.without(removed)
        return self

    def decision_function(self, X):
        """Score every query against every enrolled writer.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.

        Returns
        -------
        ndarray of shape (n_queries, n_enrolled)
            Scores; one column per writer, in the order of `classes_`. Higher is more genuine, and the learned decision
            boundary is 0.

        Raises
        ------
        ValueError
            If no writer is enrolled, or the queries have another shape than in `fit`.
        """
        return self._score_enrolled(X)[1]

    def verify(self, X, writers, threshold=0.0):
        """Accept or reject each query as the writer it claims to be.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.
        threshold : float or mapping of writer id to float, default=0.0
            The lowest accepted score: one for all, or a user-specific threshold for each writer. Choose it on
            other signatures than those it is applied to.

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
            raise ValueError(f"threshold must be a number, the lowest score that is accepted; found {threshold!r}.")
        return scores >= threshold

    def predict(self, X):
        """Identify each query: find the enrolled writer with the highest score.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.

        Returns
        -------
        ndarray of shape (n_queries,)
            Writer ids.
        """
        classes, scores = self._score_enrolled(X)
        return classes[scores.argmax(axis=1)]

    def score(self, X, y, sample_weight=None):
        """Compute the share of genuine signatures that are identified correctly.

        For error rates of verification, pass `sigkit.metrics.verification_scorer` as `scoring`.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.
        y : array-like of shape (n_queries,) or (n_queries, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are ignored.
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
        if not same_id_type(self.classes_, writers):
            raise ValueError(
                f"Enrolled writers have ids like {self.classes_.tolist()[0]!r}; found {writers.tolist()[0]!r} in y."
            )
        right = self.predict(X)[genuine] == writers[genuine]
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)[genuine]))

    def _enrolled_writers(self):
        """Return the enrolled writers for a call that scores; raise an error if there are none."""
        check_is_fitted(self)
        enrolled = self._enrolled
        enrolled.check_any()
        return enrolled

    @property
    def classes_(self):
        return self._enrolled.classes

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_enrolled")


@contextmanager
def unchanged_on_error(estimator):
    """Restore all attributes of an estimator if the block is left by an error or an interruption.

    `fit` sets attributes such as `n_features_in_` before it can fail, and a model in use must remain usable if `fit`
    fails.

    Parameters
    ----------
    estimator : estimator
        The estimator that is fitted in the block.
    """
    state = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(state)
        raise


def check_has_target(estimator, y):
    """Check that a target was passed, and warn if it is a column vector.

    Parameters
    ----------
    estimator : estimator
        The estimator, for the message.
    y : array-like or None
        The target.

    Raises
    ------
    ValueError
        If `y` is None.
    """
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    if getattr(y, "shape", (0,))[1:] == (1,):
        warn(
            "A column-vector y was passed when a 1d array was expected; pass writer ids as (n_samples,).",
            DataConversionWarning,
        )


def check_target(X, y):
    """Split a target into writers and forgery kinds, and check that every writer has a genuine signature.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Signatures.
    y : array-like of shape (n_samples,) or (n_samples, 2)
        The target.

    Returns
    -------
    writers, forgery : ndarray of shape (n_samples,)
        The writer and the forgery kind of each row.

    Raises
    ------
    ValueError
        If a writer has forgeries only, or `y` is not valid.
    """
    writers, forgery = parse_target(y)
    with filters_lock:
        check_classification_targets(writers)
    check_consistent_length(X, writers)
    lacking = sorted(set(writers.tolist()) - set(writers[forgery == GENUINE].tolist()))
    if lacking:
        raise ValueError(
            f"Writers with forgeries but without a genuine signature: {listing(map(repr, lacking))}. Add "
            "genuine signatures of these writers, or leave out the forgeries."
        )
    return writers, forgery
