"""The modules that torch imports for the first optimizer of a process, without their effect on the process."""

import os
import sys
import threading
import warnings

import torch

from sigkit._utils import filters_lock

_lock, _is_done = threading.Lock(), False


def import_for_optimizers():
    """Import what torch imports when the first optimizer is made; warning filters and the environment stay as they are.

    The compiler of torch and sympy are among these modules. sympy registers a warning filter, and the compiler puts the
    folder of its cache into `os.environ`, where it does so again whenever it needs it.
    """
    global _is_done
    with _lock:
        if _is_done:
            return
        modules, names = set(sys.modules), set(os.environ)
        torch.optim.SGD([torch.zeros(1)])
        imported = {name.split(".")[0] for name in set(sys.modules) - modules} - {"torch"}
        # Other threads may change both meanwhile, so only what is known to come from the imports is taken back.
        for name in set(os.environ) - names:
            if name.startswith("TORCH"):
                del os.environ[name]
        with filters_lock:
            for entry in warnings.filters[:]:
                if entry[2].__module__.split(".")[0] in imported:
                    warnings.filters.remove(entry)
        _is_done = True
