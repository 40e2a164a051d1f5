"""Queries that are copies of references, by their files, pixels and ink."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from sigkit.datasets import make_signatures
from sigkit.imaging import ImageError, ScanCopy, find_copies


@pytest.fixture(scope="module")
def scans():
    return make_signatures(n_writers=2, n_genuine=4, n_skilled=1, random_state=3)[0]


@pytest.fixture(scope="module")
def files(scans, tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    paths = [folder / f"{number}.png" for number in range(3)]
    for path, scan in zip(paths, scans):
        Image.fromarray(scan).save(path)
    return paths


def jpeg(scan, quality):
    file = io.BytesIO()
    Image.fromarray(scan).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def resized(scan, factor):
    height, width = scan.shape
    return np.asarray(Image.fromarray(scan).resize((round(width * factor), round(height * factor))))


def test_the_same_file_under_another_name(files, scans, tmp_path):
    renamed = shutil.copy(files[1], tmp_path / "new.png")
    assert find_copies([str(renamed)], files) == [ScanCopy(1, "file", 1.0)]
    # Other bytes, but the same pixels; and an array has no file.
    Image.fromarray(scans[1]).save(tmp_path / "new.tif")
    assert find_copies([tmp_path / "new.tif", scans[2]], files) == [
        ScanCopy(1, "pixels", 1.0),
        ScanCopy(2, "pixels", 1.0),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda scan: jpeg(scan, 30),
        lambda scan: np.minimum(255, scan.astype(int) + 25).astype(np.uint8),
        lambda scan: np.pad(scan, ((40, 3), (8, 90)), constant_values=255),
        lambda scan: resized(scan, 0.7),
        lambda scan: resized(scan, 1.5),
    ],
)
def test_nearly_the_same_ink(scans, change):
    [copy] = find_copies([change(scans[2])], scans[:4])
    assert (copy.reference, copy.level) == (2, "near")
    assert 0.93 <= copy.correlation < 1


def test_colors(scans):
    color = np.repeat(scans[1][:, :, np.newaxis], 3, axis=2)
    assert find_copies([color], scans[:2]) == [ScanCopy(1, "pixels", 1.0)]


def test_other_signatures_are_no_copies(scans):
    assert find_copies(scans[3:5], scans[:3]) == [None, None]
    assert find_copies(scans[5:], scans[:5]) == [None] * 5
    # With another limit, the most similar one.
    [found] = find_copies([scans[3]], scans[:3], near=0.01)
    assert found.level == "near"
    assert found.correlation < 0.93


def test_blank_scans_and_nothing(scans):
    blank = np.full((30, 40), 255, dtype=np.uint8)
    assert find_copies([blank], scans[:2]) == [None]
    assert find_copies([], scans) == []
    assert find_copies(scans[:2], []) == [None, None]


def test_errors(scans, tmp_path):
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageError, match=r"damaged\.png: "):
        find_copies([tmp_path / "damaged.png"], scans)
    with pytest.raises(ImageError, match=r"nowhere\.png: "):
        find_copies(scans[:1], [tmp_path / "nowhere.png"])
    with pytest.raises(ValueError, match=r"references\[1\] is float64 of shape \(3, 4\)"):
        find_copies(scans[:1], [scans[0], np.zeros((3, 4))])
    with pytest.raises(ValueError, match="near must be a number between 0 and 1"):
        find_copies(scans, scans, near=1.5)
    with pytest.raises(ValueError, match="queries"):
        find_copies("one.png", scans)
