"""State dicts inside checkpoints, and names of tensors that wrappers of modules have made longer."""

import torch

from sigkit._utils import listing
from sigkit.nets._architectures import network_without_weights

_WRAPPERS = ("module.", "_orig_mod.")
"""What `DataParallel` (and its distributed variant) and `torch.compile` put before each name."""


def find_state_dict(path, loaded):
    """Find the one state dict in what a torch file holds.

    Parameters
    ----------
    path : str
        The file, for the message.
    loaded : object
        A state dict; a dict with one among its values, such as "state_dict" or "model"; or sigver's tuple of three, of
        which the first is taken.

    Returns
    -------
    dict of str to Tensor
        The state dict.

    Raises
    ------
    ValueError
        If there is none, or more than one; the message has the keys.
    """
    found = loaded[0] if isinstance(loaded, (tuple, list)) and loaded else loaded
    if _is_state_dict(found):
        return found
    if not isinstance(found, dict):
        raise ValueError(
            f"{path}: holds a {type(loaded).__name__}, not a state dict, a checkpoint with one, or sigver's tuple of "
            "three."
        )
    inside = {key: value for key, value in found.items() if value and _is_state_dict(value)}
    if len(inside) == 1:
        return next(iter(inside.values()))
    which = f"{listing(map(repr, inside))} are" if inside else "none is"
    raise ValueError(
        f"{path}: not a state dict, but a dict with the keys {listing(map(repr, found))}, of which {which}. Save one "
        "state dict alone: torch.save(torch.load(path, weights_only=True)[key], new_path)."
    )


def without_wrappers(weights, architecture):
    """Shorten the names of tensors that were saved from a wrapped module.

    Parameters
    ----------
    weights : dict of str to Tensor
        The tensors.
    architecture : str
        The name of the architecture.

    Returns
    -------
    dict of str to Tensor
        The tensors; with their own names if these begin as those of the architecture do.
    """
    own = None
    for prefix in _common_prefixes(weights):
        own = network_without_weights(architecture).state_dict() if own is None else own
        if any(name.startswith(prefix) for name in own):
            break
        weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return weights


def _common_prefixes(weights):
    """Yield the wrappers before all names, from the outer to the inner one."""
    names = list(weights)
    while names:
        prefix = next((each for each in _WRAPPERS if all(name.startswith(each) for name in names)), None)
        if prefix is None:
            return
        yield prefix
        names = [name.removeprefix(prefix) for name in names]


def _is_state_dict(value):
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in value.items()
    )
