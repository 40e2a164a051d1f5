import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sigkit.imaging import ImageError, list_pages, read_image

NEW_KIND, OLD_KIND = 254, 255


def sheet(number, size=(70, 30)):
    rows, columns = np.mgrid[: size[1], : size[0]]
    return Image.fromarray(((rows * (3 + number) + columns * 7) % 256).astype(np.uint8))


def save(path, pages, tags=None, **options):
    """Save pages as TIFF, with tags for some of them; return the path."""
    if tags is None:
        pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:], **options)
        return str(path)
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with AppendingTiffWriter(str(path), True) as file:
        for number, page in enumerate(pages):
            page.save(file, "TIFF", tiffinfo=tags.get(number, {}), **options)
            file.newFrame()
    return str(path)


def equal(image, page):
    return np.array_equal(image, np.asarray(page))


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}, {"big_tiff": True}])
def test_pages_of_tiff_are_paths(tmp_path, options):
    pages = [sheet(number, (70 + 10 * number, 40)) for number in range(4)]
    path = save(tmp_path / "ada.tif", pages, **options)
    assert list_pages(path) == [f"{path}[{number}]" for number in range(4)]
    assert list_pages(Path(path)) == list_pages(path)
    for number, page in enumerate(pages):
        image = read_image(Path(f"{path}[{number}]"))
        assert image.shape == (40, 70 + 10 * number)
        assert "compression" in options or equal(image, page)
        assert np.array_equal(image, read_image(path, page=number))
        assert np.array_equal(image, read_image(Path(path).read_bytes(), page=np.int64(number)))
        assert list_pages(f"{path}[{number}]") == [f"{path}[{number}]"]


def test_fax_of_several_pages(tmp_path):
    pages = [sheet(number).point(lambda value: 255 * (value > 99)).convert("1") for number in range(3)]
    for compression in ("group4", "group3"):
        path = save(tmp_path / f"{compression}.tif", pages, compression=compression)
        for number, page in enumerate(list_pages(path)):
            assert equal(read_image(page), pages[number].convert("L"))


def test_pages_with_other_kinds_of_pixels(tmp_path):
    pages = [sheet(0).convert("1"), sheet(1).convert("RGB"), Image.fromarray(np.asarray(sheet(2)).astype("u2") * 257)]
    path = save(tmp_path / "ada.tif", pages)
    for number in range(3):
        expected = np.asarray(sheet(2)) if number == 2 else np.asarray(pages[number].convert("L"))
        assert np.array_equal(read_image(f"{path}[{number}]"), expected)


@pytest.mark.parametrize("n_pages", [2, 3, 6])
def test_a_file_of_several_pages_without_a_page_is_an_error(tmp_path, n_pages):
    path = save(tmp_path / "ada.tif", [sheet(number) for number in range(n_pages)])
    message = rf"ada\.tif: has {n_pages} pages, .*from \[0\] to \[{n_pages - 1}\] .*sigkit\.imaging\.list_pages"
    with pytest.raises(ImageError, match=message):
        read_image(path)


@pytest.mark.parametrize("page", [3, 7, 999999])
def test_pages_that_do_not_exist(tmp_path, page):
    path = save(tmp_path / "ada.tif", [sheet(number) for number in range(3)])
    with pytest.raises(ImageError, match=rf"ada\.tif\[{page}\]: has no page {page}: .* the numbers 0 to 2"):
        read_image(f"{path}[{page}]")
    with pytest.raises(ImageError, match=rf"ada\.tif: has no page {page}"):
        read_image(path, page=page)


@pytest.mark.parametrize("page", ["-1", "9999999", " 0", "all"])
def test_what_is_no_number_of_a_page(tmp_path, page):
    path = save(tmp_path / "ada.tif", [sheet(number) for number in range(3)])
    with pytest.raises(ImageError, match=rf"ada\.tif\[{page}\]: no such file, and no page: .* as in .*ada\.tif\[0\]"):
        read_image(f"{path}[{page}]")
    with pytest.raises(ImageError, match="no such file"):
        read_image(f"{tmp_path}/eve.tif[{page}]")


