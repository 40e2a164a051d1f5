"""Style, format and spelling, so that one command checks all."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKS = {
    "rules": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "spelling": ["codespell_lib", *sorted(path.name for path in ROOT.iterdir() if path.suffix in (".md", ".toml"))]
    + ["benchmarks", "docs", "examples", "reproduce", "sigkit", "tests"],
}


@pytest.mark.parametrize("module", CHECKS.values(), ids=CHECKS)
def test_style(module):
    found = subprocess.run([sys.executable, "-m", *module], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
