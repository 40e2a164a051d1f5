import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sigkit.nets import build_network
from sigkit.training import CosFaceLoss, SigNetLoss, SoftmaxLoss
from sigkit.training._losses import TrainingNetwork

N_SAMPLES, N_CLASSES = 12, 5


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(N_SAMPLES, 1, 20, 30, generator=generator)
    classes = torch.randint(N_CLASSES, (N_SAMPLES,), generator=generator)
    forged = (torch.arange(N_SAMPLES) % 3 == 0).long()
    return images, torch.stack([classes, forged], dim=1)


def plain_loss(features, writers, forgery, target, forgery_weight, writer_term):
    """The equations of the paper, sample by sample."""
    total, n_counted, forgery_total = 0.0, 0, 0.0
    for feature, (label, forged) in zip(features, target.tolist()):
        if forgery_weight is None or writer_term == "all" or not forged:
            logits = writers.weight @ feature + writers.bias
            total = total - logits[label] + torch.log(torch.exp(logits).sum())
            n_counted += 1
        if forgery_weight is not None:
            p = 1 / (1 + torch.exp(-(forgery.weight[0] @ feature + forgery.bias[0])))
            forgery_total = forgery_total - (torch.log(p) if forged else torch.log(1 - p))
    if forgery_weight is None:
        return total / n_counted
    return (1 - forgery_weight) * total / n_counted + forgery_weight * forgery_total / len(target)


@pytest.mark.parametrize(
    ("forgery_weight", "writer_term"), [(None, "genuine"), (0.3, "all"), (0.3, "genuine"), (0.95, "genuine")]
)
def test_losses_and_gradients_are_those_of_the_equations(batch, forgery_weight, writer_term):
    images, target = batch
    writers = SoftmaxLoss(writer_term=writer_term)
    network = TrainingNetwork(build_network("tiny", seed=0), writers, N_CLASSES, forgery_weight is not None)
    reference = copy.deepcopy(network)
    loss = SigNetLoss(writers, forgery_weight)(network(images), target)
    features = reference.network(images)
    expected = plain_loss(features, reference.writers, reference.forgery, target, forgery_weight, writer_term)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
    for (name, parameter), other in zip(network.named_parameters(), reference.parameters()):
        torch.testing.assert_close(parameter.grad, other.grad, atol=1e-5, rtol=0, msg=name)


def test_a_batch_without_genuine_signatures():
    network = TrainingNetwork(build_network("tiny", seed=0), SoftmaxLoss(), N_CLASSES, True)
    target = torch.tensor([[0, 1], [1, 1]])
    loss = SigNetLoss(SoftmaxLoss(), forgery_weight=0.5)(network(torch.rand(2, 1, 9, 9)), target)
    loss.backward()
    assert loss.isfinite()
    assert network.writers.weight.grad.abs().sum() == 0
    assert network.forgery.weight.grad.abs().sum() > 0


def test_margin_and_smoothing_are_for_training_only():
    logits, target = torch.tensor([[3.0, 1.0], [0.5, 2.0]]), torch.tensor([[0, 0], [1, 0]])
    loss = SigNetLoss(CosFaceLoss(scale=2.0, margin=0.5, label_smoothing=0.1))
    expected = F.cross_entropy(torch.tensor([[2.0, 1.0], [0.5, 1.0]]), target[:, 0], label_smoothing=0.1)
    torch.testing.assert_close(loss((logits, None), target), expected)
    torch.testing.assert_close(loss.eval()((logits, None), target), F.cross_entropy(logits, target[:, 0]))


def test_cosine_classifier():
    features = torch.rand(4, 8)
    head = CosFaceLoss(scale=10.0).classifier(8, 3)
    expected = 10 * nn.CosineSimilarity(dim=2)(features[:, None], head.weight[None])
    torch.testing.assert_close(head(features), expected)
    torch.testing.assert_close(head(7 * features), expected)
