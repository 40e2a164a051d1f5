"""Folders in the usual layouts, without a pattern."""

import os
from pathlib import Path

import pytest

from sigkit.datasets import load_cedar, load_folder

BOTH = [["1", 0], ["1", 1], ["2", 0], ["2", 1]]


def read(folder, **settings):
    """Return the rows that are found, without repetitions and with ids as strings, and the Bunch."""
    bunch = load_folder(folder, **settings)
    rows = dict.fromkeys((str(writer), int(forgery)) for writer, forgery in bunch.target)
    return [list(row) for row in rows], bunch


def fill(draw, folder, *templates, numbers=(1, 2)):
    """Save scans of two writers under names made of templates."""
    draw(folder, [template.format(w=w, n=n) for template in templates for w in (1, 2) for n in numbers])


LAYOUTS = {
    "beside each other": ["00{w}/{n}.png", "00{w}_forg/{n}.png"],
    "SigComp2011": ["00{w}/00{w}_{n:02d}.PNG", "00{w}_forg/01190{w}_{n}.png"],
    "both with a word": ["{w}-genuine/{n}.png", "{w}-forged/{n}.png"],
    "word before the person": ["org_{w}/{n}.png", "forg_{w}/{n}.png"],
    "words and fillers": ["{w} genuine signatures/{n}.png", "{w} Forged Signatures/{n}.png"],
    "kind above": ["genuine/{w}/{n}.png", "forged/{w}/{n}.png"],
    "kind above, with fillers": ["full_org/{w}/{n}.png", "full_forg/{w}/{n}.png"],
    "kind below": ["{w}/real/{n}.png", "{w}/fake/{n}.png"],
    "forgeries below": ["{w}/{n}.png", "{w}/forgeries/{n}.png"],
    "letters above": ["G/{w}/{n}.png", "F/{w}/{n}.png"],
    "letters below": ["{w}/o/{n}.png", "{w}/f/{n}.png"],
    "letters in folder names": ["{w}_g/{n}.png", "{w}_f/{n}.png"],
    "letters in front of folder names": ["g{w}/{n}.png", "f{w}/{n}.png"],
    "letters in file names": ["{w}/g{n}.tif", "{w}/f{n}.tif"],
    "letters after the number": ["{w}/{n}g.png", "{w}/{n}f.png"],
    "letters of other corpora": ["{w}/v{n}.png", "{w}/f{n}.png"],
    "words in file names": ["{w}/genuine{n}.png", "{w}/forged{n}.png"],
    "words in capitals": ["{w}/{n}_ORG.png", "{w}/{n}_FORG.png"],
    "forgeries named": ["{w}/{n}.png", "{w}/forg{n}.png"],
    "words twice": ["genuine/{w}/original_{n}.png", "forged/{w}/forgery_{n}.png"],
    "the writer in file names": ["genuine/{w}/{w}_{n}.png", "forged/{w}/{w}_{n}.png"],
    "train and test": ["train/{w}/genuine/{n}.png", "test/{w}/forged/{n}.png"],
    "a marked writer": ["writer{w}_{n}_genuine.png", "writer{w}_{n}_forged.png"],
    "CEDAR": ["full_org/original_{w}_{n}.png", "full_forg/forgeries_{w}_{n}.png"],
    "CEDAR in one folder": ["original_{w}_{n}.png", "forgeries_{w}_{n}.png"],
    "CEDAR converted": ["{w}/original_{w}_{n}.jpg", "{w}/forgeries_{w}_{n}.jpg"],
    "GPDS": ["c-00{w}-0{n}.png", "cf-00{w}-0{n}.png"],
    "MCYT": ["000{w}v0{n}.bmp", "000{w}f0{n}.bmp"],
}


@pytest.mark.parametrize("templates", LAYOUTS.values(), ids=LAYOUTS)
def test_usual_layouts(tmp_path, draw, templates):
    fill(draw, tmp_path, *templates)
    rows, bunch = read(tmp_path)
    assert [[str(int(writer)), forgery] for writer, forgery in rows] == BOTH
    assert len(bunch.images) == 8
    assert list(bunch.counts.values()) == [{"genuine": 2, "skilled": 2}] * 2
    assert "2 writers: 4 genuine, 4 skilled." in bunch.DESCR
    assert "2 writers have 2 genuine, 2 skilled: " in bunch.DESCR
    # The kind that is read is that of the file, not just of as many files.
    for path, forgery in zip(bunch.images, bunch.target[:, 1]):
        name = os.path.relpath(path, tmp_path)
        template = next(template for template in templates if name in possible(template))
        assert forgery == templates.index(template)


