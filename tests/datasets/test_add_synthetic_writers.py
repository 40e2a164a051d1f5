"""Synthetic development writers beside one's own signatures."""

import sys

import numpy as np
import pytest
from PIL import Image

from sigkit.datasets import add_synthetic_writers, make_signatures
from sigkit.imaging import ImageError

SETTINGS = {"n_writers": 2, "n_genuine": 2, "n_skilled": 1, "random_state": 0}


@pytest.fixture(scope="module")
def scans():
    return make_signatures(n_writers=1, n_genuine=3, n_skilled=0, random_state=3, resolution=100)[0]


def test_own_signatures_come_first_and_ids_are_new(scans):
    known = add_synthetic_writers(scans, ["bob", "ada", "ada"], resolution=100, **SETTINGS)
    assert known.dev_writers == ["synthetic 1", "synthetic 2"]
    assert known.target[:3].tolist() == [["bob", 0], ["ada", 0], ["ada", 0]]
    assert known.target[3:, 0].tolist() == ["synthetic 1"] * 3 + ["synthetic 2"] * 3
    assert known.target[3:, 1].tolist() == [0, 0, 1] * 2
    assert all(one is other for one, other in zip(known.images, scans))
    numbers = add_synthetic_writers(scans, [[7, 0], [7, 1], [3, 0]], resolution=100, **SETTINGS)
    assert numbers.dev_writers == [8, 9]
    assert numbers.target[:, 0].tolist() == [7, 7, 3, 8, 8, 8, 9, 9, 9]
    assert numbers.target[:, 1].tolist() == [0, 1, 0, 0, 0, 1, 0, 0, 1]


def test_scans_are_of_the_kind_of_ones_own(scans, tmp_path):
    def drawn(images):
        return add_synthetic_writers(images, [1] * len(images), resolution=100, **SETTINGS).images[len(images) :]

    bilevel = [(255 * (scan > 128)).astype(np.uint8) for scan in scans]
    assert all(len(np.unique(scan)) == 2 for scan in drawn(bilevel))
    assert all(len(np.unique(scan)) > 2 for scan in drawn([*scans, bilevel[0]]))
    path = tmp_path / "ada.jpg"
    Image.fromarray(scans[0]).save(path)
    expected = make_signatures(2, 2, 1, random_state=0, resolution=100, scan="jpeg")[0]
    assert all(np.array_equal(one, other) for one, other in zip(drawn([str(path)]), expected, strict=True))


def test_signatures_that_are_refused_are_left_out(scans, monkeypatch):
    tried = []

    def refuse_second(scan, background):
        tried.append(background)
        if len(tried) == 2:
            raise ImageError("No signature.")

    monkeypatch.setattr(sys.modules[add_synthetic_writers.__module__], "crop_ink", refuse_second)
    known = add_synthetic_writers(scans[:1], [1], resolution=100, background="photo", **SETTINGS)
    assert tried == ["photo"] * 6
    assert known.target.tolist() == [[1, 0], [2, 0], [2, 1], [3, 0], [3, 0], [3, 1]]
    assert len(known.images) == 6


def test_names_that_are_taken(scans):
    with pytest.raises(ValueError, match="A writer is named 'synthetic 2'"):
        add_synthetic_writers(scans[:1], ["synthetic 2"], **SETTINGS)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        add_synthetic_writers(scans, ["ada"], **SETTINGS)
