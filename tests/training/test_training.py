"""The training of SigNetFeaturizer."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, TensorBoard
from torch import nn
from torch.nn import functional as F

from sigkit.nets import build_network, load_network
from sigkit.training import (
    CosFaceLoss,
    CosineSchedule,
    Distortion,
    Patience,
    Schedule,
    SigNetTraining,
    SoftmaxLoss,
    StepSchedule,
    TrainingCurvesDisplay,
    WriterLoss,
)
from sigkit.training._checkpoint import STATE_FILE
from sigkit.transformers import SigNetFeaturizer

N_WRITERS = 5
EVERYTHING = {
    "loss": CosFaceLoss(label_smoothing=0.1),
    "extra_classes": ("forgeries", "mirrored"),
    "augmentation": "distort",
    "schedule": "cosine",
}


@pytest.fixture(scope="module")
def signatures(draw_blots):
    return draw_blots()


OWN = {"weights", "initial_weights", "dev_writers", "forgery_weight", "precision", "random_state", "verbose"}


def make(**parameters):
    """Make a small featurizer; all other parameters are those of its training."""
    own = {name: value for name, value in parameters.items() if name in OWN}
    training = {name: value for name, value in parameters.items() if name not in OWN}
    training = SigNetTraining(**{"epochs": 4, "lr": 0.02, "batch_size": 16} | training)
    return SigNetFeaturizer("tiny", training=training, **{"random_state": 0} | own)


def weights_of(featurizer):
    return {name: tensor.numpy() for name, tensor in featurizer.network_.state_dict().items()}


def assert_same_weights(first, second):
    first, second = (model if isinstance(model, dict) else weights_of(model) for model in (first, second))
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_the_network_learns_to_classify_writers(signatures):
    X, y = signatures
    featurizer = make(epochs=30).fit(X, y)
    assert featurizer.history_[-1]["valid_acc"] >= 0.8
    assert featurizer.history_[-1]["train_loss"] < 0.5 * featurizer.history_[0]["train_loss"]
    assert [epoch["epoch"] for epoch in featurizer.history_] == list(range(1, 31))
    assert featurizer.net_.module_.network is featurizer.network_
    features = featurizer.transform(X)
    assert features.shape == (len(X), 16)
    again = pickle.loads(pickle.dumps(featurizer))
    np.testing.assert_array_equal(again.transform(X), features)
    assert_same_weights(clone(featurizer).fit(X, y), featurizer)


@pytest.mark.parametrize(("weight", "writer_term"), [(None, "genuine"), (0.4, "genuine"), (0.4, "all")])
def test_ten_steps_follow_a_plain_loop(signatures, weight, writer_term):
    """Contiguous layout, torch's own optimizer and schedule, and batches assembled image by image.

    The network is the small one. SigNet's last batch normalization, over a batch of noise-like values, makes a rounding
    error flip a ReLU now and then, and any two layouts of memory part there by more than this test would notice.
    """
    X, y = signatures
    training = {"epochs": 5, "lr": 1e-2, "validation_fraction": 0, "clip_value": 0.05}
    featurizer = make(**training, loss=SoftmaxLoss(writer_term=writer_term), forgery_weight=weight).fit(X, y)

    seed = np.random.RandomState(0).randint(2**31 - 1)
    chosen = np.flatnonzero(y[:, 1] == 0) if weight is None else np.arange(len(y))
    network = build_network("tiny", seed=seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        writers, forgery = nn.Linear(16, N_WRITERS), nn.Linear(16, 1)
    parameters = [*network.parameters(), *writers.parameters(), *(forgery.parameters() if weight else [])]
    optimizer = torch.optim.SGD(parameters, lr=1e-2, momentum=0.9, nesterov=True, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4], 0.1)
    n_steps = n_clipped = 0
    for epoch in range(1, 6):
        for rows in torch.randperm(len(chosen), generator=torch.Generator().manual_seed(seed + epoch)).split(16):
            images = torch.stack([torch.from_numpy(X[chosen[row]])[None].float() / 255 for row in rows])
            labels, forged = torch.from_numpy(y[chosen[rows]]).unbind(1)
            features = network(images)
            taught = forged == 0 if writer_term != "all" else forged >= 0
            loss = F.cross_entropy(writers(features[taught]), labels[taught] - 1)
            if weight:
                forgery_loss = F.binary_cross_entropy_with_logits(forgery(features)[:, 0], forged.float())
                loss = (1 - weight) * loss + weight * forgery_loss
            optimizer.zero_grad()
            loss.backward()
            n_clipped += sum(int((parameter.grad.abs() > 0.05).sum()) for parameter in parameters)
            nn.utils.clip_grad_value_(parameters, 0.05)
            optimizer.step()
            n_steps += 1
        schedule.step()
    assert n_steps >= 10
    assert n_clipped > 0
    for (name, ours), reference in zip(featurizer.network_.named_parameters(), network.parameters()):
        torch.testing.assert_close(ours, reference, atol=1e-4, rtol=0, msg=name)
    moved = build_network("tiny", seed=seed).fc_layers[0].fc.weight - network.fc_layers[0].fc.weight
    assert moved.abs().max() > 1e-3


class InterruptAt(Callback):
    """Simulate the user pressing Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, net, training=False, **kwargs):
        if training and net.history[-1]["epoch"] == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "settings", [{}, {"forgery_weight": 0.5}, EVERYTHING], ids=["signet", "signet-f", "everything"]
)
def test_an_interrupted_training_resumes_exactly(signatures, tmp_path, settings):
    X, y = signatures
    whole = make(epochs=6, **settings).fit(X, y)
    part = make(epochs=6, checkpoint_dir=tmp_path / "run", callbacks=[InterruptAt(4)], **settings)
    with pytest.raises(KeyboardInterrupt):
        part.fit(X, y)
    resumed = part.set_params(training__callbacks=None).fit(X, y)
    assert_same_weights(resumed, whole)
    for ours, expected in zip(resumed.history_, whole.history_, strict=True):
        assert {**ours, "dur": 0} == {**expected, "dur": 0}


