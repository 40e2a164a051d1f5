"""The structure of the package: imports between its rooms, private names, sizes, and identifiers.

A room is a sub-package of `sigkit`. CONTRIBUTING.md explains the rules.
"""

import ast
import importlib
import inspect
import itertools
import re
from functools import cache
from pathlib import Path

import pytest

import sigkit

# For each room, the other rooms and the guarded libraries that its modules import. CONTRIBUTING.md has the same table.
MAY_IMPORT = {
    "_commands": {
        "experiments",
        "estimators",
        "transformers",
        "training",
        "nets",
        "datasets",
        "imaging",
        "model_selection",
        "metrics",
        "_utils",
        "sklearn",
        "PIL",
    },
    "experiments": {
        "estimators",
        "attacks",
        "nets",
        "model_selection",
        "metrics",
        "_utils",
        "torch",
        "sklearn",
        "matplotlib",
    },
    "persistence": {"estimators", "transformers", "training", "nets", "metrics", "_utils", "sklearn"},
    "estimators": {
        "transformers",
        "training",
        "attacks",
        "nets",
        "imaging",
        "metrics",
        "_utils",
        "torch",
        "sklearn",
        "matplotlib",
    },
    "transformers": {"training", "nets", "imaging", "_utils", "torch", "sklearn"},
    "training": {"attacks", "nets", "_utils", "torch", "torchvision", "skorch", "sklearn", "matplotlib"},
    "attacks": {"_utils", "torch"},
    "nets": {"_utils", "torch", "torchvision"},
    "datasets": {"imaging", "_utils", "torch", "sklearn", "matplotlib", "PIL"},
    "imaging": {"_utils", "PIL", "matplotlib"},
    "model_selection": {"_utils", "sklearn"},
    "metrics": {"_utils", "sklearn", "matplotlib"},
    "_utils": {"sklearn"},
}
GUARDED = {"torch", "torchvision", "skorch", "sklearn", "matplotlib", "PIL"}

PACKAGE = Path(sigkit.__file__).parent
ROOT = Path(__file__).parents[1]
SCRIPTS = {folder: sorted((ROOT / folder).rglob("*.py")) for folder in ("examples", "reproduce", "benchmarks")}

# Names of other libraries with a leading underscore: those of named tuples are public, the others have no public twin.
FOREIGN_PRIVATE = {
    "_asdict": "typing.NamedTuple",
    "_fields": "typing.NamedTuple",
    "_replace": "typing.NamedTuple",
    "_getframe": "sys: the frames of the callers, for the line of a warning",
    "_version": "torch.Tensor: the number of changes in place, which autograd checks",
    "_BatchNorm": "torch: the base class of all batch normalizations",
    "_is_avx512_bf16_supported": "torch: whether the processor computes in bfloat16",
    "_orig_mod": "torch: the module inside a compiled one",
    "_validate_params": "scikit-learn: validation of the parameters of another estimator",
}

# Former identifiers that said too little.
RENAMED = {"somewhere_near", "slope", "Cast", "see", "aim", "DARKEST", "Figure", "Tell", "put_back", "bare", "plain"}


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def sources():
    return sorted(PACKAGE.rglob("*.py"))


def modules(room):
    return sorted((PACKAGE / room).rglob("*.py"))


