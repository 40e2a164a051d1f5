"""Weight files of sigver, with the layers that it trains beside the network. No code in a file is executed."""

import os
from collections import OrderedDict

import torch

from sigkit._utils import read_file, whole_file
from sigkit.nets._check_weights import LARGEST, check_weights
from sigkit.nets._torch_file import load_torch
from sigkit.nets._weights import load_network

_LAYERS = ("writer layer", "forgery layer")


def load_sigver_weights(path, architecture="signet"):
    """Read a `.pth` file of sigver: a network, its writer layer and its forgery layer.

    :func:`load_network` and `SigNetFeaturizer(weights=path)` read the network alone, which is all that features need.

    Parameters
    ----------
    path : str or os.PathLike
        The file: a tuple of three state dicts. It is read with `weights_only=True`, so that no code in it is executed.
    architecture : str, default="signet"
        The architecture of the network, see :func:`build_network`; the file does not name it.

    Returns
    -------
    network : torch.nn.Module
        The network, in evaluation mode and float32.
    writer_layer, forgery_layer : torch.nn.Linear or None
        The layers from features to the logits of the writers of the training, and to that of "is a forgery"; None if
        the file has none, as in the published files and in SigNet without forgeries.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is no tuple of three state dicts, or holds anything but tensors; or if they do not fit
        the architecture.

    See Also
    --------
    save_sigver_weights : Writes such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import torch
    >>> from sigkit.nets import build_network, load_sigver_weights, save_sigver_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "tiny.pth")
    ...     save_sigver_weights(path, build_network("tiny", seed=0), "tiny", writer_layer=torch.nn.Linear(16, 5))
    ...     network, writer_layer, forgery_layer = load_sigver_weights(path, "tiny")
    >>> writer_layer, forgery_layer
    (Linear(in_features=16, out_features=5, bias=True), None)
    """
    path = os.fspath(path)
    network, _ = load_network(path, architecture)
    parts = load_torch(read_file(path)) if path.lower().endswith((".pth", ".pt")) else None
    if not isinstance(parts, (tuple, list)) or len(parts) != 3:
        raise ValueError(
            f"{path}: not a file of sigver, which has three state dicts: of the network, the writer layer and the "
            "forgery layer. Read the network with load_network."
        )
    return network, *(_make_layer(path, name, part, network) for name, part in zip(_LAYERS, parts[1:]))


def save_sigver_weights(path, network, architecture="signet", *, writer_layer=None, forgery_layer=None):
    """Write a `.pth` file that sigver reads: a tuple of the state dicts of a network and of its two layers.

    The scripts of sigver, and of its repository of adversarial examples, load the network "signet" and its
    two narrower forms. The file has no digest and no metadata; :func:`save_weights` is the format of sigkit.

    Parameters
    ----------
    path : str or os.PathLike
        The file to write, `.pth`.
    network : torch.nn.Module
        The network, such as `SigNetFeaturizer.network_`.
    architecture : str, default="signet"
        The name of its architecture, see :func:`build_network`.
    writer_layer, forgery_layer : torch.nn.Linear or None, default=None
        The layers of its training, such as `net_.module_.writers` and `net_.module_.forgery` of a fitted
        `SigNetFeaturizer`. Empty state dicts are written for None; sigver needs no layers to compute features.

    Raises
    ------
    ValueError
        If the file has another suffix, the network is none of the architecture or has NaN or infinity, or a layer does
        not fit the network. Nothing is written then.
    OSError
        If the file cannot be written.

    See Also
    --------
    load_sigver_weights : Reads such a file.

    Examples
    --------
    >>> from sigkit.nets import build_network, save_sigver_weights
    >>> save_sigver_weights("tiny.safetensors", build_network("tiny"), "tiny")
    Traceback (most recent call last):
        ...
    ValueError: tiny.safetensors: weights of sigver are written as .pth.
    """
    path = os.fspath(path)
    if not path.endswith(".pth"):
        raise ValueError(f"{path}: weights of sigver are written as .pth.")
    parts = [check_weights(path, _tensors(network), architecture)]
    for name, layer in zip(_LAYERS, (writer_layer, forgery_layer)):
        tensors = {} if layer is None else _tensors(layer)
        _make_layer(path, name, tensors, network)
        parts.append(tensors)
    with whole_file(path) as file:
        torch.save(tuple(OrderedDict(part) for part in parts), file)


def _tensors(module):
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in module.state_dict().items()}


def _make_layer(path, name, tensors, network):
    """Make a linear layer from its state dict, or raise an error that names the file; None if there are no tensors."""
    if not isinstance(tensors, dict) or not {*tensors} <= {"weight", "bias"}:
        raise ValueError(f"{path}: the {name} must be a state dict of weight and bias.")
    if not tensors:
        return None
    found = [tensors.get("weight"), tensors.get("bias")]
    shapes = [tuple(each.shape) if isinstance(each, torch.Tensor) else None for each in found]
    if None in shapes or len(shapes[1]) != 1 or shapes[0] != (*shapes[1], network.n_features):
        raise ValueError(
            f"{path}: the weight and the bias of the {name} have the shapes {shapes[0]} and {shapes[1]}; for this "
            f"network they are (n, {network.n_features}) and (n,)."
        )
    are_dense = all(each.is_floating_point() and each.layout == torch.strided for each in found)
    if not are_dense or not all((each.abs() <= LARGEST).all() for each in found):
        raise ValueError(
            f"{path}: the {name} must be floating-point numbers up to {LARGEST:g}; found others, NaN or infinity. Copy "
            "the file again, or train again."
        )
    layer = torch.nn.Linear(network.n_features, shapes[1][0], device="meta")
    layer.load_state_dict({key: each.detach().float().clone() for key, each in tensors.items()}, assign=True)
    return layer
