"""AdversarialTrainer and EnsembleAdversarialTrainer: what they learn of, and as estimators."""

import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional as F

from sigkit.datasets import make_signatures
from sigkit.estimators import AdversarialTrainer, EnsembleAdversarialTrainer, WriterDependentSVC, _adversaries
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.nets import SigNetLoss, build_network
from sigkit.training._adversaries import OneStepImages, WorstImages, forgeries_apart
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

N_WRITERS, N_GENUINE, N_SKILLED = 4, 6, 4
EPSILON, N_STEPS, ALPHA = 200.0, 3, 0.3


@pytest.fixture(scope="module")
def signatures():
    # In images as small as these, lines in shades of grey would be faint.
    scans, target = make_signatures(N_WRITERS, N_GENUINE, N_SKILLED, random_state=1, scan="two-valued")
    return SignaturePreprocessor(canvas_size=(765, 1089), image_size=(34, 48)).fit_transform(scans), target


def tiny(**settings):
    given = {"epochs": 2, "lr": 0.02, "batch_size": 8, "random_state": 0, "validation_fraction": 0}
    return SigNetFeaturizer("tiny", **given | settings)


def harden(estimator=None, **settings):
    return AdversarialTrainer(estimator or tiny(), **{"epsilon": EPSILON, "n_steps": N_STEPS} | settings)


def ensemble(estimator=None, surrogates=None, **settings):
    surrogates = [tiny(random_state=1, epochs=1)] if surrogates is None else surrogates
    return EnsembleAdversarialTrainer(
        estimator or tiny(), surrogates, **{"epsilon": EPSILON, "alpha": ALPHA} | settings
    )


def weights_of(model):
    return {name: tensor.numpy() for name, tensor in model.network_.state_dict().items()}


def assert_same_weights(first, second):
    first, second = weights_of(first), weights_of(second)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


@pytest.fixture
def made(monkeypatch):
    """What the adversaries make of each batch, and the losses of the images as the network is at that time."""
    batches = []

    def recorded(call):
        def record(self, net, images, target):
            parts = call(self, net, images, target)
            criterion = forgeries_apart(net.criterion_)
            net.module_.eval()
            with torch.no_grad():
                losses = [criterion.each(net.infer(each), target) for each in (images, parts[-1][1])]
            batches.append((images, parts, losses))
            return parts

        return record

    for adversary in (WorstImages, OneStepImages):
        monkeypatch.setattr(adversary, "__call__", recorded(adversary.__call__))
    return batches


def lengths(changes):
    return torch.linalg.vector_norm(changes.flatten(1), dim=1)


@pytest.mark.parametrize("settings", [{}, {"forgery_weight": 0.4}, {"forgery_weight": 0.4, "writer_loss": "all"}])
@pytest.mark.parametrize("epsilon", [50.0, 600.0])
def test_worst_images_are_near_and_no_easier(signatures, made, epsilon, settings):
    harden(tiny(**settings), epsilon=epsilon).fit(*signatures)
    assert len(made) == 2 * (5 if settings else 3)
    for images, [(share, worst, _)], (before, after) in made:
        assert share == 1
        assert (lengths(worst - images) <= epsilon / 255 * (1 + 1e-6)).all()
        assert worst.min() >= 0
        assert worst.max() <= 1
        assert (after >= before).all()
    assert np.mean([(after > before).float().mean() for *_, (before, after) in made]) > 0.9
    assert np.max([lengths(worst - images).max() for images, [(_, worst, _)], _ in made]) > 0.8 * epsilon / 255


def test_steps_have_the_length_that_was_set(signatures, made):
    harden(step_size=20.0, n_steps=2, epsilon=1000.0).fit(*signatures)
    longest = [lengths(worst - images).max() for images, [(_, worst, _)], _ in made]
    assert max(longest) <= 40 / 255 * (1 + 1e-6)
    assert min(longest) > 20 / 255
    made.clear()
    harden(n_steps=5, epsilon=100.0).fit(*signatures)
    by_default = [worst for _, [(_, worst, _)], _ in made]
    made.clear()
    harden(n_steps=5, epsilon=100.0, step_size=50.0).fit(*signatures)
    for worst, (_, [(_, same, _)], _) in zip(by_default, made, strict=True):
        assert torch.equal(worst, same)


