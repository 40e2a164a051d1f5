import pytest
import torch

from sigkit.nets import ARCHITECTURES, build_network


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


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_seeds_decide_weights_and_leave_torch_alone(architecture):
    state = torch.get_rng_state()
    first, again, other = (build_network(architecture, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_unknown_architecture():
    with pytest.raises(ValueError, match="found 'resnet'"):
        build_network("resnet")
