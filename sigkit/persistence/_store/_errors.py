"""Errors of SQLite as errors that name the file and say what to do."""

import errno
import sqlite3
from contextlib import contextmanager

_RESTORE = "Restore a backup; `sqlite3 FILE .recover` may save the rest of it."

_BUSY = errno.EAGAIN, "another process has been writing for longer than timeout. Retry, or raise timeout."

_MESSAGES = {
    sqlite3.SQLITE_FULL: (errno.ENOSPC, "the disk is full; nothing of this call was stored. Free space, and retry."),
    sqlite3.SQLITE_READONLY: (errno.EROFS, "cannot be written. Give this user write access to it and its folder."),
    sqlite3.SQLITE_PERM: (errno.EACCES, "cannot be accessed. Give this user access to it and its folder."),
    sqlite3.SQLITE_CANTOPEN: (
        errno.EACCES,
        "cannot be opened or created. Check that its folder exists, and that this user may write there.",
    ),
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_IOERR: (
        errno.EIO,
        "cannot be read or written ({error}); nothing of this call was stored. Check the disk and its free space.",
    ),
    sqlite3.SQLITE_TOOBIG: (errno.EFBIG, "a writer has more than 1 GB of references. Pass fewer or smaller ones."),
    sqlite3.SQLITE_NOTADB: (None, "is no SQLite database, or is damaged. Pass another path, or restore a backup."),
    sqlite3.SQLITE_CORRUPT: (None, f"is damaged ({{error}}). {_RESTORE}"),
}

_OTHER = (
    errno.EIO,
    f"SQLite {sqlite3.sqlite_version} reports an error ({{error}}); nothing of this call was stored. Retry; if it "
    "recurs, `check` says whether the file is sound.",
)


@contextmanager
def named_errors(path):
    """Replace errors of SQLite.

    Parameters
    ----------
    path : str
        The file, for the message.

    Raises
    ------
    ValueError
        If the file is damaged, or no database of this kind.
    OSError
        If it cannot be read or written, or SQLite fails for another reason.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        # The message of an error of SQLite has text of the file.
        raise ValueError(f"{path}: is damaged ({error}). {_RESTORE}") from error
    except sqlite3.Error as error:
        # The first byte is the kind of error, the others say more.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        raise named_error(path, code, error) from error


def named_error(path, code, error):
    """Make the error of a kind of failure.

    Parameters
    ----------
    path : str
        The file, for the message.
    code : int
        The kind, as SQLite numbers it.
    error : Exception
        What failed.

    Returns
    -------
    ValueError or OSError
        The error.
    """
    number, message = _MESSAGES.get(code, _OTHER)
    message = f"{path}: {message.format(error=error)}"
    if number is None:
        return ValueError(message)
    named = OSError(message)
    named.errno = number
    return named
