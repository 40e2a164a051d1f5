"""The weights shipped with the package, by their names."""

import os
from importlib.resources import files

from sigkit._utils import listing

SHIPPED_WEIGHTS = ("synthetic",)
"""Names of the shipped weights."""


def weights_path(weights):
    """Return the path of a weight file, or of shipped weights by their name.

    A name of shipped weights takes precedence over a file of the same name in the current folder; weight files have a
    suffix. Write `./synthetic` for such a file.

    Parameters
    ----------
    weights : {"synthetic"}, str or os.PathLike
        The name of shipped weights, or a path.

    Returns
    -------
    str
        The path of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file, and no shipped weights of that name.

    Examples
    --------
    >>> import os
    >>> from sigkit.nets import weights_path
    >>> os.path.basename(weights_path("synthetic"))
    'synthetic.safetensors'
    >>> weights_path("sythetic")
    Traceback (most recent call last):
        ...
    FileNotFoundError: weights: there is no file 'sythetic'. The package ships the weights 'synthetic'; pass ...
    """
    name = os.fspath(weights)
    path = str(files("sigkit.nets") / "shipped" / f"{name}.safetensors") if name in SHIPPED_WEIGHTS else name
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"weights: there is no file {path!r}. The package ships the weights "
            f"{listing(map(repr, SHIPPED_WEIGHTS))}; pass that name, the path of a file, or None to train."
        )
    return path
