"""Imports of packages that sigkit does not require."""

from contextlib import contextmanager


@contextmanager
def optional_package(package, user, install=None):
    """Context of an import, in which an error says who needs the package and how to install it.

    Parameters
    ----------
    package : str
        What is imported, for the message.
    user : str
        What needs it, such as the name of a method.
    install : str, default=None
        What pip is to install; None for `package`.

    Raises
    ------
    ImportError
        If the import fails.

    Examples
    --------
    >>> from sigkit._utils import optional_package
    >>> with optional_package("nowhere", "to_nowhere"):
    ...     import nowhere
    Traceback (most recent call last):
    ...
    ImportError: to_nowhere needs nowhere: pip install nowhere. (No module named 'nowhere')
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(f"{user} needs {package}: pip install {install or package}. ({error})") from error
