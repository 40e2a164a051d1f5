import builtins
import pickle
from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.numpy import load, save
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import sigkit.imaging._preprocess as preprocess_module
import sigkit.transformers._signature_preprocessor as preprocessor_module
from sigkit.imaging import ImageError, crop_ink, preprocess_image, read_image
from sigkit.transformers import SignaturePreprocessor
from sigkit.transformers._packed_ink import pack_ink, unpack_ink


@pytest.fixture
def scans(draw_scan):
    return [draw_scan(height=100 + 10 * k, width=240 + 9 * k, seed=k) for k in range(6)]


@pytest.fixture
def files(scans, tmp_path):
    paths = [tmp_path / f"scan-{k}.{suffix}" for k, suffix in enumerate(["png", "tif", "bmp"] * 2)]
    for scan, path in zip(scans, paths):
        Image.fromarray(scan).save(path)
    return [str(path) for path in paths]


@pytest.mark.parametrize("kind", ["paths", "Paths", "array of paths", "series", "list", "object array"])
def test_all_kinds_of_input_give_the_same(kind, scans, files):
    given = {
        "paths": files,
        "Paths": [Path(file) for file in files],
        "array of paths": np.array(files),
        "series": pd.Series(files),
        "list": scans,
        "object array": np.array([*scans, None], dtype=object)[:-1],
    }[kind]
    images = SignaturePreprocessor(canvas_size=(204, 290)).fit_transform(given)
    assert images.shape == (6, 170, 242)
    assert images.dtype == np.uint8
    expected = [preprocess_image(scan, (204, 290)).image for scan in scans]
    assert np.array_equal(images, expected)


def test_arrays_of_equal_sizes_and_boolean_arrays(draw_scan):
    stack = np.stack([draw_scan(seed=k) for k in range(3)])
    bits = stack > 128
    images = SignaturePreprocessor().fit_transform(bits)
    assert np.array_equal(images, SignaturePreprocessor().fit_transform(bits.astype(np.uint8) * 255))
    assert SignaturePreprocessor(image_size=(85, 121)).fit_transform(stack).shape == (3, 85, 121)


def test_the_largest_signature_determines_the_canvas(scans):
    preprocessor = SignaturePreprocessor().fit(scans)
    boxes = np.array([crop_ink(scan).pixels.shape for scan in scans])
    rows, columns = preprocessor.canvas_size_
    assert rows >= boxes[:, 0].max()
    assert columns >= boxes[:, 1].max()
    assert rows == boxes[:, 0].max() or columns == boxes[:, 1].max()
    assert rows / columns == pytest.approx(170 / 242, rel=0.01)
    assert preprocessor.transform(scans[:2]).shape == (2, 170, 242)


def test_jobs_give_the_same(scans):
    one = SignaturePreprocessor().fit_transform(scans)
    assert np.array_equal(one, SignaturePreprocessor(n_jobs=2).fit_transform(scans))


def test_over_canvas_is_warned_about_by_name(files):
    preprocessor = SignaturePreprocessor(canvas_size=(85, 121)).fit(files)
    with pytest.warns(UserWarning, match=r"larger than the canvas of 85 x 121 .*scan-0\.png \(\d+ x \d+\)"):
        assert preprocessor.transform(files).shape == (6, 170, 242)


def test_canvas_of_another_shape_is_warned_about_by_name(files):
    preprocessor = SignaturePreprocessor(canvas_size=(100, 300)).fit(files)
    with pytest.warns(
        UserWarning, match=r"crop to that ratio cuts ink off 6 of 6 signatures: \S*scan-0.png \(\d+\.\d% of"
    ):
        preprocessor.transform(files)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.full((50, 60), 255, np.uint8), r"bad\.png: blank: every pixel has the gray value 255"),
        (np.zeros((50, 60), np.uint8), r"bad\.png: blank: every pixel has the gray value 0"),
        (np.array([[255]], np.uint8), r"bad\.png: blank"),
        (np.array([[255, 255], [255, 0]], np.uint8), r"bad\.png: the ink is 1 x 1 pixels"),
        (b"", r"bad\.png: not an image that Pillow can read \(0 bytes\)"),
        (b"\x89PNG\r\n\x1a\n rubbish", r"bad\.png: (not an image|cannot be read)"),
    ],
)
@pytest.mark.parametrize("canvas_size", ["max", (204, 290)])
def test_one_bad_file_among_many_is_named(files, tmp_path, content, message, canvas_size):
    bad = tmp_path / "bad.png"
    bad.write_bytes(content) if isinstance(content, bytes) else Image.fromarray(content).save(bad)
    preprocessor = SignaturePreprocessor(canvas_size=canvas_size)
    with pytest.raises(ImageError, match=message):
        preprocessor.fit_transform([*files, str(bad), *files])


def test_all_bad_files_are_named_at_once(files, tmp_path):
    nowhere = [str(tmp_path / f"nowhere-{k}.png") for k in range(3)]
    with pytest.raises(ImageError, match=r"(?s)3 of 9 images cannot be used.*nowhere-0.*nowhere-1.*nowhere-2"):
        SignaturePreprocessor(canvas_size=(204, 290)).fit_transform([*files, *nowhere])


