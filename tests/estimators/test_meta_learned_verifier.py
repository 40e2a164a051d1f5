"""MetaLearnedVerifier as an estimator: enrolling, scoring, interruptions and bad input."""

import json
import pickle
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.metrics import eer_score, verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.nets import MetaLearner, network_input
from sigkit.nets._signet import TinyNet
from sigkit.training import update_statistics
from sigkit.training._meta_training import MetaTraining
from sigkit.training._tasks import DevelopmentSet, TaskSizes, draw_from_each
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer, TrainingCurvesDisplay

N_WRITERS, N_GENUINE, N_SKILLED, DEV = 7, 8, 4, (1, 2, 3, 4)


def draw_signatures(n_writers=N_WRITERS, n_genuine=N_GENUINE, seed=0):
    """Blots of a writer's own shape; those of forgeries are half the writer's."""
    rng = np.random.default_rng(seed)
    shapes = rng.random((2, n_writers, 5, 7)) > 0.6
    images, target = [], []
    for writer in range(n_writers):
        for number in range(n_genuine + N_SKILLED):
            shape = shapes[0, writer].copy()
            if number >= n_genuine:
                shape[3:] = shapes[1, writer, 3:]
            image = np.kron(shape, np.ones((4, 4))) * rng.integers(120, 255) * (rng.random((20, 28)) > 0.1)
            images.append(np.roll(np.pad(image, 4), rng.integers(-2, 3, 2), axis=(0, 1)).astype(np.uint8))
            target.append([writer + 1, int(number >= n_genuine)])
    return np.array(images), np.array(target)


@pytest.fixture(scope="module")
def signatures():
    return draw_signatures()


def make(**settings):
    given = {
        "n_references": 4,
        "n_random_forgeries": 3,
        "n_updates": 2,
        "inner_lr": 0.1,
        "epochs": 2,
        "random_state": 0,
    }
    sizes = {"n_query_genuine": 4, "n_query_random": 3, "n_query_skilled": 4}
    return MetaLearnedVerifier("tiny", **{"dev_writers": DEV} | given | sizes | settings)


@pytest.fixture(scope="module")
def fitted(signatures):
    return make().fit(*signatures)


VARIANTS = [
    {},
    {"adapt": "head"},
    {"head": "distance"},
    {"head": "distance", "adapt": "head", "n_random_forgeries": 0},
    {"order": 1},
    {"n_random_forgeries": 0},
    {"keep": "weights"},
    {"adapt": "head", "n_random_forgeries": 0, "learn_inner_lr": False},
    {"augmentation": {"rotation": 5.0}},
    {"augmentation": None, "adapt": "head", "network_lr": 0.0},
    {"validation_fraction": 0.0},
]


@pytest.mark.parametrize("settings", VARIANTS)
def test_claims_pick_columns(signatures, settings):
    X, y = signatures
    model = make(**settings).fit(X, y)
    assert model.classes_.tolist() == [5, 6, 7]
    queries, claimed = X[-20:], y[-20:, 0]
    matrix = model.decision_function(queries)
    assert matrix.shape == (20, 3)
    assert np.isfinite(matrix).all()
    columns = np.searchsorted(model.classes_, claimed)
    np.testing.assert_allclose(model.claim_scores(queries, claimed), matrix[np.arange(20), columns], atol=1e-5)
    assert (model.predict(queries) == model.classes_[matrix.argmax(axis=1)]).all()
    assert len(model.history_) == 2


def test_kept_weights_score_as_references_do(signatures, fitted):
    X, y = signatures
    kept = make(keep="weights").fit(X, y)
    np.testing.assert_allclose(kept.decision_function(X), fitted.decision_function(X), atol=1e-6)


def test_a_writer_is_kept_in_little_memory(signatures, fitted):
    X, _ = signatures
    assert len(pickle.dumps(fitted._adapted.known[5])) < X[:N_GENUINE].nbytes
    head = make(adapt="head").fit(*signatures)
    assert sum(weight.numel() for weight in head._adapted.known[5].values()) == 17


def test_enrolling_later_is_enrolling_at_once(signatures, fitted):
    X, y = signatures
    late = y[:, 0] == 7
    model = make().fit(X[~late], y[~late])
    assert model.classes_.tolist() == [5, 6]
    before = model.decision_function(X[-5:])
    model.enroll(X[late], y[late])
    assert model.classes_.tolist() == [5, 6, 7]
    np.testing.assert_allclose(model.decision_function(X[-5:])[:, :2], before)
    np.testing.assert_allclose(model.decision_function(X), fitted.decision_function(X), atol=1e-6)
    model.remove([5])
    assert model.classes_.tolist() == [6, 7]
    np.testing.assert_allclose(model.decision_function(X), fitted.decision_function(X)[:, 1:], atol=1e-6)


