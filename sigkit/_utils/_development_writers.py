"""The development writers that a verifier names."""

from sigkit._utils._ids import parse_ids
from sigkit._utils._pipeline import last_step


def development_writers(estimator):
    """Return the development writers that a verifier has as a parameter.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.

    Returns
    -------
    list of writer ids, or None
        The development writers of the verifier, or of those inside it if it names none itself; empty if such parameters
        are None, and None if there is no such parameter.

    Examples
    --------
    >>> from sigkit._utils import development_writers
    >>> from sigkit.estimators import WriterDependentSVC
    >>> development_writers(WriterDependentSVC(dev_writers=range(3))), development_writers(WriterDependentSVC())
    ([0, 1, 2], [])
    """
    verifier = last_step(estimator)
    parameters = verifier.get_params() if hasattr(verifier, "get_params") else {}
    # Sorted by depth: what the outermost verifier names counts.
    names = sorted(
        (name for name in parameters if name.split("__")[-1] == "dev_writers"), key=lambda name: name.count("__")
    )
    if not names:
        return None
    named = next((parameters[name] for name in names if parameters[name] is not None), ())
    return parse_ids(named, "dev_writers").tolist()
