"""Files with the state of a training: digests, strict reading, and full disks."""

import errno
import io
import json
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sigkit.training import SigNetTraining
from sigkit.training._check_state import state_digest
from sigkit.training._checkpoint import STATE_FILE, keep_seed, read_state, training_seed, write_state
from sigkit.transformers import SigNetFeaturizer


class InterruptAt(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


def make(folder=None, callbacks=None, **parameters):
    training = SigNetTraining(epochs=3, lr=0.02, batch_size=16, checkpoint_dir=folder, callbacks=callbacks)
    return SigNetFeaturizer("tiny", training=training, **{"random_state": 0} | parameters)


@pytest.fixture(scope="module")
def signatures(draw_blots):
    return draw_blots(28, 36, n_writers=3)


@pytest.fixture(scope="module")
def whole(signatures):
    """Return the features after a training that was not interrupted."""
    return make().fit(*signatures).transform(signatures[0])


@pytest.fixture(scope="module")
def content(signatures, tmp_path_factory):
    """Return the state of a training that was interrupted in its last epoch, as bytes."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.raises(KeyboardInterrupt):
        make(folder, [InterruptAt(3)]).fit(*signatures)
    assert [path.name for path in folder.iterdir()] == [STATE_FILE]
    return (folder / STATE_FILE).read_bytes()


def load(content):
    return torch.load(io.BytesIO(content), weights_only=True)


def write(folder, state, *, renew):
    """Write a state; with its own digest, or with the one that it has."""
    torch.save(state | {"digest": state_digest(state)} if renew else state, folder / STATE_FILE)


def test_a_state_is_resumed(signatures, content, whole, tmp_path):
    for renew in (False, True):
        write(tmp_path, load(content), renew=renew)
        np.testing.assert_array_equal(make(tmp_path).fit(*signatures).transform(signatures[0]), whole)


def without(*names):
    def change(state):
        for name in names:
            del state[name]

    return change


def within(*path, value):
    """Return a function that sets or computes one value in nested dicts."""

    def change(state):
        for name in path[:-1]:
            state = state[name]
        state[path[-1]] = value(state.get(path[-1]) if isinstance(state, dict) else state[path[-1]])

    return change


WEIGHT = "network.conv_layers.0.conv.weight"
CHANGES = {
    "no model": (without("model"), r"its entries are \["),
    "no optimizer": (without("optimizer"), r"its entries are \["),
    "no best epoch": (without("best", "stopped_by"), r"its entries are \["),
    "no recipe": (without("recipe"), "KeyError"),
    "no history": (without("history"), "KeyError"),
    "more": (within("more", value=lambda _: 1), r"its entries are \["),
    "recipe of bytes": (within("recipe", value=lambda _: b"\xff"), "UnicodeDecodeError"),
    "recipe that is no JSON": (within("recipe", value=lambda _: "{"), "JSONDecodeError"),
    "recipe that is a list": (within("recipe", value=lambda _: "[]"), "its recipe is no dict"),
    "recipe without seed": (within("recipe", value=lambda _: "{}"), "its recipe has no seed"),
    "history of numbers": (within("history", value=lambda _: "[1, 2]"), "its history is no list"),
    "history of nothing": (within("history", value=lambda _: "[]"), r"its entries are \["),
    "another history": (within("history", value=lambda text: json.dumps(json.loads(text)[:1])), "best epoch is not in"),
    "best without weights": (lambda state: state["best"].pop("weights"), "its best epoch is incomplete"),
    "best without value": (within("best", "value", value=lambda _: "x"), "its best epoch has no value"),
    "stopped by a word": (within("stopped_by", value=lambda _: "x"), "its stopped_by is no list"),
    "model of numbers": (within("model", WEIGHT, value=lambda _: 1.0), "its model is no dict of tensors"),
    "model that is a list": (within("model", value=lambda model: [*model]), "its model is no dict of tensors"),
    "NaN in the model": (within("model", WEIGHT, value=lambda w: w * torch.nan), f"{WEIGHT} has NaN"),
    "NaN in the best": (within("best", "weights", WEIGHT, value=lambda w: w / 0), f"{WEIGHT} has NaN or infinity"),
    "NaN in the optimizer": (
        within("optimizer", "state", 0, "momentum_buffer", value=lambda w: w * torch.nan),
        "momentum_buffer has NaN",
    ),
    "no tensor": (lambda state: state["model"].pop(WEIGHT), f"{WEIGHT} is missing instead of"),
    "a tensor more": (within("model", "more", value=lambda _: torch.ones(1)), "more is .* instead of none"),
    "another shape": (within("model", WEIGHT, value=lambda w: w[:, :, :2]), f"{WEIGHT} is .*2, 3. instead of"),
    "another type": (within("model", WEIGHT, value=lambda w: w.double()), f"{WEIGHT} is torch.float64"),
    "another shape of the best": (within("best", "weights", WEIGHT, value=lambda w: w[:1]), "instead of"),
    "no state of the optimizer": (lambda state: state["optimizer"].pop("state"), "its optimizer lacks a part"),
    "groups": (within("optimizer", "param_groups", value=lambda _: 3), "its optimizer has no groups"),
    "fewer parameters": (lambda state: state["optimizer"]["param_groups"][0]["params"].pop(), "other parameters"),
    "momentum": (within("optimizer", "param_groups", 0, "momentum", value=lambda _: "x"), "other parameters"),
    "more buffers": (within("optimizer", "state", 99, value=lambda _: {}), "more parameters than the model"),
    "other buffers": (
        within("optimizer", "state", 0, value=lambda _: {"exp_avg": torch.ones(1)}),
        "its optimizer keeps",
    ),
    "shape of a buffer": (
        within("optimizer", "state", 0, "momentum_buffer", value=lambda w: w[:1]),
        "of another shape",
    ),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_changed_states_are_refused(signatures, content, tmp_path, change, message):
    state = load(content)
    change(state)
    write(tmp_path, state, renew=False)
    with pytest.raises(ValueError, match=rf"{STATE_FILE}: (damaged|not the state).* Delete it"):
        make(tmp_path).fit(*signatures)
    # Whoever writes the digest, too, is told what is wrong.
    write(tmp_path, state, renew=True)
    with pytest.raises(ValueError, match=rf"{STATE_FILE}: .*{message}"):
        make(tmp_path).fit(*signatures)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:15],
        lambda content: content[:-30],
        lambda content: b"\0\0\0\0" + content[4:],
        lambda content: content[4:],
        lambda content: b"{}",
        lambda content: b"PK\x03\x04" + bytes(100),
        lambda content: content[: len(content) // 2] + bytes(64) + content[len(content) // 2 + 64 :],
    ],
)
def test_damaged_bytes_are_refused(content, tmp_path, damage):
    (tmp_path / STATE_FILE).write_bytes(damage(content))
    for read in (read_state, lambda folder: training_seed(None, folder), lambda folder: keep_seed(folder, 3)):
        with pytest.raises(ValueError, match=f"{STATE_FILE}: .* Delete it to start again"):
            read(tmp_path)


@pytest.mark.parametrize("value", [3, [1], "text", {}, {"digest": 3}, {"recipe": 1, "history": 2}, torch.ones(2)])
def test_other_content_is_refused(tmp_path, value):
    torch.save(value, tmp_path / STATE_FILE)
    with pytest.raises(ValueError, match=f"{STATE_FILE}: .* Delete it to start again"):
        read_state(tmp_path)


def test_a_folder_in_its_place_is_no_state(tmp_path):
    os.mkfifo(tmp_path / STATE_FILE)
    assert read_state(tmp_path) is None


def test_the_digest_covers_values_shapes_and_types_but_not_the_layout():
    tensors = [torch.ones(2, 3), torch.ones(3, 2), torch.ones(2, 3).half(), torch.ones(2, 3).bfloat16(), torch.ones(6)]
    tensors += [torch.ones(2, 3) * 2, torch.ones(2, 3).double(), torch.ones(2, 3).int(), torch.ones(0), [[1.0] * 3] * 2]
    assert len({state_digest({"model": tensor}) for tensor in tensors}) == len(tensors)
    kernels = torch.rand(2, 3, 4, 5)
    other = kernels.to(memory_format=torch.channels_last)
    assert state_digest({"model": kernels}) == state_digest({"model": other, "digest": "x"})


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int64])
def test_a_state_of_any_type_and_layout_is_read(content, tmp_path, dtype):
    state = load(content)
    del state["digest"]
    state = state | {"recipe": json.loads(state["recipe"]), "history": json.loads(state["history"])}
    state["model"] = {"kernels": torch.ones(2, 3, 4, 5, dtype=dtype).to(memory_format=torch.channels_last)}
    write_state(tmp_path, state)
    found = read_state(tmp_path)["model"]["kernels"]
    assert found.dtype == dtype
    assert torch.equal(found, state["model"]["kernels"])


class Meanwhile(Callback):
    """Calls a function at the beginning of each epoch."""

    def __init__(self, call):
        self.call = call

    def on_epoch_begin(self, net, **kwargs):
        self.call()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="folders are locked on POSIX only")
def test_equal_trainings_that_are_begun_at_once(signatures, whole, tmp_path):
    """One trains, and the others wait for it: cross_validate with n_jobs, for the same development writers."""
    trained, begun = [], threading.Barrier(3)

    def train(number):
        begun.wait()
        return make(tmp_path, [Meanwhile(lambda: trained.append(number))]).fit(*signatures).transform(signatures[0])

    with (
        ThreadPoolExecutor(3) as threads,
        pytest.warns(UserWarning, match=f"checkpoint_dir='{tmp_path}': another training uses this folder. Waiting"),
    ):
        found = list(threads.map(train, range(3)))
    for features in found:
        np.testing.assert_array_equal(features, whole)
    assert len(trained) == 3
    assert len(set(trained)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="folders are locked on POSIX only")
def test_different_trainings_in_one_folder(signatures, whole, tmp_path):
    refused = []

    def begin_another():
        # In the first epoch there is no state yet, and the other training would wait.
        if (tmp_path / STATE_FILE).exists():
            with pytest.raises(ValueError, match="the state of another training") as caught:
                make(tmp_path, random_state=1).fit(*signatures)
            refused.append(caught.value)

    model = make(tmp_path, [Meanwhile(begin_another)]).fit(*signatures)
    assert len(refused) == 2
    np.testing.assert_array_equal(model.transform(signatures[0]), whole)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="folders are locked on POSIX only")
def test_a_process_that_is_forked_meanwhile_does_not_keep_the_folder(tmp_path):
    code = f"""
import os, signal
from sigkit._utils import locked_folder
with locked_folder({str(tmp_path)!r}, waiting=None):
    child = os.fork() or signal.pause()
waited = []
with locked_folder({str(tmp_path)!r}, waiting=lambda: waited.append(os.kill(child, signal.SIGKILL))):
    pass
os.kill(child, signal.SIGKILL)
assert not waited
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_finished_training_in_a_folder_that_is_not_writable(signatures, whole, tmp_path, monkeypatch):
    make(tmp_path).fit(*signatures)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    np.testing.assert_array_equal(make(tmp_path).fit(*signatures).transform(signatures[0]), whole)


def test_a_full_disk_ends_the_training_and_leaves_the_state(signatures, content, whole, tmp_path):
    (tmp_path / STATE_FILE).write_bytes(content)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) // 2, limits[1]))  # stands for a full disk
    try:
        with pytest.raises(OSError, match=f"checkpoint_dir='{tmp_path}': the state .* cannot be written") as caught:
            make(tmp_path).fit(*signatures)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]
    assert (tmp_path / STATE_FILE).read_bytes() == content
    np.testing.assert_array_equal(make(tmp_path).fit(*signatures).transform(signatures[0]), whole)


def test_weights_that_an_epoch_ruined_are_not_kept(signatures, tmp_path):
    class Ruin(Callback):
        def on_batch_end(self, net, training=False, **kwargs):
            if training and len(net.history) == 3:
                net.module_.network.conv_layers[0].bn.running_mean.fill_(torch.inf)

    with pytest.warns(UserWarning, match=r"diverged in epoch 3: there is NaN or infinity in .*running_mean"):
        model = make(tmp_path, [Ruin()]).fit(*signatures)
    assert len(model.history_) == 2
    assert np.isfinite(model.transform(signatures[0])).all()
    assert len(read_state(tmp_path)["history"]) == 2
