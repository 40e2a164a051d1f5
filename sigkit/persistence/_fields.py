"""Objects and their attributes: what is written of an object, and checks of what was read."""

import inspect
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

import numpy as np
from sklearn.base import BaseEstimator

import sigkit
from sigkit._utils import VERSION_KEY, VersionInState, listing
from sigkit.estimators import check_stored

_WIDER = {float: (float, int, np.floating, np.integer), int: (int, np.integer), str: (str,)}


@cache
def field_names(cls):
    """Return the names of the fields of a class whose state is its fields, in this order; None for other classes.

    Parameters
    ----------
    cls : type
        A named tuple, a dataclass, or another class.

    Returns
    -------
    tuple of str or None
        The names.
    """
    if issubclass(cls, tuple):
        return getattr(cls, "_fields", None)
    if is_dataclass(cls) and not _has_own_state(cls):
        return tuple(field.name for field in fields(cls))
    return None


def values_of(thing):
    """Return what is written of an object.

    Parameters
    ----------
    thing : object
        An object of a known class.

    Returns
    -------
    tuple, dict of str to object, or object
        The values of its fields, or its state by name. Of a class of the user, the state may be anything.
    """
    names = field_names(type(thing))
    if names is not None:
        return tuple(getattr(thing, name) for name in names)
    state = thing.__getstate__()
    if state is not None and type(state) is not dict:
        return state
    # The file has the version once.
    return {name: value for name, value in (state or {}).items() if name != VERSION_KEY}


def make(cls, values):
    """Make an object of values that are checked, without calling its constructor.

    Parameters
    ----------
    cls : type
        The class.
    values : list or dict of str to object
        What `values_of` returned.

    Returns
    -------
    object
        The object.

    Raises
    ------
    ValueError
        If an attribute is missing, too many, or of another type.
    """
    names = field_names(cls)
    if names is None:
        thing = _with_state(cls, values)
    elif type(values) is not list or len(values) != len(names):
        raise ValueError(f"a {cls.__name__} with other attributes than {listing(names)}")
    else:
        thing = _with_fields(cls, dict(zip(names, values)))
    check_stored(thing)
    return thing


def _with_fields(cls, values):
    _check_types(cls, values)
    if issubclass(cls, tuple):
        return cls._make(values.values())
    thing = cls.__new__(cls)
    # A frozen dataclass refuses plain assignment.
    vars(thing).update(values)
    return thing


def _with_state(cls, values):
    _check_names(cls, values)
    thing = cls.__new__(cls)
    if hasattr(cls, "__setstate__"):
        thing.__setstate__({**values, VERSION_KEY: sigkit.__version__} if issubclass(cls, VersionInState) else values)
    else:
        vars(thing).update(values)
    return thing


def _has_own_state(cls):
    return cls.__getstate__ is not object.__getstate__


def _check_names(cls, values):
    """Check that attributes are those of an object of the class, and hide none of its methods."""
    if type(values) is not dict or not all(type(name) is str for name in values):
        raise ValueError(f"a {cls.__name__} without named attributes")
    parameters = set()
    if issubclass(cls, BaseEstimator):
        parameters = set(inspect.signature(cls).parameters)
        lacking = sorted(parameters - values.keys())
        if lacking:
            raise ValueError(f"a {cls.__name__} without {listing(lacking)}")
    declared = set(field.name for field in fields(cls)) if is_dataclass(cls) else set()
    hidden = [name for name in values if name not in parameters | declared and (name[:2] == "__" or hasattr(cls, name))]
    if hidden:
        raise ValueError(f"a {cls.__name__} with the attributes {listing(hidden)}")


@cache
def _checks(cls):
    """Return the types of each field that are accepted; None accepts all."""
    return {name: _accepted(hint) for name, hint in get_type_hints(cls).items()}


def _accepted(hint):
    if get_origin(hint) in (Union, UnionType):
        each = [_accepted(part) for part in get_args(hint)]
        return None if None in each else sum(each, ())
    hint = get_origin(hint) or hint
    if hint is object or not inspect.isclass(hint):
        return None
    return _WIDER.get(hint, (hint,))


def _check_types(cls, values):
    checks = _checks(cls)
    for name, value in values.items():
        accepted = checks.get(name)
        if accepted is not None and not isinstance(value, accepted):
            raise ValueError(f"a {cls.__name__} whose {name} is a {type(value).__name__}")
