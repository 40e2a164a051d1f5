"""The number of PyTorch's threads in parallel tasks."""

from contextlib import contextmanager

import torch


@contextmanager
def at_most_threads(n_threads):
    """Limit PyTorch's own threads in this thread, in a context.

    Sums of several threads are rounded otherwise than those of one. A task in another process takes the number of the
    caller, unless that process has fewer. So after `torch.set_num_threads(1)` results are the same to the last bit
    wherever tasks run.

    Parameters
    ----------
    n_threads : int
        The largest number.

    Yields
    ------
    None
        The number is restored afterwards.
    """
    own = torch.get_num_threads()
    if own <= n_threads:
        yield
        return
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(own)
