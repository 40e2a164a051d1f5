"""Folders with any naming pattern."""

import os

import numpy as np
import pytest
from PIL import Image

from sigkit.datasets import load_folder


def relative(bunch, folder):
    return [os.path.relpath(path, folder).replace(os.sep, "/") for path in bunch.images]


def test_folders_of_writers(tmp_path, draw):
    draw(tmp_path, ["10/genuine_1.png", "2/genuine_10.png", "2/genuine_2.png", "2/Forged_1.PNG", "2/simple_a.png"])
    bunch = load_folder(tmp_path, "{writer}/{kind}_*.png")
    assert relative(bunch, tmp_path) == [
        "2/genuine_2.png", "2/genuine_10.png", "2/Forged_1.PNG", "2/simple_a.png", "10/genuine_1.png",
    ]  # fmt: skip
    np.testing.assert_array_equal(bunch.target, [[2, 0], [2, 0], [2, 1], [2, 2], [10, 0]])
    assert bunch.target.dtype == np.int64
    assert bunch.canvas_size == "max"
    assert bunch.skipped == []
    assert "2 writers: 3 genuine, 1 skilled, 1 simple." in bunch.DESCR
    assert bunch.counts == {2: {"genuine": 2, "skilled": 1, "simple": 1}, 10: {"genuine": 1}}


def test_everything_in_the_file_name(tmp_path, draw):
    draw(tmp_path, ["G-ada-1.tif", "F-ada-1.tif", "G-bob-1.tif"])
    bunch = load_folder(tmp_path, "{kind}-{writer}-*.tif", canvas_size=[100, 200])
    assert bunch.target.tolist() == [["ada", 0], ["ada", 1], ["bob", 0]]
    assert bunch.target.dtype == object
    assert bunch.canvas_size == (100, 200)


def test_a_link_to_itself_is_read_as_a_scan(tmp_path, draw):
    draw(tmp_path, ["ada/1.png", "ada/2.png"])
    (tmp_path / "ada" / "3.png").symlink_to("3.png")
    bunch = load_folder(tmp_path, "{writer}/*.png")
    assert relative(bunch, tmp_path) == ["ada/1.png", "ada/2.png", "ada/3.png"]
    with pytest.warns(UserWarning, match=r"unreadable, left out \(1\): ada/3\.png"):
        bunch = load_folder(tmp_path, "{writer}/*.png", on_error="skip")
    assert relative(bunch, tmp_path) == ["ada/1.png", "ada/2.png"]


def test_without_kind_all_are_genuine(tmp_path, draw):
    draw(tmp_path, ["1.png", "2.png"])
    assert load_folder(tmp_path, "{writer}.png").target.tolist() == [[1, 0], [2, 0]]


def test_nested_folders_and_a_repeated_placeholder(tmp_path, draw):
    draw(tmp_path, ["ada/day 1/org/ada_1.png", "ada/day 2/org/ada_1.png", "bob/day 1/forg/bob_7.png"])
    bunch = load_folder(tmp_path, "{writer}/day */{kind}/{writer}_*.png")
    assert bunch.target.tolist() == [["ada", 0], ["ada", 0], ["bob", 1]]
    draw(tmp_path, ["ada/day 1/org/bob_1.png"])
    with pytest.warns(UserWarning, match=r"not named like .*, left out \(1\): ada/day 1/org/bob_1\.png"):
        assert len(load_folder(tmp_path, "{writer}/day */{kind}/{writer}_*.png").images) == 3


def test_an_asterisk_matches_within_one_folder(tmp_path, draw):
    draw(tmp_path, ["ada_1.png", "bob_x/1.png"])
    with pytest.warns(UserWarning, match=r"not named like .*: bob_x/\."):
        assert load_folder(tmp_path, "{writer}_*.png").target.tolist() == [["ada", 0]]


def test_special_characters_are_literal(tmp_path, draw):
    draw(tmp_path, ["[a+b](1).ada.png", "aab1xadaxpng.png"])
    with pytest.warns(UserWarning, match=r"aab1xadaxpng\.png"):
        bunch = load_folder(tmp_path, "[a+b](1).{writer}.png")
    assert bunch.target.tolist() == [["ada", 0]]


@pytest.mark.parametrize(
    ("names", "writers"),
    [
        (["1", "2", "10"], [1, 2, 10]),
        (["001", "010"], [1, 10]),
        (["01", "1"], ["01", "1"]),
        (["1", "x2"], ["1", "x2"]),
        (["w2", "w10"], ["w2", "w10"]),
        (["1", "²"], ["1", "²"]),
        (["1", "9" * 19], ["1", "9" * 19]),
    ],
)
def test_ids_become_integers_if_they_remain_distinct(tmp_path, draw, names, writers):
    draw(tmp_path, [f"{name}_1.png" for name in names])
    assert load_folder(tmp_path, "{writer}_*.png").target[:, 0].tolist() == writers


