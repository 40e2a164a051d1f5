"""Many tasks that share large objects, wherever joblib works."""

import threading
from concurrent.futures import CancelledError
from contextlib import nullcontext

from joblib import parallel_config
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import ThreadpoolController

ATTEMPTS = 5


def map_parallel(function, items, *shared, n_jobs=None, prefer=None):
    """Call a function on each item and on what all calls share, in parallel; the results come as they are done.

    Matrix products within a call use one thread, so that a result does not depend on how many calls are made at a time.
    On a dask cluster, what is shared goes out once a worker, and what belongs to one call travels with it. Should a
    worker die, the scheduler gives its calls to others; should shared objects die with it, they are sent again and the
    calls that are not done are made anew.

    Parameters
    ----------
    function : callable
        Called as `function(item, *shared)`; of a module's level, for processes to find it.
    items : list
        What differs from call to call.
    *shared : object
        What is the same in all calls.
    n_jobs : int or None, default=None
        Calls at a time, as in `joblib.Parallel`.
    prefer : {"threads", "processes"} or None, default=None
        Where calls are made if `joblib.parallel_config` does not say.

    Yields
    ------
    tuple of (int, object)
        The position of an item, and its result.

    Examples
    --------
    >>> import operator
    >>> from sigkit._utils import map_parallel
    >>> sorted(map_parallel(operator.mul, [3, 5], 10))
    [(0, 30), (1, 50)]
    """
    left = dict(enumerate(items))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            # Here as well as in the call: set from another thread than the main one, the limit has no effect.
            with single_threaded_products:
                with _sent_once(shared):
                    results = Parallel(n_jobs=n_jobs, prefer=prefer, return_as="generator_unordered")(
                        delayed(_call)((position, function, item), *shared) for position, item in list(left.items())
                    )
                for position, result in results:
                    del left[position]
                    yield position, result
            return
        except CancelledError:
            if attempt == ATTEMPTS:
                raise


def on_dask():
    """Tell whether joblib's tasks go to a dask cluster here, as they also do within such a task.

    Returns
    -------
    bool
        True on dask.

    Examples
    --------
    >>> from sigkit._utils import on_dask
    >>> on_dask()
    False
    """
    return type(get_active_backend()[0]).__name__ == "DaskDistributedBackend"


def _sent_once(shared):
    # joblib sends arrays that tasks take as arguments to one worker, from which others fetch them; these to all.
    if not on_dask():
        return nullcontext()
    client = get_active_backend()[0].client
    return parallel_config("dask", client=client, scatter=[thing for thing in shared if thing is not None])


def _call(call, *shared):
    # The call's own arguments come in a tuple, which joblib does not send apart from the task.
    position, function, item = call
    with single_threaded_products:
        return position, function(item, *shared)


class _SingleThreadedProducts:
    """A limit of one thread in each matrix product, from the first who wants it, in any thread, to the last."""

    def __init__(self):
        self._lock, self._count = threading.Lock(), 0
        self._controller = self._limits = None

    def __enter__(self):
        with self._lock:
            if self._count == 0:
                # Looking for the libraries takes as long as an image, and they stay.
                self._controller = self._controller or ThreadpoolController()
                self._limits = self._controller.limit(limits=1, user_api="blas")
            self._count += 1

    def __exit__(self, *error):
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._limits.restore_original_limits()


single_threaded_products = _SingleThreadedProducts()