def test_steps_may_begin_at_random(signatures, made):
    settings = {"n_steps": 1, "step_size": 1e-3, "epsilon": 100.0}
    first = harden(random_start=True, **settings).fit(*signatures)
    for images, [(_, worst, _)], _ in made:
        changes = lengths(worst - images)
        assert (changes <= 100 / 255 * (1 + 1e-6)).all()
        # Of the noise that begins the search, what would be brighter than paper falls away: half of it.
        assert (changes > 0.5 * 100 / 255).all()
        assert worst.min() >= 0
        assert worst.max() <= 1
    assert not torch.equal(made[0][1][0][1] - made[0][0], made[1][1][0][1] - made[1][0])
    assert_same_weights(first, harden(random_start=True, **settings).fit(*signatures))


def test_one_step_images_are_near(signatures, made):
    ensemble(epsilon=20.0).fit(*signatures)
    for images, [(share, clean, _), (other_share, changed, _)], _ in made:
        assert torch.equal(clean, images)
        assert (share, other_share) == (ALPHA, 1 - ALPHA)
        assert (lengths(changed - images) <= 20 / 255 * (1 + 1e-6)).all()
        assert (lengths(changed - images) > 0.5 * 20 / 255).all()
        assert changed.min() >= 0
        assert changed.max() <= 1
    # The network as it is and a surrogate in turn: the step against the former makes its own loss grow.
    losses = [(after - before).mean() for *_, (before, after) in made]
    assert min(losses[1::2]) > 0


@pytest.fixture
def asked(monkeypatch):
    """The networks whose gradients adversaries took."""
    nets, logits = [], _adversaries._logits

    def record(net, images):
        nets.append(net.module_)
        return logits(net, images)

    monkeypatch.setattr(_adversaries, "_logits", record)
    return nets


def test_networks_are_attacked_in_turn(signatures, asked):
    model = ensemble(surrogates=[tiny(random_state=1), tiny(random_state=2)]).fit(*signatures)
    networks = [each.net_.module_ for each in (model.estimator_, *model.surrogates_)]
    assert [networks.index(module) for module in asked] == 2 * [1, 2, 0]


def test_networks_are_attacked_in_turn_however_few_batches_an_epoch_has(signatures, asked):
    model = ensemble(tiny(epochs=4, batch_size=24)).fit(*signatures)
    networks = [each.net_.module_ for each in (model.estimator_, *model.surrogates_)]
    attacked = [networks.index(module) for module in asked]
    assert len(attacked) == 4
    assert sorted(attacked) == [0, 0, 1, 1]


def test_surrogates_do_not_change(signatures):
    X, y = signatures
    given = [tiny(random_state=1), tiny(random_state=2, forgery_weight=0.3)]
    model = ensemble(surrogates=given).fit(X, y)
    for ours, alone in zip(model.surrogates_, given, strict=True):
        assert_same_weights(ours, clone(alone).fit(X, y))
        assert ours.net_.device == "cpu"
    assert not any(hasattr(each, "network_") for each in (*given, model.estimator))


def test_without_surrogates_the_network_attacks_itself(signatures, asked):
    model = ensemble(surrogates=[]).fit(*signatures)
    assert {id(module) for module in asked} == {id(model.estimator_.net_.module_)}
    assert model.surrogates_ == []


