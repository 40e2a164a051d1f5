import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sigkit.attacks import FGM, AnnealingAttack
from sigkit.datasets import make_signatures
from sigkit.estimators import DifferentiableVerifier, WriterDependentSVC
from sigkit.imaging import remove_background
from sigkit.training import SigNetTraining
from sigkit.transformers import BackgroundRemover, SignaturePreprocessor, SigNetFeaturizer


@pytest.fixture(scope="module")
def signatures():
    # Gray lines would be too faint in images of this size.
    scans, target = make_signatures(n_writers=4, n_genuine=6, n_skilled=2, random_state=0, scan="two-valued")
    return SignaturePreprocessor(canvas_size=(765, 1089), image_size=(34, 48)).fit_transform(scans), target


def untrained_featurizer():
    return SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)


def draw(noise=20, n_images=3):
    """Return images with a thick stroke, faint noise in the background, and specks as dark as the stroke."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, noise + 1, (n_images, 16, 24)).astype(np.uint8)
    for number, image in enumerate(images):
        image[4 + number : 7 + number, 3:21] = rng.integers(180, 256, (3, 18))
        image[13, 2:4] = image[14, 20] = 240
    return images


def test_noise_is_removed_and_strokes_are_kept():
    images = draw()
    cleaned = BackgroundRemover().fit_transform(images)
    np.testing.assert_array_equal(cleaned, np.where(images >= 180, images, 0))
    assert cleaned.dtype == np.uint8


@pytest.mark.parametrize(("min_size", "n_specks"), [(0, 3), (1, 3), (2, 2), (3, 0), (54, 0)])
def test_specks_are_removed_by_their_size(min_size, n_specks):
    images = draw()
    cleaned = BackgroundRemover(min_size=min_size).fit_transform(images)
    assert ((cleaned > 0).sum(axis=(1, 2)) == 54 + n_specks).all()
    for image, ours in zip(images, cleaned):
        np.testing.assert_array_equal(ours, remove_background(image, min_size))
    assert not BackgroundRemover(min_size=58).fit_transform(images).any()


def test_images_are_independent():
    images = draw()
    images[1] //= 6
    remover = BackgroundRemover(min_size=3).fit(images)
    alone = np.concatenate([remover.transform(images[row : row + 1]) for row in range(3)])
    np.testing.assert_array_equal(remover.transform(images), alone)
    assert (alone[1] > 0).sum() == 54


@pytest.mark.parametrize("gray", [0, 3, 255])
def test_images_of_one_gray_value_are_unchanged(gray):
    images = np.full((2, 9, 11), gray, dtype=np.uint8)
    np.testing.assert_array_equal(BackgroundRemover().fit_transform(images), images)


def test_blank_images_remain_blank():
    images = draw()
    images[1] = 0
    cleaned = BackgroundRemover(min_size=3).fit_transform(images)
    assert not cleaned[1].any()
    assert cleaned[0].any()


def test_floats_are_rounded_to_bytes():
    images = draw()
    near = images + np.random.default_rng(1).uniform(-0.4, 0.4, images.shape)
    for X in (images.astype(np.float32), near.clip(0, 255), images.tolist()):
        np.testing.assert_array_equal(
            BackgroundRemover(min_size=3).fit_transform(X), BackgroundRemover(min_size=3).fit_transform(images)
        )


def test_the_input_is_not_modified():
    images = draw()
    before = images.copy()
    BackgroundRemover(min_size=60).fit_transform(images)
    np.testing.assert_array_equal(images, before)


def test_in_a_pipeline_before_the_features(signatures):
    images, target = signatures
    genuine = target[:, 1] == 0
    steps = untrained_featurizer(), WriterDependentSVC(gamma=0.01)
    pipe = make_pipeline(BackgroundRemover(min_size=4), *map(clone, steps)).fit(images, target)
    cleaned = BackgroundRemover(min_size=4).fit_transform(images)
    reference = make_pipeline(*map(clone, steps)).fit(cleaned, target)
    np.testing.assert_array_equal(
        pipe.decision_function(images[genuine]), reference.decision_function(cleaned[genuine])
    )


@pytest.mark.parametrize("attack", [FGM(epsilon=50), AnnealingAttack(n_steps=20, step_size=1)])
def test_adversarial_noise_is_removed_from_the_background(signatures, attack):
    images, target = signatures
    pipe = make_pipeline(untrained_featurizer(), WriterDependentSVC(gamma=0.01))
    pipe.fit(images, target)
    queries, claims = images[::2], target[::2, 0]
    # A target that cannot be reached, so that no attack stops early.
    attacked = attack(DifferentiableVerifier(pipe), queries, claims, threshold=-1000).images
    paper = queries == 0
    noise = (attacked > 0) & paper
    assert noise.sum() > 200
    cleaned = BackgroundRemover().fit_transform(attacked)
    assert ((cleaned > 0) & paper).sum() < 0.02 * noise.sum()
    dark = attacked >= 150
    np.testing.assert_array_equal(cleaned[dark], attacked[dark])
    assert set(np.unique(cleaned[cleaned != attacked])) == {0}


def test_clone_and_pickle():
    images = draw()
    remover = clone(BackgroundRemover(min_size=3)).fit(images)
    assert remover.get_params() == {"min_size": 3}
    assert remover.image_shape_in_ == (16, 24)
    again = pickle.loads(pickle.dumps(remover))
    np.testing.assert_array_equal(again.transform(images), remover.transform(images))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 20)), r"\(n_samples, height, width\), found \(3, 20\)"),
        (np.full((1, 9, 9), np.nan), "NaN"),
        (np.full((1, 9, 9), -1.0), "from 0 .* to 255"),
        (np.full((1, 9, 9), 300), "from 0 .* to 255"),
        (np.full((1, 9, 9), 0.5), "multiply values up to 1 by 255"),
        (np.zeros((0, 9, 9)), "0 sample"),
        (["scan.png"], "Put a SignaturePreprocessor before"),
        ([np.zeros((9, 9)), np.zeros((9, 8))], "Put a SignaturePreprocessor before"),
    ],
)
def test_bad_images(X, message):
    with pytest.raises(ValueError, match=message):
        BackgroundRemover().fit(X)


@pytest.mark.parametrize("min_size", [-1, 2.5, "4", None])
def test_bad_sizes(min_size):
    with pytest.raises(ValueError, match="'min_size' parameter of BackgroundRemover"):
        BackgroundRemover(min_size=min_size).fit(draw())


def test_images_of_another_shape_than_in_fit():
    images = draw()
    with pytest.raises(NotFittedError):
        BackgroundRemover().transform(images)
    with pytest.raises(ValueError, match=r"\(15, 24\).*expecting images of shape \(16, 24\)"):
        BackgroundRemover().fit(images).transform(images[:, 1:])
