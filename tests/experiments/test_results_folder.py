"""The folder of an experiment: one owner, parts that are never mixed, damaged files, full disks, kills."""

import io
import json
import os
import random
import re
import resource
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sigkit.experiments import _results_folder
from sigkit.experiments._part_file import pack_part
from sigkit.experiments._results_folder import DESCRIPTION, ResultsFolder

DESCRIPTIONS = [{"estimator": f"SVC {number}", "X": "12"} for number in range(4)]
NAMES = {"rows", "classes"}
PART = {"rows": np.arange(3), "classes": np.array(["ada", "bo"])}


def open_folder(path, number=0):
    return ResultsFolder(path, DESCRIPTIONS[number], NAMES)


@pytest.fixture
def folder(tmp_path):
    """Return an experiment with a finished part, and a folder to open again."""
    made = open_folder(tmp_path / "run")
    made.write("split-000", PART)
    return made


def part_of(folder, part="split-000"):
    return Path(folder.folder, f"{part}.npz")


def npz(**arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def begin_at_once(path, numbers):
    """Begin experiments in as many threads at the same moment; return those that went on."""
    barrier, messages = threading.Barrier(len(numbers)), []

    def begin(number):
        barrier.wait()
        try:
            open_folder(path, number)
        except ValueError as error:
            messages.append(str(error))
            return None
        return number

    with ThreadPoolExecutor(len(numbers)) as pool:
        went_on = [number for number in pool.map(begin, numbers) if number is not None]
    assert all("contains another experiment; these differ: estimator. estimator was SVC" in text for text in messages)
    return went_on


@pytest.fixture(params=[True, False], ids=["hard links", "no hard links"])
def links(request, monkeypatch):
    """With and without hard links, which some file systems do not have."""

    def link(*names):
        raise PermissionError(1, "Operation not permitted")

    if not request.param:
        monkeypatch.setattr(os, "link", link)


def test_parts_are_read_as_written(folder):
    found = open_folder(folder.folder).read("split-000")
    assert found.keys() == NAMES
    for name, array in PART.items():
        np.testing.assert_array_equal(found[name], array)
    assert folder.read("split-001") is None
    with np.load(part_of(folder)) as arrays:
        np.testing.assert_array_equal(arrays["rows"], PART["rows"])


@pytest.mark.usefixtures("links")
def test_one_of_several_experiments_begun_at_once_goes_on(tmp_path):
    for number in range(40):
        path = tmp_path / f"run {number}"
        assert len(begin_at_once(path, [0, 1, 2, 3])) == 1
        assert os.listdir(path) == [DESCRIPTION]


@pytest.mark.usefixtures("links")
def test_equal_experiments_begun_at_once_go_on(tmp_path):
    for number in range(40):
        assert begin_at_once(tmp_path / f"run {number}", [0, 0, 0]) == [0, 0, 0]


def test_a_description_that_is_being_written_is_waited_for(tmp_path):
    open_folder(tmp_path / "first")
    content = (tmp_path / "first" / DESCRIPTION).read_bytes()
    (tmp_path / DESCRIPTION).touch()
    timer = threading.Timer(0.2, (tmp_path / DESCRIPTION).write_bytes, [content])
    timer.start()
    open_folder(tmp_path)
    timer.join()


def test_a_part_of_another_experiment_is_refused_if_the_description_is_gone(folder):
    os.remove(Path(folder.folder, DESCRIPTION))
    other = open_folder(folder.folder, 1)
    before = part_of(folder).read_bytes()
    for use in (lambda: other.read("split-000"), lambda: other.write("split-000", PART)):
        with pytest.raises(ValueError, match=r"split-000\.npz: belongs to another experiment\. Choose another folder"):
            use()
    assert part_of(folder).read_bytes() == before
    with pytest.raises(ValueError, match="contains another experiment"):
        open_folder(folder.folder, 0)


def test_a_part_with_other_arrays_is_refused(folder):
    other = ResultsFolder(folder.folder, DESCRIPTIONS[0], {"rows"})
    with pytest.raises(ValueError, match=r"split-000\.npz: is the part 'split-000', with the arrays classes, rows\."):
        other.read("split-000")


def test_a_finished_part_stays(folder):
    before = part_of(folder).stat().st_mtime_ns
    folder.write("split-000", PART)
    assert part_of(folder).stat().st_mtime_ns == before


def zip_of(*entries, method=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, entry in entries:
            archive.writestr(name, entry)
    return content.getvalue()


def larger_than_it_is(content):
    """Write another size of the first entry into the table of an archive."""
    at = content.rindex(b"PK\1\2", 0, content.index(b"PK\5\6"))
    size = (1 << 31).to_bytes(4, "little")
    return content[: at + 20] + size + size + content[at + 28 :]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "damaged"),
        (b"PK", "damaged"),
        (npz(**PART), "has no digest"),
        (npz(rows=np.array([{}], dtype=object), classes=np.arange(2)), "has no digest"),
        (npz(), "has no digest"),
        (zip_of(("rows.npy", bytes(1 << 24)), method=zipfile.ZIP_DEFLATED), "damaged .an entry is compressed"),
        (zip_of(("rows.npy", b"1"), method=zipfile.ZIP_LZMA), "damaged .an entry is compressed"),
        (larger_than_it_is(npz(**PART)), "damaged .the entries are larger than the file"),
        (zip_of(("digest", b"\xff")), "damaged"),
        (pack_part("", {}).replace(b"owner", b"other"), "damaged"),
    ],
)
def test_files_that_are_no_parts(folder, content, found):
    part_of(folder).write_bytes(content)
    with pytest.raises(ValueError, match=rf"split-000\.npz: {found}.*Remove it to compute this part again\."):
        open_folder(folder.folder).read("split-000")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name(folder):
    part_of(folder).write_bytes(zip_of(("rows.npy", b"1"), ("rows.npy", b"2")))
    with pytest.raises(ValueError, match=r"split-000\.npz: damaged .two entries have the same name"):
        folder.read("split-000")