class Plain:
    """A training in plain PyTorch, by the equations of the papers."""

    def __init__(self, X, y, forgery_weight, writer_loss, epochs=3, lr=1e-2):
        self.weight, self.writer_loss, self.epochs = forgery_weight, writer_loss, epochs
        chosen = np.flatnonzero(y[:, 1] == 0) if forgery_weight is None else np.arange(len(y))
        self.images = torch.from_numpy(X[chosen]).float()[:, None] / 255
        self.labels, self.forged = torch.from_numpy(y[chosen]).unbind(1)
        self.labels = self.labels - 1
        self.seed = np.random.RandomState(0).randint(2**31 - 1)
        self.network = build_network("tiny", seed=self.seed)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self.writers, self.forgery = nn.Linear(16, N_WRITERS), nn.Linear(16, 1)
        heads = [self.writers, self.forgery] if forgery_weight else [self.writers]
        parameters = [parameter for part in (self.network, *heads) for parameter in part.parameters()]
        self.optimizer = torch.optim.SGD(parameters, lr=lr, momentum=0.9, nesterov=True, weight_decay=1e-4)
        self.schedule = torch.optim.lr_scheduler.MultiStepLR(self.optimizer, [1, 2], 0.1)

    def loss(self, images, rows, writer_loss="genuine"):
        features = self.network(images)
        taught = self.forged[rows] == 0 if self.weight and writer_loss == "genuine" else self.forged[rows] >= 0
        # A signature on its own may be one that teaches nothing about writers.
        loss = F.cross_entropy(self.writers(features[taught]), self.labels[rows][taught]) if taught.any() else 0
        if self.weight:
            forgery = F.binary_cross_entropy_with_logits(self.forgery(features)[:, 0], self.forged[rows].float())
            loss = (1 - self.weight) * loss + self.weight * forgery
        return loss

    def gradient(self, image, row, loss=None):
        image = image.clone().requires_grad_()
        value = (loss or self.loss)(image[None], row[None])
        return value.item(), torch.autograd.grad(value, image)[0]

    def fit(self, step):
        losses, number = [], 0
        for epoch in range(1, self.epochs + 1):
            generator = torch.Generator().manual_seed(self.seed + epoch)
            batches = torch.randperm(len(self.images), generator=generator).split(12)
            total = 0
            for rows in batches:
                number += 1
                loss = step(rows, number)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += len(rows) * loss.item()
            losses.append(total / len(self.images))
            self.schedule.step()
        return losses


def assert_follows(model, plain, losses):
    for (name, ours), expected in zip(model.network_.named_parameters(), plain.network.parameters()):
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0, msg=name)
    # Statistics of sums of 96 terms.
    for (name, ours), expected in zip(model.network_.named_buffers(), plain.network.buffers()):
        torch.testing.assert_close(ours, expected, atol=5e-4, rtol=1e-3, msg=name)
    np.testing.assert_allclose([epoch["train_loss"] for epoch in model.history_], losses, atol=1e-5)
    moved = build_network("tiny", seed=plain.seed).fc_layers[0].fc.weight - plain.network.fc_layers[0].fc.weight
    assert moved.abs().max() > 1e-3


LOSSES = [(None, "genuine"), (0.4, "genuine"), (0.4, "all")]


@pytest.mark.parametrize(("forgery_weight", "writer_loss"), LOSSES)
def test_adversarial_training_follows_a_plain_loop(signatures, forgery_weight, writer_loss):
    X, y = signatures
    plain = Plain(X, y, forgery_weight, writer_loss)
    epsilon = EPSILON / 255
    step_size = 2.5 * epsilon / N_STEPS

    def worst(row):
        original = changed = plain.images[row]
        versions = []
        for _ in range(N_STEPS):
            value, gradient = plain.gradient(changed, row)
            versions.append((value, changed))
            change = (changed + step_size * gradient / gradient.norm()).clamp(0, 1) - original
            changed = (original + change * min(1, epsilon / change.norm())).clamp(0, 1)
        versions.append((plain.gradient(changed, row)[0], changed))
        return max(versions, key=lambda version: version[0])[1]

    def step(rows, number):
        plain.network.eval()
        images = torch.stack([worst(row) for row in rows])
        plain.network.train()
        return plain.loss(images, rows)

    losses = plain.fit(step)
    settings = {"forgery_weight": forgery_weight, "writer_loss": writer_loss}
    assert_follows(harden(tiny(epochs=3, lr=1e-2, batch_size=12, **settings)).fit(X, y), plain, losses)


