"""The scripts that reproduce tables, on a few synthetic signatures."""

import importlib
import os
import re
import sys
from pathlib import Path

import pytest
import torch

from sigkit.nets import load_network

SCRIPTS = Path(__file__).parents[1] / "reproduce"


@pytest.fixture
def script(monkeypatch):
    """Return a function that imports a script with some arguments."""
    monkeypatch.syspath_prepend(str(SCRIPTS))

    def load(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        return importlib.import_module(name)

    return load


@pytest.mark.parametrize("architecture", ["signet_small", "signet"])
def test_weights_from_synthetic_signatures(script, tmp_path, capsys, architecture):
    weights, run = tmp_path / "drawn.safetensors", tmp_path / "run"
    arguments = [weights, "--checkpoint-dir", run, "--n-writers", 3, "--n-genuine", 3, "--epochs", 1, "--n-jobs", 1]
    arguments += ["--architecture", architecture, "--half"]
    script("train_synthetic", *arguments).main()
    assert "18 synthetic signatures of 3 writers" in capsys.readouterr().out
    network, metadata = load_network(weights)
    assert metadata["architecture"] == architecture
    assert metadata["licence"] == "BSD-3-Clause"
    drawn = sorted(path.name for path in run.glob("drawn-*.npz"))
    assert len(drawn) == 1
    os.remove(weights)
    script("train_synthetic", *arguments).main()
    assert "making signatures" not in capsys.readouterr().out
    for name, tensor in load_network(weights)[0].state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name])


def test_path_of_the_weights_is_checked_beforehand(script, tmp_path):
    module = script("train_synthetic", tmp_path / "drawn.pth", "--checkpoint-dir", tmp_path / "run")
    with pytest.raises(ValueError, match=r"name a \.safetensors file"):
        module.main()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "mixed"], "--recipe mixed: set the number of synthetic writers"),
        (
            ["--recipe", "mixed", "--drawn", "5", "--drawn-dir", "d", "--architecture", "signet"],
            "leave out --architecture",
        ),
        (["--drawn", "-1"], "must be at least 0"),
        (["--drawn", "5"], "--drawn-dir"),
    ],
)
def test_arguments_of_synthetic_signatures_are_checked(script, arguments, message):
    module = script("train_signet", "cedar", "nowhere", "w.safetensors", *arguments)
    with pytest.raises(ValueError, match=message):
        module.check_drawing(module.parse_arguments())


def test_meta_learning_of_synthetic_signatures(script, capsys):
    sizes = ["--dev-writers", "2", "--writers", "2", "--epochs", "1", "--splits", "1"]
    script("meta_learning_drawn").main([*sizes, "--n-jobs", "1"])
    rates = re.findall(r"^(.+?) +(\d+\.\d)% \+- 0\.0%$", capsys.readouterr().out, flags=re.M)
    assert [system for system, _ in rates] == [
        "before meta-training",
        "after meta-training",
        "SVM, development negatives",
        "SVM, peers",
    ]
    assert all(0 <= float(rate) < 50 for _, rate in rates)
