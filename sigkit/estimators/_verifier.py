"""Common parts of the verifiers: enrolled writers, decisions, identification, and checks of the input."""

from contextlib import contextmanager

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sigkit._utils import (
    FORGERY_KINDS,
    GENUINE,
    check_threshold,
    listing,
    parse_target,
    same_id_type,
    thresholds_of_writers,
    warn,
)
from sigkit.estimators._enrollment import EnrollmentMixin
from sigkit.estimators._marks import find_copies, report_copies
from sigkit.estimators._stored_writers import Decisions

NO_INFORMATION = -10.0
"""The score of a query or a model without information.

It is below every sensible threshold, and finite, so that metrics, plots and averages can be computed. NaN would be an
error in all metrics, and minus infinity in most.
"""


class VerifierMixin(EnrollmentMixin):
    """Methods of every verifier, implemented by its enrolled writers and their scores.

    The verifier has `_score_claims`, which returns one score per query and whether it may be accepted, and
    `_score_enrolled`, which returns the enrolled writers and a matrix with one column per writer. There, NaN stands for
    a score without information, which users see as `NO_INFORMATION`. The fitted state is `_enrolled`, an
    `EnrolledChecks`. That object is immutable and replaced as a whole, so a thread that scores sees one consistent
    state; read the attribute once per call. `_default_threshold` was measured with
    benchmarks/check_operating_points.py.
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
            Scores; one column per writer, in the order of `classes_`. Higher is more genuine, and the learned decision
            boundary is 0. -10.0 where the query, or the model of the writer, has no information.

        Raises
        ------
        ValueError
            If no writer is enrolled, or the queries have another shape than in `fit`.
        """
        return _finite(self._score_enrolled(X)[1])

    def claim_scores(self, X, writers):
        """Score each query against its claimed writer.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.

        Returns
        -------
        ndarray of shape (n_queries,)
            Scores; higher is more genuine. -10.0 where the query, or the model of the writer, has no information.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled; the writer is named.
        """
        return _finite(self._score_claims(X, writers)[0])

    def verify(self, X, writers, threshold=None):
        """Accept or reject each query as the writer it claims to be.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.
        threshold : float, mapping of writer id to float or None, default=None
            The lowest accepted score: one for all, or a user-specific threshold for each writer. None: `threshold_`.
            Choose it on other signatures than those it is applied to, for example by `OperatingPointVerifier`.
            Infinity rejects all queries; minus infinity is an error.

        Returns
        -------
        ndarray of shape (n_queries,), dtype bool
            True where the query is accepted. A query without information, or against a model without information, is
            rejected at every threshold.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled or has no threshold, or if a threshold is not valid.

        Warns
        -----
        UserWarning
            If a query is a copy of a reference; see `find_copies`.
        """
        return self._decide(X, writers, threshold).accepted

    def find_copies(self, X, writers):
        """Find queries that are copies of a reference of the claimed writer.

        A signature on file that is presented again agrees with itself: its score is high, but it confirms nothing. A
        query counts as a copy if it equals a reference but for rounding, and also if it is much nearer to a reference
        than the references are to each other: 20 times as near by its features, or 4 times as near as an image. So are
        scans that were compressed again or are brighter. :func:`sigkit.imaging.find_copies` compares the scans
        themselves, and finds copies of another resolution too.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.

        Returns
        -------
        ndarray of shape (n_queries,), dtype int
            The number of the reference, in the order in which those of the writer were enrolled; -1 for a query that is
            no copy.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled; the writer is named.
        """
        return self._find_copies(X, writers)

    def predict(self, X):
        """Identify each query: find the enrolled writer with the highest score.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as in `fit`.

        Returns
        -------
        ndarray of shape (n_queries,)
            Writer ids. For a query without information it is the first of `classes_`: its scores are all -10.0.
        """
        return self._identify(X)[0]

    def score(self, X, y, sample_weight=None):
        """Compute the share of genuine signatures that are identified correctly. Those without information are not.

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

        Warns
        -----
        UserWarning
            If `y` has forgeries.
        """
        writers, forgery = parse_target(y)
        check_consistent_length(X, writers, sample_weight)
        genuine = np.nonzero(forgery == GENUINE)[0]
        if not len(genuine):
            raise ValueError("y has forgeries only; identification is scored on genuine signatures.")
        if len(genuine) < len(writers):
            warn(
                f"score is the accuracy of identification: {len(writers) - len(genuine)} forgeries in y are ignored. "
                "For error rates of verification, pass scoring=sigkit.metrics.verification_scorer."
            )
        if not same_id_type(self.classes_, writers):
            raise ValueError(
                f"Enrolled writers have ids like {self.classes_.tolist()[0]!r}; found {writers.tolist()[0]!r} in y."
            )
        identified, informed = self._identify(X)
        right = ((identified == writers) & informed)[genuine]
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)[genuine]))

    def _decide(self, X, writers, threshold):
        """Return the `Decisions` of `verify`, with scores and thresholds."""
        if threshold is None:
            check_is_fitted(self)
            threshold = self.threshold_
        if hasattr(threshold, "items"):
            known, claimed = thresholds_of_writers(threshold), parse_target(writers, "writers")[0].tolist()
            lacking = sorted({writer for writer in claimed if np.isnan(known.get(writer, np.nan))})
            if lacking:
                raise ValueError(
                    f"threshold has no entry for the writers {listing(map(repr, lacking))}; it has those of "
                    f"{listing(map(repr, known))}."
                )
            threshold = np.array([known[writer] for writer in claimed])
        else:
            threshold = check_threshold(threshold)
        if np.isneginf(threshold).any():
            raise ValueError("threshold must be above minus infinity, which would accept every query.")
        scores, informed = self._judge_claims(X, writers)
        # Comparisons with NaN are False.
        accepted = (scores >= threshold) & informed
        return Decisions(_finite(scores), np.broadcast_to(threshold, scores.shape), accepted)

    def _judge_claims(self, X, writers):
        """Score claims that are to be decided, and warn about copies of references."""
        judged = self._score_claims(X, writers)
        report_copies(self._find_copies(X, writers), parse_target(writers)[0])
        return judged

    def _find_copies(self, X, writers):
        enrolled = self._enrolled_writers()
        return find_copies(enrolled.marks, X, enrolled.group_claims(X, writers))

    def _identify(self, X):
        """Return the writer with the highest score for each query, and whether the query has a score at all."""
        classes, scores = self._score_enrolled(X)
        lacks = np.isnan(scores)
        return classes[np.where(lacks, -np.inf, scores).argmax(axis=1)], ~lacks.all(axis=1)

    def _enrolled_writers(self):
        """Return the enrolled writers for a call that scores; raise an error if there are none."""
        check_is_fitted(self)
        enrolled = self._enrolled
        enrolled.check_any()
        return enrolled

    @property
    def threshold_(self):
        return self._default_threshold

    @property
    def classes_(self):
        return self._enrolled.classes

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_enrolled")


