import os
import pickle
import resource
import shutil
import zlib
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
import sigkit.transformers._scan_steps as steps_module
import sigkit.transformers._scans as scans_module
import sigkit.transformers._signature_preprocessor as preprocessor_module
from sigkit._utils import seal_safetensors, unseal_safetensors
from sigkit.imaging import ImageError, crop_ink, preprocess_image, read_image
from sigkit.transformers import SignaturePreprocessor
from sigkit.transformers._packed_ink import pack_ink, unpack_ink
from sigkit.transformers._poor_scans import report_issues


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
        UserWarning, match=r"aspect ratio of image_size 170 x 242 in 6 of 6 scans: \S*scan-0.png \(\d+\.\d% of"
    ):
        preprocessor.transform(files)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.full((50, 60), 255, np.uint8), r"bad\.png: blank: every pixel has the gray value 255"),
        (np.zeros((50, 60), np.uint8), r"bad\.png: blank: every pixel has the gray value 0"),
        (np.array([[255]], np.uint8), r"bad\.png: blank"),
        (np.array([[255, 255], [255, 0]], np.uint8), r"bad\.png: the ink is 1 x 1 pixels"),
        (b"", r"bad\.png: not an image: it is empty \(0 bytes\)"),
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


@pytest.fixture
def poor_scans(draw_scan):
    """Three kinds of poor scans, three of each, by what the message says of them."""
    sound = [draw_scan(height=150 + 10 * k, width=300, seed=k) for k in range(3)]
    shadow, frame = [scan.copy() for scan in sound], [scan.copy() for scan in sound]
    for k in range(3):
        shadow[k][:, : 100 + 20 * k] //= 2
        frame[k][[4 + k, -5 - k], 4:-4] = frame[k][4:-4, [4 + k, -5 - k]] = 30
    return {
        "a shadow, uneven light": shadow,
        "straight lines": frame,
        "dark paper": [255 - scan for scan in sound],
    }


@pytest.mark.parametrize("what", ["a shadow, uneven light", "straight lines", "dark paper"])
@pytest.mark.parametrize("canvas_size", ["max", (255, 363)])
def test_poor_scans_are_warned_about_by_name(what, canvas_size, scans, poor_scans, tmp_path):
    preprocessor = SignaturePreprocessor(canvas_size=canvas_size, memory=tmp_path)
    for _ in ("computed", "from the cache"):
        with pytest.warns(UserWarning, match=rf"Found {what}.* in 3 of 9 scans: image 6 \(.*image 8") as caught:
            preprocessor.fit_transform([*scans, *poor_scans[what]])
        assert len(caught) == 1


def test_poor_scans_are_an_error_that_names_all(scans, poor_scans):
    preprocessor = SignaturePreprocessor(canvas_size=(102, 145), on_poor_scan="error").fit(scans)
    with pytest.raises(ImageError) as caught:
        preprocessor.transform([*scans, *poor_scans["straight lines"], *poor_scans["dark paper"]])
    over, dark, lines = str(caught.value).splitlines()
    assert over.startswith(
        "Found ink larger than the canvas of 102 x 145 pixels, whose outer parts were cropped in 12 of"
    )
    assert [f"image {k} " in lines for k in range(12)] == [6 <= k < 9 for k in range(12)]
    assert [f"image {k} " in dark for k in range(12)] == [9 <= k < 12 for k in range(12)]


def test_poor_scans_are_ignored_and_then_found(poor_scans, tmp_path):
    settings = {"canvas_size": (255, 363), "memory": tmp_path}
    ignored = SignaturePreprocessor(**settings, on_poor_scan="ignore").fit_transform(poor_scans["straight lines"])
    with pytest.warns(UserWarning, match="straight lines"):
        warned = SignaturePreprocessor(**settings).fit_transform(poor_scans["straight lines"])
    np.testing.assert_array_equal(ignored, warned)


@pytest.mark.parametrize("kind", ["shadow", "dark_edge", "lines", "pale"])
def test_the_advice_is_not_what_is_set_already(kind):
    def advice(background):
        with pytest.warns(UserWarning, match="Found ") as caught:
            report_issues([{kind: "so"}], ["1.png"], "warn", (255, 363), (170, 242), "300 dpi", background)
        return str(caught[0].message)

    assert 'background="photo"' in advice("otsu")
    assert 'background="photo"' not in advice("photo")