def test_bad_arrays_are_named_by_their_position(scans):
    with pytest.raises(ImageError, match="image 6: blank"):
        SignaturePreprocessor().fit([*scans, np.zeros((9, 9), np.uint8)])


@pytest.mark.parametrize("kind", ["small", "faint", "dark_paper"])
def test_doubtful_scans_are_warned_about(kind, draw_scan):
    speck = np.full((50, 50), 255, np.uint8)
    speck[20:28, 20:28] = 0
    scan = draw_scan()
    doubtful = {"small": speck, "faint": np.where(scan < 128, 240, 246).astype(np.uint8), "dark_paper": 255 - scan}[
        kind
    ]
    message = {"small": r"image 1 \(9 x 9\)", "faint": r"image 1 \(6\.0\)", "dark_paper": r"image 1 \(9\d%\)"}[kind]
    preprocessor = SignaturePreprocessor(canvas_size=(212, 302)).fit([scan, doubtful])
    with pytest.warns(UserWarning, match=rf"1 of 2 .*{message}"):
        preprocessor.transform([scan, doubtful])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "Found 0 signatures"),
        (np.empty((0, 20, 20), np.uint8), "Found 0 signatures"),
        ("scan.png", "single path 'scan.png'"),
        (np.zeros((20, 20), np.uint8), "one image of shape"),
        ([np.zeros((20, 20, 3), np.uint8)], r"image 0 of X is a color image of shape \(20, 20, 3\)"),
        ([np.zeros((20, 20))], "image 0 of X is float64"),
        ([np.zeros((0, 20), np.uint8)], "image 0 of X is empty"),
        (7, "found int"),
    ],
)
def test_invalid_input_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        SignaturePreprocessor(canvas_size=(204, 290)).fit(X)


@pytest.mark.parametrize("size", [(0, 5), (3,), (2.5, 3), (-1, 4)])
@pytest.mark.parametrize("name", ["canvas_size", "image_size"])
def test_sizes_are_two_positive_integers(scans, name, size):
    with pytest.raises(ValueError, match=f"{name} must be two positive integers"):
        SignaturePreprocessor(**{name: size}).fit(scans)


def test_transform_before_fit(scans):
    with pytest.raises(NotFittedError):
        SignaturePreprocessor().transform(scans)


def test_clone_and_pickle(scans, tmp_path):
    preprocessor = clone(SignaturePreprocessor(memory=joblib.Memory(tmp_path, verbose=0))).fit(scans)
    again = pickle.loads(pickle.dumps(preprocessor))
    assert np.array_equal(again.transform(scans), preprocessor.transform(scans))


def test_the_cache_has_one_entry_per_image_content(files, scans, tmp_path, monkeypatch):
    computed = []

    def count(image, **settings):
        computed.append(image)
        return preprocess_image(image, **settings)

    monkeypatch.setattr(preprocessor_module, "preprocess_image", count)
    preprocessor = SignaturePreprocessor(canvas_size=(204, 290), memory=tmp_path / "memory")
    first = preprocessor.fit_transform(files[:4])
    second = preprocessor.fit_transform(files[2:])
    assert len(computed) == 6
    assert np.array_equal(first[2:], second[:2])

    Path(files[0]).write_bytes(Path(files[5]).read_bytes())
    assert np.array_equal(preprocessor.transform(files[:1]), second[-1:])
    assert len(computed) == 6
    SignaturePreprocessor(canvas_size=(212, 302), memory=tmp_path / "memory").fit_transform(files)
    # Two of the six files are equal now.
    assert len(computed) == 11


def test_the_cache_keeps_issues_and_replaces_damaged_entries(files, tmp_path):
    preprocessor = SignaturePreprocessor(canvas_size=(85, 121), memory=str(tmp_path / "memory")).fit(files)
    for _ in range(2):
        with pytest.warns(UserWarning, match="larger than the canvas"):
            images = preprocessor.transform(files)
    remembered = [path for path in (tmp_path / "memory").rglob("*") if path.is_file()]
    assert len(remembered) == 6
    for path in remembered:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.warns(UserWarning, match="larger than the canvas"):
        assert np.array_equal(preprocessor.transform(files), images)


def test_progress(scans, capsys):
    SignaturePreprocessor(verbose=1).fit_transform(scans)
    assert "preprocessed: 6 of 6" in capsys.readouterr().err


def test_foreign_entries_of_the_cache_are_ignored(files, tmp_path):
    preprocessor = SignaturePreprocessor(canvas_size=(204, 290), memory=tmp_path / "memory")
    expected = preprocessor.fit_transform(files)
    entries = [path for path in (tmp_path / "memory").rglob("*") if path.is_file()]
    for entry, arrays in zip(entries, [{"image": np.ones(1)}, {"image": np.ones(1), "issues": np.ones(2, np.uint8)}]):
        entry.write_bytes(save(arrays))
    assert np.array_equal(preprocessor.transform(files), expected)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_color_image_is_refused(channels):
    with pytest.raises(ValueError, match="looks like one color image"):
        SignaturePreprocessor().fit(np.zeros((40, 50, channels), np.uint8))


