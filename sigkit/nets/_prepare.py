"""Where and how a network runs: the device, the precision, and a copy made ready for them."""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval


def choose_device(device=None):
    """Choose where networks run.

    Parameters
    ----------
    device : str, torch.device or None, default=None
        A device by name; None takes an accelerator if there is one, and the processor otherwise.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        If torch knows no such device, or this machine has none.

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
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device={str(device)!r} cannot be used here ({reason}). None chooses one.") from error
    return device


def has_fast_bfloat16(device):
    """Tell whether bfloat16 is faster than float32.

    Parameters
    ----------
    device : torch.device
        Where networks run.

    Returns
    -------
    bool
        True on a processor with avx512_bf16, or an accelerator with bfloat16.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import has_fast_bfloat16
    >>> has_fast_bfloat16(torch.device("cpu")) in (True, False)
    True
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def choose_precision(precision, device):
    """Choose the type in which networks compute.

    Parameters
    ----------
    precision : {"float32", "bfloat16", "auto"}
        The type; "auto" takes bfloat16 where it is faster.
    device : torch.device
        Where networks run.

    Returns
    -------
    {"float32", "bfloat16"}
        The type.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import choose_precision
    >>> choose_precision("bfloat16", torch.device("cpu"))
    'bfloat16'
    """
    if precision == "auto":
        return "bfloat16" if has_fast_bfloat16(device) else "float32"
    return precision


def prepare_network(network, device, precision="float32", *, fold=False):
    """Copy a network to where and how it shall run.

    Parameters
    ----------
    network : torch.nn.Module
        The network, left as it is.
    device : torch.device
        Where to run it.
    precision : {"float32", "bfloat16"}, default="float32"
        The type of weights and activations. In bfloat16 batch normalisation behind a layer is folded into its weights
        beforehand, so that its statistics are not rounded on their own.
    fold : bool, default=False
        Whether to do so in float32, too: equal but for rounding, and a good deal faster where gradients are taken.

    Returns
    -------
    torch.nn.Module
        The copy, in evaluation mode, weights in channels-last order.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network, prepare_network
    >>> network = prepare_network(build_network("tiny"), torch.device("cpu"), "bfloat16")
    >>> next(network.parameters()).dtype
    torch.bfloat16
    """
    network = copy.deepcopy(network).eval()
    if fold or precision == "bfloat16":
        for block in network.modules():
            if isinstance(block, nn.Sequential) and hasattr(block, "bn"):
                _fold_normalisation(block)
    return network.to(device=device, dtype=getattr(torch, precision), memory_format=torch.channels_last)


def _fold_normalisation(block):
    if hasattr(block, "conv"):
        block.conv = fuse_conv_bn_eval(block.conv, block.bn)
    else:
        block.fc = fuse_linear_bn_eval(block.fc, block.bn)
    block.bn = nn.Identity()
