"""Tables of paths and labels."""

import os

import numpy as np
import pytest

from sigkit.datasets import load_csv


@pytest.fixture
def table(tmp_path, draw):
    """Return a function that saves a table beside the scans a/1.png, a/2.png and b/1.png."""
    draw(tmp_path, ["a/1.png", "a/2.png", "b/1.png"])

    def save(text, name="labels.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return save


@pytest.mark.parametrize(
    "text",
    [
        "path,writer,forgery\nb/1.png,7,0\na/1.png,3,1\na/2.png,3,0\n",
        "File Name;Writer ID;Kind\r\nb/1.png;7;genuine\r\na/1.png;3;FORGED\r\na/2.png;3;original\r\n",
        "image\tuser\tlabel\nb/1.png\t7\treal\na/1.png\t3\tfake\na/2.png\t3\treal\n",
        "genuine,path,signer,page\n1,b/1.png,007,x\n0,a/1.png,003,\n1,a/2.png,003,z\n",
        "path,writer,is_forgery\nb/1.png,7,False\na/1.png,3,true\n\n,,\na/2.png,3,no\n",
        '\ufeffpath,writer,kind\n"b/1.png",7,g\na\\1.png,3,f\n"a/2.png", 3 ,g\n',
    ],
)
def test_usual_tables(table, tmp_path, text):
    bunch = load_csv(table(text))
    assert [os.path.relpath(path, tmp_path) for path in bunch.images] == ["b/1.png", "a/1.png", "a/2.png"]
    np.testing.assert_array_equal(bunch.target, [[7, 0], [3, 1], [3, 0]])
    assert bunch.counts == {7: {"genuine": 1}, 3: {"genuine": 1, "skilled": 1}}
    assert "2 writers: 2 genuine, 1 skilled." in bunch.DESCR


def test_columns_and_kinds(table):
    path = table("datei,person nr,art,tag\na/1.png,ada,E,1\nb/1.png,bob,x,2\n")
    columns = {"path": "datei", "writer": "person nr", "forgery": "art"}
    assert load_csv(path, columns=columns, kinds={"e": 0, "X": 2}).target.tolist() == [["ada", 0], ["bob", 2]]
    del columns["forgery"]
    assert load_csv(path, columns=columns).target[:, 1].tolist() == [0, 0]
    with pytest.raises(ValueError, match="kinds is given, but there is no column"):
        load_csv(path, columns=columns, kinds={"E": 0})
    with pytest.raises(ValueError, match=r"no column 'nummer'; there are 'datei', 'person nr'"):
        load_csv(path, columns=columns | {"writer": "nummer"})
    with pytest.raises(ValueError, match="columns must be a dict"):
        load_csv(path, columns={"path": "datei"})

    with pytest.raises(ValueError, match="a column for each key"):
        load_csv(path, columns={"path": "datei", "writer": "datei"})


def test_ids_of_one_person_are_warned_about(table):
    for first, other in (("001", "001_forg"), ("Ada", "ada"), ("1", "01")):
        with pytest.warns(UserWarning, match=rf"look like one person: '{first}' and '{other}'|'{other}' and '{first}'"):
            load_csv(table(f"path,writer\na/1.png,{first}\nb/1.png,{other}\n"))


def test_lines_end_where_the_table_says(table):
    writers = load_csv(table("path,writer\na/1.png,a\u2028b\nb/1.png,c\x0cd\n")).target[:, 0]
    assert writers.tolist() == ["a\u2028b", "c\x0cd"]


def test_all_genuine(table):
    assert load_csv(table("path,writer\na/1.png,ada\n")).target.tolist() == [["ada", 0]]


def test_another_folder(table, tmp_path):
    path = table("path,writer\n1.png,ada\n")
    assert load_csv(path, folder=tmp_path / "a").images.tolist() == [str(tmp_path / "a" / "1.png")]
    absolute = table(f"path,writer\n{tmp_path / 'b' / '1.png'},ada\n")
    assert load_csv(absolute).images.tolist() == [str(tmp_path / "b" / "1.png")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("path,writer,label\na/1.png,ada,1\n", r"line 2: '1' in the column 'label' can mean genuine or forged"),
        ("path,writer,y\na/1.png,ada,0\n", "can mean genuine or forged"),
        ("path,writer,kind\na/1.png,ada,3\n", "'3' in the column 'kind' is unknown"),
        ("path,writer,kind\na/1.png,ada,True\n", "'True' in the column 'kind' can mean genuine or forged"),
        ("path,writer,genuine\na/1.png,ada,2\n", "'2' in the column 'genuine' is unknown"),
        ("path,writer,day\na/1.png,ada,1\n", r"no column is named like a kind .*: 'day'"),
        ("path,page\na/1.png,1\n", r"no column is named like a writer \(writer, .* has 'path', 'page'"),
        ("a/1.png,ada\na/2.png,ada\n", "The header, its first line, has 'a/1.png', 'ada'"),
        ("path,image,writer\na/1.png,x,ada\n", "several columns can be the path: 'path', 'image'"),
        ("path,writer,kind,label\na/1.png,ada,0,0\n", "several columns can be the forgery"),
        ("path,path,writer\n", "two columns have the same name"),
        ("path,writer\na/1.png\n", "line 2: 1 cells, but the header has 2"),
        ("path,writer\na/1.png,ada\na/2.png, \n", "line 3: the column 'writer' is empty"),
        ("path,writer\na/1.png,ada\na/1.png,bob\n", "1 paths occur more than once: .*a/1.png"),
        ("path,writer\na/1.png,ada\nb/../a/1.png,bob\n", "1 paths occur more than once: .*a/1.png"),
        ("path,writer\na/1.png,ada\nc.png,ada\n", r"1 of 2 files do not exist: .*c\.png.*parameter folder"),
        ('path,writer\n"a/1.png,ada\n', "not a valid line"),
        ("path,writer\n", "no line after the header"),
        ("", "an empty file"),
    ],
)
def test_unclear_tables_are_refused(table, text, problem):
    with pytest.raises(ValueError, match=f"labels.csv.*{problem}"):
        load_csv(table(text))


