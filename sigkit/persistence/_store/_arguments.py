"""Checks of what a user passes to a `StoredVerifier`."""

import copy
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_consistent_length

from sigkit._utils import GENUINE, by_writer, parse_target
from sigkit.estimators import check_storable, holding
from sigkit.persistence._store._content import take_signatures
from sigkit.persistence._store._writer_store import WriterStore


def check_parameters(verifier, store, cache_size):
    """Check the parameters of a `StoredVerifier`.

    Parameters
    ----------
    verifier, store, cache_size : object
        The parameters.

    Raises
    ------
    ValueError
        If one has another type, or the models of the verifier cannot be stored one by one.
    """
    if isinstance(verifier, type):
        raise ValueError(f"verifier must be fitted; found the class {verifier.__name__}.")
    if not isinstance(store, WriterStore):
        raise ValueError(f"store must be a WriterStore, such as WriterStore(path); found {store!r}.")
    if not isinstance(cache_size, Integral) or isinstance(cache_size, bool) or cache_size < 0:
        raise ValueError(f"cache_size must be an integer from 0 on; found {cache_size!r}.")
    check_storable(verifier)


def own_copy(verifier):
    """Copy a verifier without its writers: when a Pipeline is fitted again, its steps change in place.

    Parameters
    ----------
    verifier : estimator
        A fitted verifier, or a Pipeline that ends in one.

    Returns
    -------
    estimator
        The copy. What the verifier learned is shared, because another one replaces it as a whole.

    Raises
    ------
    ValueError
        If a step cannot be copied.
    """
    copied = holding(verifier, {})
    if hasattr(copied, "steps"):
        try:
            copied.steps[:-1] = copy.deepcopy(copied.steps[:-1])
        # Any class may be a step.
        except Exception as error:
            raise ValueError(
                f"verifier has a step that cannot be copied ({error}). Give its class a method __deepcopy__."
            ) from error
    return copied


def check_claims(X, writers):
    """Check claims.

    Parameters
    ----------
    X : array-like of shape (n_queries, ...)
        Queries.
    writers : array-like of shape (n_queries,)
        The claimed writers.

    Returns
    -------
    ndarray of shape (n_queries,)
        The claimed writers, at least one.

    Raises
    ------
    ValueError
        If there are none, or not as many as queries.
    """
    claimed = parse_target(writers, "writers")[0]
    check_consistent_length(X, claimed)
    if not len(claimed):
        raise ValueError("There are no queries. Pass at least one, with its claimed writer.")
    return claimed


def check_note(note):
    """Check the note of a decision.

    Parameters
    ----------
    note : str or None
        The note.

    Raises
    ------
    ValueError
        If it is no text that can be stored.
    """
    try:
        is_text = note is None or note.encode() is not None
    except (AttributeError, UnicodeEncodeError):
        is_text = False
    if not is_text or not isinstance(note, (str, type(None))):
        raise ValueError(f"note must be a str without surrogates or None; found {note!r}.")


def references_of(X, y):
    """Group genuine signatures by writer.

    Parameters
    ----------
    X : array-like, DataFrame or list of n_samples
        Signatures, as `read_files` returns them.
    y : array-like of shape (n_samples,) or (n_samples, 2)
        The target.

    Returns
    -------
    dict of writer id to list of bytes or ndarray
        The signatures of each writer.

    Raises
    ------
    ValueError
        If there are none, or one cannot be stored.
    """
    writers, forgery = parse_target(y)
    check_consistent_length(X, writers)
    rows = by_writer(np.flatnonzero(forgery == GENUINE), writers)
    if not rows:
        raise ValueError("There are no references: y has no genuine signature. Pass at least one.")
    return {writer: take_signatures(X, own) for writer, own in rows.items()}
