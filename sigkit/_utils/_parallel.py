"""Parallel tasks that share large objects, on any backend of joblib."""

import os
import threading
import warnings
from concurrent.futures import CancelledError
from contextlib import nullcontext
from typing import NamedTuple

from joblib import Parallel, delayed, parallel_config
from joblib.parallel import get_active_backend
from sklearn import config_context, get_config
from threadpoolctl import ThreadpoolController

from sigkit._utils._warning_filters import CallerFilters, filters_lock

ATTEMPTS = 5


def map_parallel(function, items, *shared, n_jobs=None, prefer=None):
    """Call a function on each item in parallel, with arguments that all calls share; yield results as they complete.

    Matrix products within a call use one thread. Without this limit, the threads of simultaneous calls would compete
    for the cores, and the rounding of a product would depend on `n_jobs`. A call has scikit-learn's configuration and,
    in another process, the warning filters of the caller. On a dask cluster, shared arguments are sent
    once per worker. If a worker dies, the scheduler repeats its calls on other workers; if shared arguments are lost
    with it, they are sent again and the calls that are not complete are repeated.

    Parameters
    ----------
    function : callable
        Called as `function(item, *shared)`; defined at module level, so that processes can import it.
    items : list
        One item per call.
    *shared : object
        Arguments that are the same in all calls.
    n_jobs : int or None, default=None
        Number of simultaneous calls, as in `joblib.Parallel`.
    prefer : {"threads", "processes"} or None, default=None
        The backend if `joblib.parallel_config` does not set one.

    Yields
    ------
    tuple of (int, object)
        The position of an item, and its result; in the order of completion.

    Examples
    --------
    >>> import operator
    >>> from sigkit._utils import map_parallel
    >>> sorted(map_parallel(operator.mul, [3, 5], 10))
    [(0, 30), (1, 50)]
    """
    remaining = dict(enumerate(items))
    # Not by scikit-learn's `Parallel`, which calls `warnings.catch_warnings` in the threads.
    with filters_lock:
        caller = _Caller(os.getpid(), get_config(), warnings.filters[:])
    for attempt in range(1, ATTEMPTS + 1):
        try:
            # Set here as well as in each call: set in another thread than the main one, the limit has no effect.
            with single_threaded_products:
                with _sent_once(shared):
                    results = Parallel(n_jobs=n_jobs, prefer=prefer, return_as="generator_unordered")(
                        delayed(_call)((caller, position, function, item), *shared)
                        for position, item in list(remaining.items())
                    )
                for position, result in results:
                    del remaining[position]
                    yield position, result
            return
        # dask cancels the calls whose shared arguments were lost.
        except CancelledError:
            if attempt == ATTEMPTS:
                raise


def on_dask():
    """Check whether joblib sends tasks to a dask cluster, which is also the case within such a task.

    Returns
    -------
    bool
        True with joblib's dask backend.

    Examples
    --------
    >>> from sigkit._utils import on_dask
    >>> on_dask()
    False
    """
    return type(get_active_backend()[0]).__name__ == "DaskDistributedBackend"


def _sent_once(shared):
    """Return a context in which shared arguments are sent to each dask worker once."""
    # By default joblib sends an array to one worker, from which all others fetch it; "scatter" sends it to all.
    if not on_dask():
        return nullcontext()
    client = get_active_backend()[0].client
    return parallel_config("dask", client=client, scatter=[thing for thing in shared if thing is not None])


def _call(call, *shared):
    # The arguments of a single call are in a tuple, because joblib would send an array among them to the cluster as a
    # shared object.
    caller, position, function, item = call
    # Threads of one process have common filters.
    filters = CallerFilters(caller.filters) if os.getpid() != caller.process else nullcontext()
    with single_threaded_products, config_context(**caller.config), filters:
        return position, function(item, *shared)


class _Caller(NamedTuple):
    process: int
    config: dict
    filters: list


class _SingleThreadedProducts:
    """Context that limits matrix products to one thread, from the first user that enters it to the last that leaves.

    The limit belongs to the process. `threadpool_limits` alone would not do: the first of several threads to leave
    would lift the limit for the others, and the last would restore the limit that it found.
    """

    def __init__(self):
        self._lock, self._count = threading.Lock(), 0
        self._controller = self._limits = None

    def __enter__(self):
        with self._lock:
            if self._count == 0:
                # Finding the libraries takes as long as preprocessing an image, so it is done once.
                self._controller = self._controller or ThreadpoolController()
                self._limits = self._controller.limit(limits=1, user_api="blas")
            self._count += 1

    def __exit__(self, *error):
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._limits.restore_original_limits()


single_threaded_products = _SingleThreadedProducts()
