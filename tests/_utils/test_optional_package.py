"""Packages that sigkit does not require: each import says how to install them."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

import sigkit
from sigkit._utils import optional_package
from sigkit.experiments import ExperimentResults
from sigkit.metrics import compare_systems, verification_report
from sigkit.training import TrainingCurvesDisplay

OPTIONAL = {"art", "matplotlib", "pandas"}
SYSTEMS, TARGET = {"a": [0.9, 0.1], "b": [0.8, 0.2]}, [1, 0]


def make_frame():
    times = np.ones(1)
    ExperimentResults({"frr": times}, times, times, 0.0, []).to_frame()


@pytest.mark.parametrize(
    ("package", "name", "call"),
    [
        ("pandas", "to_frame", lambda: verification_report(TARGET, SYSTEMS["a"], n_bootstraps=0).to_frame()),
        ("pandas", "to_frame", lambda: compare_systems(SYSTEMS, TARGET, n_bootstraps=0).to_frame()),
        ("pandas", "to_frame", make_frame),
        ("matplotlib", "A plot", lambda: verification_report(TARGET, SYSTEMS["a"], n_bootstraps=0).plot_det()),
        ("matplotlib", "TrainingCurvesDisplay", lambda: TrainingCurvesDisplay([{"epoch": 1}]).plot()),
    ],
)
def test_what_to_install_is_said(package, name, call, monkeypatch):
    for module in (package, "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"^{name} needs {package}: pip install {package}\. \(.*{package}"):
        call()


def test_another_name_for_pip():
    with (
        pytest.raises(ImportError, match=r"^It needs a toolbox: pip install 'sigkit\[attacks\]'\. \(broken\)$"),
        optional_package("a toolbox", "It", "'sigkit[attacks]'"),
    ):
        raise ImportError("broken")


def bare_imports(node, is_guarded=False):
    """Yield the names of optional packages that are imported outside of `optional_package`."""
    if isinstance(node, ast.With):
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        is_guarded = is_guarded or any(getattr(call.func, "id", None) == "optional_package" for call in calls)
    if isinstance(node, (ast.Import, ast.ImportFrom)) and not is_guarded:
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        yield from (module for module in modules if module.partition(".")[0] in OPTIONAL)
    for child in ast.iter_child_nodes(node):
        yield from bare_imports(child, is_guarded)


def test_no_optional_package_is_imported_without_a_message():
    paths = sorted(Path(sigkit.__file__).parent.rglob("*.py"))
    found = {path.name: list(bare_imports(ast.parse(path.read_text(encoding="utf-8")))) for path in paths}
    assert not {name: modules for name, modules in found.items() if modules}
    assert list(bare_imports(ast.parse("import pandas as pd"))) == ["pandas"]
