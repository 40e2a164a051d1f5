"""Paths that name one page of a file, such as "signatures.tif[2]"."""

import os
import re

from sigkit._utils._regular_file import MAX_SCAN_SIZE, printable_path, read_file

_PAGE = re.compile(r"(.+)\[(\d{1,6})\]", re.DOTALL)


def split_page(path):
    """Split a path that ends in the number of a page; the first page is 0, as in ImageMagick.

    Parameters
    ----------
    path : str or os.PathLike
        The path. If there is a file of this very name, it is that file.

    Returns
    -------
    path : str
        The path of the file.
    page : int or None
        The number of the page; None if the path does not end in one, or there is no such file.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit._utils import split_page
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "ada.tif")
    ...     open(path, "w").close()
    ...     split_page(f"{path}[2]") == (path, 2), split_page(path) == (path, None)
    (True, True)
    """
    path = os.fsdecode(path)
    found = _PAGE.fullmatch(path)
    try:
        if found and not os.path.lexists(path) and os.path.isfile(found[1]):
            return found[1], int(found[2])
    except ValueError:
        # A path with a null character: reading it raises the error that names it.
        pass
    return path, None


def read_scan(path, max_memory=None):
    """Read a file of scans, and the number of the page that the path names.

    Parameters
    ----------
    path : str or os.PathLike
        The file, or one of its pages.
    max_memory : float or None, default=None
        The largest memory in MiB, if there is a limit: a scan takes that of the file, and of a copy of its parts.

    Returns
    -------
    content : bytes
        The whole file.
    page : int or None
        The number of the page.

    Raises
    ------
    OSError
        If it is not a regular file, cannot be read, or is larger; the message names it.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit._utils import read_scan
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "ada.tif")
    ...     with open(path, "wb") as file:
    ...         n_bytes = file.write(b"five!")
    ...     read_scan(f"{path}[2]")
    (b'five!', 2)
    """
    path, page = split_page(path)
    file, bracket, _ = path.rpartition("[")
    if bracket and path.endswith("]") and not os.path.lexists(path) and os.path.isfile(file):
        example = f"{printable_path(file)}[0]"
        raise FileNotFoundError(
            f"{printable_path(path)}: no such file, and no page: their numbers start at 0, as in {example}."
        )
    problem = None if max_memory is None else too_many_bytes(_size(path), max_memory)
    if problem:
        raise OSError(f"{printable_path(path)}: {problem}")
    return read_file(path, MAX_SCAN_SIZE), page


def too_many_bytes(size, max_memory):
    """Say why a file is too large to be read as a scan.

    Parameters
    ----------
    size : int
        Its number of bytes.
    max_memory : float
        The largest memory in MiB.

    Returns
    -------
    str or None
        The problem, and what to do; None if it is not too large.

    Examples
    --------
    >>> from sigkit._utils import too_many_bytes
    >>> print(too_many_bytes(2**20, max_memory=1))
    has 1,048,576 bytes: with a copy of its parts, more than max_memory=1 MiB. Compress the image, reduce its size, ...
    """
    if 2 * size <= max_memory * 2**20:
        return None
    return (
        f"has {size:,} bytes: with a copy of its parts, more than max_memory={max_memory:g} MiB. Compress the image, "
        "reduce its size, or raise max_memory."
    )


class FileContent(bytes):
    """The content of a file that was read, with the name by which errors refer to it.

    Parameters
    ----------
    content : bytes
        The content.
    name : str
        The name.

    Examples
    --------
    >>> from sigkit._utils import FileContent
    >>> FileContent(b"five!", "ada.png").name
    'ada.png'
    """

    def __new__(cls, content, name):
        own = super().__new__(cls, content)
        own.name = name
        return own

    def __getnewargs__(self):
        return bytes(self), self.name


def read_upload(source, max_size=MAX_SCAN_SIZE):
    """Return the content of a scan that is passed as bytes or as an open file.

    Parameters
    ----------
    source : object
        Bytes, a file that is open for reading bytes, or anything else, such as a path or an array.
    max_size : int, default=2**30
        The largest number of bytes of a file.

    Returns
    -------
    bytes or None
        The content, of a file from its start if it can be rewound; None for anything else.

    Raises
    ------
    OSError
        If the file is open as text, closed, empty or larger, or cannot be read.

    Examples
    --------
    >>> import io
    >>> from sigkit._utils import read_upload
    >>> file = io.BytesIO(b"five!")
    >>> read_upload(file), read_upload(file), read_upload(b"five!"), read_upload("ada.png")
    (b'five!', b'five!', b'five!', None)
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return source if isinstance(source, FileContent) else bytes(source)
    if not hasattr(source, "read"):
        return None
    try:
        if not hasattr(source, "seekable") or source.seekable():
            source.seek(0)
        content = source.read(max_size + 1)
    except (OSError, ValueError) as error:
        raise OSError(f"the file cannot be read ({error}). Pass it open, or its path.") from error
    if isinstance(content, str):
        raise OSError('the file is open as text. Open it with "rb".')
    if len(content) > max_size:
        raise OSError(f"the file has more than {max_size:,} bytes.")
    if not content:
        raise OSError("the file is empty, or was read before and cannot be rewound.")
    return bytes(content)


def _size(path):
    """Return the bytes of a regular file; 0 if reading it will raise an error anyway."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else 0
    except OSError:
        return 0
