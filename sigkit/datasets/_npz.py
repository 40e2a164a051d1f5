"""Save and load preprocessed signatures in one .npz file, in the layout of sigver."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from sigkit._utils import (
    DIGEST,
    FORMAT,
    GENUINE,
    SIMPLE,
    SKILLED,
    check_ordered,
    digest_of,
    listing,
    parse_ids,
    parse_target,
    warn,
    whole_file,
)
from sigkit.datasets._npz_file import NpzFile

_FORMAT = "sigkit signatures 1"
ARRAYS = ("x", "y", "yforg")
OPTIONAL = ("user_mapping", "filenames")
"""Arrays of sigver's programs that its documentation does not ask for."""


def load_npz(path: str | os.PathLike) -> Bunch:
    """Read preprocessed signatures from an .npz file.

    The file was written by `save_npz` or by sigver. Nothing in it is unpickled. Since sigver pickles its table of
    writers, the writer ids of such a file are indices. A file of `save_npz` must match its digest.

    Parameters
    ----------
    path : str or os.PathLike
        The .npz file, with the arrays `x` of shape (n, 1, height, width) and dtype uint8, `y` (n,) and `yforg` (n,),
        and possibly `user_mapping` and `filenames` (n,). The writer ids are `user_mapping[y]`; without
        `user_mapping` they are `y`.

    Returns
    -------
    Bunch
        The signatures in the order of the file, in these attributes.

        images : ndarray of shape (n_signatures, height, width), dtype uint8
            The images.
        target : ndarray of shape (n_signatures, 2), dtype int64 or object
            Rows `[writer, forgery]`: two integers, or a string and an integer.
        filenames : ndarray of shape (n_signatures,), dtype str
            The name of the file from which each image was made; empty strings if the file has none.
        DESCR : str
            The file, and the numbers of signatures and writers.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is not an .npz file or is damaged; if an array is missing, pickled, or of another shape or type; or
        if an array of more than 1 GiB is compressed to less than 1/200, as images of signatures never are.
    OSError
        If the file cannot be read.

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
    archive = NpzFile(path)
    absent = [name for name in ARRAYS if name not in archive.names]
    if absent:
        raise ValueError(
            f"{path} lacks the arrays {listing(absent)}; it has {listing(archive.names) or 'none'}. "
            f"A file of signatures has {listing(ARRAYS)}, and possibly {listing(OPTIONAL)}."
        )
    arrays = {name: archive.read(name) for name in (*ARRAYS, *OPTIONAL) if name in archive.names}
    pickled = [name for name, array in arrays.items() if array is None and name != "user_mapping"]
    if pickled:
        raise ValueError(
            f"{path}: the array {pickled[0]} is pickled, and pickles are never read: they can run any program."
        )
    if {FORMAT, DIGEST} & {*archive.names}:
        _check_digest(path, archive, arrays)
    mapping = arrays.setdefault("user_mapping", None)
    if mapping is None and "user_mapping" in archive.names:
        warn(
            f"{path}: user_mapping is pickled and was not read, because a pickle can run any program. "
            "The writer ids are the indices in y."
        )
    arrays.setdefault("filenames", np.full(arrays["x"].shape[:1], ""))
    _check_arrays(path, **arrays)
    if mapping is not None:
        mapping = _check_ids(path, mapping)
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


def save_npz(path: str | os.PathLike, images: ArrayLike, target: ArrayLike, filenames: ArrayLike | None = None) -> None:
    """Write preprocessed signatures to an .npz file.

    The file is created when it is complete, so that a reader never finds a part of it. It has sigver's layout, but the
    table of writers is a plain array instead of a pickle, the file is compressed, and there is a digest of the arrays.

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
    OSError
        If the file cannot be written; the error names it.

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
    filenames = (
        np.full(len(images), "") if filenames is None else np.array([os.fspath(name) for name in filenames], dtype=str)
    )
    if not len(images) == len(writers) == len(filenames):
        raise ValueError(
            f"{len(images)} images, {len(writers)} targets and {len(filenames)} filenames: the numbers must be equal."
        )
    mapping, index = np.unique(writers, return_inverse=True)
    arrays = {
        "x": images[:, np.newaxis],
        "y": index.astype(np.int32),
        "yforg": forgery.astype(np.int32),
        "user_mapping": mapping,
        "filenames": filenames,
        FORMAT: _FORMAT,
    }
    with whole_file(path) as file:
        np.savez_compressed(file, **arrays, **{DIGEST: digest_of(arrays)})


def _check_digest(path, archive, arrays):
    """Check a file that `save_npz` wrote; two entries mark it, of which damage hits one."""
    found = {name: archive.read(name) if name in archive.names else None for name in (FORMAT, DIGEST)}
    if any(value is None or value.shape != () or value.dtype.kind != "U" for value in found.values()):
        raise ValueError(f"{path}: has no digest: damaged. Copy or make the file again.")
    if found[FORMAT].item() != _FORMAT:
        raise ValueError(f"{path}: a file of another kind or version, not {_FORMAT!r}. Make it again by save_npz.")
    if any(arrays.get(name) is None for name in OPTIONAL) or found[DIGEST].item() != digest_of(
        {**arrays, FORMAT: _FORMAT}
    ):
        raise ValueError(f"{path}: damaged, its content does not match its digest. Copy or make the file again.")


def _check_ids(path, mapping):
    """Parse the ids of the table of writers, which must differ: two writers would be merged otherwise."""
    try:
        ids = parse_ids(mapping, "user_mapping")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    known, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"{path}: user_mapping names writers twice: {listing(map(repr, known[counts > 1].tolist()))}.")
    return ids


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
