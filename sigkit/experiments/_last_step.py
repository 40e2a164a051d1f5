"""The development writers of a Pipeline."""

from sigkit._utils import last_step


def development_writers(estimator):
    """Tell whom the verifier names as development writers.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.

    Returns
    -------
    list of writer ids, or None
        The writers.
    """
    dev_writers = last_step(estimator).get_params().get("dev_writers")
    return None if dev_writers is None else list(dev_writers)
