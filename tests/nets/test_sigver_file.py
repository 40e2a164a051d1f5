"""Weight files of sigver with the layers of its training, in both directions."""

import os

import pytest
import torch

from sigkit.nets import build_network, load_network, load_sigver_weights, save_sigver_weights


@pytest.fixture
def network():
    return build_network("tiny", seed=0)


@pytest.mark.parametrize("with_forgery", [False, True])
def test_round_trip(tmp_path, network, with_forgery):
    layers = [torch.nn.Linear(16, 5), torch.nn.Linear(16, 1) if with_forgery else None]
    path = tmp_path / "tiny.pth"
    save_sigver_weights(path, network, "tiny", writer_layer=layers[0], forgery_layer=layers[1])
    found, *found_layers = load_sigver_weights(path, "tiny")
    for name, tensor in network.state_dict().items():
        assert found.state_dict()[name].equal(tensor)
    assert not found.training
    for layer, expected in zip(found_layers, layers):
        assert (layer is None) == (expected is None)
        for name, tensor in expected.state_dict().items() if layer else ():
            assert layer.state_dict()[name].equal(tensor)
    # The reader of features sees the same network.
    images = torch.rand(2, 1, 28, 36)
    assert load_network(path, "tiny")[0](images).equal(network.eval()(images))


def test_published_files_have_no_layers(tmp_path, network):
    torch.save((network.state_dict(), {}, {}), tmp_path / "published.pth")
    assert load_sigver_weights(tmp_path / "published.pth", "tiny")[1:] == (None, None)


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        ({"weight": torch.zeros(5, 16)}, "have the shapes (5, 16) and None"),
        ({"weight": torch.zeros(5, 15), "bias": torch.zeros(5)}, "have the shapes (5, 15) and (5,)"),
        ({"weight": torch.zeros(5, 16), "bias": torch.zeros(())}, "have the shapes (5, 16) and ()"),
        ({"weight": torch.zeros(5, 16), "bias": [0.0] * 5}, "have the shapes (5, 16) and None"),
        ({"weight": torch.full((5, 16), torch.nan), "bias": torch.zeros(5)}, "NaN or infinity"),
        ({"weight": torch.zeros((5, 16), dtype=torch.int64), "bias": torch.zeros(5)}, "must be floating-point numbers"),
        ({"weight": torch.zeros(5, 16), "other": torch.zeros(5)}, "a state dict of weight and bias"),
        (None, "a state dict of weight and bias"),
    ],
)
def test_layers_that_fit_no_network(tmp_path, network, layer, problem):
    path = tmp_path / "bad.pth"
    torch.save((network.state_dict(), layer, {}), path)
    with pytest.raises(ValueError, match=r"bad\.pth: ") as caught:
        load_sigver_weights(path, "tiny")
    assert problem in str(caught.value)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_tuple_of_another_length(tmp_path, network, count):
    torch.save((network.state_dict(),) * count, tmp_path / "bad.pth")
    with pytest.raises(ValueError, match=r"bad\.pth: not a file of sigver, which has three state dicts"):
        load_sigver_weights(tmp_path / "bad.pth", "tiny")


def test_safetensors_are_no_file_of_sigver():
    with pytest.raises(ValueError, match=r"synthetic: not a file of sigver"):
        load_sigver_weights("synthetic")


def test_nothing_is_written_that_cannot_be_read(tmp_path, network):
    path = tmp_path / "bad.pth"
    for changes, problem in (
        ({"architecture": "signet"}, "'tiny'"),
        ({"writer_layer": torch.nn.Linear(15, 2)}, "writer layer have the shapes"),
        ({"forgery_layer": torch.nn.Linear(16, 1, bias=False)}, "forgery layer have the shapes"),
    ):
        with pytest.raises(ValueError, match=problem):
            save_sigver_weights(path, network, **{"architecture": "tiny"} | changes)
    assert os.listdir(tmp_path) == []
