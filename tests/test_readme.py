"""The code blocks of the README and of the documentation run."""

import re
import warnings
from collections import Counter
from pathlib import Path
from textwrap import dedent

import matplotlib
import numpy as np
import pytest
from PIL import Image

from sigkit.datasets import make_signatures

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
NOT_RUN = {"experiments": ["needs a cluster; tests/estimators/test_cluster.py runs it"]}
"""Reasons why blocks are not run, by page; in the page a comment `.. not run: reason` is in front of the block."""
SMALLER = {
    "n_writers=16, n_genuine=16, n_skilled=8": "n_writers=11, n_genuine=16, n_skilled=2",
    "customers.images, customers.target, random_state=0": "customers.images, customers.target, 6, random_state=0",
}
"""Numbers of signatures in the README, and those with which its code runs here."""


def python_blocks(path):
    """Return the Python blocks of a Markdown or reStructuredText file, without those that are marked as not run."""
    text = path.read_text()
    if path.suffix == ".md":
        blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    else:
        text = re.sub(r"^ *\.\. not run: .*\n\n *\.\. code-block:: python\n", "", text, flags=re.MULTILINE)
        blocks = re.findall(r"^ *\.\. code-block:: python\n\n((?: +.*\n|\n)+)", text, flags=re.MULTILINE)
        blocks = [dedent(block) for block in blocks]
    return blocks


PAGES = {
    path.stem: path for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.rst"))] if python_blocks(path)
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the examples name: a small CEDAR of synthetic signatures, customers, and a query."""
    folder = tmp_path_factory.mktemp("documents")
    settings = {"n_skilled": 2, "random_state": 0, "resolution": 100}
    # The examples enroll the writers 11 and 12, with 16 genuine signatures; the others are development writers.
    scans, target = make_signatures(n_writers=10, n_genuine=10, **settings)
    enrolled, enrolled_target = make_signatures(n_writers=2, n_genuine=16, first_writer=11, **settings)
    scans, target = scans + enrolled, np.concatenate([target, enrolled_target])
    (folder / "CEDAR" / "full_org").mkdir(parents=True)
    (folder / "CEDAR" / "full_forg").mkdir()
    numbers = Counter()
    for scan, (writer, forgery) in zip(scans, target.tolist()):
        numbers[writer, forgery] += 1
        number = numbers[writer, forgery]
        name = f"full_forg/forgeries_{writer}_{number}" if forgery else f"full_org/original_{writer}_{number}"
        Image.fromarray(scan).save(folder / "CEDAR" / f"{name}.png")
        if writer <= 2 and not forgery and number <= 6:
            path = folder / "customers" / {1: "ada", 2: "bob"}[writer] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(scan).save(path)
    Image.fromarray(scans[10]).save(folder / "query.png")
    first, *others = (Image.fromarray(scan) for scan in scans[:3])
    first.save(folder / "ada.tif", save_all=True, append_images=others)
    return folder


def run(path, folder, monkeypatch):
    """Execute the blocks of a file in order, in one namespace; return it."""
    monkeypatch.chdir(folder)
    matplotlib.use("Agg")
    namespace = {}
    with warnings.catch_warnings():
        # The loader says that most of CEDAR is missing.
        warnings.filterwarnings("ignore", category=UserWarning)
        for block in python_blocks(path):
            for numbers, smaller in SMALLER.items():
                block = block.replace(numbers, smaller)
            exec(compile(block, path.name, "exec"), namespace)
    return namespace


@pytest.mark.parametrize("page", PAGES)
def test_code_of_a_page_runs(page, folder, monkeypatch, capsys):
    names = run(PAGES[page], folder, monkeypatch)
    if page == "README":
        assert set(names["search"].best_params_) == {"verifier__svm__svc__C"}
        assert len(names["scores"]["test_neg_eer"]) == 3
        printed = capsys.readouterr().out
        assert re.search(r"^\[[-\d.]+\] \[ ?(True|False)\] FAR of skilled forgeries at most 5 %", printed, flags=re.M)


def test_blocks_that_are_not_run_have_a_reason():
    found = {}
    for path in sorted((ROOT / "docs").glob("*.rst")):
        text = path.read_text()
        if reasons := re.findall(r"^ *\.\. not run: (.*)$", text, flags=re.MULTILINE):
            found[path.stem] = reasons
        # Only blocks of Python are run: those of a session, or without a language, would not be.
        assert not re.search(r"code-block:: *(pycon|py|python3|ipython)?$|:\n\n +>>> ", text, flags=re.MULTILINE), path
    assert found == NOT_RUN


def test_the_code_of_the_readme_runs_with_fewer_signatures():
    assert all(README.count(numbers) == 1 for numbers in SMALLER)


def test_pages_with_code_are_found():
    assert {"README", "training", "meta_learning", "attacks", "error_rates", "experiments", "extending"} <= set(PAGES)


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 130


def test_links_of_the_readme_exist():
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_ci_runs_the_command_of_the_readme():
    commands = re.findall(r"```bash\n(.*?)\n```", README, flags=re.DOTALL)
    assert len(commands) == 2
    assert commands[1].endswith("-m pytest -n auto")
    assert "grep -m 1 -- '-m pytest' README.md" in (ROOT / ".ci" / "run").read_text()
