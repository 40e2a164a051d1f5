"""Atomic writing of files."""

import os
import re
import stat
from contextlib import contextmanager, suppress
from uuid import uuid4

from sigkit._utils._regular_file import KINDS, printable_path

try:
    import fcntl
except ImportError:
    # Windows does not remove a file that is open, so there it needs no lock.
    fcntl = None

_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.unfinished$")


@contextmanager
def whole_file(path, *, replace=True, like=None):
    """Write a file atomically: it appears under its name when it is complete.

    Readers never see a part of it, simultaneous writers do not mix, and an error or an interruption leaves the
    previous file. A process that is killed leaves an unfinished file, which the next writer in this folder removes.

    A file that is replaced passes its permissions on, and its owner where the system allows that. Of a symbolic link,
    the file that it leads to is written.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    replace : bool, default=True
        Whether an existing file is replaced. If not, exactly one of several simultaneous writers succeeds. On file
        systems without hard links, the file may be empty for a moment before it is complete.
    like : str, os.PathLike or None, default=None
        A file whose permissions a new file gets; if it does not exist, only its owner can read and write it. None
        leaves them to the system.

    Yields
    ------
    file object
        Open for writing bytes.

    Raises
    ------
    FileExistsError
        If there is such a file, and `replace` is False.
    OSError
        If it cannot be written, or is a device, a named pipe or a socket; the error names the file.
    ValueError
        If `path` is no path.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit._utils import whole_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(os.path.join(folder, "one")) as file:
    ...         n_bytes = file.write(b"whole")
    ...     os.listdir(folder)
    ['one']
    """
    name, path = printable_path(path), os.fsdecode(path)
    publish = os.replace if replace else _link
    target, previous = _look_up(path, name) if replace else (path, None)
    mode = _mode(previous, like)
    remove_unfinished(os.path.dirname(target) or os.curdir)
    file = _create(target, path, name, mode)
    try:
        with file:
            if previous:
                _keep_owner(file, previous)
            yield file
            # The file is published while it is locked: another process must not take it for an abandoned one.
            file.flush()
            if mode is not None:
                with suppress(OSError):
                    # Some file systems have no permissions.
                    os.chmod(file.name, mode)
            if fcntl is not None:
                publish(file.name, target)
        if fcntl is None:
            publish(file.name, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(file.name)
        _name_file(error, path)
        raise


def _look_up(path, name):
    """Return the file that a path leads to, and its status if it is there."""
    target = os.path.realpath(path) if os.path.islink(path) else path
    try:
        status = os.stat(path)
    except (FileNotFoundError, ValueError):
        return target, None
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        # A user who may do that would replace it by a file.
        raise OSError(f"{name}: is {KINDS.get(stat.S_IFMT(status.st_mode), 'no regular file')}, not a file.")
    return target, status


def _mode(previous, like):
    """Return the permissions of a file to be written; None leaves them to the system."""
    if like is not None:
        try:
            previous = os.stat(like)
        except OSError:
            return 0o600
    return None if previous is None else previous.st_mode & 0o777


def _keep_owner(file, previous):
    """Give a file the owner of the file that it replaces: with its permissions alone, he might not read it."""
    if fcntl is not None:
        now = os.fstat(file.fileno())
        if (now.st_uid, now.st_gid) != (previous.st_uid, previous.st_gid):
            with suppress(OSError):
                os.fchown(file.fileno(), previous.st_uid, previous.st_gid)


def _create(target, path, name, mode):
    """Create an unfinished file, and lock it as long as it is open; a lock ends with its process."""
    # Whoever may not read the complete file cannot open it before, and its owner may write it.
    first_mode = 0o666 if mode is None else mode | 0o600
    while True:
        try:
            unfinished = f"{target}.{uuid4().hex}.unfinished"
            file = open(unfinished, "xb", opener=lambda path, flags: os.open(path, flags, first_mode))  # noqa: SIM115
        except OSError as error:
            _name_file(error, path)
            raise
        except ValueError as error:
            # A null character, or one that the file system cannot encode.
            raise OSError(f"{name}: cannot be written ({error}).") from None
        if fcntl is None:
            return file
        with suppress(OSError):
            # Some network file systems have no locks.
            fcntl.flock(file, fcntl.LOCK_EX)
        # It may have been removed between its creation and its lock.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def _name_file(error, path):
    """Name the file in an error: a full disk is reported without a name, other errors name the unfinished file."""
    # An error with a text of its own has no `strerror`, and would show its file only.
    if isinstance(error, OSError) and error.strerror is not None:
        unfinished = str(error.filename).endswith(".unfinished")
        error.filename = path if error.filename is None or unfinished else error.filename


def _link(unfinished, path):
    """Name a finished file, unless there is a file of this name."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:
        # The file system has no hard links. An empty file takes the name; one process only can create it.
        open(path, "xb").close()
        os.replace(unfinished, path)
    else:
        os.unlink(unfinished)


@contextmanager
def locked_folder(folder, waiting):
    """Hold a folder that processes and threads use one after another. The lock of a killed process ends with it.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder, which exists. Nothing is written into it.
    waiting : callable
        Called without arguments before waiting for another one that holds the folder; an error in it ends the wait.
        There are no such locks on Windows, and on some network file systems.

    Examples
    --------
    >>> import tempfile
    >>> from sigkit._utils import locked_folder
    >>> with tempfile.TemporaryDirectory() as folder, locked_folder(folder, waiting=lambda: print("Somebody else?")):
    ...     print("alone")
    alone
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        with suppress(OSError):
            # A process that was forked meanwhile has the file too, and closing it here alone would not end the lock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def remove_unfinished(folder):
    """Remove unfinished files of `whole_file` that no process is writing.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder; nothing is done if it does not exist or is not writable.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit._utils import remove_unfinished
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     open(os.path.join(folder, f"one.{32 * '0'}.unfinished"), "w").close()
    ...     remove_unfinished(folder)
    ...     os.listdir(folder)
    []
    """
    # A ValueError: there is no folder of this name.
    with suppress(OSError, ValueError):
        names = [name for name in os.listdir(folder) if _UNFINISHED.search(name)]
        for name in names:
            with suppress(OSError):
                _remove_unlocked(os.path.join(folder, name))


def _remove_unlocked(path):
    if fcntl is None:
        os.unlink(path)
        return
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
