"""Common parts of the meta-estimators around a verifier."""

import copy
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import (
    GENUINE,
    before_last_step,
    by_writer,
    check_ordered,
    development_rows,
    distinct_signatures,
    last_step,
    own_random_state,
)
from sigkit.estimators._decisions._development_trials import development_trials
from sigkit.estimators._decisions._stored_features import with_stored_features
from sigkit.estimators._development import development_parameters, usual_number
from sigkit.estimators._enrollment import change_lock, changed, enroll_into
from sigkit.estimators._fit_with_features import fit_with_features, select_features
from sigkit.estimators._stored_writers import check_storable, describe_system, holding, writer_arrays
from sigkit.estimators._verifier import VerifierMixin, check_has_target, check_target

_MIN_WRITERS = 4


class FittedRows(NamedTuple):
    """The signatures that were passed to `fit`.

    Parameters
    ----------
    writers, forgery : ndarray of shape (n_samples,)
        The writer and the forgery kind of each row.
    is_dev : ndarray of shape (n_samples,), dtype bool
        Which rows are of development writers.
    known : ndarray of int
        The rows that the wrapped verifier was fitted to, sorted.
    features : array-like, list, tuple or None
        Their features, as `fit_with_features` returns them.
    """

    writers: np.ndarray
    forgery: np.ndarray
    is_dev: np.ndarray
    known: np.ndarray
    features: Any

    @property
    def reference_writers(self):
        """The writers of the genuine signatures that are not of development writers."""
        return self.writers[~self.is_dev & (self.forgery == GENUINE)]

    def features_of(self, rows):
        """Return the features of some rows, or None if some are not known."""
        if not np.isin(rows, self.known).all():
            return None
        return select_features(self.features, np.searchsorted(self.known, rows))


class WrappedVerifier(VerifierMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A verifier that enrolls and scores by another one, which knows its development writers.

    The other is `verifier`, or ends a Pipeline `verifier`; fitted it is `verifier_`. The parameters of a subclass
    include `dev_writers`, `n_references`, `n_draws` and `random_state`.
    """

    def remove(self, writers):
        """Remove enrolled writers.

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
        with change_lock(self):
            self.verifier_ = changed(self.verifier_, lambda last: last.remove(writers))
        return self

    def _change_writers(self, X, y, *, extend):
        check_is_fitted(self)
        # Features take longest, and do not depend on who is enrolled.
        features = before_last_step(self.verifier_, X)
        with change_lock(self):
            self.verifier_ = changed(self.verifier_, lambda last: enroll_into(last, features, y, extend))
        return self

    def _score_claims(self, X, writers):
        check_is_fitted(self)
        return last_step(self.verifier_)._score_claims(before_last_step(self.verifier_, X), writers)

    def _judge_claims(self, X, writers):
        check_is_fitted(self)
        return last_step(self.verifier_)._judge_claims(before_last_step(self.verifier_, X), writers)

    def _find_copies(self, X, writers):
        check_is_fitted(self)
        return last_step(self.verifier_).find_copies(before_last_step(self.verifier_, X), writers)

    def _score_enrolled(self, X):
        check_is_fitted(self)
        return last_step(self.verifier_)._score_enrolled(before_last_step(self.verifier_, X))

    def _identify(self, X):
        # By the scores of the wrapped verifier: bounded likelihood ratios of several writers can be equal.
        check_is_fitted(self)
        return last_step(self.verifier_)._identify(before_last_step(self.verifier_, X))

    def _check_storable(self):
        check_is_fitted(self)
        check_storable(self.verifier_)

    def _writer_arrays(self, writer):
        return writer_arrays(self.verifier_, writer)

    def _holding(self, writers):
        copied = copy.copy(self)
        copied.verifier_ = holding(self.verifier_, writers)
        return copied

    def _describe(self):
        return [type(self).__name__, *describe_system(self.verifier_)]

    def _fit_verifier(self, X, y):
        """Fit the verifier without the development writers whom it does not know; return the rows of the target."""
        if not isinstance(last_step(self.verifier), VerifierMixin):
            raise ValueError(
                f"verifier must be a verifier, such as WriterDependentSVC, or a Pipeline that ends in one; found "
                f"{self.verifier!r}."
            )
        check_has_target(self, y)
        check_ordered(X)
        known = list(development_parameters(self.verifier).values())
        chosen = known[0] if self.dev_writers is None and known else self.dev_writers
        verifier = clone(self.verifier)
        if self.dev_writers is None:
            # The verifier checks its input first.
            features = fit_with_features(verifier, X, y)
            writers, forgery = check_target(X, y)
            is_dev, kept = development_rows(writers, chosen), np.arange(len(writers))
        else:
            writers, forgery = check_target(X, y)
            is_dev = development_rows(writers, chosen)
            is_kept = np.any([~is_dev, *(development_rows(writers, one) for one in known)], axis=0)
            kept = np.flatnonzero(is_kept)
            features = fit_with_features(verifier, _safe_indexing(X, kept), _safe_indexing(y, kept))
        self.verifier_ = verifier
        return FittedRows(writers, forgery, is_dev, kept, features)

    def _development_trials(self, X, fitted):
        """Return the trials of a verifier that has them already, with this number of references, or compute them."""
        found = getattr(last_step(self.verifier_), "development_trials_", None)
        if found is not None and (self.n_references is None or np.all(found.get("n_references") == self.n_references)):
            return found
        writers, forgery = fitted.writers, fitted.forgery
        # A query that is a copy of a reference would be no trial.
        distinct = distinct_signatures(X, writers, forgery, np.flatnonzero(fitted.is_dev))
        genuine = by_writer(distinct[forgery[distinct] == GENUINE], writers)
        usable = [writer for writer, rows in genuine.items() if len(rows) > 1]
        if len(usable) < _MIN_WRITERS:
            raise ValueError(
                f"{type(self).__name__} needs at least {_MIN_WRITERS} development writers with two genuine signatures; "
                f"found {len(usable)}. Pass their signatures to fit, and name them in dev_writers, here or in the "
                "verifier; sigkit.datasets.make_signatures draws some."
            )
        rows = distinct[np.isin(writers[distinct], usable)]
        signatures = _safe_indexing(X, rows)
        template = with_stored_features(self.verifier, self.verifier_, signatures, fitted.features_of(rows))
        n_references = self.n_references or usual_number(fitted.reference_writers)
        rng = own_random_state(self.random_state)
        return development_trials(template, writers[rows], forgery[rows], n_references, self.n_draws, rng)

    @property
    def classes_(self):
        return last_step(self.verifier_).classes_

    @property
    def n_features_in_(self):
        return self.verifier_.n_features_in_

    @property
    def feature_names_in_(self):
        return self.verifier_.feature_names_in_

    def __sklearn_is_fitted__(self):
        return hasattr(self, "verifier_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.verifier).input_tags
        tags.target_tags.required = True
        return tags
