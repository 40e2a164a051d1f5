"""Identification among very many writers, whose linear models are on disk."""

from numbers import Integral

import numpy as np
import torch
from sklearn.utils.validation import check_array

_BLOCK_BYTES = 16 * 2**20
"""The models of a block in float32."""


def find_best_writers(queries, directions, intercepts, n_best=10):
    """Find the writers with the highest scores of linear models, of which a part is in memory at a time.

    The scores are `queries @ directions.T + intercepts`, those of a `WriterDependentSVC` with a linear kernel.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_features)
        Features of queries on the scale of the models, as `bank_.standardise` of the `WriterDependentSVC` returns them.
    directions : list of array-like of shape (n_writers_i, n_features)
        The weight vectors, `models_[writer].direction`, in parts; for example one memory-mapped array per file, in
        float16 or float32.
    intercepts : list of array-like of shape (n_writers_i,)
        The intercepts, in the same parts.
    n_best : int, default=10
        Number of writers to find for each query.

    Returns
    -------
    writers : ndarray of shape (n_queries, n_best), dtype int
        The rows of the writers, counted over all parts, from the best on. Fewer columns if there are fewer writers.
    scores : ndarray of shape (n_queries, n_best), dtype float32
        Their scores.

    Raises
    ------
    ValueError
        If there is no writer, numbers of features or of writers differ, or `n_best` is no positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import find_best_writers
    >>> directions = [np.array([[1.0, 0], [0, 1]]), np.array([[1.0, 1]])]
    >>> writers, scores = find_best_writers([[2.0, 1]], directions, [np.zeros(2), np.zeros(1)], n_best=2)
    >>> writers.tolist(), scores.tolist()
    ([[2, 0]], [[3.0, 2.0]])
    """
    queries = check_array(queries, dtype=np.float32)
    if not isinstance(n_best, Integral) or n_best < 1:
        raise ValueError(f"n_best must be an integer of at least 1, found {n_best!r}.")
    if not sum(map(len, directions)) or list(map(len, directions)) != list(map(len, intercepts)):
        raise ValueError(
            "directions and intercepts must have the same parts with at least one writer; found the numbers of writers "
            f"{list(map(len, directions))} and {list(map(len, intercepts))}."
        )
    step = max(1, _BLOCK_BYTES // (4 * queries.shape[1]))
    # PyTorch converts half precision several times as fast as numpy, into memory that is already there.
    buffer = torch.empty((min(step, max(map(len, directions))), queries.shape[1]))
    rows, scores = np.empty((len(queries), 0), dtype=np.int64), np.empty((len(queries), 0), dtype=np.float32)
    first = 0
    for part, part_intercepts in zip(directions, intercepts):
        if np.shape(part)[1:] != queries.shape[1:]:
            raise ValueError(
                f"queries have {queries.shape[1]} features, but a part of directions has the shape {np.shape(part)}."
            )
        for start in range(0, len(part), step):
            # A copy: PyTorch warns about arrays that it cannot write to, as those of files are.
            own_part = torch.from_numpy(np.array(part[start : start + step]))
            block = buffer[: len(own_part)].copy_(own_part).numpy()
            own = queries @ block.T + np.asarray(part_intercepts[start : start + step], dtype=np.float32)
            numbers = np.broadcast_to(np.arange(first + start, first + start + len(block)), own.shape)
            rows, scores = _best_of(np.hstack([rows, numbers]), np.hstack([scores, own]), n_best)
        first += len(part)
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _best_of(rows, scores, n_best):
    if scores.shape[1] <= n_best:
        return rows, scores
    best = np.argpartition(-scores, n_best - 1, axis=1)[:, :n_best]
    return np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)