@pytest.mark.parametrize("darkest", [0.3, 0.4, 0.5])
def test_uneven_light_is_no_problem_with_a_threshold_at_each_pixel(draw_scan, darkest):
    photograph = draw_scan(height=150, width=300) * np.linspace(darkest, 1, 300)
    preprocessor = SignaturePreprocessor(canvas_size=(255, 363))
    with pytest.warns(UserWarning, match="uneven light"):
        preprocessor.fit_transform([photograph.astype(np.uint8)])
    preprocessor.set_params(background="adaptive").fit_transform([photograph.astype(np.uint8)])


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

    def count(image, *args, **settings):
        computed.append(image)
        return preprocess_image(image, *args, **settings)

    monkeypatch.setattr(steps_module, "preprocess_image", count)
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
    original_read, original_find = scans_module.read_scan, preprocess_module.find_ink

    def counting_read(*args):
        counts["reads"] += 1
        return original_read(*args)

    def counting_find(*args):
        counts["searches"] += 1
        return original_find(*args)

    monkeypatch.setattr(scans_module, "read_scan", counting_read)
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


def entries(folder, step):
    return sorted(path for path in folder.rglob("*") if path.is_file() and step in path.parts)


@pytest.mark.parametrize("step", ["ink", "preprocessed"])
def test_changed_or_exchanged_entries_are_computed_again(files, tmp_path, step):
    preprocessor = SignaturePreprocessor(memory=tmp_path)
    expected = preprocessor.fit_transform(files[:3])
    paths = entries(tmp_path, step)
    contents = [path.read_bytes() for path in paths]
    assert len(contents) == 3
    rng = np.random.default_rng(0)
    for number in range(12):
        for path, content in zip(paths, contents[1:] + contents[:1]):
            damaged = bytearray(content)
            damaged[int(rng.integers(len(damaged)))] ^= 1 << int(rng.integers(8)) if number else 0
            path.write_bytes(damaged)
        if step == "ink":
            for path in entries(tmp_path, "preprocessed"):
                path.unlink()
        np.testing.assert_array_equal(preprocessor.fit_transform(files[:3]), expected)
        assert [path.read_bytes() for path in paths] == contents


@pytest.mark.parametrize(
    ("step", "change"),
    [
        ("ink", {"issues": np.frombuffer(b"{", np.uint8)}),
        ("ink", {"issues": np.frombuffer(b"[1]", np.uint8)}),
        ("ink", {"issues": np.frombuffer(b"\xff", np.uint8)}),
        ("ink", {"numbers": np.array([-3, 10, 1, 1, 0])}),
        ("ink", {"numbers": np.array([2**40, 2**40, 1, 1, 0])}),
        ("ink", {"numbers": np.array([1.5, 2, 3, 4, 5])}),
        ("ink", {"pixels": np.frombuffer(zlib.compress(bytes(10**8)), np.uint8)}),
        ("ink", {"pixels": np.zeros(3, np.uint8)}),
        ("ink", {"more": np.zeros(3, np.uint8)}),
        ("preprocessed", {"image": np.zeros((170, 242), np.float32)}),
        ("preprocessed", {"image": np.zeros((170, 241), np.uint8)}),
        ("preprocessed", {"issues": np.frombuffer(b'{"small": 3}', np.uint8)}),
        ("preprocessed", {"issues": np.frombuffer(b"null", np.uint8)}),
    ],
)
def test_entries_with_a_digest_and_other_content_are_computed_again(files, tmp_path, step, change):
    preprocessor = SignaturePreprocessor(memory=tmp_path)
    expected = preprocessor.fit_transform(files[:1])
    [path] = entries(tmp_path, step)
    content = path.read_bytes()
    metadata = unseal_safetensors(content, path, "sigkit memory 1", "")
    path.write_bytes(seal_safetensors(save(load(content) | change, metadata=metadata), "sigkit memory 1"))
    if step == "ink":
        entries(tmp_path, "preprocessed")[0].unlink()
    np.testing.assert_array_equal(preprocessor.fit_transform(files[:1]), expected)
    assert path.read_bytes() == content


@pytest.mark.parametrize("canvas_size", ["max", (204, 290)])
def test_a_full_disk_only_stops_the_cache(files, tmp_path, canvas_size):
    expected = SignaturePreprocessor(canvas_size=canvas_size).fit_transform(files)
    preprocessor = SignaturePreprocessor(canvas_size=canvas_size, memory=tmp_path / "memory")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))  # stands for a full disk
    try:
        with pytest.warns(UserWarning, match="results cannot be kept there") as caught:
            images = preprocessor.fit_transform(files)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [str(tmp_path / "memory") in str(warning.message) for warning in caught] == [True]
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(images, expected)
    assert not [path for path in (tmp_path / "memory").rglob("*") if path.is_file()]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_cache_that_cannot_be_written_is_named_once(files, tmp_path, n_jobs):
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "sigkit").touch()
    preprocessor = SignaturePreprocessor(memory=tmp_path / "memory", n_jobs=n_jobs)
    with pytest.warns(UserWarning, match="results cannot be kept there") as caught:
        images = preprocessor.fit_transform(files * 3)
    assert len(caught) == 1
    np.testing.assert_array_equal(images, SignaturePreprocessor().fit_transform(files * 3))
    # Warnings are errors in the tests.
    preprocessor.fit(files)
    (tmp_path / "memory" / "sigkit").unlink()
    preprocessor.set_params(n_jobs=None).fit(files)
    shutil.rmtree(tmp_path / "memory" / "sigkit")
    (tmp_path / "memory" / "sigkit").touch()
    with pytest.warns(UserWarning, match="results cannot be kept there"):
        preprocessor.fit(files)