def test_kinds_replace_the_default_ones(tmp_path, draw):
    draw(tmp_path, ["1_echt.png", "1_FALSCH.png", "1_genuine.png"])
    kinds = {"Echt": 0, "falsch": 2}
    with pytest.warns(UserWarning, match="of unknown kind") as caught:
        bunch = load_folder(tmp_path, "{writer}_{kind}.png", kinds=kinds)
    assert bunch.target.tolist() == [[1, 0], [1, 2]]
    assert bunch.skipped == [str(tmp_path / "1_genuine.png")]
    (message,) = (str(entry.message) for entry in caught)
    assert "of unknown kind ('genuine'), left out (1): 1_genuine.png. Known kinds are 'echt', 'fal" in message
    assert caught[0].filename == __file__


def test_only_unknown_kinds_are_an_error(tmp_path, draw):
    draw(tmp_path, ["1_echt.png"])
    with pytest.raises(ValueError, match=r"every file .* is of unknown kind: 'echt'\. Known kinds are 'genuine'"):
        load_folder(tmp_path, "{writer}_{kind}.png")


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("{kind}_*.png", r"has no \{writer\}"),
        ("{writer}_{number}.png", r"unknown placeholder \{number\}"),
        ("{writer}_{}.png", r"unknown placeholder \{\}"),
        ("{writer_*.png", "single brace"),
        ("{writer}{kind}.png", "two adjacent placeholders"),
        ("{writer}*.png", "two adjacent placeholders"),
        ("**/{writer}.png", "two adjacent placeholders"),
        ("{writer}{writer}.png", "two adjacent placeholders"),
        (b"{writer}.png", "pattern must be a str"),
    ],
)
def test_invalid_patterns_are_refused(tmp_path, pattern, problem):
    with pytest.raises(ValueError, match=problem):
        load_folder(tmp_path, pattern)


@pytest.mark.parametrize(
    ("pattern", "kinds", "problem"),
    [
        ("{writer}_{kind}.png", {"x": 3}, r"kinds\['x'\] must be 0"),
        ("{writer}_{kind}.png", {"x": 0, "X": 1}, "twice, in upper and lower case"),
        ("{writer}.png", {"x": 0}, r"no \{kind\}"),
    ],
)
def test_invalid_kinds_are_refused(tmp_path, pattern, kinds, problem):
    with pytest.raises(ValueError, match=problem):
        load_folder(tmp_path, pattern, kinds=kinds)


@pytest.mark.parametrize("canvas_size", ["min", 100, (100,), (0, 100), None])
def test_invalid_canvas_sizes_are_refused(tmp_path, canvas_size):
    with pytest.raises(ValueError, match="canvas_size must be 'max' or"):
        load_folder(tmp_path, "{writer}.png", canvas_size=canvas_size)


def test_no_file_matches(tmp_path, draw):
    draw(tmp_path, ["ada/1.jpg"])
    with pytest.raises(ValueError, match=r"no file of the pattern \{writer\}/\*\.png.*found ada/"):
        load_folder(tmp_path, "{writer}/*.png")
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        load_folder(tmp_path / "nowhere", "{writer}/*.png")


def test_skip(tmp_path, draw):
    draw(tmp_path, ["ada_1.png", "bob_1.png"])
    (tmp_path / "ada_2.png").write_bytes(b"\x89PNG")
    with pytest.warns(UserWarning, match=r"unreadable, left out \(1\): ada_2\.png"):
        bunch = load_folder(tmp_path, "{writer}_*.png", on_error="skip")
    assert bunch.target.tolist() == [["ada", 0], ["bob", 0]]
    assert bunch.skipped == [str(tmp_path / "ada_2.png")]
    with pytest.raises(ValueError, match="on_error must be"):
        load_folder(tmp_path, "{writer}_*.png", on_error=None)


@pytest.mark.parametrize("canvas_size", [(700.9, 2.2), "min", 5])
def test_canvas_sizes_are_whole_numbers(tmp_path, canvas_size):
    with pytest.raises(ValueError, match="canvas_size must be 'max' or"):
        load_folder(tmp_path, "{writer}.png", canvas_size=canvas_size)


