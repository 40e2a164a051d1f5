"""Devices, precision and layers that work in place."""

import numpy as np
import pytest
import torch
from torch import nn

from sigkit.nets import build_network, choose_device, choose_precision, prepare_network, set_inplace_relu

CPU = torch.device("cpu")


def inplace(network):
    return {name for name, layer in network.named_modules() if getattr(layer, "inplace", False)}


def relus(network):
    return {name for name, layer in network.named_modules() if isinstance(layer, nn.ReLU)}


def test_networks_are_built_without_layers_in_place():
    for architecture in (
        "signet",
        "signet_small",
        "smallcnn",
        "torchvision:resnet18",
        "torchvision:mobilenet_v3_small",
    ):
        assert not inplace(build_network(architecture))


def test_relus_in_place():
    network = build_network("signet")
    set_inplace_relu(network, True)
    assert inplace(network) == relus(network)
    set_inplace_relu(network, False)
    assert not inplace(network)


def test_relus_whose_input_is_used_elsewhere_are_not_in_place():
    network = build_network("signet_small")
    set_inplace_relu(network, True)
    assert relus(network) - inplace(network) == {f"conv_layers.block{number}.relu" for number in range(1, 5)}
    for layers in ((nn.Tanh(), nn.ReLU()), (nn.ReLU(), nn.Linear(2, 2))):
        network = nn.Sequential(*layers)
        set_inplace_relu(network, True)
        assert not inplace(network)


@pytest.mark.parametrize("architecture", ["signet_thin", "signet_small", "torchvision:mobilenet_v3_small"])
def test_folding_changes_features_by_rounding_only(architecture):
    network = build_network(architecture, seed=0).train()
    images = torch.rand(4, 1, 150, 220, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network(images)
        expected = network.eval()(images)
        folded = prepare_network(network, CPU, fold=True)
        assert inplace(folded) or "mobilenet" in architecture
        assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded.modules())
        torch.testing.assert_close(folded(images), expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())
    assert not inplace(network)


def test_normalization_that_cannot_be_folded_stays_precise():
    network = build_network("torchvision:resnet18", seed=0).train()
    images = torch.rand(8, 1, 100, 140, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network(images)
        expected = network.eval()(images).numpy()
        prepared = prepare_network(network, CPU, "bfloat16")
        assert prepared.body.bn1.running_var.dtype == torch.float32
        found = prepared(images.bfloat16()).float().numpy()
    cosine = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosine.min() > 0.999


def test_precision():
    assert choose_precision("bfloat16", CPU) == "bfloat16"
    assert choose_precision("auto", CPU) in ("float32", "bfloat16")


def test_devices():
    assert choose_device("cpu") == CPU
    with pytest.raises(ValueError, match="device='abacus'"):
        choose_device("abacus")