@pytest.mark.parametrize(("forgery_weight", "writer_loss"), LOSSES)
def test_ensemble_training_follows_a_plain_loop(signatures, forgery_weight, writer_loss):
    X, y = signatures
    settings = {"forgery_weight": forgery_weight, "writer_loss": writer_loss}
    plain, other = Plain(X, y, **settings), Plain(X, y, **settings)
    surrogate = tiny(epochs=1, random_state=1, **settings)
    trained = clone(surrogate).fit(X, y).net_.module_
    other.network, other.writers = trained.network, trained.writers
    other.forgery = trained.forgery or other.forgery

    def changed(row, attacked):
        _, gradient = attacked.gradient(plain.images[row], row)
        return (plain.images[row] + EPSILON / 255 * gradient / gradient.norm()).clamp(0, 1)

    def step(rows, number):
        plain.network.eval()
        # The surrogate first; an epoch has an even number of batches.
        attacked = (plain, other)[number % 2]
        images = torch.stack([changed(row, attacked) for row in rows])
        plain.network.train()
        clean = plain.loss(plain.images[rows], rows, writer_loss)
        return ALPHA * clean + (1 - ALPHA) * plain.loss(images, rows)

    losses = plain.fit(step)
    model = ensemble(tiny(epochs=3, lr=1e-2, batch_size=12, **settings), [surrogate])
    assert_follows(model.fit(X, y), plain, losses)


def test_with_all_of_the_loss_unchanged_images_teach_alone(signatures):
    model, plain = ensemble(alpha=1.0).fit(*signatures), tiny().fit(*signatures)
    for (name, ours), expected in zip(model.network_.named_parameters(), plain.network_.parameters()):
        torch.testing.assert_close(ours, expected, atol=1e-6, rtol=0, msg=name)


@pytest.mark.parametrize("writer_loss", ["genuine", "all"])
def test_forgeries_never_enter_the_writer_term(writer_loss):
    generator = torch.Generator().manual_seed(0)
    criterion = SigNetLoss(0.4, writer_loss, margin=0.2, label_smoothing=0.1)
    writers = torch.randn(9, N_WRITERS, generator=generator)
    forgery = torch.randn(9, generator=generator)
    forged = torch.arange(9) % 2
    labels = torch.arange(9) % N_WRITERS
    others = torch.where(forged == 1, (labels + 1) % N_WRITERS, labels)
    for training in (True, False):
        apart = forgeries_apart(criterion.train(training))
        assert apart.training == training
        found = []
        for classes in (labels, others):
            target = torch.stack([classes, forged], dim=1)
            logits = writers.clone().requires_grad_(), forgery.clone().requires_grad_()
            loss, each = apart(logits, target), apart.each(logits, target)
            found.append([loss, each, *torch.autograd.grad(loss, logits, retain_graph=True)])
            found[-1] += torch.autograd.grad(each.sum(), logits)
        for first, second in zip(*found):
            assert torch.equal(first, second)
        for gradient in (found[0][2], found[0][4]):
            assert not gradient[forged == 1].any()
            assert gradient[forged == 0].any(dim=1).all()
        assert (found[0][1][forged == 1] == 0.4 * F.softplus(-forgery)[forged == 1]).all()
    assert criterion.writer_loss == writer_loss


@pytest.mark.parametrize("writer_loss", ["genuine", "all"])
@pytest.mark.parametrize("make", [harden, lambda featurizer: ensemble(featurizer, [], alpha=0.0)])
def test_whose_signature_was_forged_changes_nothing(signatures, make, writer_loss):
    X, y = signatures
    forged = y[:, 1] == 1
    others = y.copy()
    others[forged, 0] = y[forged, 0] % N_WRITERS + 1
    featurizer = tiny(forgery_weight=0.4, writer_loss=writer_loss)
    model, other = make(featurizer).fit(X, y), make(featurizer).fit(X, others)
    assert_same_weights(model, other)
    kept = ~forged
    genuine_only = make(tiny()).fit(X[kept], y[kept])
    assert not np.array_equal(genuine_only.transform(X), model.transform(X))


