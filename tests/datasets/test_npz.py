"""The .npz files that sigkit and sigver exchange."""

import io
import os
import zipfile

import numpy as np
import pandas as pd
import pytest

from sigkit.datasets import load_npz, save_npz


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (4, 5, 7), dtype=np.uint8)


@pytest.fixture
def arrays(images):
    """Return the arrays of a valid file, as of sigver but without its pickle."""
    return {
        "x": images[:, np.newaxis],
        "y": np.array([0, 0, 1, 1], dtype=np.int32),
        "yforg": np.array([0, 1, 0, 2], dtype=np.int32),
        "user_mapping": np.array([7, 30]),
        "filenames": np.array(["a", "b", "c", "d"]),
    }


class Bomb:
    """An object whose pickle creates a folder when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("writers", [[30, 30, 7, 7], ["ada", "ada", "bob-2", "bob-2"], [-1, -1, 5, 5]])
def test_round_trip(tmp_path, images, writers):
    path = tmp_path / "some.npz"
    target = [[writer, kind] for writer, kind in zip(writers, [0, 1, 0, 2])]
    save_npz(path, images, target, ["a.png", "b.png", "c.png", "d.png"])
    bunch = load_npz(path)
    np.testing.assert_array_equal(bunch.images, images)
    assert bunch.images.dtype == np.uint8
    assert bunch.target.tolist() == target
    assert bunch.target.dtype == (object if isinstance(writers[0], str) else np.int64)
    assert bunch.filenames.tolist() == ["a.png", "b.png", "c.png", "d.png"]
    assert "4 preprocessed signatures of 2 writers" in bunch.DESCR


def test_the_layout_is_that_of_sigver(tmp_path, images):
    path = tmp_path / "some.npz"
    save_npz(path, images, pd.DataFrame({"writer": ["b", "b", "a", "a"], "forgery": [0, 1, 0, 2]}))
    with np.load(path, allow_pickle=False) as archive:
        found = {name: archive[name] for name in archive.files}
    assert {name: (array.shape, array.dtype.name) for name, array in found.items()} == {
        "x": ((4, 1, 5, 7), "uint8"),
        "y": ((4,), "int32"),
        "yforg": ((4,), "int32"),
        "user_mapping": ((2,), "str32"),
        "filenames": ((4,), "str32"),
        # sigver reads the arrays above by their names.
        "format": ((), "str608"),
        "digest": ((), "str2048"),
    }
    assert found["user_mapping"][found["y"]].tolist() == ["b", "b", "a", "a"]
    assert found["yforg"].tolist() == [0, 1, 0, 2]


def test_writers_only_and_a_name_without_suffix(tmp_path, images):
    save_npz(tmp_path / "plain", images, [1, 1, 2, 2])
    assert os.listdir(tmp_path) == ["plain"]
    bunch = load_npz(tmp_path / "plain")
    assert bunch.target.tolist() == [[1, 0], [1, 0], [2, 0], [2, 0]]
    assert bunch.filenames.tolist() == [""] * 4


def test_a_pickled_table_of_writers_is_not_read(tmp_path, arrays):
    """sigver's own files: a dict, pickled. Here it would run a program."""
    path, proof = tmp_path / "sigver.npz", tmp_path / "executed"
    np.savez(path, **{**arrays, "user_mapping": np.array({0: Bomb(str(proof))}, dtype=object)})
    with pytest.warns(UserWarning, match="user_mapping is pickled and was not read") as caught:
        bunch = load_npz(path)
    assert not proof.exists()
    assert caught[0].filename == __file__
    assert bunch.target.tolist() == [[0, 0], [0, 1], [1, 0], [1, 2]]
    # Check that loading the pickle would have run code.
    with np.load(path, allow_pickle=True) as archive:
        archive["user_mapping"]
    assert proof.exists()