def imported(path):
    """Yield each imported module and name: ("sigkit.nets", "SigNet"); the name is None for `import sigkit.nets`."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}, line {node.lineno}: a relative import"
            yield from ((node.module, alias.name) for alias in node.names)


def rooms_and_libraries(path):
    """Yield the rooms and guarded libraries that a module imports, at the top or inside a function."""
    for module, name in imported(path):
        top, *rest = module.split(".")
        if top == "sigkit":
            # "from sigkit import nets" names the room as an attribute.
            yield rest[0] if rest else name
        elif top in GUARDED:
            yield top


def defined_names(node):
    """Yield every name that a module defines: functions, classes, parameters, variables and assigned attributes."""
    for part in ast.walk(node):
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield part.name
        elif isinstance(part, ast.arg):
            yield part.arg
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
        elif isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            yield part.attr


def test_every_room_is_listed():
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_are_those_of_the_table(room):
    found = {name for path in modules(room) for name in rooms_and_libraries(path)}
    assert found & (MAY_IMPORT.keys() | GUARDED) - {room} == MAY_IMPORT[room]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_from_top_to_bottom(room):
    rooms = list(MAY_IMPORT)
    assert MAY_IMPORT[room] & set(rooms) <= set(rooms[rooms.index(room) + 1 :])


def test_only_the_stream_of_the_datasets_needs_torch():
    needing = {path.name for path in modules("datasets") if "torch" in rooms_and_libraries(path)}
    assert needing == {"_signature_stream.py"}


def test_the_table_of_contributing_is_this_one():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    assert {room: set(re.findall(r"`(\w+)`", cell)) for room, cell in rows} == MAY_IMPORT
    assert [room for room, _ in rows] == list(MAY_IMPORT)


@pytest.mark.parametrize("place", [*MAY_IMPORT, *SCRIPTS])
def test_no_private_module_or_name_of_another_room_is_imported(place):
    found = []
    for path in SCRIPTS.get(place) or modules(place):
        for module, name in imported(path):
            top, *rest = module.split(".") if name is None else [*module.split("."), name]
            if top == "sigkit" and rest[:1] != [place]:
                # `sigkit._utils` is open to rooms and benchmarks; other scripts show users public names only.
                inner = rest if place in ("examples", "reproduce") else rest[1:]
                if any(part.startswith("_") and not part.startswith("__") for part in inner):
                    found.append(f"{path.relative_to(ROOT)}: {'.'.join([top, *rest])}")
    assert not found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_no_private_attribute_of_another_room_is_used(room):
    own = {name for path in modules(room) for name in defined_names(parse(path))} | FOREIGN_PRIVATE.keys()
    found = []
    for path in modules(room):
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.Attribute) or not re.match(r"_(?!_)", node.attr) or node.attr in own:
                continue
            # A base class of another library may have private hooks for its subclasses.
            if ast.unparse(node.value) not in {"self", "cls", "super()"}:
                found.append(f"{path.relative_to(ROOT)}, line {node.lineno}: {ast.unparse(node)}")
    assert not found


def test_no_source_file_is_longer_than_400_lines():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_public_constructors_have_at_most_15_parameters(room):
    module = importlib.import_module(f"sigkit.{room}")
    classes = [thing for thing in (getattr(module, name) for name in module.__all__) if inspect.isclass(thing)]
    classes = [thing for thing in classes if not issubclass(thing, Exception)]
    counts = {thing.__name__: len(inspect.signature(thing).parameters) for thing in classes}
    assert {name: count for name, count in counts.items() if count > 15} == {}


def test_renamed_identifiers_are_gone():
    places = [*sources(), *itertools.chain(*SCRIPTS.values()), *sorted((ROOT / "tests").rglob("*.py"))]
    found = {str(path.relative_to(ROOT)): RENAMED.intersection(defined_names(parse(path))) for path in places}
    assert {name: names for name, names in found.items() if names} == {}


def test_no_docstring_begins_with_tell():
    found = []
    for path in sources():
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        for node in (node for node in ast.walk(parse(path)) if isinstance(node, documented)):
            if re.match(r"tells?\b", ast.get_docstring(node) or "", re.IGNORECASE):
                found.append(f"{path.relative_to(ROOT)}: {getattr(node, 'name', 'module')}")
    assert not found


def test_warnings_find_the_line_of_the_user_by_themselves():
    """`sigkit._utils.warn` computes the stacklevel; a literal one is right for a single path through the library."""
    found = []
    for path in sources():
        if path != PACKAGE / "_utils" / "_warn.py":
            for node in ast.walk(parse(path)):
                if isinstance(node, ast.keyword) and node.arg == "stacklevel":
                    found.append(f"{path.relative_to(ROOT)}, line {node.lineno}")
    assert not found
