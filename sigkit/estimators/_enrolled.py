"""Checks against the set of enrolled writers, shared by all verifiers."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sigkit._utils import by_writer, listing, parse_target, same_id_type


class EnrolledChecks:
    """Check claims, removals and new writers against the enrolled writers.

    The class that inherits this has `classes`, the sorted enrolled writers, and `known`, a dict with the model of each;
    for `check_new` also `dev_writers`, the set of development writers.
    """

    def check_any(self):
        """Check that at least one writer is enrolled.

        Raises
        ------
        ValueError
            If no writer is.
        """
        if not len(self.classes):
            raise ValueError("No writer is enrolled yet: call enroll with their references first.")

    def group_claims(self, X, writers):
        """Group queries by their claimed writer, who must be enrolled.

        Parameters
        ----------
        X : ndarray of shape (n_queries, ...)
            Queries.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.

        Returns
        -------
        dict of writer id to ndarray of int
            The rows of the queries that claim each writer.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled, or the number of claims is not that of the queries.
        """
        writers, _ = parse_target(writers, "writers")
        check_consistent_length(X, writers)
        claimed = by_writer(np.arange(len(writers)), writers)
        self.check_enrolled(claimed, "Claims for writers who were never enrolled")
        return claimed

    def check_enrolled(self, writers, what):
        """Check that writers are enrolled.

        Parameters
        ----------
        writers : iterable of writer ids
            The writers.
        what : str
            The beginning of the error message.

        Raises
        ------
        ValueError
            If a writer is not enrolled.
        """
        unknown = sorted(writer for writer in writers if writer not in self.known)
        if unknown:
            advice = "Enroll them first."
            if len(self.classes) and not same_id_type(self.classes, np.array(unknown)):
                types = ("strings", "integers") if isinstance(unknown[0], str) else ("integers", "strings")
                advice = "These ids are {}, those of enrolled writers {}, so none is equal. Convert them.".format(
                    *types
                )
            raise ValueError(
                f"{what}: {listing(map(repr, unknown))}. Enrolled are {listing(map(repr, self.classes.tolist()))}. "
                f"{advice}"
            )

    def check_new(self, writers):
        """Check that writers can be enrolled.

        Parameters
        ----------
        writers : ndarray of shape (n_writers,)
            The writers.

        Raises
        ------
        ValueError
            If one is a development writer, or their ids have another type than those of the enrolled writers.
        """
        both = [writer for writer in np.unique(writers).tolist() if writer in self.dev_writers]
        if both:
            raise ValueError(f"Development writers cannot be enrolled: {listing(map(repr, both))}.")
        if len(self.classes) and not same_id_type(self.classes, writers):
            raise ValueError(
                f"Enrolled writers have ids like {self.classes.tolist()[0]!r}; found {writers.tolist()[0]!r}. "
                "Use one type."
            )


def joined(classes, new):
    """Merge two sorted arrays of ids.

    Parameters
    ----------
    classes, new : ndarray of shape (n_writers,) and (n_new,)
        Ids, sorted and unique within each array.

    Returns
    -------
    ndarray of shape (n_joined,)
        All ids, sorted and unique.
    """
    if not len(classes):
        return new
    # Inserting is linear in the number of enrolled writers; np.union1d would sort all of them at each enrollment.
    places = np.searchsorted(classes, new)
    lacking = classes[np.minimum(places, len(classes) - 1)] != new
    dtype = np.result_type(classes, new)
    return np.insert(classes.astype(dtype, copy=False), places[lacking], new[lacking])
