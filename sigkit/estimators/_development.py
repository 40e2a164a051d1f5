"""Development writers who stand for enrolled ones: some are enrolled, the others are the development set."""

from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from sigkit._utils import GENUINE, by_writer

N_PARTS = 2

DEFAULT_N_REFERENCES = 5
"""References of a development writer, if no writer is enrolled in `fit`."""


class Part(NamedTuple):
    """Rows of development signatures: some writers are judged, and the others are their development set.

    Parameters
    ----------
    others : ndarray of int
        Signatures of the writers who are not judged.
    references : ndarray of int
        References of the judged writers.
    queries : ndarray of int
        Their other genuine signatures, then their forgeries.
    """

    others: np.ndarray
    references: np.ndarray
    queries: np.ndarray


def exchanged_parts(writers, forgery, n_references, rng, n_parts=N_PARTS):
    """Divide development writers into parts, each of which is judged once.

    Parameters
    ----------
    writers, forgery : ndarray of shape (n_samples,)
        The writers and forgery kinds of signatures of development writers.
    n_references : int
        Number of references; at most three quarters of a writer's signatures, since the others are queries.
    rng : RandomState
        Draws the parts and the references.
    n_parts : int, default=2
        Number of parts.

    Yields
    ------
    Part
        The rows, for each part.
    """
    names = rng.permutation(np.unique(writers))
    for number in range(n_parts):
        is_judged = np.isin(writers, names[number::n_parts])
        references, queries = [], []
        for rows in by_writer(np.flatnonzero(is_judged & (forgery == GENUINE)), writers).values():
            drawn = rng.permutation(rows)
            n_drawn = min(n_references, len(rows) - max(1, len(rows) // 4))
            references.extend(drawn[:n_drawn])
            queries.extend(drawn[n_drawn:])
        queries.extend(np.flatnonzero(is_judged & (forgery != GENUINE)))
        yield Part(np.flatnonzero(~is_judged), np.array(references, dtype=int), np.array(queries, dtype=int))


def development_parameters(estimator):
    """Find the parameters `dev_writers` of a verifier and of all that is in it.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.

    Returns
    -------
    dict of str to iterable of writer ids
        The parameters that are not None, by name.
    """
    parameters = estimator.get_params()
    return {
        name: value for name, value in parameters.items() if name.split("__")[-1] == "dev_writers" and value is not None
    }


def with_development_writers(estimator, dev_writers):
    """Clone a verifier with other development writers.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.
    dev_writers : ndarray of shape (n_writers,)
        The development writers.

    Returns
    -------
    estimator
        The clone, in which every parameter `dev_writers` that is not None has this value.
    """
    copied = clone(estimator)
    return copied.set_params(**dict.fromkeys(development_parameters(copied), dev_writers.tolist()))


def usual_number(writers):
    """Return the number of references that writers have on average.

    Parameters
    ----------
    writers : ndarray of shape (n_references,)
        The writer of each reference.

    Returns
    -------
    int
        The number, rounded; 5 if there are no writers.
    """
    return round(len(writers) / len(np.unique(writers))) if len(writers) else DEFAULT_N_REFERENCES