def test_a_finished_training_is_not_repeated(signatures, tmp_path):
    X, y = signatures
    featurizer = make(checkpoint_dir=tmp_path / "run").fit(X, y)
    again = make(checkpoint_dir=tmp_path / "run", callbacks=[InterruptAt(1)]).fit(X, y)
    assert_same_weights(again, featurizer)


def test_resuming_without_a_seed_takes_that_of_the_state(signatures, tmp_path):
    X, y = signatures
    part = make(checkpoint_dir=tmp_path, random_state=None, callbacks=[InterruptAt(3)])
    with pytest.raises(KeyboardInterrupt):
        part.fit(X, y)
    seed = json.loads(torch.load(tmp_path / STATE_FILE, weights_only=True)["recipe"])["seed"]
    resumed = part.set_params(training__callbacks=None).fit(X, y)
    assert json.loads(resumed.metadata_["recipe"])["seed"] == seed


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"training__lr": 0.5}, "training__lr was 0.02 and is 0.5"),
        ({"architecture": "signet_thin"}, "architecture was 'tiny' and is 'signet_thin'"),
        ({"training__augmentation": Distortion()}, "training__augmentation was 'crop' and is 'Distortion'"),
        ({"training__loss": CosFaceLoss()}, "training__loss was 'SoftmaxLoss' and is 'CosFaceLoss'"),
        ({"training__schedule": StepSchedule(decay=0.5)}, "training__schedule__decay was 0.1 and is 0.5"),
    ],
)
def test_the_state_of_another_recipe_is_refused(draw_blots, tmp_path, settings, named):
    X, y = draw_blots(150, 220, n_writers=2)
    make(epochs=1, checkpoint_dir=tmp_path).fit(X, y)
    with pytest.raises(ValueError, match=f"{STATE_FILE}: the state of another training .{named}"):
        make(epochs=1, checkpoint_dir=tmp_path).set_params(**settings).fit(X, y)


