"""Read files that a user names, and nothing else that a path can lead to."""

import hashlib
import os
import stat
from contextlib import contextmanager

MAX_SCAN_SIZE = 2**30
"""Bytes of the largest file that is read as a scan: no scan of a signature is near it."""

_FLAGS = os.O_RDONLY
# Opening a named pipe waits for a writer without O_NONBLOCK; opening a terminal can make it the process's own without
# O_NOCTTY; Windows changes line ends without O_BINARY. Each is absent on some systems.
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def open_regular(path, limit=None):
    """Open a regular file to read bytes; anything else is refused at once.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file.
    limit : int or None, default=None
        The largest number of bytes, if there is one.

    Yields
    ------
    file : file object
        Open for reading bytes.
    size : int
        Its number of bytes.

    Raises
    ------
    OSError
        If there is no such file, it cannot be read, it is a folder, a named pipe, a socket or a device, or it is
        larger; the message names it.

    Examples
    --------
    >>> import os
    >>> from sigkit._utils import open_regular
    >>> try:
    ...     with open_regular(os.curdir) as (file, size):
    ...         pass
    ... except OSError as error:
    ...     print(error)
    .: is a folder, not a file.
    """
    name = printable_path(path)
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: no such file.") from None
    except (OSError, ValueError) as error:
        # A ValueError: the path has a null character, or one that the file system cannot encode. Sockets, and folders
        # on Windows, cannot be opened.
        kind = _kind(path)
        reason = f"is {kind}, not a file" if kind else f"cannot be read ({getattr(error, 'strerror', None) or error})"
        raise OSError(f"{name}: {reason}.") from None
    try:
        # Asked of the open file, because the path may lead to another one by now.
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{name}: is {KINDS.get(stat.S_IFMT(status.st_mode), 'no regular file')}, not a file.")
        if limit is not None and status.st_size > limit:
            raise OSError(f"{name}: has {status.st_size:,} bytes, more than {limit:,}.")
        with open(descriptor, "rb", closefd=False) as file:
            yield file, status.st_size
    finally:
        os.close(descriptor)


def read_file(path, limit=None):
    """Read a regular file that is not larger than a limit.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file.
    limit : int or None, default=None
        The largest number of bytes, if there is one. The size is compared with it before anything is read.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    OSError
        If it is not a regular file, cannot be read, or is larger; the message names it.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit._utils import read_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "scan.png")
    ...     with open(path, "wb") as file:
    ...         n_bytes = file.write(b"five!")
    ...     read_file(path)
    b'five!'
    """
    return b"".join(_parts(path, limit))


def file_digest(path, limit=None):
    """Compute a digest of a regular file, without holding it in memory.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file.
    limit : int or None, default=None
        The largest number of bytes, if there is one.

    Returns
    -------
    str
        The SHA-256 digest, 64 hexadecimal digits.

    Raises
    ------
    OSError
        As `read_file` does.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit._utils import content_digest
    >>> from sigkit._utils._regular_file import file_digest
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "scan.png")
    ...     with open(path, "wb") as file:
    ...         n_bytes = file.write(b"five!")
    ...     file_digest(path) == content_digest(b"five!")
    True
    """
    digest = hashlib.sha256()
    for part in _parts(path, limit, 2**20):
        digest.update(part)
    return digest.hexdigest()


def _parts(path, limit, step=None):
    """Yield the content of a file in parts of at most `step` bytes; nothing is read beyond its size.

    Files of /proc have the size 0 or another one, and some have no end.
    """
    with open_regular(path, limit) as (file, size):
        # One byte more, to notice a file that grows meanwhile.
        left = size + 1
        while left:
            try:
                # None instead of bytes: a file that would block.
                part = file.read(min(left, step or left)) or b""
            except OSError as error:
                raise OSError(f"{printable_path(path)}: cannot be read ({error.strerror}).") from error
            if not part:
                break
            left -= len(part)
            yield part
        if left != 1:
            raise OSError(f"{printable_path(path)}: its size changed while it was read. Read it again.")


def printable_path(path):
    r"""Return a path as text that can be printed whatever is in it.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The path.

    Returns
    -------
    str
        The path. Control characters, and those that no encoding has, are escaped; an empty path is ''.

    Raises
    ------
    ValueError
        If it is no path.

    Examples
    --------
    >>> from sigkit._utils import printable_path
    >>> printable_path("scans/ada\0.png")
    'scans/ada\\x00.png'
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise ValueError(f"path must be a str or an os.PathLike; found {path!r}.")
    text = os.fsdecode(path)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text or "''"


def _kind(path):
    """Return what a path that cannot be opened leads to, or None for a regular file."""
    try:
        return KINDS.get(stat.S_IFMT(os.stat(path).st_mode))
    except (OSError, ValueError):
        return None
