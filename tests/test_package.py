"""The wheel and the sdist, and the files that describe the project."""

import configparser
import email
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import sigkit

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(".github/ISSUE_TEMPLATE/*.yml"))
LARGEST = 10 * 10**6


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build as `python -m build` does, without an environment of its own, which would need a network."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    return {path.suffix: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def wheel(built):
    with zipfile.ZipFile(built[".whl"]) as archive:
        yield archive


def test_the_wheel_has_the_package_and_nothing_else(wheel):
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sigkit").rglob("*") if path.is_file()}
    sources = {name for name in sources if "__pycache__" not in name}
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == sources
    assert {"sigkit/py.typed", "sigkit/nets/shipped/synthetic.safetensors"} <= names


def test_the_wheel_installs_the_command(wheel):
    [name] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    points = configparser.ConfigParser()
    points.read_string(wheel.read(name).decode())
    assert dict(points["console_scripts"]) == {"sigkit": "sigkit._commands:main"}
    [name] = [name for name in wheel.namelist() if name.endswith("METADATA")]
    metadata = email.message_from_bytes(wheel.read(name))
    assert metadata["Version"] == PROJECT["version"]
    assert [name for name in wheel.namelist() if name.endswith("licenses/LICENSE")]


def test_the_sdist_has_what_a_packager_needs(built):
    with tarfile.open(built[".gz"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "SECURITY.md", "pyproject.toml", "noxfile.py"}
    wanted |= {"sigkit/py.typed", "tests/test_package.py", "tests/sigver_options.json", "docs/conf.py"}
    assert wanted <= names
    assert not [name for name in names if "/generated/" in name or "__pycache__" in name]


def test_both_are_small(built):
    assert {suffix: path.stat().st_size for suffix, path in built.items() if path.stat().st_size > LARGEST} == {}


def test_the_wheel_runs_without_the_repository(built, tmp_path):
    with zipfile.ZipFile(built[".whl"]) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sigkit.metrics, sigkit; print(sigkit.__file__); from sigkit._commands import main; main(['--version'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines() == [str(tmp_path / "sigkit" / "__init__.py"), f"sigkit {PROJECT['version']}"]


def test_versions_agree():
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.+)$", citation, flags=re.MULTILINE)[1] == PROJECT["version"] == sigkit.__version__
    assert f"## {PROJECT['version']} " in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    "path", ["CITATION.cff", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(".github/ISSUE_TEMPLATE/*.yml"))]
)
def test_yaml_can_be_read(path):
    yaml = pytest.importorskip("yaml")
    assert isinstance(yaml.safe_load((ROOT / path).read_text()), dict)


@pytest.mark.parametrize("name", ["SECURITY.md", "CODE_OF_CONDUCT.md", "RELEASE.md", "CONTRIBUTING.md"])
def test_what_the_pages_name_exists(name):
    text = (ROOT / name).read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    files = re.findall(r"`((?:benchmarks|docs|examples|tests|sigkit)/[\w./]+\.\w+)`", text)
    files += [word for command in re.findall(r"`python (\S+\.py)", text) for word in [command]]
    assert [path for path in [*links, *files] if not (ROOT / path).exists()] == []
