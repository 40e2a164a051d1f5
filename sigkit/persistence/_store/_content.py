"""References and models as bytes: what is in the large columns of a store."""

import os
import zlib

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from sigkit._utils import (
    MAX_SCAN_SIZE,
    FileContent,
    check_ordered,
    check_several,
    content_digest,
    listing,
    printable_path,
    read_file,
    read_upload,
    signature_digest,
    split_page,
)

_FAST = 1
"""Compression level. Features are half zeros and images are mostly background: higher levels gain little."""

FIT_AGAIN = "Call `reenroll` with the writer, which fits it from the references."
"""What to do about a damaged model."""

_FILE, _ARRAY = "file", "array"


def pack_arrays(arrays):
    """Write named arrays as compressed bytes.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The arrays.

    Returns
    -------
    content : bytes
        The bytes.
    digest : str
        Their digest.
    """
    content = zlib.compress(save({name: np.asarray(array, order="C") for name, array in arrays.items()}), _FAST)
    return content, content_digest(content)


def unpack_arrays(content, digest, what, advice="Enroll the writer again."):
    """Read named arrays.

    Parameters
    ----------
    content : bytes or None
        What `pack_arrays` returned; None if it was erased.
    digest : str
        Its digest.
    what : str
        What it is, for messages.
    advice : str, default="Enroll the writer again."
        What to do.

    Returns
    -------
    dict of str to ndarray
        The arrays.

    Raises
    ------
    ValueError
        If it was erased, or is damaged.
    """
    if content is None:
        raise ValueError(f"{what}: erased. {advice}")
    try:
        if content_digest(content) != digest:
            raise ValueError("its digest is another one")
        return load(zlib.decompress(content))
    except (ValueError, TypeError, zlib.error, SafetensorError) as error:
        raise ValueError(f"{what}: damaged, its content does not match its digest. {advice}") from error


def check_signatures(X):
    """Check that signatures are in a list, an array or a table.

    Parameters
    ----------
    X : object
        What the user passed.

    Raises
    ------
    ValueError
        If they are not.
    """
    check_ordered(X)
    check_several(X)
    if not hasattr(X, "__len__") or getattr(X, "shape", None) == ():
        raise ValueError(f"X must be a list or an array of signatures: files, images or rows of features; found {X!r}.")


def read_files(X):
    """Read files once, so that what is scored is what is stored: a path may lead to another content a moment later.

    Parameters
    ----------
    X : array-like, DataFrame or list of n_samples
        Signatures.

    Returns
    -------
    array-like, DataFrame or list of n_samples
        The signatures, with the contents of paths and of open files. Pages of files remain paths.

    Raises
    ------
    ValueError
        If `X` is no list, array or table.
    OSError
        If a file cannot be read.
    """
    check_signatures(X)
    items = _items(X)
    if not any(isinstance(one, (str, os.PathLike)) or hasattr(one, "read") for one in items):
        return X
    return [_content(one) for one in items]


def page_digests(X):
    """Compute the digests of pages of files.

    Parameters
    ----------
    X : array-like, DataFrame or list of n_samples
        Signatures, as `read_files` returns them.

    Returns
    -------
    dict of int to str
        The digest of each row that is a page.
    """
    return {row: signature_digest(X, row) for row, one in enumerate(_items(X)) if isinstance(one, (str, os.PathLike))}


def take_signatures(X, rows):
    """Return signatures as they were passed: the content of files, and arrays.

    Parameters
    ----------
    X : array-like, DataFrame or list of n_samples
        Contents of files, images, or rows of features, as `read_files` returns them.
    rows : ndarray of int
        The signatures.

    Returns
    -------
    list of bytes or ndarray
        The signatures.

    Raises
    ------
    ValueError
        If one is a page of a file, or has no content.
    """
    return [_take(X.iloc[row] if hasattr(X, "iloc") else X[row]) for row in rows.tolist()]


def joined_signatures(signatures):
    """Make the input of a verifier of stored signatures.

    Parameters
    ----------
    signatures : list of bytes or ndarray
        The signatures.

    Returns
    -------
    ndarray of shape (n_signatures, ...) or list
        An array if all are rows of features or gray images of one shape.

    Raises
    ------
    ValueError
        If they are rows of different numbers of features.
    """
    shapes = {np.shape(one) for one in signatures if not isinstance(one, bytes)}
    if len(shapes) > 1 and all(len(shape) == 1 for shape in shapes):
        raise ValueError(
            f"References have {listing(str(n) for (n,) in sorted(shapes))} features. Pass those of the system that "
            "computed the stored ones."
        )
    alike = len(shapes) == 1 and not any(isinstance(one, bytes) for one in signatures)
    return np.stack(signatures) if alike and len(shapes.pop()) < 3 else list(signatures)


def pack_signatures(signatures):
    """Write signatures as compressed bytes.

    Parameters
    ----------
    signatures : list of bytes or ndarray
        The signatures.

    Returns
    -------
    content : bytes
        The bytes.
    digest : str
        Their digest.
    """
    named = {}
    for number, one in enumerate(signatures):
        kind = _FILE if isinstance(one, bytes) else _ARRAY
        named[f"{kind} {number}"] = np.frombuffer(one, dtype=np.uint8) if kind == _FILE else one
    return pack_arrays(named)


def unpack_signatures(content, digest, what):
    """Read signatures.

    Parameters
    ----------
    content : bytes or None
        What `pack_signatures` returned; None if it was erased.
    digest : str
        Its digest.
    what : str
        What it is, for messages.

    Returns
    -------
    list of bytes or ndarray
        The signatures.

    Raises
    ------
    ValueError
        If it was erased, or is damaged.
    """
    arrays = unpack_arrays(content, digest, what)
    found = {int(name.split()[1]): (name.split()[0], array) for name, array in arrays.items()}
    return [found[number][1].tobytes() if found[number][0] == _FILE else found[number][1] for number in sorted(found)]


def _items(X):
    """Return the signatures of a list, or of a column of paths; none where signatures are rows of numbers."""
    if not isinstance(X, (list, tuple)):
        X = np.asarray(X)
        is_column = X.dtype.kind in "OUT" and (X.ndim == 1 or (X.ndim == 2 and X.shape[1] == 1))
        X = X.reshape(-1).tolist() if is_column else []
    return list(map(_unwrapped, X))


def _unwrapped(signature):
    """Return the path in a row of a table that has one column."""
    is_row = isinstance(signature, (list, tuple, np.ndarray)) and np.shape(signature) == (1,)
    return signature[0] if is_row and isinstance(signature[0], (str, os.PathLike)) else signature


def _content(signature):
    if isinstance(signature, (str, os.PathLike)):
        path, page = split_page(signature)
        return signature if page is not None else FileContent(read_file(path, MAX_SCAN_SIZE), printable_path(path))
    return read_upload(signature) if hasattr(signature, "read") else signature


def _take(signature):
    if isinstance(signature, (str, os.PathLike)):
        raise ValueError(
            f"{printable_path(signature)}: one page of a file cannot be stored as a reference. Write it to a file of "
            "its own, or pass sigkit.imaging.read_image(path)."
        )
    content = read_upload(signature)
    if content is not None:
        return content
    array = np.asarray(signature)
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise ValueError(
            f"A reference is {array.dtype} of shape {array.shape}. Pass files, images or rows of features."
        )
    return array
