"""What an import loads."""

import json
import subprocess
import sys

import pytest

CODE = """
import importlib, json, sys
loaded = {}
for module in sys.argv[1:]:
    importlib.import_module(module)
    if module == "sigkit.metrics":
        sys.modules[module].verification_report([1, 1, 0, 0], [4, 2, 3, 1], random_state=0)
    loaded[module] = sorted({"torch", "PIL", "skorch", "matplotlib"} & set(sys.modules))
print(json.dumps(loaded))
"""
LIGHT = "sigkit", "sigkit.model_selection", "sigkit.metrics"
WITHOUT_TORCH = "sigkit.datasets", "sigkit.imaging"


@pytest.fixture(scope="module")
def loaded():
    """The heavy libraries after each import: one process imports the modules one after another."""
    command = [sys.executable, "-c", CODE, *LIGHT, *WITHOUT_TORCH]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("module", LIGHT)
def test_light_imports_load_neither_torch_nor_pillow(loaded, module):
    assert loaded[module] == []


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_datasets_and_imaging_do_not_load_torch(loaded, module):
    assert "torch" not in loaded[module]
