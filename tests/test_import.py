"""What an import loads."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "PIL", "skorch", "matplotlib"}


@pytest.mark.parametrize("module", ["sigkit", "sigkit.metrics", "sigkit.model_selection"])
def test_light_imports_load_neither_torch_nor_pillow(module):
    script = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


@pytest.mark.parametrize("module", ["sigkit.datasets", "sigkit.imaging"])
def test_datasets_and_imaging_do_not_load_torch(module):
    script = f"import sys, {module}; print('torch' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"
