"""Audits of drawn corpora in which copies, damaged files and shortcuts were planted, and of real ones."""

import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
from PIL import Image
from sklearn.metrics import roc_auc_score

from sigkit.datasets import AuditDisplay, audit, load_folder, make_signatures
from sigkit.datasets._audit import _copies
from sigkit.datasets._audit._auc import areas, draw_writers

N_WRITERS, N_EACH = 6, 3
N_SCANS = 2 * N_WRITERS * N_EACH


@pytest.fixture(scope="module")
def drawn():
    """Scans of drawn signatures, genuine and skilled, and their target: do not change them."""
    return make_signatures(N_WRITERS, N_EACH, N_EACH, resolution=150, random_state=1)


@pytest.fixture
def corpus(drawn, tmp_path):
    """Return a function that saves the drawn scans, changed by kind, and returns paths and target."""

    def save(change=lambda image, forgery: image, suffix=".png", **settings):
        scans, target = drawn
        paths = []
        for row, (scan, (_, forgery)) in enumerate(zip(scans, target)):
            paths.append(str(tmp_path / f"{row:03d}{suffix}"))
            of_kind = {name: value[forgery] for name, value in settings.items() if value[forgery] is not None}
            change(Image.fromarray(scan), forgery).save(paths[-1], **of_kind)
        return paths, target

    return save


def strong(found, *sources):
    return {shortcut.statistic for shortcut in found.shortcuts if shortcut.is_strong and shortcut.source in sources}


def of(found, statistic):
    return next(shortcut for shortcut in found.shortcuts if shortcut.statistic == statistic)


def brighten(image, forgery):
    return image.point(lambda gray: min(255, gray + 15 * forgery * (gray > 200)))


def widen(image, forgery):
    pad = 0 if forgery else 60
    return Image.fromarray(np.pad(np.asarray(image), pad, constant_values=235))


def repaint(image, forgery):
    return image.convert("RGB" if forgery else "L")


def test_a_sound_corpus(corpus):
    found = audit(*corpus(), random_state=0)
    assert strong(found, "file", "raw", "ink") == set()
    assert len(found.shortcuts) > 15
    assert not found.unreadable
    assert not found.odd
    assert not found.poor
    assert found.copy_groups() == []
    assert found.count_copies() == {"same": 0, "kinds": 0, "writers": 0}
    assert found.resampled == "writers"


@pytest.mark.parametrize(
    ("change", "settings", "statistic", "greater", "source"),
    [
        (brighten, {}, "background", "forged", "raw"),
        (brighten, {}, "mean_gray", "forged", "raw"),
        (widen, {}, "area", "genuine", "raw"),
        (widen, {}, "height", "genuine", "raw"),
        (repaint, {}, "mode", "genuine: L", "file"),
        (lambda image, forgery: image, {"dpi": ((300, 300), None)}, "dpi", "genuine: 300", "file"),
        (lambda image, forgery: image, {"dpi": (None, (200, 100))}, "dpi", "genuine: none", "file"),
        (lambda image, forgery: image, {"compress_level": (0, 9)}, "file_size", "genuine", "file"),
        (lambda image, forgery: image, {"format": ("PNG", "BMP")}, "format", "genuine: PNG", "file"),
    ],
)
def test_planted_shortcuts(corpus, change, settings, statistic, greater, source):
    found = audit(*corpus(change, **settings), random_state=0)
    shortcut = of(found, statistic)
    assert shortcut.auc > 0.7
    assert shortcut.within > 0.9
    assert shortcut.greater == greater
    assert shortcut.source == source
    assert shortcut.low <= shortcut.auc <= shortcut.high
    assert statistic in strong(found, source)
    # What is seen in the raw scan is gone after preprocessing.
    assert strong(found, "ink") == set()
    line = next(line for line in str(found).splitlines() if line.startswith(f"{statistic.replace('_', ' ')} !"))
    assert f"{shortcut.auc:.3f}" in line
    assert greater in line


