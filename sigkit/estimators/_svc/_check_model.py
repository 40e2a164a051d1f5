"""Checks of a writer's model from a file: no value may be one that fitting cannot give."""

import numpy as np

from sigkit.estimators._svc._check_finite import LARGEST

# libsvm stops within its tolerance, and sums in another order.
_ROUNDING = 1e-6
# The bound of a weight vector grows with the number of negatives, which the file does not have.
_MOST_NEGATIVES = 1e8
_METADATA = {"writer", "bank", "kernel", "C", "scaling", "intercept"}


def check_numbers(path, about):
    """Check the metadata of a model.

    Parameters
    ----------
    path : str or os.PathLike
        The file, for the message.
    about : dict
        The metadata.

    Raises
    ------
    ValueError
        If an entry is missing, too many or not possible.
    """
    expected = _METADATA | ({"gamma"} if about.get("kernel") == "rbf" else set())
    if about.keys() != expected:
        raise _damaged(path, f"its metadata are {sorted(about)}, not {sorted(expected)}")
    for name, low in {"intercept": -np.inf, "C": 0, "gamma": 0}.items():
        number = about.get(name, 1.0)
        if not isinstance(number, float) or not low < number < np.inf:
            raise _damaged(path, f"its {name} is {number!r}")
    writer = about["writer"]
    is_number = isinstance(writer, int) and not isinstance(writer, bool) and -(2**63) <= writer < 2**64
    if not is_number and not (isinstance(writer, str) and writer):
        raise _damaged(path, f"its writer is {writer!r}")


def check_arrays(path, arrays, about, bank):
    """Check the names, shapes, types and values of the arrays of a model.

    A solution of the dual problem has coefficients from 0 to C (of references: to C times the skew) whose sum is 0 with
    their signs, and kernel values from 0 to 1. So the sum S of the coefficients of the references is at most C times
    the number of negatives that are support vectors, and the intercept is between -1 - S and 1 + S. The objective of
    the linear machine is at most that of the weight vector 0, so :math:`|w|^2 \\leq 4 C n`, with n negatives.

    Parameters
    ----------
    path : str or os.PathLike
        The file, for the message.
    arrays : dict of str to ndarray
        The arrays.
    about : dict
        The metadata.
    bank : NegativeBank
        The negatives.

    Raises
    ------
    ValueError
        If an array is not possible.
    """
    expected, found = _expected(arrays, about, bank), {name: _type(array) for name, array in arrays.items()}
    if found != expected:
        raise _damaged(path, f"its arrays are {found}, not {expected}")
    for name, array in arrays.items():
        # A comparison with NaN is False.
        if array.size and not np.abs(array).max() <= LARGEST:
            raise _damaged(path, f"its {name} has NaN, infinity or numbers beyond {LARGEST:g}")
    if about["kernel"] == "linear":
        _check_linear(path, arrays["direction"].astype(np.float64), about)
    else:
        _check_rbf(path, arrays, about, bank)


def check_decision(path, model, bank):
    """Check that a model rejects a signature of a development writer.

    The solution of an SVM does. The sum of the coefficients of the negatives is that of the references, so the mean
    score of the negatives is below that of the references; and the intercept is such that either a reference has the
    score 1 and a negative -1, or all have coefficients at their limit, and 0 is half-way between the lowest negative
    and the highest reference.

    Parameters
    ----------
    path : str or os.PathLike
        The file, for the message.
    model : RbfModel or LinearModel
        The model, with checked arrays.
    bank : NegativeBank
        The negatives.

    Raises
    ------
    ValueError
        If the score of all signatures of development writers is 0 or higher.
    """
    # In blocks: nearly always there is a rejected one in the first. NaN stands for a score without information.
    blocks = [bank.rows[first : min(first + 16, bank.n_dev)] for first in range(0, bank.n_dev, 16)]
    if blocks and all((model.score(block, bank)[0] >= 0).all() for block in blocks):
        raise _damaged(path, "it accepts the signatures of all development writers")


def _check_linear(path, direction, about):
    # On a scale of its own, the weight vector is multiplied by the factor to that scale, which the file does not have.
    limit = 2 * np.sqrt(about["C"] * _MOST_NEGATIVES) if about["scaling"] == "shared" else np.inf
    if np.linalg.norm(direction) > limit or abs(about["intercept"]) > LARGEST:
        raise _damaged(path, "its weight vector is longer, or its intercept larger, than an SVM with this C can have")


def _check_rbf(path, arrays, about, bank):
    rows, of_references = arrays["rows"], arrays["reference_coef"]
    of_negatives = np.concatenate([arrays["coef"], arrays["peer_coef"]])
    # Fitting gives increasing rows; a row that is there twice would count once in one way of scoring.
    if len(rows) and not (rows[0] >= 0 and rows[-1] < bank.n_dev and (np.diff(rows) > 0).all()):
        raise _damaged(path, "it refers to negatives that do not exist, or to one of them twice")
    limit, total = about["C"] * (1 + _ROUNDING), of_references.sum()
    if not len(of_references) or of_references.min() <= 0 or of_negatives.max(initial=-1) >= 0:
        raise _damaged(path, "the coefficients of references must be positive, and those of negatives negative")
    if -of_negatives.min(initial=0) > limit or abs(total + of_negatives.sum()) > _ROUNDING * total:
        raise _damaged(path, f"its coefficients are no solution with C={about['C']:g}, or their sum is not 0")
    if abs(about["intercept"]) > (1 + total) * 1.01:
        raise _damaged(path, f"its intercept {about['intercept']:g} is larger than its coefficients allow")
    factor = arrays.get("factor")
    if factor is not None:
        largest = [np.abs(part).max(axis=0, initial=0) for part in (arrays["references"], arrays["peers"], bank.rows)]
        if factor.min(initial=1) <= 0 or (factor * np.max(largest, axis=0)).max(initial=0) > LARGEST:
            raise _damaged(path, f"its factor is not positive, or makes features larger than {LARGEST:g}")


def _expected(arrays, about, bank):
    """Return the shape and the type of each array that the model must have."""
    n_features, precise = bank.rows.shape[1], bank.rows.dtype.name
    if about["kernel"] == "linear":
        return {"direction": ((n_features,), precise)}
    sizes = {name: len(arrays[name]) if np.ndim(arrays.get(name)) else 0 for name in ("references", "rows", "peers")}
    shapes = {
        "references": ((sizes["references"], n_features), precise),
        "reference_coef": ((sizes["references"],), "float64"),
        "rows": ((sizes["rows"],), "int32"),
        "coef": ((sizes["rows"],), "float64"),
        "peers": ((sizes["peers"], n_features), precise),
        "peer_coef": ((sizes["peers"],), "float64"),
    }
    return shapes | ({"factor": ((n_features,), precise)} if about["scaling"] == "writer" else {})


def _type(array):
    return array.shape, array.dtype.name


def _damaged(path, what):
    return ValueError(f"{path}: a damaged model; {what}. Export it again.")