@pytest.fixture
def count_work(files, monkeypatch):
    """Return a function that empties and returns the numbers of reads of the files, and of searches for their ink."""
    counts = Counter()
    original_open, original_find = builtins.open, preprocess_module.find_ink

    def counting_open(path, *args, **settings):
        counts["reads"] += str(path) in files
        return original_open(path, *args, **settings)

    def counting_find(*args):
        counts["searches"] += 1
        return original_find(*args)

    monkeypatch.setattr(builtins, "open", counting_open)
    monkeypatch.setattr(preprocess_module, "find_ink", counting_find)

    def take():
        found = counts["reads"], counts["searches"]
        counts.clear()
        return found

    return take


@pytest.mark.parametrize("canvas_size", ["max", (204, 290)])
@pytest.mark.parametrize("background", ["otsu", "adaptive", "none"])
def test_each_scan_is_read_and_searched_once(files, count_work, tmp_path, canvas_size, background):
    settings = {"canvas_size": canvas_size, "background": background}
    expected = SignaturePreprocessor(**settings).fit(files).transform(files)
    count_work()
    without_memory = SignaturePreprocessor(**settings).fit_transform(files)
    assert count_work() == (6, 6)
    np.testing.assert_array_equal(without_memory, expected)

    preprocessor = SignaturePreprocessor(**settings, memory=tmp_path / "memory")
    np.testing.assert_array_equal(preprocessor.fit_transform(files), expected)
    assert count_work() == (6, 6)
    # The files are read to compute the digests of their content, by which they are found in the cache.
    np.testing.assert_array_equal(preprocessor.fit_transform(files), expected)
    assert count_work() == (6, 0)
    np.testing.assert_array_equal(preprocessor.transform(files), expected)
    assert count_work() == (6, 0)


def test_ink_in_the_cache_serves_every_canvas(files, count_work, tmp_path):
    memory = tmp_path / "memory"
    SignaturePreprocessor(memory=memory).fit(files)
    assert count_work() == (6, 6)
    images = SignaturePreprocessor(memory=memory).fit_transform(files[:3])
    assert count_work() == (3, 0)
    np.testing.assert_array_equal(images, SignaturePreprocessor().fit_transform(files[:3]))


@pytest.mark.parametrize(("memory", "work"), [(None, (11, 11)), ("memory", (6, 6))])
def test_ink_beyond_the_limit_is_not_kept(files, count_work, tmp_path, monkeypatch, memory, work):
    expected = SignaturePreprocessor().fit_transform(files)
    sizes = [sum(array.nbytes for array in pack_ink(crop_ink(read_image(file))).values()) for file in files]
    monkeypatch.setattr(preprocessor_module, "_KEPT_BYTES", sizes[0] + 1)
    count_work()
    images = SignaturePreprocessor(memory=memory and tmp_path / memory).fit_transform(files)
    assert count_work() == work
    np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize("memory", [None, "memory"])
def test_jobs_give_the_same_with_a_cache(files, tmp_path, memory):
    preprocessor = SignaturePreprocessor(n_jobs=2, memory=memory and tmp_path / memory)
    np.testing.assert_array_equal(preprocessor.fit_transform(files), SignaturePreprocessor().fit_transform(files))
    np.testing.assert_array_equal(preprocessor.fit_transform(files), SignaturePreprocessor().fit_transform(files))


@pytest.mark.parametrize("background", ["otsu", "adaptive", "none"])
def test_packed_ink_is_the_ink(draw_scan, background):
    ink = crop_ink(draw_scan(height=30, width=50), background)
    pixels, *rest = unpack_ink(pack_ink(ink))
    np.testing.assert_array_equal(pixels, ink.pixels)
    assert tuple(rest) == ink[1:]


@pytest.mark.parametrize("damage", ["pixels", "numbers", "issues"])
def test_damaged_ink_in_the_cache_is_ignored(files, tmp_path, damage):
    preprocessor = SignaturePreprocessor(memory=tmp_path / "memory")
    expected = preprocessor.fit_transform(files)
    for entry in [path for path in (tmp_path / "memory").rglob("*") if path.is_file()]:
        arrays = load(entry.read_bytes())
        arrays = {name: array[:-1] if name == damage else array for name, array in arrays.items()}
        entry.write_bytes(save(arrays))
    np.testing.assert_array_equal(preprocessor.fit_transform(files), expected)


def test_a_warning_names_the_line_of_the_user(files):
    preprocessor = SignaturePreprocessor(canvas_size=(85, 121))
    with pytest.warns(UserWarning, match="larger than the canvas") as caught:
        make_pipeline(preprocessor).fit_transform(files)
    assert {warning.filename for warning in caught} == {__file__}
