"""Imports between the rooms of the package point one way."""

import ast
from pathlib import Path

import pytest

import sigkit

MAY_IMPORT = {
    "experiments": {
        "estimators",
        "transformers",
        "attacks",
        "nets",
        "datasets",
        "model_selection",
        "metrics",
        "_utils",
        "torch",
        "matplotlib",
        "sklearn",
    },
    "estimators": {"transformers", "attacks", "nets", "_utils", "torch", "sklearn"},
    "transformers": {"imaging", "nets", "_utils", "torch", "sklearn", "skorch", "matplotlib"},
    "attacks": {"_utils", "torch"},
    "nets": {"_utils", "torch"},
    "datasets": {"imaging", "metrics", "_utils", "torch", "PIL", "sklearn"},
    "imaging": {"_utils", "PIL"},
    "model_selection": {"_utils", "sklearn"},
    "metrics": {"_utils", "matplotlib", "sklearn"},
    "_utils": {"sklearn"},
}
PACKAGE = Path(sigkit.__file__).parent
GUARDED = {"torch", "PIL", "skorch", "sklearn", "matplotlib"}


def imports(path):
    """Rooms and heavy libraries that a module imports, wherever in the module."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [node.module]
        for name in names:
            top, *rest = name.split(".")
            if top == "sigkit" and rest:
                yield rest[0]
            elif top in GUARDED:
                yield top


def test_every_room_is_listed():
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_one_way(room):
    found = {name for path in (PACKAGE / room).rglob("*.py") for name in imports(path)}
    assert found - {room} <= MAY_IMPORT[room]


def test_of_the_datasets_only_the_stream_needs_torch():
    needing = {path.name for path in (PACKAGE / "datasets").rglob("*.py") if "torch" in imports(path)}
    assert needing == {"_signature_stream.py"}
