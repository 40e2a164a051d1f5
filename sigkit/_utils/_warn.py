"""Warnings that point at the caller's own line."""

import sys
import warnings

_LIBRARIES = ("sigkit", "sklearn", "joblib", "skorch")


def warn(message, category=UserWarning):
    """Warn with the line outside of the library that led to the warning.

    A literal `stacklevel` is right for one path through the library alone: `fit` called directly, by a Pipeline or by
    `cross_validate` are several frames apart.

    Parameters
    ----------
    message : str
        What the user should know and do.
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
    frame, stacklevel = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)
