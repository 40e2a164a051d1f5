"""Preprocessed images at another resolution."""

import numpy as np
import pytest

from sigkit.datasets import make_signatures
from sigkit.transformers import ImageResizer, SignaturePreprocessor


@pytest.fixture(scope="module")
def images():
    scans, _ = make_signatures(n_writers=2, n_genuine=2, n_skilled=0, random_state=0)
    sizes = (170, 242), (340, 484)
    return [SignaturePreprocessor(canvas_size=(765, 1089), image_size=size).fit_transform(scans) for size in sizes]


def test_resized_images_are_close_to_those_that_are_preprocessed_at_that_size(images):
    native, double = images
    resized = ImageResizer().fit_transform(double)
    assert resized.dtype == np.uint8
    for one, other in zip(native, resized):
        # They are a little sharper: two blurs are narrower than one of the sum of their factors.
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.97
    np.testing.assert_allclose(resized.mean(axis=(1, 2)), native.mean(axis=(1, 2)), rtol=0.05)


def test_images_of_the_size_are_not_changed(images):
    assert np.array_equal(ImageResizer((340, 484)).fit_transform(images[1]), images[1])
    blank = np.zeros((1, 30, 40), dtype=np.float32)
    assert ImageResizer((30, 40)).fit_transform(blank).dtype == np.uint8


def test_solid_ink_keeps_its_value_and_images_may_be_enlarged():
    solid = np.full((1, 20, 30), 255, dtype=np.uint8)
    larger = ImageResizer((40, 60)).fit_transform(solid)
    assert (larger[:, 2:-2, 2:-2] == 255).all()


@pytest.mark.parametrize("size", [(0, 10), (10,), (10, 20, 30), (1.5, 2), ("a", "b")])
def test_sizes_that_are_not_valid_are_named(images, size):
    with pytest.raises(ValueError, match="image_size must be two positive integers"):
        ImageResizer(size).fit(images[0])


def test_other_images_than_in_fit_are_an_error(images):
    with pytest.raises(ValueError, match="is expecting images of shape"):
        ImageResizer((85, 121)).fit(images[0]).transform(images[1])
