"""Meta-training of a MetaLearnedVerifier: resumption, divergence, rates, passes, statistics and pre-training."""

import json

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sigkit.nets import MetaLearner, build_network, network_input
from sigkit.training import InnerLoop, SigNetTraining
from sigkit.training._checkpoint import STATE_FILE
from sigkit.training._meta_train import MetaTrainer
from sigkit.transformers import SigNetFeaturizer

DEV = (1, 2, 3, 4)
N_GENUINE, N_SKILLED = 8, 4
NO_OTHERS = {"n_random_forgeries": 0, "training__n_queries": (4, 0, 4)}


def assert_same_learner(first, second):
    first, second = first.learner_.state_dict(), second.learner_.state_dict()
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def interrupt(*args):
    raise KeyboardInterrupt


class TestResumption:
    """The state in `checkpoint_dir`."""

    @pytest.mark.parametrize(
        "parameters",
        [{}, {"adapt": "head"}, {"training__inner_loop__order": 1, "training__meta_batch_size": 1}],
    )
    def test_an_interrupted_training_resumes_exactly(self, blots, make_verifier, tmp_path, monkeypatch, parameters):
        X, y = blots
        wanted = make_verifier(training__epochs=4, **parameters).fit(X, y)
        learn = MetaTrainer._learn

        def interrupted(self, epoch, verbose):
            return interrupt() if epoch == 2 else learn(self, epoch, verbose)

        model = make_verifier(training__epochs=4, training__checkpoint_dir=tmp_path, **parameters)
        with monkeypatch.context() as patched:
            patched.setattr(MetaTrainer, "_learn", interrupted)
            with pytest.raises(KeyboardInterrupt):
                model.fit(X, y)
        with pytest.raises(NotFittedError):
            model.decision_function(X)
        model.fit(X, y)
        assert_same_learner(model, wanted)
        assert [epoch["train_loss"] for epoch in model.history_] == [epoch["train_loss"] for epoch in wanted.history_]

    def test_a_finished_training_is_not_repeated(self, blots, make_verifier, tmp_path, monkeypatch):
        X, y = blots
        wanted = make_verifier(training__checkpoint_dir=tmp_path).fit(X, y)
        monkeypatch.setattr(MetaTrainer, "_learn", None)
        # Other references in the fold, the same development writers: as in cross-validation.
        chosen = (y[:, 0] <= 5) | (np.arange(len(y)) % 3 > 0)
        again = make_verifier(training__checkpoint_dir=tmp_path).fit(X[chosen], y[chosen])
        assert_same_learner(again, wanted)

    def test_the_state_has_the_keys_of_every_training(self, blots, make_verifier, tmp_path):
        model = make_verifier(training__checkpoint_dir=tmp_path).fit(*blots)
        state = torch.load(tmp_path / STATE_FILE, weights_only=True)
        assert state.keys() == {"model", "optimizer", "best", "stopped_by", "history", "recipe", "digest"}
        assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]
        recipe = json.loads(state["recipe"])
        assert recipe == json.loads(model.metadata_["recipe"])
        assert recipe["seed"] == np.random.RandomState(0).randint(2**31 - 1)
        assert recipe["training__inner_loop__lr"] == 0.1

    def test_without_an_integer_the_seed_is_that_of_the_state(self, blots, make_verifier, tmp_path):
        X, y = blots
        parameters = {"random_state": None, "training__checkpoint_dir": tmp_path}
        assert_same_learner(*(make_verifier(**parameters).fit(X, y) for _ in range(2)))

    def test_the_state_of_another_training_is_refused(self, blots, make_verifier, tmp_path):
        X, y = blots
        make_verifier(training__checkpoint_dir=tmp_path).fit(X, y)
        for parameters, named in (
            ({"training__lr": 0.5}, "training__lr was 0.001 and is 0.5"),
            ({"random_state": 1}, "seed was"),
        ):
            with pytest.raises(ValueError, match=named):
                make_verifier(training__checkpoint_dir=tmp_path, **parameters).fit(X, y)
        with pytest.raises(ValueError, match="images differ"):
            make_verifier(training__checkpoint_dir=tmp_path).fit(255 - X, y)

    def test_a_folder_that_cannot_be_written_is_named_before_the_training(
        self, blots, make_verifier, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(MetaTrainer, "_learn", None)
        (tmp_path / "file").touch()
        with pytest.raises(ValueError, match="is a file; name a folder"):
            make_verifier(training__checkpoint_dir=tmp_path / "file").fit(*blots)
        with pytest.raises(OSError, match="checkpoint_dir='/proc/nowhere'"):
            make_verifier(training__checkpoint_dir="/proc/nowhere").fit(*blots)


class TestDivergence:
    """Losses or weights that are NaN."""

    def test_divergence_in_a_later_epoch_warns_and_keeps_the_best_epoch(self, blots, make_verifier, monkeypatch):
        X, y = blots
        parameters = {"training__epochs": 3, "training__validation_fraction": 0.0}
        good = make_verifier(**parameters).fit(X, y)
        task_loss, calls = MetaLearner.task_loss, []

        def diverging(self, *task):
            loss, scores = task_loss(self, *task)
            calls.append(loss)
            return (loss * float("nan") if len(calls) > 2 * len(DEV) else loss), scores

        monkeypatch.setattr(MetaLearner, "task_loss", diverging)
        with pytest.warns(ConvergenceWarning, match=r"diverged in epoch 3.* weights are those of epoch 2") as caught:
            model = make_verifier(**parameters).fit(X, y)
        assert caught[0].filename == __file__
        assert [epoch["epoch"] for epoch in model.history_] == [1, 2]
        assert model.history_ == [{**epoch, "dur": found["dur"]} for epoch, found in zip(good.history_, model.history_)]
        assert np.isfinite(model.decision_function(X)).all()

    def test_divergence_in_the_first_epoch_is_an_error(self, blots, make_verifier):
        with pytest.raises(ValueError, match=r"diverged in epoch 1.*inner_loop\.lr"):
            make_verifier(training__inner_loop__lr=1e30, n_updates=5).fit(*blots)

    def test_a_validation_loss_counts_too(self, blots, make_verifier, monkeypatch):
        monkeypatch.setattr(MetaTrainer, "_validate", lambda self: {"valid_loss": float("nan"), "valid_acc": 0.5})
        with pytest.raises(ValueError, match="diverged in epoch 1"):
            make_verifier().fit(*blots)


class TestQueries:
    """The number of queries in a task."""

    def test_fewer_queries_than_requested_with_a_warning(self, blots, make_verifier):
        with pytest.warns(UserWarning, match="distinct") as caught:
            make_verifier(training__n_queries=(10, 3, 10)).fit(*blots)
        messages = "\n".join(str(warning.message) for warning in caught)
        assert "4 of 4 development writers have fewer than 4 + 10 distinct genuine signatures" in messages
        assert "1 (8 genuine), 2 (8 genuine)" in messages
        assert "fewer than 10 distinct ones" in messages
        assert all(warning.filename == __file__ for warning in caught)

    def test_requested_skilled_forgeries_must_exist(self, blots, make_verifier):
        X, y = blots
        genuine = y[:, 1] == 0
        message = "asks for 4 skilled forgeries .*no development writer has any.*third number of n_queries to 0"
        with pytest.raises(ValueError, match=message):
            make_verifier().fit(X[genuine], y[genuine])
        assert make_verifier(training__n_queries=(4, 3, 0)).fit(X[genuine], y[genuine]).history_


class TestRates:
    """The learning rates of the steps of the adaptation."""

    def test_learned_rates_differ_by_step_and_layer(self, fitted_verifier):
        learner = fitted_verifier().learner_
        rates = learner.network_rates.detach().numpy()
        assert rates.shape == (2, 6)
        assert (rates[0] != rates[1]).any()
        assert len(np.unique(rates[1])) > 1
        assert learner.rates.shape == (2, 2)

    def test_the_network_can_have_other_rates(self, fitted_verifier):
        learner = fitted_verifier(training__inner_loop__network_lr=1e-4).learner_
        assert (learner.rates > 0.09).all()
        # As Adam steps, they change by the same share as the others at most.
        assert 0 < (learner.network_rates - 1e-4).abs().max() < 1e-5

    def test_fixed_rates_do_not_change(self, fitted_verifier):
        learner = fitted_verifier(training__inner_loop__learn_lr=False).learner_
        assert (learner.rates == learner.rates[0, 0]).all()

    @pytest.mark.parametrize("adapt", ["all", "head"])
    def test_the_network_can_be_fixed(self, blots, fitted_verifier, adapt):
        X, _ = blots
        before = fitted_verifier(training__epochs=0, adapt=adapt).learner_
        after = fitted_verifier(training__network_lr=0, adapt=adapt).learner_
        for name, tensor in before.network.state_dict().items():
            assert torch.equal(after.network.state_dict()[name], tensor)
        assert not torch.equal(before.rates, after.rates)
        assert not torch.equal(before.head.weight, after.head.weight)
        slow, same = (fitted_verifier(training__network_lr=lr, adapt=adapt) for lr in (1e-9, 1e-3))
        change = (slow.learner_.network.fc_layers[0].fc.weight - before.network.fc_layers[0].fc.weight).abs().max()
        assert 0 < change < 1e-7
        np.testing.assert_array_equal(same.decision_function(X), fitted_verifier(adapt=adapt).decision_function(X))


def test_features_of_a_fixed_network_are_computed_once(blots, make_verifier, monkeypatch):
    X, y = blots
    stays = {"adapt": "head", "training__network_lr": 0.0, "training__epochs": 4}
    # The network takes images of any size, so that a random crop takes all of them.
    wanted = make_verifier(training__augmentation="crop", **stays).fit(X, y)
    prepare, calls = MetaLearner.prepare, []
    monkeypatch.setattr(MetaLearner, "prepare", lambda self, images: calls.append(len(images)) or prepare(self, images))
    model = make_verifier(training__augmentation=None, **stays).fit(X, y)
    assert sum(calls) < 2 * len(X)
    for name, tensor in wanted.learner_.state_dict().items():
        torch.testing.assert_close(model.learner_.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)


class TestPasses:
    """The images that pass through the network together."""

    @pytest.fixture
    def passes(self, monkeypatch):
        """Return the list of the numbers of images that passed through a tiny network, pass by pass."""
        network = type(build_network("tiny"))
        sizes, forward = [], network.forward

        def recorded(self, images):
            sizes.append(len(images))
            return forward(self, images)

        monkeypatch.setattr(network, "forward", recorded)
        return sizes

    def test_tasks_that_adapt_the_network_pass_one_at_a_time(self, blots, make_verifier, passes):
        make_verifier(training__meta_batch_size=4, training__epochs=1, **NO_OTHERS).fit(*blots)
        for_statistics = passes.pop(0)
        assert for_statistics == 4 * (N_GENUINE + N_SKILLED)
        assert max(passes) == 4 + 4

    @pytest.mark.parametrize(("bound", "wanted"), [(256, [48]), (47, [24, 24]), (24, [24, 24]), (20, [12, 12, 12, 12])])
    def test_tasks_that_share_a_network_pass_together_within_the_memory_limit(
        self, blots, make_verifier, passes, monkeypatch, bound, wanted
    ):
        monkeypatch.setattr("sigkit.training._meta_train.N_IMAGES_PER_PASS", bound)
        parameters = {"training__meta_batch_size": 4, "training__epochs": 1, "training__validation_fraction": 0.0}
        make_verifier(adapt="head", **parameters, **NO_OTHERS).fit(*blots)
        assert passes[1 : 1 + len(wanted)] == wanted

    @pytest.mark.parametrize("meta_batch_size", [1, 3, 4])
    def test_a_step_averages_the_gradients_of_its_tasks(self, blots, make_verifier, monkeypatch, meta_batch_size):
        found, step = [], torch.optim.Adam.step

        def recorded(self, *args):
            biases = [parameter for parameter in self.param_groups[0]["params"] if parameter.numel() == 1]
            found.append([bias.grad.item() for bias in biases])
            return step(self, *args)

        monkeypatch.setattr(torch.optim.Adam, "step", recorded)
        monkeypatch.setattr(MetaLearner, "task_loss", lambda self, *task: (3 * self.head.bias.sum(), None))
        make_verifier(
            training__meta_batch_size=meta_batch_size,
            training__epochs=1,
            training__validation_fraction=0.0,
            training__inner_loop__learn_lr=False,
        ).fit(*blots)
        assert found == [[pytest.approx(3.0)]] * -(-4 // meta_batch_size)


SHARED = {"adapt": "head"}
STAYS = SHARED | {"training__network_lr": 0, "training__augmentation": None}


def statistics(model):
    return {name: buffer.clone() for name, buffer in model.learner_.named_buffers() if "running" in name}


class TestStatistics:
    """The statistics that batch normalization uses."""

    @pytest.mark.parametrize(("parameters", "wanted"), [(SHARED, {True, False}), (STAYS, {False}), ({}, {False})])
    def test_a_trained_shared_network_uses_batch_statistics(
        self, blots, make_verifier, monkeypatch, parameters, wanted
    ):
        seen, prepare = [], MetaLearner.prepare

        def recorded(self, images):
            seen.append((torch.is_grad_enabled(), self.network.conv_layers[0].bn.training))
            return prepare(self, images)

        monkeypatch.setattr(MetaLearner, "prepare", recorded)
        make_verifier(training__epochs=1, **parameters).fit(*blots)
        # Gradients are recorded in the training; validation, adaptation and queries have none.
        assert {normalizes for recorded, normalizes in seen if recorded} <= {True in wanted}
        assert {normalizes for _, normalizes in seen} == wanted

    @pytest.mark.parametrize("bound", [256, 15])
    def test_final_statistics_are_those_of_the_development_writers(self, blots, make_verifier, monkeypatch, bound):
        X, y = blots
        monkeypatch.setattr("sigkit.training._meta_train.N_IMAGES_PER_PASS", bound)
        parameters = {"training__epochs": 1, "training__validation_fraction": 0.0}
        model = make_verifier(adapt="head", **parameters).fit(X, y)
        found = statistics(model)
        images = network_input(torch.from_numpy(X[np.isin(y[:, 0], DEV)])[:, None], None)
        network = model.learner_.network.train()
        for layer in network.modules():
            if hasattr(layer, "running_mean"):
                layer.momentum = 1.0
        with torch.no_grad():
            network(images)
        wanted = statistics(model)
        # Parts of the same length have exactly the mean of all in the first layer; later ones normalize each part.
        exact = wanted if bound == 256 else ["network.conv_layers.0.bn.running_mean"]
        for name in exact:
            torch.testing.assert_close(found[name], wanted[name], rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize(
        ("parameters", "changes"), [(SHARED, True), (SHARED | {"training__network_lr": 0}, False), ({}, False)]
    )
    def test_statistics_of_a_trained_shared_network_change(self, fitted_verifier, parameters, changes):
        before, after = (statistics(fitted_verifier(training__epochs=epochs, **parameters)) for epochs in (0, 1))
        assert len(before) == 4
        assert all(torch.equal(before[name], after[name]) != changes for name in before)


class TestPretraining:
    """A training of features on the development writers before the meta-training."""

    @pytest.mark.parametrize("forgery_weight", [None, 0.95], ids=["signet", "signet-f"])
    def test_pretraining_is_that_of_a_featurizer(self, blots, make_verifier, forgery_weight):
        X, y = blots
        pretrain = SigNetFeaturizer(forgery_weight=forgery_weight, training=SigNetTraining(epochs=1))
        parameters = {"training__pretrain": pretrain, "training__validation_fraction": 0.0}
        model = make_verifier(training__epochs=0, **parameters).fit(X, y)
        is_dev = y[:, 0] <= 4
        alone = SigNetFeaturizer(
            "tiny",
            forgery_weight=forgery_weight,
            training=SigNetTraining(epochs=1),
            random_state=np.random.RandomState(0).randint(2**31 - 1),
        ).fit(X[is_dev], y[is_dev])
        for name, tensor in alone.network_.state_dict().items():
            assert torch.equal(model.learner_.network.state_dict()[name], tensor)
        assert make_verifier(training__pretrain=pretrain).fit(X, y).history_
        assert not hasattr(pretrain, "network_")

    def test_pretraining_uses_the_writers_and_forgeries_of_the_meta_training(self, blots, make_verifier, monkeypatch):
        seen, fit = [], SigNetFeaturizer.fit

        def recorded(self, X, y):
            seen.append(y)
            return fit(self, X, y)

        monkeypatch.setattr(SigNetFeaturizer, "fit", recorded)
        pretrain = SigNetFeaturizer(forgery_weight=0.5, training=SigNetTraining(epochs=1))
        make_verifier(training__pretrain=pretrain, training__n_forgery_writers=1).fit(*blots)
        [target] = seen
        assert len(set(target[:, 0])) == 3
        assert len(set(target[target[:, 1] == 1, 0])) == 1

    def test_interrupted_pretraining_resumes_without_a_seed(self, blots, make_verifier, tmp_path, monkeypatch):
        parameters = {
            "training__pretrain": SigNetFeaturizer(training=SigNetTraining(epochs=2)),
            "training__checkpoint_dir": tmp_path,
            "random_state": None,
        }
        with monkeypatch.context() as patched:
            patched.setattr(MetaTrainer, "_learn", interrupt)
            with pytest.raises(KeyboardInterrupt):
                make_verifier(**parameters).fit(*blots)
        before, after = tmp_path / "pretraining" / STATE_FILE, tmp_path / STATE_FILE
        written = before.stat().st_mtime_ns
        seed = json.loads(torch.load(after, weights_only=True)["recipe"])["seed"]
        model = make_verifier(**parameters).fit(*blots)
        assert before.stat().st_mtime_ns == written
        assert json.loads(model.metadata_["recipe"])["seed"] == seed

    def test_its_recipe_is_that_of_the_start(self, blots, make_verifier, tmp_path):
        pretrain = SigNetFeaturizer(training=SigNetTraining(epochs=1))
        model = make_verifier(training__pretrain=pretrain, training__checkpoint_dir=tmp_path).fit(*blots)
        start = json.loads(model.metadata_["start"])
        assert json.loads(start["recipe"])["training__lr"] == 0.001
        assert "training__pretrain" not in json.loads(model.metadata_["recipe"])


def test_fit_leaves_no_gradients_behind(blots, make_verifier, fitted_verifier, tmp_path):
    model = fitted_verifier()
    assert all(parameter.grad is None for parameter in model.learner_.parameters())
    path = tmp_path / "start.safetensors"
    model.save_weights(path, corpus="GPDS", licence="proprietary")
    further = make_verifier(weights=path).fit(*blots)
    assert not {"corpus", "licence"} & set(further.metadata_)
    assert json.loads(further.metadata_["start"])["corpus"] == "GPDS"


def test_the_training_object_is_not_changed(blots, make_verifier):
    model = make_verifier(training__inner_loop=None, training__n_queries=[4, 3, 4])
    training = model.training
    model.fit(*blots)
    assert model.training is training
    assert training.inner_loop is None
    assert training.n_queries == [4, 3, 4]
    explicit = make_verifier(training__inner_loop=InnerLoop()).fit(*blots)
    assert_same_learner(model, explicit)
