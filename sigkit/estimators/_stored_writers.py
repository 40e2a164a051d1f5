"""Writers apart from their verifier: the model of one as named arrays, and a verifier that holds given models."""

from typing import NamedTuple

import numpy as np

from sigkit._utils import RUN_TIME_PARAMETERS, before_last_step, digest_of, last_step, with_last_step

_FORMAT = "sigkit models 1"

# Paths of weights are other ones on another machine; the negatives are features of these weights. The rest has no
# influence on the features of a fitted step.
_LEFT_OUT = RUN_TIME_PARAMETERS | {
    "batch_size",
    "dev_writers",
    "initial_weights",
    "on_poor_scan",
    "random_state",
    "training",
    "weights",
}


class Decisions(NamedTuple):
    """Decisions about claims.

    Parameters
    ----------
    scores : ndarray of shape (n_claims,)
        The scores, as `claim_scores` returns them.
    thresholds : ndarray of shape (n_claims,)
        The lowest accepted score of each claim.
    accepted : ndarray of shape (n_claims,), dtype bool
        Whether each claim is accepted.
    """

    scores: np.ndarray
    thresholds: np.ndarray
    accepted: np.ndarray


def check_storable(verifier):
    """Check that the models of writers do not depend on other writers, so that they can be stored one by one.

    Parameters
    ----------
    verifier : estimator
        A fitted verifier, or a Pipeline that ends in one.

    Raises
    ------
    ValueError
        If they do, or the models of this verifier cannot be stored.
    """
    last = last_step(verifier)
    # Asked by the method: a verifier of another library has none.
    if not hasattr(last, "_check_storable"):
        raise ValueError(f"The writers of a {type(last).__name__} cannot be stored one by one.")
    last._check_storable()


def writer_arrays(verifier, writer):
    """Return everything that a verifier knows of one writer, except the references.

    Parameters
    ----------
    verifier : estimator
        A fitted verifier, or a Pipeline that ends in one; see `check_storable`.
    writer : int or str
        An enrolled writer.

    Returns
    -------
    dict of str to ndarray
        The model, the marks of the references and the writer's own threshold, by name.
    """
    return last_step(verifier)._writer_arrays(writer)


def holding(verifier, writers):
    """Copy a verifier with other enrolled writers; what it learned from development writers is not copied, but shared.

    Parameters
    ----------
    verifier : estimator
        A fitted verifier, or a Pipeline that ends in one; see `check_storable`.
    writers : dict of writer id to dict of str to ndarray
        The writers, as `writer_arrays` of this verifier returns them.

    Returns
    -------
    estimator
        The copy, in which exactly these writers are enrolled.
    """
    return with_last_step(verifier, last_step(verifier)._holding(writers))


def decide_claims(verifier, X, writers, threshold=None):
    """Accept or reject claims.

    Parameters
    ----------
    verifier : estimator
        A fitted verifier, or a Pipeline that ends in one; see `check_storable`.
    X : array-like of shape (n_claims, ...)
        Queries.
    writers : array-like of shape (n_claims,)
        The claimed writers.
    threshold : float, mapping of writer id to float or None, default=None
        As in `verify`.

    Returns
    -------
    Decisions
        The scores and decisions.
    """
    return last_step(verifier)._decide(before_last_step(verifier, X), writers, threshold)


def verifier_fingerprint(verifier):
    """Compute a digest of everything that scores, and thresholds of single writers, depend on, except the writers.

    Parameters
    ----------
    verifier : estimator
        A fitted verifier, or a Pipeline that ends in one; see `check_storable`.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return digest_of([_FORMAT, describe_system(verifier)])


def describe_system(verifier):
    """Describe a verifier, and the steps before it, by values that have a digest.

    Parameters
    ----------
    verifier : estimator
        A fitted verifier, or a Pipeline that ends in one.

    Returns
    -------
    list
        Parameters and plain fitted attributes of the steps, and what the verifier learned.
    """
    steps = [step for _, step in verifier.steps[:-1]] if hasattr(verifier, "steps") else []
    return [*map(_describe_step, steps), last_step(verifier)._describe()]


def _describe_step(step):
    if hasattr(step, "steps"):
        return [_describe_step(inner) for _, inner in step.steps]
    if not hasattr(step, "get_params"):
        return str(step)
    fitted = {name: value for name, value in vars(step).items() if name.endswith("_") and not name.startswith("_")}
    values = step.get_params(deep=False) | fitted
    return [
        type(step).__name__,
        {name: value for name, value in values.items() if name not in _LEFT_OUT and _is_plain(value)},
    ]


def _is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, (np.ndarray, np.generic)):
        return not value.dtype.hasobject
    return value is None or isinstance(value, (bool, int, float, str))