@pytest.mark.parametrize("name", ["x", "y", "yforg", "filenames"])
def test_other_pickled_arrays_are_refused(tmp_path, arrays, name):
    path, proof = tmp_path / "bad.npz", tmp_path / "executed"
    np.savez(path, **{**arrays, name: np.array([Bomb(str(proof))] * 4, dtype=object)})
    with pytest.raises(ValueError, match=rf"bad\.npz: the array {name} is pickled"):
        load_npz(path)
    assert not proof.exists()


@pytest.mark.parametrize("absent", [{"user_mapping", "filenames"}, {"user_mapping"}, {"filenames"}])
def test_arrays_that_sigver_does_not_document_may_be_missing(tmp_path, arrays, absent):
    """sigver's README asks for x, y and yforg; y are then the ids of the writers, whatever they are."""
    path = tmp_path / "some.npz"
    arrays["y"] = arrays["y"] if "user_mapping" not in absent else np.array([5, 5, -2, -2])
    np.savez(path, **{name: array for name, array in arrays.items() if name not in absent})
    bunch = load_npz(path)
    writers = [5, 5, -2, -2] if "user_mapping" in absent else [7, 7, 30, 30]
    assert bunch.target.tolist() == [[writer, kind] for writer, kind in zip(writers, [0, 1, 0, 2])]
    assert bunch.target.dtype == np.int64
    assert bunch.filenames.tolist() == ([""] * 4 if "filenames" in absent else ["a", "b", "c", "d"])


@pytest.mark.parametrize("name", ["x", "y", "yforg"])
def test_a_missing_array_is_named(tmp_path, arrays, name):
    path = tmp_path / "bad.npz"
    np.savez(path, **{other: array for other, array in arrays.items() if other != name})
    with pytest.raises(ValueError, match=rf"bad\.npz lacks the arrays {name}; it has"):
        load_npz(path)


@pytest.mark.parametrize(
    ("name", "array", "problem"),
    [
        ("x", np.zeros((4, 5, 7), dtype=np.uint8), "x must be uint8 of shape"),
        ("x", np.zeros((4, 3, 5, 7), dtype=np.uint8), "x must be uint8 of shape"),
        ("x", np.zeros((4, 1, 5, 7)), "x must be uint8 .* got float64"),
        ("y", np.zeros(3, dtype=np.int32), r"y must be integers of shape \(4,\) like x, got int32 of shape \(3,\)"),
        ("y", np.zeros(4), "y must be integers .* got float64"),
        ("y", np.array([0, 1, 2, 2]), "y must be indices into the 2 ids of user_mapping, got 0 to 2"),
        ("y", np.array([0, 1, -1, 1]), "y must be indices .* got -1 to 1"),
        ("yforg", np.array([0, 1, 3, 2]), "yforg must be 0 .* found 3"),
        ("yforg", np.zeros((4, 1), dtype=np.int32), "yforg must be integers of shape"),
        ("filenames", np.array(["a"]), "filenames must be str of shape"),
        ("user_mapping", np.array([[7], [30]]), "user_mapping must be one dimension"),
        ("user_mapping", np.array([7.0, 30.0]), "user_mapping must be one dimension of integers or str, got float64"),
    ],
)
def test_inconsistent_arrays_are_refused(tmp_path, arrays, name, array, problem):
    path = tmp_path / "bad.npz"
    np.savez(path, **{**arrays, name: array})
    with pytest.raises(ValueError, match=rf"bad\.npz: {problem}"):
        load_npz(path)


