"""Fitting the models of writers, storing them, and loading them from a store."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sigkit._utils import FileContent, before_last_step, last_step, listing
from sigkit.estimators import check_writers, holding, writer_arrays
from sigkit.persistence._store._checks import check_enrolled, check_type
from sigkit.persistence._store._content import (
    FIT_AGAIN,
    joined_signatures,
    pack_arrays,
    pack_signatures,
    unpack_arrays,
    unpack_signatures,
)
from sigkit.persistence._store._records import REENROLL, enrollment_row, now
from sigkit.persistence._store._rows import insert_enrollment, read_content, read_ids, read_latest, read_version


class Loaded(NamedTuple):
    """The model of a writer.

    Parameters
    ----------
    version : int
        The version of the references.
    arrays : dict of str to ndarray
        The model, as `writer_arrays` returned it.
    """

    version: int
    arrays: dict


def arrays_of(loaded):
    """Return the arrays of each writer.

    Parameters
    ----------
    loaded : dict of writer id to Loaded
        The models.

    Returns
    -------
    dict of writer id to dict of str to ndarray
        Their arrays.
    """
    return {writer: own.arrays for writer, own in loaded.items()}


def pack_writers(signatures):
    """Write the references of writers as bytes, before a model is fitted: a step may change arrays in place.

    Parameters
    ----------
    signatures : dict of writer id to list of bytes or ndarray
        The references of each writer.

    Returns
    -------
    dict of writer id to tuple
        Their number, their bytes, and the digest of these.
    """
    return {writer: (len(own), *pack_signatures(own)) for writer, own in signatures.items()}


class StoredModels:
    """The models that one verifier fits, in a store.

    Parameters
    ----------
    verifier : estimator
        The fitted verifier, without enrolled writers.
    system : str
        Its fingerprint.
    store : WriterStore
        The store.
    cache_size : int
        Number of models that are kept in memory.
    """

    def __init__(self, verifier, system, store, cache_size):
        self.verifier, self.system, self.store = verifier, system, store
        # By the number of the row and the digest of the model: a backup that is restored gives numbers again. A lock of
        # Python would be held forever after a fork.
        self.known = lru_cache(maxsize=cache_size)(_empty)

    def fit(self, X, y):
        """Fit the models of writers.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            References.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            The target.

        Returns
        -------
        estimator
            A verifier in which these writers alone are enrolled.
        """
        fitted = holding(self.verifier, {})
        last_step(fitted).enroll(before_last_step(fitted, X), y)
        return fitted

    def fit_again(self, more, event, expires):
        """Fit and store models from stored references and more, until no other process changes them meanwhile.

        Parameters
        ----------
        more : dict of writer id to list of bytes or ndarray
            The additional references of each writer.
        event : str
            What is done.
        expires : datetime or None
            When the references expire; None leaves it as it is.

        Raises
        ------
        ValueError
            If a writer is not enrolled, the references have expired or are damaged, or the verifier cannot enroll them;
            the writer is named.
        """
        path, is_stored = self.store._name, False
        while not is_stored:
            with self.store._database.reading() as connection:
                before = check_enrolled(connection, list(more), path)
                content = {writer: read_content(connection, "signatures", own, path) for writer, own in before.items()}
            signatures = {}
            for writer, own in before.items():
                what = f"{path}: references of the writer {writer!r}"
                earlier = unpack_signatures(content[writer], own.signatures_digest, what)
                signatures[writer] = [*earlier, *more[writer]]
            packed = pack_writers(signatures)
            fitted = self._fit_by_name(signatures)
            limits = {writer: expires or own.enrollment.expires for writer, own in before.items()}
            is_stored = self.commit(fitted, packed, event, limits, before)

    def fit_each_again(self, names, problems):
        """Fit and store models from stored references; those of single writers where not all of them can be fitted.

        Parameters
        ----------
        names : list of writer ids
            The writers.
        problems : dict of writer id to str
            Gets the message of each writer who cannot be enrolled.
        """
        try:
            self.fit_again(dict.fromkeys(names, ()), REENROLL, None)
        except ValueError as error:
            if len(names) == 1:
                problems[names[0]] = str(error)
                return
            for writer in names:
                self.fit_each_again([writer], problems)

    def _fit_by_name(self, signatures):
        """Fit the models of writers from stored references and others; an error names the writer and the reference."""
        y = np.repeat(np.array([*signatures]), [len(own) for own in signatures.values()])
        X = [_named(one, writer, number) for writer, own in signatures.items() for number, one in enumerate(own)]
        try:
            return self.fit(joined_signatures(X), y)
        # A system that takes features may raise any error for files.
        except (ValueError, TypeError) as error:
            if len(signatures) > 1:
                for writer, own in signatures.items():
                    self._fit_by_name({writer: own})
            who = listing(map(repr, signatures), limit=2)
            raise _like(error, f"{self.store._name}: the references of {who} cannot be enrolled: {error}") from error

    def commit(self, fitted, packed, event, expires, before=None):
        """Store writers in one transaction.

        Parameters
        ----------
        fitted : estimator
            A verifier in which they are enrolled.
        packed : dict of writer id to tuple
            The references of each writer, as `pack_writers` returns them.
        event : str
            What was done.
        expires : dict of writer id to datetime or None
            When the references expire.
        before : dict of writer id to Latest or None, default=None
            The events that the models are based on, if they are based on any.

        Returns
        -------
        bool
            False if a writer has changed since `before`; then nothing is stored.
        """
        path, rows = self.store._name, []
        for writer, (n_references, content, digest) in packed.items():
            rows.append((writer, n_references, *pack_arrays(writer_arrays(fitted, writer)), content, digest))
        with self.store._database.writing() as connection:
            check_type(connection, rows[0][0], path)
            for writer, own in (before or {}).items():
                if not own.is_same(read_latest(connection, writer, path)):
                    return False
            for writer, n_references, model, model_digest, content, content_digest in rows:
                version = read_version(connection, writer, path) + 1
                about = writer, version, event, expires[writer], n_references, self.system
                insert_enrollment(connection, enrollment_row(*about, model_digest, content_digest), model, content)
        return True

    def load(self, claimed):
        """Load the models of claimed writers.

        Parameters
        ----------
        claimed : ndarray of shape (n_claims,)
            The writers.

        Returns
        -------
        dict of writer id to Loaded
            The models, all of one moment.
        """
        with self.store._database.reading() as connection:
            return self.load_within(connection, np.unique(claimed).tolist())

    def load_within(self, connection, names):
        """Load models within a transaction.

        Parameters
        ----------
        connection : sqlite3.Connection
            A connection in a transaction.
        names : list of writer ids
            The writers.

        Returns
        -------
        dict of writer id to Loaded
            The models.

        Raises
        ------
        ValueError
            If a writer is not enrolled, the references have expired, the model is damaged, or another system fitted
            it; the writer is named.
        """
        path, loaded = self.store._name, {}
        for writer, latest in check_enrolled(connection, names, path, self.system).items():
            arrays = self.known(latest.number, latest.model_digest)
            if not arrays:
                what = f"{path}: model of the writer {writer!r}"
                arrays |= self._read(connection, latest, what)
            loaded[writer] = Loaded(latest.enrollment.version, arrays)
        return loaded

    def _read(self, connection, latest, what):
        """Read a model, and check that it is one of this verifier."""
        content = read_content(connection, "model", latest, self.store._name)
        arrays = unpack_arrays(content, latest.model_digest, what, FIT_AGAIN)
        try:
            if any(array.dtype.kind not in "fiu" for array in arrays.values()):
                raise ValueError("it has arrays of other types than numbers")
            check_writers(holding(self.verifier, {latest.enrollment.writer: arrays}))
        # What a crafted model lacks.
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            raise ValueError(f"{what}: no model of this system ({error}). {FIT_AGAIN}") from error
        return arrays

    def foreign(self):
        """Find the enrolled writers whose models another system fitted.

        Returns
        -------
        names : list of writer ids
            The writers.
        problems : dict of writer id to str
            The messages of writers of whom this is not known, because their rows are damaged.
        """
        names, problems, time = [], {}, now()
        with self.store._database.reading() as connection:
            for writer in read_ids(connection):
                try:
                    latest = read_latest(connection, writer, self.store._name)
                except ValueError as error:
                    problems[writer] = str(error)
                    continue
                if latest.is_enrolled and not latest.has_expired(time) and latest.enrollment.system != self.system:
                    names.append(writer)
        return names, problems


def _empty(number, digest):
    """Return the place of the model with this digest in a row, which is filled when it is read."""
    return {}


def _named(signature, writer, number):
    """Return a signature; the content of a file that has no name gets one."""
    if isinstance(signature, FileContent) or not isinstance(signature, bytes):
        return signature
    return FileContent(signature, f"reference {number} of the writer {writer!r}")


def _like(error, message):
    """Return an error with another message, of the same type where this type takes one."""
    try:
        return type(error)(message) if isinstance(error, ValueError) else ValueError(message)
    except TypeError:
        return ValueError(message)