@pytest.mark.parametrize("settings", [{}, {"forgery_weight": 0.4}, {"head": "cosine"}])
@pytest.mark.parametrize("make", [harden, ensemble])
def test_every_batch_is_learned_with_the_loss_of_the_training(signatures, monkeypatch, make, settings):
    forward, learns = SigNetLoss.forward, []

    def recorded(self, logits, target):
        if torch.is_grad_enabled():
            learns.append(self.training)
        return forward(self, logits, target)

    featurizer = tiny(validation_fraction=0.2, label_smoothing=0.2, **settings)
    monkeypatch.setattr(SigNetLoss, "forward", recorded)
    make(featurizer, **({"surrogates": []} if make is ensemble else {})).fit(*signatures)
    assert len(learns) >= 6
    # Without margin and smoothed labels otherwise.
    assert all(learns)


@pytest.mark.parametrize("make", [harden, ensemble])
def test_forgeries_teach_too(signatures, make):
    X, y = signatures
    settings = {"epochs": 8, "validation_fraction": 0.2, "forgery_weight": 0.5}
    other = {} if make is harden else {"surrogates": [tiny(random_state=1, **settings)]}
    model = make(tiny(**settings), **other).fit(X, y)
    assert model.history_[-1]["train_loss"] < 0.9 * model.history_[0]["train_loss"]
    assert model.history_[-1].keys() >= {"train_loss", "valid_loss", "valid_acc", "lr"}
    weight, before = (
        each.estimator_.net_.module_.forgery.weight
        for each in (model, clone(model).set_params(estimator__epochs=1).fit(X, y))
    )
    assert (weight - before).abs().max() > 1e-3


@pytest.mark.parametrize("make", [harden, ensemble])
def test_everything_at_once_trains(signatures, make):
    everything = {
        "forgery_weight": 0.4,
        "forgery_classes": True,
        "mirrored_classes": True,
        "head": "cosine",
        "augmentation": "distort",
        "schedule": "cosine",
        "label_smoothing": 0.1,
        "precision": "bfloat16",
    }
    other = {} if make is harden else {"surrogates": [tiny(random_state=1, **everything)]}
    model = make(tiny(**everything), **other).fit(*signatures)
    assert np.isfinite(model.transform(signatures[0])).all()


@pytest.mark.parametrize("make", [harden, ensemble])
def test_clone_pickle_and_repetition(signatures, make):
    X, y = signatures
    model = make().fit(X, y)
    features = model.transform(X)
    assert features.shape == (len(X), 16)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(clone(model).fit(X, y).transform(X), features)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), features)
    np.testing.assert_array_equal(make().fit_transform(X.astype(np.float32), y), features)
    assert not np.array_equal(make(epsilon=2 * EPSILON).fit_transform(X, y), features)
    assert not np.array_equal(tiny().fit_transform(X, y), features)
    assert model.image_shape_in_ == (34, 48)
    assert [epoch["epoch"] for epoch in model.history_] == [1, 2]


def test_parameters_of_the_featurizer_are_parameters():
    model = harden().set_params(estimator__epochs=7, n_steps=4)
    assert model.get_params()["estimator__epochs"] == 7
    assert model.get_params(deep=False).keys() == {"estimator", "epsilon", "n_steps", "step_size", "random_start"}
    assert clone(model).get_params()["n_steps"] == 4
    assert ensemble().get_params(deep=False).keys() == {"estimator", "surrogates", "epsilon", "alpha"}


