"""Strict checks of the state of a training from a file: its digest, its entries, its numbers, and its shapes."""

from numbers import Integral, Real

import torch

from sigkit._utils import DIGEST, digest_of

_SEED_ONLY = {"recipe", "history"}
_ENTRIES = _SEED_ONLY | {"best", "stopped_by", "model", "optimizer"}
# The learning rate is set for each batch, and the others depend on the device.
_MAY_DIFFER = {"lr", "fused", "foreach"}
# What each optimizer of sigkit keeps for a parameter, if anything.
_KEPT = {"SGD": {"momentum_buffer"}, "Adam": {"step", "exp_avg", "exp_avg_sq"}}


def state_digest(state):
    """Compute the digest of a state.

    Parameters
    ----------
    state : dict
        Tensors and plain values; an entry "digest" is left out.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TypeError
        If there are other values.
    """
    return digest_of(_without_tensors({name: value for name, value in state.items() if name != DIGEST}))


def check_state(state):
    """Check the entries of a state, whose "recipe" and "history" have been read from JSON.

    Parameters
    ----------
    state : dict
        The state.

    Raises
    ------
    ValueError
        If an entry is missing, too many or of another type, or a number is NaN or infinite. The message is a part of a
        sentence.
    """
    _require(isinstance(state["recipe"], dict), "its recipe is no dict")
    _require(_is_integer(state["recipe"].get("seed")), "its recipe has no seed")
    history = state["history"]
    _require(isinstance(history, list) and all(isinstance(epoch, dict) for epoch in history), "its history is no list")
    expected = _ENTRIES if history else _SEED_ONLY
    _require(state.keys() == expected, f"its entries are {sorted(map(str, state))}, not {sorted(expected)}")
    if not history:
        return
    best = state["best"]
    _require(isinstance(best, dict) and best.keys() == {"epoch", "value", "weights"}, "its best epoch is incomplete")
    _require(_is_integer(best["epoch"]) and 1 <= best["epoch"] <= len(history), "its best epoch is not in its history")
    _require(isinstance(best["value"], Real), "its best epoch has no value")
    _require(state["stopped_by"] is None or isinstance(state["stopped_by"], list), "its stopped_by is no list")
    for name, weights in {"model": state["model"], "best": best["weights"]}.items():
        are_tensors = isinstance(weights, dict) and all(isinstance(tensor, torch.Tensor) for tensor in weights.values())
        _require(are_tensors, f"its {name} is no dict of tensors")
    optimizer = state["optimizer"]
    _require(
        isinstance(optimizer, dict) and optimizer.keys() == {"state", "param_groups"}, "its optimizer lacks a part"
    )
    kept, groups = optimizer["state"], optimizer["param_groups"]
    _require(
        isinstance(kept, dict) and all(isinstance(each, dict) for each in kept.values()), "its optimizer is no dict"
    )
    _require(isinstance(groups, list) and all(isinstance(each, dict) for each in groups), "its optimizer has no groups")
    name = next((name for name, tensor in tensors_of(state) if not all_finite(tensor)), None)
    _require(name is None, f"{name} has NaN or infinity")


def check_fit(state, model, optimizer):
    """Check that a state belongs to a model and an optimizer.

    Parameters
    ----------
    state : dict
        A checked state.
    model : torch.nn.Module
        The model.
    optimizer : torch.optim.Optimizer
        The optimizer.

    Raises
    ------
    ValueError
        If a tensor is missing, too many, or of another shape or type. The message is a part of a sentence.
    """
    expected = {name: _kind(tensor) for name, tensor in model.state_dict().items()}
    for weights in (state["model"], state["best"]["weights"]):
        found = {name: _kind(tensor) for name, tensor in weights.items()}
        differing = [name for name in sorted(found.keys() | expected.keys()) if found.get(name) != expected.get(name)]
        if differing:
            name = differing[0]
            raise ValueError(f"{name} is {found.get(name, 'missing')} instead of {expected.get(name, 'none')}")
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    groups = optimizer.state_dict()["param_groups"], state["optimizer"]["param_groups"]
    now, then = ([{name: group[name] for name in group if name not in _MAY_DIFFER} for group in of] for of in groups)
    _require(now == then, "its optimizer has other parameters")
    names = _KEPT[type(optimizer).__name__]
    for number, kept in state["optimizer"]["state"].items():
        _require(number in range(len(parameters)), "its optimizer has more parameters than the model")
        _require(not kept or kept.keys() == names, f"its optimizer keeps {sorted(map(str, kept))}, not {sorted(names)}")
        for name, tensor in kept.items():
            shape = () if name == "step" else parameters[number].shape
            fits = isinstance(tensor, torch.Tensor) and tensor.shape == shape and tensor.is_floating_point()
            _require(fits, f"its optimizer has a {name} of another shape or type")


def tensors_of(values, name="its state"):
    """Yield (name, tensor) of all tensors in nested dicts and lists.

    Parameters
    ----------
    values : object
        The values.
    name : str, default="its state"
        The name of the whole.

    Yields
    ------
    tuple of (str, Tensor)
        The innermost name, and the tensor.
    """
    if isinstance(values, torch.Tensor):
        yield name, values
    elif isinstance(values, dict):
        for key, value in values.items():
            yield from tensors_of(value, str(key))
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from tensors_of(value, name)


def all_finite(tensor):
    """Return whether a tensor has neither NaN nor infinity.

    Parameters
    ----------
    tensor : Tensor
        The tensor.

    Returns
    -------
    bool
        True if it has none.
    """
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _without_tensors(value):
    """Replace tensors by their type, shape and bytes: numpy has no bfloat16, and torch keeps the order in memory."""
    if isinstance(value, torch.Tensor):
        flat = value.detach().cpu().contiguous().reshape(-1)
        return [str(value.dtype), list(value.shape), flat.view(torch.uint8).numpy() if flat.numel() else b""]
    if isinstance(value, dict):
        return {name: _without_tensors(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_tensors(part) for part in value]
    return value


def _kind(tensor):
    return f"{tensor.dtype} of shape {tuple(tensor.shape)}"


def _is_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def _require(holds, what):
    if not holds:
        raise ValueError(what)