def test_a_system_may_start_with_development_writers_alone(signatures, fitted):
    X, y = signatures
    is_dev = y[:, 0] <= 4
    model = make().fit(X[is_dev], y[is_dev])
    with pytest.raises(ValueError, match="No writer is enrolled yet"):
        model.decision_function(X)
    model.enroll(X[~is_dev], y[~is_dev])
    np.testing.assert_allclose(model.decision_function(X), fitted.decision_function(X), atol=1e-6)


@pytest.mark.parametrize("adapt", ["all", "head"])
def test_forgeries_of_enrolled_writers_never_teach(signatures, adapt):
    X, y = signatures
    known = (y[:, 0] <= 4) | (y[:, 1] == 0)
    model, other = make(adapt=adapt).fit(X, y), make(adapt=adapt).fit(X[known], y[known])
    np.testing.assert_array_equal(model.decision_function(X), other.decision_function(X))


def test_a_score_does_not_depend_on_other_queries(signatures, fitted):
    X, _ = signatures
    together = fitted.decision_function(X)
    alone = np.concatenate([fitted.decision_function(X[row : row + 1]) for row in range(0, len(X), 9)])
    np.testing.assert_allclose(alone, together[::9], atol=1e-5)


def test_adaptation_raises_the_scores_of_references(signatures):
    X, y = signatures
    references = (y[:, 0] == 6) & (y[:, 1] == 0)
    scores = [
        make(n_updates=n_updates, inner_lr=0.01, epochs=0)
        .fit(X, y)
        .claim_scores(X[references], y[references, 0])
        .mean()
        for n_updates in (1, 3, 9)
    ]
    assert 0 < scores[0] < scores[1] < scores[2]


def test_peers_are_random_forgeries_without_development_writers(signatures):
    X, y = signatures
    model = make(dev_writers=None, epochs=0).fit(X, y)
    assert model.classes_.tolist() == list(range(1, N_WRITERS + 1))
    assert model.history_ is None
    with pytest.raises(ValueError, match="one class only, the writer 3, and dev_writers is None"):
        make(dev_writers=None, epochs=0).fit(X[y[:, 0] == 3], y[y[:, 0] == 3])
    one_class = make(dev_writers=None, epochs=0, n_random_forgeries=0).fit(X[y[:, 0] == 3], y[y[:, 0] == 3])
    assert one_class.decision_function(X).shape == (len(X), 1)


def test_saved_weights_enroll_without_meta_training(signatures, fitted, tmp_path):
    X, y = signatures
    path = tmp_path / "meta.safetensors"
    fitted.save_weights(path, corpus="blots", licence="BSD-3-Clause")
    loaded = make(weights=path, epochs=0).fit(X, y)
    np.testing.assert_allclose(loaded.decision_function(X), fitted.decision_function(X), atol=1e-6)
    assert loaded.metadata_["corpus"] == "blots"
    assert loaded.metadata_["trained_on"] == "36 distinct signatures of 3 writers"
    assert SigNetFeaturizer(weights=path).fit_transform(X).shape == (len(X), 16)
    for parameter, before, value in (("n_updates", 2, 3), ("head", "linear", "distance"), ("adapt", "all", "head")):
        with pytest.raises(ValueError, match=f"{parameter}={before!r}; found {parameter}={value!r}"):
            make(weights=path, epochs=0, **{parameter: value}).fit(X, y)


def test_weights_of_a_featurizer_are_a_start(signatures, tmp_path):
    X, y = signatures
    path = tmp_path / "features.safetensors"
    featurizer = SigNetFeaturizer("tiny", epochs=1, random_state=3).fit(X, y).save_weights(path)
    model = make(weights=path, epochs=0).fit(X, y)
    for name, tensor in featurizer.network_.state_dict().items():
        assert torch.equal(model.learner_.network.state_dict()[name], tensor)


@pytest.mark.parametrize("pretrain", [{"epochs": 2}, {"epochs": 1, "forgery_weight": 0.95}])
def test_pretraining_by_signet_and_signet_f(signatures, pretrain):
    X, y = signatures
    model = make(pretrain=pretrain, epochs=0, validation_fraction=0.0).fit(X, y)
    is_dev = y[:, 0] <= 4
    alone = SigNetFeaturizer("tiny", random_state=np.random.RandomState(0).randint(2**31 - 1), **pretrain)
    alone.fit(X[is_dev], y[is_dev])
    for name, tensor in alone.network_.state_dict().items():
        assert torch.equal(model.learner_.network.state_dict()[name], tensor)
    assert make(pretrain=pretrain).fit(X, y).history_


