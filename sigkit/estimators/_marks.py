"""Marks of references, by which a query that is a copy of a reference is recognized."""

import math
from functools import lru_cache

import numpy as np

from sigkit._utils import listing, warn

N_VALUES = 64
"""Values of a mark: 256 bytes for a reference."""

_EQUAL = 1e-5
_NEAR_FEATURES, _NEAR_IMAGES = 0.05, 0.25
"""A copy that was compressed again or made brighter is nearer to its reference than this share of the typical distance
of two references. Genuine signatures of CEDAR, Hindi and drawn writers were never as near: the least shares were 0.07
for CLBP, 0.12 for strokes, 0.32 for SigNet and 0.29 for images."""

_LEAST_FEATURES = 32


def mark(X):
    """Mark signatures: the distance of two marks is about that of the signatures.

    Each value is the sum of every 64th feature, with random signs.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        Features or images.

    Returns
    -------
    ndarray of shape (n_samples, 64), dtype float32
        The marks.
    """
    X = np.asarray(X)
    # Scikit-learn takes numbers as text and as objects too.
    X = X.astype(np.float64) if X.dtype.kind in "OUT" else X
    n_features = math.prod(X.shape[1:])
    n_terms = -(-n_features // N_VALUES)
    signed = np.zeros((len(X), n_terms * N_VALUES), dtype=np.result_type(X, np.float32))
    np.multiply(X.reshape(len(X), n_features), _signs(n_features), out=signed[:, :n_features])
    return signed.reshape(len(X), n_terms, N_VALUES).sum(axis=1, dtype=np.float64).astype(np.float32)


def find_copies(marks, X, claimed):
    """Find queries that are copies of a reference of the claimed writer.

    Parameters
    ----------
    marks : dict of writer id to ndarray of shape (n_references, 64)
        The marks of the references.
    X : array-like of shape (n_queries, ...)
        Queries.
    claimed : dict of writer id to ndarray of int
        The rows that claim each writer.

    Returns
    -------
    ndarray of shape (n_queries,), dtype int
        The number of the reference; -1 for a query that is no copy.
    """
    X = np.asarray(X)
    of_queries, found = mark(X), np.full(len(X), -1)
    near = _NEAR_FEATURES if X.ndim == 2 else _NEAR_IMAGES
    # A few values can be nearly equal by chance.
    near *= math.prod(X.shape[1:]) >= _LEAST_FEATURES
    for writer, rows in claimed.items():
        own = marks.get(writer)
        if own is None:
            continue
        distances = _distances(of_queries[rows], own)
        nearest = distances.argmin(axis=1)
        sizes = np.linalg.norm(own, axis=1)[nearest]
        is_copy = distances[np.arange(len(rows)), nearest] <= np.maximum(_EQUAL * sizes, near * _typical_distance(own))
        # Signatures without information are all 0, and equal without being copies.
        found[rows] = np.where(is_copy & (sizes > 0), nearest, -1)
    return found


def report_copies(references, writers):
    """Warn about queries that are copies of references.

    Parameters
    ----------
    references : ndarray of shape (n_queries,)
        The reference of which each query is a copy, or -1.
    writers : ndarray of shape (n_queries,)
        The claimed writers.
    """
    copies = np.flatnonzero(references >= 0)
    if len(copies):
        which = [f"query {row} (writer {writers[row].item()!r}, reference {references[row]})" for row in copies]
        warn(
            f"{len(copies)} of {len(writers)} queries are copies of references: {listing(which)}. A signature that is "
            "already on file confirms nothing: ask for the original of the query."
        )


def _typical_distance(marks):
    """Return the median distance of different references; 0 if there is only one."""
    between = _distances(marks, marks)
    apart = between[between > _EQUAL * np.linalg.norm(marks, axis=1)]
    return np.median(apart) if len(apart) else 0.0


def _distances(first, second):
    # In double precision, and not by a product: that of equal marks must be 0.
    return np.linalg.norm(first[:, None].astype(np.float64) - second, axis=2)


@lru_cache(maxsize=8)
def _signs(n_features):
    return np.random.RandomState(0).choice(np.array([-1, 1], dtype=np.int8), n_features)
