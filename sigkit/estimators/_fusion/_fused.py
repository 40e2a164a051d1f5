"""The fitted verifiers of a fusion, and their scores."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn.utils import _safe_indexing

from sigkit._utils import before_last_step, equal_warnings_once, last_step, listing
from sigkit.estimators._enrollment import changed
from sigkit.estimators._fusion._combination import Combination
from sigkit.estimators._stored_writers import check_storable, describe_system, holding, writer_arrays
from sigkit.estimators._verifier import NO_INFORMATION, VerifierMixin

_LOWEST = float(np.finfo(np.float64).min)


@dataclass(frozen=True, eq=False)
class Fused:
    """Fitted verifiers, an immutable state that is replaced as a whole, so that threads see one state.

    Parameters
    ----------
    verifiers : tuple of estimator
        The fitted verifiers, or Pipelines that end in one.
    combination : Combination
        The combination of their scores.
    """

    verifiers: tuple
    combination: Combination

    @property
    def classes(self):
        """The enrolled writers, sorted."""
        return last_step(self.verifiers[0]).classes_

    def changed(self, change):
        """Return a state in which every verifier is changed; this one stays as it is.

        Parameters
        ----------
        change : callable
            Called with the position of each verifier, and with a copy of its last step to be changed.

        Returns
        -------
        Fused
            The new state.
        """
        each = enumerate(self.verifiers)
        with equal_warnings_once():
            verifiers = tuple(changed(verifier, partial(change, number)) for number, verifier in each)
        return replace(self, verifiers=verifiers)

    @property
    def learned(self):
        """The combination and what each verifier learned, as values that have a digest."""
        return [*self.combination, *map(describe_system, self.verifiers)]

    def check_storable(self, name):
        """Check that the models of writers can be stored one by one.

        Parameters
        ----------
        name : str
            The class of the verifier, which is not used: the verifiers name themselves.

        Raises
        ------
        ValueError
            If those of one verifier cannot.
        """
        for verifier in self.verifiers:
            check_storable(verifier)

    def arrays_of(self, writer):
        """Return what each verifier knows of a writer as named arrays.

        Parameters
        ----------
        writer : int or str
            An enrolled writer.

        Returns
        -------
        dict of str to ndarray
            The arrays; their names begin with the number of the verifier.
        """
        each = enumerate(writer_arrays(verifier, writer) for verifier in self.verifiers)
        return {f"{number}/{name}": array for number, arrays in each for name, array in arrays.items()}

    def holding(self, writers):
        """Return a state with exactly the writers with given arrays.

        Parameters
        ----------
        writers : dict of writer id to dict of str to ndarray
            What `arrays_of` returned.

        Returns
        -------
        Fused
            The new state.
        """

        def part(number):
            prefix = f"{number}/"
            return {
                writer: {name.removeprefix(prefix): array for name, array in own.items() if name.startswith(prefix)}
                for writer, own in writers.items()
            }

        each = enumerate(self.verifiers)
        return replace(self, verifiers=tuple(holding(verifier, part(number)) for number, verifier in each))

    def features(self, X):
        """Compute the features of queries for each verifier.

        Parameters
        ----------
        X : array-like of n_queries
            Queries.

        Returns
        -------
        list of array-like of shape (n_queries, ...)
            The input of each last step.
        """
        each = (before_last_step(verifier, X) for verifier in self.verifiers)
        # Tables keep the names of their columns, which the verifier compares.
        return [features if hasattr(features, "shape") else np.asarray(features) for features in each]

    def first_scores(self, features):
        """Score queries against all enrolled writers by the first verifier.

        Parameters
        ----------
        features : list of array-like of shape (n_queries, ...)
            Features of queries.

        Returns
        -------
        ndarray of shape (n_queries, n_enrolled)
            Its scores.
        """
        return last_step(self.verifiers[0]).decision_function(features[0])

    def score_each(self, features, rows, writers):
        """Score claims by every verifier.

        Parameters
        ----------
        features : list of array-like of shape (n_queries, ...)
            Features of queries.
        rows : ndarray of shape (n_claims,)
            The query of each claim.
        writers : ndarray of shape (n_claims,)
            The claimed writers.

        Returns
        -------
        ndarray of shape (n_claims, n_verifiers)
            The scores.
        """
        last = map(last_step, self.verifiers)
        return np.column_stack(
            [one.claim_scores(_safe_indexing(own, rows), writers) for one, own in zip(last, features)]
        )

    def score_claims(self, features, writers):
        """Score claims.

        Parameters
        ----------
        features : list of array-like of shape (n_queries, ...)
            Features of queries.
        writers : ndarray of shape (n_queries,)
            The claimed writers.

        Returns
        -------
        ndarray of shape (n_queries,)
            Scores; NaN where the first verifier has no information.
        """
        return self._add_others(last_step(self.verifiers[0]).claim_scores(features[0], writers), features, writers)

    def judge_claims(self, features, writers):
        """Score claims that are to be decided.

        Parameters
        ----------
        features : list of array-like of shape (n_queries, ...)
            Features of queries.
        writers : ndarray of shape (n_queries,)
            The claimed writers.

        Returns
        -------
        scores : ndarray of shape (n_queries,)
            Scores; NaN where the first verifier has no information.
        informed : ndarray of shape (n_queries,), dtype bool
            Whether the first verifier would accept the claim at the lowest threshold.
        """
        first = last_step(self.verifiers[0])
        if not isinstance(first, VerifierMixin):
            return self.score_claims(features, writers), first.verify(features[0], writers, threshold=_LOWEST)
        scores, informed = first._score_claims(features[0], writers)
        lacks = np.isnan(scores)
        return self._add_others(np.where(lacks, NO_INFORMATION, scores), features, writers), informed & ~lacks

    def find_copies(self, features, writers):
        """Find queries that are copies of a reference, by the features of the first verifier.

        Parameters
        ----------
        features : list of array-like of shape (n_queries, ...)
            Features of queries.
        writers : ndarray of shape (n_queries,)
            The claimed writers.

        Returns
        -------
        ndarray of shape (n_queries,), dtype int
            The number of the reference; -1 for a query that is no copy, or if the verifier does not know copies.
        """
        first = last_step(self.verifiers[0])
        known = hasattr(first, "find_copies")
        return first.find_copies(features[0], writers) if known else np.full(len(writers), -1)

    def score_all(self, features, max_pairs=1024):
        """Score queries against all enrolled writers.

        Parameters
        ----------
        features : list of array-like of shape (n_queries, ...)
            Features of queries.
        max_pairs : int, default=1024
            Claims that the other verifiers score at once, about; it bounds the memory.

        Returns
        -------
        ndarray of shape (n_queries, n_enrolled)
            Scores; NaN where the first verifier has no information.
        """
        others, classes = [last_step(verifier) for verifier in self.verifiers[1:]], self.classes
        scores = self.first_scores(features)
        query, column = np.nonzero(self.combination.find_matched(scores))
        more = np.full((len(others), *scores.shape), NO_INFORMATION)
        for start in range(0, len(query), max_pairs):
            rows, columns = query[start : start + max_pairs], column[start : start + max_pairs]
            for own_scores, other, own in zip(more, others, features[1:]):
                own_scores[rows, columns] = other.claim_scores(_safe_indexing(own, rows), classes[columns])
        combined = self._combine(scores.reshape(-1), more.reshape(len(others), scores.size))
        return combined.reshape(scores.shape)

    def _add_others(self, scores, features, writers):
        """Add the scores of the other verifiers to those of the first."""
        others = [last_step(verifier) for verifier in self.verifiers[1:]]
        matched = np.flatnonzero(self.combination.find_matched(scores))
        more = np.full((len(others), len(scores)), NO_INFORMATION)
        if len(matched):
            claimed = writers[matched]
            for row, other, own in zip(more, others, features[1:]):
                row[matched] = other.claim_scores(_safe_indexing(own, matched), claimed)
        return self._combine(scores, more)

    def _combine(self, first, others):
        return np.where(first == NO_INFORMATION, np.nan, self.combination.apply(first, others))

    def check_classes(self, names):
        """Check that all verifiers have enrolled the same writers.

        Parameters
        ----------
        names : list of str
            The names of the verifiers.

        Raises
        ------
        ValueError
            If they have not; the verifiers and writers are named.
        """
        known = [set(last_step(verifier).classes_.tolist()) for verifier in self.verifiers]
        for name, enrolled in zip(names[1:], known[1:]):
            if enrolled != known[0]:
                raise ValueError(
                    f"The verifiers {names[0]!r} and {name!r} have not enrolled the same writers; they differ by "
                    f"{listing(map(repr, sorted(enrolled ^ known[0])))}. Set the same dev_writers in both."
                )
