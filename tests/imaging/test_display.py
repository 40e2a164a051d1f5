import sys

import matplotlib
import matplotlib.pyplot
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation

from sigkit.imaging import PreprocessingDisplay, preprocess_image
from sigkit.imaging._photo import locate_signature
from sigkit.transformers import SignaturePreprocessor

matplotlib.use("Agg")


@pytest.fixture
def signature(draw_scan):
    """A scan with bright paper all around, and the mask of its ink."""
    scan = np.pad(draw_scan(240, 520), 60, constant_values=226)
    return scan, scan < 128


@pytest.fixture(autouse=True)
def close_figures():
    yield
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("background", ["otsu", "adaptive", "none", "photo"])
def test_ink_is_shown_where_it_is(signature, background):
    scan, ink = signature
    display = PreprocessingDisplay.from_scan(scan, background=background)
    (trace,) = display.traces
    assert trace.ink.shape == scan.shape
    assert (trace.ink & ink).sum() > 0.9 * ink.sum()
    assert (trace.ink & ~ink).sum() < 0.25 * ink.sum()
    assert trace.removed.sum() < 0.01 * ink.sum()
    assert display.axes_.shape == (1, 3)
    shown = display.axes_[0, 2].get_images()[0].get_array()
    canvas = display.images[0].shape
    np.testing.assert_array_equal(shown, display.images[0])
    assert canvas == (170, 242)


def test_what_is_removed_is_shown(signature):
    scan, ink = signature
    color = np.repeat(scan[:, :, np.newaxis], 3, axis=2)
    color[20:23] = color[-23:-20] = color[:, 20:23] = color[:, -23:-20] = 40  # a frame
    color[30:60, 30:60] = [200, 40, 40]  # a stamp
    display = PreprocessingDisplay.from_scan(color, background="photo")
    (trace,) = display.traces
    assert trace.removed[21, 60:-60].mean() > 0.9
    assert trace.removed[60:-60, -22].mean() > 0.9
    assert trace.removed[35:55, 35:55].mean() > 0.9
    assert not (trace.removed & ink).any()
    picture = display.axes_[0, 1].get_images()[0].get_array()
    assert picture.shape == color.shape
    # Orange where it was removed, blue where it is ink.
    red, _, blue = picture.astype(int).transpose(2, 0, 1)
    assert (red - blue)[trace.removed].min() > 50
    assert (blue - red)[trace.ink].min() > 50


def test_pale_ink_that_is_cleared_is_shown(signature):
    scan, _ = signature
    scan[330:336, 100:500] = 180
    (trace,) = PreprocessingDisplay.from_scan(scan).traces
    assert not trace.ink[332, 110:490].any()
    assert trace.removed[332, 110:490].mean() > 0.8


@pytest.mark.parametrize("side", [1, 3, 6])
def test_ink_is_located_in_scans_of_every_size(signature, side):
    scan, ink = signature
    large = np.asarray(Image.fromarray(np.pad(scan, 7, constant_values=226)).resize((640 * side + 3, 367 * side + 1)))
    expected = np.asarray(Image.fromarray(np.pad(ink, 7)).resize((640 * side + 3, 367 * side + 1)))
    mask = locate_signature(large)
    assert mask.shape == large.shape
    assert (mask & expected).sum() > 0.85 * expected.sum()
    assert mask.sum() < 1.4 * expected.sum()


def test_a_small_signature_on_a_large_page_is_located(signature):
    scan, ink = signature
    page, expected = np.full((2400, 1800), 226, dtype=np.uint8), np.zeros((2400, 1800), dtype=bool)
    page[1500:1860, 1001:1641] = scan
    expected[1500:1860, 1001:1641] = ink
    mask = locate_signature(page)
    # Steep strokes of this drawing are one pixel wide, and thinner where the page is reduced.
    assert (mask & expected).sum() > 0.6 * expected.sum()
    assert (mask & binary_dilation(expected, iterations=2)).sum() > 0.98 * mask.sum()


def test_a_grid_of_files_and_arrays(signature, tmp_path):
    scan, _ = signature
    shaded = scan.copy()
    shaded[:, :300] //= 2
    paths = [str(tmp_path / name) for name in ("ada.png", "text.png", "nowhere.png")]
    Image.fromarray(scan).save(paths[0])
    (tmp_path / "text.png").write_text("no image")
    display = PreprocessingDisplay.from_scans([*paths, shaded, np.full_like(scan, 255)])
    assert display.axes_.shape == (5, 3)
    titles = [row[0].get_title() for row in display.axes_]
    assert titles[0] == "scan\nada.png"
    assert titles[1].startswith("text.png\nnot an image that is read")
    assert titles[2] == "nowhere.png\nno such file."
    assert titles[3].startswith("image 3\nshadow (")
    assert titles[4].startswith("image 4\nblank: every pixel")
    n_pictures = [[len(axes.get_images()) for axes in row] for row in display.axes_]
    assert n_pictures == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [1, 1, 1], [1, 0, 0]]


def test_the_resolution_of_a_file(signature, tmp_path):
    scan, _ = signature
    path = tmp_path / "ada.tif"
    Image.fromarray(scan).save(path, dpi=(600, 300))
    display = PreprocessingDisplay.from_scan(path, resolution="file", canvas_size=(765, 1089))
    expected = preprocess_image(scan, (765, 1089), resolution=(300, 600)).image
    np.testing.assert_array_equal(display.images[0], expected)
    assert display.traces[0].scan.shape == (scan.shape[0], scan.shape[1] // 2)


def test_settings_of_a_preprocessor(signature):
    scan, _ = signature
    preprocessor = SignaturePreprocessor(background="adaptive", resolution=200, image_size=(85, 121))
    with pytest.raises(ValueError, match=r"(?s)not fitted: SignaturePreprocessor\(.*Call fit first"):
        PreprocessingDisplay.from_estimator(preprocessor, [scan])
    images = preprocessor.fit_transform([scan, scan[20:]])
    display = PreprocessingDisplay.from_estimator(preprocessor, [scan, scan[20:]])
    np.testing.assert_array_equal(display.images, images)


def test_a_figure_of_the_user(signature):
    figure = matplotlib.pyplot.figure()
    display = PreprocessingDisplay.from_scan(signature[0], figure=figure)
    assert display.figure_ is figure
    assert len(figure.axes) == 3


def test_large_scans_are_shown_small(signature):
    scan = np.kron(signature[0], np.ones((4, 4), np.uint8))
    display = PreprocessingDisplay.from_scan(scan)
    assert display.traces[0].ink.shape == scan.shape
    assert max(display.axes_[0, 0].get_images()[0].get_array().shape) == 900


@pytest.mark.parametrize("scans", ["scan.png", b"scan", [], ()])
def test_scans_are_a_list(scans):
    with pytest.raises(ValueError, match="scans must be a list of paths or images; found"):
        PreprocessingDisplay.from_scans(scans)


@pytest.mark.parametrize("scan", [np.zeros((5, 5)), np.zeros((5, 5, 3), np.uint8), np.zeros((0, 5), np.uint8), 3])
def test_other_arrays_are_refused(signature, scan):
    with pytest.raises(ValueError, match=r"image 1 is \w+ of shape .*; scans are paths, or uint8 arrays"):
        PreprocessingDisplay.from_scans([signature[0], scan])


def test_matplotlib_is_named_if_it_is_missing(signature, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="PreprocessingDisplay needs matplotlib"):
        PreprocessingDisplay.from_scan(signature[0])
