"""Adapters of fitted verifiers for attacks, with and without gradients."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sigkit.attacks import FGM, AnnealingAttack, BoundaryAttack
from sigkit.datasets import load_npz, make_signatures
from sigkit.estimators import (
    AdversarialTrainer,
    BlackBoxVerifier,
    DifferentiableVerifier,
    MetaLearnedVerifier,
    NotDifferentiable,
    WriterDependentSVC,
)
from sigkit.nets import center_crop
from sigkit.training import MetaTraining, SigNetTraining
from sigkit.transformers import BackgroundRemover, CLBPFeaturizer, SignaturePreprocessor, SigNetFeaturizer

CEDAR = Path(os.environ.get("SIGKIT_DATA", "../shared/data")) / "reference" / "cedar_170x242.npz"
UNTRAINED = SigNetTraining(epochs=0)
PREPROCESSOR = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(51, 73))


def draw_scans():
    """Scans of six writers, two-valued because gray lines would be faint in images as small as these."""
    return make_signatures(n_writers=6, n_genuine=6, n_skilled=2, random_state=0, scan="two-valued")


@pytest.fixture(scope="module")
def drawn():
    scans, target = draw_scans()
    return clone(PREPROCESSOR).fit_transform(scans), target


def make(**settings):
    views = {name: settings.pop(name) for name in ("n_views", "magnification") if name in settings}
    featurizer = SigNetFeaturizer("tiny", training=UNTRAINED, random_state=0, **views)
    return make_pipeline(featurizer, WriterDependentSVC(**{"gamma": "scale", **settings}))


def claims_of(target):
    """For each signature a genuine claim, then for each a claim of another writer."""
    writers = np.array(target[:, 0].tolist())
    return np.concatenate([writers, np.roll(writers, 9)])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scaling": "writer"},
        {"kernel": "linear"},
        {"kernel": "linear", "scaling": "writer"},
        {"scaling": "none", "gamma": 0.5},
        {"C": 50.0},
        {"dev_writers": [1, 2]},
        {"n_views": 3},
        {"n_views": 2, "magnification": (1.0, 1.5)},
    ],
    ids=str,
)
def test_scores_equal_those_of_the_pipeline(drawn, settings):
    images, target = drawn
    dev = settings.get("dev_writers", [])
    pipe = make(**settings).fit(images, target)
    chosen = ~np.isin(np.array(target[:, 0].tolist()), dev)
    images, claims = np.tile(images[chosen], (2, 1, 1)), claims_of(target[chosen])
    expected = pipe[-1].claim_scores(pipe[:-1].transform(images), claims)
    for verifier in (DifferentiableVerifier(pipe, device="cpu"), BlackBoxVerifier(pipe)):
        scores = verifier(torch.from_numpy(images).float(), claims)
        assert scores.dtype == torch.float32
        assert np.allclose(scores.detach().numpy(), expected, atol=1e-5)


@pytest.mark.skipif(not CEDAR.exists(), reason=f"needs {CEDAR}; name its folder by SIGKIT_DATA")
@pytest.mark.parametrize("scaling", ["shared", "writer"])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_scores_of_a_hundred_cedar_claims(kernel, scaling):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*user_mapping is pickled")
        cedar = load_npz(CEDAR)
    writers = cedar.target[:, 0].astype(int)
    few = (writers < 10) & (np.arange(len(writers)) % 2 == 0)
    images, target = center_crop(cedar.images[few], (150, 220)), cedar.target[few]
    taught = np.arange(len(images)) % 4 == 0
    featurizer = SigNetFeaturizer("signet_residual", training=UNTRAINED, random_state=0)
    pipe = make_pipeline(featurizer, WriterDependentSVC(kernel, scaling=scaling)).fit(images[taught], target[taught])
    images, claims = images[~taught][:100], target[~taught, 0].astype(int)[:100]
    claims[50:] = np.roll(claims[50:], 13)
    expected = pipe[-1].claim_scores(pipe[:-1].transform(images), claims)
    with torch.no_grad():
        scores = DifferentiableVerifier(pipe, device="cpu")(torch.from_numpy(images).float(), claims).numpy()
    assert len(scores) == 100
    assert np.abs(scores - expected).max() < 1e-4


@pytest.mark.parametrize("settings", [{}, {"adapt": "head"}, {"keep": "weights"}, {"head": "distance"}], ids=str)
def test_scores_and_gradients_of_a_meta_learned_verifier(drawn, settings):
    images, target = drawn
    settings = {"training": MetaTraining(epochs=0), "n_references": 3, "n_updates": 2, "random_state": 0} | settings
    model = MetaLearnedVerifier("tiny", dev_writers=[1, 2, 3], **settings).fit(images, target)
    chosen = np.array(target[:, 0].tolist()) > 3
    images, claims = np.tile(images[chosen], (2, 1, 1)), claims_of(target[chosen])
    verifier = DifferentiableVerifier(model, device="cpu")
    pixels = torch.from_numpy(images).float().requires_grad_()
    scores = verifier(pixels, claims)
    assert np.allclose(scores.detach().numpy(), model.claim_scores(images, claims), atol=1e-4)
    [gradients] = torch.autograd.grad(scores.sum(), pixels)
    assert gradients.abs().sum((1, 2)).min() > 0


@pytest.mark.parametrize("settings", [{}, {"kernel": "linear"}, {"scaling": "writer"}, {"n_views": 2}], ids=str)
def test_gradients_equal_finite_differences(drawn, settings):
    """Central differences of the scores at 24 ink pixels, in double precision."""
    images, target = drawn
    scorer = DifferentiableVerifier(make(**settings).fit(images, target), device="cpu").double().scorer
    scorer.dtype, scorer.center, scorer.scale = torch.float64, scorer.center.double(), scorer.scale.double()
    writer = target[0, 0]

    def score(pixels):
        return scorer.score(scorer.prepare(pixels), writer)

    # Noise in the background: where it is 0, the rectifiers of the network are at their kinks.
    noise = np.random.default_rng(0).uniform(5, 15, images[:1].shape)
    pixels = torch.from_numpy(np.clip(images[:1] + noise, 0, 240)).requires_grad_()
    [gradients] = torch.autograd.grad(score(pixels).sum(), pixels)
    ink = np.argwhere(images[0] > 40)
    # Views are computed in single precision.
    step, rel = (0.02, 0.03) if "n_views" in settings else (1e-4, 1e-3)
    for row, column in ink[np.linspace(0, len(ink) - 1, 24).astype(int)].tolist():
        moved = torch.zeros_like(pixels)
        moved[0, row, column] = step
        with torch.no_grad():
            difference = (score(pixels + moved) - score(pixels - moved)).item() / (2 * step)
        assert gradients[0, row, column].item() == pytest.approx(difference, rel=rel, abs=1e-9)


def test_preprocessor_passthrough_and_wrapped_featurizer(drawn):
    images, target = drawn
    scans, target = draw_scans()
    pipe = make_pipeline(clone(PREPROCESSOR), "passthrough", *(step for _, step in make().steps)).fit(scans, target)
    claims = np.array(target[:4, 0].tolist())
    for verifier in (DifferentiableVerifier(pipe), BlackBoxVerifier(pipe)):
        scores = verifier(torch.from_numpy(images[:4]).float(), claims)
        assert np.allclose(scores.detach().numpy(), pipe.decision_function(scans[:4])[range(4), claims - 1], atol=1e-5)
    trainer = AdversarialTrainer(SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=0), n_steps=1)
    robust = make_pipeline(trainer, WriterDependentSVC()).fit(images, target)
    scores = DifferentiableVerifier(robust)(torch.from_numpy(images[:4]).float(), claims)
    assert np.allclose(scores.detach().numpy(), robust.decision_function(images[:4])[range(4), claims - 1], atol=1e-5)


def test_fgm_lowers_the_scores(drawn):
    images, target = drawn
    pipe = make().fit(images, target)
    claims = np.array(target[:6, 0].tolist())
    attacked = FGM(epsilon=400)(DifferentiableVerifier(pipe), images[:6], claims)
    scores = pipe[-1].claim_scores(pipe[:-1].transform(attacked.images), claims)
    assert np.allclose(attacked.scores_after, scores, atol=1e-5)
    assert (attacked.scores_after < attacked.scores_before)[attacked.attempted].all()


def test_steps_that_are_not_differentiable(drawn):
    images, target = drawn
    svc = WriterDependentSVC(gamma=2**-15, scaling="none")
    pipe = make_pipeline(CLBPFeaturizer(), svc).fit(images, target)
    with pytest.raises(
        NotDifferentiable, match=r"step 'clbpfeaturizer' \(CLBPFeaturizer\) is not differentiable.*Boundary"
    ):
        DifferentiableVerifier(pipe)
    cleaned = make_pipeline(BackgroundRemover(), *(step for _, step in make().steps)).fit(images, target)
    with pytest.raises(ValueError, match=r"step 'backgroundremover' \(BackgroundRemover\) is not differentiable"):
        DifferentiableVerifier(cleaned)
    claims = np.array(target[:4, 0].tolist())
    with pytest.raises(ValueError, match=r"FGM needs gradients, which .* 'clbpfeaturizer' \(CLBPFeaturizer\)"):
        FGM()(BlackBoxVerifier(pipe), images[:4], claims)
    for attack in (BoundaryAttack(n_steps=5), AnnealingAttack(n_steps=40)):
        for verifier in (BlackBoxVerifier(pipe), BlackBoxVerifier(cleaned)):
            attacked = attack(verifier, images[:4], claims)
            assert attacked.attempted.any()


def test_nearly_black_images_are_scored(drawn):
    """An attacked image may have no value above 1."""
    images, target = drawn
    pipe = make().fit(images, target)
    faint = torch.zeros(2, *images.shape[1:])
    faint[0, 3, 4] = 1.0
    assert torch.isfinite(BlackBoxVerifier(pipe)(faint, np.array(target[:2, 0].tolist()))).all()


def test_nested_pipelines(drawn):
    images, target = drawn
    scans, target = draw_scans()
    (_, featurizer), (_, svc) = make().steps
    pipe = make_pipeline(make_pipeline(clone(PREPROCESSOR), featurizer), svc).fit(scans, target)
    claims = np.array(target[:4, 0].tolist())
    expected = pipe.decision_function(scans[:4])[range(4), claims - 1]
    for verifier in (DifferentiableVerifier(pipe), BlackBoxVerifier(pipe)):
        scores = verifier(torch.from_numpy(images[:4]).float(), claims)
        assert np.allclose(scores.detach().numpy(), expected, atol=1e-5)


def test_images_that_do_not_fit_are_refused(drawn):
    images, target = drawn
    verifier = DifferentiableVerifier(make().fit(images, target))
    with pytest.raises(ValueError, match=r"images of shape \(51, 73\); found \(20, 20\)"):
        verifier(torch.zeros(1, 20, 20), [1])
    with pytest.raises(ValueError, match="from 0 to 255; found -1 to 5"):
        verifier(5 - 6 * torch.eye(73)[None, :51], [1])
    assert verifier(torch.zeros(0, 51, 73), []).shape == (0,)


def test_other_pipelines_are_refused(drawn):
    images, target = drawn
    features = SigNetFeaturizer("tiny", training=UNTRAINED, random_state=0).fit_transform(images)
    svc = WriterDependentSVC().fit(features, target)
    with pytest.raises(ValueError, match="one SigNetFeaturizer before the WriterDependentSVC; found 0"):
        DifferentiableVerifier(svc)
    with pytest.raises(ValueError, match=r"must score claims, .* is a SigNetFeaturizer"):
        DifferentiableVerifier(make_pipeline(SigNetFeaturizer("tiny", training=UNTRAINED)).fit(images))
    pipe = make().fit(images, target)
    with pytest.raises(ValueError, match="never enrolled: 99"):
        DifferentiableVerifier(pipe)(torch.from_numpy(images[:1]).float(), [99])
    with pytest.raises(ValueError, match="device='nowhere'"):
        DifferentiableVerifier(pipe, device="nowhere")