@pytest.mark.parametrize("settings", [{}, {"adapt": "head"}, {"order": 1, "meta_batch_size": 1}])
def test_an_interrupted_training_goes_on_exactly(signatures, tmp_path, settings, monkeypatch):
    X, y = signatures
    wanted = make(epochs=4, **settings).fit(X, y)
    learn = MetaTraining._learn

    def interrupted(self, epoch, verbose):
        if epoch == 2:
            raise KeyboardInterrupt
        return learn(self, epoch, verbose)

    model = make(epochs=4, checkpoint_dir=tmp_path, **settings)
    with monkeypatch.context() as patched:
        patched.setattr(MetaTraining, "_learn", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.decision_function(X)
    model.fit(X, y)
    for name, tensor in wanted.learner_.state_dict().items():
        assert torch.equal(model.learner_.state_dict()[name], tensor)
    assert [epoch["train_loss"] for epoch in model.history_] == [epoch["train_loss"] for epoch in wanted.history_]


def test_a_finished_training_is_not_repeated(signatures, tmp_path, monkeypatch):
    X, y = signatures
    wanted = make(checkpoint_dir=tmp_path).fit(X, y)
    monkeypatch.setattr(MetaTraining, "_learn", None)
    # Other references in the fold, the same development writers: as in cross-validation.
    chosen = (y[:, 0] <= 5) | (np.arange(len(y)) % 3 > 0)
    again = make(checkpoint_dir=tmp_path).fit(X[chosen], y[chosen])
    for name, tensor in wanted.learner_.state_dict().items():
        assert torch.equal(again.learner_.state_dict()[name], tensor)


def test_resuming_without_a_seed_takes_that_of_the_state(signatures, tmp_path):
    X, y = signatures
    first = make(random_state=None, checkpoint_dir=tmp_path).fit(X, y)
    again = make(random_state=None, checkpoint_dir=tmp_path).fit(X, y)
    assert torch.equal(first.learner_.rates, again.learner_.rates)


@pytest.mark.parametrize(
    ("settings", "named"), [({"lr": 0.5}, "lr was 0.001 and is 0.5"), ({"random_state": 1}, "seed was")]
)
def test_the_state_of_another_training_is_refused(signatures, tmp_path, settings, named):
    X, y = signatures
    make(checkpoint_dir=tmp_path).fit(X, y)
    with pytest.raises(ValueError, match=named):
        make(checkpoint_dir=tmp_path, **settings).fit(X, y)
    with pytest.raises(ValueError, match="images was"):
        make(checkpoint_dir=tmp_path).fit(255 - X, y)


def test_divergence_names_the_epoch_and_keeps_the_last_good_weights(signatures, monkeypatch):
    X, y = signatures
    good = make(epochs=3, validation_fraction=0.0).fit(X, y)
    task_loss, calls = MetaLearner.task_loss, []

    def diverging(self, *task):
        loss, scores = task_loss(self, *task)
        calls.append(loss)
        return (loss * float("nan") if len(calls) > 2 * len(DEV) else loss), scores

    monkeypatch.setattr(MetaLearner, "task_loss", diverging)
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 3.* weights are those of epoch 2"):
        model = make(epochs=3, validation_fraction=0.0).fit(X, y)
    assert [epoch["epoch"] for epoch in model.history_] == [1, 2]
    assert model.history_ == [{**epoch, "dur": found["dur"]} for epoch, found in zip(good.history_, model.history_)]
    assert np.isfinite(model.decision_function(X)).all()


def test_divergence_in_the_first_epoch_is_an_error(signatures):
    X, y = signatures
    with pytest.raises(ValueError, match=r"diverged in epoch 1.*inner_lr"):
        make(inner_lr=1e30, n_updates=5).fit(X, y)


def test_an_adaptation_that_diverges_names_the_writer(signatures):
    X, y = signatures
    model = make(epochs=0, adapt="head", dev_writers=DEV).fit(X, y)
    model.learner_.rates.data.fill_(float("inf"))
    with pytest.raises(ValueError, match=r"adaptation to the writer 5 diverged.*lower lr"):
        model.enroll(X, np.where(y[:, :1] == 5, y, [5, 1]))


def test_features_of_a_network_that_stays_are_computed_once(signatures, monkeypatch):
    X, y = signatures
    stays = {"adapt": "head", "network_lr": 0.0, "epochs": 4}
    # The network takes images of any size, so that a random crop takes all of them.
    wanted = make(augmentation="crop", **stays).fit(X, y)
    prepare, calls = MetaLearner.prepare, []
    monkeypatch.setattr(MetaLearner, "prepare", lambda self, images: calls.append(len(images)) or prepare(self, images))
    model = make(augmentation=None, **stays).fit(X, y)
    assert sum(calls) < 2 * len(X)
    for name, tensor in wanted.learner_.state_dict().items():
        torch.testing.assert_close(model.learner_.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)


def test_fewer_references_than_learned_for_are_used_with_a_warning(signatures, fitted):
    X, y = signatures
    model = pickle.loads(pickle.dumps(fitted))
    rows = np.flatnonzero((y[:, 0] == 7) & (y[:, 1] == 0))[:2]
    with pytest.warns(UserWarning, match=r"fewer than n_references=4 references.*: 7 \(2\)"):
        model.enroll(X[rows], y[rows])
    assert np.isfinite(model.decision_function(X)).all()


def test_queries_shrink_to_what_there_is_with_a_warning(signatures):
    X, y = signatures
    with pytest.warns(UserWarning, match="distinct") as told:
        make(n_query_genuine=10, n_query_skilled=10).fit(X, y)
    said = "\n".join(str(warning.message) for warning in told)
    assert "4 of 4 development writers have fewer than 4 + 10 distinct genuine signatures" in said
    assert "1 (8 genuine), 2 (8 genuine)" in said
    assert "fewer than 10 distinct ones" in said
    assert all(warning.filename == __file__ for warning in told)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dev_writers": None}, "learns from development writers, and dev_writers=None names none"),
        ({"dev_writers": []}, r"dev_writers=\[\] names none"),
        ({"dev_writers": [1]}, "at least 2 development writers.*found 1"),
        ({"n_references": 8}, r"needs more distinct genuine signatures than n_references=8.*1 \(8\), 2 \(8\)"),
        ({"n_forgery_writers": 9}, "n_forgery_writers=9, but only 3 of the development writers"),
        ({"pretrain": {"architecture": "signet"}}, "pretrain sets architecture"),
        ({"pretrain": {"epoch": 1}}, "pretrain names epoch, which SigNetFeaturizer has no parameter for"),
        ({"pretrain": {"forgery_weight": 5.0}}, "'forgery_weight' parameter of SigNetFeaturizer"),
        ({"pretrain": {}, "weights": "some.safetensors"}, "some.safetensors"),
        ({"adapt": "tail"}, "adapt"),
        ({"augmentation": {"rotate": 3}}, "there is no rotate"),
        ({"architecture": "signet"}, "signet needs images of at least 150 x 220 pixels, found 28 x 36"),
    ],
)
def test_bad_parameters(signatures, settings, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        make().set_params(**settings).fit(*signatures)


def test_skilled_forgeries_must_be_there_if_they_are_to_be_told(signatures):
    X, y = signatures
    genuine = y[:, 1] == 0
    with pytest.raises(ValueError, match=r"n_query_skilled=4 .*no development writer has any.*n_query_skilled=0"):
        make().fit(X[genuine], y[genuine])
    assert make(n_query_skilled=0).fit(X[genuine], y[genuine]).history_


def test_bad_enrollments(signatures, fitted):
    X, y = signatures
    model = pickle.loads(pickle.dumps(fitted))
    with pytest.raises(ValueError, match="Development writers cannot be enrolled: 2"):
        model.enroll(X[y[:, 0] == 2], y[y[:, 0] == 2])
    with pytest.raises(ValueError, match="ids like 5; found 'ada'"):
        model.enroll(X[:4], ["ada"] * 4)
    with pytest.raises(ValueError, match="Claims for writers who were never enrolled: 9"):
        model.claim_scores(X[:2], [5, 9])
    with pytest.raises(ValueError, match=r"\(28, 30\), but .* expecting images of shape \(28, 36\)"):
        model.decision_function(X[:, :, :30])
    with pytest.raises(ValueError, match=r"Writers to remove .* not enrolled: 3"):
        model.remove([3])
    assert model.classes_.tolist() == [5, 6, 7]


def test_a_failed_fit_leaves_the_model_as_it_was(signatures):
    X, y = signatures
    model = make().fit(X, y)
    before = model.decision_function(X)
    with pytest.raises(ValueError, match="n_references"):
        model.set_params(n_references=8).fit(X, y)
    np.testing.assert_array_equal(model.set_params(n_references=4).decision_function(X), before)


def test_clone_pickle_and_repetition(signatures, fitted):
    X, y = signatures
    again = clone(fitted).fit(X, y)
    np.testing.assert_array_equal(again.decision_function(X), fitted.decision_function(X))
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copied.decision_function(X), fitted.decision_function(X))
    assert not np.array_equal(make(random_state=1).fit(X, y).decision_function(X), fitted.decision_function(X))