def test_files_that_are_not_npz(tmp_path, arrays):
    np.save(tmp_path / "one.npy", arrays["y"])
    (tmp_path / "text.npz").write_text("nothing of the kind")
    (tmp_path / "empty.npz").touch()
    np.savez(tmp_path / "whole.npz", **arrays)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:500])
    for name in ("one.npy", "text.npz", "empty.npz", "cut.npz"):
        with pytest.raises(ValueError, match=f"{name} is not an .npz file"):
            load_npz(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_npz(tmp_path / "nowhere.npz")
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("readme.txt", "a zip of something else")
    with pytest.raises(ValueError, match=r"other\.npz lacks the arrays x, y, .*; it has readme\.txt"):
        load_npz(tmp_path / "other.npz")


@pytest.mark.parametrize("name", ["x", "user_mapping"])
def test_a_damaged_array_is_refused(tmp_path, arrays, name):
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    data = bytearray(path.read_bytes())
    # The last bytes of a member are the end of its pixels or ids; the checksum is wrong then.
    content = arrays[name].tobytes()
    place = data.index(content) + len(content) - 1
    data[place] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"bad\.npz: the array {name} is damaged"):
        load_npz(path)


def test_a_member_that_is_not_an_array(tmp_path, arrays):
    path = tmp_path / "bad.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if name != "y"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("y.npy", b"0, 0, 1, 1")
    with pytest.raises(ValueError, match=r"bad\.npz: y is not a numpy array"):
        load_npz(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"images": np.zeros((4, 5, 7))}, "images must be uint8 of shape .* got float64"),
        ({"images": np.zeros((4, 1, 5, 7), dtype=np.uint8)}, "images must be uint8 of shape"),
        ({"target": [1, 2]}, "4 images, 2 targets and 4 filenames"),
        ({"target": [1.5, 1.5, 2.5, 2.5]}, "writer ids are integers or strings; y has float64"),
        ({"target": [[1, 0], [1, 9], [2, 0], [2, 0]]}, "Forgery kinds must be"),
        ({"filenames": ["a"]}, "4 images, 4 targets and 1 filenames"),
    ],
)
def test_save_refuses(tmp_path, images, change, problem):
    options = {"images": images, "target": [1, 1, 2, 2], "filenames": ["a", "b", "c", "d"], **change}
    with pytest.raises(ValueError, match=problem):
        save_npz(tmp_path / "bad.npz", **options)
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, images, monkeypatch):
    path = tmp_path / "some.npz"
    save_npz(path, images, [1, 1, 2, 2])
    before = path.read_bytes()

    def fail(file, **arrays):
        file.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="no space left"):
        save_npz(path, images, [3, 3, 4, 4])
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["some.npz"]


def rewrite(path, **changes):
    """Write the arrays of a file again, some of them changed, or left out if they are None."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files} | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"x": np.zeros((4, 1, 5, 7), np.uint8)}, "does not match its digest"),
        ({"y": np.zeros(4, np.int32)}, "does not match its digest"),
        ({"y": np.array([0, 0, 1, 1])}, "does not match its digest"),
        ({"yforg": np.zeros(4, np.int32)}, "does not match its digest"),
        ({"user_mapping": np.array([8, 31])}, "does not match its digest"),
        ({"user_mapping": np.array([{}, {}])}, "does not match its digest"),
        ({"filenames": np.full(4, "a.png")}, "does not match its digest"),
        ({"filenames": None}, "does not match its digest"),
        ({"user_mapping": None}, "does not match its digest"),
        ({"digest": np.array("0" * 64)}, "does not match its digest"),
        ({"digest": np.zeros(3)}, "has no digest"),
        ({"digest": None}, "has no digest"),
        ({"format": None}, "has no digest"),
        ({"format": np.array("sigkit signatures 9")}, "another kind or version"),
    ],
)
def test_what_does_not_match_its_digest_is_refused(tmp_path, images, changes, problem):
    path = tmp_path / "some.npz"
    save_npz(path, images, [[7, 0], [7, 1], [30, 0], [30, 2]])
    expected = load_npz(path)
    rewrite(path)
    np.testing.assert_equal(load_npz(path), expected)
    rewrite(path, **changes)
    with pytest.raises(ValueError, match=rf"some\.npz: .*{problem}"):
        load_npz(path)


def npy(descr, shape, data=b""):
    """Return the content of an array file whose header says what it likes."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue() + data


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x", npy("|u1", (10**12, 1, 10, 10))),
        ("x", npy("|u1", (4, 1, 5, 7), bytes(139))),
        ("x", npy("|u1", (4, 1, 5, 7), bytes(141))),
        ("x", npy("|u1", (10**400, 0), b"")),
        ("y", npy("<i4", (-4,), bytes(16))),
        ("filenames", npy("<U1000000000", (4,))),
        ("y", b"\x93NUMPY\x07\x00\x10\x00" + bytes(40)),
        ("y", b"\x93NUMPY\x01\x00\xff\xff{" + b"[" * 70_000),
        ("y", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{"),
    ],
)
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_headers_that_lie_are_refused(tmp_path, arrays, name, content, compression):
    path = tmp_path / "bad.npz"
    np.savez(path, **{other: array for other, array in arrays.items() if other != name})
    with zipfile.ZipFile(path, "a", compression) as archive:
        archive.writestr(f"{name}.npy", content)
    with pytest.raises(ValueError, match=rf"bad\.npz: the array {name} is damaged") as caught:
        load_npz(path)
    assert "allow_pickle" not in str(caught.value)


