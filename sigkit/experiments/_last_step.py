"""A Pipeline as what comes before its verifier, and the verifier."""


def last_step(estimator):
    """Give the verifier.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.

    Returns
    -------
    estimator
        The verifier.
    """
    return estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator


def before_last_step(estimator, X):
    """Bring signatures through all steps before the verifier.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one.
    X : array-like or list of n_samples
        Signatures.

    Returns
    -------
    array-like or list of n_samples
        What the verifier takes.
    """
    return estimator[:-1].transform(X) if hasattr(estimator, "steps") and len(estimator) > 1 else X


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
