"""A copy of a network that computes the same and is faster to differentiate twice."""

import copy
from itertools import pairwise

import torch
from torch import nn

from sigkit.nets._convolution import convolve
from sigkit.nets._pooling import max_pool
from sigkit.nets._prepare import set_inplace_relu


def with_fast_second_derivatives(network):
    """Copy a network and replace the layers whose second derivatives PyTorch computes slowly.

    The copy returns the same but for rounding, and its parameters and buffers have the same names. Where gradients are
    recorded,

    - convolutions and max-pooling have second derivatives of their own (:func:`convolve`, :func:`max_pool`);
    - batch normalization by running statistics, directly after a convolution or a linear layer in a
      `torch.nn.Sequential`, is folded into the weights, so that no gradient of the size of the maps passes through it;
    - ReLUs in such a sequence overwrite their inputs.

    Hooks on folded layers do not run, and there are no forward-mode derivatives. Other layers are left as they are.

    Parameters
    ----------
    network : torch.nn.Module
        The network, which is not changed.

    Returns
    -------
    torch.nn.Module
        The copy.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> from sigkit.nets._second_order import with_fast_second_derivatives
    >>> network = build_network("tiny", seed=0).eval()
    >>> fast = with_fast_second_derivatives(network)
    >>> torch.allclose(fast(torch.ones(1, 1, 9, 9)), network(torch.ones(1, 1, 9, 9)), atol=1e-6)
    True
    >>> [*fast.state_dict()] == [*network.state_dict()]
    True
    """
    network = copy.deepcopy(network)
    set_inplace_relu(network, True)
    for module in network.modules():
        # Only modules of exactly these classes: a subclass may compute something else. Changing the class in place, as
        # `torch.nn.utils.parametrize` does, keeps the parameters, their names and the modules' own hooks.
        if type(module) is nn.Sequential:
            module.__class__ = _Sequential
        elif type(module) is nn.Conv2d and _is_plain_convolution(module):
            module.__class__ = _Conv2d
        elif type(module) is nn.MaxPool2d and _is_plain_pooling(module):
            module.__class__ = _MaxPool2d
    return network


class _Conv2d(nn.Conv2d):
    def forward(self, inputs):
        if not torch.is_grad_enabled() or inputs.dim() != 4:
            return super().forward(inputs)
        return convolve(inputs, self.weight, self.bias, self.stride, self.padding)


class _MaxPool2d(nn.MaxPool2d):
    def forward(self, inputs):
        if not torch.is_grad_enabled() or inputs.dim() != 4:
            return super().forward(inputs)
        return max_pool(inputs, self.kernel_size, self.stride, self.padding)


class _Sequential(nn.Sequential):
    def forward(self, inputs):
        # Folding costs time that pays off only where a graph of gradients is recorded.
        if not torch.is_grad_enabled():
            return super().forward(inputs)
        layers = pairwise([*self, None])
        for layer, following in layers:
            if _can_fold(layer, following, inputs):
                inputs = _normalized(layer, following, inputs)
                next(layers)  # the batch normalization has been applied as well
            else:
                inputs = layer(inputs)
        return inputs


def _is_plain_convolution(layer):
    is_plain = layer.groups == 1 and tuple(layer.dilation) == (1, 1) and layer.padding_mode == "zeros"
    return is_plain and not isinstance(layer.padding, str)


def _is_plain_pooling(layer):
    return layer.dilation in (1, (1, 1)) and not layer.ceil_mode and not layer.return_indices


def _can_fold(layer, norm, inputs):
    # In training mode the statistics are those of the batch, which are not known before the layer is computed.
    fits = type(layer) is _Conv2d and type(norm) is nn.BatchNorm2d and inputs.dim() == 4
    fits = fits or (type(layer) is nn.Linear and type(norm) is nn.BatchNorm1d and inputs.dim() == 2)
    return fits and not norm.training and norm.affine and norm.running_mean is not None


def _normalized(layer, norm, inputs):
    """Apply a layer and batch normalization, which by running statistics is a factor and a shift of each output."""
    factor = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    # (y + b - mean) * factor + norm.bias, where y is the output without the layer's bias b.
    mean = norm.running_mean if layer.bias is None else norm.running_mean - layer.bias
    shift = norm.bias - mean * factor
    if isinstance(layer, nn.Conv2d):
        return convolve(inputs, layer.weight * factor[:, None, None, None], shift, layer.stride, layer.padding)
    return nn.functional.linear(inputs, layer.weight) * factor + shift
