"""A convolution that is fast to differentiate twice."""

from itertools import combinations

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from sigkit.nets._convolution import convolve

SHAPES = [((1, 1), (0, 0), (3, 3)), ((1, 1), (2, 2), (5, 5)), ((4, 4), (0, 0), (5, 4)), ((2, 3), (1, 2), (3, 5))]


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


def tensors(kernel):
    return draw(2, 3, 11, 10), draw(4, 3, *kernel, seed=1), draw(4, seed=2)


@pytest.mark.parametrize(("stride", "padding", "kernel"), SHAPES)
def test_first_and_second_derivatives(stride, padding, kernel):
    inputs = tensors(kernel)
    torch.testing.assert_close(
        convolve(*inputs, stride, padding), F.conv2d(*inputs, stride, padding), rtol=1e-12, atol=1e-12
    )
    assert gradcheck(lambda *inputs: convolve(*inputs, stride, padding), inputs, fast_mode=True)
    assert gradgradcheck(lambda *inputs: convolve(*inputs, stride, padding), inputs, fast_mode=True)


class Masks(TorchDispatchMode):
    """Records which gradients of convolutions are computed."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten.convolution_backward.default:
            self.found.append(list(args[-1]))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("needed", [(True, False, False), (False, True, False), (False, False, True)])
def test_derivatives_that_are_not_needed_are_not_computed(needed):
    inputs = [tensor.detach().requires_grad_(need) for tensor, need in zip(tensors((3, 3)), needed)]
    with Masks() as masks:
        convolve(*inputs, (1, 1), (1, 1)).square().sum().backward()
    assert masks.found == [list(needed)]
    assert [tensor.grad is not None for tensor in inputs] == list(needed)


def test_second_derivatives_of_gradients_that_were_not_computed():
    inputs = tensors((3, 3))
    outputs = convolve(*inputs, (1, 1), (1, 1)).pow(3).sum()
    gradients = torch.autograd.grad(outputs, inputs[1:], create_graph=True)
    with Masks() as masks:
        torch.autograd.grad(sum(gradient.sum() for gradient in gradients), inputs)
    # First the gradient of the weights' gradient with respect to the inputs alone; then a first derivative.
    assert masks.found == [[True, False, False], [True, True, True]]


@pytest.mark.parametrize("chosen", [each for n in (1, 2, 3) for each in combinations(range(3), n)])
def test_second_derivatives_of_some_of_the_first(chosen):
    found = []
    for convolution in (convolve, F.conv2d):
        inputs = tensors((3, 3))
        outputs = convolution(*inputs, (2, 1), (1, 1))
        gradients = torch.autograd.grad(outputs.pow(3).sum(), [inputs[place] for place in chosen], create_graph=True)
        found.append(torch.autograd.grad(sum(gradient.pow(2).sum() for gradient in gradients), inputs))
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-10)


def test_autocast_decides_the_type():
    inputs = [tensor.detach().float() for tensor in tensors((3, 3))]
    with torch.autocast("cpu", torch.bfloat16):
        found = convolve(*inputs, (1, 1), (1, 1))
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found, F.conv2d(*inputs, (1, 1), (1, 1)))


def test_functional_derivatives():
    inputs, weight, bias = (tensor.detach() for tensor in tensors((3, 3)))

    def loss(convolution, weight, image):
        return convolution(image[None], weight, bias, (1, 1), (1, 1)).square().sum()

    found, expected = (
        torch.func.vmap(torch.func.grad(loss, argnums=1), in_dims=(None, None, 0))(convolution, weight, inputs)
        for convolution in (convolve, F.conv2d)
    )
    torch.testing.assert_close(found, expected)


def test_without_bias():
    inputs, weight, _ = tensors((3, 3))
    torch.testing.assert_close(convolve(inputs, weight, None, (1, 1), (1, 1)), F.conv2d(inputs, weight, padding=1))
    assert gradgradcheck(lambda *tensors: convolve(*tensors, None, (1, 1), (1, 1)), (inputs, weight), fast_mode=True)