@pytest.mark.parametrize("canvas_size", ["max", (204, 290)])
def test_a_folder_that_cannot_be_made_is_an_error_at_once(files, canvas_size):
    for fit in ("fit", "fit_transform"):
        with pytest.raises(OSError, match="memory='/proc/nowhere': the folder cannot be made"):
            getattr(SignaturePreprocessor(canvas_size=canvas_size, memory="/proc/nowhere"), fit)(files)


def test_a_warning_names_the_line_of_the_user(files):
    preprocessor = SignaturePreprocessor(canvas_size=(85, 121))
    with pytest.warns(UserWarning, match="larger than the canvas") as caught:
        make_pipeline(preprocessor).fit_transform(files)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are files on POSIX only")
@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("canvas_size", ["max", (204, 290)])
def test_what_is_no_file_is_named(files, tmp_path, memory, canvas_size):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    others = ["pipe.png", "folder.png", "null\0.png", "nowhere.png", "x" * 5000, "surrogate\ud83d.png"]
    preprocessor = SignaturePreprocessor(canvas_size=canvas_size, memory=tmp_path / "memory" if memory else None)
    with pytest.raises(ImageError) as caught:
        preprocessor.fit_transform([*files, *(os.path.join(tmp_path, other) for other in others)])
    first, *lines = str(caught.value).splitlines()
    assert first == "6 of 12 images cannot be used:"
    for line, message in zip(
        lines,
        [
            "pipe.png: is a named pipe, not a file.",
            "folder.png: is a folder, not a file.",
            r"null\x00.png: cannot be read (embedded null byte).",
            "nowhere.png: no such file.",
            "x: cannot be read (File name too long).",
            r"surrogate\ud83d.png: cannot be read (",
        ],
        strict=True,
    ):
        assert message in line
        assert line.count(".png: ") <= 1


@pytest.mark.parametrize("shape", [(40, 10_100), (10_100, 40), (11_000, 200)])
def test_ink_of_senseless_size_does_not_decide_the_canvas(files, tmp_path, shape):
    scan = np.full(shape, 255, dtype=np.uint8)
    scan[[[10], [11], [-11], [-10]], 10:-10] = 0
    scan[10:-10, [10, 11, -11, -10]] = 0
    Image.fromarray(scan).save(tmp_path / "page.png")
    paths = [*files, str(tmp_path / "page.png")]
    for memory in (None, tmp_path / "memory", tmp_path / "memory"):
        preprocessor = SignaturePreprocessor(memory=memory)
        for work in (preprocessor.fit, preprocessor.fit_transform):
            with pytest.raises(ImageError, match=r'page\.png: its ink is .* canvas_size="max" takes at most 10,000'):
                work(paths)
    with pytest.warns(UserWarning, match=r"in 1 of 7 scans: \S*page\.png") as caught:
        SignaturePreprocessor(canvas_size=(204, 290)).fit_transform(paths)
    assert "larger than the canvas of 204 x 290 pixels" in str(caught[0].message)


@pytest.mark.parametrize("canvas_size", [(170, 100_001), (0, 3), (10**9, 10**9), (1.5, 2)])
def test_senseless_sizes_are_refused(files, canvas_size):
    for name in ("canvas_size", "image_size"):
        with pytest.raises(ValueError, match=f"{name} must be two positive integers up to 100,000"):
            SignaturePreprocessor(**{name: canvas_size}).fit(files)


@pytest.mark.parametrize("canvas_size", ["max", (204, 290)])
def test_the_memory_limit(files, canvas_size):
    expected = SignaturePreprocessor(canvas_size=canvas_size).fit_transform(files)
    with pytest.raises(
        ImageError, match=r"6 of 6 images cannot be used:\n.*scan-0\.png: 240 x 100 pixels need 100 MiB"
    ):
        SignaturePreprocessor(canvas_size=canvas_size, max_memory=100).fit_transform(files)
    enough = SignaturePreprocessor(canvas_size=canvas_size, max_memory=101)
    assert np.array_equal(enough.fit_transform(files), expected)
    for invalid in (0, -1, "1", None):
        with pytest.raises(ValueError, match="max_memory"):
            SignaturePreprocessor(max_memory=invalid).fit(files)


def test_scans_in_memory_have_no_limit(scans):
    assert SignaturePreprocessor(max_memory=0.1).fit_transform(scans).shape == (6, 170, 242)
