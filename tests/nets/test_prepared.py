"""Networks that are prepared once: never those of earlier weights."""

import gc
import weakref

import pytest
import torch
from torch import nn

from sigkit.nets import build_network, prepared_network

CPU = torch.device("cpu")


@pytest.fixture
def network():
    return build_network("tiny", seed=0).eval()


def test_the_same_network_is_prepared_once(network):
    first = prepared_network(network, CPU, "float32")
    assert prepared_network(network, CPU, "float32") is first
    assert not first.training
    assert prepared_network(build_network("tiny", seed=0).eval(), CPU, "float32") is not first


@torch.no_grad()
def change_in_place(network):
    network.fc_layers[0].fc.weight[0, 0] += 1


def change_data(network):
    network.fc_layers[0].fc.weight.data.neg_()


def exchange_data(network):
    network.fc_layers[0].fc.weight.data = network.fc_layers[0].fc.weight.data.flip(0)


def exchange_layer(network):
    network.fc_layers[0].relu = nn.Identity()


def change_statistics(network):
    network.fc_layers[0].bn.running_mean.data += 1


def change_setting(network):
    network.fc_layers[0].bn.eps = 10.0


def add_hook(network):
    network.fc_layers.register_forward_hook(lambda layer, inputs, output: output + 1)


@pytest.mark.parametrize(
    "change",
    [change_in_place, change_data, exchange_data, exchange_layer, change_statistics, change_setting, add_hook],
)
def test_changes_of_the_network_are_seen(network, change):
    images = torch.rand(2, 1, 20, 30, generator=torch.Generator().manual_seed(0)) - 0.2
    before = prepared_network(network, CPU, "float32")(images)
    change(network)
    found = prepared_network(network, CPU, "float32")(images)
    assert not torch.equal(found, before)
    torch.testing.assert_close(found, network(images))


def test_other_precisions_are_prepared_anew(network):
    first = prepared_network(network, CPU, "float32")
    assert next(prepared_network(network, CPU, "bfloat16").parameters()).dtype == torch.bfloat16
    assert next(prepared_network(network, CPU, "float32").parameters()).dtype == torch.float32
    assert next(first.parameters()).dtype == torch.float32


def test_forgotten_networks_free_their_copy():
    network = build_network("tiny", seed=0).eval()
    prepared = weakref.ref(prepared_network(network, CPU, "float32"))
    del network
    gc.collect()
    assert prepared() is None


class Counting(nn.Module):
    """A network that changes itself in each call."""

    input_size, takes_any_size, n_features, calls = None, True, 1, 0

    def forward(self, images):
        self.calls += 1
        return torch.full((len(images), 1), float(self.calls))


def test_networks_of_other_code_are_not_shared():
    network = Counting()
    assert prepared_network(network, CPU, "float32") is not prepared_network(network, CPU, "float32")
