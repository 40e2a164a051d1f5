"""Checks against the set of enrolled writers, shared by all verifiers."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sigkit._utils import by_writer, listing, parse_target, same_id_type, warn


class EnrolledChecks:
    """Check claims, removals and new writers against the enrolled writers.

    The class that inherits this has `classes`, the sorted enrolled writers, and `known`, a dict with the model of each.
    Where writers are enrolled, it also has `dev_writers`, the set of development writers; `base`, the object that the
    models of new writers depend on; `references`, a dict with the references of each writer; `with_writers(fitted)` and
    `without(writers)`. Where models can be stored apart, it has `check_storable(name)`, `arrays_of(writer)`, the model
    of a writer as named arrays; `holding(writers)`, which returns a state with exactly the writers of such arrays; and
    `learned`, everything else that scores depend on.
    """

    def check_storable(self, name):
        """Check that the models of writers can be stored one by one; a class whose models can overrides this.

        Parameters
        ----------
        name : str
            The class of the verifier, for the message.

        Raises
        ------
        ValueError
            If they cannot.
        """
        raise ValueError(
            f"The writers of a {name} cannot be stored one by one. Use a WriterDependentSVC, a StrokeMatcher, or a "
            "VerifierFusion of them."
        )

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

    def check_added(self, writers, extend):
        """Check that writers can be enrolled, or that references can be added to theirs.

        Parameters
        ----------
        writers : ndarray of shape (n_references,)
            The writer of each reference.
        extend : bool
            Whether the references are added to those that the writers have.

        Raises
        ------
        ValueError
            If one is a development writer; if `extend`, also if one is not enrolled or has no stored references.
        """
        self.check_new(writers)
        if not extend:
            return
        names = np.unique(writers).tolist()
        self.check_enrolled(names, "References for writers who are not enrolled")
        lacking = [writer for writer in names if writer not in self.references]
        if lacking:
            raise ValueError(
                f"Writers who were loaded from a file, which has a model but not all references: "
                f"{listing(map(repr, lacking))}. Enroll them with their earlier references and the new ones."
            )

    def continues(self, before, writers, extend):
        """Check whether models that were fitted for an earlier state are those of this state.

        Parameters
        ----------
        before : EnrolledChecks
            The earlier state.
        writers : ndarray of shape (n_references,)
            The writers of the models.
        extend : bool
            Whether the models depend on the references that the writers had.

        Returns
        -------
        bool
            True if nothing has changed that the models depend on.
        """
        if self.base is not before.base:
            return False
        names = np.unique(writers).tolist() if extend else []
        return all(self.references[writer] is before.references[writer] for writer in names)

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


class NumberOfReferencesWarning(UserWarning):
    """A writer has a single reference, or another number than those for whom error rates are known."""


def warn_single(n_references):
    """Warn about writers with a single reference.

    Parameters
    ----------
    n_references : dict of writer id to int
        The number of references of each writer who is enrolled.
    """
    single = [repr(writer) for writer, n in n_references.items() if n == 1]
    if single:
        warn(
            f"{len(single)} of {len(n_references)} writers have one reference only: {listing(single)}. It does not "
            "show how much their signatures differ, so genuine ones may be rejected. Add others by add_references.",
            NumberOfReferencesWarning,
        )


def left_out(known, writers):
    """Leave writers out of a mapping.

    Parameters
    ----------
    known : dict of writer id to object
        What is known of each writer.
    writers : set of writer ids
        The writers to leave out; they may be missing.

    Returns
    -------
    dict of writer id to object
        A new mapping, without them.
    """
    return {writer: own for writer, own in known.items() if writer not in writers}


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
    if not len(new):
        return classes
    if not len(classes):
        return new
    # Inserting is linear in the number of enrolled writers; np.union1d would sort all of them at each enrollment.
    places = np.searchsorted(classes, new)
    lacking = classes[np.minimum(places, len(classes) - 1)] != new
    dtype = np.result_type(classes, new)
    return np.insert(classes.astype(dtype, copy=False), places[lacking], new[lacking])
