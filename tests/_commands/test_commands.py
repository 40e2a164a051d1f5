"""The commands `sigkit audit`, `preprocess`, `train` and `evaluate`, and what they have in common."""

import csv
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from sigkit import __version__
from sigkit._commands import _audit, _train, main
from sigkit._commands._files import choose_writers
from sigkit.datasets import load_npz, make_signatures, save_npz
from sigkit.nets import load_network, load_sigver_weights
from sigkit.training import SigNetTraining
from sigkit.transformers import SignaturePreprocessor

NAMES = ("ada", "bob", "eve", "kim", "leo", "mia", "noa", "oto")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six genuine signatures and two forgeries of each of eight writers."""
    folder = tmp_path_factory.mktemp("scans")
    scans, target = make_signatures(len(NAMES), n_genuine=6, n_skilled=2, random_state=3, resolution=100)
    for row, (scan, (writer, forgery)) in enumerate(zip(scans, target.tolist())):
        path = folder / NAMES[writer - 1] / f"{'forged' if forgery else 'genuine'}_{row % 8}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(scan).save(path)
    return folder


@pytest.fixture(scope="module")
def npz(folder, tmp_path_factory):
    """The same, preprocessed by the command."""
    path = tmp_path_factory.mktemp("npz") / "scans.npz"
    arguments = ["preprocess", folder, path, "--canvas", 160, 228, "--n-jobs", 1]
    # A few drawn signatures are large for their scans, and are taken for shadows.
    arguments += ["--on-poor-scan", "ignore"]
    assert main([*map(str, arguments)]) == 0
    return path


@pytest.fixture
def run(capsys):
    """Return a function that runs a command, and returns what it printed."""

    def run(*arguments, code=0):
        capsys.readouterr()
        assert main([*map(str, arguments)]) == code
        printed = capsys.readouterr()
        if not code:
            return printed.out
        assert not printed.out
        # Before it there can be lines that report the progress.
        return printed.err.splitlines()[-1]

    return run


def test_audit(run, folder, tmp_path):
    page, table, findings = tmp_path / "worst.png", tmp_path / "scans.csv", tmp_path / "found.json"
    printed = run("audit", folder, "--page", page, "--csv", table, "--json", findings, "--n-jobs", 1)
    assert printed.startswith("Audit of 64 scans of 8 writers: 48 genuine, 16 skilled.")
    with Image.open(page) as picture:
        assert picture.size[0] > 300
    with open(table) as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 64
    assert {row["writer"] for row in rows} == set(NAMES)
    assert json.loads(findings.read_text())["n_scans"] == 64


def test_preprocess_is_what_the_preprocessor_makes(folder, npz):
    signatures = load_npz(npz)
    paths = [str(folder / name) for name in signatures.filenames]
    images = SignaturePreprocessor(canvas_size=(160, 228), on_poor_scan="ignore").fit_transform(paths)
    np.testing.assert_array_equal(signatures.images, images)
    assert [path.split(os.sep)[0] for path in signatures.filenames.tolist()] == signatures.target[:, 0].tolist()
    assert signatures.target[:, 1].sum() == 16
    assert os.listdir(npz.parent) == ["scans.npz"]


def test_an_interrupted_preprocessing_continues(run, folder, tmp_path, monkeypatch, capsys):
    output, arguments = tmp_path / "scans.npz", ["--canvas", 160, 228, "--n-jobs", 1, "--on-poor-scan", "ignore"]
    with monkeypatch.context() as patch:
        patch.setattr("sigkit._commands._preprocess.save_npz", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        assert main(["preprocess", str(folder), str(output), *map(str, arguments)]) == 130
    assert capsys.readouterr().err.endswith("sigkit preprocess: interrupted\n")
    assert os.listdir(tmp_path) == ["scans.npz.unfinished"]
    with monkeypatch.context() as patch:
        # The images come from the cache: no scan is preprocessed again.
        patch.setattr("sigkit.transformers._scan_steps.preprocess_image", None)
        run("preprocess", folder, output, *arguments)
    assert os.listdir(tmp_path) == ["scans.npz"]


@pytest.fixture
def tiny(monkeypatch):
    """Recipes with a tiny network and one epoch."""
    recipes = {name: ("tiny", weight, SigNetTraining(epochs=1)) for name, (_, weight, _) in _train.RECIPES.items()}
    monkeypatch.setattr(_train, "RECIPES", recipes)


def test_train_resumes_and_ends_with_the_same_weights(run, npz, tmp_path, tiny):
    outputs = [tmp_path / name for name in ("whole.safetensors", "resumed.safetensors")]
    run("train", npz, "--output", outputs[0], "--epochs", 2)
    for epochs in (2, 2):
        run("train", npz, "--output", outputs[1], "--epochs", epochs, "--checkpoint-dir", tmp_path / "run")
    (whole, metadata), (resumed, _) = (load_network(path) for path in outputs)
    assert metadata["architecture"] == "tiny"
    for name, tensor in whole.state_dict().items():
        assert tensor.equal(resumed.state_dict()[name])


def test_train_on_some_writers_for_sigver(run, npz, tmp_path, tiny):
    printed = run("train", npz, "--recipe", "signet-f", "--output", tmp_path / "f.pth", "--writers", "ada:eve", "oto")
    assert printed == f"The weights are in {tmp_path / 'f.pth'}.\n"
    _, writer_layer, forgery_layer = load_sigver_weights(tmp_path / "f.pth", "tiny")
    assert writer_layer.out_features == 4
    assert forgery_layer.out_features == 1


def test_train_on_synthetic_signatures(run, tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(_train, "N_TOGETHER", 2)
    monkeypatch.setattr(_train, "N_SIGNATURES", 3)
    size = ["--image-size", 85, 121, "--n-jobs", 1]
    run("train", "--synthetic", 3, "--output", tmp_path / "drawn.safetensors", *size)
    network, metadata = load_network(tmp_path / "drawn.safetensors")
    assert metadata["corpus"] == "3 writers who do not exist"
    size += ["--checkpoint-dir", tmp_path / "run"]
    run("train", "--synthetic", 3, "--output", tmp_path / "drawn.safetensors", *size)
    first, second = sorted((tmp_path / "run" / "synthetic").iterdir(), key=os.path.getsize)
    first.write_bytes(second.read_bytes()[:100])
    drawn, draw = [], _train.make_signatures
    monkeypatch.setattr(_train, "make_signatures", lambda *given, **more: drawn.append(given) or draw(*given, **more))
    run("train", "--synthetic", 3, "--output", tmp_path / "drawn.safetensors", *size)
    assert drawn == [(1, 3, 3)]
    for name, tensor in load_network(tmp_path / "drawn.safetensors")[0].state_dict().items():
        assert tensor.equal(network.state_dict()[name])


def test_evaluate(run, npz, tmp_path):
    files = [tmp_path / name for name in ("rates.json", "rates.csv", "det.png")]
    arguments = ["evaluate", npz, "--references", 3, "--queries", 3, "--splits", 2, "--folder", tmp_path / "results"]
    arguments += ["--n-jobs", 1, "--json", files[0], "--csv", files[1], "--det", files[2]]
    printed = run(*arguments)
    assert "Mean and standard deviation over 2 splits" in printed
    found = json.loads(files[0].read_text())
    assert found["dev_writers"] == ["ada", "kim", "noa"]
    with open(files[1]) as file:
        rates = {row["metric"]: row for row in csv.DictReader(file)}
    assert float(rates["eer"]["split_1"]) == found["metrics"]["eer"][1]
    assert files[2].stat().st_size > 1000
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").glob("*.npz")}
    assert len(parts) == 2
    run(*arguments[:-6])
    assert parts == {path: path.stat().st_mtime_ns for path in parts}
    run(*arguments[:6], "--splits", 1, "--dev-writers", "--verifier", "svm", "--threshold", 0, "--json", files[0])
    without = json.loads(files[0].read_text())
    assert without["dev_writers"] is None
    assert found["first_split"]["threshold"] == 0.4
    assert without["first_split"]["threshold"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere"], "FileNotFoundError: "),
        (["audit", "some.npz"], "pass a folder of scans or a table"),
        (["audit", ".", "--page", "nowhere/worst.png"], "there is no folder"),
        (["audit", ".", "--page", "worst.gif"], "name a file with the suffix .png or .pdf or .svg or .jpg"),
        (["audit", ".", "--corpus", "sedar"], "name must be one of 'bhsig260', 'cedar'"),
        (["preprocess", ".", "out.npy"], "name a file with the suffix .npz"),
        (["train", "--output", "w.safetensors"], "pass the SOURCE of signatures, or --synthetic"),
        (["train", "some.npz", "--synthetic", "3", "--output", "w.safetensors"], "or --synthetic"),
        (["train", "--synthetic", "1", "--output", "w.safetensors"], "at least 2 writers"),
        (["train", "some.npz", "--output", "w.bin"], "the suffix .safetensors or .pth"),
        (["train", "some.npz", "--recipe", "transfer", "--output", "w.pth"], "are not those of sigver's .pth files"),
        (["train", "some.npz", "--canvas", "1", "1", "--output", "w.safetensors"], "is preprocessed; --canvas"),
        (["train", "some.npz", "--output", "w.safetensors", "--writers", "9"], "9: no such writer; there are 1, 2."),
        (["evaluate", "some.npz", "--weights", "sythetic"], "there is no file 'sythetic'"),
        (["evaluate", "some.npz", "--device", "abacus"], "abacus"),
        (["evaluate", "some.npz", "--dev-writers", "a:b"], "a:b: no such writer"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    save_npz("some.npz", np.zeros((2, 85, 121), dtype=np.uint8), [1, 2])
    before = sorted(os.listdir())
    line = run(*arguments, code=2)
    assert line.startswith(f"sigkit {arguments[0]}: ")
    assert message in line
    assert sorted(os.listdir()) == before


def test_an_interruption_is_130(monkeypatch, capsys):
    monkeypatch.setattr(_audit, "load_scans", lambda options: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main(["audit", "."]) == 130
    assert capsys.readouterr().err == "sigkit audit: interrupted\n"


def test_warnings_are_one_line(monkeypatch):
    """The line of this program that led to a warning says nothing to a user of the command."""
    shown, usual = [], warnings.formatwarning

    def load_scans(options):
        shown.append(warnings.formatwarning(UserWarning("two\nlines"), UserWarning, "file.py", 1))
        raise ValueError

    monkeypatch.setattr(_audit, "load_scans", load_scans)
    main(["audit", "."])
    assert shown == ["warning: two lines\n"]
    assert warnings.formatwarning is usual


@pytest.mark.parametrize(
    ("texts", "chosen"), [(["3"], [3]), (["1:3", "10"], [1, 3, 10]), (["4:9", "1"], None), (["x"], None)]
)
def test_writers_are_chosen_by_ids_and_ranges(texts, chosen):
    known = np.array([1, 3, 10, 20])
    if chosen is None:
        with pytest.raises(ValueError, match="no such writer; there are 1, 3, 10, 20"):
            choose_writers(known, texts)
    else:
        assert choose_writers(known, texts) == chosen


def test_the_command_as_a_process(folder):
    """Help loads no large library; an error ends with its exit code, without a traceback."""
    script = "import sys; sys.argv[1:] = ['--version']; from sigkit._commands import main\ntry: main()\nfinally: "
    script += "print(sorted({'numpy', 'sklearn', 'torch', 'PIL'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == f"sigkit {__version__}\n[]\n"
    command = [sys.executable, "-m", "sigkit", "audit", str(folder / "nowhere")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.startswith("sigkit audit: FileNotFoundError: ")
    assert len(found.stderr.splitlines()) == 1
