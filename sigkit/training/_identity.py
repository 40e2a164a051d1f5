"""The settings that determine the result of a training, as plain values that are stored and compared."""

import hashlib
import os

import numpy as np
import torch
from torch import nn

from sigkit._utils import RUN_TIME_PARAMETERS, content_digest
from sigkit.training._checkpoint import STATE_FILE, to_jsonable

# The seed that a random state gave is part of the recipe.
RUN_TIME = RUN_TIME_PARAMETERS | {"random_state"}
"""Parameters, at any depth, that are not part of a recipe."""
DIGEST_LENGTH = 64
"""Number of digits of a digest, which says nothing to a reader."""


def recipe_of(estimator, training, without=()):
    """Describe the settings that determine the result of a training: all parameters but a few.

    New parameters are part of the recipe by default: at worst a state is refused, but never is another training
    resumed.

    Parameters
    ----------
    estimator : estimator
        The estimator that is trained; all its parameters except `training` are described.
    training : Parameters
        The parameters of the training, resolved.
    without : iterable of str, default=()
        Paths of parameters that are not used in the training, or are described otherwise (by a digest of weights or
        images).

    Returns
    -------
    dict of str to object
        Plain values by the path of the parameter, such as "training__loss__margin".
    """
    own = {name: value for name, value in estimator.get_params(deep=False).items() if name != "training"}
    recipe = {}
    _describe(own | {"training": training}, "", frozenset(without), recipe)
    return recipe


def check_recipe(folder, found, wanted):
    """Check that a state belongs to this training.

    Parameters
    ----------
    folder : str
        Folder of the state.
    found, wanted : dict
        The recipe of the state, and that of the training that should resume.

    Raises
    ------
    ValueError
        If they differ; up to three differing parameters are named.
    """
    differing = [name for name in sorted(found.keys() | wanted.keys()) if found.get(name) != wanted.get(name)]
    if differing:
        described = "; ".join(_difference(name, found.get(name), wanted.get(name)) for name in differing[:3])
        raise ValueError(
            f"{os.path.join(folder, STATE_FILE)}: the state of another training ({described}). Name another "
            "checkpoint_dir, delete this file to start again, or restore the parameters to resume."
        )


def _difference(name, found, wanted):
    if any(isinstance(value, str) and len(value) >= DIGEST_LENGTH for value in (found, wanted)):
        return f"{name} differ"
    return f"{name} was {found!r} and is {wanted!r}"


def weights_digest(module):
    """Return a digest of the weights of a network, in the order of its state dict.

    Parameters
    ----------
    module : torch.nn.Module
        The network.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for tensor in module.state_dict().values():
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def _describe(values, prefix, without, recipe):
    """Add the descriptions of values, and of their own parameters, to a recipe."""
    for name, value in values.items():
        path = prefix + name
        if name in RUN_TIME or path in without:
            continue
        if hasattr(value, "get_params"):
            recipe[path] = type(value).__name__
            _describe(value.get_params(deep=False), f"{path}__", without, recipe)
        else:
            recipe[path] = _plain_value(path, value)


def _plain_value(path, value):
    if isinstance(value, nn.Module):
        return weights_digest(value)
    if isinstance(value, (list, tuple)):
        return [_plain_value(path, each) for each in value]
    if isinstance(value, (np.ndarray, torch.Tensor)) and np.ndim(value):
        return content_digest(np.asarray(value))
    described = to_jsonable(value)
    if isinstance(described, str) and " object at 0x" in described:
        raise ValueError(
            f"{path}={value!r}: whether a training can be resumed is decided by its parameters, and this object cannot "
            "be compared with that of another process. Give it get_params, or pass plain values."
        )
    return described
