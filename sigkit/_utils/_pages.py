"""Paths that name one page of a file, such as "signatures.tif[2]"."""

import os
import re

from sigkit._utils._regular_file import MAX_SCAN_SIZE, read_file

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


def read_scan(path, limit=MAX_SCAN_SIZE):
    """Read a file of scans, and the number of the page that the path names.

    Parameters
    ----------
    path : str or os.PathLike
        The file, or one of its pages.
    limit : int, default=2**30
        The largest number of bytes.

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
    return read_file(path, limit), page
