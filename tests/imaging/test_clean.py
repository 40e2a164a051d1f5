import numpy as np
import pytest

from sigkit.imaging import otsu_threshold, remove_background
from sigkit.imaging._clean import remove_specks


def draw_strokes(grays=(200, 230)):
    """Return an image of two crossing strokes with different gray values, one of them at the border."""
    image = np.zeros((20, 30), dtype=np.uint8)
    image[9:11], image[:, 29] = grays
    return image


def test_faint_noise_is_removed_and_strokes_are_kept():
    strokes = draw_strokes()
    noise = np.random.default_rng(0).integers(0, 30, strokes.shape).astype(np.uint8)
    cleaned = remove_background(np.maximum(strokes, noise))
    np.testing.assert_array_equal(cleaned, strokes)
    assert cleaned.dtype == np.uint8


def test_noise_within_strokes_is_kept():
    strokes = draw_strokes()
    rough = np.where(strokes > 0, strokes - np.random.default_rng(0).integers(0, 60, strokes.shape), 0)
    np.testing.assert_array_equal(remove_background(rough.astype(np.uint8)), rough)


@pytest.mark.parametrize("seed", range(5))
def test_kept_pixels_are_the_ink_by_otsus_threshold(seed):
    image = np.random.default_rng(seed).integers(0, 256, (12, 17)).astype(np.uint8)
    ink = 255 - image <= otsu_threshold(255 - image)
    cleaned = remove_background(image)
    np.testing.assert_array_equal(cleaned, image * ink)
    assert 0 < (cleaned > 0).sum() < image.size


@pytest.mark.parametrize("clean", [remove_background, lambda image: remove_specks(image, 5)])
@pytest.mark.parametrize("gray", [0, 1, 77, 255])
def test_images_of_one_gray_value_are_unchanged(clean, gray):
    image = np.full((6, 9), gray, dtype=np.uint8)
    np.testing.assert_array_equal(clean(image), image)


@pytest.mark.parametrize("ink", [1, 9, 255])
def test_strokes_of_one_gray_on_a_clean_background_are_kept(ink):
    image = np.minimum(draw_strokes(), ink).astype(np.uint8)
    np.testing.assert_array_equal(remove_background(image), image)


@pytest.mark.parametrize("clean", [remove_background, lambda image: remove_specks(image, 100)])
def test_the_input_is_not_modified(clean):
    for image in (draw_strokes(), np.zeros((3, 4), dtype=np.uint8)):
        before = image.copy()
        cleaned = clean(image)
        np.testing.assert_array_equal(image, before)
        assert not np.shares_memory(cleaned, image)


SPECKS = np.array(
    [
        [5, 0, 0, 0, 0, 0, 9],
        [0, 5, 0, 7, 0, 0, 9],
        [0, 0, 5, 0, 0, 0, 9],
        [0, 0, 0, 0, 0, 0, 9],
        [0, 0, 0, 0, 0, 0, 0],
        [8, 0, 3, 3, 0, 4, 4],
    ],
    dtype=np.uint8,
)


# The diagonal and the 7 touch at corners: together 4 pixels, as the 9s. The 3s and the 4s are pairs, the 8 is alone.
@pytest.mark.parametrize(
    ("min_size", "stay"), [(0, {5, 7, 9, 8, 3, 4}), (1, {5, 7, 9, 8, 3, 4}), (2, {5, 7, 9, 3, 4}), (3, {5, 7, 9})]
)
def test_components_are_connected_at_corners(min_size, stay):
    np.testing.assert_array_equal(remove_specks(SPECKS, min_size), np.where(np.isin(SPECKS, list(stay)), SPECKS, 0))


def test_components_of_min_size_are_kept():
    np.testing.assert_array_equal(remove_specks(SPECKS, 4), np.where(np.isin(SPECKS, [5, 7, 9]), SPECKS, 0))
    assert not remove_specks(SPECKS, 5).any()


def test_components_are_connected_in_all_four_diagonal_directions():
    image = np.zeros((5, 5), dtype=np.uint8)
    image[[0, 1, 2, 1, 0], [0, 1, 2, 3, 4]] = 200
    image[[3, 4, 4], [1, 0, 2]] = 100
    np.testing.assert_array_equal(remove_specks(image, 8), image)
    assert not remove_specks(image, 9).any()


def test_the_background_is_not_a_component():
    assert not remove_specks(np.zeros((4, 4), dtype=np.uint8), 17).any()
    ink = np.full((4, 4), 255, dtype=np.uint8)
    np.testing.assert_array_equal(remove_specks(ink, 16), ink)
    assert not remove_specks(ink, 17).any()


def test_components_contain_different_gray_values():
    image = np.array([[1, 255, 0, 0, 2, 3]], dtype=np.uint8)
    np.testing.assert_array_equal(remove_specks(image, 2), image)


def test_specks_are_removed_after_the_background():
    strokes = draw_strokes()
    noisy = strokes.copy()
    noisy[[2, 3, 16, 16], [4, 5, 12, 20]] = 220
    noisy[noisy == 0] = 12
    cleaned = remove_background(noisy)
    assert (cleaned > 0).sum() == (strokes > 0).sum() + 4
    np.testing.assert_array_equal(remove_specks(cleaned, 3), strokes)
