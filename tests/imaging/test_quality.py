"""Sound scans have no problems, and each kind of drawn defect is found on three scans."""

import importlib.util
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

import sigkit.imaging._quality._measure as measure_module
from sigkit.datasets import make_signatures
from sigkit.imaging import check_scan, check_scans, crop_ink, otsu_threshold, preprocess_image
from sigkit.imaging._quality._borders import find_line
from sigkit.imaging._quality._cells import measure_noise

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "scan_defects.py"
RESOLUTION = 200

# The kinds of problems of which one is found for each defect.
EXPECTED = {
    "hard shadow": {"shadow"},
    "soft shadow": {"shadow"},
    "printed frame": {"lines", "dark_edge"},
    "ruled lines": {"lines"},
    "scanner edge": {"dark_edge"},
    "far speck": {"stray"},
    "pale ink in frame": {"pale"},
    "pale ink under text": {"pale"},
    "text above": {"apart"},
    "two beside": {"apart"},
    "two above": {"apart"},
    "cut through": {"cut"},
    "blank paper": {"faint", "blank"},
    "inverted": {"dark_paper"},
    "thumbnail": {"small"},
    "out of focus": {"blurred"},
    "noisy": {"noise"},
    "salt and pepper": {"noise"},
}


def load_defects():
    spec = importlib.util.spec_from_file_location("scan_defects", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DEFECTS


DEFECTS = load_defects()


@pytest.fixture(scope="module")
def scans():
    settings = {"n_genuine": 1, "n_skilled": 0, "resolution": RESOLUTION, "random_state": 1}
    return [scan for kind in ("grey", "two-valued", "jpeg") for scan in make_signatures(4, scan=kind, **settings)[0]]


def test_sound_scans_have_no_problems(scans):
    assert [check_scan(scan).problems for scan in scans] == [{}] * len(scans)
    assert [crop_ink(scan, check=True).issues for scan in scans] == [{}] * len(scans)


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_found(name, scans):
    draw = DEFECTS[name]
    poor = [draw(scan, np.random.default_rng(number), RESOLUTION) for number, scan in enumerate(scans)]
    poor = [scan for scan in poor if scan is not None][:6]
    assert len(poor) >= 3
    assert [EXPECTED[name] & check_scan(scan).problems.keys() for scan in poor].count(set()) == 0


@pytest.mark.parametrize("background", ["otsu", "adaptive", "none"])
def test_crop_ink_finds_the_same_problems(scans, background):
    framed = DEFECTS["printed frame"](scans[0], np.random.default_rng(0), RESOLUTION)
    assert crop_ink(framed, background).issues == {}
    found = crop_ink(framed, background, check=True).issues
    assert found.keys() == check_scan(framed, background).problems.keys() >= {"lines"}


@pytest.mark.parametrize("gray", [0, 130, 255])
def test_a_single_gray_value_is_blank(gray):
    quality = check_scan(np.full((50, 60), gray, dtype=np.uint8))
    assert quality.problems.keys() == {"blank"}
    assert str(gray) in quality.problems["blank"]
    assert quality.measures == {}


def test_a_sentence_says_what_was_found_and_what_to_do(scans):
    assert check_scan(255 - scans[0]).problems["dark_paper"] == (
        f"Dark paper ({np.mean(255 - scans[0] <= otsu_threshold(255 - scans[0])):.0%} dark). Paper must be bright and "
        "ink dark; if they are inverted, pass 255 - image."
    )


def test_measures_of_a_known_drawing():
    scan = np.full((200, 400), 240, dtype=np.uint8)
    scan[90:100, 50:350] = 40
    scan[60:140, 200:210] = 40
    measures = check_scan(scan).measures
    assert measures["ink_share"] == (10 * 300 + 80 * 10 - 100) / 80000
    assert measures["contrast"] == 200
    assert measures["stroke_width"] == pytest.approx(10, rel=0.25)
    assert measures["horizontal_line"] == pytest.approx(0.75, abs=0.06)
    assert abs(measures["ink_height"] - 80) < 5
    assert abs(measures["ink_width"] - 300) < 5
    assert [measures[name] for name in ("noise", "speckle", "edge_width", "cut_strokes", "n_lines")] == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("degrees", [-2.5, -1, 0, 1, 2.5])
def test_straight_lines_are_found_and_curves_are_not(degrees):
    columns = np.arange(600)
    line = 100 + np.tan(np.deg2rad(degrees)) * (columns - 300)
    for level, is_straight in ((line, True), (line + 6 * np.sin(columns / 60), False)):
        is_ink = np.abs(np.arange(200)[:, np.newaxis] - level) <= 2
        assert (find_line(is_ink) >= 0.9) is is_straight


@pytest.mark.parametrize("deviation", [3, 8, 20])
def test_noise_is_its_standard_deviation(deviation):
    noise = np.random.default_rng(0).normal(128, deviation, (300, 300))
    assert measure_noise(noise.astype(np.uint8)) == pytest.approx(deviation, rel=0.2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3), (3, 2000)])
