"""Who is enrolled, and who may be."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sigkit._utils import listing, parse_target, same_id_type


class EnrolledChecks:
    """Refuse writers by what a set of enrolled ones knows.

    The set has `classes`, the enrolled writers sorted; `known`, a dict with what is kept of each; and `dev_writers`.
    """

    def check_somebody(self):
        """Refuse to score while nobody is enrolled.

        Raises
        ------
        ValueError
            If nobody is.
        """
        if not len(self.classes):
            raise ValueError("No writer is enrolled yet: call enroll with their references first.")

    def group_claims(self, X, writers):
        """Group queries by the writer they claim to be, who must be enrolled.

        Parameters
        ----------
        X : ndarray of shape (n_queries, ...)
            Queries.
        writers : array-like of shape (n_queries,)
            The claimed writer of each.

        Returns
        -------
        dict of writer id to ndarray of int
            The rows of each claimed writer.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled, or there is not one claim a query.
        """
        writers, _ = parse_target(writers)
        check_consistent_length(X, writers)
        claimed = by_writer(np.arange(len(writers)), writers)
        self.check_enrolled(claimed, "Claims for writers who were never enrolled")
        return claimed

    def check_enrolled(self, writers, what):
        """Refuse writers who are not enrolled.

        Parameters
        ----------
        writers : iterable of writer ids
            The writers.
        what : str
            What they are, for the message.

        Raises
        ------
        ValueError
            If one is not enrolled.
        """
        unknown = sorted(writer for writer in writers if writer not in self.known)
        if unknown:
            raise ValueError(
                f"{what}: {listing(map(repr, unknown))}. Enrolled are {listing(map(repr, self.classes.tolist()))}. "
                "Enroll them first."
            )

    def check_new(self, writers):
        """Refuse writers who cannot be enrolled here.

        Parameters
        ----------
        writers : ndarray of shape (n_writers,)
            The writers.

        Raises
        ------
        ValueError
            If one is a development writer, or their ids are of another type than those of the enrolled ones.
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
    """Add sorted ids to sorted ids, without sorting those of many writers again.

    Parameters
    ----------
    classes, new : ndarray of shape (n_writers,) and (n_new,)
        Ids, each once.

    Returns
    -------
    ndarray of shape (n_joined,)
        All ids, each once, sorted.
    """
    if classes.dtype.kind in "iu" and new.dtype.kind in "iu":
        classes, new = classes.astype(np.int64, copy=False), new.astype(np.int64, copy=False)
    if not len(classes):
        return new
    places = np.searchsorted(classes, new)
    lacking = classes[np.minimum(places, len(classes) - 1)] != new
    dtype = np.result_type(classes, new)
    return np.insert(classes.astype(dtype, copy=False), places[lacking], new[lacking])


def by_writer(rows, writers):
    """Group rows by their writer.

    Parameters
    ----------
    rows : ndarray of int
        Rows of the signatures to group.
    writers : ndarray of shape (n_signatures,)
        The writer of every signature, whether its row is among them or not.

    Returns
    -------
    dict of writer id to ndarray of int
        The rows of each writer; writers sorted, rows in their order.
    """
    known, which, counts = np.unique(writers[rows], return_inverse=True, return_counts=True)
    parts = np.split(rows[np.argsort(which, kind="stable")], np.cumsum(counts)[:-1])
    return dict(zip(known.tolist(), parts))
