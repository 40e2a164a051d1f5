"""Enrollment and removal of writers, which several threads may do at once."""

import copy
import os
import threading
from weakref import WeakKeyDictionary

from sklearn.utils.validation import check_is_fitted

from sigkit._utils import VersionInState, last_step, parse_ids, with_last_step


class _Locks:
    """One lock per verifier. They are no attributes of the verifiers, which are cloned, copied and pickled."""

    def __init__(self):
        self.guard, self.by_verifier = threading.Lock(), WeakKeyDictionary()

    def of(self, verifier):
        with self.guard:
            return self.by_verifier.setdefault(verifier, threading.RLock())


_locks = _Locks()
# A lock that another thread holds during a fork is never released in the child process.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_locks.__init__)


def change_lock(verifier):
    """Return the lock that is held while the enrolled writers of a verifier are replaced.

    Parameters
    ----------
    verifier : estimator
        The verifier.

    Returns
    -------
    context manager
        The lock; a thread that holds it can take it again. Scoring does not need it.
    """
    return _locks.of(verifier)


def changed(verifier, change):
    """Change a copy of a fitted verifier, so that other threads score with a whole state.

    Parameters
    ----------
    verifier : estimator
        A fitted verifier, or a Pipeline that ends in one.
    change : callable
        Called with a copy of the verifier.

    Returns
    -------
    estimator
        The changed verifier.
    """
    # A verifier replaces its own state as a whole, so that a shallow copy is independent.
    last = copy.copy(last_step(verifier))
    change(last)
    return with_last_step(verifier, last)


def enroll_into(verifier, X, y, extend):
    """Enroll writers, or add references to those who are enrolled.

    Parameters
    ----------
    verifier : estimator
        The verifier, which changes.
    X : array-like of shape (n_samples, ...)
        References.
    y : array-like of shape (n_samples,) or (n_samples, 2)
        Writer ids, or rows `[writer, forgery]`.
    extend : bool
        Whether the earlier references are kept.
    """
    (verifier.add_references if extend else verifier.enroll)(X, y)


class EnrollmentMixin(VersionInState):
    """Methods that change the enrolled writers.

    The verifier has `_check_references(X, y)`, which returns arrays with one entry per genuine signature, the last of
    them the writers; and `_fit_writers(enrolled, *references, extend)`, which returns what `enrolled.with_writers`
    takes. `enrolled` is an `EnrolledChecks`, which is immutable. Models are computed without the lock. If another
    thread has meanwhile changed what they depend on, they are computed again.

    `_state` is the name of the attribute that has the models, for those that are stored one by one.
    """

    _state = "_enrolled"

    def enroll(self, X, y):
        """Enroll writers into the fitted verifier; the models of the others do not change.

        A writer who is already enrolled is enrolled again, from these references only. `add_references` keeps the
        earlier ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            References, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are ignored.

        Returns
        -------
        estimator
            The verifier.

        Raises
        ------
        ValueError
            If the references are not valid, a writer belongs to the development set or has no genuine signature, or no
            writer of `y` can be distinguished from others. Then no writer is enrolled.

        Warns
        -----
        UserWarning
            If some writers have one reference only, or cannot be distinguished from others.
        """
        return self._change_writers(X, y, extend=False)

    def add_references(self, X, y):
        """Enroll writers with the references that they have so far and new ones.

        The models are those that `enroll` makes of all these references together.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            New references, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Ids of enrolled writers, or rows `[writer, forgery]`; rows with a forgery are ignored.

        Returns
        -------
        estimator
            The verifier.

        Raises
        ------
        ValueError
            If a writer is not enrolled, or was enrolled from a file, which does not hold all references; the writer is
            named. Otherwise as in `enroll`.

        Warns
        -----
        UserWarning
            As in `enroll`.
        """
        return self._change_writers(X, y, extend=True)

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
        removed = set(parse_ids(writers, "writers").tolist())
        with change_lock(self):
            enrolled = self._enrolled
            enrolled.check_enrolled(removed, "Writers to remove who are not enrolled")
            self._enrolled = enrolled.without(removed)
        return self

    def _change_writers(self, X, y, *, extend):
        check_is_fitted(self)
        references = self._check_references(X, y)
        writers, before = references[-1], self._enrolled
        before.check_added(writers, extend)
        fitted = self._fit_writers(before, *references, extend=extend)
        with change_lock(self):
            now = self._enrolled
            if now is not before:
                now.check_added(writers, extend)
                if not now.continues(before, writers, extend):
                    fitted = self._fit_writers(now, *references, extend=extend)
            self._enrolled = now.with_writers(fitted)
        return self

    def _check_storable(self):
        check_is_fitted(self)
        getattr(self, self._state).check_storable(type(self).__name__)

    def _writer_arrays(self, writer):
        return getattr(self, self._state).arrays_of(writer)

    def _holding(self, writers):
        """Return a copy in which exactly the writers with these arrays are enrolled."""
        copied = copy.copy(self)
        setattr(copied, self._state, getattr(self, self._state).holding(writers))
        return copied

    def _describe(self):
        """Return everything that scores depend on, except the enrolled writers, as values with a digest."""
        return [type(self).__name__, getattr(self, self._state).learned]