@pytest.mark.parametrize("make", [harden, ensemble])
def test_features_have_names(signatures, make):
    X, y = signatures
    model = make()
    assert not hasattr(model, "network_")
    for call in (lambda: model.transform(X), model.get_feature_names_out, lambda: model.save_weights("a.safetensors")):
        with pytest.raises(NotFittedError):
            call()
    names = model.fit(X, y).get_feature_names_out()
    assert names[[0, 15]].tolist() == ["signetfeaturizer0", "signetfeaturizer15"]
    assert model.set_output(transform="pandas").transform(X).columns.tolist() == names.tolist()


@pytest.mark.parametrize("make", [harden, ensemble])
def test_saved_weights_are_those_of_a_featurizer(signatures, make, tmp_path):
    X, y = signatures
    path = tmp_path / "robust.safetensors"
    model = make().fit(X, y)
    assert model.save_weights(path, corpus="drawn", licence="BSD-3-Clause") is model
    loaded = SigNetFeaturizer(weights=path).fit(X)
    np.testing.assert_allclose(loaded.transform(X), model.transform(X), atol=1e-6)
    assert loaded.metadata_["corpus"] == "drawn"
    assert loaded.metadata_["trained_on"] == "24 distinct signatures of 4 writers"
    adversary = json.loads(loaded.metadata_["recipe"])["adversary"]
    assert adversary["epsilon"] == EPSILON
    assert adversary["kind"] == ("worst images" if make is harden else "one-step images")
    assert "adversary" not in json.loads(tiny().fit(X, y).metadata_["recipe"])


@pytest.mark.parametrize("make", [harden, ensemble])
def test_random_states_are_left_alone(signatures, make):
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    make().fit(*signatures)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


@pytest.mark.parametrize("make", [harden, ensemble])
def test_in_a_pipeline_and_a_grid_search(signatures, make):
    X, y = signatures
    other = {} if make is harden else {"surrogates": [tiny(random_state=1, dev_writers=(1, 2))]}
    pipe = Pipeline(
        [
            ("features", make(tiny(dev_writers=(1, 2)), **other)),
            ("svc", WriterDependentSVC(gamma=0.01, dev_writers=(1, 2), random_state=0)),
        ]
    )
    cv = WriterSplit(n_references=3, n_queries=3, dev_writers=(1, 2), n_splits=2, random_state=0)
    search = GridSearchCV(pipe, {"features__epsilon": [1.0, 400.0]}, cv=cv, scoring=verification_scorer, refit=False)
    search.fit(X, y)
    found = search.cv_results_
    assert np.isfinite(found["mean_test_neg_eer"]).all()
    for number, epsilon in enumerate((1.0, 400.0)):
        train, test = next(cv.split(X, y))
        fitted = clone(pipe).set_params(features__epsilon=epsilon).fit(X[train], y[train])
        assert fitted.classes_.tolist() == [3, 4]
        scores = verification_scorer(fitted, X[test], y[test])
        assert found["split0_test_neg_eer"][number] == scores["neg_eer"]
        assert found["split0_test_mean_auc"][number] == scores["mean_auc"]
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.decision_function(X), fitted.decision_function(X))


