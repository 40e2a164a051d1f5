"""Sessions in fresh environments: `nox -s tests`, `lint`, `docs`, `lowest`."""

import re
import tomllib
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests"]
PARALLEL = ["-n", "auto"]


@nox.session
def tests(session):
    """Run the tests with the newest releases."""
    session.install(".[tests]")
    session.run("pytest", *(session.posargs or PARALLEL))


@nox.session
def lowest(session):
    """Run the tests with the oldest releases that pyproject.toml allows."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    session.install(*[re.sub(r">=(.*)", r"==\1.*", requirement) for requirement in project["dependencies"]])
    session.install(".[tests]")
    session.run("pytest", *(session.posargs or PARALLEL))


@nox.session
def lint(session):
    """Check style, format and spelling."""
    session.install("codespell", "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    documents = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
    session.run("codespell", *documents, "benchmarks", "docs", "examples", "reproduce", "sigkit", "tests")


@nox.session
def docs(session):
    """Build the documentation and run the gallery; warnings, also of lessons, and dead links are errors."""
    session.install(".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "docs", "docs/_build/html")
    session.run("python", "docs/check_site.py", "docs/_build/html")