def test_the_state_of_other_images_is_refused(signatures, tmp_path):
    X, y = signatures
    make(epochs=1, checkpoint_dir=tmp_path).fit(X, y)
    with pytest.raises(ValueError, match=r"another training .images differ"):
        make(epochs=1, checkpoint_dir=tmp_path).fit(X[::-1], y[::-1])


def test_damaged_states_are_refused(signatures, tmp_path):
    X, y = signatures
    (tmp_path / STATE_FILE).write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ValueError, match=f"{STATE_FILE}: not the state of a training"):
        make(checkpoint_dir=tmp_path).fit(X, y)
    with pytest.raises(ValueError, match="is a file; name a folder"):
        make(checkpoint_dir=tmp_path / STATE_FILE).fit(X, y)


def test_nothing_in_a_state_is_executed(signatures, tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    X, y = signatures
    torch.save({"recipe": Harmful()}, tmp_path / STATE_FILE)
    with pytest.raises(ValueError, match="not the state of a training"):
        make(checkpoint_dir=tmp_path).fit(X, y)
    assert not (tmp_path / "harm").exists()


@pytest.mark.slow
def test_a_killed_script_resumes_exactly(shared_data, tmp_path):
    for writer in ("021", "022", "023"):
        folder = Path("BHSig260", "Bengali", writer)
        (tmp_path / folder).mkdir(parents=True)
        for kind, count in (("G", 10), ("F", 5)):
            for number in range(1, count + 1):
                name = f"B-S-{writer}-{kind}-{number:02d}.tif"
                (tmp_path / folder / name).symlink_to(shared_data.resolve() / folder / name)

    def start(name):
        command = [sys.executable, "reproduce/train_signet.py", "bhsig260", str(tmp_path / "BHSig260")]
        command += [str(tmp_path / f"{name}.safetensors"), "--recipe", "signet-f", "--architecture", "tiny"]
        command += ["--epochs", "4", "--hold-out"]
        command += ["--checkpoint-dir", str(tmp_path / name), "--memory", str(tmp_path / "memory")]
        # One process preprocesses: others would import torch again.
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "LOKY_MAX_CPU_COUNT": "1"}
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)

    killed = start("killed")
    with killed.stderr, killed.stdout:
        for line in killed.stderr:
            if "epoch 2 of 4" in line:
                killed.send_signal(signal.SIGKILL)
                break
        killed.wait()
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed.safetensors").exists()
    for name in ("killed", "whole"):
        process = start(name)
        _, output = process.communicate()
        assert process.returncode == 0, output
        assert ("epoch 1 of 4" in output) == (name == "whole")
    (resumed, _), (whole, _) = (load_network(tmp_path / f"{name}.safetensors") for name in ("killed", "whole"))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_best_epoch_is_kept(draw_blots):
    X, y = draw_blots(seed=3)
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, net, **kwargs):
            weights = {name: tensor.clone().numpy() for name, tensor in net.module_.network.state_dict().items()}
            seen.append((net.history[-1]["valid_acc"], weights))

    featurizer = make(epochs=8, lr=0.1, callbacks=[Watch()]).fit(X, y)
    best = max(range(8), key=lambda epoch: (seen[epoch][0], epoch))
    assert best < 7
    assert_same_weights(featurizer, seen[best][1])
    assert not np.array_equal(seen[best][1]["fc_layers.0.fc.weight"], seen[7][1]["fc_layers.0.fc.weight"])


class SummaryWriter:
    """A substitute for TensorBoard's SummaryWriter."""

    scalars = []  # noqa: RUF012

    def add_scalar(self, tag, scalar_value, global_step):
        self.scalars.append(tag)

    def close(self):
        pass


def test_callbacks_are_passed_to_skorch(signatures, tmp_path, capsys):
    X, y = signatures
    callbacks = [
        Checkpoint(dirname=tmp_path / "kept", monitor=None),
        EarlyStopping(monitor="train_loss", patience=2, threshold=100, sink=str),
        TensorBoard(SummaryWriter()),
    ]
    featurizer = make(epochs=9, callbacks=callbacks, verbose=1).fit(X, y)
    assert len(featurizer.history_) == 3
    assert (tmp_path / "kept" / "params.pt").exists()
    assert {"Loss/train_loss", "Loss/valid_loss"} <= set(SummaryWriter.scalars)
    assert "epoch 3 of 9: training loss" in capsys.readouterr().err
    pickle.dumps(featurizer)


