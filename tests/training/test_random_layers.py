"""Trainings of networks that draw: they depend on the seed alone, also when resumed and in threads."""

import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sigkit.nets import build_network, register_architecture
from sigkit.nets._signet import TinyNet
from sigkit.training import CosFaceLoss, SigNetTraining
from sigkit.transformers import SigNetFeaturizer


class DroppingNet(TinyNet):
    """Drops features in training, by a layer."""

    def __init__(self):
        super().__init__()
        self.dropout = torch.nn.Dropout(0.3)

    def forward(self, images):
        return self.dropout(super().forward(images))


class JitterNet(TinyNet):
    """Draws in its forward method, in evaluation too."""

    def forward(self, images):
        return super().forward(images + 0.2 * torch.rand(images.shape, device=images.device))


class RandomMargin(CosFaceLoss):
    """A loss that draws."""

    def training_logits(self, logits, classes):
        return logits + 0.1 * torch.randn_like(logits)


register_architecture("dropping", DroppingNet, "dropout")
register_architecture("jitter", JitterNet, "noise in the forward method")
NETWORKS = pytest.mark.parametrize(
    ("architecture", "loss"), [("dropping", "softmax"), ("jitter", "softmax"), ("tiny", RandomMargin(margin=0.0))]
)


class Interruption(KeyboardInterrupt):
    pass


@pytest.fixture(scope="module")
def images(draw_blots):
    return draw_blots(28, 36, n_writers=3, n_genuine=6, n_skilled=0)


@pytest.fixture
def make():
    def make(architecture, loss, **parameters):
        training = SigNetTraining(loss, epochs=4, batch_size=6).set_params(**parameters)
        return SigNetFeaturizer(architecture, training=training, device="cpu", random_state=0)

    return make


def assert_equal(one, other):
    assert one.history_[-1]["train_loss"] == other.history_[-1]["train_loss"]
    for tensor, wanted in zip(one.network_.parameters(), other.network_.parameters(), strict=True):
        assert torch.equal(tensor, wanted)


@NETWORKS
def test_the_result_depends_on_the_seed_alone(make, images, architecture, loss):
    X, y = images
    first = make(architecture, loss).fit(X, y)
    torch.rand(1)
    assert_equal(make(architecture, loss).fit(X, y), first)
    other = make(architecture, loss).set_params(random_state=1).fit(X, y)
    assert other.history_[-1]["train_loss"] != first.history_[-1]["train_loss"]
    assert np.array_equal(first.transform(X), first.transform(X))


def test_draws_differ_from_epoch_to_epoch_and_from_step_to_step(make, images, monkeypatch):
    drawn, forward = [], DroppingNet.forward

    def watched(self, batch):
        features = forward(self, batch)
        if self.training:
            drawn.append(tuple((features == 0).flatten().tolist()))
        return features

    monkeypatch.setattr(DroppingNet, "forward", watched)
    make("dropping", "softmax").fit(*images)
    assert len(set(drawn)) == len(drawn) > 4


@NETWORKS
def test_a_resumed_training_is_equal(make, images, architecture, loss, tmp_path, monkeypatch):
    from sigkit.training._run import TrainingRun

    X, y = images
    expected, end_epoch = make(architecture, loss).fit(X, y), TrainingRun.end_epoch

    def interrupted(self, *args, **kwargs):
        goes_on = end_epoch(self, *args, **kwargs)
        if len(self.history) == 2:
            raise Interruption
        return goes_on

    monkeypatch.setattr(TrainingRun, "end_epoch", interrupted)
    with pytest.raises(Interruption):
        make(architecture, loss, checkpoint_dir=str(tmp_path)).fit(X, y)
    monkeypatch.undo()
    assert_equal(make(architecture, loss, checkpoint_dir=str(tmp_path)).fit(X, y), expected)


@NETWORKS
def test_trainings_in_threads_are_equal(make, images, architecture, loss):
    model = make(architecture, loss)
    expected, found = clone(model).fit(*images), []
    threads = [threading.Thread(target=lambda: found.append(clone(model).fit(*images))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for fitted in found:
        assert_equal(fitted, expected)


def test_trainings_of_networks_that_draw_nothing_are_not_slowed_down(make, images, monkeypatch):
    import sigkit.training._net as net

    monkeypatch.setattr(net, "OwnDraws", None)
    with pytest.raises(TypeError):
        make("dropping", "softmax").fit(*images)
    monkeypatch.undo()
    entered, draws = [], net.OwnDraws
    monkeypatch.setattr(net, "OwnDraws", lambda *seed: entered.append(seed) or draws(*seed))
    make("tiny", "softmax").fit(*images)
    # The initial weights of the classifier alone.
    assert len(entered) == 1


@pytest.mark.parametrize("recompute", [False, True])
def test_meta_training_in_threads(blots, make_verifier, recompute):
    """Each call of the network draws the same, whichever thread makes it, and when it is computed again."""
    parameters = {"architecture": "jitter", "training__inner_loop__recompute": recompute}
    one, two = (make_verifier(**parameters, training__n_jobs=n_jobs).fit(*blots) for n_jobs in (None, 2))
    scores = one.decision_function(blots[0])
    assert np.array_equal(scores, one.decision_function(blots[0]))
    np.testing.assert_allclose(two.decision_function(blots[0]), scores, rtol=1e-3, atol=1e-4)


def test_meta_trainings_in_threads_of_the_user_are_equal(blots, make_verifier):
    expected, found = make_verifier().fit(*blots), []
    threads = [threading.Thread(target=lambda: found.append(make_verifier().fit(*blots))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for fitted in found:
        assert np.array_equal(fitted.decision_function(blots[0]), expected.decision_function(blots[0]))


def test_initial_weights_are_those_of_the_seed():
    """The numbers that `torch.manual_seed` gave before sigkit had generators of its own."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        expected = build_network("tiny").state_dict()
    found = build_network("tiny", seed=7).state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())
