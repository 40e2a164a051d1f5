"""Adversaries in training: the images that they make, the networks that they attack, the loss of these images."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch.nn import functional as F

from sigkit.nets import build_network
from sigkit.training import (
    CosFaceLoss,
    EnsembleAdversary,
    ProjectedGradientAdversary,
    SigNetLoss,
    SigNetTraining,
    SoftmaxLoss,
)
from sigkit.training._net import TrainingNet
from sigkit.transformers import SigNetFeaturizer

N_WRITERS = 4
EPSILON, N_STEPS, ALPHA = 200.0, 3, 0.3
TINY = SigNetFeaturizer(
    "tiny", training=SigNetTraining(epochs=2, lr=0.02, batch_size=8, validation_fraction=0.0), random_state=0
)


def tiny(adversary=None, **parameters):
    """Make a small featurizer with an adversary."""
    return clone(TINY).set_params(**parameters, training__adversary=adversary)


def gradient_ascent(**parameters):
    return ProjectedGradientAdversary(**{"epsilon": EPSILON, "n_steps": N_STEPS} | parameters)


def one_step(surrogates=(), **parameters):
    return EnsembleAdversary(surrogates=list(surrogates), **{"epsilon": EPSILON, "alpha": ALPHA} | parameters)


@pytest.fixture(scope="module")
def signatures(draw_blots):
    return draw_blots(34, 48, n_writers=N_WRITERS, n_genuine=6, n_skilled=4)


@pytest.fixture(scope="module")
def surrogates(signatures):
    """Return the modules of two trained featurizers."""
    return [tiny(random_state=seed).fit(*signatures).net_.module_ for seed in (1, 2)]


def assert_same_weights(first, second):
    first, second = first.network_.state_dict(), second.network_.state_dict()
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def norms(changes):
    return torch.linalg.vector_norm(changes.flatten(1), dim=1)


@pytest.fixture
def changed(monkeypatch):
    """Return the list of batches that the adversaries make, with the losses of the images at that time."""
    batches = []

    def recording(changed_batches):
        def record(self, net, images, target):
            shares = changed_batches(self, net, images, target)
            criterion = net.criterion_.for_attacked_images()
            with torch.no_grad():
                losses = [
                    criterion.per_sample(net.logits_of(net.module_, each), target) for each in (images, shares[-1][1])
                ]
            batches.append((images, shares, losses))
            return shares

        return record

    for adversary in (ProjectedGradientAdversary, EnsembleAdversary):
        monkeypatch.setattr(adversary, "changed_batches", recording(adversary.changed_batches))
    return batches


@pytest.fixture
def attacked(monkeypatch):
    """Return the list of the modules that adversaries attacked."""
    modules, logits_of = [], TrainingNet.logits_of

    def record(self, module, images):
        modules.append(module)
        return logits_of(self, module, images)

    monkeypatch.setattr(TrainingNet, "logits_of", record)
    return modules


class TestProjectedGradient:
    """The images of ProjectedGradientAdversary."""

    @pytest.mark.parametrize(("weight", "writer_term"), [(None, "genuine"), (0.4, "genuine"), (0.4, "all")])
    @pytest.mark.parametrize("epsilon", [50.0, 600.0])
    def test_images_are_in_the_ball_with_a_loss_that_is_not_lower(
        self, signatures, changed, epsilon, weight, writer_term
    ):
        loss = SoftmaxLoss(writer_term=writer_term)
        tiny(gradient_ascent(epsilon=epsilon), forgery_weight=weight, training__loss=loss).fit(*signatures)
        assert len(changed) == 2 * (5 if weight else 3)
        for images, [(share, worst, _)], (before, after) in changed:
            assert share == 1
            assert (norms(worst - images) <= epsilon / 255 * (1 + 1e-6)).all()
            assert worst.min() >= 0
            assert worst.max() <= 1
            assert (after >= before).all()
        assert np.mean([(after > before).float().mean() for *_, (before, after) in changed]) > 0.9
        longest = max(norms(worst - images).max() for images, [(_, worst, _)], _ in changed)
        assert longest > 0.8 * epsilon / 255

    def test_steps_have_the_length_that_was_set(self, signatures, changed):
        tiny(gradient_ascent(step_size=20.0, n_steps=2, epsilon=1000.0)).fit(*signatures)
        longest = [norms(worst - images).max() for images, [(_, worst, _)], _ in changed]
        assert max(longest) <= 40 / 255 * (1 + 1e-6)
        assert min(longest) > 20 / 255
        changed.clear()
        tiny(gradient_ascent(n_steps=5, epsilon=100.0)).fit(*signatures)
        by_default = [worst for _, [(_, worst, _)], _ in changed]
        changed.clear()
        tiny(gradient_ascent(n_steps=5, epsilon=100.0, step_size=50.0)).fit(*signatures)
        for worst, (_, [(_, same, _)], _) in zip(by_default, changed, strict=True):
            assert torch.equal(worst, same)

    def test_steps_may_start_at_random(self, signatures, changed):
        adversary = gradient_ascent(random_start=True, n_steps=1, step_size=1e-3, epsilon=100.0)
        first = tiny(adversary).fit(*signatures)
        for images, [(_, worst, _)], _ in changed:
            changes = norms(worst - images)
            assert (changes <= 100 / 255 * (1 + 1e-6)).all()
            # The part of the random start that would be brighter than paper is cut off: half of it.
            assert (changes > 0.5 * 100 / 255).all()
            assert worst.min() >= 0
            assert worst.max() <= 1
        assert not torch.equal(changed[0][1][0][1] - changed[0][0], changed[1][1][0][1] - changed[1][0])
        assert_same_weights(first, tiny(adversary).fit(*signatures))


class TestEnsemble:
    """The images of EnsembleAdversary, and the networks that it attacks."""

    def test_images_are_near(self, signatures, surrogates, changed):
        tiny(one_step(surrogates[:1], epsilon=20.0)).fit(*signatures)
        for images, [(share, clean, _), (other_share, attacked, _)], _ in changed:
            assert torch.equal(clean, images)
            assert (share, other_share) == (ALPHA, 1 - ALPHA)
            assert (norms(attacked - images) <= 20 / 255 * (1 + 1e-6)).all()
            assert (norms(attacked - images) > 0.5 * 20 / 255).all()
            assert attacked.min() >= 0
            assert attacked.max() <= 1
        # The surrogate and the network are attacked in turn: a step against the latter makes its own loss grow.
        losses = [(after - before).mean() for *_, (before, after) in changed]
        assert min(losses[1::2]) > 0

    def test_networks_are_attacked_in_turn(self, signatures, surrogates, attacked):
        model = tiny(one_step(surrogates)).fit(*signatures)
        networks = [model.net_.module_, *surrogates]
        assert [networks.index(module) for module in attacked] == 2 * [1, 2, 0]

    def test_networks_are_attacked_in_turn_however_few_batches_an_epoch_has(self, signatures, surrogates, attacked):
        adversary = one_step(surrogates[:1])
        model = tiny(adversary, training__epochs=4, training__batch_size=24).fit(*signatures)
        networks = [model.net_.module_, *surrogates]
        assert [networks.index(module) for module in attacked] == [1, 0, 1, 0]

    def test_without_surrogates_the_network_itself_is_attacked(self, signatures, attacked):
        model = tiny(one_step()).fit(*signatures)
        assert {id(module) for module in attacked} == {id(model.net_.module_)}

    def test_with_all_weight_on_unchanged_images_the_training_is_the_standard_one(self, signatures):
        model, usual = (tiny(adversary).fit(*signatures) for adversary in (one_step(alpha=1.0), None))
        for (name, ours), expected in zip(model.network_.named_parameters(), usual.network_.parameters()):
            torch.testing.assert_close(ours, expected, atol=1e-6, rtol=0, msg=name)


class PlainTraining:
    """A training in plain PyTorch, by the equations of the papers."""

    def __init__(self, X, y, forgery_weight, epochs=3, lr=1e-2):
        self.weight, self.epochs = forgery_weight, epochs
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

    def loss(self, images, rows, writer_term="genuine"):
        features = self.network(images)
        concerned = self.forged[rows] == 0 if self.weight and writer_term == "genuine" else self.forged[rows] >= 0
        # A single signature may be one that is not in the term about writers.
        loss = (
            F.cross_entropy(self.writers(features[concerned]), self.labels[rows][concerned]) if concerned.any() else 0
        )
        if self.weight:
            forgery = F.binary_cross_entropy_with_logits(self.forgery(features)[:, 0], self.forged[rows].float())
            loss = (1 - self.weight) * loss + self.weight * forgery
        return loss

    def gradient(self, image, row):
        image = image.clone().requires_grad_()
        # Twice, because some processors round a single image otherwise than a batch. Of equal pixels that are pooled,
        # another one then has the gradient.
        value = self.loss(torch.stack([image, image]), torch.stack([row, row]))
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


def assert_follows(model, reference, losses):
    for (name, ours), expected in zip(model.network_.named_parameters(), reference.network.parameters()):
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0, msg=name)
    # Statistics of sums of 96 terms.
    for (name, ours), expected in zip(model.network_.named_buffers(), reference.network.buffers()):
        torch.testing.assert_close(ours, expected, atol=5e-4, rtol=1e-3, msg=name)
    np.testing.assert_allclose([epoch["train_loss"] for epoch in model.history_], losses, atol=1e-5)
    change = (
        build_network("tiny", seed=reference.seed).fc_layers[0].fc.weight - reference.network.fc_layers[0].fc.weight
    )
    assert change.abs().max() > 1e-3


@pytest.mark.parametrize(("weight", "writer_term"), [(None, "genuine"), (0.4, "genuine"), (0.4, "all")])
class TestPlainLoop:
    """Both trainings against plain loops over steps and images, as in the papers."""

    @staticmethod
    def train(X, y, adversary, weight, writer_term):
        return tiny(
            adversary,
            forgery_weight=weight,
            training__loss=SoftmaxLoss(writer_term=writer_term),
            training__epochs=3,
            training__lr=1e-2,
            training__batch_size=12,
        ).fit(X, y)

    def test_projected_gradient(self, signatures, weight, writer_term):
        X, y = signatures
        reference = PlainTraining(X, y, weight)
        epsilon = EPSILON / 255
        step_size = 2.5 * epsilon / N_STEPS

        def worst(row):
            original = changed = reference.images[row]
            versions = []
            for _ in range(N_STEPS):
                value, gradient = reference.gradient(changed, row)
                versions.append((value, changed))
                change = (changed + step_size * gradient / gradient.norm()).clamp(0, 1) - original
                changed = (original + change * min(1, epsilon / change.norm())).clamp(0, 1)
            versions.append((reference.gradient(changed, row)[0], changed))
            return max(versions, key=lambda version: version[0])[1]

        def step(rows, number):
            reference.network.eval()
            images = torch.stack([worst(row) for row in rows])
            reference.network.train()
            return reference.loss(images, rows)

        losses = reference.fit(step)
        assert_follows(self.train(X, y, gradient_ascent(), weight, writer_term), reference, losses)

    def test_ensemble(self, signatures, weight, writer_term):
        X, y = signatures
        reference, other = PlainTraining(X, y, weight), PlainTraining(X, y, weight)
        surrogate = clone(TINY).set_params(
            training__epochs=1,
            training__loss=SoftmaxLoss(writer_term=writer_term),
            forgery_weight=weight,
            random_state=1,
        )
        trained = surrogate.fit(X, y).net_.module_
        other.network, other.writers = trained.network, trained.writers
        other.forgery = trained.forgery or other.forgery

        def changed(row, attacked):
            _, gradient = attacked.gradient(reference.images[row], row)
            return (reference.images[row] + EPSILON / 255 * gradient / gradient.norm()).clamp(0, 1)

        def step(rows, number):
            reference.network.eval()
            # The surrogate first; an epoch has an even number of batches.
            attacked = (reference, other)[number % 2]
            images = torch.stack([changed(row, attacked) for row in rows])
            reference.network.train()
            clean = reference.loss(reference.images[rows], rows, writer_term)
            return ALPHA * clean + (1 - ALPHA) * reference.loss(images, rows)

        losses = reference.fit(step)
        assert_follows(self.train(X, y, one_step([trained]), weight, writer_term), reference, losses)


class TestLossOfAttackedImages:
    """Forgeries among attacked images only enter the forgery term."""

    @pytest.mark.parametrize("writer_term", ["genuine", "all"])
    def test_forgeries_are_never_in_the_writer_term(self, writer_term):
        generator = torch.Generator().manual_seed(0)
        criterion = SigNetLoss(CosFaceLoss(writer_term=writer_term, label_smoothing=0.1), forgery_weight=0.4)
        writers = torch.randn(9, N_WRITERS, generator=generator)
        forgery = torch.randn(9, generator=generator)
        forged = torch.arange(9) % 2
        labels = torch.arange(9) % N_WRITERS
        others = torch.where(forged == 1, (labels + 1) % N_WRITERS, labels)
        for training in (True, False):
            attacked = criterion.train(training).for_attacked_images()
            assert attacked.training == training
            found = []
            for classes in (labels, others):
                target = torch.stack([classes, forged], dim=1)
                logits = writers.clone().requires_grad_(), forgery.clone().requires_grad_()
                loss, each = attacked(logits, target), attacked.per_sample(logits, target)
                found.append([loss, each, *torch.autograd.grad(loss, logits, retain_graph=True)])
                found[-1] += torch.autograd.grad(each.sum(), logits)
            for first, second in zip(*found):
                assert torch.equal(first, second)
            for gradient in (found[0][2], found[0][4]):
                assert not gradient[forged == 1].any()
                assert gradient[forged == 0].any(dim=1).all()
            assert (found[0][1][forged == 1] == 0.4 * F.softplus(-forgery)[forged == 1]).all()
        assert criterion.writer_term == writer_term

    @pytest.mark.parametrize("writer_term", ["genuine", "all"])
    @pytest.mark.parametrize("adversary", [gradient_ascent(), one_step(alpha=0.0)], ids=["gradient", "one-step"])
    def test_the_writer_of_a_forgery_changes_nothing(self, signatures, adversary, writer_term):
        X, y = signatures
        forged = y[:, 1] == 1
        others = y.copy()
        others[forged, 0] = y[forged, 0] % N_WRITERS + 1
        featurizer = tiny(adversary, forgery_weight=0.4, training__loss=SoftmaxLoss(writer_term=writer_term))
        model, other = clone(featurizer).fit(X, y), clone(featurizer).fit(X, others)
        assert_same_weights(model, other)
        genuine_only = tiny(adversary).fit(X[~forged], y[~forged])
        assert not np.array_equal(genuine_only.transform(X), model.transform(X))

    @pytest.mark.parametrize(
        ("weight", "loss"),
        [
            (None, SoftmaxLoss(label_smoothing=0.2)),
            (0.4, SoftmaxLoss(label_smoothing=0.2)),
            (None, CosFaceLoss(label_smoothing=0.2)),
        ],
    )
    @pytest.mark.parametrize("adversary", [gradient_ascent(), one_step()], ids=["gradient", "one-step"])
    def test_every_batch_has_the_margin_and_the_label_smoothing(self, signatures, monkeypatch, adversary, weight, loss):
        forward, modes = SigNetLoss.forward, []

        def recorded(self, logits, target):
            if torch.is_grad_enabled():
                modes.append(self.training)
            return forward(self, logits, target)

        monkeypatch.setattr(SigNetLoss, "forward", recorded)
        parameters = {"training__loss": loss, "training__validation_fraction": 0.2}
        tiny(adversary, forgery_weight=weight, **parameters).fit(*signatures)
        assert len(modes) >= 6
        # In evaluation the loss has neither.
        assert all(modes)


def losses_under_attack(featurizer, X, y, epsilon):
    """Return the mean loss of a trained featurizer on attacked images, and on unchanged ones."""
    net = SimpleNamespace(
        module_=featurizer.net_.module_.eval(),
        criterion_=SigNetLoss(SoftmaxLoss()).eval(),
        logits_of=lambda module, images: module(images),
    )
    genuine = y[:, 1] == 0
    images = torch.from_numpy(X[genuine]).float()[:, None] / 255
    target = torch.from_numpy(y[genuine]) - torch.tensor([1, 0])
    adversary = ProjectedGradientAdversary(epsilon=epsilon, n_steps=10)
    [(_, worst, criterion)] = adversary.changed_batches(net, images, target)
    with torch.no_grad():
        return tuple(float(criterion.per_sample(net.module_(each), target).mean()) for each in (worst, images))


def test_robust_features_need_larger_perturbations(draw_blots):
    X, y = draw_blots(34, 48, n_writers=6, n_genuine=16, n_skilled=0)
    parameters = {"training__epochs": 12, "training__lr": 0.05, "training__batch_size": 16}
    (usual_worst, usual_clean), (robust_worst, robust_clean) = (
        losses_under_attack(tiny(adversary, **parameters).fit(X, y), X, y, 400.0)
        for adversary in (None, ProjectedGradientAdversary(epsilon=400.0, n_steps=3))
    )
    assert usual_worst > 10 * usual_clean
    assert robust_worst < 0.5 * usual_worst
    # The loss of guessing is log(6).
    assert robust_clean < 0.5 * np.log(6)
