"""The target `y` of every estimator: the claimed writer of each signature, and the kind of forgery."""

import numpy as np

from sigkit._utils._ids import as_column, parse_ids
from sigkit._utils._ordered import check_ordered
from sigkit._utils._text import listing

GENUINE, SKILLED, SIMPLE = 0, 1, 2
"""Forgery kinds: the values of the second column of `y`."""

FORGERY_KINDS = "0 (genuine), 1 (skilled) or 2 (simple)"


def parse_target(y, name="y"):
    """Split a target into writers and forgery kinds.

    Parameters
    ----------
    y : array-like or DataFrame of shape (n_samples,) or (n_samples, 2)
        Writer ids (every signature is genuine), or rows `[writer, forgery]`. Writer ids are integers or
        strings; forgery kinds are 0 (genuine), 1 (skilled) and 2 (simple). In a row with a forgery, the
        writer is the claimed one.
    name : str, default="y"
        The parameter, for messages.

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
        raise ValueError(f"A target {name} is required: writer ids, or rows [writer, forgery]; found None.")
    check_ordered(y, name)
    writers, kinds = _columns(y, name)
    writers = parse_ids(writers, name)
    return writers, np.zeros(len(writers), dtype=np.int8) if kinds is None else _parse_kinds(kinds, name)


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
    if hasattr(dev_writers, "__next__") or isinstance(dev_writers, str) or not hasattr(dev_writers, "__iter__"):
        raise ValueError(f"dev_writers must be a list of writer ids, or None; found {dev_writers!r}.")
    known, chosen = set(writers.tolist()), parse_ids(dev_writers, "dev_writers").tolist()
    absent = [writer for writer in chosen if writer not in known]
    if absent:
        raise ValueError(
            f"dev_writers names writers that are not in y: {listing(map(repr, absent))}. y holds "
            f"{listing(map(repr, sorted(known)))}. Name only writers whose rows are passed, with ids of the same type. "
            "In a cross-validation, WriterSplit(dev_writers=...) puts their rows into every training fold."
        )
    chosen = set(chosen)
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


def _columns(y, name):
    """Return the columns of a target as they are: the writers, and the kinds of forgery or None."""
    if hasattr(y, "columns"):
        return _columns_of_table(y, name)
    # numpy would convert a table of strings and integers to strings, and one of large integers and floats to floats.
    y = as_column(y, name)
    if isinstance(y, np.ndarray):
        shape = y.shape
    else:
        are_rows = {issubclass(kind, (list, tuple, np.ndarray)) for kind in set(map(type, y))}
        lengths = _lengths(y) if are_rows == {True} else set()
        if len(are_rows) > 1 or (are_rows == {True} and len(lengths) != 1):
            raise ValueError(
                f"{name} has rows of different lengths, or ids among rows [writer, forgery]. Pass one form."
            )
        shape = (len(y), *lengths)
    if len(shape) == 1:
        return y, None
    if len(shape) != 2 or shape[1] not in (1, 2):
        raise ValueError(
            f"{name} must be writer ids (n_samples,) or rows [writer, forgery] (n_samples, 2); got {shape}."
        )
    columns = list(y.T) if isinstance(y, np.ndarray) else [[row[place] for row in y] for place in range(shape[1])]
    return columns[0], columns[1] if shape[1] == 2 else None


def _lengths(rows):
    try:
        return set(map(len, rows))
    except TypeError:  # An array without dimensions.
        return set()


def _columns_of_table(table, name):
    names = list(table.columns)
    if {"writer", "forgery"} <= set(names):
        chosen = [names.index("writer"), names.index("forgery")]
    elif len(names) in (1, 2):
        chosen = list(range(len(names)))
    else:
        raise ValueError(
            f"{name} must have the columns writer and forgery, or one or two columns; found {listing(names)}."
        )
    second = str(names[chosen[1]]) if len(chosen) == 2 else ""
    if "genuine" in second.lower():
        raise ValueError(
            f"The second column of {name} is {second!r}, but it must hold the kind of forgery: {FORGERY_KINDS}. "
            "Convert it, and name it forgery."
        )
    # Each column for itself, because a conversion of the table gives all columns one type, such as float.
    columns = [table.iloc[:, place] if hasattr(table, "iloc") else table[names[place]] for place in chosen]
    return columns[0], columns[1] if len(columns) == 2 else None


def _parse_kinds(kinds, name):
    kinds = as_column(kinds, name)
    if isinstance(kinds, list):
        array = np.empty(len(kinds), dtype=object)
        array[:] = kinds
        kinds = array
    try:
        parsed = kinds.astype(np.float64)
    except (TypeError, ValueError):
        parsed = np.full(len(kinds), np.nan)
    unknown = ~np.isin(parsed, (GENUINE, SKILLED, SIMPLE))
    if unknown.any():
        found = listing(sorted({repr(kind) for kind in kinds[unknown].tolist()}))
        raise ValueError(f"Forgery kinds must be {FORGERY_KINDS}; found {found} in {name}[:, 1].")
    return parsed.astype(np.int8)