@pytest.mark.parametrize("kinds", [["g"], {0: 0}])
def test_kinds_must_be_a_dict_of_strings(tmp_path, kinds):
    with pytest.raises(ValueError, match="kinds must be a dict from texts"):
        load_folder(tmp_path, "{writer}-{kind}.png", kinds=kinds)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are files on POSIX only")
def test_what_is_no_scan_is_skipped(tmp_path):
    for writer in ("ada", "bob"):
        (tmp_path / writer).mkdir()
        Image.new("L", (9, 9)).save(tmp_path / writer / "1.png")
    os.mkfifo(tmp_path / "ada" / "2.png")
    (tmp_path / "bob" / "2.png").symlink_to("/dev/zero")
    (tmp_path / "bob" / "3.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    (tmp_path / "bob" / "4.png").touch()
    os.truncate(tmp_path / "bob" / "4.png", 50 * 10**9)
    with pytest.warns(UserWarning, match=r"unreadable, left out \(4\): ada/2\.png, bob/2\.png, bob/3\.png, bob/4\.png"):
        bunch = load_folder(tmp_path, "{writer}/*", on_error="skip")
    assert [os.path.basename(path) for path in bunch.images] == ["1.png", "1.png"]


@pytest.mark.parametrize(
    ("pattern", "kinds", "names"),
    [
        ("{writer}{kind}/*", {"": 0, "_forg": 1}, ["001/1.png", "001_forg/1.png", "7/1.png"]),
        ("{writer}{kind}/*", {"": 0, "_FORG": 1}, ["001/1.png", "001_Forg/1.png", "7/1.png"]),
        ("{kind}{writer}_*", {"g": 0, "f": 1}, ["g1_1.png", "f1_1.png", "g7_1.png"]),
        ("{writer}/{kind}*", {"a": 0, "b": 1}, ["1/a1.png", "1/b1.png", "7/a1.png"]),
        ("{writer}/*{kind}.png", {"": 0, "f": 1}, ["1/x1.png", "1/x1f.png", "7/1.png"]),
        ("{writer}-{kind}.png", {"": 0, "x": 1}, ["1-.png", "1-x.png", "7-.png"]),
    ],
)
def test_kinds_directly_beside_other_placeholders(tmp_path, draw, pattern, kinds, names):
    draw(tmp_path, names)
    assert load_folder(tmp_path, pattern, kinds=kinds).target.tolist() == [[1, 0], [1, 1], [7, 0]]


def test_a_kind_of_one_letter_is_no_part_of_a_word(tmp_path, draw):
    draw(tmp_path, ["1/file1.png", "1/f1.png", "1/1.png"])
    bunch = load_folder(tmp_path, "{writer}/{kind}*", kinds={"": 0, "f": 1})
    assert relative(bunch, tmp_path) == ["1/1.png", "1/file1.png", "1/f1.png"]
    assert bunch.target[:, 1].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("pattern", "names", "problem"),
    [
        ("{writer}/*", ["001/1.png", "001_forg/1.png"], "'001' and '001_forg'"),
        ("{writer}/*", ["org_1/1.png", "forg_1/1.png"], "'forg_1' and 'org_1'"),
        ("{writer}/*", ["ada/1.png", "ADA (fake)/1.png"], r"'ADA \(fake\)' and 'ada'"),
        ("{writer}/*", ["1/1.png", "1f/1.png"], "'1' and '1f'"),
        ("{writer}-*.png", ["1_g-1.png", "1_f-1.png"], "'1_f' and '1_g'"),
        ("{writer}/*", ["genuine/1.png", "forged/1.png"], "'forged', 'genuine'"),
    ],
)
def test_a_pattern_that_makes_two_writers_of_one_is_warned_about(tmp_path, draw, pattern, names, problem):
    draw(tmp_path, names)
    with pytest.warns(UserWarning, match=rf"a word of the kind is a part of the writer's id \({problem}\)"):
        assert load_folder(tmp_path, pattern).target[:, 1].tolist() == [0, 0]


def test_initials_are_no_kinds(tmp_path, draw):
    writers = ["maria_f", "maria_g", "ada", "bob", "eve_s", "ida", "kim", "lea", "max"]
    draw(tmp_path, [f"{writer}/1.png" for writer in writers])
    assert set(load_folder(tmp_path, "{writer}/*").target[:, 0]) == set(writers)
    assert set(load_folder(tmp_path).target[:, 0]) == set(writers)


def test_a_pattern_that_finds_forgeries_only_is_warned_about(tmp_path, draw):
    draw(tmp_path, ["1_forg/1.png"])
    with pytest.warns(UserWarning, match="forgeries but no genuine signature of 1 writers: 1"):
        load_folder(tmp_path, "{writer}_{kind}/*")