@pytest.mark.parametrize("page", [-1, 1.0, "1", True])
def test_invalid_pages(tmp_path, page):
    path = save(tmp_path / "ada.tif", [sheet(0), sheet(1)])
    with pytest.raises(ValueError, match="page must be an integer from 0, or None"):
        read_image(path, page=page)
    with pytest.raises(ValueError, match="names a page too"):
        read_image(f"{path}[0]", page=0)


def test_files_with_a_bracket_in_their_name(tmp_path):
    path = save(tmp_path / "ada.tif", [sheet(0), sheet(1)])
    literal = save(tmp_path / "ada.tif[1]", [sheet(5)])
    copy = save(tmp_path / "ada[1].tif", [sheet(6)])
    assert equal(read_image(literal), sheet(5))
    assert equal(read_image(copy), sheet(6))
    assert equal(read_image(f"{path}[0]"), sheet(0))
    assert list_pages(literal) == [literal]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("size", [(14, 6), (21, 9), (10, 4), (20, 9)])
def test_small_copies_are_previews(tmp_path, size, first):
    scan, preview = sheet(0), sheet(0).resize(size)
    path = save(tmp_path / "scan.tif", [preview, scan] if first else [scan, preview])
    assert equal(read_image(path), scan)
    assert list_pages(path) == ([f"{path}[1]"] if first else [path])
    assert read_image(f"{path}[{0 if first else 1}]").shape == size[::-1]


@pytest.mark.parametrize("tags", [{NEW_KIND: 1}, {NEW_KIND: 4}, {NEW_KIND: 5}, {OLD_KIND: 2}])
@pytest.mark.parametrize("size", [(70, 30), (60, 60), (30, 20)])
def test_marked_previews_and_masks(tmp_path, tags, size):
    path = save(tmp_path / "scan.tif", [sheet(1, size), sheet(0), sheet(2, size)], {0: tags, 2: tags})
    assert equal(read_image(path), sheet(0))
    assert list_pages(path) == [f"{path}[1]"]


@pytest.mark.parametrize(
    ("size", "why"),
    [((35, 15), "half the resolution"), ((14, 14), "another proportion"), ((24, 10), "a third"), ((70, 31), "equal")],
)
def test_other_small_pages_are_pages(tmp_path, size, why):
    path = save(tmp_path / "scan.tif", [sheet(0), sheet(1, size)])
    with pytest.raises(ImageError, match="has 2 pages"):
        read_image(path)


def test_two_scans_and_a_preview(tmp_path):
    path = save(tmp_path / "scan.tif", [sheet(0).resize((14, 6)), sheet(0), sheet(1)])
    assert list_pages(path) == [f"{path}[1]", f"{path}[2]"]
    with pytest.raises(ImageError, match=r"has 2 pages.*from \[1\] to \[2\]"):
        read_image(path)


def test_nothing_but_previews(tmp_path):
    path = save(tmp_path / "scan.tif", [sheet(0), sheet(1)], {0: {NEW_KIND: 1}, 1: {NEW_KIND: 1}})
    with pytest.raises(ImageError, match=r"all of its pages are marked as previews"):
        read_image(path)
    assert equal(read_image(f"{path}[1]"), sheet(1))
    alone = save(tmp_path / "alone.tif", [sheet(0)], {0: {NEW_KIND: 1}})
    assert equal(read_image(alone), sheet(0))
    raw = save(tmp_path / "raw.tif", [sheet(0)], {0: {NEW_KIND: 1, 330: 8}})
    with pytest.raises(ImageError, match="a raw file of a camera"):
        read_image(raw)


