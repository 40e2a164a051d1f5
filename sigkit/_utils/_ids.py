"""Writer ids: every id that enters is parsed here, so that two different ids are never merged."""

import numpy as np

from sigkit._utils._text import listing

_INTEGERS = np.iinfo(np.int64)


def parse_ids(ids, name="y"):
    """Convert writer ids to an array, without merging two of them.

    Conversions of numpy merge ids silently: 7 and "7" in one list, integers beyond 2**53 next to a float, or strings
    that differ in null characters at their end. So the elements of lists are examined before they become an array.

    Parameters
    ----------
    ids : array-like of shape (n_ids,)
        Integers of 64 bits, or strings. Floats are accepted if they are integers so small that no other integer rounds
        to the same float.
    name : str, default="y"
        The parameter, for messages.

    Returns
    -------
    ndarray of shape (n_ids,)
        The ids as int64, or as strings.

    Raises
    ------
    ValueError
        If ids are missing, of other types, of both types, or could be confused with others; the ids are named.

    Examples
    --------
    >>> from sigkit._utils import parse_ids
    >>> parse_ids([3, 1.0])
    array([3, 1])
    >>> parse_ids([7, "7"])
    Traceback (most recent call last):
        ...
    ValueError: Writer ids must be all integers or all strings; y mixes int, str. Convert them with str().
    """
    column = as_column(ids, name)
    if isinstance(column, np.ndarray):
        if column.ndim != 1:
            raise ValueError(f"{name} must be a list of writer ids, (n_ids,); got {column.shape}.")
        parse = {"i": _parse_integers, "u": _parse_integers, "f": _parse_floats, "U": _parse_text}.get(
            column.dtype.kind
        )
        if parse is not None:
            return parse(column, name)
    return _parse_objects(list(column), name)


def as_column(values, name):
    """Return a sequence of values as an array if it is one, or as a list of its elements as they are.

    Parameters
    ----------
    values : array-like
        An array, a pandas object, or an iterable.
    name : str
        The parameter, for messages.

    Returns
    -------
    ndarray or list
        The values.

    Raises
    ------
    ValueError
        If it is a single value, a mapping, or an array with masked values.
    """
    if np.ma.is_masked(values):
        raise ValueError(f"Input {name} contains masked values as writer ids. Leave out their rows.")
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy())
    if hasattr(values, "__array__"):
        return np.asarray(values)
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__") or hasattr(values, "keys"):
        raise ValueError(
            f"Pass writers as a list of ids, or of rows [writer, forgery]: [{values!r}] instead of {values!r}."
        )
    return list(values)


def _parse_integers(column, name):
    if column.dtype.kind == "u" and len(column) and column.max() > _INTEGERS.max:
        _refuse_large(column[column > _INTEGERS.max], name)
    return column.astype(np.int64, copy=False)


def _parse_floats(column, name):
    if not np.isfinite(column).all():
        raise ValueError(
            f"Input {name} contains NaN or infinity as a writer id, in rows "
            f"{listing(np.flatnonzero(~np.isfinite(column)))}; use integers or strings."
        )
    fractions = column[column != np.floor(column)]
    if len(fractions):
        _refuse_type(fractions, name)
    # From this size on, neighbouring integers round to the same float.
    limit = min(2.0 ** (np.finfo(column.dtype).nmant + 1), 2.0**63)
    large = column[np.abs(column) >= limit]
    if len(large):
        raise ValueError(
            f"Writer ids in {name} are floats so large that different integers may have become equal: "
            f"{listing(_distinct(large))}. Pass them as integers or strings."
        )
    return column.astype(np.int64)


def _parse_text(column, name):
    empty = np.flatnonzero(column == "")
    if len(empty):
        raise ValueError(f"Input {name} contains an empty string as a writer id, in rows {listing(empty)}.")
    return column


def _parse_objects(values, name):
    """Parse Python objects by their types."""
    types = {kind: _meaning(kind) for kind in set(map(type, values))}
    if not {"missing", "float"}.isdisjoint(types.values()):
        missing = [row for row, value in enumerate(values) if types[type(value)] == "missing" or value != value]
        if missing:
            raise ValueError(f"Input {name} contains NaN or None as a writer id, in rows {listing(missing)}.")
    if "other" in types.values():
        _refuse_type([value for value in values if types[type(value)] == "other"], name)
    if "text" in types.values():
        if len(set(types.values())) > 1:
            found = {"str" if meaning == "text" else kind.__name__ for kind, meaning in types.items()}
            raise ValueError(
                f"Writer ids must be all integers or all strings; {name} mixes {listing(sorted(found))}. Convert them "
                "with str()."
            )
        # A subclass of str, such as a member of an enumeration, may print as something else than it contains.
        values = values if set(types) == {str} else list(map(str.__str__, values))
        with_null = [value for value in values if value[-1:] == "\0"]
        if with_null:
            raise ValueError(
                f"Writer ids in {name} end in null characters, which numpy drops: {listing(_distinct(with_null))}. "
                "Strip them, if the ids still differ."
            )
        return _parse_text(np.array(values, dtype=str), name)
    for kind in [kind for kind, meaning in types.items() if meaning == "float"]:
        _parse_floats(np.array([value for value in values if type(value) is kind]), name)
    values = values if set(types) == {int} else list(map(int, values))
    if values and not _INTEGERS.min <= min(values) <= max(values) <= _INTEGERS.max:
        _refuse_large([value for value in values if not _INTEGERS.min <= value <= _INTEGERS.max], name)
    return np.array(values, dtype=np.int64)


def _meaning(kind):
    """Return what a type of ids means: "integer", "float", "text", "missing" or "other"."""
    if issubclass(kind, str):
        return "text"
    if issubclass(kind, (int, np.integer)) and kind is not bool and not issubclass(kind, np.timedelta64):
        return "integer"
    if issubclass(kind, (float, np.floating)):
        return "float"
    return "missing" if kind is type(None) or kind.__name__ in ("NAType", "NaTType") else "other"


def _refuse_type(found, name):
    types = listing(sorted({type(value).__name__ for value in found}))
    # scikit-learn's checks of classifiers look for the first words.
    raise ValueError(
        f"Unknown label type: writer ids are integers or strings; {name} has {types}: {listing(_distinct(found))}. "
        "Convert them with str()."
    )


def _refuse_large(found, name):
    raise ValueError(
        f"Writer ids in {name} are beyond 64-bit integers, -2**63 to 2**63 - 1: {listing(_distinct(found))}. Convert "
        "the ids of all writers with str()."
    )


def _distinct(values):
    """Describe values, each once."""
    return list(dict.fromkeys(repr(value.item() if isinstance(value, np.generic) else value) for value in values))