class InterruptAt(Callback):
    """Stands for the user who presses Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, net, training=False, **kwargs):
        if training and net.history[-1]["epoch"] == self.epoch:
            raise KeyboardInterrupt


RESUMED = [
    {},
    {"forgery_weight": 0.5},
    {"label_smoothing": 0.1, "augmentation": "distort"},
    {"forgery_weight": 0.5, "label_smoothing": 0.1, "augmentation": "distort"},
]


@pytest.mark.parametrize("settings", RESUMED)
@pytest.mark.parametrize("make", [harden, ensemble])
def test_an_interrupted_training_goes_on_exactly(signatures, tmp_path, make, settings):
    X, y = signatures
    settings = {"epochs": 4, "validation_fraction": 0.2} | settings
    other = {"random_start": True}
    if make is ensemble:
        other = {"surrogates": [tiny(random_state=1, forgery_weight=settings.get("forgery_weight"))]}
    whole = make(tiny(**settings), **other).fit(X, y)
    part = make(tiny(**settings, checkpoint_dir=tmp_path / "run", callbacks=[InterruptAt(3)]), **other)
    with pytest.raises(KeyboardInterrupt):
        part.fit(X, y)
    with pytest.raises(NotFittedError):
        part.transform(X)
    resumed = part.set_params(estimator__callbacks=None).fit(X, y)
    assert_same_weights(resumed, whole)
    for ours, expected in zip(resumed.history_, whole.history_, strict=True):
        assert {**ours, "dur": 0} == {**expected, "dur": 0}


@pytest.mark.parametrize("make", [harden, ensemble])
def test_the_state_of_another_training_is_refused(signatures, tmp_path, make):
    X, y = signatures
    kept = tiny(checkpoint_dir=tmp_path / "run")
    model = make(kept).fit(X, y)
    assert_same_weights(make(clone(kept).set_params(callbacks=[InterruptAt(1)])).fit(X, y), model)
    with pytest.raises(ValueError, match=r"training.pt: the state of another training .adversary was .*'epsilon': 200"):
        make(kept, epsilon=100.0).fit(X, y)
    with pytest.raises(ValueError, match=r"adversary was .* and is None"):
        clone(kept).fit(X, y)
    if make is ensemble:
        with pytest.raises(ValueError, match=r"adversary was .*'surrogates'"):
            ensemble(kept, [tiny(random_state=2)]).fit(X, y)


def test_surrogates_are_trained_once_with_a_folder(signatures, tmp_path):
    X, y = signatures
    surrogate = tiny(random_state=1, checkpoint_dir=tmp_path)
    first = ensemble(surrogates=[surrogate]).fit(X, y)
    # It would end the training of the surrogate if there was one.
    surrogate.set_params(callbacks=[InterruptAt(1)])
    assert_same_weights(ensemble(surrogates=[surrogate]).fit(X, y), first)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (harden(SigNetFeaturizer(weights="w.safetensors")), "AdversarialTrainer trains .* estimator has weights='w.s"),
        (harden(tiny(epochs=0)), "its estimator has epochs=0, which trains none. Leave weights at None and set epochs"),
        (ensemble(tiny(epochs=0)), "EnsembleAdversarialTrainer trains the network, but its estimator has epochs=0"),
        (ensemble(surrogates=[tiny(), tiny(epochs=0)]), "its surrogate 1 has epochs=0"),
        (AdversarialTrainer("tiny"), "'estimator' parameter of AdversarialTrainer must be .*SigNetFeaturizer"),
        (AdversarialTrainer(SigNetFeaturizer), "'estimator' parameter of AdversarialTrainer"),
        (EnsembleAdversarialTrainer(WriterDependentSVC()), "'estimator' parameter of EnsembleAdversarialTrainer"),
        (ensemble(surrogates=["tiny"]), "surrogate 0 must be a SigNetFeaturizer; found a str"),
        (EnsembleAdversarialTrainer(tiny(), tiny()), "'surrogates' parameter of EnsembleAdversarialTrainer"),
        (ensemble(surrogates=[tiny(dev_writers=[1, 2])]), "must have the dev_writers of the estimator, None"),
        (ensemble(tiny(dev_writers=[1, 3]), [tiny(dev_writers=[1, 2])]), r"the estimator, \[1, 3\].*found \[1, 2\]"),
        (ensemble(surrogates=[tiny(), tiny(forgery_classes=True)]), "surrogate 1 must have the forgery_classes"),
        (ensemble(surrogates=[tiny(mirrored_classes=True)]), "must have the mirrored_classes of the estimator, False"),
        (
            ensemble(surrogates=[SigNetFeaturizer("signet_thin", epochs=1)]),
            r"surrogate 0 \(signet_thin\) needs images of \(150, 220\), which the training of tiny does not make",
        ),
        (ensemble(tiny(forgery_weight=0.5), [tiny()]), "surrogate 0 must have .*forgery_weight"),
        (harden(epsilon=0), "'epsilon' parameter of AdversarialTrainer"),
        (harden(epsilon=-1.0), "'epsilon' parameter of AdversarialTrainer"),
        (ensemble(epsilon=0.0), "'epsilon' parameter of EnsembleAdversarialTrainer"),
        (harden(n_steps=0), "'n_steps' parameter of AdversarialTrainer"),
        (harden(step_size=0.0), "'step_size' parameter of AdversarialTrainer"),
        (harden(random_start=2), "'random_start' parameter of AdversarialTrainer"),
        (ensemble(alpha=1.5), "'alpha' parameter of EnsembleAdversarialTrainer"),
        (harden(tiny(forgery_weight=5.0)), "'forgery_weight' parameter of SigNetFeaturizer"),
        (harden(tiny(head="sine")), "'head' parameter of SigNetFeaturizer"),
        (ensemble(tiny(validation_fraction=3)), "'validation_fraction' parameter of SigNetFeaturizer"),
        (ensemble(surrogates=[tiny(lr=-1.0)]), "'lr' parameter of SigNetFeaturizer"),
        (harden(SigNetFeaturizer()), "signet needs images of at least 150 x 220 pixels, found 34 x 48"),
    ],
)
def test_bad_parameters(signatures, model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*signatures)


@pytest.mark.parametrize("make", [harden, ensemble])
def test_bad_signatures(signatures, make):
    X, y = signatures
    with pytest.raises(ValueError, match="requires y to be passed"):
        make().fit(X, None)
    with pytest.raises(ValueError, match="at least 2 writers"):
        make().fit(X[:6], y[:6])
    other = {} if make is harden else {"surrogates": [tiny(forgery_weight=0.5)]}
    with pytest.raises(ValueError, match="y has none"):
        make(tiny(forgery_weight=0.5), **other).fit(X[y[:, 1] == 0], y[y[:, 1] == 0])
    with pytest.raises(ValueError, match="Put a SignaturePreprocessor before"):
        make().fit(["scan.png"], [1])
    with pytest.raises(ValueError, match=r"\(34, 40\), but .* expecting images of shape \(34, 48\)"):
        make().fit(X, y).transform(X[:, :, :40])


def test_a_failed_fit_leaves_the_model_as_it_was(signatures):
    X, y = signatures
    for model in (harden(), ensemble()):
        before = model.fit(X, y).transform(X)
        with pytest.raises(ValueError, match="at least 2 writers"):
            model.fit(X[:6], y[:6])
        np.testing.assert_array_equal(model.transform(X), before)


def hardest_loss(featurizer, X, y, epsilon):
    """The mean loss of a trained featurizer on the worst images, and on the unchanged ones."""
    module = featurizer.net_.module_.eval()
    net = SimpleNamespace(module_=module, criterion_=SigNetLoss().eval(), infer=module)
    genuine = y[:, 1] == 0
    images = torch.from_numpy(X[genuine]).float()[:, None] / 255
    target = torch.from_numpy(y[genuine]) - torch.tensor([1, 0])
    [(_, worst, criterion)] = WorstImages(epsilon, 10, None, False)(net, images, target)
    with torch.no_grad():
        return tuple(float(criterion.each(module(each), target).mean()) for each in (worst, images))


def test_robust_features_need_more_change():
    scans, y = make_signatures(n_writers=6, n_genuine=16, n_skilled=0, random_state=0)
    X = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(34, 48)).fit_transform(scans)
    settings = {"epochs": 20, "lr": 0.05, "batch_size": 16, "random_state": 0}
    plain = SigNetFeaturizer("tiny", **settings).fit(X, y)
    robust = AdversarialTrainer(SigNetFeaturizer("tiny", **settings), epsilon=50.0, n_steps=3).fit(X, y).estimator_
    (plain_worst, plain_clean), (robust_worst, robust_clean) = (
        hardest_loss(each, X, y, 50.0) for each in (plain, robust)
    )
    assert plain_worst > 10 * plain_clean
    assert robust_worst < 0.5 * plain_worst
    # That of guessing would be log(6).
    assert robust_clean < 0.5 * np.log(6)
