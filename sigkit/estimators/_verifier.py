"""What every verifier offers once it can score claims."""

import warnings

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length

from sigkit._utils import GENUINE, listing, parse_target, same_id_type


class VerifierMixin:
    """Decide, identify and count hits by the scores of a verifier.

    The verifier has `claim_scores`, and `_score_everybody`, which returns the enrolled writers and a matrix with a
    column for each.
    """

    def decision_function(self, X):
        """Score every query against every enrolled writer.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.

        Returns
        -------
        ndarray of shape (n_queries, n_enrolled)
            Scores; a column a writer, in the order of `classes_`. Higher is more genuine, and the boundary that was
            learned is 0.

        Raises
        ------
        ValueError
            If nobody is enrolled, or the queries do not fit.
        """
        return self._score_everybody(X)[1]

    def verify(self, X, writers, threshold=0.0):
        """Accept or reject each query as the writer it claims to be.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.
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
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.

        Returns
        -------
        ndarray of shape (n_queries,)
            Writer ids.
        """
        classes, scores = self._score_everybody(X)
        return classes[scores.argmax(axis=1)]

    def score(self, X, y, sample_weight=None):
        """Compute the share of genuine signatures that are identified correctly.

        For error rates of verification, pass `sigkit.metrics.verification_scorer` as `scoring`.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.
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
        if not same_id_type(self.classes_, writers):
            raise ValueError(
                f"Enrolled writers have ids like {self.classes_.tolist()[0]!r}; found {writers.tolist()[0]!r} in y."
            )
        right = self.predict(X)[genuine] == writers[genuine]
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)[genuine]))


def check_has_target(estimator, y):
    """Refuse to learn without a target, and warn of one that is a column.

    Parameters
    ----------
    estimator : estimator
        Which learns.
    y : array-like or None
        The target.

    Raises
    ------
    ValueError
        If there is none.
    """
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    if getattr(y, "shape", (0,))[1:] == (1,):
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected; pass writer ids as (n_samples,).",
            DataConversionWarning,
            stacklevel=4,
        )


def check_target(X, y):
    """Split the target of a training set, every writer of which must have a genuine signature.

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
        If a writer has forgeries only, or `y` does not fit.
    """
    writers, forgery = parse_target(y)
    check_classification_targets(writers)
    check_consistent_length(X, writers)
    lacking = sorted(set(writers.tolist()) - set(writers[forgery == GENUINE].tolist()))
    if lacking:
        raise ValueError(
            f"Writers with forgeries but without a genuine signature: {listing(map(repr, lacking))}. Add "
            "references of theirs, or leave their forgeries out."
        )
    return writers, forgery
