"""The development writers that a verifier names."""

from sigkit._utils import last_step, parse_ids


def development_writers(estimator):
    """Return the development writers that the verifier has as a parameter.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.

    Returns
    -------
    list of writer ids, or None
        The development writers; None if the verifier has no such parameter, or if it is None.
    """
    dev_writers = last_step(estimator).get_params().get("dev_writers")
    return None if dev_writers is None else parse_ids(dev_writers, "dev_writers").tolist()
