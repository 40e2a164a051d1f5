"""Scans that are contents of files, open files, or a column of a table."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sigkit.datasets import audit, make_signatures
from sigkit.imaging import ImageError, PreprocessingDisplay, check_scans, find_copies, list_pages, read_image
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor

CANVAS = {"canvas_size": (765, 1089), "image_size": (40, 57)}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    scans, _ = make_signatures(n_writers=2, n_genuine=3, n_skilled=0, random_state=0)
    folder, found = tmp_path_factory.mktemp("scans"), []
    for number, scan in enumerate(scans):
        found.append(str(folder / f"{number}.png"))
        Image.fromarray(scan).save(found[-1])
    return found


@pytest.fixture(scope="module")
def contents(paths):
    found = []
    for path in paths:
        with open(path, "rb") as file:
            found.append(file.read())
    return found


def test_all_forms_give_the_same_images(paths, contents, tmp_path):
    expected = SignaturePreprocessor(**CANVAS).fit_transform(paths)
    table = pd.DataFrame({"path": paths, "writer": 1})
    forms = {
        "bytes": contents,
        "bytearray": [bytearray(content) for content in contents],
        "objects": np.array([*contents, None], dtype=object)[:-1],
        "files": [io.BytesIO(content) for content in contents],
        "series": table["path"],
        "string series": table["path"].astype("string"),
        "one column": table[["path"]],
        "column of strings": np.array(paths)[:, None],
    }
    for name, X in forms.items():
        # Fitting and transforming read an open file twice.
        images = SignaturePreprocessor(**CANVAS, memory=tmp_path / name).fit(X).transform(X)
        assert np.array_equal(images, expected), name
    with open(paths[0], "rb") as file:
        assert np.array_equal(read_image(file), read_image(paths[0]))
    found = check_scans([contents[0], io.BytesIO(contents[0]), paths[0]])
    assert found["name"].tolist() == ["0", "1", paths[0]]
    assert len(set(found["ink_share"])) == 1
    assert not PreprocessingDisplay.from_scan(io.BytesIO(contents[0])).traces[0].error


def test_errors_name_the_scan(paths, contents):
    def message(X):
        with pytest.raises(ValueError, match=r".") as raised:
            SignaturePreprocessor(**CANVAS).fit_transform(X)
        return str(raised.value)

    assert "scan 1 of X" in message([contents[0], contents[1][:100]])
    assert "scan 1 of X: the file is empty" in message([contents[0], io.BytesIO()])
    assert 'scan 0 of X: the file is open as text. Open it with "rb"' in message([io.StringIO("text")])
    closed = io.BytesIO(contents[0])
    closed.close()
    assert "scan 0 of X: the file cannot be read" in message([closed])
    assert message(io.BytesIO(contents[0])) == "X is a single open file; pass a list."
    assert "scan 1 of X is None: did reading it fail?" in message([paths[0], None])
    assert "scan 1 of X is nan" in message(pd.Series([paths[0], np.nan], dtype=object))
    assert "table of 2 columns" in message(pd.DataFrame({"path": paths, "writer": "ada"}))
    assert "loses zeros at their end" in message(np.array(contents))
    with pytest.raises(ImageError, match="open as text"):
        read_image(io.StringIO("text"))
    assert "scan 1 of X is <NA>" in message([paths[0], pd.NA])
    with pytest.raises(ImageError, match=r"queries\[0\]: .*empty"):
        find_copies([io.BytesIO()], paths)
    with pytest.raises(ValueError, match=r"image 1: the file is open as text"):
        audit([contents[0], io.StringIO("text")], [1, 1])


def test_splits_know_copies_of_contents(paths, contents):
    y = np.repeat([1, 2], 3)
    split = WriterSplit(n_references=1, n_queries=1, n_splits=2, random_state=0)
    expected = [(train.tolist(), test.tolist()) for train, test in split.split([*paths, paths[0]], [*y, 1])]
    for X in ([*contents, contents[0]], [io.BytesIO(content) for content in [*contents, contents[0]]]):
        assert [(train.tolist(), test.tolist()) for train, test in split.split(X, [*y, 1])] == expected


def test_pages_of_a_content(paths):
    sheets, file = [Image.open(path) for path in paths[:2]], io.BytesIO()
    sheets[0].save(file, "TIFF", save_all=True, append_images=sheets[1:])
    assert list_pages(file) == list_pages(file.getvalue()) == [0, 1]
    np.testing.assert_array_equal(read_image(file, page=1), read_image(paths[1]))


def test_resolutions_of_contents_are_compared(paths):
    scans = []
    for dpi in (300, 300, 300, 200):
        scans.append(io.BytesIO())
        Image.open(paths[0]).save(scans[-1], "PNG", dpi=(dpi, dpi))
    with pytest.warns(UserWarning, match=r"resolution in the file other than .*: scan 3 of X \(200 dpi\)"):
        SignaturePreprocessor(**CANVAS).fit_transform(scans)


def test_copies_and_audits_of_contents(paths, contents):
    [of_file, none] = find_copies([io.BytesIO(contents[2]), contents[5]], contents[:3])
    assert (of_file.reference, of_file.level, none) == (2, "file", None)
    y = np.repeat([1, 2], 3)
    expected = audit(paths, y, n_bootstraps=0).columns
    forms = [*contents[:3], io.BytesIO(contents[3]), *contents[4:]]
    found = audit([*forms, b"", contents[0][:100]], [*y, 2, 2], n_bootstraps=0).columns
    for column in ("file_size", "ink_share", "mean_gray"):
        np.testing.assert_array_equal(found[column][:6], expected[column], err_msg=column)
    assert [bool(error) for error in found["error"]] == [False] * 6 + [True] * 2
