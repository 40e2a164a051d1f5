"""The file of a store and the log of SQLite beside it: created together, and found again."""

import errno
import os
import sqlite3
import stat
import threading
import time
from contextlib import suppress

from sigkit._utils import printable_path, whole_file
from sigkit.persistence._store._errors import named_error
from sigkit.persistence._store._schema import new_database

_TRIES, _PAUSE = 5, 0.02
"""A file that another process creates or closes has another state after this many looks, with seconds between them."""


class _Creation:
    """A lock: while a new file is closed, SQLite would lose the locks that another thread takes on it."""

    def __init__(self):
        self.lock = threading.Lock()


_creation = _Creation()


def path_text(path):
    """Return a path as text.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The path.

    Returns
    -------
    str
        The absolute path. So ":memory:" and "", which have another meaning for SQLite, are paths too.

    Raises
    ------
    ValueError
        If it is no path.
    """
    try:
        return os.path.abspath(os.fsdecode(path))
    except TypeError:
        raise ValueError(f"path must be a str or an os.PathLike; found {path!r}.") from None


def identity(path):
    """Return what tells a file from others.

    Parameters
    ----------
    path : str
        The path.

    Returns
    -------
    tuple of int or None
        Its device and number; None if there is no such file.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def log_path(path):
    """Return the path of the log of SQLite.

    Parameters
    ----------
    path : str
        The file of the store.

    Returns
    -------
    str
        The log, which is beside the file that a link leads to.
    """
    return f"{os.path.realpath(path)}-wal"


def prepare_file(path, create):
    """Check a file before SQLite opens it, because SQLite deletes the log of a file that is empty or missing.

    Parameters
    ----------
    path : str
        The file.
    create : bool
        Whether it is created if it does not exist.

    Returns
    -------
    bool
        Whether it has a log. A file without tables has one, unless it was lost.

    Raises
    ------
    ValueError
        If it is empty, or it or its log was deleted.
    OSError
        If it is no regular file, or cannot be created.
    """
    name = printable_path(path)
    with _creation.lock:
        size = _size(path, name)
        if size is None and create:
            _create(path, name)
        elif size is None:
            raise OSError(f"{name}: no such file; it was renamed or deleted. Put it back.")
        elif not size and _stays(lambda: not _size(path, name)):
            raise ValueError(
                f"{name}: an empty file, which is no store; was it truncated? Restore a backup. For a new store, "
                "delete it, and the files with -wal and -shm at the end of their names."
            )
        elif _stays(lambda: _lacks_log(path)):
            raise ValueError(
                f"{name}: the process that used it was ended, and its log (-wal) was deleted since, with what was "
                "stored last. Put the log back, or restore a backup. Delete the file with -shm at the end of its name "
                "to go on with the rest."
            )
        return os.path.exists(log_path(path))


def _create(path, name):
    """Create a database without tables, together with a log: if there are no tables and no log, the log was lost."""
    log = log_path(path)
    with suppress(OSError):
        # If another process creates the file at the same time, there is one before anything is in the log.
        if os.path.getsize(log) and not os.path.exists(path):
            raise ValueError(
                f"{name}: no such file, but its log (-wal) is beside it: the file was renamed or deleted. Put it back, "
                "or restore a backup. For a new store, delete the files with -wal and -shm at the end of their names."
            )
    try:
        with suppress(FileExistsError):
            open(log, "xb").close()
        # Another process may create it at the same time.
        with suppress(FileExistsError), whole_file(os.path.realpath(path), replace=False) as file:
            file.write(new_database())
    except OSError as error:
        is_full = error.errno == errno.ENOSPC
        raise named_error(name, sqlite3.SQLITE_FULL if is_full else sqlite3.SQLITE_CANTOPEN, error) from error


def _size(path, name):
    """Return the bytes of a regular file, None if there is no file; opening a named pipe would wait forever."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise OSError(f"{name}: cannot be opened ({getattr(error, 'strerror', None) or error}).") from None
    # The file is not opened here: closing it would end the locks that SQLite holds in this process.
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{name}: is no regular file. Pass the path of a file.")
    return status.st_size


def _lacks_log(path):
    """Whether only the shared memory is beside the file. SQLite creates it after the log, and deletes it before."""
    return not os.path.exists(log_path(path)) and os.path.exists(f"{os.path.realpath(path)}-shm")


def _stays(is_so):
    """Whether something is so, and remains so for a moment."""
    for _ in range(_TRIES):
        if not is_so():
            return False
        time.sleep(_PAUSE)
    return True


if hasattr(os, "register_at_fork"):
    # A lock that another thread holds during a fork is never released in the child process.
    os.register_at_fork(after_in_child=_creation.__init__)
