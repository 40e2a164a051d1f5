"""Error rates of an operating point by the number of references."""

from sklearn.base import clone

from sigkit._utils import listing, warn, without_warnings
from sigkit.estimators._decisions._operating_point_verifier import OperatingPointVerifier
from sigkit.estimators._enrolled import NumberOfReferencesWarning


def reference_curve(estimator, X, y, *, n_references=(1, 2, 3, 5, 8, 12)):
    """Compute the error rates that are expected with each number of references.

    Parameters
    ----------
    estimator : OperatingPointVerifier
        The verifier and the criterion; it is cloned, and each clone chooses a threshold for its number of references.
    X : array-like of n_samples
        Signatures of the development writers; others are not needed.
    y : array-like of shape (n_samples,) or (n_samples, 2)
        Writer ids, or rows `[writer, forgery]`.
    n_references : iterable of int, default=(1, 2, 3, 5, 8, 12)
        Numbers of references. If a development writer has too few signatures, three quarters of
        them are references; `n_references` of the operating point is the average.

    Returns
    -------
    dict of int to OperatingPoint
        The operating point with each number of references, with its threshold and error rates.

    Raises
    ------
    ValueError
        If `estimator` is no OperatingPointVerifier with `source="dev"`, or cannot be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import OperatingPointVerifier, WriterDependentSVC, reference_curve
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(np.column_stack([np.arange(12), np.zeros(12, dtype=int)]), 15, axis=0)
    >>> y[10::15, 1] = y[11::15, 1] = 1
    >>> X = rng.normal(size=(12, 8))[y[:, 0]] * 2 + rng.normal(size=(180, 8)) * (0.3 + y[:, 1:])
    >>> svc = WriterDependentSVC(dev_writers=range(12), random_state=0)
    >>> curve = reference_curve(OperatingPointVerifier(svc, random_state=0), X, y, n_references=[2, 5])
    >>> curve[2].rates["frr"].value > curve[5].rates["frr"].value
    True
    """
    if not isinstance(estimator, OperatingPointVerifier) or estimator.source != "dev":
        raise ValueError(f'reference_curve needs an OperatingPointVerifier with source="dev"; found {estimator!r}.')
    if not hasattr(n_references, "__iter__"):
        raise ValueError(f"n_references must be a list of numbers, such as [1, 3, 5]; found {n_references!r}.")
    with without_warnings(NumberOfReferencesWarning):
        curve = {
            number: clone(estimator).set_params(n_references=number).fit(X, y).operating_point_
            for number in n_references
        }
    fewer = [
        f"{point.n_references} instead of {number}" for number, point in curve.items() if point.n_references < number
    ]
    if fewer:
        warn(
            f"Development writers have too few genuine signatures for these numbers of references. They had on average "
            f"{listing(fewer)}. Leave the numbers out, or pass more signatures."
        )
    return curve
