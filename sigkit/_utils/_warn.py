"""Warnings that show the line of the user's code."""

import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar

_LIBRARIES = ("sigkit", "sklearn", "joblib", "skorch")

_silent = ContextVar("silent", default=())
"""Categories of warnings that are left out. The filters of `warnings` are those of all threads."""

_given = ContextVar("given", default=None)
"""Messages that are not given again; None where all are."""


@contextmanager
def without_warnings(*categories):
    """Leave out warnings of some categories by `warn` in a block, where they say nothing new to the user.

    Parameters
    ----------
    *categories : type
        Classes of warnings.

    Examples
    --------
    >>> from sigkit._utils import warn, without_warnings
    >>> with without_warnings(UserWarning):
    ...     warn("Two writers have one reference each.")
    """
    token = _silent.set((*_silent.get(), *categories))
    try:
        yield
    finally:
        _silent.reset(token)


@contextmanager
def equal_warnings_once():
    """Give equal warnings by `warn` once in a block, where several objects do the same with the same data.

    Examples
    --------
    >>> import warnings
    >>> from sigkit._utils import equal_warnings_once, warn
    >>> with warnings.catch_warnings(record=True) as caught, equal_warnings_once():
    ...     warnings.simplefilter("always")
    ...     for _ in range(2):
    ...         warn("Two writers have one reference each.")
    >>> len(caught)
    1
    """
    token = _given.set(set())
    try:
        yield
    finally:
        _given.reset(token)


def warn(message, category=UserWarning):
    """Warn, and attribute the warning to the line outside the library that led to it.

    A literal `stacklevel` is correct for a single path through the library: whether `fit` is called directly, by a
    Pipeline or by `cross_validate` makes a difference of several frames.

    Parameters
    ----------
    message : str
        What was found, and what to do.
    category : type, default=UserWarning
        Class of the warning.

    Examples
    --------
    >>> import warnings
    >>> from sigkit._utils import warn
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn("Two writers have one reference each.")
    >>> str(caught[0].message)
    'Two writers have one reference each.'
    """
    given = _given.get()
    if issubclass(category, _silent.get()) or (given is not None and message in given):
        return
    if given is not None:
        given.add(message)
    frame, stacklevel = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)