def _finite(scores):
    return np.where(np.isnan(scores), NO_INFORMATION, scores)


def report_no_information(blind, n_writers, reason):
    """Warn about writers whose models have no information, or raise an error if there are no others.

    Parameters
    ----------
    blind : list of writer ids
        The writers whose models cannot distinguish them from others.
    n_writers : int
        The number of writers that are enrolled in this call.
    reason : str
        What was found, and what to do.

    Raises
    ------
    ValueError
        If no writer of the call can be distinguished from others.
    """
    if not blind:
        return
    what = f"{len(blind)} of {n_writers} writers cannot be distinguished from others: {listing(map(repr, blind))}."
    if len(blind) == n_writers:
        raise ValueError(f"{what} {reason}")
    warn(f"{what} {reason} Their models reject every query, with the score {NO_INFORMATION:g}.")


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
    check_consistent_length(X, writers)
    lacking = sorted(set(writers.tolist()) - set(writers[forgery == GENUINE].tolist()))
    if lacking and not (forgery == GENUINE).any():
        raise ValueError(
            f"Every row of y is a forgery: writers without a genuine signature: {listing(map(repr, lacking))}. The "
            f"kinds of forgery are {FORGERY_KINDS}. If 1 means genuine in your data, pass 1 minus your labels."
        )
    if lacking:
        raise ValueError(
            f"Writers with forgeries but without a genuine signature: {listing(map(repr, lacking))}. Add "
            "genuine signatures of these writers, or leave out the forgeries."
        )
    return writers, forgery
