"""Save and load preprocessed signatures in one .npz file, in the layout of sigver."""

import os
import zipfile
import zlib

import numpy as np
from sklearn.utils import Bunch

from sigkit._utils import GENUINE, SIMPLE, SKILLED, check_ordered, listing, parse_target, warn, whole_file

ARRAYS = ("x", "y", "yforg", "user_mapping", "filenames")


def load_npz(path):
    """Read preprocessed signatures from an .npz file.

    The file was written by `save_npz` or by sigver. Nothing in it is unpickled. Since sigver pickles its table of
    writers, the writer ids of such a file are indices.

    Parameters
    ----------
    path : str or os.PathLike
        The .npz file, with the arrays `x` of shape (n, 1, height, width) and dtype uint8, `y` (n,), `yforg` (n,),
        `user_mapping` and `filenames` (n,). The writer ids are `user_mapping[y]`.

    Returns
    -------
    Bunch
        The signatures in the order of the file, in these attributes.

        images : ndarray of shape (n_signatures, height, width), dtype uint8
            The images.
        target : ndarray of shape (n_signatures, 2), dtype int64 or object
            Rows `[writer, forgery]`: two integers, or a string and an integer.
        filenames : ndarray of shape (n_signatures,), dtype str
            The name of the file from which each image was made.
        DESCR : str
            The file, and the numbers of signatures and writers.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is not an .npz file or is damaged, or an array is missing, pickled, or of another shape or type.

    Warns
    -----
    UserWarning
        If the table of writers is pickled and is therefore not read.

    See Also
    --------
    save_npz : Write such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sigkit.datasets import load_npz, save_npz
    >>> images = np.zeros((2, 170, 242), dtype=np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "two.npz")
    ...     save_npz(path, images, [["ada", 0], ["ada", 1]])
    ...     load_npz(path).target
    array([['ada', 0],
           ['ada', 1]], dtype=object)
    """
    path = os.fspath(path)
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError(f"{path} is not an .npz file, or is truncated ({os.path.getsize(path)} bytes).")
    with np.load(path, allow_pickle=False) as archive:
        absent = [name for name in ARRAYS if name not in archive.files]
        if absent:
            raise ValueError(
                f"{path} lacks the arrays {listing(absent)}; it has {listing(archive.files) or 'none'}. "
                f"A file of signatures has {listing(ARRAYS)}."
            )
        arrays = {name: _read(archive, name, path) for name in ARRAYS}
    mapping = arrays["user_mapping"]
    if mapping is None:
        warn(
            f"{path}: user_mapping is pickled and was not read, because a pickle can run any program. "
            "The writer ids are the indices in y."
        )
    _check_arrays(path, **arrays)
    writers = arrays["y"] if mapping is None else mapping[arrays["y"]]
    target = np.empty((len(writers), 2), dtype=object if writers.dtype.kind == "U" else np.int64)
    target[:, 0] = writers.tolist()
    target[:, 1] = arrays["yforg"].tolist()
    return Bunch(
        images=arrays["x"][:, 0],
        target=target,
        filenames=arrays["filenames"],
        DESCR=f"{len(target)} preprocessed signatures of {len(np.unique(writers))} writers, from {path}.",
    )


def save_npz(path, images, target, filenames=None):
    """Write preprocessed signatures to an .npz file.

    The file is created when it is complete, so that a reader never finds a part of it. It has sigver's layout, but the
    table of writers is a plain array instead of a pickle, and the file is compressed.

    Parameters
    ----------
    path : str or os.PathLike
        The file. An existing file is replaced.
    images : array-like of shape (n_signatures, height, width), dtype uint8
        The images, all of one size.
    target : array-like or DataFrame of shape (n_signatures,) or (n_signatures, 2)
        Writer ids, or rows `[writer, forgery]`. Ids are integers or strings.
    filenames : array-like of shape (n_signatures,), default=None
        The name of the file from which each image was made; empty strings if None.

    Raises
    ------
    ValueError
        If the images are not a uint8 array with three dimensions, the lengths differ, or the target is invalid.

    See Also
    --------
    load_npz : Read such a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sigkit.datasets import save_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_npz(os.path.join(folder, "one.npz"), np.zeros((1, 170, 242), dtype=np.uint8), [7], ["a007_01.jpg"])
    ...     os.listdir(folder)
    ['one.npz']
    """
    check_ordered(images, "images")
    check_ordered(filenames, "filenames")
    images = np.asarray(images)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(
            f"images must be uint8 of shape (n, height, width), got {images.dtype} of shape {images.shape}."
        )
    writers, forgery = parse_target(target)
    if writers.dtype.kind not in "iuU":
        raise ValueError(f"Writer ids must be integers or strings, got {writers.dtype}.")
    filenames = (
        np.full(len(images), "") if filenames is None else np.array([os.fspath(name) for name in filenames], dtype=str)
    )
    if not len(images) == len(writers) == len(filenames):
        raise ValueError(
            f"{len(images)} images, {len(writers)} targets and {len(filenames)} filenames: the numbers must be equal."
        )
    mapping, index = np.unique(writers, return_inverse=True)
    with whole_file(path) as file:
        np.savez_compressed(
            file,
            x=images[:, np.newaxis],
            y=index.astype(np.int32),
            yforg=forgery.astype(np.int32),
            user_mapping=mapping,
            filenames=filenames,
        )


def _read(archive, name, path):
    """Return one array, or None for a pickled table of writers."""
    try:
        array = archive[name]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if not _is_pickled(archive, name):
            raise ValueError(f"{path}: the array {name} is damaged ({error}). Copy or make the file again.") from error
        if name == "user_mapping":
            return None
        raise ValueError(
            f"{path}: the array {name} is pickled, and pickles are never read: they can run any program."
        ) from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: {name} is not a numpy array.")
    return array


def _is_pickled(archive, name):
    """Return whether the header of an array says that it contains objects, which are stored as a pickle."""
    try:
        with archive.zip.open(f"{name}.npy") as file:
            version = np.lib.format.read_magic(file)
            read_header = (
                np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            )
            return read_header(file)[2].hasobject
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return False


def _check_arrays(path, x, y, yforg, user_mapping, filenames):
    if x.ndim != 4 or x.shape[1] != 1 or x.dtype != np.uint8:
        raise ValueError(f"{path}: x must be uint8 of shape (n, 1, height, width), got {x.dtype} of shape {x.shape}.")
    for name, array, types, word in (
        ("y", y, "iu", "integers"),
        ("yforg", yforg, "iub", "integers"),
        ("filenames", filenames, "U", "str"),
    ):
        if array.shape != (len(x),) or array.dtype.kind not in types:
            raise ValueError(
                f"{path}: {name} must be {word} of shape ({len(x)},) like x, got {array.dtype} of shape {array.shape}."
            )
    unknown = np.setdiff1d(yforg, (GENUINE, SKILLED, SIMPLE))
    if len(unknown):
        raise ValueError(f"{path}: yforg must be 0 (genuine), 1 (skilled) or 2 (simple), found {listing(unknown)}.")
    if user_mapping is not None:
        if user_mapping.ndim != 1 or user_mapping.dtype.kind not in "iuU":
            raise ValueError(
                f"{path}: user_mapping must be one dimension of integers or str, got {user_mapping.dtype} of shape "
                f"{user_mapping.shape}."
            )
        if len(y) and (y.min() < 0 or y.max() >= len(user_mapping)):
            raise ValueError(
                f"{path}: y must be indices into the {len(user_mapping)} ids of user_mapping, got {y.min()} to "
                f"{y.max()}."
            )