def test_each_kind_of_forgery_is_compared_with_genuine_signatures(drawn):
    scans, target = drawn
    target = [[writer, 2 * forgery if row % 2 else forgery] for row, (writer, forgery) in enumerate(target)]
    scans = [np.pad(scan, 5 * kind, constant_values=235) for scan, (_, kind) in zip(scans, target)]
    found = audit(scans, target, random_state=0)
    assert [shortcut.kind for shortcut in found.shortcuts] == sorted(
        (shortcut.kind for shortcut in found.shortcuts), reverse=True
    )
    assert {shortcut.kind for shortcut in found.shortcuts} == {"skilled", "simple"}
    areas_of_kind = [shortcut.auc for shortcut in found.shortcuts if shortcut.kind == "simple"]
    assert areas_of_kind == sorted(areas_of_kind, reverse=True)
    assert "Genuine or simple?" in str(found)


def test_areas_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    values, genuine = rng.integers(0, 9, 300).astype(float), rng.random(300) < 0.4
    values += genuine
    units = rng.integers(0, 5, 300)
    resamples = draw_writers(5, 20, np.random.RandomState(0))
    pooled, within = areas(values, genuine, units, resamples)
    for counts, area, area_within in zip(resamples, pooled, within):
        weights = counts[units]
        np.testing.assert_allclose(area, roc_auc_score(genuine, values, sample_weight=weights))
        wins = pairs = 0
        for unit in range(5):
            rows = units == unit
            n_pairs = counts[unit] * genuine[rows].sum() * (~genuine[rows]).sum()
            wins += n_pairs * roc_auc_score(genuine[rows], values[rows])
            pairs += n_pairs
        np.testing.assert_allclose(area_within, wins / pairs)
    assert (resamples[0] == 1).all()
    assert (resamples.sum(axis=1) == 5).all()


def test_the_direction_is_that_of_the_sample(drawn):
    scans, target = drawn
    found = audit(scans, target, random_state=0)
    assert all(shortcut.auc >= 0.5 for shortcut in found.shortcuts)
    # In a sample without any difference the interval reaches below one half.
    assert any(shortcut.low < 0.5 for shortcut in found.shortcuts)
    values = found.columns["width"]
    genuine = found.columns["forgery"] == 0
    shortcut = of(found, "width")
    assert shortcut.auc == pytest.approx(roc_auc_score(genuine == (shortcut.greater == "genuine"), values))


def test_intervals_are_repeatable_and_can_be_left_out(drawn):
    first, second = (audit(*drawn, random_state=3, n_bootstraps=50) for _ in range(2))
    assert first.shortcuts == second.shortcuts
    without = audit(*drawn, n_bootstraps=0)
    assert {shortcut.low for shortcut in without.shortcuts} == {None}
    assert "Intervals:" not in str(without)
    np.testing.assert_allclose([s.auc for s in without.shortcuts], [s.auc for s in first.shortcuts])


