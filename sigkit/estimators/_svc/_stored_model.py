"""The model of a writer from arrays that were stored."""

import numpy as np

from sigkit.estimators._svc._check_model import check_arrays
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel

_NUMBERS = ("intercept", "gamma")


def make_model(arrays, bank, settings):
    """Make a model of stored arrays.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The fields of an `RbfModel` or a `LinearModel`; numbers are arrays without dimensions.
    bank : NegativeBank
        The negatives of development writers.
    settings : Settings
        The parameters of the verifier.

    Returns
    -------
    RbfModel or LinearModel
        The model.

    Raises
    ------
    ValueError
        If an array is missing or has another shape or type, or a number is not possible in such an SVM.
    """
    kind, fields = LinearModel if settings.kernel == "linear" else RbfModel, dict(arrays)
    numbers = {name: fields.pop(name, None) for name in _NUMBERS if name in kind._fields}
    for name, number in numbers.items():
        if np.shape(number) != () or getattr(number, "dtype", None) != np.float64 or not np.isfinite(number):
            raise ValueError(f"its {name} is {number!r}")
        numbers[name] = number.item()
    if kind is RbfModel and numbers["gamma"] <= 0:
        raise ValueError(f"its gamma is {numbers['gamma']!r}")
    # A model without information has no support vector.
    if kind is LinearModel or any(array.size for name, array in fields.items() if name != "factor"):
        about = {"kernel": settings.kernel, "C": float(settings.C), "scaling": settings.scaling, **numbers}
        no_peers = {"peers": bank.rows[:0], "peer_coef": np.empty(0)} if kind is RbfModel else {}
        check_arrays("the store", fields | no_peers, about, bank)
    return kind(*map((fields | numbers).get, kind._fields))
