import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter
from skimage.filters import threshold_otsu, threshold_sauvola
from skimage.transform import resize

import sigkit.imaging._ink as ink_module
import sigkit.imaging._preprocess as preprocess_module
import sigkit.imaging._resize as resize_module
import sigkit.imaging._threshold as threshold_module
from sigkit.imaging import (
    ImageError,
    adaptive_threshold,
    crop_ink,
    fit_canvas,
    otsu_threshold,
    place_ink,
    preprocess_image,
)
from sigkit.imaging._ink import blur, find_ink
from sigkit.imaging._resize import _resize_matrix, plan_resize


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (32, 32), (33, 97), (150, 64)])
def test_blur_is_a_gaussian(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    expected = gaussian_filter(image.astype(float), 2, mode="nearest")
    np.testing.assert_allclose(blur(image), expected, atol=2e-4)


@pytest.mark.parametrize("first", [0, 32, 64, 128])
def test_blur_of_some_rows(first):
    image = np.random.default_rng(0).integers(0, 256, (150, 70), dtype=np.uint8)
    np.testing.assert_allclose(blur(image, first, first + 64), blur(image)[first : first + 64], atol=1e-4)


@pytest.mark.parametrize("seed", range(20))
def test_otsu_equals_scikit_image_if_all_gray_values_occur(seed):
    rng = np.random.default_rng(seed)
    image = np.concatenate([rng.normal(80, 20, 4000), rng.normal(200, 25, 20000), np.arange(256)])
    image = image.clip(0, 255).astype(np.uint8).reshape(-1, 1)
    assert otsu_threshold(image) == threshold_otsu(image)


@pytest.mark.parametrize(("grays", "threshold"), [((0, 255), 191), ((10, 14), 13), ((0, 1), 0), ((0, 120, 255), 221)])
def test_otsu_is_in_the_gap_between_few_gray_values(grays, threshold):
    image = np.repeat(np.array(grays, np.uint8), [10, *[90] * (len(grays) - 1)]).reshape(-1, 1)
    if len(grays) == 3:
        image = np.repeat(np.array(grays, np.uint8), [30, 30, 90]).reshape(-1, 1)
    assert otsu_threshold(image) == threshold


@pytest.mark.parametrize("gray", [0, 128, 255])
def test_one_gray_value_is_blank(gray):
    with pytest.raises(ImageError, match=f"blank: every pixel has the gray value {gray}"):
        otsu_threshold(np.full((20, 20), gray, dtype=np.uint8))


def test_adaptive_threshold_is_sauvolas(draw_scan):
    scan = draw_scan()
    expected = threshold_sauvola(scan.astype(float), window_size=31, k=0.2, r=128)
    np.testing.assert_allclose(adaptive_threshold(scan), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (15, 15), (90, 200), (300, 70)])