def test_scans_of_any_size_can_be_checked(shape):
    scan = np.random.default_rng(0).choice(np.array([0, 255], dtype=np.uint8), shape)
    assert check_scan(scan).problems


@pytest.mark.parametrize("background", ["otsu", "adaptive"])
def test_a_large_scan_is_measured_in_a_smaller_version(scans, monkeypatch, background):
    expected = check_scan(scans[0], background).measures
    monkeypatch.setattr(measure_module, "_MAX_PIXELS", scans[0].size // 3)
    found = check_scan(scans[0], background).measures
    assert (found["height"], found["width"]) == scans[0].shape
    for name in ("ink_height", "ink_width", "contrast", "stroke_width"):
        assert found[name] == pytest.approx(expected[name], rel=0.4), name
    framed = DEFECTS["printed frame"](scans[0], np.random.default_rng(0), RESOLUTION)
    assert "lines" in check_scan(framed, background).problems


def test_the_table_is_a_data_frame(scans, tmp_path):
    path = tmp_path / "scan.png"
    Image.fromarray(scans[0]).save(path)
    (tmp_path / "text.png").write_text("no image")
    images = [scans[0], str(path), path, path.read_bytes(), np.zeros((9, 9), np.uint8), tmp_path / "text.png"]
    table = pd.DataFrame(check_scans(images))
    assert table.name.tolist() == ["0", str(path), str(path), "3", "4", str(tmp_path / "text.png")]
    assert table.problems.tolist() == ["", "", "", "", "blank", "unreadable"]
    measures = table.drop(columns=["name", "problems"])
    assert measures.iloc[:4].drop_duplicates().to_dict("records") == [check_scan(scans[0]).measures]
    assert measures.iloc[4:].isna().all(axis=None)
    assert len(pd.DataFrame(check_scans([]))) == 0


def test_a_path_is_no_image_and_no_list():
    with pytest.raises(TypeError, match=r"'ada\.png'\. Read a file by read_image first"):
        check_scan("ada.png")
    with pytest.raises(ValueError, match=r"the single path 'ada\.png'; pass a list"):
        check_scans("ada.png")
    # Their content may be large.
    with pytest.raises(TypeError, match="found bytes"):
        check_scan(b"P5 1 1 255 a")
    with pytest.raises(ValueError, match="images is the content of a single file; pass a list"):
        check_scans(b"P5 1 1 255 a")


@pytest.mark.parametrize("function", [check_scan, crop_ink, partial(preprocess_image, canvas_size=(170, 242))])
def test_arrays_of_other_ranges_or_shapes_are_no_scans(function):
    scan = make_signatures(1, 1, 0, random_state=0)[0][0]
    for wrong in (scan / 255, scan.astype(np.int64), scan < 100, np.stack([scan] * 3, axis=2), scan[:0]):
        with pytest.raises(ValueError, match=f"image is {wrong.dtype} of shape"):
            function(wrong)


@pytest.mark.parametrize("degrees", [-1.5, 0, 1.5])
@pytest.mark.parametrize("box", [(80, 150, 820, 430), (300, 60, 560, 330), (60, 290, 840, 440)])
def test_a_frame_inside_the_scan_is_found(box, degrees, scans):
    for scan in (None, *scans[:2]):
        sheet = Image.new("L", (900, 460), 240)
        if scan is not None:
            shown = Image.fromarray(scan)
            shown.thumbnail((box[2] - box[0] - 20, box[3] - box[1] - 20))
            sheet.paste(shown, (box[0] + 10, box[1] + 10))
        ImageDraw.Draw(sheet).rectangle(box, outline=40, width=4)
        sheet = np.asarray(sheet.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=240))
        quality = check_scan(sheet)
        assert "lines" in quality.problems
        longest = max(box[2] - box[0], box[3] - box[1])
        assert quality.measures["frame_share"] == pytest.approx(longest / 900, abs=0.04)
    assert all(check_scan(scan).measures["frame_share"] == 0 for scan in scans)


@pytest.mark.parametrize("ends", [(100, 300, 800, 300), (200, 250, 700, 240), (450, 40, 452, 420)])
def test_a_line_alone_is_no_signature(ends):
    sheet = Image.new("L", (900, 460), 240)
    ImageDraw.Draw(sheet).line(ends, fill=40, width=5)
    assert "lines" in check_scan(np.asarray(sheet)).problems
