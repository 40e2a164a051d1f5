"""A convolution whose second derivatives cost as much as convolutions of its own shape."""

from functools import reduce

import torch
from torch.autograd import Function
from torch.nn import functional as F


def convolve(inputs, weight, bias, stride, padding):
    """Compute a two-dimensional convolution.

    A convolution is linear in its inputs and in its weights. Each of its derivatives, of any order, is therefore one of
    three operations of the same shape: the convolution, its gradient with respect to the inputs, and its gradient with
    respect to the weights. PyTorch computes the second derivatives by convolutions with kernels as large as the images,
    which are slow on CPUs.

    Parameters
    ----------
    inputs : Tensor of shape (n_samples, n_inputs, height, width)
        Feature maps.
    weight : Tensor of shape (n_outputs, n_inputs, kernel_height, kernel_width)
        The kernels.
    bias : Tensor of shape (n_outputs,) or None
        Added to each output channel.
    stride, padding : tuple of (int, int)
        As in `torch.nn.Conv2d`.

    Returns
    -------
    Tensor of shape (n_samples, n_outputs, new_height, new_width)
        Feature maps, in the data type of autocast where that is enabled.

    Notes
    -----
    There are no forward-mode derivatives: `torch.func.jvp` raises an error.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._convolution import convolve
    >>> convolve(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 3, 3), torch.ones(3), (1, 1), (0, 0))[0, :, 0, 0]
    tensor([19., 19., 19.])
    """
    tensors, device = [inputs, weight, bias], inputs.device.type
    # autocast does not cast the arguments of custom functions. It leaves float64 unchanged, and so does this function.
    if torch.is_autocast_enabled(device) and inputs.dtype != torch.float64:
        dtype = torch.get_autocast_dtype(device)
        tensors = [tensor if tensor is None else tensor.to(dtype) for tensor in tensors]
    return _Convolution.apply(*tensors, tuple(stride), tuple(padding))


class _Convolution(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(inputs, weight, bias, stride, padding):
        return F.conv2d(inputs, weight, bias, stride, padding)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])
        ctx.stride_and_padding = inputs[3:]

    @staticmethod
    def backward(ctx, grad):
        needed = ctx.needs_input_grad[:3]
        return *_ConvolutionBackward.apply(grad, *ctx.saved_tensors, needed, *ctx.stride_and_padding), None, None


class _ConvolutionBackward(Function):
    """The gradients of a convolution with respect to its inputs, weights and bias; None for those not needed."""

    generate_vmap_rule = True

    @staticmethod
    def forward(grad, inputs, weight, needed, stride, padding):
        return torch.ops.aten.convolution_backward(
            grad, inputs, weight, weight.shape[:1], stride, padding, (1, 1), False, (0, 0), 1, needed
        )

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*inputs[:3])
        ctx.stride_and_padding = inputs[4:]

    @staticmethod
    def backward(ctx, grad_of_inputs, grad_of_weight, grad_of_bias):
        grad, inputs, weight = ctx.saved_tensors
        needs_grad, *needs = ctx.needs_input_grad[:3]
        # The gradients are linear in `grad`: their own gradient is the convolution, with the incoming gradients instead
        # of the inputs or the weights.
        parts = []
        if needs_grad and grad_of_inputs is not None:
            parts.append(_Convolution.apply(grad_of_inputs, weight, None, *ctx.stride_and_padding))
        if needs_grad and grad_of_weight is not None:
            parts.append(_Convolution.apply(inputs, grad_of_weight, grad_of_bias, *ctx.stride_and_padding))
        elif needs_grad and grad_of_bias is not None:
            parts.append(grad_of_bias[:, None, None].expand_as(grad))
        # The gradient of the inputs depends only on the weights, and that of the weights only on the inputs. Both are
        # computed in one call.
        needed = needs[0] and grad_of_weight is not None, needs[1] and grad_of_inputs is not None, False
        inputs = inputs if grad_of_inputs is None else grad_of_inputs
        weight = weight if grad_of_weight is None else grad_of_weight
        found = (None, None)
        if any(needed):
            found = _ConvolutionBackward.apply(grad, inputs, weight, needed, *ctx.stride_and_padding)[:2]
        return reduce(torch.add, parts) if parts else None, *found, None, None, None