def test_random_states_are_left_alone(signatures):
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    make().fit(*signatures)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


def test_string_writers(signatures):
    X, y = signatures
    names = np.array([[f"w{writer}", forgery] for writer, forgery in y.tolist()], dtype=object)
    model = make(dev_writers=[f"w{writer}" for writer in DEV]).fit(X, names)
    assert model.classes_.tolist() == ["w5", "w6", "w7"]
    assert model.verify(X[-3:], ["w7"] * 3, threshold=-1e9).all()


def test_learned_rates_differ_by_step_and_layer(fitted):
    rates = fitted.learner_.network_rates.detach().numpy()
    assert rates.shape == (2, 6)
    assert (rates[0] != rates[1]).any()
    assert len(np.unique(rates[1])) > 1
    assert fitted.learner_.rates.shape == (2, 2)


def test_rates_of_the_network_may_be_others(signatures):
    learner = make(network_inner_lr=1e-4).fit(*signatures).learner_
    assert (learner.rates > 0.09).all()
    # As Adam steps, they change by the same share as the others at most.
    assert 0 < (learner.network_rates - 1e-4).abs().max() < 1e-5


def test_fixed_rates_stay(signatures):
    model = make(learn_inner_lr=False).fit(*signatures)
    assert (model.learner_.rates == model.learner_.rates[0, 0]).all()


