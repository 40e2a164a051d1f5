"""Weights that come with the package, by their names."""

import os
from importlib.resources import files

from sigkit._utils import listing

SHIPPED_WEIGHTS = ("synthetic",)
"""Names of the weights in the package."""


def weights_path(weights):
    """Tell where weights are, by their name in the package or by their path.

    A name of weights in the package wins over a file of that very name in the working folder, which could not be read
    anyway: weight files have a suffix. Write `./synthetic` to mean a file.

    Parameters
    ----------
    weights : {"synthetic"}, str or os.PathLike
        Weights in the package by their name, or the path of a file.

    Returns
    -------
    str
        The path of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file, and no weights of that name in the package.

    Examples
    --------
    >>> import os
    >>> from sigkit.nets import weights_path
    >>> os.path.basename(weights_path("synthetic"))
    'synthetic.safetensors'
    >>> weights_path("sythetic")
    Traceback (most recent call last):
        ...
    FileNotFoundError: weights: there is no file 'sythetic'. In the package there are the weights 'synthetic'; pass ...
    """
    name = os.fspath(weights)
    path = str(files("sigkit.nets") / "shipped" / f"{name}.safetensors") if name in SHIPPED_WEIGHTS else name
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"weights: there is no file {path!r}. In the package there are the weights "
            f"{listing(map(repr, SHIPPED_WEIGHTS))}; pass that name, the path of a file, or None to train."
        )
    return path
