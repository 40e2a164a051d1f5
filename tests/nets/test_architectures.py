"""The registry of architectures, and the networks as ordinary modules."""

import importlib
import re
from pathlib import Path

import pytest
import torch
from torch import nn

import sigkit
from sigkit.nets import ARCHITECTURES, build_network, check_architecture, register_architecture
from sigkit.nets import _architectures as registry

# Before examples register others.
OWN = tuple(ARCHITECTURES)
PACKAGE = Path(sigkit.__file__).parent
DOCS = PACKAGE.parent / "docs"


def draw_images(dtype=torch.float32):
    images = torch.rand(2, 1, 150, 220, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return images * (images > 0.9)


@pytest.mark.parametrize(
    ("architecture", "n_features", "n_parameters"),
    # Added up by hand from the published table of layers.
    [("signet", 2048, 15_792_160), ("signet_thin", 1024, 3_781_152), ("signet_smaller", 2048, 10_265_888)],
)
def test_published_architectures(architecture, n_features, n_parameters):
    network = build_network(architecture).eval()
    assert network(torch.zeros(2, 1, 150, 220)).shape == (2, n_features)
    assert network.n_features == n_features
    assert sum(parameter.numel() for parameter in network.parameters()) == n_parameters


def test_the_small_network_is_the_residual_one_with_half_the_features():
    small, residual = build_network("signet_small").eval(), build_network("signet_residual")
    assert small(torch.zeros(2, 1, 150, 220)).shape == (2, 1024)
    assert small.n_features == 1024
    assert small.conv_layers.state_dict().keys() == residual.conv_layers.state_dict().keys()
    assert sum(parameter.numel() for parameter in small.parameters()) == 2_274_544


def test_parameter_names_are_those_of_published_files():
    names = set(build_network("signet_smaller").state_dict())
    assert {"conv_layers.conv1.conv.weight", "conv_layers.conv5.bn.running_mean", "fc_layers.fc1.fc.weight"} <= names
    assert not any("conv4" in name or "fc2" in name for name in names)


@pytest.mark.parametrize("architecture", OWN)
def test_seeds_determine_weights_and_do_not_change_torchs_random_state(architecture):
    state = torch.get_rng_state()
    first, again, other = (build_network(architecture, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("architecture", [*OWN, "torchvision:resnet18"])
def test_forward_hooks_see_every_layer(architecture):
    network = build_network(architecture, seed=0).eval()
    seen = {}
    for name, layer in network.named_modules():
        layer.register_forward_hook(lambda layer, inputs, output, name=name: seen.update({name: output}))
    images = draw_images().requires_grad_()
    features = network(images)
    # Identities stand where torchvision's classifiers were.
    assert seen.keys() == {name for name, _ in network.named_modules()}
    network.zero_grad()
    # What a hook was given is what the layer returned: a ReLU after it has not overwritten it.
    norms = [name for name, layer in network.named_modules() if isinstance(layer, nn.BatchNorm2d)]
    for name in norms:
        assert (seen[name] < 0).any()
        gradient = torch.autograd.grad(features.sum(), seen[name], retain_graph=True)[0]
        assert gradient.shape == seen[name].shape


@pytest.mark.parametrize("architecture", OWN)
def test_full_backward_hooks_see_every_layer(architecture):
    network = build_network(architecture, seed=0).eval()
    seen = set()
    for name, layer in network.named_modules():
        layer.register_full_backward_hook(lambda layer, inputs, outputs, name=name: seen.add(name))
    network(draw_images().requires_grad_()).sum().backward()
    assert seen == {name for name, _ in network.named_modules()}


# torch warns of its own use of torch.jit when it first computes a forward-mode derivative.
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("architecture", [*OWN, "torchvision:resnet18"])
def test_forward_mode_derivatives(architecture):
    network = build_network(architecture, seed=0).eval().double()
    images = draw_images(torch.float64)
    tangent = torch.rand(images.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    cotangent = torch.rand(2, network.n_features, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    features, forward = torch.func.jvp(network, (images,), (tangent,))
    _, pull_back = torch.func.vjp(network, images)
    torch.testing.assert_close(features, network(images))
    torch.testing.assert_close((forward * cotangent).sum(), (pull_back(cotangent)[0] * tangent).sum())


def test_unknown_architecture():
    for call in (build_network, check_architecture):
        with pytest.raises(ValueError, match=r"must be one of signet, .* or 'torchvision:' .*; found 'resnet'"):
            call("resnet")
    with pytest.raises(ValueError, match="found 3"):
        check_architecture(3)
    with pytest.raises(ValueError, match=r"no classification network 'resnet_18'.*'resnet18'"):
        check_architecture("torchvision:resnet_18")


@pytest.fixture
def emptied(monkeypatch):
    """Restore the registry after a test."""
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(registry, "ARCHITECTURES", registry._REGISTRY)
    return registry._REGISTRY


class Means(nn.Module):
    input_size, takes_any_size, n_features = (20, 30), True, 3

    def __init__(self, n_features=3):
        super().__init__()
        self.n_features = n_features
        self.layer = nn.Linear(1, n_features)

    def forward(self, images):
        return self.layer(images.mean((2, 3)))


def test_architectures_of_users(emptied):
    register_architecture("means", Means, "the mean level")
    entry = emptied["means"]
    assert (entry.n_features, entry.n_parameters, entry.description) == (3, 6, "the mean level")
    assert torch.equal(build_network("means", seed=1).layer.weight, build_network("means", seed=1).layer.weight)
    register_architecture("means", lambda: Means(5), "more features")
    assert build_network("means").n_features == 5
    for name in ("signet", "torchvision:resnet18"):
        with pytest.raises(ValueError, match=f"name='{name}' is an architecture that sigkit provides"):
            register_architecture(name, Means, "another")
    register_architecture("incomplete", lambda: nn.Linear(1, 2), "without attributes")
    with pytest.raises(TypeError, match=r"'incomplete'.* found Linear without input_size, takes_any_size, n_features"):
        build_network("incomplete")


def test_the_registry_is_read_only():
    with pytest.raises(TypeError):
        ARCHITECTURES["signet"] = None


def test_the_table_of_networks_in_the_documentation(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    table = importlib.import_module("generated_tables").architectures()
    for name, network in ARCHITECTURES.items():
        assert f"``{name}``" in table
        assert network.description in table
    assert "``signet``\n     - 15.8 million\n     - 2,048\n     - SigNet\n" in table
    assert ".. include:: generated/architectures.txt" in (DOCS / "training.rst").read_text()


def test_lists_of_architectures_in_docstrings_are_complete():
    incomplete = {}
    for path in PACKAGE.rglob("*.py"):
        for paragraph in re.split(r"\n\s*\n", path.read_text()):
            named = set(re.findall(r"[\"`](\w+)[\"`]", paragraph)) & {*OWN}
            # Two names are examples, more are a list; but recipes are not for every network.
            if len(named) > 2 and {*OWN} - {"tiny"} - named and path.name not in ("_architectures.py", "_train.py"):
                incomplete[path.name] = {*OWN} - named
    assert not incomplete
