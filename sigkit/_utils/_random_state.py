"""Random states that are independent of numpy's global one."""

import numpy as np
from sklearn.utils import check_random_state


def own_random_state(random_state):
    """Turn a parameter `random_state` into a RandomState, as scikit-learn's `check_random_state` does except for None.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        A seed, or the state itself. None gives a state seeded by the operating system. numpy's global state, which
        scikit-learn takes for None, is left to the user's code, whose other threads may draw from it at the same time.

    Returns
    -------
    RandomState
        The state.

    Examples
    --------
    >>> from sigkit._utils import own_random_state
    >>> own_random_state(0).randint(100)
    44
    >>> own_random_state(None) is own_random_state(None)
    False
    """
    return np.random.RandomState() if random_state is None else check_random_state(random_state)
