"""Gradients of several tasks in parallel, since one task of a few images does not use all cores of a CPU."""

import copy
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import repeat

import torch
from joblib import effective_n_jobs


def n_task_threads(learner, n_jobs, n_tasks):
    """Return the number of threads for tasks: more than one only on a CPU, and if tasks adapt the network.

    Parameters
    ----------
    learner : MetaLearner
        The learner, on its device.
    n_jobs : int or None
        Number of threads, as in joblib.
    n_tasks : int
        Number of tasks that can be computed at once.

    Returns
    -------
    int
        Number of threads.
    """
    if learner.adapts == "head" or learner.rates.device.type != "cpu":
        return 1
    return min(effective_n_jobs(n_jobs), n_tasks)


class TaskThreads:
    """Context in which gradients of tasks are computed in several threads, each with a share of PyTorch's own threads.

    Parameters
    ----------
    learner : MetaLearner
        The learner. Each thread calls its own copy of the modules, with the same parameters and buffers:
        `functional_call` changes a module while it runs, so threads cannot share one.
    n_threads : int
        Number of threads; 1 computes in the calling thread.

    Examples
    --------
    >>> import torch
    >>> from sigkit.training._task_threads import TaskThreads
    >>> from sigkit.nets import MetaLearner, build_network
    >>> learner = MetaLearner(build_network("tiny", seed=0)).eval()
    >>> task = (torch.rand(3, 1, 9, 9), torch.ones(3)), (torch.rand(2, 1, 9, 9), torch.tensor([1.0, 0.0]))
    >>> with TaskThreads(learner, n_threads=2) as threads:
    ...     losses = [losses for losses, _ in threads.gradients([[task], [task]], [0, 0, 0, 0, 1], n_tasks=2)]
    >>> bool(losses[0] == losses[1])
    True
    """

    def __init__(self, learner, n_threads):
        self.learner, self.n_threads = learner, n_threads
        self._pool, self._own = None, threading.local()

    def __enter__(self):
        if self.n_threads > 1:
            n_within, begun = torch.get_num_threads(), threading.Barrier(self.n_threads)
            self._pool = ThreadPoolExecutor(self.n_threads, "sigkit-task")
            try:
                list(self._pool.map(self._begin, [max(1, n_within // self.n_threads)] * self.n_threads, repeat(begun)))
            finally:
                # A number set in one thread is also the initial number of threads that are started later.
                torch.set_num_threads(n_within)
        return self

    def __exit__(self, *error):
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def gradients(self, passes, importance, n_tasks):
        """Compute the gradients of tasks.

        Parameters
        ----------
        passes : iterable of list of tasks
            Tasks of one pass, each as `MetaLearner.task_loss` takes them; made in the calling thread.
        importance : sequence of float
            Weight of the loss after each update.
        n_tasks : int
            Number of tasks in all passes, by which gradients are divided.

        Yields
        ------
        losses : Tensor of shape (n_tasks_of_the_pass,)
            The losses of a pass, in the order of the passes.
        gradients : tuple of Tensor or None
            The gradients of the trained parameters.
        """
        compute = partial(_gradients, importance=importance, n_tasks=n_tasks)
        if self._pool is None:
            for tasks in passes:
                yield compute(self.learner, tasks)
            return
        running = deque()
        for tasks in passes:
            done = running.popleft().result() if len(running) == self.n_threads else None
            running.append(self._pool.submit(lambda tasks: compute(self._own.learner, tasks), tasks))
            if done is not None:
                yield done
        while running:
            yield running.popleft().result()

    def _begin(self, n_within, begun):
        # The first call in a thread initializes its number with the common one, and would override a number set before.
        torch.get_num_threads()
        torch.set_num_threads(n_within)
        begun.wait()
        shared = {id(tensor): tensor for tensor in (*self.learner.parameters(), *self.learner.buffers())}
        self._own.learner = copy.deepcopy(self.learner, shared)


def add_gradients(parameters, gradients):
    """Add gradients to those of parameters, in the memory layout of the parameters, which fused optimizers assume.

    Parameters
    ----------
    parameters : iterable of Parameter
        The parameters.
    gradients : iterable of Tensor or None
        The gradient of each; None adds nothing.
    """
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is None:
            continue
        if parameter.grad is None:
            parameter.grad = torch.empty_like(parameter).copy_(gradient)
        else:
            parameter.grad.add_(gradient)


def _gradients(learner, tasks, importance, n_tasks):
    losses = torch.stack([learner.task_loss(*task, importance)[0] for task in tasks])
    learned = [parameter for parameter in learner.parameters() if parameter.requires_grad]
    return losses.detach(), torch.autograd.grad(losses.sum() / n_tasks, learned, allow_unused=True)
