"""The loaders of corpora, with generated files and with real scans."""

import os
import warnings
from fractions import Fraction

import numpy as np
import pytest

from sigkit.datasets import load_bhsig260, load_cedar, load_gpds, load_mcyt75, load_puc_pr
from sigkit.transformers import SignaturePreprocessor


def numbered(template, numbers):
    return [template.format(number) for number in numbers]


def cedar_names(writers):
    return [
        name
        for w in writers
        for name in (
            *numbered(f"full_org/original_{w}_{{}}.png", range(1, 25)),
            *numbered(f"full_forg/forgeries_{w}_{{}}.png", range(1, 25)),
        )
    ]


def bhsig_names(script, writers):
    return [
        name
        for w in writers
        for name in (
            *numbered(f"{script}/{w:03d}/{script[0]}-S-{w:03d}-G-{{:02d}}.tif", range(1, 25)),
            *numbered(f"{script}/{w:03d}/{script[0]}-S-{w:03d}-F-{{:02d}}.tif", range(1, 31)),
        )
    ]


def mcyt_names(writers):
    return [f"{w:04d}/{w:04d}{letter}{number:02d}.bmp" for w in writers for letter in "vf" for number in range(15)]


def gpds_names(writers):
    return [
        name
        for w in writers
        for name in (
            *numbered(f"{w:03d}/c-{w:03d}-{{:02d}}.png", range(1, 25)),
            *numbered(f"{w:03d}/cf-{w:03d}-{{:02d}}.png", range(1, 31)),
        )
    ]


def puc_names(writers):
    return [name for w in writers for name in numbered(f"a{w:03d}_{{:02d}}.jpg", range(1, 61 if w <= 60 else 41))]


def counts(bunch):
    pairs, number = np.unique(bunch.target.astype(str), axis=0, return_counts=True)
    return {tuple(pair): n for pair, n in zip(pairs.tolist(), number.tolist())}


def relative(bunch, folder):
    return [os.path.relpath(path, folder).replace(os.sep, "/") for path in bunch.images]


