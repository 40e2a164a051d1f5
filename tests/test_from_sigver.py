"""The scripts of examples/from_sigver, one for each command of sigver, on drawn signatures in its formats."""

import importlib
import json
import os
import pickle
import re
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from PIL import Image

from sigkit.datasets import load_npz, make_signatures
from sigkit.nets import build_network, load_sigver_weights, save_sigver_weights
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

SCRIPTS = Path(__file__).parents[1] / "examples" / "from_sigver"


@pytest.fixture
def script(monkeypatch):
    """Return a function that runs a script with some arguments."""
    monkeypatch.syspath_prepend(str(SCRIPTS))

    def run(name, *arguments):
        importlib.import_module(name).main([*map(str, arguments)])

    return run


@pytest.fixture(scope="module")
def scans():
    return make_signatures(7, n_genuine=8, n_skilled=4, random_state=0, resolution=100)


@pytest.fixture(scope="module")
def npz(scans, tmp_path_factory):
    """A file as sigver documents it: images, users from 0, and whether each is a forgery."""
    path = tmp_path_factory.mktemp("sigver") / "drawn.npz"
    images = SignaturePreprocessor(canvas_size=(160, 228), on_poor_scan="ignore").fit_transform(scans[0])
    np.savez(path, x=images[:, np.newaxis], y=scans[1][:, 0] - 1, yforg=scans[1][:, 1])
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.pth"
    save_sigver_weights(path, build_network("tiny", seed=0), "tiny")
    return path


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_process_dataset(script, scans, tmp_path):
    """The corpus is a small part of CEDAR, of which the loader warns."""
    numbers = {}
    for scan, (writer, forgery) in zip(scans[0], scans[1].tolist()):
        number = numbers[writer, forgery] = numbers.get((writer, forgery), 0) + 1
        name = f"full_forg/forgeries_{writer}_{number}.png" if forgery else f"full_org/original_{writer}_{number}.png"
        path = tmp_path / "CEDAR" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scan).save(path)
    path = tmp_path / "cedar.npz"
    with joblib.parallel_config("sequential"):
        script("process_dataset", "--dataset", "cedar", "--path", tmp_path / "CEDAR", "--save-path", path)
    signatures = load_npz(path)
    assert signatures.images.shape == (84, 170, 242)
    assert np.unique(signatures.target[:, 0]).tolist() == list(range(7))
    assert signatures.target[:, 1].sum() == 28
    assert signatures.filenames[0] == "original_1_1.png"


@pytest.mark.parametrize("name", ["featurelearning_train", "train_madry", "train_ensadv"])
def test_trainings(script, npz, tmp_path, name):
    arguments = ["--dataset-path", npz, "--users", 0, 4, "--model", "tiny", "--epochs", 1, "--logdir", tmp_path / "run"]
    more = {
        "featurelearning_train": ["--forg", "--lamb", "0.95", "--loss-type", "L1"],
        "train_madry": ["--attack-steps", 1, "--attack-l2", 2],
        "train_ensadv": ["--trained-models", "tiny", tmp_path / "other"],
    }
    script(name, *arguments, *more[name])
    network, writer_layer, forgery_layer = load_sigver_weights(tmp_path / "run" / "model_best.pth", "tiny")
    assert network.n_features == 16
    assert writer_layer.out_features == 4
    assert (forgery_layer is not None) == (name == "featurelearning_train")


def test_wd_test(script, npz, weights, tmp_path, capsys):
    arguments = ["-m", "tiny", "--model-path", weights, "--data-path", npz, "--save-path", tmp_path / "results"]
    arguments += ["--exp-users", 0, 4, "--dev-users", 4, 7, "--gen-for-train", 4, "--gen-for-test", 4, "--folds", 2]
    script("wd_test", *arguments, "--forg-from_dev", 8)
    assert "Mean and standard deviation over 2 splits" in capsys.readouterr().out
    assert len([*(tmp_path / "results").glob("split-*.npz")]) == 2
    with pytest.raises(ValueError, match="overlap"):
        script("wd_test", *arguments, "--dev-users", 3, 7)
    with pytest.raises(ValueError, match="a group of users is empty; there are users 0 to 6"):
        script("wd_test", *arguments, "--dev-users", 300, 881)


def test_metalearning_train(script, npz, tmp_path, capsys):
    arguments = ["--dataset-path", npz, "--model", "tiny", "--num-updates", 1, "--num-gen", 2, "--num-rf", 2]
    arguments += ["--num-gen-test", 3, "--num-rf-test", 2, "--num-sk-test", 2, "--folds", 1, "--logdir", tmp_path]
    arguments += ["--dev-users", 0, 4, "--exp-users", 4, 7]
    script("metalearning_train", *arguments, "--epochs", 1, "--pretrain-epochs", 1, "--learn-task-lr")
    trained = capsys.readouterr().out
    script("metalearning_train", *arguments, "--test", "--checkpoint", tmp_path / "model.safetensors")
    tested = capsys.readouterr().out
    assert [line for line in tested.splitlines() if "EER" in line] == [
        line for line in trained.splitlines() if "EER" in line
    ]


def test_example(script, scans, weights, tmp_path):
    scan = np.pad(scans[0][0], 20, mode="edge")
    Image.fromarray(scan).save(tmp_path / "scan.png")
    script("example", tmp_path / "scan.png", weights, "--model", "tiny", "--save-path", tmp_path / "features.npy")
    images = SignaturePreprocessor(canvas_size=(952, 1360)).fit_transform([scan])
    expected = SigNetFeaturizer("tiny", weights=weights).fit_transform(images)
    np.testing.assert_array_equal(np.load(tmp_path / "features.npy"), expected)