@pytest.fixture
def passes(monkeypatch):
    """Numbers of images that have passed through a tiny network, pass by pass."""
    sizes, forward = [], TinyNet.forward

    def recorded(self, images):
        sizes.append(len(images))
        return forward(self, images)

    monkeypatch.setattr(TinyNet, "forward", recorded)
    return sizes


def test_tasks_of_a_step_pass_one_after_another(signatures, passes):
    make(meta_batch_size=4, epochs=1, n_random_forgeries=0, n_query_random=0).fit(*signatures)
    for_statistics = passes.pop(0)
    assert for_statistics == 4 * (N_GENUINE + N_SKILLED)
    assert max(passes) == 4 + 4


@pytest.mark.parametrize(("bound", "wanted"), [(256, [48]), (47, [24, 24]), (24, [24, 24]), (20, [12, 12, 12, 12])])
def test_tasks_that_share_a_network_pass_together_as_far_as_memory_is_bounded(
    signatures, passes, monkeypatch, bound, wanted
):
    monkeypatch.setattr("sigkit.training._meta_training.N_IMAGES_A_PASS", bound)
    settings = {"n_random_forgeries": 0, "n_query_random": 0, "validation_fraction": 0.0}
    make(adapt="head", meta_batch_size=4, epochs=1, **settings).fit(*signatures)
    assert passes[1 : 1 + len(wanted)] == wanted


SHARED = {"adapt": "head"}
STAYS = SHARED | {"network_lr": 0, "augmentation": None}


@pytest.mark.parametrize(("settings", "wanted"), [(SHARED, {True, False}), (STAYS, {False}), ({}, {False})])
def test_batches_normalise_themselves_where_tasks_share_the_network_that_is_learned(
    signatures, monkeypatch, settings, wanted
):
    seen, prepare = [], MetaLearner.prepare

    def recorded(self, images):
        seen.append((torch.is_grad_enabled(), self.network.conv_layers[0].bn.training))
        return prepare(self, images)

    monkeypatch.setattr(MetaLearner, "prepare", recorded)
    make(epochs=1, **settings).fit(*signatures)
    # Gradients are recorded in the training; validation, adaptation and queries have none.
    assert {normalises for recorded, normalises in seen if recorded} <= {True in wanted}
    assert {normalises for _, normalises in seen} == wanted


def statistics(model):
    return {name: buffer.clone() for name, buffer in model.learner_.named_buffers() if "running" in name}


@pytest.mark.parametrize("bound", [256, 15])
def test_statistics_after_an_epoch_are_those_of_the_development_writers(signatures, monkeypatch, bound):
    X, y = signatures
    monkeypatch.setattr("sigkit.training._meta_training.N_IMAGES_A_PASS", bound)
    model = make(adapt="head", epochs=1, validation_fraction=0.0).fit(X, y)
    found = statistics(model)
    images = torch.from_numpy(X[np.isin(y[:, 0], DEV)])[:, None]
    update_statistics(model.learner_.network, network_input(images, None), momentum=1.0)
    wanted = statistics(model)
    # Parts of the same length have exactly the mean of all in the first layer; later ones normalise each part.
    exact = wanted if bound == 256 else ["network.conv_layers.0.bn.running_mean"]
    for name in exact:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "moves"), [({"adapt": "head"}, True), ({"adapt": "head", "network_lr": 0}, False), ({}, False)]
)
def test_statistics_move_where_tasks_share_the_network_that_is_learned(signatures, settings, moves):
    before, after = (statistics(make(epochs=epochs, **settings).fit(*signatures)) for epochs in (0, 1))
    assert len(before) == 4
    assert all(torch.equal(before[name], after[name]) != moves for name in before)


