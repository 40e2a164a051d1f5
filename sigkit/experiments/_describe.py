"""What an experiment is, in words that are the same when it is taken up again."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields

import joblib
import numpy as np

from sigkit._utils import content_digest, signature_digest
from sigkit.nets import weights_path

# Parameters that change no result.
UNCHANGING = ("n_jobs", "verbose", "memory", "max_memory", "device", "steps", "checkpoint_dir")


def describe_estimator(estimator):
    """Describe an estimator by its parameters, and the contents of files that they name.

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
        If a parameter has no description that stays.
    """
    parameters = {
        name: _value(name, value)
        for name, value in sorted(estimator.get_params().items())
        if name.split("__")[-1] not in UNCHANGING
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
        If a parameter has no description that stays.
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
        The parts "X" and "y".
    """
    contents = "".join(str(signature_digest(X, row)) for row in range(len(y)))
    return {"X": content_digest(contents.encode()), "y": content_digest(repr(y.tolist()).encode())}


def _value(name, value):
    if hasattr(value, "get_params"):
        return type(value).__name__
    if name.split("__")[-1] in ("weights", "initial_weights") and isinstance(value, str):
        with suppress(FileNotFoundError):
            value = weights_path(value)
    if isinstance(value, str) and os.path.isfile(value):
        return signature_digest([value], 0)
    if value is None or isinstance(value, (str, bool, int, float, range)):
        return repr(value)
    if isinstance(value, Mapping):
        return repr({key: content_digest(np.asarray(item)) for key, item in value.items()})
    if "<lambda>" in getattr(value, "__qualname__", ""):
        raise ValueError(f"To keep an experiment in a folder, give {name} a function with a name, not a lambda.")
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.random.RandomState):
        raise ValueError(f"To keep an experiment in a folder, set {name} to a number: a RandomState is never the same.")
    return f"{type(value).__name__} {joblib.hash(value)}"