def test_extract_features_and_unpack_dataset(script, npz, weights, tmp_path):
    paths = [tmp_path / "signet.npy", tmp_path / "lbp.npy"]
    arguments = ["--data-path", npz, "--weights-path", weights, "--model", "tiny"]
    script("extract_features", *arguments, "--save-path-signet", paths[0], "--save-path-lbp", paths[1])
    assert [np.load(path).shape[0] for path in paths] == [84, 84]
    script("unpack_dataset", "--data-path", npz, "--save-path", tmp_path / "images")
    assert len(os.listdir(tmp_path / "images")) == 84
    with Image.open(tmp_path / "images" / "00003.png") as image:
        np.testing.assert_array_equal(255 - np.asarray(image), load_npz(npz).images[3])


def test_unpacked_names_stay_in_the_folder(script, npz, tmp_path):
    with np.load(npz) as archive:
        arrays = {name: archive[name][:2] for name in archive.files}
    np.savez(tmp_path / "names.npz", **arrays, filenames=np.array(["../../a.png", "..\\b.png"]))
    script("unpack_dataset", "--data-path", tmp_path / "names.npz", "--save-path", tmp_path / "images")
    assert sorted(os.listdir(tmp_path / "images")) == ["a.png", "b.png"]


@pytest.mark.filterwarnings("ignore:.*(give half to each fold|is decided correctly by all systems)")
@pytest.mark.parametrize("more", [["--lk"], ["--lk", "--attack-model-path"]])
def test_attacks(script, npz, weights, tmp_path, capsys, more):
    more = [*more, weights] if "--attack-model-path" in more else more
    arguments = ["--dataset-path", npz, "--defense-model-path", weights, "--model", "tiny", "--attacks", "fgm"]
    script("attacks", *arguments, "--features", "signet", "--save-path", tmp_path / "attacks", *more)
    assert "otsu" in capsys.readouterr().out


def test_results_table(script, tmp_path, capsys):
    rng = np.random.default_rng(0)
    predictions = {
        "genuinePreds": [rng.normal(1, 1, 10) for _ in range(3)],
        "randomPreds": [rng.normal(-2, 1, 20) for _ in range(3)],
        "skilledPreds": [rng.normal(-1, 1, 10) for _ in range(3)],
    }
    names = "FRR", "FAR_random", "FAR_skilled", "EER", "EER_userthresholds", "mean_AUC", "global_threshold"
    metrics = {name: np.float64(0.25) for name in names} | {"auc_list": [0.9, 0.8, 0.7]}
    (tmp_path / "results.pickle").write_bytes(pickle.dumps([{"all_metrics": metrics, "predictions": predictions}] * 2))
    script("results_table", tmp_path / "results.pickle", "--n-bootstraps", 0)
    printed = capsys.readouterr().out
    assert "eer_writer_sigver    0.2500 +- 0.0000" in printed
    assert "least AUC of a writer, by split: user 2: 0.700, user 2: 0.700" in printed
    assert "method 'sigver'" in printed


def test_weights_are_what_sigver_loads(tmp_path):
    """sigver loads three state dicts; an absent layer is a module without parameters there."""
    network, writer_layer = build_network("signet_thin", seed=0), torch.nn.Linear(1024, 3)
    save_sigver_weights(tmp_path / "thin.pth", network, "signet_thin", writer_layer=writer_layer)
    state, classification, forgery = torch.load(tmp_path / "thin.pth", weights_only=True)
    build_network("signet_thin").load_state_dict(state)
    torch.nn.Linear(1024, 3).load_state_dict(classification)
    torch.nn.Module().load_state_dict(forgery)
    assert state["conv_layers.conv1.conv.weight"].shape[1] == 1


def sections():
    """Return the table of each command in the documentation: what is said of its options."""
    text = (SCRIPTS.parents[1] / "docs" / "from_sigver.rst").read_text()
    parts = re.split(r"^(\S+)\n~+\n", text, flags=re.MULTILINE)
    found = {}
    for name, part in zip(parts[1::2], parts[2::2]):
        rows = re.findall(r'^   "``(\S+)``", "(yes|no)", "(.+)"$', part, flags=re.MULTILINE)
        rows = {option: row for option, *row in rows}
        if same := re.search(r"the options of\s+:ref:`(\S+) <[^>]+>` but ``(\S+)``", part):
            ((_, others),) = found[same[1]]
            rows |= {option: row for option, row in others.items() if option != same[2]}
        script = re.search(r"Script: ``(\w+)\.py``", part)
        found.setdefault(name, []).append((script and script[1], rows))
    return found


OPTIONS = json.loads((Path(__file__).parent / "sigver_options.json").read_text())
"""The options of the argument parsers of sigver (commit 6f8f438) and of its adversarial repository (01daa80)."""


@pytest.mark.parametrize(("repository", "command"), [(name, each) for name in OPTIONS for each in OPTIONS[name]])
def test_each_option_of_sigver_is_in_the_documentation(repository, command, script, monkeypatch, capsys):
    """A name of a command occurs once in each repository."""
    of_command = sections()[command]
    name, rows = of_command[0 if repository == "sigver" else -1]
    assert rows.keys() == set(OPTIONS[repository][command])
    assert name is not None
    if not rows:
        return
    # The script accepts exactly the options of which the table says so.
    with pytest.raises(SystemExit):
        script(name, "--help")
    usage = capsys.readouterr().out
    accepted = {option for option in rows if re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", usage)}
    assert accepted == {option for option, (is_accepted, _) in rows.items() if is_accepted == "yes"}
    assert all(len(explanation) > 5 for _, explanation in rows.values())
