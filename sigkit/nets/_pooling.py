"""Max-pooling that is fast to differentiate twice in channels-last layout."""

import torch
from torch.autograd import Function
from torch.nn import functional as F


def max_pool(inputs, kernel_size, stride, padding=0):
    """Compute the maxima in windows.

    The second derivatives keep the memory layout of the maps, and nothing is computed where they are zero.

    Parameters
    ----------
    inputs : Tensor of shape (n_samples, n_channels, height, width)
        Feature maps.
    kernel_size, stride, padding : int or tuple of (int, int)
        As in `torch.nn.MaxPool2d`.

    Returns
    -------
    Tensor of shape (n_samples, n_channels, new_height, new_width)
        The maximum of each window.

    Notes
    -----
    There are no forward-mode derivatives: `torch.func.jvp` raises an error.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._pooling import max_pool
    >>> max_pool(torch.arange(25.0).reshape(1, 1, 5, 5), 3, 2).tolist()
    [[[[12.0, 14.0], [22.0, 24.0]]]]
    """
    return _MaxPool.apply(inputs, kernel_size, stride, padding)[0]


class _MaxPool(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(inputs, kernel_size, stride, padding):
        return F.max_pool2d_with_indices(inputs, kernel_size, stride, padding)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.window = inputs[1:]
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(inputs[0], output[1])

    @staticmethod
    def backward(ctx, grad, _):
        found = None if grad is None else _MaxPoolBackward.apply(grad, *ctx.saved_tensors, *ctx.window)
        return found, None, None, None


class _MaxPoolBackward(Function):
    """The gradient of max-pooling: that of each maximum, at the position of the maximum."""

    generate_vmap_rule = True

    @staticmethod
    def forward(grad, inputs, indices, kernel_size, stride, padding):
        window = [size if isinstance(size, tuple) else (size, size) for size in (kernel_size, stride, padding, 1)]
        return torch.ops.aten.max_pool2d_with_indices_backward(grad, inputs, *window, False, indices)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[2])

    @staticmethod
    def backward(ctx, grad):
        (indices,) = ctx.saved_tensors
        grad, flat = grad.flatten(-2), indices.flatten(-2)
        # In channels-last layout, the gathered values get that layout as well.
        gathered = grad.gather(-1, flat) if indices.is_contiguous() else grad.mT.gather(-2, flat.mT).mT
        return gathered.unflatten(-1, indices.shape[-2:]), None, None, None, None, None
