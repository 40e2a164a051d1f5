"""Statistics of batch normalization."""

import pytest
import torch
from torch import nn

from sigkit.nets import build_network
from sigkit.training import batch_statistics, update_statistics


def test_statistics_are_updated_and_weights_are_not():
    network = build_network("tiny", seed=0).eval()
    weights = {name: parameter.clone() for name, parameter in network.named_parameters()}
    images = torch.rand(6, 1, 12, 14, generator=torch.Generator().manual_seed(0))
    maps = network.conv_layers[0].conv(images)
    update_statistics(network, images, momentum=1.0)
    norm = network.conv_layers[0].bn
    torch.testing.assert_close(norm.running_mean, maps.mean((0, 2, 3)).detach())
    before = norm.running_mean.clone()
    update_statistics(network, torch.zeros(2, 1, 12, 14))
    torch.testing.assert_close(norm.running_mean, 0.9 * before)
    assert not any(module.training for module in network.modules())
    assert all(torch.equal(parameter, weights[name]) for name, parameter in network.named_parameters())


def test_statistics_of_a_batch_are_part_of_the_gradient():
    network = build_network("tiny", seed=0).eval().double()
    images = torch.rand(6, 1, 12, 14, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = network.conv_layers[0].conv.weight
    with batch_statistics(network):
        (gradient,) = torch.autograd.grad(network(images).square().sum(), weight)
    # Normalized by its batch, a channel does not depend on its scale.
    along = (gradient * weight).sum((1, 2, 3))
    assert (along.abs() < 1e-3 * gradient.abs().amax((1, 2, 3))).all()
    (gradient,) = torch.autograd.grad(network(images).square().sum(), weight)
    assert (gradient * weight).sum((1, 2, 3)).abs().max() > 1e-2 * gradient.abs().max()


@pytest.mark.parametrize("training", [False, True])
def test_only_normalization_changes_its_mode(training):
    network = nn.Sequential(build_network("tiny", seed=0), nn.Dropout()).train(training)
    normalizations = {network[0].conv_layers[0].bn, network[0].fc_layers[0].bn}
    try:
        with batch_statistics(network, momentum=0.5):
            assert {layer.momentum for layer in normalizations} == {0.5}
            assert {layer.training for layer in normalizations} == {True}
            assert all(module.training == training for module in network.modules() if module not in normalizations)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert all(module.training == training for module in network.modules())
        assert {layer.momentum for layer in normalizations} == {0.1}
