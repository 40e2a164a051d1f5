"""Compare the attacks with those of the Adversarial Robustness Toolbox, on fifty images and a small network."""

import numpy as np
import pytest
import torch

from sigkit.attacks import FGM, PGD, ArtAttack, CarliniWagnerL2, lengths

evasion = pytest.importorskip("art.attacks.evasion", reason="needs adversarial-robustness-toolbox")
PyTorchClassifier = pytest.importorskip("art.estimators.classification").PyTorchClassifier
INF = float("inf")


class TwoClasses(torch.nn.Module):
    """The claim to be the first writer as a classifier with two classes, for images with values up to 1."""

    def __init__(self, verifier, threshold):
        super().__init__()
        self.verifier, self.threshold = verifier, threshold

    def forward(self, images):
        margins = self.verifier(255 * images, np.zeros(len(images), int)) - self.threshold
        return torch.stack([-margins, margins], dim=1) / 2


@pytest.fixture
def images():
    """Images without black or white pixels, for which the change of variables of the toolbox works best."""
    return np.random.default_rng(0).integers(30, 226, (50, 12, 16)).astype(np.uint8)


@pytest.fixture
def claims(images):
    return np.arange(len(images)) % 2


@pytest.fixture
def run(verifier, images):
    """Run an attack and its counterpart in the toolbox on all images, to reverse each decision."""
    claims = np.zeros(len(images), dtype=int)
    scores = verifier(torch.from_numpy(images).float(), claims).numpy()
    threshold = float(np.median(scores))
    classifier = PyTorchClassifier(
        TwoClasses(verifier, threshold),
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=images.shape[1:],
        nb_classes=2,
        clip_values=(0.0, 1.0),
    )

    def run(attack, make):
        goals = np.where(scores >= threshold, "reject", "accept")
        ours = attack(verifier, images, claims, goal=goals, threshold=threshold)
        changed = 255 * make(classifier).generate(images.astype(np.float32) / 255)
        after = verifier(torch.from_numpy(changed), claims).numpy()
        success = np.where(goals == "reject", after < threshold, after >= threshold)
        our_lengths, their_lengths = (
            lengths(torch.from_numpy(each.astype(float) - images)).numpy() for each in (ours.images, changed)
        )
        assert abs(ours.success.sum() - success.sum()) <= 1
        both = ours.success & success
        assert np.median(our_lengths[both]) == pytest.approx(np.median(their_lengths[both]), rel=0.02)
        return ours, changed

    return run


@pytest.mark.parametrize(("norm", "epsilon"), [(2, 40.0), (INF, 3.0)])
def test_fgm(run, norm, epsilon):
    ours, theirs = run(
        FGM(epsilon=epsilon, norm=norm, eight_bit=False),
        lambda net: evasion.FastGradientMethod(net, norm=norm, eps=epsilon / 255),
    )
    assert 3 <= ours.success.sum() <= 47
    assert np.abs(ours.images - theirs).max() < 0.01


@pytest.mark.parametrize(("norm", "epsilon", "step"), [(2, 40.0, 10.0), (INF, 3.0, 0.5)])
def test_pgd(run, norm, epsilon, step):
    options = {"norm": norm, "eps": epsilon / 255, "eps_step": step / 255, "max_iter": 20, "verbose": False}
    ours, _ = run(
        PGD(epsilon=epsilon, norm=norm, n_steps=20, step_size=step, eight_bit=False),
        lambda net: evasion.ProjectedGradientDescent(net, **options),
    )
    assert 3 <= ours.success.sum() <= 47


def test_carlini_wagner(run):
    options = {"initial_const": 1.0, "max_iter": 20, "batch_size": 50, "verbose": False}
    ours, _ = run(
        CarliniWagnerL2(n_search_steps=9, n_iterations=300, eight_bit=False),
        lambda net: evasion.CarliniL2Method(net, **options),
    )
    assert ours.success.all()


def test_another_attack_of_the_toolbox(verifier, images, claims, goals, scores):
    attack = ArtAttack(make=lambda net: evasion.DeepFool(net, verbose=False))
    few = slice(0, 8)
    attacked = attack(verifier, images[few], claims[few], goal=goals[few], threshold=float(np.median(scores)))
    assert attacked.images.dtype == np.uint8
    assert attacked.success.mean() > 0.7


def test_attacks_of_the_toolbox_without_gradients(images):
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002

    def black_box(images, claims):
        with torch.no_grad():
            return 65 - images.flatten(1).std(1)

    attack = ArtAttack(
        make=lambda net: evasion.HopSkipJump(net, max_iter=2, max_eval=20, init_eval=5, verbose=False),
        needs_gradient=False,
    )
    assert attack(black_box, images[:2], goal="reject").success.all()