def messages(load, *args, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bunch = load(*args, **options)
    assert {entry.category for entry in caught} <= {UserWarning}
    # A warning points at the line that called the loader, here.
    assert {entry.filename for entry in caught} <= {__file__}
    return bunch, [str(entry.message) for entry in caught]


def test_cedar(tmp_path, draw):
    names = cedar_names([2, 10])
    draw(tmp_path, reversed(names))
    bunch, (message,) = messages(load_cedar, tmp_path)
    assert "53 of the 55 writers of CEDAR are absent: 1, 3, 4, 5, 6 and 48 more" in message
    assert relative(bunch, tmp_path) == names
    assert bunch.images.ndim == 1
    assert bunch.images.dtype.kind == "U"
    assert bunch.target.dtype == np.int64
    assert counts(bunch) == {("2", "0"): 24, ("2", "1"): 24, ("10", "0"): 24, ("10", "1"): 24}
    assert bunch.canvas_size == (730, 1042)
    assert bunch.skipped == []
    assert "Kalera" in bunch.DESCR


def test_a_whole_corpus_is_loaded_without_a_warning(tmp_path, draw):
    names = cedar_names(range(1, 56))
    draw(tmp_path, names)
    assert relative(load_cedar(str(tmp_path)), tmp_path) == names


def test_bhsig260(tmp_path, draw):
    names = [*bhsig_names("Bengali", [3]), *bhsig_names("Hindi", [3, 160])]
    draw(tmp_path, names)
    # These lists come with the corpus.
    (tmp_path / "Hindi" / "list.genuine").touch()
    bunch, (message,) = messages(load_bhsig260, tmp_path)
    assert "257 of the 260 writers of BHSig260 are absent: B-001, B-002, B-004," in message
    assert relative(bunch, tmp_path) == names
    assert counts(bunch) == {(w, k): n for w in ("B-003", "H-003", "H-160") for k, n in (("0", 24), ("1", 30))}
    assert bunch.target.dtype == object
    assert isinstance(bunch.target[0, 0], str)
    assert isinstance(bunch.target[0, 1], int)
    assert "Blumenstein" in bunch.DESCR


@pytest.mark.parametrize(
    ("script", "writer", "absent"), [("bengali", "B-003", "99 of the 100"), ("hindi", "H-160", "159 of the 160")]
)
def test_one_script_ignores_the_other(tmp_path, draw, script, writer, absent):
    draw(tmp_path, [*bhsig_names("Bengali", [3]), *bhsig_names("Hindi", [160])])
    bunch, (message,) = messages(load_bhsig260, tmp_path, script)
    assert set(bunch.target[:, 0]) == {writer}
    assert absent in message


def test_bhsig260_canvas_has_the_aspect_ratio_of_the_images(tmp_path, draw):
    draw(tmp_path, bhsig_names("Bengali", [1]))
    with pytest.warns(UserWarning, match="absent"):
        n_rows, n_columns = load_bhsig260(tmp_path).canvas_size
    assert Fraction(n_rows, n_columns) == Fraction(170, 242)


@pytest.mark.parametrize("script", ["Bengali", "latin", None, ["both"]])
def test_an_unknown_script_is_refused(tmp_path, script):
    with pytest.raises(ValueError, match="script must be one of 'both', 'bengali', 'hindi'"):
        load_bhsig260(tmp_path, script)


def test_mcyt75(tmp_path, draw):
    names = [name.upper() if "v03" in name else name for name in mcyt_names([0, 12, 301])]
    draw(tmp_path, names)
    bunch, (message,) = messages(load_mcyt75, tmp_path)
    assert "72 of the 75 writers of MCYT-75 are absent; found 0, 12, 301" in message
    assert relative(bunch, tmp_path) == names
    assert counts(bunch) == {(w, k): 15 for w in ("0", "12", "301") for k in "01"}
    assert bunch.canvas_size == (600, 850)
    assert "Ortega-Garcia" in bunch.DESCR


def test_gpds(tmp_path, draw):
    names = gpds_names([1, 960])
    draw(tmp_path, names)
    bunch, (message,) = messages(load_gpds, tmp_path)
    assert "879 of the 881 writers of GPDS-960 are absent; found 1, 960" in message
    assert relative(bunch, tmp_path) == names
    assert counts(bunch) == {(w, k): n for w in ("1", "960") for k, n in (("0", 24), ("1", 30))}
    assert bunch.canvas_size == (952, 1360)
    assert "Vargas" in bunch.DESCR


def test_puc_pr_has_forgeries_of_the_first_60_writers_only(tmp_path, draw):
    names = puc_names([60, 61])
    draw(tmp_path, [*names, "a061_41.jpg"])
    bunch, (absent, extra) = messages(load_puc_pr, tmp_path)
    assert "166 of the 168 writers of PUC-PR are absent: 1, 2, 3" in absent
    assert "not named like PUC-PR, left out (1): a061_41.jpg" in extra
    assert counts(bunch) == {("60", "0"): 40, ("60", "1"): 10, ("60", "2"): 10, ("61", "0"): 40}
    # By kind first: the skilled forgeries (1) have the higher numbers.
    assert relative(bunch, tmp_path) == [*names[:40], *names[50:60], *names[40:50], *names[60:]]
    assert bunch.canvas_size == (700, 1000)
    assert "Freitas" in bunch.DESCR


def test_missing_and_extra_files_are_named_once_each(tmp_path, draw):
    names = cedar_names(range(1, 56))
    lost = ["full_org/original_7_3.png", "full_forg/forgeries_55_24.png"]
    # Padded, out of range, of another kind, too shallow and too deep.
    stray = [
        "full_forg/forgeries_7_25.png",
        "full_forg/original_1_1.png",
        "full_org/original_01_1.png",
        "full_org/original_56_1.png",
        "original_1_1.png",
    ]
    draw(tmp_path, [*(name for name in names if name not in lost), *stray, "full_org/deep/original_1_1.png"])
    for name in (".hidden.png", "Thumbs.db", "full_org/DESKTOP.INI", "full_forg/.DS_Store"):
        (tmp_path / name).touch()
    bunch, (missing, extra) = messages(load_cedar, tmp_path)
    assert missing.endswith("missing files of CEDAR (2): full_org/original_7_3.png, full_forg/forgeries_55_24.png.")
    assert "not named like CEDAR, left out (6): full_forg/forgeries_7_25.png, full_forg/original_1" in extra
    assert relative(bunch, tmp_path) == [name for name in names if name not in lost]
    assert len(bunch.target) == len(bunch.images) == 2638


def test_the_folder_of_a_writer_must_contain_only_this_writer(tmp_path, draw):
    draw(tmp_path, [*mcyt_names([5]), "0005/0006v00.bmp"])
    bunch, (_, extra) = messages(load_mcyt75, tmp_path)
    assert "0005/0006v00.bmp" in extra
    assert set(bunch.target[:, 0]) == {5}


def test_names_that_differ_in_case_are_one_signature(tmp_path, draw):
    draw(tmp_path, mcyt_names([5]))
    draw(tmp_path, ["0005/0005V00.bmp"])
    if len(list((tmp_path / "0005").iterdir())) == 30:
        pytest.skip("this file system does not tell upper and lower case apart")
    bunch, (_, extra) = messages(load_mcyt75, tmp_path)
    assert "(1)" in extra
    assert "0005/0005v00.bmp" in extra
    assert len(bunch.images) == 30


@pytest.mark.parametrize("load", [load_cedar, load_bhsig260, load_mcyt75, load_gpds, load_puc_pr])
def test_a_folder_that_does_not_exist(tmp_path, load):
    with pytest.raises(
        FileNotFoundError, match=r"nowhere: no such folder. Pass the folder that contains \S+\.(png|tif|bmp|jpg)"
    ):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("load", [load_cedar, load_bhsig260, load_mcyt75, load_gpds, load_puc_pr])
def test_an_empty_folder(tmp_path, load):
    with pytest.raises(ValueError, match=r"Expected files such as .*; found an empty folder"):
        load(tmp_path)


def test_the_parent_folder_is_refused_and_its_contents_are_named(tmp_path, draw):
    draw(tmp_path / "CEDAR", cedar_names([1]))
    with pytest.raises(
        ValueError, match=r"no scan of CEDAR. Expected files such as .*full_org.original_1_1.png; found CEDAR/"
    ):
        load_cedar(tmp_path)
    with pytest.raises(ValueError, match=r"full_org: no scan of CEDAR.*found original_1_1.png"):
        load_cedar(tmp_path / "CEDAR" / "full_org")


def test_a_file_is_not_a_folder(tmp_path, draw):
    draw(tmp_path, ["scan.png"])
    with pytest.raises(ValueError, match=r"scan.png is a file"):
        load_cedar(tmp_path / "scan.png")


def test_skip_drops_unreadable_files_from_images_and_target(tmp_path, draw):
    names = mcyt_names([4, 9])
    draw(tmp_path, names)
    bad = [tmp_path / "0004" / "0004v02.bmp", tmp_path / "0009" / "0009f14.bmp"]
    bad[0].write_bytes(b"")
    bad[1].write_bytes(b"no image at all")
    bunch, (_, unreadable) = messages(load_mcyt75, tmp_path, on_error="skip")
    assert "unreadable, left out (2): 0004/0004v02.bmp, 0009/0009f14.bmp" in unreadable
    assert bunch.skipped == [str(path) for path in bad]
    assert relative(bunch, tmp_path) == [name for name in names if "4v02" not in name and "9f14" not in name]
    assert counts(bunch) == {("4", "0"): 14, ("4", "1"): 15, ("9", "0"): 15, ("9", "1"): 14}


def test_raise_opens_no_file(tmp_path, draw):
    draw(tmp_path, mcyt_names([4]))
    (tmp_path / "0004" / "0004v02.bmp").write_bytes(b"")
    bunch, notes = messages(load_mcyt75, tmp_path, on_error="raise")
    assert len(bunch.images) == 30
    assert bunch.skipped == []
    assert len(notes) == 1


def test_skip_with_nothing_left_is_an_error(tmp_path):
    (tmp_path / "a001_01.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"none of the 1 scans can be read. The first error: .*a001_01\.jpg"):
        load_puc_pr(tmp_path, on_error="skip")


def test_an_unknown_on_error_is_refused(tmp_path, draw):
    draw(tmp_path, cedar_names([1]))
    with pytest.raises(ValueError, match="on_error must be 'raise' or 'skip', got 'ignore'"):
        load_cedar(tmp_path, on_error="ignore")


def test_real_cedar(shared_data):
    with pytest.warns(UserWarning, match="34 of the 55 writers of CEDAR are absent"):
        bunch = load_cedar(shared_data / "CEDAR")
    assert len(bunch.images) == 1008
    assert np.unique(bunch.target[:, 0]).tolist() == [*range(1, 21), 29]
    assert os.path.basename(bunch.images[-1]) == "forgeries_29_24.png"


def test_real_bhsig260(shared_data):
    with pytest.warns(UserWarning, match="80 of the 260 writers of BHSig260 are absent: H-081"):
        bunch = load_bhsig260(shared_data / "BHSig260")
    assert len(bunch.images) == 9720
    marks = r"small marks far from the signature in 1 of 216 scans: .*B-S-073-G-13\.tif"
    with pytest.warns(UserWarning, match=marks) as caught:
        SignaturePreprocessor(canvas_size=bunch.canvas_size).fit_transform(bunch.images[30::45])
    # No ink is larger than the canvas, or cut off.
    assert len(caught) == 1
    # All Bengali writers are present, so there is no warning.
    assert len(load_bhsig260(shared_data / "BHSig260", "bengali").images) == 5400
