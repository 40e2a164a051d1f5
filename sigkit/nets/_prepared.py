"""Networks that are prepared once and run many times."""

from functools import lru_cache
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch

from sigkit.nets._draws import may_draw
from sigkit.nets._prepare import prepare_network

_last = WeakKeyDictionary()


class _Prepared(NamedTuple):
    state: tuple
    layers: list
    network: torch.nn.Module


def prepared_network(network, device, precision):
    """Return a network as `prepare_network` makes it, the same one while the network does not change.

    The copy takes longer than the features of one image. It is kept as long as the network, and made again for another
    device or precision, or if a layer, its settings or a weight were changed.

    Parameters
    ----------
    network : torch.nn.Module
        The network, which is not changed.
    device : torch.device
        Where to run it.
    precision : {"float32", "bfloat16"}
        Data type of weights and activations.

    Returns
    -------
    torch.nn.Module
        The prepared network, for evaluation only: other callers and threads may have the same one. A network of other
        code than torch, torchvision and sigkit, which may change itself, is copied in each call.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> from sigkit.nets._prepared import prepared_network
    >>> network, device = build_network("tiny"), torch.device("cpu")
    >>> first, second = (prepared_network(network, device, "float32") for _ in range(2))
    >>> first is second
    True
    """
    if may_draw(network, evaluation=True):
        return prepare_network(network, device, precision)
    layers = list(network.modules())[1:]
    # Settings of layers, such as a padding, can be assigned too.
    settings = [layer.extra_repr() for layer in layers]
    state = device, precision, settings, *_describe_weights(network)
    last = _last.get(network)
    if last is None or last.state != state or not _are_same(last.layers, layers):
        last = _last[network] = _Prepared(state, layers, prepare_network(network, device, precision))
    return last.network


def _are_same(layers, others):
    return len(layers) == len(others) and all(one is other for one, other in zip(layers, others))


@torch.inference_mode()
def _describe_weights(network):
    """Return numbers that differ if weights do.

    PyTorch counts the changes of a tensor, but not those through `.data`; these change a product with random numbers.
    """
    tensors = [*network.parameters(), *network.buffers()]
    counts = [(tensor.shape, tensor.dtype, None if tensor.is_inference() else tensor._version) for tensor in tensors]
    values = [tensor.reshape(-1) for tensor in tensors if tensor.is_floating_point()]
    longest = max(map(len, values), default=0)
    products = [torch.dot(own, _noise(longest, own.dtype)[: len(own)]).double() for own in values]
    return counts, torch.stack(products).tolist() if products else []


@lru_cache(maxsize=4)
def _noise(n_values, dtype):
    return torch.rand(n_values, generator=torch.Generator().manual_seed(0)).add_(0.5).to(dtype)
