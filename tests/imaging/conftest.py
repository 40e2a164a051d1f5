"""The benchmark that reads damaged files, whose seeds and bombs the tests share."""

import importlib.util
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "fuzz_scans.py"


@pytest.fixture(scope="session")
def fuzz():
    """Return the module of the benchmark."""
    spec = importlib.util.spec_from_file_location("fuzz_scans", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def seeds(fuzz):
    """Return the contents of sound files of all formats and modes, by name."""
    return {name: content for name, content in fuzz.make_seeds().items() if name.endswith("0")}
