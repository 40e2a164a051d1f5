"""The shipped weights."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from sigkit.nets import build_network, load_network, save_weights, weights_path
from sigkit.nets._shipped import SHIPPED_WEIGHTS


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_the_file_is_small_and_describes_itself(name):
    assert os.path.getsize(weights_path(name)) < 5e6
    network, metadata = load_network(name)
    assert metadata["architecture"] == "signet_small"
    assert metadata["licence"] == "BSD-3-Clause"
    assert "drawn" in metadata["corpus"]
    assert {"recipe", "trained_on", "date", "preprocessing"} <= metadata.keys()
    images = torch.from_numpy(np.random.default_rng(0).random((3, 1, 150, 220), dtype=np.float32))
    features = network(images * (images > 0.95)).detach()
    assert features.shape == (3, 1024)
    assert features.isfinite().all()
    assert (features.std(dim=0) > 1e-3).float().mean() > 0.99


def test_every_file_has_a_name():
    folder = os.path.dirname(weights_path("synthetic"))
    assert sorted(os.listdir(folder)) == sorted(f"{name}.safetensors" for name in SHIPPED_WEIGHTS)


def test_the_name_takes_precedence_over_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_weights("other.safetensors", build_network("tiny", seed=0), "tiny")
    shutil.copy("other.safetensors", "synthetic")
    shutil.copy("other.safetensors", "synthetic.safetensors")
    assert load_network("synthetic")[1]["architecture"] == "signet_small"
    assert load_network("synthetic.safetensors")[1]["architecture"] == "tiny"
    assert weights_path("./synthetic") == "./synthetic"
    assert load_network("synthetic", return_meta_learned=True)[2] == {}


@pytest.mark.parametrize("name", ["sythetic", "Synthetic", "../shipped/synthetic", "synthetic.pth"])
def test_errors_list_the_shipped_weights(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for load in (weights_path, load_network):
        with pytest.raises(FileNotFoundError, match=rf"no file '{name}'\. The package ships .* 'synthetic'"):
            load(name)


def test_the_file_is_the_published_one():
    digest = hashlib.sha256(Path(weights_path("synthetic")).read_bytes()).hexdigest()
    assert digest == "386dd1fe683577025466629bbe5d5c5bc6b65b52ff79374aa504d82a7dac10e0"


def normalized(maps, weights, layer, kind="conv", **steps):
    """A layer without bias and its batch normalization, by torch's functions."""
    apply = F.conv2d if kind == "conv" else F.linear
    statistics = [weights[f"{layer}.bn.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(apply(maps, weights[f"{layer}.{kind}.weight"], **steps), *statistics)


def test_features_are_those_of_the_layers():
    """The network in torch's functions, from the tensors of the file."""
    weights = {name: tensor.float() for name, tensor in load_file(weights_path("synthetic")).items()}
    images = torch.from_numpy(np.random.default_rng(0).random((3, 1, 150, 220), dtype=np.float32))
    images = images * (images > 0.95)
    level = images.square().sum((2, 3), keepdim=True) / (images.sum((2, 3), keepdim=True) + 1e-3)
    maps = F.relu(normalized(images / (level + 1e-3), weights, "conv_layers.conv1", stride=2, padding=2))
    for number in range(1, 5):
        block = f"conv_layers.block{number}"
        first = F.relu(normalized(maps, weights, f"{block}.first", stride=2, padding=1))
        second = normalized(first, weights, f"{block}.second", padding=1)
        maps = F.relu(second + normalized(maps, weights, f"{block}.beside", stride=2))
    ink = (F.adaptive_max_pool2d(images, maps.shape[2:]) > 0.1 * images.amax((2, 3), keepdim=True)).float()
    share = ink / (ink.sum((2, 3), keepdim=True) + 1e-6)
    across = torch.linspace(-1, 1, maps.shape[3]) * (220 / 2 / 50)
    down = torch.linspace(-1, 1, maps.shape[2])[:, None] * (150 / 2 / 20)
    pooled = [(maps * share).sum((2, 3))]
    for position in (across, down):
        centered = position - (position * share).sum((2, 3), keepdim=True)
        pooled.append((maps * share * centered).sum((2, 3)))
    pooled = torch.cat([*pooled, maps.amax((2, 3))], dim=1)
    statistics = [weights[f"pooled.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    expected = normalized(F.batch_norm(pooled, *statistics), weights, "fc_layers.fc1", kind="fc")
    torch.testing.assert_close(load_network("synthetic")[0](images), expected, rtol=1e-4, atol=1e-5)
