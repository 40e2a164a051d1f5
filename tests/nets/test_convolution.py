"""A convolution that is differentiated twice, and layers that take their normalisation in."""

from itertools import combinations

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from sigkit.nets._convolution import convolve
from sigkit.nets._signet import NormalisedLayer

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
    """Tells which slopes of convolutions are computed."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten.convolution_backward.default:
            self.found.append(list(args[-1]))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("needed", [(True, False, False), (False, True, False), (False, False, True)])
def test_derivatives_that_nobody_needs_are_left_out(needed):
    inputs = [tensor.detach().requires_grad_(need) for tensor, need in zip(tensors((3, 3)), needed)]
    with Masks() as masks:
        convolve(*inputs, (1, 1), (1, 1)).square().sum().backward()
    assert masks.found == [list(needed)]
    assert [tensor.grad is not None for tensor in inputs] == list(needed)


def test_second_derivatives_leave_out_what_has_no_slope():
    inputs = tensors((3, 3))
    outputs = convolve(*inputs, (1, 1), (1, 1)).pow(3).sum()
    slopes = torch.autograd.grad(outputs, inputs[1:], create_graph=True)
    with Masks() as masks:
        torch.autograd.grad(sum(slope.sum() for slope in slopes), inputs)
    # First what the weights' slope sends to the inputs, for the inputs' slope was not taken; then a first derivative.
    assert masks.found == [[True, False, False], [True, True, True]]


@pytest.mark.parametrize("wanted", [places for n in (1, 2, 3) for places in combinations(range(3), n)])
def test_second_derivatives_of_some_of_the_first(wanted):
    found = []
    for convolution in (convolve, F.conv2d):
        inputs = tensors((3, 3))
        outputs = convolution(*inputs, (2, 1), (1, 1))
        slopes = torch.autograd.grad(outputs.pow(3).sum(), [inputs[place] for place in wanted], create_graph=True)
        found.append(torch.autograd.grad(sum(slope.pow(2).sum() for slope in slopes), inputs))
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

    found, wanted = (
        torch.func.vmap(torch.func.grad(loss, argnums=1), in_dims=(None, None, 0))(convolution, weight, inputs)
        for convolution in (convolve, F.conv2d)
    )
    torch.testing.assert_close(found, wanted)


def make_layer(name, relu):
    layer = nn.Conv2d(3, 4, (3, 5), stride=2, padding=1, bias=False) if name == "conv" else nn.Linear(6, 4, bias=False)
    block = NormalisedLayer(name, layer, relu).double()
    for number, tensor in enumerate((*block.parameters(), block.bn.running_mean, block.bn.running_var)):
        tensor.data = draw(*tensor.shape, seed=number).detach()
    block.bn.running_var.abs_().add_(0.1)
    return block.eval(), draw(5, 3, 9, 8) if name == "conv" else draw(5, 6)


def twice_differentiated(compute, block, inputs):
    outputs = compute(inputs)
    wanted = [inputs, *block.parameters()]
    slopes = torch.autograd.grad(outputs.square().sum(), wanted, create_graph=True)
    further = torch.autograd.grad(sum(slope.pow(3).sum() for slope in slopes), wanted)
    return [outputs, *slopes, *further]


@pytest.mark.parametrize("name", ["conv", "fc"])
@pytest.mark.parametrize("relu", [True, False])
def test_a_layer_in_evaluation_is_its_parts_one_after_another(name, relu):
    block, inputs = make_layer(name, relu)
    found = twice_differentiated(block, block, inputs)
    with torch.no_grad():
        torch.testing.assert_close(block(inputs), found[0])
    wanted = twice_differentiated(lambda x: nn.Sequential(*block)(x), block, inputs)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["conv", "fc"])
def test_a_layer_in_training_learns_its_statistics(name):
    block, inputs = make_layer(name, relu=True)
    before = block.bn.running_mean.clone()
    block.train()
    torch.testing.assert_close(block(inputs), nn.Sequential(*block)(inputs))
    assert not torch.equal(block.bn.running_mean, before)
