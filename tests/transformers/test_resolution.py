"""Sizes of signatures in the preprocessor: resolutions of files, and signatures that are outsize."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.base import clone

from sigkit.datasets import make_signatures
from sigkit.imaging import ImageError, preprocess_image, read_image
from sigkit.transformers import SignaturePreprocessor

CANVAS = 765, 1089
DPI = 300, 200, 400, 600


@pytest.fixture
def save(draw_scan, tmp_path):
    """Return a function that saves scans, by default all of the same drawing, with a resolution; it returns paths."""

    def save(*resolutions, suffix="tif", scan=None):
        paths = []
        for number, dpi in enumerate(resolutions):
            paths.append(str(tmp_path / f"{len(os.listdir(tmp_path))}-{number}.{suffix}"))
            image = Image.fromarray(draw_scan() if scan is None else scan)
            image.save(paths[-1], **({} if dpi is None else {"dpi": (dpi, dpi) if isinstance(dpi, int) else dpi}))
        return paths

    return save


def reported(function, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(*args)
    return result, [str(warning.message) for warning in caught]


def correlation(*images):
    """Return the correlation of two images, but for differences of a fraction of a pixel."""
    return np.corrcoef([gaussian_filter(image.astype(float), 1.5).ravel() for image in images])[0, 1]


@pytest.fixture(scope="module")
def at_resolutions():
    """The same signatures at several resolutions, in gray and two-valued."""
    return {
        kind: {
            dpi: make_signatures(4, 1, 0, random_state=3, resolution=dpi, scan=kind)[0] for dpi in (300, 200, 400, 600)
        }
        for kind in ("grey", "two-valued")
    }


@pytest.mark.parametrize("kind", ["grey", "two-valued"])
@pytest.mark.parametrize("dpi", [200, 400, 600])
def test_synthetic_signatures_of_all_resolutions_are_the_same(at_resolutions, tmp_path, kind, dpi):
    paths = []
    for number, scan in enumerate(at_resolutions[kind][dpi]):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(scan).save(paths[-1], dpi=(dpi, dpi))
    expected = SignaturePreprocessor(canvas_size=CANVAS).fit_transform(at_resolutions[kind][300])
    by_file = SignaturePreprocessor(canvas_size=CANVAS, resolution="file").fit_transform(paths)
    by_number = SignaturePreprocessor(canvas_size=CANVAS, resolution=dpi).fit_transform(paths)
    np.testing.assert_array_equal(by_file, by_number)
    as_they_are = SignaturePreprocessor(canvas_size=CANVAS).fit_transform(paths)
    for same, other, image in zip(by_file, as_they_are, expected):
        assert correlation(same, image) > 0.97
        assert correlation(other, image) < 0.9


@pytest.mark.parametrize("dpi", [(204, 196), (204, 98), (408, 391)])
@pytest.mark.parametrize("canvas_size", ["max", (510, 726)])
def test_faxes_get_their_shape_back(draw_scan, save, dpi, canvas_size):
    scan = draw_scan()
    fax = np.asarray(Image.fromarray(scan).resize((260 * dpi[0] // 300, 120 * dpi[1] // 300)))
    images = []
    for files in (save(300, scan=scan), save(dpi, scan=fax)):
        images.append(
            SignaturePreprocessor(canvas_size=canvas_size, resolution="file").fit_transform(files).astype(int)
        )
    assert correlation(*images) > 0.97


def test_nothing_is_resampled_by_default(save):
    paths = save(200, 200)
    preprocessor = SignaturePreprocessor(canvas_size=CANVAS)
    images = preprocessor.fit_transform(paths)
    assert preprocessor.resolution_ == 200
    for image, path in zip(images, paths):
        np.testing.assert_array_equal(image, preprocess_image(read_image(path), CANVAS).image)


def test_a_number_is_the_resolution_of_arrays(draw_scan):
    scan = draw_scan(240, 520)
    image = SignaturePreprocessor(canvas_size=(510, 726), resolution=600).fit_transform([scan])[0]
    np.testing.assert_array_equal(image, preprocess_image(scan, (510, 726), resolution=600).image)
    preprocessor = SignaturePreprocessor(canvas_size=(510, 726), resolution="file")
    np.testing.assert_array_equal(
        preprocessor.fit_transform([scan]), SignaturePreprocessor(canvas_size=(510, 726)).fit_transform([scan])
    )
    assert preprocessor.resolution_ == 300


@pytest.mark.parametrize("suffix", ["tif", "png"])
@pytest.mark.parametrize("canvas_size", ["max", (510, 726)])
@pytest.mark.parametrize("memory", [False, True])
def test_other_resolutions_are_reported_once(save, suffix, canvas_size, memory, tmp_path_factory):
    paths = save(300, None, 300, 400, 72, 310, 150, suffix=suffix)
    memory = tmp_path_factory.mktemp("memory") if memory else None
    preprocessor = SignaturePreprocessor(canvas_size=canvas_size, memory=memory)
    for function in (preprocessor.fit_transform, preprocessor.transform):
        _, (message,) = reported(function, paths)
        assert message.startswith(
            "Found a resolution in the file other than the 300 dpi that the scans in fit state most often in 2 of 7 "
            "scans: "
            f"{paths[3]} (400 dpi), {paths[6]} (150 dpi). Pass resolution="
        )
    assert preprocessor.resolution_ == pytest.approx(300, abs=0.01)
    with pytest.raises(ImageError, match=r"2 of 7 scans: .* \(400 dpi\), .*\(150 dpi\)"):
        preprocessor.set_params(on_poor_scan="error").transform(paths)
    assert reported(preprocessor.set_params(on_poor_scan="ignore").transform, paths)[1] == []


@pytest.mark.parametrize("fit", ["fit", "fit_transform"])
@pytest.mark.parametrize("canvas_size", ["max", (510, 726)])
@pytest.mark.parametrize(
    ("in_fit", "usual", "reports"),
    [
        ([200, 200, None], 200, {300: True, 200: False, 205: False, None: False, 72: False}),
        ([None, None, None, 300], None, {300: False, 200: True, 600: True, None: False, 96: False}),
    ],
)
def test_scans_are_compared_with_those_of_fit(save, draw_scan, fit, canvas_size, in_fit, usual, reports):
    preprocessor = SignaturePreprocessor(canvas_size=canvas_size)
    assert reported(getattr(preprocessor, fit), save(*in_fit))[1] == []
    assert preprocessor.resolution_ == usual
    for dpi, is_reported in reports.items():
        _, messages = reported(preprocessor.transform, save(dpi))
        assert len(messages) == is_reported
        expected = "200 dpi that the scans in fit state" if usual else "300 dpi that scans without a known one"
        assert all(expected in message for message in messages)
    assert reported(preprocessor.transform, [draw_scan()])[1] == []


def test_files_beside_arrays(save, draw_scan):
    preprocessor = SignaturePreprocessor(canvas_size=(510, 726))
    X = np.array([*save(600), draw_scan(), draw_scan(), draw_scan()], dtype=object)
    _, (message,) = reported(preprocessor.fit_transform, X)
    assert "in 1 of 4 scans" in message


@pytest.mark.parametrize("dpi", [(204, 98), (204, 196), (72, 36)])
@pytest.mark.parametrize("background", ["otsu", "adaptive", "none"])
def test_pixels_that_are_not_square_are_reported(save, dpi, background):
    preprocessor = SignaturePreprocessor(canvas_size=(510, 726), background=background)
    _, (message,) = reported(preprocessor.fit_transform, [*save(300, 300), *save(dpi)])
    assert message.startswith("Found pixels that are not square in 1 of 3 scans: ")
    assert f"({dpi[0]} x {dpi[1]} dpi)" in message


@pytest.mark.parametrize("canvas_size", ["max", (510, 726)])
def test_files_without_a_resolution(save, draw_scan, canvas_size):
    preprocessor = SignaturePreprocessor(canvas_size=canvas_size, resolution="file")
    images, (message,) = reported(preprocessor.fit_transform, save(300, None, 72, 30, 300))
    for words in ("in 3 of 5 scans", "(the file states none)", "(the file states 72 dpi)", "(the file states 30 dpi)"):
        assert words in message
    assert all(np.array_equal(image, images[0]) for image in images)
    X = np.array([*save(300), draw_scan(), draw_scan(), draw_scan()], dtype=object)
    assert reported(preprocessor.transform, X)[1] == []


@pytest.fixture
def save_jpeg(draw_scan, tmp_path):
    """Return a function that saves a scan with a resolution in its JFIF segment and another in its EXIF data."""

    def save_jpeg(jfif, across, down, orientation=1):
        tags = Image.Exif()
        tags.update({282: across, 283: down, 296: 2, 274: orientation})
        path = str(tmp_path / f"{len(os.listdir(tmp_path))}.jpg")
        Image.fromarray(draw_scan()).save(path, dpi=(jfif, jfif), exif=tags, quality=95)
        return path

    return save_jpeg


@pytest.mark.parametrize("canvas_size", ["max", (510, 726)])
@pytest.mark.parametrize("resolution", [None, "file", 300])
@pytest.mark.parametrize("pair", [(300, 200), (200, 300), (300, 600)])
def test_two_resolutions_of_a_file_are_reported(save_jpeg, canvas_size, resolution, pair):
    path = save_jpeg(pair[0], pair[1], pair[1])
    preprocessor = SignaturePreprocessor(canvas_size=canvas_size, resolution=resolution)
    _, messages = reported(preprocessor.fit_transform, [path])
    (message,) = [message for message in messages if "resolution" in message]
    assert "two resolutions in the file that contradict each other" in message
    assert f"{path} ({pair[0]} dpi in one place and {pair[1]} dpi in another)" in message
    with pytest.raises(ImageError, match=f"{pair[0]} dpi in one place and {pair[1]} dpi in another"):
        preprocessor.set_params(on_poor_scan="error").transform([path])
    paths = [save_jpeg(72, 300, 300), save_jpeg(300, 72, 72), save_jpeg(300, 300, 300)]
    _, messages = reported(preprocessor.set_params(on_poor_scan="warn").transform, paths)
    assert not [message for message in messages if "contradict" in message]


@pytest.mark.parametrize(("jfif", "across", "down"), [(300, 204, 98), (200, 408, 204), (600, 150, 300)])
def test_a_photograph_with_two_shapes_of_pixels_is_refused(save_jpeg, jfif, across, down):
    # The drawing is as simple as a hair.
    preprocessor = SignaturePreprocessor(canvas_size=CANVAS, background="photo", on_poor_scan="ignore")
    preprocessor.fit([save_jpeg(300, 300, 300)])
    path = save_jpeg(jfif, across, down)
    with pytest.raises(ImageError, match=f"{path}: the file states {jfif} dpi in one place and {across} x {down} dpi"):
        preprocessor.transform([path])
    preprocessor.transform([save_jpeg(300, 600, 600), save_jpeg(72, 600, 600)])


@pytest.mark.parametrize("resolution", [None, 300])
@pytest.mark.parametrize(("dpi", "text"), [(30, "30 dpi"), (10**6, "1e+06 dpi"), ((300, 3), "300 x 3 dpi")])
def test_resolutions_of_no_scan_are_reported(save, resolution, dpi, text):
    preprocessor = SignaturePreprocessor(canvas_size=(510, 726), resolution=resolution)
    (path,) = save(dpi)
    _, (message,) = reported(preprocessor.fit_transform, [path, *save(300, 72, None, 1)])
    assert message.startswith("Found a resolution in the file that no scan has, which is not used in 1 of 5 scans: ")
    assert f"{path} ({text})" in message


@pytest.mark.parametrize(
    ("dpi", "is_reported"), [(200, True), (300, False), (310, False), (None, False), (72, False), ((72, 36), True)]
)
def test_files_that_contradict_a_number(save, dpi, is_reported):
    preprocessor = SignaturePreprocessor(canvas_size=(510, 726), resolution=300)
    _, messages = reported(preprocessor.fit_transform, save(dpi))
    assert len(messages) == is_reported
    assert all("a resolution in the file other than resolution=300: " in message for message in messages)


def test_photographs_have_a_usual_size(save):
    paths = save(300, 72, 600, None)
    # The drawing is simpler than a signature.
    preprocessor = SignaturePreprocessor(canvas_size=CANVAS, background="photo", on_poor_scan="ignore")
    images = [
        clone(preprocessor).set_params(resolution=resolution).fit_transform(paths) for resolution in (None, "file", 200)
    ]
    for others in images:
        np.testing.assert_array_equal(others, images[0])
        np.testing.assert_array_equal(others[1:], images[0][:-1])


@pytest.mark.parametrize("resolution", [None, "file", 300])
def test_photographs_get_square_pixels(save, draw_scan, resolution):
    flat = np.asarray(Image.fromarray(draw_scan()).resize((260, 60), Image.Resampling.BOX))
    preprocessor = SignaturePreprocessor(
        canvas_size=CANVAS, background="photo", resolution=resolution, on_poor_scan="ignore"
    )
    square, corrected = preprocessor.fit_transform([*save(300), *save((200, 100), scan=flat)])
    heights = [np.ptp(np.nonzero(image)[0]) for image in (square, corrected)]
    assert heights[1] == pytest.approx(heights[0], rel=0.1)


@pytest.mark.parametrize("canvas_size", ["max", (510, 726)])
def test_the_cache_knows_the_resolution(save, tmp_path_factory, canvas_size):
    paths = save(200, 200)
    memory = tmp_path_factory.mktemp("memory")
    for resolution in (None, "file", 150, 200, "file", None):
        preprocessor = SignaturePreprocessor(canvas_size=canvas_size, resolution=resolution, on_poor_scan="ignore")
        expected = preprocessor.fit_transform(paths)
        cached = clone(preprocessor).set_params(memory=memory)
        np.testing.assert_array_equal(cached.fit_transform(paths), expected)
        np.testing.assert_array_equal(cached.transform(paths), expected)


def test_a_wrong_resolution_does_not_take_all_memory(save):
    paths = save(50, scan=np.pad(np.zeros((600, 900), np.uint8), 200, constant_values=255))
    with pytest.raises(
        ImageError, match=r"1300 x 1000 pixels at 50 x 50 dpi are 7800 x 6000 at 300 dpi, which need 134 M"
    ):
        SignaturePreprocessor(canvas_size=CANVAS, resolution="file", max_memory=120).fit_transform(paths)


@pytest.mark.parametrize("resolution", [0, 49, 4801, -300, np.nan, np.inf, True, "files", (300, 300)])
def test_senseless_resolutions_are_refused(draw_scan, resolution):
    with pytest.raises(ValueError, match="The 'resolution' parameter of SignaturePreprocessor must be"):
        SignaturePreprocessor(resolution=resolution).fit([draw_scan()])


def draw_page(draw_scan, height=800, width=1150):
    """Draw a page with a signature and the black edges of a scanner."""
    page = np.full((height, width), 235, dtype=np.uint8)
    page[100:220, 100:360] = draw_scan()
    page[:12] = page[-12:] = 20
    page[:, :12] = page[:, -12:] = 20
    return page


@pytest.mark.parametrize(
    ("n_crops", "n_pages", "memory"), [(20, 1, True), (5, 1, False), (2, 1, False), (18, 2, False), (1, 1, False)]
)
def test_outsize_scans_are_named(draw_scan, n_crops, n_pages, memory, tmp_path):
    crops = [draw_scan(120, 260 + 5 * number, seed=number) for number in range(n_crops)]
    pages = [draw_page(draw_scan, width=1150 + number) for number in range(n_pages)]
    preprocessor = SignaturePreprocessor(memory=tmp_path if memory else None)
    without = "{} x {}".format(*clone(preprocessor).fit(crops).canvas_size_)
    for fit in (preprocessor.fit, preprocessor.fit_transform):
        _, messages = reported(fit, [*crops, *pages])
        (message,) = [message for message in messages if message.startswith("Found ink much larger")]
        assert f" in {n_pages} of {n_crops + n_pages} scans: image {n_crops} (799 x 1149 pixels, " in message
        assert f"canvas without it {without})" in message
    with pytest.raises(ImageError, match="Found ink much larger than that of all others"):
        preprocessor.set_params(on_poor_scan="error").fit([*crops, *pages])
    assert reported(preprocessor.set_params(on_poor_scan="ignore").fit, [*crops, *pages])[1] == []


@pytest.mark.parametrize("widths", [[260], [260, 700], [260, 270, 280, 290, 500], [260] * 10 + [800] * 10])
def test_usual_differences_are_not_reported(draw_scan, widths):
    scans = [draw_scan(120, width, seed=number) for number, width in enumerate(widths)]
    assert reported(SignaturePreprocessor(on_poor_scan="error").fit, scans)[1] == []


@pytest.mark.parametrize("corpus", ["CEDAR", "BHSig260", "SigComp2011"])
def test_real_scans_are_not_reported(shared_data, corpus):
    paths = sorted(path for path in (shared_data / corpus).rglob("*") if path.suffix.lower() in (".png", ".tif"))[
        :300:10
    ]
    preprocessor = SignaturePreprocessor(canvas_size=CANVAS)
    messages = reported(preprocessor.fit_transform, paths)[1]
    messages += reported(clone(preprocessor).set_params(canvas_size="max").fit, paths)[1]
    assert not [
        message for message in messages if "resolution" in message or "square" in message or "larger" in message
    ]
