"""Distributed training: each process computes its part of every batch."""

from torch import distributed


def processes():
    """Return the rank of this process and the number of processes that train together.

    Returns
    -------
    rank : int
        Rank of this process, from 0.
    n_processes : int
        Number of processes; 1 if `torch.distributed` is not initialized.
    """
    if not distributed.is_available() or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def share_from_first(value):
    """Broadcast the value of the first process.

    Parameters
    ----------
    value : object
        The value of this process.

    Returns
    -------
    object
        The value of the first process.
    """
    if processes()[1] == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def from_first(function):
    """Call a function in the first process, and return its value, or raise its error, in all of them.

    Parameters
    ----------
    function : callable
        Called without arguments.

    Returns
    -------
    object
        What it returned in the first process.

    Raises
    ------
    Exception
        What it raised there: an error in one process alone would let the others wait for it.
    """
    value = error = None
    if processes()[0] == 0:
        try:
            value = function()
        except Exception as raised:
            if processes()[1] == 1:
                raise
            error = raised
    value, error = share_from_first((value, error))
    if error is not None:
        raise error
    return value


def average_over_processes(tensors):
    """Replace tensors by their means over the processes that train together.

    Parameters
    ----------
    tensors : iterable of Tensor
        The tensors, changed in place.
    """
    n_processes = processes()[1]
    if n_processes > 1:
        for tensor in tensors:
            distributed.all_reduce(tensor)
            tensor /= n_processes
