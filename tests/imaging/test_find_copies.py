import io

import numpy as np
import pytest
from PIL import Image

from sigkit.datasets import make_signatures
from sigkit.imaging import ImageError, find_copies


@pytest.fixture(scope="module")
def scans():
    return make_signatures(n_writers=2, n_genuine=5, n_skilled=1, random_state=0)[0]


def found(copies):
    return list(zip(copies["query"].tolist(), copies["reference"].tolist(), copies["level"].tolist()))


def test_other_signatures_of_the_writer_and_forgeries_are_no_copies(scans):
    assert found(find_copies(scans[3:], scans[:3])) == []


def test_equal_files_and_pixels(scans, tmp_path):
    paths = [tmp_path / name for name in ("one.png", "two.png", "three.bmp")]
    for path, scan in zip(paths, (scans[0], scans[1], scans[0])):
        Image.fromarray(scan).save(path)
    (tmp_path / "renamed.png").write_bytes(paths[1].read_bytes())
    queries = [tmp_path / "renamed.png", paths[2], scans[1], scans[4]]
    assert found(find_copies(queries, paths[:2])) == [(0, 1, "file"), (1, 0, "pixels"), (2, 1, "pixels")]


def test_near_copies(scans):
    def compressed(scan):
        stream = io.BytesIO()
        Image.fromarray(scan).save(stream, "JPEG", quality=40)
        return np.asarray(Image.open(stream))

    height, width = scans[2].shape
    smaller = np.asarray(Image.fromarray(scans[2]).resize((width * 3 // 4, height * 3 // 4)))
    margin = np.pad(scans[2], ((40, 3), (7, 90)), constant_values=int(np.median(scans[2])))
    changed = [compressed(scans[2]), smaller, margin, scans[2] // 2 + 100]
    copies = find_copies(changed, scans[:5])
    assert found(copies) == [(row, 2, "near") for row in range(4)]
    assert (copies["correlation"] > 0.93).all()
    assert (copies["correlation"] <= 1).all()


def test_blank_scans_are_copies_only_of_equal_ones(scans):
    blank = np.full((50, 80), 255, dtype=np.uint8)
    assert found(find_copies([blank, blank[1:]], [blank, scans[0]])) == [(0, 0, "pixels")]


def test_bad_input(scans, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"no\.png"):
        find_copies([tmp_path / "no.png"], scans[:1])
    with pytest.raises(ImageError, match=r"absent\.png"):
        find_copies([tmp_path / "absent.png"], scans[:1])
    with pytest.raises(ValueError, match="2-D uint8 images; found float64"):
        find_copies([scans[0] / 255], scans[:1])
    with pytest.raises(ValueError, match="queries"):
        find_copies("one.png", scans[:1])
    with pytest.raises(ValueError, match="near must be"):
        find_copies(scans[:1], scans[:1], near=2)