def test_checkpoints_need_a_folder(signatures):
    with pytest.raises(ValueError, match="Checkpoint without dirname="):
        make(callbacks=[("keep", Checkpoint())]).fit(*signatures)


def test_a_training_that_callbacks_ended_goes_on_with_others_only(signatures, tmp_path):
    X, y = signatures

    def stop(patience):
        return EarlyStopping(monitor="train_loss", patience=patience, threshold=100, sink=str)

    assert len(make(epochs=9, checkpoint_dir=tmp_path, callbacks=[stop(2)]).fit(X, y).history_) == 3
    assert len(make(epochs=9, checkpoint_dir=tmp_path, callbacks=[("stop", stop(2))]).fit(X, y).history_) == 3
    whole = make(epochs=9, checkpoint_dir=tmp_path).fit(X, y)
    assert len(whole.history_) == 9
    assert_same_weights(whole, make(epochs=9).fit(X, y))


class ConstantRate(Schedule):
    def factor(self, epochs_done, n_epochs):
        return 1.0


class HalvedLogits(WriterLoss):
    def __init__(self, share=0.5):
        self.share = share

    def classifier(self, n_features, n_classes):
        return nn.Linear(n_features, n_classes)

    def training_logits(self, logits, classes):
        return self.share * logits


def test_users_derive_from_the_bases(signatures, tmp_path):
    X, y = signatures
    settings = {"schedule": ConstantRate(), "loss": HalvedLogits(), "checkpoint_dir": tmp_path}
    featurizer = make(**settings, forgery_weight=0.5).fit(X, y)
    assert {epoch["lr"] for epoch in featurizer.history_} == {0.02}
    assert json.loads(featurizer.metadata_["recipe"])["training__loss__share"] == 0.5
    with pytest.raises(ValueError, match=r"training__loss__share was 0\.5 and is 0\.25"):
        featurizer.set_params(training__loss__share=0.25).fit(X, y)


def test_an_interruption_while_the_state_is_written_is_raised(signatures, tmp_path, monkeypatch):
    def interrupt(*paths):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            make(checkpoint_dir=tmp_path).fit(*signatures)
    assert_same_weights(make(checkpoint_dir=tmp_path).fit(*signatures), make().fit(*signatures))


def test_an_interrupted_fit_leaves_no_partial_state(signatures):
    X, y = signatures
    featurizer = make(callbacks=[InterruptAt(2)])
    with pytest.raises(KeyboardInterrupt):
        featurizer.fit(X, y)
    with pytest.raises(NotFittedError):
        featurizer.transform(X)


def test_parameters_may_be_numpy_scalars(signatures, tmp_path):
    X, y = signatures
    settings = {"epochs": np.int64(2), "lr": np.float32(0.02), "batch_size": np.int64(16), "loss": np.str_("softmax")}
    settings |= {"extra_classes": np.array(["mirrored"]).tolist(), "augmentation": Distortion(rotation=np.float64(3))}
    featurizer = make(**settings, checkpoint_dir=tmp_path).fit(X, y)
    assert json.loads(featurizer.metadata_["recipe"])["training__augmentation__rotation"] == 3.0
    assert_same_weights(featurizer, make(**settings, checkpoint_dir=tmp_path).fit(X, y))


class Record(Callback):
    """Record values that JSON does not support."""

    def on_batch_end(self, net, **kwargs):
        net.history.record("numpy", np.float32(1.5))
        net.history.record("tensor", torch.tensor(2))


def test_callbacks_may_record_anything(signatures, tmp_path):
    featurizer = make(checkpoint_dir=tmp_path, callbacks=[Record()]).fit(*signatures)
    assert featurizer.history_[-1]["numpy"] == 1.5
    assert featurizer.history_[-1]["tensor"] == 2


