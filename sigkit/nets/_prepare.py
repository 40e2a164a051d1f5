"""Where and how a network runs: its device, its precision, and layers that work in place."""

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval


def choose_device(device=None):
    """Choose where networks run.

    Parameters
    ----------
    device : str, torch.device or None, default=None
        A device or its name; None chooses an accelerator if there is one, and the CPU otherwise.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        If torch does not know the device, or this machine does not have it.

    Examples
    --------
    >>> from sigkit.nets import choose_device
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if device is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device={str(device)!r} cannot be used here ({reason}). None chooses one.") from error
    return device


def choose_precision(precision, device):
    """Choose the data type in which networks compute.

    Parameters
    ----------
    precision : {"float32", "bfloat16", "auto"}
        The data type; "auto" chooses bfloat16 where it is faster than float32: on processors with avx512_bf16, and on
        CUDA devices that support it.
    device : torch.device
        Where networks run.

    Returns
    -------
    {"float32", "bfloat16"}
        The data type.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import choose_precision
    >>> choose_precision("bfloat16", torch.device("cpu"))
    'bfloat16'
    """
    if precision == "auto":
        return "bfloat16" if _has_fast_bfloat16(device) else "float32"
    return precision


def prepare_network(network, device, precision="float32", *, fold=False):
    """Copy a network to the device and the precision in which it will run.

    Parameters
    ----------
    network : torch.nn.Module
        The network, which is not changed.
    device : torch.device
        Where to run it.
    precision : {"float32", "bfloat16"}, default="float32"
        Data type of weights and activations. In bfloat16, batch normalization that directly follows a layer is folded
        into its weights first, so that its statistics are not rounded on their own.
    fold : bool, default=False
        Whether to fold batch normalization in float32, too: equal but for rounding, and faster where gradients are
        computed.

    Returns
    -------
    torch.nn.Module
        The copy, in evaluation mode, with weights in channels-last layout and ReLUs that work in place.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network, prepare_network
    >>> network = prepare_network(build_network("tiny"), torch.device("cpu"), "bfloat16")
    >>> next(network.parameters()).dtype
    torch.bfloat16
    """
    network = copy.deepcopy(network).eval()
    set_inplace_relu(network, True)
    if fold or precision == "bfloat16":
        for sequence in _sequences(network):
            _fold_normalization(sequence)
    network = network.to(device=device, dtype=getattr(torch, precision), memory_format=torch.channels_last)
    for layer in network.modules():
        # Normalization outside of a sequence was not folded. Its statistics need more digits than bfloat16 has.
        if isinstance(layer, nn.BatchNorm2d):
            layer.float()
    return network


def set_inplace_relu(network, inplace):
    """Let ReLUs overwrite their inputs, which is faster in training, or undo it.

    Only ReLUs that directly follow a convolution, a linear layer, batch normalization or max-pooling in a
    `torch.nn.Sequential` are changed: nothing else needs the values that they overwrite. A hook on the layer before
    sees the overwritten values, and full backward hooks on it raise an error; therefore networks are built without.

    Parameters
    ----------
    network : torch.nn.Module
        The network, changed in place.
    inplace : bool
        Whether the ReLUs work in place.

    Examples
    --------
    >>> from sigkit.nets import build_network, set_inplace_relu
    >>> network = build_network("tiny")
    >>> set_inplace_relu(network, True)
    >>> network.fc_layers[0].relu
    ReLU(inplace=True)
    """
    before = (nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.MaxPool2d)
    for sequence in _sequences(network):
        for layer, following in pairwise(sequence):
            if isinstance(following, nn.ReLU) and isinstance(layer, before):
                following.inplace = inplace


def _has_fast_bfloat16(device):
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def _sequences(network):
    """Return the modules that call their children one after another."""
    return [
        module
        for module in network.modules()
        if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward
    ]


def _fold_normalization(sequence):
    """Fold each batch normalization of a sequence into the layer before it, in place."""
    for number, (layer, norm) in enumerate(pairwise([*sequence])):
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            sequence[number], sequence[number + 1] = fuse_conv_bn_eval(layer, norm), nn.Identity()
        elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            sequence[number], sequence[number + 1] = fuse_linear_bn_eval(layer, norm), nn.Identity()