def test_a_part_whose_entries_are_no_arrays(folder, monkeypatch):
    """Its digest is right: somebody has written it on purpose."""
    monkeypatch.setattr(np.lib.format, "write_array", lambda file, array, **options: file.write(b"\x93NUMPY"))
    part_of(folder).write_bytes(pack_part("owner", PART))
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"split-000\.npz: not a part of an experiment .*Remove it"):
        folder.read("split-000")


def test_every_damaged_byte_of_a_part_is_found_or_changes_nothing(folder):
    path = part_of(folder)
    whole = path.read_bytes()
    rng = random.Random(0)
    n_refused = 0
    for position in range(0, len(whole), 2):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(damaged))
        try:
            found = folder.read("split-000")
        except ValueError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017
            n_refused += 1
        else:
            assert all(np.array_equal(found[name], array) for name, array in PART.items())
    assert n_refused > len(whole) / 4


@pytest.mark.parametrize(
    "content",
    [
        b"[",
        b"[]",
        b"{}",
        b"null",
        b'{"estimator": 3}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"9" * 10_000,
        json.dumps(DESCRIPTIONS[0]).encode(),
        json.dumps(DESCRIPTIONS[0] | {"digest": "0"}).encode(),
    ],
)
def test_damaged_descriptions(folder, content):
    Path(folder.folder, DESCRIPTION).write_bytes(content)
    with pytest.raises(ValueError, match=r"experiment\.json: (damaged|has no digest).*Remove it"):
        open_folder(folder.folder)


def test_an_empty_description(folder, monkeypatch):
    monkeypatch.setattr(_results_folder, "PATIENCE_SECONDS", 0)
    Path(folder.folder, DESCRIPTION).write_bytes(b"")
    with pytest.raises(ValueError, match=r"experiment\.json: damaged"):
        open_folder(folder.folder)
    os.remove(Path(folder.folder, DESCRIPTION))
    assert open_folder(folder.folder).read("split-000") is not None


def test_changed_descriptions_are_never_taken_for_the_experiment(folder):
    path = Path(folder.folder, DESCRIPTION)
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        for value in b'0"}\xff':
            path.write_bytes(whole[:position] + bytes([value]) + whole[position + 1 :])
            if path.read_bytes() != whole:
                with pytest.raises(ValueError, match=re.escape(str(path))):
                    open_folder(folder.folder)


def test_what_is_no_file(folder, tmp_path):
    os.mkfifo(part_of(folder, "split-001"))
    with pytest.raises(OSError, match=r"split-001\.npz: is a named pipe, not a file"):
        folder.read("split-001")
    os.mkfifo(tmp_path / DESCRIPTION)
    with pytest.raises(OSError, match=r"experiment\.json: is a named pipe, not a file"):
        open_folder(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"folder='.*file' is a file; name a folder"):
        open_folder(tmp_path / "file")


def test_a_full_disk(folder):
    large = PART | {"rows": np.arange(10_000)}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"parts that are finished are kept.*run/split-001\.npz'$"):
            folder.write("split-001", large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(os.listdir(folder.folder)) == [DESCRIPTION, "split-000.npz"]
    folder.write("split-001", large)
    assert open_folder(folder.folder).read("split-001") is not None


def test_unfinished_files_are_removed_when_a_folder_is_opened(folder):
    part_of(folder).with_name(f"split-001.npz.{32 * 'a'}.unfinished").touch()
    open_folder(folder.folder)
    assert sorted(os.listdir(folder.folder)) == [DESCRIPTION, "split-000.npz"]


@pytest.mark.slow
def test_killed_shared_and_different_experiments():
    script = Path(__file__).parents[2] / "benchmarks" / "check_kills.py"
    options = ["--small", "--tasks", "experiment", "--kills", "3", "--races", "1"]
    done = subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "experiment: 3 kills" in done.stdout
    assert "0 mixed" in done.stdout


def test_an_error_shows_where_long_descriptions_begin_to_differ(tmp_path):
    many = ", ".join(f"'parameter_{number}': {number}" for number in range(200))
    for value in (1, 10):
        description = {"estimator": f"SVC {{{many}, 'svc__C': {value}, {many}}}"}
        if value == 1:
            ResultsFolder(tmp_path, description, {"scores"})
    with pytest.raises(ValueError, match=r"'svc__C': 1, .* now it is .*'svc__C': 10, ") as caught:
        ResultsFolder(tmp_path, description, {"scores"})
    assert len(str(caught.value)) < 1000
