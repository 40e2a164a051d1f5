"""The shipped weights."""

import os
import shutil

import numpy as np
import pytest
import torch

from sigkit.nets import build_network, load_network, save_weights, weights_path
from sigkit.nets._shipped import SHIPPED_WEIGHTS


@pytest.mark.parametrize("name", SHIPPED_WEIGHTS)
def test_the_file_is_small_and_says_what_it_is(name):
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