def resaved(scan, kind):
    image = Image.fromarray(scan)
    if kind == "jpeg":
        content = io.BytesIO()
        image.save(content, "JPEG", quality=40)
        return np.asarray(Image.open(content))
    if kind == "smaller":
        return np.asarray(image.resize((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.BICUBIC))
    if kind == "margin":
        return np.pad(scan, ((40, 0), (10, 70)), constant_values=int(np.median(scan)))
    if kind == "darker":
        return (scan * 0.85).astype(np.uint8)
    noise = np.random.default_rng(0).normal(0, 5, scan.shape)
    return np.clip(scan + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["jpeg", "smaller", "margin", "darker", "noise"])
def test_near_copies(drawn, kind):
    scans, target = drawn
    copies = [resaved(scans[row], kind) for row in (0, 9, 30)]
    found = audit([*scans, *copies], [*target, *target[[0, 9, 30]]], n_bootstraps=0)
    assert found.copy_groups() == [[0, N_SCANS], [9, N_SCANS + 1], [30, N_SCANS + 2]]
    assert found.copy_groups("pixels") == []
    assert found.count_copies() == {"same": 3, "kinds": 0, "writers": 0}


def test_copies_by_what_they_are_copies_of(corpus):
    paths, target = corpus()
    target = target.copy()
    folder = Path(paths[0]).parent
    # Twice the first scan, by bytes and by pixels; then a copy as a forgery of its writer, and as another writer's.
    for name, settings in (("a", None), ("b", {"compress_level": 0}), ("c", None), ("d", {"format": "TIFF"})):
        path = folder / f"{name}.png"
        if settings is None:
            path.write_bytes(Path(paths[0]).read_bytes())
        else:
            with Image.open(paths[0]) as image:
                image.save(path, **settings)
        paths.append(str(path))
    writer, other = target[0, 0], target[-1, 0]
    rows = [*target.tolist(), [writer, 0], [writer, 0], [writer, 1], [other, 0]]
    found = audit(paths, rows, n_bootstraps=0)
    a, b, c, d = range(N_SCANS, N_SCANS + 4)
    assert found.copy_groups("file") == [[0, a, c]]
    assert found.copy_groups("pixels") == [[0, a, b, c, d]]
    assert found.count_copies("file") == {"same": 1, "kinds": 3, "writers": 0}
    assert found.count_copies("pixels") == {"same": 2, "kinds": 5, "writers": 5}
    assert found.count_copies("near") == found.count_copies("pixels")
    text = str(found)
    assert "copies with different labels: " in text
    assert "equal bytes " in text
    assert found.odd[d] == ("suffix .png, but TIFF", "format TIFF, usually PNG")
    assert found.to_dict()["copies"]["file"] == {"same": 1, "kinds": 3, "writers": 0}
    with pytest.raises(ValueError, match="level must be one of 'file', 'pixels', 'near'"):
        found.copy_groups("bytes")


def test_near_copies_are_compared_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (40, *_copies_shape()), dtype=np.uint8)
    pictures[[7, 31, 39]] = pictures[2]
    pictures[12] = 0
    digests = [str(row) for row in range(40)]
    expected = np.arange(40)
    expected[[7, 31, 39]] = 2
    for block in (1024, 7, 1):
        monkeypatch.setattr(_copies, "_BLOCK", block)
        found = _copies.group_copies([""] * 40, digests, pictures, 0.9)
        np.testing.assert_array_equal(found["near"], expected)
        np.testing.assert_array_equal(found["pixels"], np.arange(40))


def _copies_shape():
    from sigkit.imaging import PICTURE_SIZE

    return PICTURE_SIZE


