"""The file of a store: created, moved, truncated, on a full disk, of another program."""

import errno
import os
import shutil
import signal
import sqlite3
import threading

import numpy as np
import pytest

from sigkit.persistence import StoredVerifier, WriterStore
from sigkit.persistence._store import _file

ENROLLED = [8, 9, 10, 11]


def kill(store, tmp_path):
    """Copy the files of a store in use, as a process leaves them that is killed."""
    path = str(tmp_path / "killed")
    for suffix in ("", "-wal", "-shm"):
        shutil.copyfile(store.path + suffix, path + suffix)
    return path


@pytest.mark.parametrize("change", ["rename", "delete", "replace", "folder", "log"])
def test_files_that_were_moved_while_they_are_open_are_an_error(change, signatures, svc, tmp_path):
    X, _ = signatures
    os.mkdir(tmp_path / "in")
    store = WriterStore(tmp_path / "in" / "writers.sqlite")
    verifier = StoredVerifier(svc, store).enroll(X[80:84], [8] * 4)
    store.backup(tmp_path / "copy")
    kept = str(tmp_path / "kept")
    {
        "rename": lambda: os.rename(store.path, kept),
        "delete": lambda: os.unlink(store.path),
        "replace": lambda: os.replace(tmp_path / "copy", store.path),
        "folder": lambda: os.rename(tmp_path / "in", tmp_path / "out"),
        "log": lambda: os.rename(f"{store.path}-wal", kept),
    }[change]()
    for call in (
        lambda: verifier.enroll(X[90:94], [9] * 4),
        lambda: verifier.verify(X[85:86], [8]),
        lambda: verifier.claim_scores(X[85:86], [8]),
        lambda: store.remove([8]),
        lambda: store.erase([8]),
        store.history,
    ):
        arguments = [8] if call == store.history else []
        with pytest.raises(OSError, match=r"writers\.sqlite: the file or its log .* renamed, deleted or replaced"):
            call(*arguments)
    store.backup(tmp_path / "rescued")
    with WriterStore(tmp_path / "rescued") as rescued:
        assert rescued.writers().tolist() == [8]
    if change in ("rename", "log"):
        os.rename(kept, store.path if change == "rename" else f"{store.path}-wal")
        assert verifier.enroll(X[90:94], [9] * 4).classes_.tolist() == [8, 9]
    store.close()


def test_a_thread_does_not_open_the_file_that_replaces_another(verifier, store, tmp_path):
    store.backup(tmp_path / "copy")
    verifier.remove([8])
    with store._database.reading():
        os.rename(store.path, tmp_path / "kept")
        os.rename(tmp_path / "copy", store.path)
        # The only connection is in use.
        with pytest.raises(OSError, match="renamed, deleted or replaced"):
            store.writers()
        os.rename(store.path, tmp_path / "copy")
        os.rename(tmp_path / "kept", store.path)
        assert store.writers().tolist() == [9, 10, 11]
    with WriterStore(tmp_path / "copy") as copy:
        assert copy.writers().tolist() == ENROLLED


def test_a_file_that_is_moved_during_a_call_is_an_error(signatures, verifier, store, monkeypatch):
    X, _ = signatures
    fit = verifier._models.fit

    def fit_while_moved(X_all, y):
        os.rename(store.path, f"{store.path}.old")
        return fit(X_all, y)

    monkeypatch.setattr(verifier._models, "fit", fit_while_moved)
    with pytest.raises(OSError, match="renamed, deleted or replaced while it was open"):
        verifier.enroll(X[80:84], [12] * 4)
    with pytest.raises(ValueError, match=r"writers\.sqlite: no such file, but its log"):
        WriterStore(store.path)
    os.rename(f"{store.path}.old", store.path)
    assert verifier.classes_.tolist() == ENROLLED

    def change_while_moved():
        with store._database.writing() as connection:
            connection.execute("DELETE FROM writers")
            os.rename(store.path, f"{store.path}.old")

    with pytest.raises(OSError, match="renamed, deleted or replaced while it was open"):
        change_while_moved()
    os.rename(f"{store.path}.old", store.path)
    assert verifier.classes_.tolist() == ENROLLED


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: os.truncate(path, 0), "killed: an empty file, which is no store; was it truncated"),
        (lambda path: os.unlink(path), r"killed: no such file, but its log \(-wal\) is beside it"),
        (lambda path: os.unlink(f"{path}-wal"), r"killed: the process that used it was ended, and its log .* deleted"),
        (
            lambda path: [os.unlink(f"{path}{suffix}") for suffix in ("-wal", "-shm")],
            r"killed: has no tables: its log \(-wal\) was deleted",
        ),
    ],
)
def test_what_remains_of_a_store_is_no_new_one(damage, message, verifier, store, tmp_path):
    path = kill(store, tmp_path)
    damage(path)
    before = {name: os.path.getsize(tmp_path / name) for name in os.listdir(tmp_path)}
    with pytest.raises(ValueError, match=message):
        WriterStore(path)
    if "no tables" not in message:
        # SQLite would delete a log.
        assert {name: os.path.getsize(tmp_path / name) for name in os.listdir(tmp_path)} == before


def test_a_killed_store_is_whole(verifier, store, tmp_path):
    with WriterStore(kill(store, tmp_path)) as killed:
        assert killed.writers().tolist() == ENROLLED
        assert killed.check() == []


def test_an_empty_file_is_no_store(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="empty: an empty file, which is no store"):
        WriterStore(tmp_path / "empty")


