"""The target `y` of every estimator: the claimed writer of each signature, and the kind of forgery."""

import numpy as np

from sigkit._utils._ordered import check_ordered
from sigkit._utils._text import listing

GENUINE, SKILLED, SIMPLE = 0, 1, 2
"""Forgery kinds: the values of the second column of `y`."""


def parse_target(y):
    """Split a target into writers and forgery kinds.

    Parameters
    ----------
    y : array-like or DataFrame of shape (n_samples,) or (n_samples, 2)
        Writer ids (every signature is genuine), or rows `[writer, forgery]`. Writer ids are integers or
        strings; forgery kinds are 0 (genuine), 1 (skilled) and 2 (simple). In a row with a forgery, the
        writer is the claimed one.

    Returns
    -------
    writers : ndarray of shape (n_samples,)
        The writer of each row, as integers or strings.
    forgery : ndarray of shape (n_samples,), dtype int8
        The forgery kind of each row.

    Raises
    ------
    ValueError
        If `y` has another shape, writer ids are missing or of mixed types, or a forgery kind is unknown.

    Examples
    --------
    >>> from sigkit._utils import parse_target
    >>> writers, forgery = parse_target([["ada", 0], ["ada", 1], ["bob", 0]])
    >>> writers.tolist(), forgery.tolist()
    (['ada', 'ada', 'bob'], [0, 1, 0])
    """
    if y is None:
        raise ValueError("A target y is required: writer ids, or rows [writer, forgery]; found None.")
    check_ordered(y, "y")
    y = _as_array(y)
    if y.ndim == 1:
        return _parse_writers(y), np.zeros(len(y), dtype=np.int8)
    if y.ndim == 2 and y.shape[1] == 1:
        return _parse_writers(y[:, 0]), np.zeros(len(y), dtype=np.int8)
    if y.ndim != 2 or y.shape[1] != 2:
        raise ValueError(f"y must be writer ids (n_samples,) or rows [writer, forgery] (n_samples, 2); got {y.shape}.")
    return _parse_writers(y[:, 0]), _parse_kinds(y[:, 1])


def join_target(writers, forgery):
    """Combine writers and forgery kinds into a target; the inverse of `parse_target`.

    Parameters
    ----------
    writers : ndarray of shape (n_samples,)
        The writer of each row.
    forgery : ndarray of shape (n_samples,)
        The forgery kind of each row.

    Returns
    -------
    ndarray of shape (n_samples, 2), dtype object
        Rows `[writer, forgery]`.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import join_target
    >>> join_target(np.array(["ada", "bob"]), np.array([0, 1])).tolist()
    [['ada', 0], ['bob', 1]]
    """
    return np.stack([writers.astype(object), forgery.astype(object)], axis=1)


def development_rows(writers, dev_writers):
    """Find the rows of the development set.

    Parameters
    ----------
    writers : ndarray of shape (n_samples,)
        The writer of each row.
    dev_writers : iterable of writer ids, or None
        The development writers, who are never enrolled; None for no development set.

    Returns
    -------
    ndarray of shape (n_samples,), dtype bool
        True where the row's writer is a development writer.

    Raises
    ------
    ValueError
        If a development writer has no row, or `dev_writers` is no list of ids.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import development_rows
    >>> development_rows(np.array([1, 2, 2, 3]), dev_writers=[2])
    array([False,  True,  True, False])
    """
    if dev_writers is None:
        return np.zeros(len(writers), dtype=bool)
    known = set(writers.tolist())
    if hasattr(dev_writers, "__next__") or isinstance(dev_writers, str) or not hasattr(dev_writers, "__iter__"):
        raise ValueError(f"dev_writers must be a list of writer ids, or None; found {dev_writers!r}.")
    dev_writers = [writer.item() if isinstance(writer, np.generic) else writer for writer in dev_writers]
    absent = [writer for writer in dev_writers if writer not in known]
    if absent:
        raise ValueError(
            f"dev_writers names writers that are not in y: {listing(map(repr, absent))}. y holds "
            f"{listing(map(repr, sorted(known)))}. Name only writers whose rows are passed, with ids of the same type."
        )
    chosen = set(dev_writers)
    return np.array([writer in chosen for writer in writers.tolist()], dtype=bool)


def same_id_type(writers, others):
    """Check whether two arrays of writer ids have the same type: both hold strings, or neither does.

    Parameters
    ----------
    writers, others : ndarray of shape (n_writers,)
        Writer ids, as `parse_target` returns them.

    Returns
    -------
    bool
        False if no id of one array can equal an id of the other.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import same_id_type
    >>> same_id_type(np.array([1, 2]), np.array(["1", "2"]))
    False
    """
    return (writers.dtype.kind in "US") == (others.dtype.kind in "US")


def _as_array(y):
    """Convert a target to an array; a table of strings and integers keeps both types."""
    if {"writer", "forgery"} <= set(getattr(y, "columns", ())):
        y = y[["writer", "forgery"]]
    if hasattr(y, "to_numpy"):
        return y.to_numpy()
    if hasattr(y, "__array__"):
        return np.asarray(y)
    if isinstance(y, str) or not hasattr(y, "__iter__"):
        raise ValueError(f"Pass writers as a list of ids, or of rows [writer, forgery]: [{y!r}] instead of {y!r}.")
    y = list(y)
    has_pairs = y and isinstance(y[0], (list, tuple, np.ndarray)) and not isinstance(y[0], str)
    return np.array(y, dtype=object) if has_pairs else np.asarray(y)


def _parse_writers(writers):
    if writers.dtype.kind == "O":
        missing = [row for row, writer in enumerate(writers) if _is_missing(writer)]
        if missing:
            raise ValueError(f"Input y contains NaN or None as a writer id, in rows {listing(missing)}.")
        types = {str if isinstance(writer, str) else type(writer) for writer in writers}
        if str in types and len(types) > 1:
            raise ValueError(
                "Writer ids must be all integers or all strings; y mixes "
                f"{listing(sorted(kind.__name__ for kind in types))}. Convert them with str()."
            )
        writers = np.array(writers.tolist(), dtype=str if str in types else None)
    if writers.dtype.kind == "f":
        if not np.isfinite(writers).all():
            raise ValueError("Input y contains NaN or infinity as a writer id; use integers or strings.")
        if np.equal(writers, np.floor(writers)).all():
            writers = writers.astype(np.int64)
    return writers


def _is_missing(writer):
    # NaN differs from itself. Comparing pandas' NA gives NA, which has no truth value, so it is found by its type.
    return writer is None or type(writer).__name__ == "NAType" or writer != writer


def _parse_kinds(kinds):
    try:
        parsed = kinds.astype(np.float64)
    except (TypeError, ValueError):
        parsed = np.full(len(kinds), np.nan)
    unknown = ~np.isin(parsed, (GENUINE, SKILLED, SIMPLE))
    if unknown.any():
        found = listing(sorted({repr(kind) for kind in kinds[unknown].tolist()}))
        raise ValueError(f"Forgery kinds must be 0 (genuine), 1 (skilled) or 2 (simple); found {found} in y[:, 1].")
    return parsed.astype(np.int8)