def test_damaged_files_are_listed(corpus, tmp_path):
    paths, target = corpus()
    content = Path(paths[1]).read_bytes()
    Path(paths[1]).write_bytes(content[: len(content) // 2])
    Path(paths[2]).write_bytes(b"")
    Path(paths[3]).write_text("no image")
    os.remove(paths[4])
    os.remove(paths[5])
    os.mkfifo(paths[5])
    os.remove(paths[6])
    os.mkdir(paths[6])
    found = audit(paths, target, random_state=0)
    assert sorted(found.unreadable) == [1, 2, 3, 4, 5, 6]
    for row, reason in found.unreadable.items():
        assert reason.startswith(paths[row])
        assert found.columns["error"][row] == reason
    assert not set(found.odd) & set(found.unreadable)
    text = str(found)
    assert f"unreadable: {paths[1]}: " in text
    assert "and 3 more" in text
    assert np.isnan(found.columns["mean_gray"][1])
    # Their bytes are equal if they are copies, even if nobody can read them.
    Path(paths[3]).write_bytes(Path(paths[1]).read_bytes())
    assert audit(paths, target, n_bootstraps=0).copy_groups("file") == [[1, 3]]


def test_pages_of_a_file(drawn, tmp_path):
    scans, target = drawn
    pages = [Image.fromarray(scan) for scan in scans]
    path = str(tmp_path / "all.tif")
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_adobe_deflate")
    found = audit([f"{path}[{row}]" for row in range(len(pages))], target, n_bootstraps=0)
    assert not found.unreadable
    assert found.copy_groups("file") == []
    np.testing.assert_array_equal(found.columns["mean_gray"], audit(scans, target, n_bootstraps=0).columns["mean_gray"])
    found = audit([path, *scans[1:]], target, n_bootstraps=0)
    assert "pages, and a scan is one" in found.unreadable[0]


def test_odd_files(corpus):
    paths, target = corpus(dpi=((300, 300), (300, 300)))
    with Image.open(paths[0]) as image:
        # The second one is a preview.
        pages = [image.copy(), image.resize((image.width // 4, image.height // 4))]
        tall = image.resize((image.width, 4 * image.height))
    pages[0].save(paths[0], format="TIFF", save_all=True, append_images=pages[1:], dpi=(300, 300))
    tall.convert("RGB").save(paths[10], dpi=(72, 72))
    found = audit(paths, target, n_bootstraps=0)
    assert list(found.odd) == [0, 10]
    assert found.odd[0] == ("2 pages", "suffix .png, but TIFF", "format TIFF, usually PNG")
    assert found.odd[10][:2] == ("mode RGB, usually L", "dpi 72, usually 300")
    assert found.odd[10][2].startswith(f"height {tall.height}, usually ")
    assert found.columns["pages"][0] == 2
    few = audit(paths[:11:5], target[:11:5], n_bootstraps=0).odd
    assert few[0] == ("2 pages", "suffix .png, but TIFF")
    assert all("mode" not in reason for reason in few.get(2, ()))


def test_odd_widths_of_strokes(drawn):
    scans, target = drawn
    scans = list(scans)
    usual = audit(scans, target, n_bootstraps=0)
    assert not [reason for reasons in usual.odd.values() for reason in reasons if "stroke" in reason]
    scans[3] = scipy.ndimage.minimum_filter(scans[3], 9)
    found = audit(scans, target, n_bootstraps=0)
    assert [row for row, reasons in found.odd.items() if any("stroke width" in reason for reason in reasons)] == [3]


def test_poor_scans(drawn):
    scans, target = drawn
    scans = list(scans)
    scans[0] = np.full((80, 90), 250, dtype=np.uint8)
    scans[1] = 255 - scans[1]
    scans[2] = (250 + scans[2] // 52).astype(np.uint8)
    found = audit(scans, target, n_bootstraps=0)
    assert found.poor == {0: ("blank",), 1: ("dark_paper",), 2: ("faint",)}
    table = dict(
        line.rsplit(maxsplit=2)[0::2] for line in str(found).splitlines() if line.startswith(("blank ", "faint "))
    )
    assert table == {"blank": "0", "faint": "0"}
    assert found.columns["defects"][1] == "dark_paper"
    assert np.isnan(found.columns["ink_height"][0])
    assert found.copy_groups() == []


def test_one_writer_no_forgeries_and_one_scan(drawn):
    scans, target = drawn
    rows = target[:, 0] == target[0, 0]
    one = audit([scan for scan, row in zip(scans, rows) if row], target[rows], random_state=0)
    assert one.resampled == "scans"
    assert "bootstrap resamples of scans" in str(one)
    genuine = audit(scans[:1], target[:1, 0])
    assert genuine.shortcuts == ()
    assert "Shortcuts: none computed" in str(genuine)
    assert "1 scans of 1 writer: 1 genuine." in str(genuine)
    blank = audit([np.zeros((5, 5), dtype=np.uint8)] * 2, [[1, 0], [1, 1]])
    assert blank.shortcuts == ()
    assert blank.count_copies() == {"same": 0, "kinds": 2, "writers": 0}


def test_jobs_and_progress(corpus, capsys):
    paths, target = corpus()
    one, two = audit(paths, target, random_state=0), audit(np.array(paths), target, n_jobs=2, random_state=0, verbose=1)
    assert one.shortcuts == two.shortcuts
    for name, column in one.columns.items():
        np.testing.assert_array_equal(column, two.columns[name])
    assert f"audit: {N_SCANS} of {N_SCANS}" in capsys.readouterr().err


def test_tables(corpus):
    pd = pytest.importorskip("pandas")
    paths, target = corpus()
    Path(paths[1]).write_bytes(b"")
    found = audit(pd.DataFrame({"path": paths}), pd.DataFrame(target, columns=["writer", "forgery"]), random_state=0)
    frame = found.to_frame()
    assert list(frame.columns) == list(found.columns)
    assert frame["name"].tolist() == paths
    assert frame["mean_gray"].isna().tolist() == [row == 1 for row in range(N_SCANS)]
    assert frame.select_dtypes("number").shape[1] > 18
    as_dict = json.loads(json.dumps(found.to_dict()))
    assert as_dict["n_scans"] == N_SCANS
    assert list(as_dict["unreadable"]) == [paths[1]]
    assert as_dict["shortcuts"][0]["statistic"] == found.shortcuts[0].statistic


def test_the_page_of_pictures(corpus):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    paths, target = corpus(brighten)
    Path(paths[5]).write_bytes(b"")
    Path(paths[-1]).write_bytes(Path(paths[0]).read_bytes())
    for row in range(10, 20):
        with Image.open(paths[row]) as image:
            image.resize((4 * image.width, image.height)).save(paths[row])
    found = audit(paths, target, n_bootstraps=0)
    display = found.plot(12)
    assert isinstance(display, AuditDisplay)
    assert len(display.rows_) == len(set(display.rows_)) == len(display.axes_) == 12
    # The gravest first, and not all of one kind.
    assert display.rows_[:3] == [5, 0, N_SCANS - 1]
    assert set(display.rows_[3:5]) <= set(range(10, 20))
    assert len(set(range(10, 20)) & set(display.rows_)) < 8
    titles = [axes.get_title() for axes in display.axes_]
    assert titles[0].startswith(f"5: {target[5, 0]}, skilled\nunreadable")
    assert titles[1].endswith(f"copies: 0, {N_SCANS - 1}")
    assert any("width " in title for title in titles)
    display.figure_.canvas.draw()
    figure = matplotlib.figure.Figure()
    assert found.plot(1, figure=figure).figure_ is figure
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize(
    ("images", "settings", "problem"),
    [
        ("scan.png", {}, "images is the single path 'scan.png'"),
        ({"a.png"}, {}, "images is a set"),
        (5, {}, "images must be a list or an array"),
        ([], {}, "images is empty"),
        ([np.zeros((4, 4))], {}, r"image 0 is float64 of shape \(4, 4\)"),
        ([np.zeros((4, 4, 3), dtype=np.uint8)], {}, "image 0 is uint8"),
        (["a.png"] * 2, {}, "2 images and 1 targets"),
        (["a.png"], {"background": "none"}, "background must be"),
        (["a.png"], {"near": 1}, "near must be a number between 0 and 1"),
        (["a.png"], {"min_auc": 0.5}, "min_auc must be"),
        (["a.png"], {"confidence": 95}, "confidence must be"),
        (["a.png"], {"n_bootstraps": -1}, "n_bootstraps must be"),
    ],
)
def test_invalid_input(images, settings, problem):
    with pytest.raises(ValueError, match=problem):
        audit(images, [1], **settings)


def test_cedar_is_caught(shared_data):
    cedar = load_folder(shared_data / "CEDAR")
    rows = np.isin(cedar.target[:, 0], list(cedar.counts)[:3])
    found = audit(cedar.images[rows], cedar.target[rows], random_state=0)
    assert of(found, "mean_gray").auc > 0.99
    assert of(found, "mean_gray").greater == "forged"
    assert of(found, "dpi").auc == 1
    assert {"mean_gray", "background", "dpi"} <= strong(found, "raw", "file")
    assert strong(found, "ink") == set()
    assert found.count_copies("pixels") == {"same": 0, "kinds": 0, "writers": 0}


def test_bengali_is_caught(shared_data):
    bengali = load_folder(shared_data / "BHSig260" / "Bengali")
    digests = {}
    for path, (writer, forgery) in zip(bengali.images[:1080], bengali.target.tolist()):
        content = hashlib.sha256(Path(path).read_bytes()).digest()
        digests.setdefault(writer, []).append((forgery, content))
    n_copies = {writer: len(scans) - len(set(scans)) for writer, scans in digests.items()}
    chosen = sorted(n_copies, key=n_copies.get)[-3:]
    rows = np.isin(bengali.target[:, 0], chosen)
    found = audit(bengali.images[rows], bengali.target[rows], random_state=0)
    assert found.count_copies("file")["same"] == sum(n_copies[writer] for writer in chosen) > 20
    assert found.count_copies("pixels")["writers"] == 0
