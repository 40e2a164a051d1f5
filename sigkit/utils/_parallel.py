"""What many parallel tasks share."""

from contextlib import contextmanager

from joblib import parallel_config
from joblib.parallel import get_active_backend


@contextmanager
def sent_once(*objects):
    """Have a dask cluster, where joblib works on one, hold large objects on each of its workers.

    joblib would send an object that many tasks take to one worker, from which others fetch it; should that worker die,
    the object is lost and the tasks fail. Threads share objects anyway, and joblib's processes map arrays from disk.

    Parameters
    ----------
    *objects : object
        What tasks take as arguments, these very objects; None is passed over.

    Yields
    ------
    None
        Within, `Parallel` sends the objects once a worker.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.utils.parallel import Parallel, delayed
    >>> from sigkit.utils import sent_once
    >>> table = np.arange(1000)
    >>> with sent_once(table):
    ...     Parallel()(delayed(np.take)(table, row) for row in (3, 5))
    [np.int64(3), np.int64(5)]
    """
    backend, _ = get_active_backend()
    if type(backend).__name__ != "DaskDistributedBackend":
        yield
        return
    with parallel_config("dask", client=backend.client, scatter=[it for it in objects if it is not None]):
        yield
