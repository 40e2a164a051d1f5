"""Atomic writing of files."""

import os
from contextlib import contextmanager
from uuid import uuid4


@contextmanager
def whole_file(path):
    """Write a file atomically: it appears under its name when it is complete.

    Readers never see a part of it, simultaneous writers do not mix, and an error or an interruption leaves the
    previous file.

    Parameters
    ----------
    path : str or os.PathLike
        The file; an existing one is replaced.

    Yields
    ------
    file object
        Open for writing bytes.

    Raises
    ------
    OSError
        If it cannot be written.

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
    path = os.fspath(path)
    unfinished = f"{path}.{uuid4().hex}.unfinished"
    try:
        with open(unfinished, "xb") as file:
            yield file
        os.replace(unfinished, path)
    except BaseException:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
        raise
