"""Files that are there whole or not at all."""

import os
from contextlib import contextmanager
from uuid import uuid4


@contextmanager
def whole_file(path):
    """Open a file for writing that appears under its name at once, when it is complete.

    A reader never sees half of it, writers at the same time do not mix, and a failure or an interruption leaves what
    was there before.

    Parameters
    ----------
    path : str or os.PathLike
        The file; one of that name is replaced.

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