def test_a_training_with_a_random_state_object_can_be_resumed(signatures, tmp_path):
    X, y = signatures
    states = [np.random.RandomState(seed) for seed in (0, 1)]
    first, again = (make(checkpoint_dir=tmp_path, random_state=state).fit(X, y) for state in states)
    assert_same_weights(first, again)


def test_patience_counts_epochs_before_a_resumption(signatures, tmp_path):
    X, y = signatures
    settings = {"epochs": 30, "lr": 1e-9, "callbacks": [Patience(3)]}
    whole = make(**settings).fit(X, y)
    assert len(whole.history_) < 30
    interrupt = InterruptAt(len(whole.history_))
    part = make(**settings | {"callbacks": [Patience(3), interrupt]}, checkpoint_dir=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        part.fit(X, y)
    resumed = part.set_params(training__callbacks=[Patience(3)]).fit(X, y)
    assert len(resumed.history_) == len(whole.history_)
    assert len(part.fit(X, y).history_) == len(whole.history_)


def test_only_development_writers_are_trained_on(signatures):
    X, y = signatures
    dev = [1, 2, 3]
    few = np.isin(y[:, 0], dev)
    assert_same_weights(
        make(dev_writers=dev, forgery_weight=0.5).fit(X, y), make(forgery_weight=0.5).fit(X[few], y[few])
    )


def test_forgeries_are_only_trained_on_if_requested(signatures):
    X, y = signatures
    genuine = y[:, 1] == 0
    assert_same_weights(make().fit(X, y), make().fit(X[genuine], y[genuine, 0]))
    assert not np.array_equal(make(forgery_weight=0.1).fit(X, y).transform(X), make().fit(X, y).transform(X))


def test_random_states_are_not_changed(signatures):
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    make(**EVERYTHING).fit(*signatures)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


SHARED_TRAINING = """
import sys
import numpy as np, torch
from sigkit.transformers import SigNetFeaturizer
from sigkit.training import SigNetTraining
from sigkit.training._distributed import average_over_processes

rank, folder = int(sys.argv[1]), sys.argv[2]
store = torch.distributed.FileStore(folder + "/store", 2)
torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
mean = torch.tensor([float(rank)])
average_over_processes([mean])
signatures = np.load(folder + "/signatures.npz")
run = folder + "/run" if rank == 0 else None
training = SigNetTraining(epochs=3, lr=0.02, checkpoint_dir=run)
featurizer = SigNetFeaturizer("tiny", forgery_weight=0.5, training=training, random_state=0)
if rank:
    featurizer.set_params(random_state=None)
featurizer.fit(signatures["X"], signatures["y"])
weights = {name: tensor.numpy() for name, tensor in featurizer.network_.state_dict().items()}
np.savez(f"{folder}/{rank}.npz", mean=mean.numpy(), **weights)
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_processes_that_train_together_end_with_the_same_weights(signatures, tmp_path):
    X, y = signatures
    np.savez(tmp_path / "signatures.npz", X=X, y=y)
    command = [sys.executable, "-W", "ignore", "-c", SHARED_TRAINING]
    started = [subprocess.Popen([*command, str(rank), str(tmp_path)]) for rank in (0, 1)]
    assert [process.wait() for process in started] == [0, 0]
    first, second = (dict(np.load(tmp_path / f"{rank}.npz")) for rank in (0, 1))
    assert first["mean"] == 0.5
    assert_same_weights(first, second)
    untrained = weights_of(make(epochs=0).fit(X, y))
    assert not np.array_equal(untrained["fc_layers.0.fc.weight"], first["fc_layers.0.fc.weight"])


def test_learning_curves(signatures):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    featurizer = make().fit(*signatures)
    display = TrainingCurvesDisplay.from_estimator(featurizer)
    losses, accuracy = display.axes_
    assert [line.get_label() for line in losses.lines] == ["training", "validation"]
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [epoch["valid_acc"] for epoch in featurizer.history_])
    untrained = make(epochs=0).fit(*signatures)
    with pytest.raises(ValueError, match="was not trained"):
        TrainingCurvesDisplay.from_estimator(untrained)


def test_compiled_training(signatures, monkeypatch):
    X, y = signatures
    called = []

    def compile_eagerly(module, **kwargs):
        called.append(type(module).__name__)
        return torch._dynamo.optimize("eager")(module)

    monkeypatch.setattr(torch, "compile", compile_eagerly)
    compiled = make(epochs=2, compile=True).fit(X, y)
    assert called == ["TrainingNetwork"]
    np.testing.assert_allclose(compiled.transform(X), make(epochs=2).fit(X, y).transform(X), atol=1e-4)


def test_bfloat16_training(signatures):
    X, y = signatures
    featurizer = make(epochs=30, precision="bfloat16").fit(X, y)
    assert featurizer.history_[-1]["train_loss"] < 0.5 * featurizer.history_[0]["train_loss"]
    assert {tensor.dtype for tensor in featurizer.network_.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (slice(0, 12), {}, r"at least 2 writers .*found only 1"),
        (slice(8, 12), {}, r"at least 2 writers .*found none"),
        ([*range(8), 12], {}, "a single image of writer 2"),
        ([*range(8), 12, 12], {}, "a single image of writer 2"),
        ([*range(8), *range(12, 20)], {"forgery_weight": 0.5}, "y has none"),
        (slice(None), {"batch_size": 1}, "batch_size=1, with 35 images .* at least 2 images"),
        (slice(None), {"augmentation": Distortion(scaling=0)}, r"'scaling' parameter of Distortion must be .* Got 0"),
        (slice(None), {"augmentation": Distortion(erase=2)}, r"'erase' parameter of Distortion must be .* Got 2"),
        (slice(None), {"augmentation": Distortion(rotation="a")}, r"'rotation' parameter of Distortion must be"),
        (slice(None), {"augmentation": "turn"}, "'augmentation' parameter of SigNetTraining must be"),
        (slice(None), {"loss": "hinge"}, "loss must be one of 'softmax', 'cosface', or an instance of WriterLoss"),
        (slice(None), {"loss": CosFaceLoss(margin=2)}, "'margin' parameter of CosFaceLoss must be"),
        (slice(None), {"schedule": "linear"}, "schedule must be one of 'step', 'cosine'"),
        (slice(None), {"schedule": CosineSchedule(warm_up=1)}, "'warm_up' parameter of CosineSchedule must be"),
        (slice(None), {"extra_classes": ["twins"]}, "extra_classes must be of"),
        (slice(None), {"dev_writers": [7]}, "dev_writers names writers that are not in y: 7"),
        (slice(None), {"forgery_weight": 2}, "forgery_weight"),
        (slice(None), {"callbacks": [Patience(2)], "validation_fraction": 0}, "Patience waits for a better validation"),
        (slice(0, 0), {}, "0 sample"),
    ],
)
def test_bad_input(signatures, rows, settings, message):
    X, y = signatures
    with pytest.raises(ValueError, match=message):
        make(**settings).fit(X[rows], y[rows])


class Spoil(Callback):
    """Make the weights infinite in an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if net.history[-1]["epoch"] == self.epoch:
            with torch.no_grad():
                net.module_.writers.weight.fill_(np.inf)


def test_a_training_that_diverges_warns_and_keeps_the_best_epoch(signatures, tmp_path):
    with pytest.warns(ConvergenceWarning, match=r"diverged in epoch 3: the loss is nan. Lower lr .now 0.02"):
        spoilt = make(checkpoint_dir=tmp_path, callbacks=[Spoil(3)]).fit(*signatures)
    assert [epoch["epoch"] for epoch in spoilt.history_] == [1, 2]
    assert np.isfinite(spoilt.transform(signatures[0])).all()
    whole = make(checkpoint_dir=tmp_path).fit(*signatures)
    assert_same_weights(whole, make().fit(*signatures))


def test_a_training_that_diverges_at_once_is_an_error(signatures):
    with pytest.raises(ValueError, match="diverged in epoch 1: the loss is nan"):
        make(callbacks=[Spoil(1)]).fit(*signatures)


def test_training_needs_writers(signatures):
    X, y = signatures
    with pytest.raises(ValueError, match="requires y to be passed"):
        make().fit(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make().fit(X, y[:-1])
    with pytest.raises(ValueError, match="signet needs images of at least 150 x 220 pixels, found 40 x 60"):
        SigNetFeaturizer().fit(X, y)


def test_weights_describe_their_training(signatures, tmp_path):
    X, y = signatures
    path = tmp_path / "mine.safetensors"
    featurizer = make(forgery_weight=0.5).fit(X, y).save_weights(path, corpus="blots", licence="CC0")
    loaded = SigNetFeaturizer(weights=path).fit(X)
    np.testing.assert_allclose(loaded.transform(X), featurizer.transform(X), atol=1e-6)
    said = loaded.metadata_
    assert said["corpus"] == "blots"
    assert said["licence"] == "CC0"
    assert said["date"] == time.strftime("%Y-%m-%d")
    assert json.loads(said["recipe"])["forgery_weight"] == 0.5
    assert json.loads(said["preprocessing"])["image_size"] == [40, 60]
    assert "60 distinct signatures of 5 writers" in said["trained_on"]
    half = tmp_path / "half.safetensors"
    featurizer.save_weights(half, half=True)
    assert half.stat().st_size < 0.75 * path.stat().st_size
    np.testing.assert_allclose(SigNetFeaturizer(weights=half).fit_transform(X), featurizer.transform(X), atol=0.05)


def test_preprocessing_that_differs_from_training_warns(signatures, tmp_path):
    X, y = signatures
    path = tmp_path / "mine.safetensors"
    make(epochs=0).fit(X, y).save_weights(path)
    with pytest.raises(ValueError, match=r"mine.safetensors: .* images of 40 x 60 pixels; found images of 38 x 60"):
        SigNetFeaturizer(weights=path).fit(X[:, 1:-1])
    # The start of a training may have another resolution.
    make(epochs=1, initial_weights=path).fit(X[:, 1:-1], y)
    with pytest.warns(UserWarning, match="ink on 100.0% of the pixels instead of about"):
        SigNetFeaturizer(weights=path).fit(np.maximum(X, 9))


@pytest.fixture
def learned(signatures, tmp_path):
    path = tmp_path / "learned.safetensors"
    return path, make(random_state=3).fit(*signatures).save_weights(path)


def test_a_training_starts_from_given_weights(signatures, learned):
    X, y = signatures
    path, featurizer = learned
    untouched = make(epochs=0, initial_weights=path).fit(X, y)
    assert_same_weights(untouched, featurizer)
    further = make(initial_weights=path, lr=1e-9).fit(X, y)
    for name, weights in weights_of(featurizer).items():
        if "running" not in name and "tracked" not in name:
            np.testing.assert_allclose(weights_of(further)[name], weights, atol=1e-6)
    assert further.history_[0]["train_loss"] != make().fit(X, y).history_[0]["train_loss"]


def test_the_architecture_is_that_of_the_initial_weights(signatures, learned):
    featurizer = make(initial_weights=learned[0], epochs=1).set_params(architecture="signet_thin").fit(*signatures)
    assert featurizer.architecture_ == "tiny"
    assert json.loads(featurizer.metadata_["recipe"])["architecture"] == "tiny"


def test_a_training_from_given_weights_resumes_exactly(signatures, learned, tmp_path):
    X, y = signatures
    whole = make(initial_weights=learned[0]).fit(X, y)
    part = make(initial_weights=learned[0], checkpoint_dir=tmp_path / "run", callbacks=[InterruptAt(3)])
    with pytest.raises(KeyboardInterrupt):
        part.fit(X, y)
    assert_same_weights(part.set_params(training__callbacks=None).fit(X, y), whole)
    with pytest.raises(ValueError, match=r"another training .initial_weights differ"):
        make(checkpoint_dir=tmp_path / "run").fit(X, y)


def test_weights_are_either_used_or_trained_further(signatures, learned):
    with pytest.raises(ValueError, match="weights= are used as they are, and initial_weights= are trained further"):
        make(weights=learned[0], initial_weights=learned[0]).fit(*signatures)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        make(initial_weights="nowhere.safetensors").fit(*signatures)
