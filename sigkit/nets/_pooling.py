"""Max-pooling whose second derivatives keep the layout of the maps, and add nothing where they are zero."""

import torch
from torch import nn
from torch.autograd import Function
from torch.nn import functional as F


class MaxPool(nn.MaxPool2d):
    """Max-pooling, as `torch.nn.MaxPool2d`, but faster to differentiate twice where channels come last.

    It has derivatives backwards only: `torch.func.jvp` raises an error.

    Parameters
    ----------
    kernel_size, stride : int
        As those of `torch.nn.MaxPool2d`.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._pooling import MaxPool
    >>> MaxPool(3, 2)(torch.arange(25.0).reshape(1, 1, 5, 5)).tolist()
    [[[[12.0, 14.0], [22.0, 24.0]]]]
    """

    def __init__(self, kernel_size, stride):
        super().__init__(kernel_size, stride)

    def forward(self, inputs):
        """Compute the maxima.

        Parameters
        ----------
        inputs : Tensor of shape (n_samples, n_channels, height, width)
            Feature maps.

        Returns
        -------
        Tensor of shape (n_samples, n_channels, new_height, new_width)
            The greatest value in each window.
        """
        if not torch.is_grad_enabled():
            return super().forward(inputs)
        return _MaxPool.apply(inputs, self.kernel_size, self.stride)[0]


class _MaxPool(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(inputs, kernel_size, stride):
        return F.max_pool2d_with_indices(inputs, kernel_size, stride)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.window = inputs[1:]
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(inputs[0], output[1])

    @staticmethod
    def backward(ctx, slope, _):
        sent = None if slope is None else _ToMaxima.apply(slope, *ctx.saved_tensors, *ctx.window)
        return sent, None, None


class _ToMaxima(Function):
    """What each maximum sends back to where it was found."""

    generate_vmap_rule = True

    @staticmethod
    def forward(slope, inputs, places, kernel_size, stride):
        sizes = [(size, size) for size in (kernel_size, stride, 0, 1)]
        return torch.ops.aten.max_pool2d_with_indices_backward(slope, inputs, *sizes, False, places)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[2])

    @staticmethod
    def backward(ctx, slope):
        (places,) = ctx.saved_tensors
        slope, flat = slope.flatten(-2), places.flatten(-2)
        # Where channels are last, they are to be so in what is gathered.
        gathered = slope.gather(-1, flat) if places.is_contiguous() else slope.mT.gather(-2, flat.mT).mT
        return gathered.unflatten(-1, places.shape[-2:]), None, None, None, None
