"""Copies of networks that are fast to differentiate twice."""

import copy

import pytest
import torch
from torch import nn

from sigkit.nets import ARCHITECTURES, MetaLearner, build_network
from sigkit.nets._convolution import _Convolution
from sigkit.nets._pooling import _MaxPool
from sigkit.nets._second_order import with_fast_second_derivatives
from sigkit.nets._signet import normalized_layer


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def randomize(network):
    """Give all parameters and statistics values that are neither 0 nor 1."""
    for number, tensor in enumerate((*network.parameters(), *network.buffers())):
        if tensor.is_floating_point() and tensor.dim() == 1:
            tensor.data = 0.5 + draw(*tensor.shape, seed=number).abs().to(tensor.dtype)
    return network


def derivatives(network, inputs):
    """Outputs, first and second derivatives."""
    outputs = network(inputs)
    variables = [inputs, *network.parameters()]
    first = torch.autograd.grad(outputs.square().sum(), variables, create_graph=True)
    second = torch.autograd.grad(sum(gradient.square().sum() for gradient in first), variables)
    return [outputs, *first, *second]


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "torchvision:resnet18"])
def test_first_and_second_derivatives(architecture):
    network = randomize(build_network(architecture, seed=0).eval().double())
    # Small images where the network takes them: a second derivative of a large one takes seconds.
    size = (60, 88) if network.takes_any_size else (150, 220)
    inputs = draw(2, 1, *size).abs().mul(draw(2, 1, *size, seed=1) > 1).requires_grad_()
    before = copy.deepcopy(network.state_dict())
    fast = with_fast_second_derivatives(network)
    assert [*fast.state_dict()] == [*network.state_dict()]
    found, expected = derivatives(fast, inputs), derivatives(network, inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9 * other.abs().max().item() + 1e-300)
    with torch.no_grad():
        assert torch.equal(fast(inputs), network(inputs))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def block(name, relu, bias):
    layer = nn.Conv2d(3, 4, (3, 5), stride=2, padding=1, bias=bias) if name == "conv" else nn.Linear(6, 4, bias=bias)
    inputs = draw(5, 3, 9, 8) if name == "conv" else draw(5, 6)
    return randomize(normalized_layer(name, layer, relu).double()), inputs.requires_grad_()


@pytest.mark.parametrize("name", ["conv", "fc"])
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_folded_normalization(name, relu, bias):
    network, inputs = block(name, relu, bias)
    network.eval()
    fast = with_fast_second_derivatives(network)
    fast.bn.register_forward_hook(lambda *arguments: pytest.fail("not folded"))
    found = derivatives(fast, inputs)
    torch.testing.assert_close(found, derivatives(network, inputs), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["conv", "fc"])
def test_in_training_the_statistics_are_those_of_the_batch(name):
    network, inputs = block(name, relu=True, bias=False)
    before = network.bn.running_mean.clone()
    fast = with_fast_second_derivatives(network).train()
    torch.testing.assert_close(derivatives(fast, inputs), derivatives(network.train(), inputs))
    assert torch.equal(fast.bn.running_mean, network.bn.running_mean)
    assert not torch.equal(fast.bn.running_mean, before)


class Doubled(nn.Sequential):
    def forward(self, inputs):
        return 2 * super().forward(inputs)


def nodes(outputs):
    """The names of the functions in a graph."""
    names, left = set(), [outputs.grad_fn]
    while left:
        node = left.pop()
        names.add(type(node).__name__)
        left += [following for following, _ in node.next_functions if following is not None]
    return names


OURS = {f"{function.__name__}Backward" for function in (_Convolution, _MaxPool)}


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, 3, dilation=2),
        nn.Conv2d(4, 4, 3, padding="same"),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"),
        nn.MaxPool2d(2, dilation=2),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.BatchNorm2d(4), nn.ReLU()),
        Doubled(nn.BatchNorm2d(4), nn.ReLU()),
        nn.Sequential(nn.Tanh(), nn.ReLU()),
    ],
)
def test_other_layers_are_not_changed(layer):
    layer = randomize(copy.deepcopy(layer).eval().double())
    inputs = draw(2, 4, 9, 9).requires_grad_()
    fast = with_fast_second_derivatives(layer)
    assert not nodes(fast(inputs)) & OURS
    torch.testing.assert_close(derivatives(fast, inputs), derivatives(layer, inputs))


@pytest.mark.parametrize("architecture", ["signet_thin", "smallcnn", "torchvision:resnet18"])
def test_layers_are_replaced(architecture):
    network = build_network(architecture, seed=0).eval()
    images = torch.zeros(1, 1, 150, 220)
    assert not nodes(network(images)) & OURS
    assert nodes(with_fast_second_derivatives(network)(images)) >= OURS


def test_a_meta_learner_does_not_change_its_network():
    network = build_network("signet_thin", seed=0)
    learner = MetaLearner(network)
    assert type(learner.network) is type(network)
    assert {type(layer).__module__.split(".")[0] for layer in network.conv_layers.modules()} == {"torch"}
    assert not any(layer.inplace for layer in network.modules() if isinstance(layer, nn.ReLU))
    assert not {id(tensor) for tensor in network.parameters()} & {id(tensor) for tensor in learner.parameters()}
    assert [*learner.network.state_dict()] == [*network.state_dict()]
    network.load_state_dict(learner.network.state_dict())
