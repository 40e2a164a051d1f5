"""A short run of benchmarks/fuzz_files.py: damaged files of every kind are read as before, or refused by name."""

import importlib
import io
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def fuzz_files(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("fuzz_files")


@pytest.mark.parametrize("forged", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_refused_or_change_nothing(fuzz_files, forged):
    table = io.StringIO()
    bad = fuzz_files.run(120, list(fuzz_files.KINDS), seed=1, forged=forged, out=table)
    assert bad == 0, table.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_damaged_systems_are_refused_or_have_the_same_scores(fuzz_files):
    importlib.import_module("fuzz_systems")
    table = io.StringIO()
    assert fuzz_files.run(60, ["system_fused", "system_calibrated"], seed=1, out=table) == 0, table.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_of_sigver_are_refused_or_read(fuzz_files):
    """These files have no digest: only errors without the name of the file are wrong."""
    importlib.import_module("fuzz_sigver")
    table = io.StringIO()
    names = ["sigver_npz", "sigver_pth", "sigver_results"]
    assert fuzz_files.run(90, names, seed=1, out=table) == 0, table.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_a_reader_that_accepts_everything_is_found(fuzz_files, monkeypatch):
    monkeypatch.setattr("sigkit.nets._weights.unseal_safetensors", lambda *args, **settings: {"architecture": "tiny"})
    monkeypatch.setattr("sigkit.datasets._npz._check_digest", lambda *args: None)
    table = io.StringIO()
    assert fuzz_files.run(160, ["weights", "npz"], out=table) > 0
    assert "the first of each:" in table.getvalue()
