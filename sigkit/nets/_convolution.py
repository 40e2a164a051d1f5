"""A convolution that can be differentiated twice at the price of convolutions of its own shape."""

from functools import reduce

import torch
from torch.autograd import Function
from torch.nn import functional as F


def convolve(inputs, weight, bias, stride, padding):
    """Compute a two-dimensional convolution.

    It is linear in the inputs and in the weights, so that each of its derivatives is one of three maps of the same
    shape: the convolution itself, what it sends back to its inputs, and what it sends back to its weights. PyTorch
    computes second derivatives by convolutions with images for kernels instead, which processors are slow at.

    Parameters
    ----------
    inputs : Tensor of shape (n_samples, n_inputs, height, width)
        Feature maps.
    weight : Tensor of shape (n_outputs, n_inputs, kernel_height, kernel_width)
        The kernels.
    bias : Tensor of shape (n_outputs,)
        What is added to each output channel.
    stride, padding : tuple of (int, int)
        As those of `torch.nn.Conv2d`.

    Returns
    -------
    Tensor of shape (n_samples, n_outputs, new_height, new_width)
        Feature maps, in the type of autocast where it is in force.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._convolution import convolve
    >>> convolve(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 3, 3), torch.ones(3), (1, 1), (0, 0))[0, :, 0, 0]
    tensor([19., 19., 19.])
    """
    tensors, device = [inputs, weight, bias], inputs.device.type
    if torch.is_autocast_enabled(device) and inputs.dtype != torch.float64:
        tensors = [tensor.to(torch.get_autocast_dtype(device)) for tensor in tensors]
    return _Convolution.apply(*tensors, tuple(stride), tuple(padding))


class _Convolution(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(inputs, weight, bias, stride, padding):
        return F.conv2d(inputs, weight, bias, stride, padding)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])
        ctx.steps = inputs[3:]

    @staticmethod
    def backward(ctx, slope):
        return *_Slopes.apply(slope, *ctx.saved_tensors, ctx.needs_input_grad[:3], *ctx.steps), None, None


class _Slopes(Function):
    """What a convolution sends back to its inputs, its weights and its bias, or None where it is not wanted."""

    generate_vmap_rule = True

    @staticmethod
    def forward(slope, inputs, weight, wanted, stride, padding):
        return torch.ops.aten.convolution_backward(
            slope, inputs, weight, weight.shape[:1], stride, padding, (1, 1), False, (0, 0), 1, wanted
        )

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs[:3])
        ctx.steps = inputs[4:]

    @staticmethod
    def backward(ctx, of_inputs, of_weight, of_bias):
        slope, inputs, weight = ctx.saved_tensors
        needs_slope, *needed = ctx.needs_input_grad[:3]
        to_slope = []
        if needs_slope and of_inputs is not None:
            to_slope.append(_Convolution.apply(of_inputs, weight, None, *ctx.steps))
        if needs_slope and of_weight is not None:
            to_slope.append(_Convolution.apply(inputs, of_weight, of_bias, *ctx.steps))
        elif needs_slope and of_bias is not None:
            to_slope.append(of_bias[:, None, None].expand_as(slope))
        wanted = needed[0] and of_weight is not None, needed[1] and of_inputs is not None, False
        inputs, weight = inputs if of_inputs is None else of_inputs, weight if of_weight is None else of_weight
        slopes = _Slopes.apply(slope, inputs, weight, wanted, *ctx.steps)[:2] if any(wanted) else (None, None)
        return reduce(torch.add, to_slope) if to_slope else None, *slopes, None, None, None
