"""Descriptions of estimators, attacks and signatures that are the same when an experiment is resumed."""

import inspect
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields

import joblib
import numpy as np

from sigkit._utils import RUN_TIME_PARAMETERS, content_digest, signature_digest
from sigkit.nets import weights_path

# Parameters that are not described. The steps of a Pipeline and the verifiers of a fusion are, by their own parameters;
# callbacks may end a training early.
LEFT_OUT = (RUN_TIME_PARAMETERS - {"callbacks"}) | {"steps", "verifiers"}


def describe_estimator(estimator):
    """Describe an estimator by its parameters, with file names replaced by the contents of the files.

    Parameters
    ----------
    estimator : estimator
        The estimator.

    Returns
    -------
    str
        The description.

    Raises
    ------
    ValueError
        If the description of a parameter would not be the same in another process.
    """
    parameters = {
        name: _value(name, value)
        for name, value in sorted(estimator.get_params().items())
        if name.split("__")[-1] not in LEFT_OUT
    }
    return f"{type(estimator).__name__} {parameters}"


def describe_attack(attack):
    """Describe an attack by its parameters.

    Parameters
    ----------
    attack : sigkit.attacks.Attack
        The attack.

    Returns
    -------
    str
        The description.

    Raises
    ------
    ValueError
        If the description of a parameter would not be the same in another process.
    """
    parameters = {field.name: _value(field.name, getattr(attack, field.name)) for field in fields(attack)}
    return f"{type(attack).__name__} {parameters}"


def describe_signatures(X, y):
    """Describe signatures by their contents.

    Parameters
    ----------
    X : array-like or list of n_samples
        Signatures.
    y : ndarray of shape (n_samples, 2)
        Rows `[writer, forgery]`.

    Returns
    -------
    dict of str to str
        Digests under the names "X" and "y".
    """
    contents = "".join(str(signature_digest(X, row)) for row in range(len(y)))
    return {"X": content_digest(contents.encode()), "y": content_digest(repr(y.tolist()).encode())}


def _value(name, value):
    """Describe the value of a parameter."""
    if hasattr(value, "get_params"):
        # Its own parameters are among those of the outer estimator.
        return type(value).__name__
    if isinstance(value, (list, tuple)) and any(hasattr(item, "get_params") for item in value):
        # get_params does not descend into lists, such as the surrogates of an EnsembleAdversarialTrainer.
        inner = [describe_estimator(item) for item in value if hasattr(item, "get_params")]
        return f"{inner} {joblib.hash(value)}"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if name.split("__")[-1] in ("weights", "initial_weights") and isinstance(value, str):
        with suppress(FileNotFoundError):
            value = weights_path(value)
    if isinstance(value, str) and os.path.isfile(value):
        return signature_digest([value], 0)
    if value is None or isinstance(value, (str, bool, int, float, range)):
        return repr(value)
    if isinstance(value, Mapping):
        return repr({key: content_digest(np.asarray(item)) for key, item in value.items()})
    # The name of a function inside another one, or of a method, does not tell what else it depends on.
    if "<" in getattr(value, "__qualname__", "") or (inspect.ismethod(value) and not inspect.isclass(value.__self__)):
        raise ValueError(
            f"To save an experiment in a folder, {name} must be a named function of a module, not a lambda, a function "
            "inside another one, or a method of an object."
        )
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.random.RandomState):
        raise ValueError(
            f"To save an experiment in a folder, set {name} to an integer: a RandomState changes with every draw."
        )
    return f"{type(value).__name__} {joblib.hash(value)}"
