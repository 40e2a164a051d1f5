"""A convolution that can be differentiated twice at the price of convolutions of its own shape."""

import torch
from torch.autograd import Function
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight


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


class _Bilinear(Function):
    """Linear in each of its first two inputs; the last two are stride and padding."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])
        ctx.steps = inputs[3:]


class _Convolution(_Bilinear):
    @staticmethod
    def forward(inputs, weight, bias, stride, padding):
        return F.conv2d(inputs, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx, slope):
        inputs, weight = ctx.saved_tensors
        to_inputs = to_weight = to_bias = None
        if ctx.needs_input_grad[0]:
            to_inputs = _BackToInputs.apply(slope, weight, inputs.shape, *ctx.steps)
        if ctx.needs_input_grad[1]:
            to_weight = _BackToWeight.apply(slope, inputs, weight.shape, *ctx.steps)
        if ctx.needs_input_grad[2]:
            to_bias = slope.sum((0, 2, 3))
        return to_inputs, to_weight, to_bias, None, None


class _BackToInputs(_Bilinear):
    @staticmethod
    def forward(slope, weight, shape, stride, padding):
        return conv2d_input(shape, weight, slope, stride, padding)

    @staticmethod
    def backward(ctx, slope_of_inputs):
        slope, weight = ctx.saved_tensors
        to_slope = to_weight = None
        if ctx.needs_input_grad[0]:
            to_slope = _Convolution.apply(slope_of_inputs, weight, None, *ctx.steps)
        if ctx.needs_input_grad[1]:
            to_weight = _BackToWeight.apply(slope, slope_of_inputs, weight.shape, *ctx.steps)
        return to_slope, to_weight, None, None, None


class _BackToWeight(_Bilinear):
    @staticmethod
    def forward(slope, inputs, shape, stride, padding):
        return conv2d_weight(inputs, shape, slope, stride, padding)

    @staticmethod
    def backward(ctx, slope_of_weight):
        slope, inputs = ctx.saved_tensors
        to_slope = to_inputs = None
        if ctx.needs_input_grad[0]:
            to_slope = _Convolution.apply(inputs, slope_of_weight, None, *ctx.steps)
        if ctx.needs_input_grad[1]:
            to_inputs = _BackToInputs.apply(slope, slope_of_weight, inputs.shape, *ctx.steps)
        return to_slope, to_inputs, None, None, None
