"""A verifier whose writers are in a store."""

from functools import partial

import numpy as np

from sigkit import __version__
from sigkit._utils import (
    before_last_step,
    last_step,
    listing,
    parse_ids,
    printable_path,
    signature_digest,
)
from sigkit.estimators import decide_claims, holding, verifier_fingerprint
from sigkit.persistence._store._arguments import check_claims, check_note, check_parameters, own_copy, references_of
from sigkit.persistence._store._content import check_signatures, page_digests, read_files
from sigkit.persistence._store._records import ADD, ENROLL, Decision, check_expiry, decision_row, now
from sigkit.persistence._store._rows import insert_decisions
from sigkit.persistence._store._stored_models import StoredModels, arrays_of, pack_writers

_BLOCK = 512
"""Writers whose models are in memory at once in `decision_function`."""

_GROUP = 32
"""Writers whose references are in memory at once in `reenroll`."""


class StoredVerifier:
    """Enroll writers into a store, and score claims with the models in it.

    The verifier is fitted to development writers, and stays in memory. Writers, their references and their models are
    in the store. A claim reads the model of the claimed writer only, so the number of enrolled writers has no influence
    on the memory. Scores are those that `verifier` has with the same writers in memory. What another process enrolls or
    removes counts from the next call on.

    Parameters
    ----------
    verifier : estimator
        A fitted `WriterDependentSVC`, `StrokeMatcher` or `VerifierFusion`, one of these in an `OperatingPointVerifier`
        or `LikelihoodRatioCalibrator`, or a Pipeline that ends in one. The negatives of SVMs must be development
        writers. Writers who are enrolled in it are not used. It is copied, so that it can be fitted again.
    store : WriterStore
        The store.
    cache_size : int, default=256
        Number of writers whose models are kept in memory.

    Attributes
    ----------
    system : str
        Fingerprint of the verifier: a digest of everything that scores depend on, except writers and thresholds; with
        `user_specific`, also of what thresholds depend on.
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, read from the store.

    Raises
    ------
    ValueError
        If the models of the verifier cannot be stored one by one, or a parameter has another type.

    See Also
    --------
    WriterStore : The history, the decisions, erasure and checks.

    Notes
    -----
    References are stored as they are passed to `enroll`: the contents of files, images or features. So another system
    can fit models from them, by `reenroll`. The models that one system fitted are refused by another. Files are read
    once, so that what is stored or recorded is what was scored; all queries of a call are in memory then.

    Models are fitted outside of transactions, and all writers of a call are stored in one. If the references of a
    writer change while others are added to them, the model is fitted again. Several threads and processes may call all
    methods at once.

    `decision_function` computes scores for blocks of 512 writers. They are those of `claim_scores` but for rounding.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> from sigkit.persistence import StoredVerifier, WriterStore
    >>> rng = np.random.default_rng(0)
    >>> writers = np.repeat(np.arange(12), 6)
    >>> X = rng.normal(size=(12, 8))[writers] * 3 + rng.normal(size=(72, 8))
    >>> known = writers < 10
    >>> svc = WriterDependentSVC(gamma=0.1, dev_writers=range(10), random_state=0).fit(X[known], writers[known])
    >>> with tempfile.TemporaryDirectory() as folder, WriterStore(os.path.join(folder, "writers.sqlite")) as store:
    ...     verifier = StoredVerifier(svc, store).enroll(X[60:65], [10] * 5).enroll(X[66:71], [11] * 5)
    ...     verifier.verify(X[[65, 65]], [10, 11]), len(store.decisions()), store.history(10)[0].n_references
    (array([ True, False]), 2, 5)
    """

    def __init__(self, verifier, store, *, cache_size=256):
        check_parameters(verifier, store, cache_size)
        self.verifier = own_copy(verifier)
        self.store = store
        self.cache_size = int(cache_size)
        self.system = verifier_fingerprint(self.verifier)
        self._models = StoredModels(self.verifier, self.system, store, self.cache_size)

    def enroll(self, X, y, *, expires=None):
        """Enroll writers; those who are enrolled already are enrolled again, from these references only.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            References, as the verifier takes them.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are ignored.
        expires : datetime or None, default=None
            When the references expire, in the future and with a time zone. Claims are refused afterwards.

        Returns
        -------
        StoredVerifier
            This verifier.

        Raises
        ------
        ValueError
            If the verifier cannot enroll the writers, or their ids have another type than those in the store.
        OSError
            If a file cannot be read, or the store cannot be written. In all cases no writer is enrolled.
        """
        check_expiry(expires)
        X = read_files(X)
        packed = pack_writers(references_of(X, y))
        fitted = self._models.fit(X, y)
        self._models.commit(fitted, packed, ENROLL, dict.fromkeys(packed, expires))
        return self

    def add_references(self, X, y, *, expires=None):
        """Enroll writers with their stored references and new ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            New references, as in `enroll`.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Ids of enrolled writers, or rows `[writer, forgery]`; rows with a forgery are ignored.
        expires : datetime or None, default=None
            When all references expire; None leaves it as it is.

        Returns
        -------
        StoredVerifier
            This verifier.

        Raises
        ------
        ValueError
            If a writer is not enrolled or has expired references, or as in `enroll`.
        OSError
            If a file cannot be read, or the store cannot be written.
        """
        check_expiry(expires)
        self._models.fit_again(references_of(read_files(X), y), ADD, expires)
        return self

    def reenroll(self, writers=None):
        """Fit models from the stored references, after the verifier was replaced by another one.

        Parameters
        ----------
        writers : array-like of shape (n_writers,) or None, default=None
            Enrolled writers; None for all whose models another system fitted.

        Returns
        -------
        list of writer ids
            The writers who were enrolled again.

        Raises
        ------
        ValueError
            If a writer is not enrolled, references were erased or are damaged, or this verifier cannot enroll them. All
            such writers are named, and the others are enrolled.
        OSError
            If the store cannot be written.
        """
        names, problems = self._models.foreign() if writers is None else (parse_ids(writers, "writers").tolist(), {})
        for first in range(0, len(names), _GROUP):
            self._models.fit_each_again(names[first : first + _GROUP], problems)
        if problems:
            messages = "\n".join(problems.values())
            raise ValueError(
                f"{self.store._name}: writers who cannot be enrolled again: {listing(map(repr, problems))}. All others "
                f"were.\n{messages}"
            )
        return names

    def remove(self, writers):
        """Remove enrolled writers; see also `WriterStore.erase`.

        Parameters
        ----------
        writers : array-like of shape (n_writers,)
            Enrolled writers.

        Returns
        -------
        StoredVerifier
            This verifier.

        Raises
        ------
        ValueError
            If a writer is not enrolled; then none is removed.
        """
        self.store.remove(writers)
        return self

    def claim_scores(self, X, writers):
        """Score each query against its claimed writer. Nothing is recorded.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as the verifier takes them.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.

        Returns
        -------
        ndarray of shape (n_queries,)
            Scores; higher is more genuine. -10.0 where the query, or the model of the writer, has no information.

        Raises
        ------
        ValueError
            If a claimed writer is not enrolled, the references have expired, the model is damaged, or another system
            fitted it. The writer is named.
        """
        check_signatures(X)
        claimed = check_claims(X, writers)
        held = holding(self.verifier, arrays_of(self._models.load(claimed)))
        return last_step(held).claim_scores(before_last_step(held, X), claimed)

    def decision_function(self, X):
        """Score every query against every enrolled writer. Nothing is recorded.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as the verifier takes them.

        Returns
        -------
        ndarray of shape (n_queries, n_enrolled)
            Scores; one column per writer, in the order of `classes_`.

        Raises
        ------
        ValueError
            If no writer is enrolled, or as in `claim_scores`.
        """
        check_signatures(X)
        X, parts = before_last_step(self.verifier, X), []
        last = last_step(self.verifier)
        with self.store._database.reading() as connection:
            names = self.store._writers(connection).tolist()
            if not names:
                raise ValueError(f"{self.store._name}: no writer is enrolled yet: call enroll first.")
            for first in range(0, len(names), _BLOCK):
                loaded = self._models.load_within(connection, names[first : first + _BLOCK])
                parts.append(holding(last, arrays_of(loaded)).decision_function(X))
        return np.concatenate(parts, axis=1)

    def verify(self, X, writers, threshold=None, *, note=None):
        """Accept or reject each query as the writer it claims to be, and record the decisions.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as the verifier takes them.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.
        threshold : float, mapping of writer id to float or None, default=None
            The lowest accepted score; None is that of the verifier.
        note : str or None, default=None
            Recorded with the decisions.

        Returns
        -------
        ndarray of shape (n_queries,), dtype bool
            True where the query is accepted.

        Raises
        ------
        ValueError
            As in `claim_scores`.
        OSError
            If a file cannot be read, or the decisions cannot be recorded.
        """
        return np.array([one.accepted for one in self.decide(X, writers, threshold, note=note)], dtype=bool)

    def decide(self, X, writers, threshold=None, *, note=None):
        """Do what `verify` does, and return the recorded decisions, with scores, thresholds and versions.

        Parameters
        ----------
        X : array-like of shape (n_queries, ...)
            Queries, as the verifier takes them.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.
        threshold : float, mapping of writer id to float or None, default=None
            The lowest accepted score; None is that of the verifier.
        note : str or None, default=None
            Recorded with the decisions.

        Returns
        -------
        list of Decision
            The decision about each query.

        Raises
        ------
        ValueError
            As in `claim_scores`, or if the note is no text.
        OSError
            If a file cannot be read, or the decisions cannot be recorded. Then there are none.
        """
        check_note(note)
        X = read_files(X)
        claimed = check_claims(X, writers)
        loaded = self._models.load(claimed)
        # Before scores are computed: a step may change arrays in place.
        queries = [str(signature_digest(X, row)) for row in range(len(claimed))]
        found = decide_claims(holding(self.verifier, arrays_of(loaded)), X, claimed, threshold)
        # A page is read by its path, because its file may be large.
        for row, digest in page_digests(X).items():
            if digest != queries[row]:
                raise OSError(f"{printable_path(X[row])}: changed while it was scored; nothing was recorded. Retry.")
        time = now()
        decisions = [
            Decision(
                time,
                writer,
                loaded[writer].version,
                score,
                limit,
                accepted,
                query,
                self.system,
                __version__,
                note,
            )
            for writer, query, score, limit, accepted in zip(
                claimed.tolist(), queries, *(values.tolist() for values in found)
            )
        ]
        with self.store._database.writing() as connection:
            insert_decisions(connection, list(map(decision_row, decisions)))
        return decisions

    @property
    def classes_(self):
        return self.store.writers()

    def __repr__(self):
        return f"StoredVerifier({self.verifier!r}, {self.store!r})"

    def __reduce__(self):
        return partial(StoredVerifier, cache_size=self.cache_size), (self.verifier, self.store)