def test_what_fills_the_memory_is_refused_before_it_is_read(tmp_path, arrays, monkeypatch):
    monkeypatch.setattr("sigkit.datasets._npz_file._LARGE", 2**20)
    path, shape = tmp_path / "bomb.npz", (3, 1, 1000, 1000)
    np.savez(path, **{name: array for name, array in arrays.items() if name != "x"})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as file:
        file.write(npy("|u1", shape))
        file.write(bytes(3 * 10**6))
    monkeypatch.setattr(np.lib.format, "read_array", None)
    with pytest.raises(ValueError, match=r"bomb\.npz: the array x is damaged \(3000\d{3} bytes from \d+; images"):
        load_npz(path)


def test_an_array_compressed_by_another_method_is_refused(tmp_path, arrays):
    path = tmp_path / "bad.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if name != "y"})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("y.npy", npy("<i4", (4,), bytes(16)))
    with pytest.raises(ValueError, match=r"bad\.npz: the array y is damaged \(compressed by the method 14"):
        load_npz(path)


@pytest.mark.parametrize("place", ["central directory", "local header", "end"])
def test_damaged_archives_are_named(tmp_path, images, place):
    path = tmp_path / "bad.npz"
    save_npz(path, images, [1, 1, 2, 2])
    content = path.read_bytes()
    at = {"central directory": content.rindex(b"PK\x01\x02"), "local header": 0, "end": content.rindex(b"PK\x05\x06")}
    for damage in (b"PK\0\0", b"\0\0\0\0", bytes(16)):
        path.write_bytes(content[: at[place]] + damage + content[at[place] + len(damage) :])
        with pytest.raises(ValueError, match=r"bad\.npz"):
            load_npz(path)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_paths_that_are_no_files(tmp_path, make):
    make(tmp_path / "other.npz")
    with pytest.raises((ValueError, OSError), match=r"other\.npz"):
        load_npz(tmp_path / "other.npz")


def test_a_folder_that_is_not_there_is_named(tmp_path, images):
    with pytest.raises(FileNotFoundError, match=r"nowhere/some\.npz'"):
        save_npz(tmp_path / "nowhere" / "some.npz", images, [1, 1, 2, 2])


def test_real_file_of_sigver(shared_data):
    with pytest.warns(UserWarning, match="user_mapping is pickled"):
        bunch = load_npz(shared_data / "reference" / "cedar_170x242.npz")
    assert bunch.images.shape == (2640, 170, 242)
    assert np.unique(bunch.target[:, 0]).tolist() == list(range(55))
    np.testing.assert_array_equal(bunch.target[:, 1], np.tile(np.repeat([0, 1], 24), 55))
    assert bunch.filenames[0] == "original_1_1.png"
    # Ink is bright, and the background is 0.
    assert np.median(bunch.images[0]) == 0
    assert bunch.images[0].max() > 100
