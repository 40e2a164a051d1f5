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
        If there is no writer, numbers of features or of writers differ, an array has another shape, or `n_best` is no
        positive integer; or if a model has NaN, infinity or numbers that are too large for float32.

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
    directions = _parts("directions", directions, "n_writers_i, n_features")
    intercepts = _parts("intercepts", intercepts, "n_writers_i,")
    sizes, others = ([shape[0] for _, shape in parts] for parts in (directions, intercepts))
    if not sum(sizes) or sizes != others:
        raise ValueError(
            "directions and intercepts must have the same parts with at least one writer; found the numbers of writers "
            f"{sizes} and {others}."
        )
    for _, shape in directions:
        if shape[1:] != queries.shape[1:]:
            raise ValueError(
                f"queries have {queries.shape[1]} features, but a part of directions has the shape {shape}."
            )
    step = max(1, _BLOCK_BYTES // (4 * queries.shape[1]))
    # PyTorch converts half precision several times as fast as numpy, into memory that is already there.
    buffer = torch.empty((min(step, max(sizes)), queries.shape[1]))
    rows, scores = np.empty((len(queries), 0), dtype=np.int64), np.empty((len(queries), 0), dtype=np.float32)
    first = 0
    for number, ((part, _), (part_intercepts, _), size) in enumerate(zip(directions, intercepts, sizes)):
        for start in range(0, size, step):
            own_part = _numbers(f"directions[{number}]", part[start : start + step])
            block = buffer[: len(own_part)].copy_(torch.from_numpy(own_part)).numpy()
            own_intercepts = _numbers(f"intercepts[{number}]", part_intercepts[start : start + step])
            with np.errstate(all="ignore"):
                own = queries @ block.T + own_intercepts.astype(np.float32, copy=False)
            if not np.isfinite(own).all():
                # A weight that is NaN or infinite makes all scores of its writer so: this looks at few numbers.
                row = start + int(np.argmin(np.isfinite(own).all(axis=0)))
                raise ValueError(
                    f"directions[{number}] and intercepts[{number}] have a model in row {row} whose score is NaN or "
                    "infinite in float32. It is damaged, or its numbers are too large; fit it again, or leave it out."
                )
            numbers = np.broadcast_to(np.arange(first + start, first + start + len(block)), own.shape)
            rows, scores = _best_of(np.hstack([rows, numbers]), np.hstack([scores, own]), n_best)
        first += size
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _parts(name, parts, shape):
    """Return the parts, each with its shape, which is checked. No values are read from files."""
    wanted = f"{name} must be a list of arrays of shape ({shape})"
    try:
        found = [(part, tuple(np.shape(part))) for part in parts]
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{wanted}, one for each part; found a {type(parts).__name__} ({error}).") from error
    n_axes = len(shape.split())
    for number, (part, part_shape) in enumerate(found):
        if len(part_shape) != n_axes:
            advice = f" Put a single array into a list: [{name}]." if len(part_shape) == n_axes - 1 else ""
            found_here = f"{name}[{number}] is a {type(part).__name__} of shape {part_shape}"
            raise ValueError(f"{wanted}, one for each part; {found_here}.{advice}")
    return found


def _numbers(name, rows):
    """Read rows of a part into memory of their own; PyTorch warns about arrays that it cannot write to."""
    try:
        array = np.array(rows)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be read as an array ({error}).") from error
    if array.dtype.kind not in "biuf" or np.ma.is_masked(rows):
        kind = "masked values" if np.ma.is_masked(rows) else f"values of type {array.dtype}"
        raise ValueError(f"{name} has {kind}; pass arrays of numbers, without masks.")
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8 and array.dtype.isnative:
        return array
    # Types that PyTorch does not convert.
    return array.astype(np.float64)


def _best_of(rows, scores, n_best):
    if scores.shape[1] <= n_best:
        return rows, scores
    best = np.argpartition(-scores, n_best - 1, axis=1)[:, :n_best]
    return np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)
