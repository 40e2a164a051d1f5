"""The gradients of the meta-learning loss."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sigkit.nets import MetaLearner, balanced_cross_entropy, build_network

IMPORTANCE = [0.2, 0.3, 0.5]


class Smooth(nn.Module):
    """A network of a convolution, batch normalization and a layer, all smooth."""

    n_features = 4

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.bn = nn.BatchNorm2d(3)
        self.fc = nn.Linear(3 * 4 * 5, self.n_features)

    def forward(self, images):
        return torch.tanh(self.fc(torch.tanh(self.bn(self.conv(images))).flatten(1)))


def make_learner(**settings):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        learner = MetaLearner(Smooth(), n_updates=3, inner_lr=0.5, **settings).double().eval().requires_grad_(False)
        for parameter in learner.head.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, dtype=torch.float64))
        nn.init.uniform_(learner.rates, 0.02, 0.1)
        nn.init.uniform_(learner.network_rates, 0.02, 0.1)
        nn.init.uniform_(learner.network.bn.running_var, 0.5, 1.5)
    return learner.requires_grad_()


@pytest.fixture(scope="module")
def task():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(13, 1, 6, 7, generator=generator, dtype=torch.float64)
    labels = torch.tensor([1, 1, 0, 0, 0, 0] + [1, 1, 1, 0, 0, 0, 0], dtype=torch.float64)
    return (images[:6], labels[:6]), (images[6:], labels[6:])


def loss_of(learner, task, importance=IMPORTANCE):
    return learner.task_loss(*((learner.prepare(images), labels) for images, labels in task), importance)[0]


def gradients(learner, task, importance=IMPORTANCE):
    learner.zero_grad()
    loss_of(learner, task, importance).backward()
    return {name: parameter.grad.clone() for name, parameter in learner.named_parameters()}


def plain_loop(learner, task, order):
    """A plain loop: the network as a function of a list of tensors, with gradients by autograd."""
    norm, head_only = learner.network.bn, learner.adapts == "head"

    def features(images, weights):
        maps = F.conv2d(images, weights["network.conv.weight"], weights["network.conv.bias"])
        mean, variance = (stat.view(1, -1, 1, 1) for stat in (norm.running_mean, norm.running_var))
        maps = (maps - mean) / torch.sqrt(variance + norm.eps)
        maps = maps * weights["network.bn.weight"].view(1, -1, 1, 1) + weights["network.bn.bias"].view(1, -1, 1, 1)
        flat = torch.tanh(maps).flatten(1)
        return torch.tanh(flat @ weights["network.fc.weight"].T + weights["network.fc.bias"])

    def loss_of(weights, images, labels):
        scores = (features(images, weights) @ weights["head.weight"].T + weights["head.bias"])[:, 0]
        each = -labels * F.logsigmoid(scores) - (1 - labels) * F.logsigmoid(-scores)
        return 0.5 * each[labels == 1].mean() + 0.5 * each[labels == 0].mean()

    weights = {name: parameter for name, parameter in learner.named_parameters() if not name.endswith("rates")}
    adapted = [name for name in weights if not head_only or name.startswith("head")]
    total = 0
    for step, share in enumerate(IMPORTANCE):
        rates = [*learner.network_rates[step], *learner.rates[step]]
        found = torch.autograd.grad(
            loss_of(weights, *task[0]), [weights[name] for name in adapted], create_graph=order == 2
        )
        stepped = {name: weights[name] - rate * gradient for name, rate, gradient in zip(adapted, rates, found)}
        weights = {**weights, **stepped}
        total = total + share * loss_of(weights, *task[1])
    learner.zero_grad()
    total.backward()
    return total.item(), {name: part.grad.clone() for name, part in learner.named_parameters() if part.numel()}


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("head", ["linear", "distance"])
@pytest.mark.parametrize("adapt", ["all", "head"])
def test_gradients_equal_finite_differences(task, adapt, head, recompute):
    learner = make_learner(adapt=adapt, head=head, recompute=recompute)
    found, differences = gradients(learner, task), []
    for name, parameter in learner.named_parameters():
        flat = parameter.detach().view(-1)
        for place in range(0, flat.numel(), max(1, flat.numel() // 7)):
            losses = []
            for step in (1e-5, -2e-5):
                flat[place] += step
                losses.append(loss_of(learner, task).item())
            flat[place] += 1e-5
            differences.append((losses[0] - losses[1]) / 2e-5)
            assert found[name].view(-1)[place].item() == pytest.approx(differences[-1], abs=1e-8, rel=1e-6)
    assert np.mean(np.abs(differences) > 1e-6) > 0.8


def test_channels_last_changes_no_gradient(task):
    learner = make_learner()
    learner.network.conv = nn.utils.skip_init(nn.Conv2d, 2, 3, 3, dtype=torch.float64)
    for number, tensor in enumerate(learner.network.conv.parameters()):
        nn.init.normal_(tensor, generator=torch.Generator().manual_seed(number))
    task = [(torch.cat([images, images.square()], dim=1), labels) for images, labels in task]
    expected = gradients(learner, task)
    found = gradients(learner.to(memory_format=torch.channels_last), task)
    assert found["network_rates"].abs().min() > 1e-6
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("adapt", ["all", "head"])
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_equal_a_plain_loop(task, adapt, order):
    learner = make_learner(adapt=adapt, order=order)
    loss, expected = plain_loop(learner, task, order)
    assert loss_of(learner, task).item() == pytest.approx(loss, rel=1e-12)
    found = gradients(learner, task)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-9, atol=1e-12)


def test_first_order_ignores_second_derivatives(task):
    first, second = (gradients(make_learner(order=order), task)["network.fc.weight"] for order in (1, 2))
    assert (first - second).abs().max() > 1e-3 * second.abs().max()


def test_recomputing_changes_nothing(task):
    kept, recomputed = (gradients(make_learner(recompute=recompute), task) for recompute in (False, True))
    for name, gradient in kept.items():
        torch.testing.assert_close(recomputed[name], gradient, rtol=1e-12, atol=1e-15)


def test_adaptation_without_gradients_reaches_the_same_weights(task):
    learner = make_learner()
    *_, expected = learner.updates(*task[0])
    with torch.no_grad():
        *_, found = learner.updates(*task[0])
    assert not any(weight.requires_grad for weight in found.values())
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight.detach(), rtol=1e-12, atol=1e-15)


def test_adaptation_does_not_change_the_shared_weights(task):
    learner = make_learner()
    before = {name: tensor.clone() for name, tensor in learner.state_dict().items()}
    gradients(learner, task)
    assert all(torch.equal(tensor, before[name]) for name, tensor in learner.state_dict().items())


def test_only_the_head_is_adapted_for_shared_features(task):
    learner = make_learner(adapt="head")
    assert [*learner.adapted_parameters()] == ["head.weight", "head.bias"]
    *_, weights = learner.updates(learner.prepare(task[0][0]), task[0][1])
    assert [*weights] == ["head.weight", "head.bias"]


def test_one_class_moves_towards_the_references():
    learner = MetaLearner(build_network("tiny", seed=0), inner_lr=0.1).eval()
    images = torch.rand(5, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        *_, weights = learner.updates(images, torch.ones(5))
        scores = learner.score(weights, images)
    assert torch.isfinite(scores).all()
    assert (scores > 0).all()


def test_bfloat16_is_near_float32():
    images = torch.rand(8, 1, 20, 30, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([1.0] * 4 + [0.0] * 4)
    found = []
    for bfloat16 in (False, True):
        learner = MetaLearner(build_network("tiny", seed=0), inner_lr=0.1, bfloat16=bfloat16).eval()
        loss, scores = learner.task_loss((images, labels), (images, labels), [0, 0, 0, 0, 1])
        loss.backward()
        assert scores.dtype == torch.float32
        assert all(parameter.grad.dtype == torch.float32 for parameter in learner.parameters())
        found.append(torch.cat([parameter.grad.flatten() for parameter in learner.network.parameters()]))
    assert F.cosine_similarity(*found, dim=0) > 0.98


@pytest.mark.parametrize("labels", [[1, 1, 1], [0, 0], [1, 0, 0, 0]])
def test_balanced_cross_entropy(labels):
    labels = torch.tensor(labels, dtype=torch.float64)
    logits = torch.linspace(-1, 2, len(labels), dtype=torch.float64)
    each = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    expected = torch.stack([each[labels == kind].mean() for kind in labels.unique()]).mean()
    assert balanced_cross_entropy(logits, labels).item() == pytest.approx(expected.item())
