import numpy as np
import pytest
from PIL import Image

from sigkit.datasets import make_signatures
from sigkit.imaging import ImageError, check_scans, list_pages
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor

CANVAS = (510, 726)


@pytest.fixture(scope="module")
def scans():
    return make_signatures(n_writers=1, n_genuine=4, n_skilled=0, random_state=0)[0]


@pytest.fixture
def path(scans, tmp_path):
    pages = [Image.fromarray(scan) for scan in scans]
    pages[0].save(tmp_path / "ada.tif", save_all=True, append_images=pages[1:])
    return str(tmp_path / "ada.tif")


@pytest.mark.parametrize("canvas_size", [CANVAS, "max"])
@pytest.mark.parametrize("background", ["otsu", "photo"])
def test_pages_are_scans(scans, path, canvas_size, background):
    preprocess = SignaturePreprocessor(canvas_size=canvas_size, background=background)
    expected = preprocess.fit_transform(list(scans))
    assert np.array_equal(preprocess.fit_transform(list_pages(path)), expected)
    assert np.array_equal(preprocess.fit(list_pages(path)).transform(np.array(list_pages(path))), expected)


def test_a_file_of_several_pages_is_no_scan(path):
    preprocess = SignaturePreprocessor(canvas_size=CANVAS)
    with pytest.raises(ImageError, match=r"ada\.tif: has 4 pages.*list_pages"):
        preprocess.fit_transform([path])
    with pytest.raises(ImageError, match=r"ada\.tif\[4\]: has no page 4"):
        preprocess.fit_transform([f"{path}[4]", f"{path}[0]"])


@pytest.mark.parametrize("canvas_size", [CANVAS, "max"])
def test_the_cache_tells_pages_apart(scans, path, tmp_path, canvas_size):
    preprocess = SignaturePreprocessor(canvas_size=canvas_size, memory=tmp_path / "cache")
    expected = SignaturePreprocessor(canvas_size=canvas_size).fit_transform(list(scans))
    for _ in range(2):
        assert np.array_equal(preprocess.fit_transform(list_pages(path)), expected)


def test_the_quality_of_pages(path):
    table = check_scans(list_pages(path))
    assert table["name"].tolist() == list_pages(path)
    assert table["problems"].tolist() == [""] * 4
    assert check_scans([path])["problems"].tolist() == ["unreadable"]


def test_pages_of_a_file_are_distinct_images(path):
    pages = np.array(list_pages(path))
    splitter = WriterSplit(n_references=2, n_queries=2, n_splits=3, random_state=0)
    for references, queries in splitter.split(pages, np.zeros(4, dtype=int)):
        assert len(references) == len(queries) == 2
        assert not set(references) & set(queries)