def test_other_encodings_are_refused(table):
    with pytest.raises(ValueError, match="not UTF-8"):
        load_csv(table("path,writer\na/1.png,Zoë\n", encoding="latin-1"))


def test_the_table_must_be_a_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_csv(tmp_path / "nothing.csv")
    with pytest.raises(OSError, match="is a folder, not a file"):
        load_csv(tmp_path)


def test_skip(table, tmp_path):
    (tmp_path / "a" / "2.png").write_bytes(b"nothing")
    path = table("path,writer\na/1.png,ada\na/2.png,ada\nc.png,ada\n")
    with pytest.warns(UserWarning, match="left out") as caught:
        bunch = load_csv(path, on_error="skip")
    assert [str(entry.message).partition(": ")[2].partition(" (")[0] for entry in caught] == [
        "files that do not exist, left out",
        "unreadable, left out",
    ]
    assert bunch.images.tolist() == [str(tmp_path / "a" / "1.png")]
    assert sorted(bunch.skipped) == [str(tmp_path / "a" / "2.png"), str(tmp_path / "c.png")]


@pytest.mark.parametrize("name", ["scans/ada.tif", "scans\\ada.tif"])
def test_pages_of_a_file(table, tmp_path, name):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "ada.tif").write_bytes(b"")
    bunch = load_csv(table(f"path,writer\n{name}[0],ada\n{name}[1],ada\nb/1.png,eve\n"))
    path = os.path.join(tmp_path, "scans", "ada.tif")
    assert bunch.images[:2].tolist() == [f"{path}[0]", f"{path}[1]"]
    with pytest.raises(ValueError, match=r"1 of 2 files do not exist: .*nowhere\.tif\[0\]"):
        load_csv(table("path,writer\nnowhere.tif[0],ada\nb/1.png,ada\n"))