def possible(template):
    return {os.path.normpath(template.format(w=w, n=n)) for w in (1, 2) for n in (1, 2)}


@pytest.mark.parametrize(
    "template", ["ada{w}/{n}.png", "ada{w}/ada{w} {n}.png", "ada{w}/scan_{n}.jpeg", "ada{w}/IMG {n}.png"]
)
def test_a_folder_a_person(tmp_path, draw, template):
    fill(draw, tmp_path, template)
    rows, bunch = read(tmp_path)
    assert rows == [["ada1", 0], ["ada2", 0]]
    assert "all are genuine, because no name says a kind" in bunch.DESCR


def test_one_person(tmp_path, draw):
    draw(tmp_path, ["ada/1.png", "ada/2.png"])
    assert read(tmp_path)[0] == [["ada", 0]]


def test_names_in_one_folder(tmp_path, draw):
    draw(tmp_path, [f"{writer}_{kind}_{n}.png" for writer in ("ada", "bob") for kind in "gf" for n in (1, 2)])
    assert read(tmp_path)[0] == [["ada", 0], ["ada", 1], ["bob", 0], ["bob", 1]]


def test_bhsig_names_anywhere(tmp_path, draw):
    draw(tmp_path, [f"{script}-S-001-{kind}-{n:02d}.tif" for script in "BH" for kind in "GF" for n in (1, 2)])
    assert read(tmp_path)[0] == [["B-001", 0], ["B-001", 1], ["H-001", 0], ["H-001", 1]]
    assert "File names as in BHSig260" in load_folder(tmp_path).DESCR


def test_simple_and_skilled_forgeries(tmp_path, draw):
    fill(draw, tmp_path, "{w}/genuine/{n}.png", "{w}/skilled forgery/{n}.png", "{w}/simple forgery/{n}.png")
    assert read(tmp_path)[0] == [[writer, kind] for writer in ("1", "2") for kind in (0, 1, 2)]


def test_own_words(tmp_path, draw):
    fill(draw, tmp_path, "{w}/echt/{n}.png", "{w}/falsch/{n}.png")
    assert read(tmp_path, kinds={"Echt": 0, "falsch": 1})[0] == BOTH
    fill(draw, tmp_path / "other", "{w}/{n}.png", "{w}/x{n}.png")
    assert read(tmp_path / "other", kinds={"": 0, "x": 1})[0] == BOTH


UNCLEAR = {
    "groups of names": (
        ["{w}/a{n}.png", "{w}/b{n}.png"],
        r"form groups .* 'a', 'b' .*kinds=\{'a': \.{3}, 'b': \.{3}\}, where",
    ),
    "a letter and none": (["{w}/{n}.png", "{w}/f{n}.png"], r"form groups .* '', 'f' "),
    "an unknown letter": (["{w}/{n}.png", "{w}/x{n}.png"], r"form groups .*pattern.*'\{writer\}/\*' if all"),
    "two numbers": (["{w}_{n}.png"], r"either number can be the writer"),
    "two numbers and a kind": (["g_{w}_{n}.png", "f_{w}_{n}.png"], "either number can be the writer"),
    "numbers only": (["{w}{n}.png"], "no name has the writer"),
    "a kind and a number": (["g{n}.tif", "f{n}.tif"], "no name has the writer"),
    "folders of kinds only": (["genuine/{n}.png", "forged/{n}.png"], "no name has the writer"),
    "two levels": (["Dutch/{w}/{n}.png"], r"any of several folders .*'\{writer\}/\*/\*', '\*/\{writer\}/\*'"),
    "sessions": (["{w}/monday/{n}.png", "{w}/tuesday/{n}.png"], "any of several folders"),
    "other depths": (["{w}/{n}.png", "{w}/disguised/{n}.png"], r"any of several folders \(1/1.png, 1/disguised/1.png"),
    "an unknown ending": (["{w}/{n}.png", "{w}_a/{n}.png"], "an ending that several folders have: '1' and '1_a'"),
    "one with a letter": (["{w}/{n}.png", "{w}_f/{n}.png"], "a word or letter of the kind only: '1' and '1_f'"),
    "zeros": (["genuine/00{w}/{n}.png", "forged/{w}/{n}.png"], "zeros only: '001' and '1'"),
    "accents": (["genuine/Zoe\u0308{w}/{n}.png", "forged/Zo\xeb{w}/{n}.png"], "signs, .* only: 'Zo"),
    "digits": (["genuine/{w}/{n}.png", "forged/\u0661/{n}.png", "forged/\u0662/{n}.png"], "only: '1' and '\u0661'"),
    "signs": (["genuine/ada {w}/{n}.png", "forged/ada {w}./{n}.png"], "only: 'ada 1' and 'ada 1.'"),
    "parts of a corpus": (
        ["dataset{w}/real/{n}.png", "dataset{w}/forge/{n}.png"],
        "parts of a corpus instead of writers",
    ),
    "case": (["genuine/Ada{w}/{n}.png", "forged/ada{w}/{n}.png"], "'Ada1' and 'ada1'"),
    "genuine and nothing": (["{w}/genuine/{n}.png", "{w}/{n}.png"], "others none: 1/1.png"),
    "contradicting words": (["genuine/{w}/forged_{n}.png"], "contradict each other about the kind: genuine/1/forged_1"),
    "contradicting words in one name": (["{w}/real_fake_{n}.png"], "contradict each other"),
    "CEDAR in the wrong folder": (["fake/original_{w}_{n}.png"], "contradict each other"),
}


