"""What the README shows runs as it stands there."""

import re
import warnings
from pathlib import Path

import matplotlib
import pytest
from PIL import Image

from sigkit.datasets import make_signatures

ROOT = Path(__file__).parents[1]
NAMES = ["own image", "flow", "learn features", "meta-learning", "attacks", "experiment", "error rates"]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)


def draw_folders(folder):
    """Draw what the examples name: a small CEDAR, customers, and a query."""
    scans, target = make_signatures(n_writers=13, n_genuine=24, n_skilled=2, random_state=0)
    (folder / "CEDAR" / "full_org").mkdir(parents=True)
    (folder / "CEDAR" / "full_forg").mkdir()
    number = 0
    for scan, (writer, forgery) in zip(scans, target.tolist()):
        number = number % 26 + 1
        name = f"full_forg/forgeries_{writer}_{number - 24}" if forgery else f"full_org/original_{writer}_{number}"
        Image.fromarray(scan).save(folder / "CEDAR" / f"{name}.png")
        if writer <= 2 and number <= 6:
            path = folder / "customers" / {1: "ada", 2: "bob"}[writer] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(scan).save(path)
    Image.fromarray(scans[10]).save(folder / "query.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    draw_folders(folder)
    return folder


@pytest.mark.parametrize("block", BLOCKS, ids=NAMES)
def test_code_of_the_readme_runs(block, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    matplotlib.use("Agg")
    with warnings.catch_warnings():
        # The drawn CEDAR is a small one, and larger than the real one's canvas.
        warnings.filterwarnings("ignore", category=UserWarning)
        namespace = {}
        exec(compile(block, "README.md", "exec"), namespace)
    if "scores" in namespace:
        assert set(namespace["search"].best_params_) == {"svc__C", "svc__gamma"}
        assert len(namespace["scores"]["test_neg_eer"]) == 10
    if "features" in namespace:
        assert capsys.readouterr().out.count("[") == 2


def test_ci_runs_the_command_of_the_readme():
    commands = re.findall(r"```bash\n(.*?)\n```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len(commands) == 2
    assert commands[1].endswith("-m pytest")
    assert "grep -m 1 -- '-m pytest' README.md" in (ROOT / ".ci" / "run").read_text()
