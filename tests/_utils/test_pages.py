import os

import pytest

from sigkit._utils import content_digest, read_scan, scan_digest, signature_digest, split_page, too_many_bytes


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ada.tif"
    path.write_bytes(b"pages")
    return str(path)


@pytest.mark.parametrize(("end", "page"), [("[0]", 0), ("[2]", 2), ("[012]", 12), ("", None)])
def test_pages_are_split_off(path, end, page):
    assert split_page(path + end) == (path, page)
    assert read_scan(path + end) == (b"pages", page)


@pytest.mark.parametrize("end", ["[-1]", "[a]", "[]", "[1.0]", "[1][2]", "[1] ", "(1)", "[1234567]"])
def test_other_ends_are_parts_of_the_name(path, end):
    assert split_page(path + end) == (path + end, None)
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_scan(path + end)


def test_a_file_of_this_very_name_is_read(path):
    with open(f"{path}[2]", "wb") as file:
        file.write(b"other")
    assert read_scan(f"{path}[2]") == (b"other", None)
    assert read_scan(f"{path}[1]") == (b"pages", 1)
    assert read_scan(f"{path}[2][0]") == (b"other", 0)


def test_nothing_but_files_has_pages(tmp_path):
    for name in ("folder", "nowhere", "null\0"):
        if name == "folder":
            (tmp_path / name).mkdir()
        path = os.path.join(tmp_path, f"{name}[0]")
        assert split_page(path) == (path, None)


def test_pages_have_digests_of_their_own(path):
    digests = [signature_digest([path + end], 0) for end in ("", "[0]", "[1]")]
    assert len(set(digests)) == 3
    assert digests == [scan_digest(b"pages", page) for page in (None, 0, 1)]
    assert digests[0] == content_digest(b"pages")


@pytest.mark.parametrize("end", ["", "[3]"])
def test_files_that_are_too_large_for_the_memory_are_not_read(path, end):
    os.truncate(path, 50 * 10**9)
    with pytest.raises(OSError, match=r"ada\.tif: has 50,000,000,000 bytes: .* more than max_memory=700 MiB"):
        read_scan(path + end, 700)
    with pytest.raises(OSError, match=r"more than 1,073,741,824"):
        read_scan(path + end)
    os.truncate(path, 2**20)
    assert len(read_scan(path + end, 2)[0]) == 2**20
    assert too_many_bytes(2**20, 1.9)