@pytest.mark.parametrize("meta_batch_size", [1, 3, 4])
def test_a_step_averages_the_gradients_of_its_tasks(signatures, monkeypatch, meta_batch_size):
    X, y = signatures
    found, step = [], torch.optim.Adam.step

    def looked_at(self, *args):
        found.append([parameter.grad.item() for parameter in self.param_groups[0]["params"] if parameter.numel() == 1])
        return step(self, *args)

    monkeypatch.setattr(torch.optim.Adam, "step", looked_at)
    monkeypatch.setattr(MetaLearner, "task_loss", lambda self, *task: (3 * self.head.bias.sum(), None))
    make(meta_batch_size=meta_batch_size, epochs=1, validation_fraction=0.0, learn_inner_lr=False).fit(X, y)
    assert found == [[pytest.approx(3.0)]] * -(-4 // meta_batch_size)


@pytest.mark.parametrize("adapt", ["all", "head"])
def test_the_network_may_stay_as_it_is(signatures, adapt):
    X, y = signatures
    before = make(epochs=0, adapt=adapt).fit(X, y).learner_
    after = make(network_lr=0, adapt=adapt).fit(X, y).learner_
    for name, tensor in before.network.state_dict().items():
        assert torch.equal(after.network.state_dict()[name], tensor)
    assert not torch.equal(before.rates, after.rates)
    assert not torch.equal(before.head.weight, after.head.weight)
    slow, plain = make(network_lr=1e-9, adapt=adapt).fit(X, y), make(network_lr=1e-3, adapt=adapt).fit(X, y)
    change = (slow.learner_.network.fc_layers[0].fc.weight - before.network.fc_layers[0].fc.weight).abs().max()
    assert 0 < change < 1e-7
    np.testing.assert_array_equal(plain.decision_function(X), make(adapt=adapt).fit(X, y).decision_function(X))


def test_learning_curves(fitted):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    display = TrainingCurvesDisplay(fitted.history_).plot()
    assert len(display.axes_[0].lines) == 2


@pytest.fixture(scope="module")
def development(signatures):
    X, y = signatures
    is_dev = y[:, 0] <= 4
    X = X[is_dev].copy()
    X[1] = X[0]
    X[2 * 12] = X[1 * 12]
    X[2 * 12 + 9] = X[2 * 12 + 1]
    return DevelopmentSet(X, *y[is_dev].T)


class TestDevelopmentSet:
    """What the meta-training draws, and from whom."""

    SIZES = TaskSizes(4, 3, 10, 2, 3)

    def test_copies_are_learned_once_and_contradictions_never(self, development):
        assert [len(rows) for rows in development.genuine.values()] == [7, 7, 6, 8]
        assert [len(rows) for rows in development.skilled.values()] == [4, 4, 3, 4]
        assert development.genuine[1].tolist() == [0, 2, 3, 4, 5, 6, 7]

    def test_a_task(self, development, signatures):
        _, y = signatures
        rng = np.random.default_rng(0)
        for _ in range(20):
            task = development.draw_task(2, self.SIZES, rng)
            writers, forgery = y[task.references].T
            assert (task.reference_labels == (writers == 2)).all()
            assert task.reference_labels.tolist() == [1] * 4 + [0] * 3
            assert sorted(writers[4:]) == [1, 3, 4]
            assert not forgery.any()
            writers, forgery = y[task.queries].T
            assert (task.query_labels == ((writers == 2) & (forgery == 0))).all()
            assert task.query_labels.tolist() == [1] * 3 + [0] * 5
            assert forgery.tolist() == [0] * 5 + [1] * 3
            assert (writers[5:] == 2).all()
            everything = np.concatenate([task.references, task.queries])
            assert len(np.unique(everything)) == len(everything)

    def test_random_forgeries_end_where_there_are_no_more(self, development):
        task = development.draw_task(2, TaskSizes(4, 15, 3, 10, 0), np.random.default_rng(0))
        assert len(task.references) == 4 + 15
        assert len(task.queries) == 3 + 21 - 15
        everything = np.concatenate([task.references, task.queries])
        assert len(np.unique(everything)) == len(everything)

    def test_few_others_give_several_each(self, development):
        drawn = draw_from_each(development.genuine, [1, 3], 5, np.random.default_rng(0))
        assert sorted(np.isin(drawn, development.genuine[1])) == [False, False, True, True, True] or sorted(
            np.isin(drawn, development.genuine[3])
        ) == [False, False, True, True, True]

    @pytest.mark.parametrize("seed", range(5))
    def test_roles(self, signatures, seed):
        X, y = signatures
        development = DevelopmentSet(X, *y.T, 0.3, 2, seed)
        assert len(development.validators) == 2
        assert sorted(development.validators + development.teachers) == list(range(1, 8))
        forged = set(development.skilled)
        assert len(forged & set(development.teachers)) == 2
        assert set(development.validators) <= forged
        learned = y[development.rows_to_learn()]
        assert set(learned[:, 0]) == set(development.teachers)
        assert set(learned[learned[:, 1] == 1, 0]) == forged & set(development.teachers)
        task = development.draw_task(development.validators[0], self.SIZES, np.random.default_rng(0))
        assert set(y[task.references[4:], 0]) <= set(development.teachers)


def test_pretraining_sees_whom_the_meta_training_learns_from(signatures, monkeypatch):
    X, y = signatures
    seen, fit = [], SigNetFeaturizer.fit

    def recorded(self, X, y):
        seen.append(y)
        return fit(self, X, y)

    monkeypatch.setattr(SigNetFeaturizer, "fit", recorded)
    settings = {"n_forgery_writers": 1, "pretrain": {"epochs": 1, "forgery_weight": 0.5}}
    make(**settings).fit(X, y)
    [target] = seen
    assert len(set(target[:, 0])) == 3
    assert len(set(target[target[:, 1] == 1, 0])) == 1


def test_an_interrupted_pretraining_goes_on_without_a_seed(signatures, tmp_path, monkeypatch):
    X, y = signatures
    settings = {"pretrain": {"epochs": 2}, "random_state": None, "checkpoint_dir": tmp_path}
    with monkeypatch.context() as patched:
        patched.setattr(MetaTraining, "_learn", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make(**settings).fit(X, y)
    assert make(**settings).fit(X, y).history_


def test_a_validation_that_is_no_number_is_divergence(signatures, monkeypatch):
    X, y = signatures
    monkeypatch.setattr(MetaTraining, "_validate", lambda self: {"valid_loss": float("nan"), "valid_acc": 0.5})
    with pytest.raises(ValueError, match="diverged in epoch 1"):
        make().fit(X, y)


def test_a_folder_that_cannot_be_written_is_told_at_once(signatures, tmp_path, monkeypatch):
    X, y = signatures
    monkeypatch.setattr(MetaTraining, "_learn", None)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file; name a folder"):
        make(checkpoint_dir=tmp_path / "file").fit(X, y)
    with pytest.raises(OSError, match="checkpoint_dir='/proc/nowhere'"):
        make(checkpoint_dir="/proc/nowhere").fit(X, y)


@pytest.mark.parametrize(
    "turn", [lambda X: np.frombuffer(X.tobytes(), np.uint8).reshape(X.shape), lambda X: X[:, :, ::-1]]
)
def test_arrays_of_any_layout(signatures, turn):
    X, y = signatures
    wanted = make(epochs=1).fit(turn(X).copy(), y).decision_function(turn(X).copy())
    np.testing.assert_allclose(make(epochs=1).fit(turn(X), y).decision_function(turn(X)), wanted, atol=1e-6)


def test_a_fitted_model_keeps_its_adaptation(signatures, fitted):
    X, _ = signatures
    model = pickle.loads(pickle.dumps(fitted)).set_params(n_random_forgeries=1, n_updates=1, adapt="head")
    np.testing.assert_array_equal(model.decision_function(X), fitted.decision_function(X))


def test_a_claim_computes_no_more_than_it_needs(signatures, monkeypatch):
    X, y = signatures
    model = make(adapt="head").fit(X, y)
    sizes, forward = [], TinyNet.forward

    def recorded(self, images):
        sizes.append(len(images))
        return forward(self, images)

    monkeypatch.setattr(TinyNet, "forward", recorded)
    model.claim_scores(X[-1:], [7])
    assert sizes == [1]


def test_removed_peers_teach_nobody(signatures):
    X, y = signatures
    model = make(dev_writers=None, epochs=0).fit(X, y)
    model.remove([1, 2])
    assert not {1, 2} & set(model._adapted.others.owners.tolist())
    assert len(model.random_forgeries_) == len(model._adapted.others.owners)
    model.remove([4, 5, 6, 7])
    with pytest.raises(ValueError, match="nobody whose signatures are random forgeries for the writer 3"):
        model.decision_function(X)


def test_nothing_of_the_training_stays(signatures, tmp_path):
    X, y = signatures
    model = make().fit(X, y)
    assert all(parameter.grad is None for parameter in model.learner_.parameters())
    path = tmp_path / "start.safetensors"
    model.save_weights(path, corpus="GPDS", licence="proprietary")
    further = make(weights=path).fit(X, y)
    assert not {"corpus", "licence"} & set(further.metadata_)
    assert json.loads(further.metadata_["start"])["corpus"] == "GPDS"


@pytest.mark.parametrize(
    ("settings", "enrolling", "scoring"),
    [({"keep": "weights"}, True, False), ({"keep": "references"}, False, True), ({"adapt": "head"}, False, False)],
)
def test_memory_is_kept_where_several_writers_are_adapted_to(monkeypatch, signatures, settings, enrolling, scoring):
    X, y = signatures
    model, kept = make(**settings).fit(X, y), []
    monkeypatch.setattr(
        "sigkit.estimators._meta._meta_learned_verifier.freed_memory_kept", lambda: kept.append(True) or nullcontext()
    )
    known = np.isin(y[:, 0], (5, 6)) & (y[:, 1] == 0)

    def keeps(call, *arguments):
        kept.clear()
        call(*arguments)
        return bool(kept)

    assert keeps(model.enroll, X[known], y[known]) == enrolling
    assert keeps(model.claim_scores, X[:2], [5, 6]) == scoring
    assert keeps(model.decision_function, X[:2]) == scoring
    assert not keeps(model.claim_scores, X[:1], [5])


DRAWN_DEV = range(1, 601)


@pytest.fixture(scope="module")
def drawn():
    # In images as small as these, lines in shades of grey would be faint.
    kinds = {"script": "latin", "scan": "two-valued", "random_state": 13, "n_jobs": -1}
    preprocessor = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(40, 57), n_jobs=-1)
    scans, dev_target = make_signatures(n_writers=len(DRAWN_DEV), n_genuine=8, n_skilled=4, **kinds)
    images = preprocessor.fit_transform(scans)
    scans, target = make_signatures(n_writers=60, n_genuine=12, n_skilled=8, first_writer=len(DRAWN_DEV) + 1, **kinds)
    return np.concatenate([images, preprocessor.transform(scans)]), np.concatenate([dev_target, target])


def test_drawn_signatures_are_told_by_five_references(drawn, tmp_path):
    X, y = drawn
    is_dev = np.isin(y[:, 0], DRAWN_DEV)
    settings = {"adapt": "head", "head": "distance", "inner_lr": 0.05, "n_random_forgeries": 0, "lr": 1e-2}
    settings |= {"meta_batch_size": 8, "n_query_genuine": 3, "n_query_random": 0, "n_query_skilled": 4}
    settings |= {"multi_step_epochs": 0, "dev_writers": DRAWN_DEV, "validation_fraction": 0.0, "random_state": 0}
    models, features, errors = {}, {}, {}
    for name, epochs in (("before", 0), ("after", 20)):
        models[name] = MetaLearnedVerifier("tiny", epochs=epochs, **settings).fit(X[is_dev], y[is_dev])
        models[name].save_weights(tmp_path / f"{name}.safetensors")
        features[name] = SigNetFeaturizer(weights=tmp_path / f"{name}.safetensors").fit_transform(X)
    for train, test in WriterSplit(5, 7, DRAWN_DEV, n_splits=3, random_state=0).split(X, y):
        references, claimed, genuine = train[~is_dev[train]], y[test, 0], y[test, 1] == 0
        for name, model in models.items():
            svm = WriterDependentSVC(dev_writers=DRAWN_DEV, gamma="scale", random_state=0)
            svm.fit(features[name][train], y[train])
            scores = {
                name: model.enroll(X[references], y[references]).claim_scores(X[test], claimed),
                f"svm, {name}": svm.claim_scores(features[name][test], claimed),
            }
            assert all(np.isfinite(found).all() for found in scores.values())
            for system, found in scores.items():
                errors.setdefault(system, []).append(eer_score(genuine, found))
    found = {name: np.mean(each) for name, each in errors.items()}
    assert found["after"] < 0.25
    assert found["after"] < found["before"] - 0.05
    # Machines on the features as they were before (by eight seeds, 0.037 +- 0.010 above), and, near, on those that the
    # meta-training made (0.007 +- 0.006 below).
    assert found["after"] < found["svm, before"] - 0.01
    assert found["after"] < found["svm, after"] + 0.03


def test_the_pipeline_is_cross_validated_and_searched(tmp_path):
    scans, target = make_signatures(n_writers=6, n_genuine=8, n_skilled=4, random_state=0)
    preprocessor = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(40, 57), memory=tmp_path / "memory")
    pipe = make_pipeline(preprocessor, make(head="distance", inner_lr=0.05))
    cv = WriterSplit(4, 4, dev_writers=DEV, n_splits=2, random_state=0)
    scores = cross_validate(pipe, scans, target, cv=cv, scoring=verification_scorer, error_score="raise")
    assert {"test_neg_eer", "test_neg_eer_writer", "test_neg_far_random"} <= set(scores)
    grid = {"metalearnedverifier__n_updates": [1, 2], "metalearnedverifier__adapt": ["all", "head"]}
    search = GridSearchCV(pipe, grid, cv=cv, scoring=verification_scorer, refit="neg_eer", error_score="raise")
    assert search.fit(scans, target).best_estimator_.decision_function(scans[:3]).shape == (3, 2)


def test_defaults_work_with_twelve_genuine_signatures():
    X, y = draw_signatures(n_genuine=12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = MetaLearnedVerifier("tiny", dev_writers=DEV, epochs=1, random_state=0).fit(X, y)
    assert model.decision_function(X).shape == (len(X), 3)
