"""Checks of the parameters of a fusion."""

from numbers import Real

import numpy as np

from sigkit._utils import last_step, listing
from sigkit.estimators._fusion._combination import DEFAULT_WEIGHT

_METHODS = ("fit", "enroll", "remove", "claim_scores", "decision_function", "verify")


def check_verifiers(verifiers):
    """Check that each verifier has a name and the methods of a verifier.

    Parameters
    ----------
    verifiers : list of (str, estimator)
        Names and verifiers.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    ValueError
        If there is none, or one has no name or lacks a method.
    """
    if not verifiers:
        raise ValueError("verifiers must be a list of (name, verifier); found none.")
    for pair in verifiers:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[0], str):
            raise ValueError(f"verifiers must be a list of (name, verifier); found {pair!r}.")
        name, verifier = pair
        lacking = [method for method in _METHODS if not hasattr(last_step(verifier), method)]
        if lacking:
            raise ValueError(
                f"verifiers: {name!r} must end in a verifier, such as WriterDependentSVC; found {verifier!r}, which "
                f"has no {listing(lacking)}."
            )
    return [name for name, _ in verifiers]


def check_bounds(bounds):
    """Check bounds.

    Parameters
    ----------
    bounds : tuple or list
        The lower and the upper bound.

    Returns
    -------
    tuple of (float, float)
        The bounds.

    Raises
    ------
    ValueError
        If these are not two finite numbers in order.
    """
    # An infinite bound would make the scores of claims out of reach infinite, or NaN with the weight 0.
    is_finite = all(isinstance(bound, Real) and np.isfinite(bound) for bound in bounds)
    if len(bounds) != 2 or not is_finite or bounds[0] > bounds[1]:
        raise ValueError(f"bounds must be two numbers, finite and the lower first; found {bounds!r}.")
    return tuple(map(float, bounds))


def check_weights(weights, n_verifiers):
    """Check weights, or return the default ones.

    Parameters
    ----------
    weights : "learned", array-like or None
        The parameter.
    n_verifiers : int
        The number of verifiers.

    Returns
    -------
    ndarray of shape (n_verifiers,)
        The weights; the default ones for None and "learned".

    Raises
    ------
    ValueError
        If these are not as many numbers, at least 0 and not all 0.
    """
    if weights is None or isinstance(weights, str):
        return np.array([1.0] + [DEFAULT_WEIGHT] * (n_verifiers - 1))
    message = f"weights must be one number per verifier, at least 0 and not all 0: {n_verifiers}; found {weights!r}."
    try:
        checked = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(message) from error
    is_valid = checked.shape == (n_verifiers,) and np.isfinite(checked).all() and (checked >= 0).all()
    # With weights of 0 alone, every claim would have the score 0 and be accepted.
    if not is_valid or not checked.any():
        raise ValueError(message)
    return checked