@pytest.mark.parametrize(("templates", "problem"), UNCLEAR.values(), ids=UNCLEAR)
def test_nothing_is_guessed(tmp_path, draw, templates, problem):
    fill(draw, tmp_path, *templates, numbers=(1, 2, 3))
    with pytest.raises(ValueError, match=rf"layout is not clear: .*{problem}") as error:
        load_folder(tmp_path)
    assert "images. Say by a pattern where" in str(error.value)
    assert "load_csv" in str(error.value)


def test_digits_of_other_scripts_are_writers(tmp_path, draw):
    draw(tmp_path, ["\u0967/1.png", "\u0968/1.png"])
    assert read(tmp_path)[0] == [["\u0967", 0], ["\u0968", 0]]


def test_a_link_to_a_folder_above_is_no_folder(tmp_path, draw):
    draw(tmp_path, ["ada/1.png", "bob/1.png"])
    (tmp_path / "ada" / "all").symlink_to(tmp_path)
    with pytest.warns(UserWarning, match=r"left out \(1\): ada/all/"):
        assert read(tmp_path)[0] == [["ada", 0], ["bob", 0]]
    (tmp_path / "ada" / "all").unlink()
    (tmp_path / "cy").symlink_to(tmp_path / "bob")
    assert read(os.fsencode(tmp_path))[0] == [["ada", 0], ["bob", 0], ["cy", 0]]


def test_other_files_are_left_out(tmp_path, draw):
    draw(tmp_path, ["ada/1.png", "bob/1.png"])
    (tmp_path / "readme.txt").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "ada" / "Thumbs.db").touch()
    with pytest.warns(UserWarning, match=r"no images by their suffix, left out \(1\): readme\.txt"):
        assert read(tmp_path)[0] == [["ada", 0], ["bob", 0]]


def test_no_image(tmp_path):
    (tmp_path / "readme.txt").touch()
    with pytest.raises(ValueError, match=r"no image\..*found readme\.txt"):
        load_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        load_folder(tmp_path / "nowhere")


def test_writers_with_forgeries_only_are_named(tmp_path, draw):
    draw(tmp_path, ["1/1.png", "1_forg/1.png", "2_forg/1.png"])
    with pytest.warns(UserWarning, match="forgeries but no genuine signature of 1 writers: 2"):
        assert read(tmp_path)[0] == [["1", 0], ["1", 1], ["2", 1]]


def test_unreadable_files_are_not_counted(tmp_path, draw):
    draw(tmp_path, ["ada/1.png", "ada/2.png"])
    (tmp_path / "ada" / "2.png").write_bytes(b"\x89PNG")
    with pytest.warns(UserWarning, match="unreadable"):
        assert read(tmp_path, on_error="skip")[1].counts == {"ada": {"genuine": 1}}


def test_real_corpora(shared_data):
    cedar = load_folder(shared_data / "CEDAR")
    with pytest.warns(UserWarning, match="of CEDAR are absent"):
        expected = load_cedar(shared_data / "CEDAR")
    assert cedar.target.tolist() == expected.target.tolist()
    assert [*map(Path, cedar.images)] == [*map(Path, expected.images)]
    dutch = load_folder(shared_data / "SigComp2011" / "Dutch")
    assert dutch.counts[1] == {"genuine": 24, "skilled": 8}
    assert sorted(dutch.counts) == [1, 2, 3, 4, 6]
    hindi = load_folder(shared_data / "BHSig260" / "Hindi")
    assert len(hindi.counts) == 80
    assert hindi.counts["H-001"] == {"genuine": 24, "skilled": 30}
