"""Strict checks of the tensors of a weight file: names, shapes, types and values."""

import torch

from sigkit._utils import listing
from sigkit.nets._architectures import ARCHITECTURES, network_without_weights
from sigkit.nets._meta_learner import MetaLearner

FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
"""Types of floating-point numbers that are converted to float32."""
# Old versions of torch, and thus files of sigver, do not count the batches of batch normalization. No feature depends
# on the count.
COUNTER = "num_batches_tracked"
# In the file of a meta-learner the tensors of its network have this prefix.
NETWORK = "network."
RATES = ("rates", "network_rates")

# The weights and statistics of trained networks are below 1e3, their variances below 1e5. The limits leave a factor of
# 1000, and its square; products and sums of a few thousand such numbers are far from the largest float32 number, 3e38.
LARGEST, LARGEST_VARIANCE = 1e6, 1e12
# Learning rates are about 0.01, and a distance is multiplied by exp(log_scale), about 10.
LARGEST_RATE, LARGEST_LOG_SCALE = 1e3, 30.0


def check_weights(path, weights, architecture):
    """Check that weights are exactly those of an architecture, or of a meta-learner of it, and sane.

    Counters of batches may be missing; they are 0 then. Floating-point numbers of any precision become float32.

    Parameters
    ----------
    path : str
        The file, for the message.
    weights : dict of str to Tensor
        The tensors of the file.
    architecture : str
        The name of the architecture.

    Returns
    -------
    dict of str to Tensor
        The tensors of the state dict, in memory of their own.

    Raises
    ------
    ValueError
        If a tensor is missing, too many, or of another shape or type; or if it holds NaN, infinity, a number beyond the
        limits, a negative variance or a negative counter.
    """
    expected = _expected(path, weights, architecture)
    if _shapes(weights) != _shapes(expected) or not weights.keys() <= expected.keys():
        raise ValueError(_describe_misfit(path, weights, architecture, expected))
    checked = {}
    for name, template in expected.items():
        tensor = weights.get(name)
        if tensor is None:
            checked[name] = torch.zeros((), dtype=torch.int64)
            continue
        _check_type(path, name, tensor, template)
        dtype = torch.float32 if template.is_floating_point() else tensor.dtype
        checked[name] = tensor.detach().to(dtype, memory_format=torch.contiguous_format, copy=True)
        _check_values(path, name, checked[name])
    return checked


def is_meta_learned(weights):
    """Return whether tensors are those of a meta-learner."""
    return any(name in weights for name in RATES)


def _expected(path, weights, architecture):
    """Return the tensors that a file of these names must have, without their values."""
    network = network_without_weights(architecture)
    if not is_meta_learned(weights):
        return network.state_dict()
    sizes = [tuple(weights[name].shape) if name in weights else () for name in RATES]
    if any(len(size) != 2 for size in sizes) or sizes[0][0] != sizes[1][0] or not sizes[0][0]:
        raise ValueError(
            f"{path}: a meta-learned file has {listing(RATES)}, learning rates of shape (n_updates, n_tensors); found "
            f"{listing(map(str, sizes))}. Save it again, or copy it again."
        )
    with torch.device("meta"):
        learner = MetaLearner(
            network,
            n_updates=sizes[0][0],
            head="distance" if "head.center" in weights else "linear",
            adapt="all" if sizes[1][1] else "head",
        )
    return learner.state_dict()


def _check_type(path, name, tensor, template):
    if name.endswith(COUNTER) or not template.is_floating_point():
        fits = tensor.dtype == template.dtype and tensor.shape == template.shape
    else:
        fits = tensor.dtype in FLOATS
    if not fits:
        found, wanted = (f"{each.dtype} of shape {tuple(each.shape)}" for each in (tensor, template))
        raise ValueError(
            f"{path}: {name} is {found}, not {wanted}. Save weights as floating-point numbers, and counters as int64."
        )
    if tensor.is_quantized or tensor.layout != torch.strided or tensor.device.type != "cpu":
        # A tensor on the device "meta" has no values.
        kind = "quantized" if tensor.is_quantized else f"{tensor.layout} on the device {tensor.device}"
        raise ValueError(f"{path}: {name} is {kind}. Save the weights as dense tensors on the CPU.")


def _check_values(path, name, tensor):
    if not tensor.numel() or tensor.dtype == torch.bool or not (tensor.is_floating_point() or name.endswith(COUNTER)):
        return
    least, most = (bound.item() for bound in tensor.aminmax())
    low, high = -LARGEST, LARGEST
    if name.endswith("running_var"):
        # 0 is the variance of a channel that is always 0; batch normalization adds to it.
        low, high = 0, LARGEST_VARIANCE
    elif name in RATES:
        low, high = -LARGEST_RATE, LARGEST_RATE
    elif name == "head.log_scale":
        low, high = -LARGEST_LOG_SCALE, LARGEST_LOG_SCALE
    elif name.endswith(COUNTER):
        low, high = 0, torch.iinfo(torch.int64).max
    # A comparison with NaN is False.
    if low <= least and most <= high:
        return
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{path}: NaN or infinity in {name}. Such weights come from a failed training.")
    raise ValueError(
        f"{path}: {name} has numbers from {least:g} to {most:g}; those of a trained network are from {low:g} to "
        f"{high:g}. Copy the file again, or train again."
    )


def _shapes(weights):
    return {name: tuple(tensor.shape) for name, tensor in weights.items() if not name.endswith(COUNTER)}


def _describe_misfit(path, weights, architecture, expected):
    found, wanted = _shapes(weights), _shapes(expected)
    fitting = [name for name, each in ARCHITECTURES.items() if _shapes(each._template.state_dict()) == found]
    if fitting and found != wanted:
        return f"{path}: these weights are of architecture={fitting[0]!r}, not {architecture!r}."
    differing = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    differing += sorted(weights.keys() - expected.keys() - found.keys())
    name = differing[0]
    of = f"a meta-learner of {architecture!r}" if is_meta_learned(weights) else repr(architecture)
    instead = wanted.get(name, "none")
    return (
        f"{path}: these weights fit no architecture of sigkit; {len(differing)} tensors differ from {of}, "
        f"the first {name}: {found.get(name, 'a counter' if name in weights else 'missing')} instead of {instead}."
    )