def test_adaptive_threshold_is_computed_in_parts(shape, monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    pixels, window = image.astype(float), max(15, min(shape) // 4) | 1
    mean, square = (uniform_filter(pixels**power, window, mode="mirror") for power in (1, 2))
    expected = mean * (1 + 0.2 * (np.sqrt(np.maximum(square - mean * mean, 0.0)) / 128 - 1))
    monkeypatch.setattr(threshold_module, "_CACHED", 500)
    assert np.array_equal(adaptive_threshold(image), expected)
    parts = [thresholds.copy() for _, thresholds in threshold_module.adaptive_thresholds(image, 32)]
    assert all(len(part) == 32 for part in parts[:-1])
    assert np.array_equal(np.concatenate(parts), expected)


@pytest.mark.parametrize("background", ["otsu", "adaptive", "none"])
@pytest.mark.parametrize("shape", [(200, 400), (700, 90), (65, 900)])
def test_large_scans_are_processed_in_parts(draw_scan, background, shape, monkeypatch):
    scan = draw_scan(*shape)
    whole = crop_ink(scan, background)
    images = [place_ink(whole, canvas) for canvas in [(300, 427), (100, 1000)]]
    monkeypatch.setattr(ink_module, "PART", 5000)
    monkeypatch.setattr(preprocess_module, "PART", 5000)
    parts = crop_ink(scan, background)
    assert np.array_equal(parts.pixels, whole.pixels)
    assert parts[1:] == whole[1:]
    for canvas, expected in zip([(300, 427), (100, 1000)], images):
        found = place_ink(parts, canvas)
        assert np.array_equal(found.image, expected.image)
        assert found.issues == expected.issues


@pytest.mark.parametrize(("n_from", "n_to"), [(500, 240), (300, 900), (64, 64), (999, 31)])
def test_the_matrix_of_a_long_side_is_computed_in_blocks(n_from, n_to, monkeypatch):
    whole = _resize_matrix(n_from, n_to, 3, 20)
    monkeypatch.setattr(resize_module, "_BLOCK", 250)
    np.testing.assert_allclose(_resize_matrix(n_from, n_to, 3, 20), whole, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("canvas", [(40, 60_000), (60_000, 40)])
def test_a_long_canvas(canvas):
    plan = plan_resize(canvas, (170, 242))
    assert plan.rows.shape == (170, canvas[0])
    assert plan.columns.shape == (242, canvas[1])
    # Smoothing keeps gray values, except near the edges.
    assert plan.rows.sum(axis=1)[80] == pytest.approx(1)
    assert plan.columns.sum(axis=1)[120] == pytest.approx(1)


def test_the_bounding_box_excludes_the_last_row_and_column():
    image = np.full((60, 80), 255, dtype=np.uint8)
    image[20:41, 30:61] = 0
    box = find_ink(image, [(0, 127)], 127)
    assert box[:4] == (20, 40, 30, 60)
    assert (box.center_row, box.center_column) == (10, 15)


def test_specks_are_not_ink():
    image = np.full((100, 100), 255, dtype=np.uint8)
    image[40:60, 40:60] = 0
    image[3, 3] = 0
    assert find_ink(image, [(0, 127)], 127).top == 40


def test_thin_lines_that_blurring_removes_are_found():
    image = np.full((60, 80), 255, dtype=np.uint8)
    image[30, 10:70] = 0
    image[20:40, 40] = 0
    box = find_ink(image, [(0, 100)], 100)
    assert (box.bottom - box.top, box.right - box.left) == (19, 59)


def test_ink_of_a_single_row_is_refused():
    image = np.full((60, 80), 255, dtype=np.uint8)
    image[30, 10:70] = 0
    with pytest.raises(ImageError, match="1 x 60 pixels"):
        find_ink(image, [(0, 100)], 100)


@pytest.mark.parametrize("canvas", [(730, 1042), (500, 700), (300, 900), (900, 300), (100, 120), (170, 242)])
def test_resizing_equals_scikit_image(canvas):
    image = np.random.default_rng(0).integers(0, 256, canvas, dtype=np.uint8)
    plan = plan_resize(canvas, (170, 242))
    ours = plan.rows @ image.astype(np.float32) @ plan.columns.T
    factor = min(canvas[0] / 170, canvas[1] / 242)
    covering = round(canvas[0] / factor), round(canvas[1] / factor)
    reference = resize(image, covering, mode="constant", anti_aliasing=True, preserve_range=True)
    top, left = round((covering[0] - 170) / 2), round((covering[1] - 242) / 2)
    np.testing.assert_allclose(ours, reference[top : top + 170, left : left + 242], atol=1e-3)


@pytest.mark.parametrize("image_size", [(170, 242), (150, 220), (151, 223), (64, 64)])
@pytest.mark.parametrize("largest", [(1, 1), (20, 500), (816, 888), (435, 1329), (1000, 90)])
def test_fitted_canvas_holds_the_largest_signature_and_is_not_cropped(largest, image_size):
    canvas = fit_canvas(largest, image_size)
    assert canvas[0] >= largest[0]
    assert canvas[1] >= largest[1]
    plan = plan_resize(canvas, image_size)
    assert plan.visible_rows == pytest.approx((0, canvas[0]))
    assert plan.visible_columns == pytest.approx((0, canvas[1]))
    if largest[0] > image_size[0]:
        assert canvas[0] * canvas[1] <= 1.02 * max(
            largest[0] ** 2 * image_size[1] / image_size[0], largest[1] ** 2 * image_size[0] / image_size[1]
        )


def test_center_of_mass_goes_to_the_middle():
    scan = np.full((100, 200), 255, dtype=np.uint8)
    scan[40:60, 100:120] = 0
    image, issues = preprocess_image(scan, (170, 242), (170, 242))
    rows, columns = np.nonzero(image)
    assert abs(rows.mean() - 85) <= 2
    assert abs(columns.mean() - 121) <= 2
    assert not issues


def test_ink_is_shifted_onto_the_canvas():
    scan = np.full((100, 230), 255, dtype=np.uint8)
    scan[40:61, 5:226] = 0
    scan[20:81, 180:226] = 0
    image, issues = preprocess_image(scan, (102, 240), (102, 240))
    assert np.count_nonzero(image) >= 0.98 * np.count_nonzero(scan[20:80, 5:225] == 0)
    assert not issues


@pytest.mark.parametrize("thickness", [1, 2, 5])
@pytest.mark.parametrize("grays", [(0, 255), (0, 130, 255), (255, 0)])
def test_scans_with_few_gray_values_keep_their_ink(grays, thickness):
    scan = np.full((200, 300), grays[-1] if grays[0] == 0 else 255, dtype=np.uint8)
    for column in range(20, 280):
        row = int(100 + 60 * np.sin(column / 20))
        scan[row : row + thickness + 3, column] = grays[1] if len(grays) == 3 else 0
        scan[row : row + thickness, column] = 0
    image, issues = preprocess_image(scan, (200, 285), (200, 285))
    # Only the last row and column of the bounding box are lost.
    assert np.count_nonzero(image) >= 0.97 * np.count_nonzero(scan <= 200)
    assert not issues


def test_the_background_is_cleared_unless_none(draw_scan):
    scan = draw_scan()
    cleared = preprocess_image(scan, (170, 242)).image
    left = preprocess_image(scan, (170, 242), background="none").image
    assert np.median(cleared[80:90]) == 0
    assert np.median(left[80:90]) > 10


def test_adaptive_background_works_in_uneven_light(draw_scan):
    scan = draw_scan(width=400)
    shade = np.linspace(1, 0.3, 400)
    photograph = (scan * shade).astype(np.uint8)
    ink = np.count_nonzero(preprocess_image(scan, (285, 406), (285, 406)).image)
    adaptive = np.count_nonzero(preprocess_image(photograph, (285, 406), (285, 406), "adaptive").image)
    otsu = np.count_nonzero(preprocess_image(photograph, (285, 406), (285, 406)).image)
    assert abs(adaptive - ink) < 0.1 * ink
    assert otsu > 3 * ink


def test_issues(draw_scan):
    scan = draw_scan(height=150, width=400)
    assert preprocess_image(scan, (100, 242)).issues["over_canvas"] == "{} x {}".format(*crop_ink(scan).pixels.shape)
    assert preprocess_image(scan, (285, 406)).issues == {}
    assert "of its ink" in preprocess_image(scan, (80, 420)).issues["cut_off"]
    assert set(preprocess_image(255 - scan, (200, 420)).issues) >= {"dark_paper"}
    faint = np.where(scan < 128, 240, 246).astype(np.uint8)
    assert preprocess_image(faint, (285, 406)).issues == {"faint": "6.0"}
    speck = np.full((50, 50), 255, np.uint8)
    speck[20:28, 20:28] = 0
    assert set(preprocess_image(speck, (170, 242)).issues) == {"small"}