def test_a_damaged_chain_of_pages(tmp_path):
    content = Path(save(tmp_path / "ada.tif", [sheet(0), sheet(1)])).read_bytes()
    (start,) = struct.unpack_from("<I", content, 4)
    (n_tags,) = struct.unpack_from("<H", content, start)
    at = start + 2 + 12 * n_tags
    for place, message in [(len(content) + 99, "its page 1 is beyond its end"), (start, "in a circle")]:
        changed = content[:at] + struct.pack("<I", place) + content[at + 4 :]
        (tmp_path / "ada.tif").write_bytes(changed)
        with pytest.raises(ImageError, match=message):
            read_image(tmp_path / "ada.tif")
        with pytest.raises(ImageError, match=rf"ada\.tif: .*{message}"):
            list_pages(tmp_path / "ada.tif")
        assert equal(read_image(tmp_path / "ada.tif[0]"), sheet(0))


def test_too_many_pages_and_tags(monkeypatch, tmp_path):
    path = save(tmp_path / "ada.tif", [sheet(number) for number in range(4)])
    monkeypatch.setattr("sigkit.imaging._formats._tiff_pages._MAX_TAGS", 20)
    with pytest.raises(ImageError, match="its pages have more than 20 tags"):
        read_image(path)
    monkeypatch.undo()
    monkeypatch.setattr("sigkit.imaging._formats._pages.MAX_PAGES", 3)
    with pytest.raises(ImageError, match="it has more than 3 pages"):
        list_pages(path)


def test_images_that_follow_one_another(tmp_path):
    pages = [sheet(0), sheet(1, (30, 30)), sheet(2).convert("RGB"), sheet(3).convert("1")]
    files = []
    for page in pages:
        file = io.BytesIO()
        page.save(file, "PPM")
        files.append(file.getvalue())
    path = tmp_path / "ada.pnm"
    path.write_bytes(b"\n".join(files))
    assert list_pages(path) == [f"{path}[{number}]" for number in range(4)]
    for number, page in enumerate(pages):
        assert equal(read_image(f"{path}[{number}]"), page.convert("L"))
    with pytest.raises(ImageError, match="has 4 pages"):
        read_image(path)
    path.write_bytes(files[0] + b"\n")
    assert list_pages(path) == [str(path)]
    path.write_bytes(files[0] + b"\nP5 broken")
    with pytest.raises(ImageError, match="its header is damaged"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_frames_of_an_animation_are_no_pages(tmp_path, suffix):
    path = tmp_path / f"scan.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    frames = [sheet(number).convert("RGB" if suffix == "webp" else "L") for number in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    assert list_pages(path) == [str(path)]
    assert equal(read_image(path), sheet(0))
    assert equal(read_image(f"{path}[0]"), sheet(0))
    with pytest.raises(ImageError, match=r"has no page 1: its pages have the numbers 0 only"):
        read_image(f"{path}[1]")


def test_pages_of_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ImageError, match=r"nowhere\.tif: no such file"):
        list_pages(tmp_path / "nowhere.tif")
    with pytest.raises(ImageError, match="is a folder"):
        list_pages(tmp_path)
    (tmp_path / "text.tif").write_text("text")
    with pytest.raises(ImageError, match=r"text\.tif: not an image that is read"):
        list_pages(os.fspath(tmp_path / "text.tif"))


@pytest.mark.parametrize("work", [read_image, list_pages])
def test_positions_beyond_all_integers_are_damage(work, tmp_path):
    path = save(tmp_path / "ada.tif", [sheet(0)], big_tiff=True)
    content = bytearray(Path(path).read_bytes())
    (start,) = struct.unpack_from("<Q", content, 8)
    (n_tags,) = struct.unpack_from("<Q", content, start)
    following = start + 8 + 20 * n_tags
    content[following : following + 8] = b"\xff" * 8
    Path(path).write_bytes(content)
    with pytest.raises(ImageError, match=r"ada\.tif: .*page 1 is beyond its end"):
        work(path)
