"""The examples, on synthetic signatures."""

import importlib.util
import re
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_meta_learning_of_synthetic_signatures(capsys):
    sizes = ["--dev-writers", "2", "--writers", "2", "--epochs", "1", "--splits", "1"]
    load("meta_learning_drawn").main([*sizes, "--n-jobs", "1"])
    rates = re.findall(r"^(.+?) +(\d+\.\d)% \+- 0\.0%$", capsys.readouterr().out, flags=re.M)
    assert [system for system, _ in rates] == [
        "before meta-training",
        "after meta-training",
        "SVM, development negatives",
        "SVM, peers",
    ]
    assert all(0 <= float(rate) < 50 for _, rate in rates)