def test_a_store_behind_a_link_is_created(tmp_path):
    os.symlink(tmp_path / "there", tmp_path / "link")
    with WriterStore(tmp_path / "link") as store, WriterStore(tmp_path / "there") as same:
        assert sorted(os.listdir(tmp_path)) == ["link", "there", "there-shm", "there-wal"]
        assert store.check() == same.check() == []


def test_a_store_that_another_process_creates_meanwhile_is_opened(verifier, store, monkeypatch):
    monkeypatch.setattr(_file, "_size", lambda path, name: None)
    with WriterStore(store.path) as other:
        assert other.writers().tolist() == ENROLLED


def test_threads_create_one_store(tmp_path):
    stores, problems = [], []

    def create():
        try:
            stores.append(WriterStore(tmp_path / "writers.sqlite"))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert all(store.check() == [] for store in stores)
    for store in stores:
        store.close()
    assert os.listdir(tmp_path) == ["writers.sqlite"]


@pytest.mark.skipif(os.name != "posix", reason="no limit of the size of files")
def test_a_backup_on_a_full_disk_says_so(verifier, store, tmp_path):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(OSError, match=r"writers\.sqlite, copied to .*copy: .* Check the disk and its") as caught:
            store.backup(tmp_path / "copy")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.errno in (errno.EIO, errno.ENOSPC)
    assert sorted(os.listdir(tmp_path)) == ["writers.sqlite", "writers.sqlite-shm", "writers.sqlite-wal"]
    store.backup(tmp_path / "copy")


@pytest.mark.skipif(os.name != "posix", reason="no permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_backup_has_the_permissions_of_the_store(mode, verifier, store, tmp_path):
    os.chmod(store.path, mode)
    store.backup(tmp_path / "copy")
    assert os.stat(tmp_path / "copy").st_mode & 0o777 == mode
    os.rename(store.path, tmp_path / "renamed")
    store.backup(tmp_path / "another")
    assert os.stat(tmp_path / "another").st_mode & 0o777 == 0o600


def test_a_long_timeout_is_waited_for(verifier, store):
    """SQLite counts milliseconds in a C integer, and does not wait at all beyond it."""
    with WriterStore(store.path, timeout=1e300, mmap_size=1e300) as patient:
        with patient._database.connection() as connection:
            [[milliseconds]] = connection.execute("PRAGMA busy_timeout").fetchall()
        assert milliseconds == 2_000_000_000
        assert patient.writers().tolist() == ENROLLED


def test_an_sqlite_without_strict_tables_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(OSError, match=r"writers\.sqlite: a store needs SQLite 3\.37 or later"):
        WriterStore(tmp_path / "writers.sqlite")


def test_only_damage_is_called_damage(store):
    with (
        pytest.raises(OSError, match=r"SQLite 3\S+ reports an error \(no such table: another\)") as caught,
        store._database.connection() as connection,
    ):
        connection.execute("SELECT * FROM another")
    assert "damaged" not in str(caught.value)
    assert "backup" not in str(caught.value)


def test_a_path_with_control_characters_is_escaped(tmp_path):
    with pytest.raises(OSError, match=r"a\\x00b: cannot be opened \(embedded null byte\)"):
        WriterStore(f"{tmp_path}/a\0b")
    with (
        WriterStore(tmp_path / "a\x1b[31m") as store,
        pytest.raises(ValueError, match=r"a\\x1b\[31m: writers to erase who were never enrolled: 8"),
    ):
        store.erase([8])


def test_files_that_are_no_store_are_refused(tmp_path, store):
    (tmp_path / "text").write_text("no database, but long enough for a header of one hundred bytes " * 3)
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = (tmp_path / "other").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    for name, error, message in [
        ("text", ValueError, "text: is no SQLite database"),
        ("other", ValueError, "other: a database of another program"),
        ("pipe", OSError, "pipe: is no regular file"),
        ("", OSError, "is no regular file"),
        ("missing/s", OSError, "missing/s: cannot be opened or created. Check that its folder exists"),
    ]:
        with pytest.raises(error, match=message):
            WriterStore(tmp_path / name)
    assert (tmp_path / "other").read_bytes() == before
    store.close()
    with pytest.raises(ValueError, match="this store was closed"):
        store.writers()
    for sql, message in [
        ("PRAGMA user_version = 2", "a store of schema 2; this version of sigkit has schema 1"),
        ("CREATE TRIGGER t AFTER INSERT ON decisions BEGIN DELETE FROM decisions; END", "it has triggers"),
        ("ALTER TABLE decisions ADD COLUMN extra TEXT", "its decisions are others than in schema 1"),
    ]:
        copy = str(tmp_path / f"copy {len(message)}")
        WriterStore(copy).close()
        with sqlite3.connect(copy) as connection:
            connection.execute(sql)
        connection.close()
        with pytest.raises(ValueError, match=message):
            WriterStore(copy)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_an_error(signatures, verifier, store):
    os.chmod(store.path, 0o400)
    with pytest.raises(OSError, match="cannot be written"):
        WriterStore(store.path).erase([8])


def test_a_full_disk_is_an_error_and_loses_nothing(signatures, verifier, store):
    X, _ = signatures
    with store._database.connection() as connection:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OSError, match=r"writers\.sqlite: the disk is full; nothing of this call was stored") as caught:
        verifier.enroll(X[:40], np.repeat([20, 21], 20))
    assert caught.value.errno == errno.ENOSPC
    assert verifier.classes_.tolist() == ENROLLED
    with store._database.connection() as connection:
        connection.execute("PRAGMA max_page_count = 100000")
    verifier.enroll(X[:40], np.repeat([20, 21], 20))
    assert verifier.classes_.tolist() == [*ENROLLED, 20, 21]
