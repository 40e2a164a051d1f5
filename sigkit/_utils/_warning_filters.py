"""The warning filters of the process, which `warnings.catch_warnings` does not change safely in several threads."""

import threading
import warnings

import numpy as np
from sklearn.utils import validation

filters_lock = threading.RLock()
"""Held during the checks of scikit-learn: they change the filters for a moment, and with two at once a change stays."""


def validate_data(estimator, X, **checks):
    """Call scikit-learn's `validate_data` on `X`, without effect on the warning filters in other threads.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    X : array-like
        Its input.
    **checks : object
        Arguments of scikit-learn's function.

    Returns
    -------
    ndarray
        The validated input.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from sigkit._utils import validate_data
    >>> validate_data(BaseEstimator(), [[1, 2]], dtype=float)
    array([[1., 2.]])
    """
    # A lazy array may be computed in other threads, which may need the lock.
    if hasattr(X, "__array__") and not hasattr(X, "columns"):
        X = np.asarray(X)
    with filters_lock:
        return validation.validate_data(estimator, X, **checks)


class CallerFilters:
    """Context with the warning filters of another process, until the last of the threads that entered it has left.

    Parameters
    ----------
    filters : list of tuple
        Entries as in `warnings.filters`.
    """

    _lock, _count, _own = threading.Lock(), 0, None

    def __init__(self, filters):
        self.filters = filters

    def __enter__(self):
        shared = CallerFilters
        with self._lock:
            if shared._count == 0:
                shared._own = warnings.filters[:]
                _replace(self.filters)
            shared._count += 1

    def __exit__(self, *error):
        shared = CallerFilters
        with self._lock:
            shared._count -= 1
            if shared._count == 0:
                _replace(shared._own)


def _replace(filters):
    with filters_lock:
        if warnings.filters != filters:
            warnings.resetwarnings()
            warnings.filters.extend(filters)
