import errno
import os
import signal
import stat
import subprocess
import sys

import pytest

from sigkit._utils import read_file, remove_unfinished, whole_file


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
from sigkit._utils import whole_file
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


def test_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: '.*file'$") as caught, whole_file(tmp_path / "file"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["nowhere/file", "folder", "file/below"])
def test_a_file_that_cannot_be_made_is_named(tmp_path, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=f"{place}'$"), whole_file(tmp_path / place) as file:
        file.write(b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "file").write_bytes(bytes(range(256)) * 1000)
    assert read_file(tmp_path / "file") == bytes(range(256)) * 1000


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("/dev/zero", path), lambda path: None])
def test_only_regular_files_are_read(tmp_path, make):
    make(tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        read_file(tmp_path / "file")


def test_a_name_with_a_null_character_is_shown():
    with pytest.raises(OSError, match=r"a\\x00\.png: cannot be read"):
        read_file("a\0.png")


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


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_replaced_file_passes_its_permissions_on(tmp_path, umask, mode):
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    with whole_file(path) as file:
        [unfinished] = tmp_path.glob("*.unfinished")
        assert mode_of(unfinished) & ~0o600 & ~mode == 0
        file.write(b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", mode)


def test_a_new_file_has_the_permissions_of_the_system_or_of_another_file(tmp_path, umask):
    with whole_file(tmp_path / "first"):
        pass
    assert mode_of(tmp_path / "first") == 0o644
    (tmp_path / "first").chmod(0o600)
    with whole_file(tmp_path / "second", replace=False, like=tmp_path / "first"):
        pass
    assert mode_of(tmp_path / "second") == 0o600
    with whole_file(tmp_path / "third", replace=False, like=tmp_path / "absent"):
        pass
    assert mode_of(tmp_path / "third") == 0o600


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_a_replaced_file_passes_its_owner_on(tmp_path):
    path = tmp_path / "file"
    path.touch()
    os.chown(path, 12345, 12346)
    with whole_file(path) as file:
        file.write(b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)


@pytest.mark.parametrize("exists", [True, False])
def test_of_a_link_the_file_that_it_leads_to_is_written(tmp_path, exists):
    folder = tmp_path / "folder"
    folder.mkdir()
    if exists:
        (folder / "file").write_bytes(b"before")
    link = tmp_path / "link"
    link.symlink_to(os.path.join("folder", "file"))
    with whole_file(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (folder / "file").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "link"]


def test_a_link_to_itself_is_an_error_and_stays(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("link")
    with pytest.raises(OSError, match=r"link'$"), whole_file(link):
        pass
    assert link.is_symlink()


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match=f"{name}: is a named pipe, not a file"), whole_file(tmp_path / name):
            pass
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize(("path", "shown"), [("a\0", r"a\\x00"), ("\0/a", r"\\x00/a"), ("\ud800", r"\\ud800")])
def test_names_that_no_file_can_have_are_shown(path, shown, replace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=f"^{shown}: cannot be written"), whole_file(path, replace=replace):
        pass


@pytest.mark.parametrize("path", [None, 3, ["file"]])
def test_a_path_is_text(path):
    for use in (read_file, lambda path: whole_file(path).__enter__()):
        with pytest.raises(ValueError, match=r"path must be a str or an os\.PathLike; found"):
            use(path)
