import os
import signal
import subprocess
import sys

import pytest

from sigkit._utils import remove_unfinished, whole_file


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_previous_file(tmp_path, failure):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def fail():
        with whole_file(path) as file:
            file.write(b"half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_appears_when_it_is_complete(tmp_path):
    with whole_file(tmp_path / "file") as file:
        file.write(b"whole")
        assert not (tmp_path / "file").exists()
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_unfinished_files_of_a_killed_process_are_removed(tmp_path):
    code = f"""
import os, signal
from sigkit._utils import remove_unfinished, whole_file
with whole_file({str(tmp_path / "file")!r}) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert [path.suffix for path in tmp_path.iterdir()] == [".unfinished"]
    with whole_file(tmp_path / "another") as file:
        file.write(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def test_unfinished_files_of_a_living_writer_stay(tmp_path):
    with whole_file(tmp_path / "slow") as slow:
        slow.write(b"slow")
        with whole_file(tmp_path / "quick") as quick:
            quick.write(b"quick")
    assert (tmp_path / "slow").read_bytes() == b"slow"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quick", "slow"]


def test_other_files_that_are_named_unfinished_stay(tmp_path):
    (tmp_path / "letter.unfinished").write_bytes(b"dear")
    with whole_file(tmp_path / "file") as file:
        file.write(b"whole")
    assert (tmp_path / "letter.unfinished").exists()


def write(path, content):
    with whole_file(path, replace=False) as file:
        file.write(content)


@pytest.mark.parametrize("links", [True, False])
def test_an_existing_file_is_not_replaced(tmp_path, monkeypatch, links):
    def link(*names):
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", link)
    path = tmp_path / "file"
    write(path, b"first")
    with pytest.raises(FileExistsError, match="file"):
        write(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_unfinished_files_are_removed(tmp_path):
    (tmp_path / f"file.{32 * '0'}.unfinished").touch()
    remove_unfinished(tmp_path)
    remove_unfinished(tmp_path / "absent")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(OSError, match=r"No space left on device: '.*file'"), whole_file(path):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())
