"""Networks as plain arrays, for the state of estimators."""

import numpy as np
import torch

from sigkit.nets._architectures import build_network, network_without_weights
from sigkit.nets._meta_learner import MetaLearner

_SETTINGS = ("adapts", "order", "recompute", "bfloat16")


def tensors_state(tensors):
    """Convert named tensors to arrays.

    Parameters
    ----------
    tensors : dict of str to Tensor
        The tensors.

    Returns
    -------
    dict
        "arrays": the arrays by name; "channels_last": the names of tensors with that memory layout, on which the last
        bits of a convolution depend.

    Examples
    --------
    >>> from sigkit.nets import build_network
    >>> from sigkit.nets._state import restore_tensors, tensors_state
    >>> state = tensors_state(build_network("tiny").state_dict())
    >>> state["arrays"].keys() == restore_tensors(state).keys()
    True
    """
    tensors = {name: tensor.detach().cpu() for name, tensor in tensors.items()}
    return {
        "arrays": {name: tensor.contiguous().numpy() for name, tensor in tensors.items()},
        "channels_last": [name for name, tensor in tensors.items() if _is_channels_last(tensor)],
    }


def restore_tensors(state):
    """Convert the result of `tensors_state` to tensors.

    Parameters
    ----------
    state : dict
        The arrays.

    Returns
    -------
    dict of str to Tensor
        The tensors, in memory of their own.
    """
    # Copied: an array can be read-only, or in memory that others use.
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in state["arrays"].items()}
    for name in state["channels_last"]:
        tensors[name] = tensors[name].contiguous(memory_format=torch.channels_last)
    return tensors


def network_state(network):
    """Convert a network to arrays.

    An estimator whose state has arrays instead of a module can be pickled without torch's own format, and saved by
    programs that store no modules.

    Parameters
    ----------
    network : torch.nn.Module
        The network.

    Returns
    -------
    dict
        Its state dict, as `tensors_state` returns it.
    """
    return tensors_state(network.state_dict())


def restore_network(state, architecture):
    """Build a network from the result of `network_state`.

    Parameters
    ----------
    state : dict
        The arrays.
    architecture : str
        The name of the architecture, which must be registered.

    Returns
    -------
    torch.nn.Module
        The network, in evaluation mode.

    Raises
    ------
    ValueError
        If there is no such architecture, or its tensors have other names, shapes or types.
    """
    return _with_arrays(network_to_load(architecture), state, architecture)


def learner_state(learner):
    """Convert a `MetaLearner` to arrays and plain values.

    Parameters
    ----------
    learner : MetaLearner
        The learner.

    Returns
    -------
    dict
        The arrays of `network_state`, and the settings of the learner.
    """
    settings = {name: getattr(learner, name) for name in _SETTINGS}
    is_distance = "head.center" in learner.state_dict()
    return {**network_state(learner), **settings, "head": "distance" if is_distance else "linear"}


def restore_learner(state, architecture):
    """Build a `MetaLearner` from the result of `learner_state`.

    Parameters
    ----------
    state : dict
        The arrays and settings.
    architecture : str
        The name of the architecture of its network, which must be registered.

    Returns
    -------
    MetaLearner
        The learner, in evaluation mode.

    Raises
    ------
    ValueError
        If there is no such architecture, or its tensors have other names, shapes or types.
    """
    network = network_to_load(architecture)
    settings = {name: state[name] for name in _SETTINGS}
    with torch.device(next(network.parameters()).device):
        learner = MetaLearner(
            network,
            n_updates=len(state["arrays"]["rates"]),
            adapt=settings.pop("adapts"),
            head=state["head"],
            **settings,
        )
    return _with_arrays(learner, state, architecture)


def network_to_load(architecture):
    """Build a network that gets all its weights from elsewhere.

    Parameters
    ----------
    architecture : str
        The name of the architecture.

    Returns
    -------
    torch.nn.Module
        The network, without weights or with random ones.
    """
    network = network_without_weights(architecture)
    saved = network.state_dict().keys()
    if any(name not in saved for name, _ in network.named_buffers()):
        # Buffers that are not saved get their values when the network is built.
        return build_network(architecture, seed=0)
    return network


def _with_arrays(module, state, architecture):
    expected = {name: _kind(tensor) for name, tensor in module.state_dict().items()}
    tensors = restore_tensors(state)
    found = {name: _kind(tensor) for name, tensor in tensors.items()}
    differing = [name for name in expected | found if found.get(name) != expected.get(name)]
    if differing:
        raise ValueError(
            f"The stored network is none of architecture={architecture!r}: {len(differing)} tensors differ, the first "
            f"is {differing[0]}. Register the architecture that was used."
        )
    module.load_state_dict(tensors, assign=True)
    return module.eval()


def _kind(tensor):
    return tensor.dtype, tuple(tensor.shape)


def _is_channels_last(tensor):
    return tensor.ndim == 4 and not tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)
