"""The warning filters of the process, which `warnings.catch_warnings` does not change safely in several threads."""

import threading
import warnings

filters_lock = threading.RLock()
"""Held during the checks of scikit-learn: they change the filters for a moment, and with two at once a change stays."""


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
