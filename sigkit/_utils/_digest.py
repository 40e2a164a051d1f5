"""Digests of the content of images, independent of file names."""

import hashlib
import os

import numpy as np

from sigkit._utils._pages import read_upload, split_page
from sigkit._utils._regular_file import MAX_SCAN_SIZE, file_digest


def content_digest(content):
    """Compute a digest of the bytes of a file or the values of an array.

    Parameters
    ----------
    content : bytes or ndarray
        The content. Arrays have equal digests if their shape, dtype and values are equal; dtype object is refused.

    Returns
    -------
    str
        The SHA-256 digest, 64 hexadecimal digits.

    Raises
    ------
    TypeError
        If an array holds Python objects, whose bytes are memory addresses.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import content_digest
    >>> content_digest(np.zeros((2, 3))) == content_digest(np.zeros((3, 2)))
    False
    """
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    array = np.ascontiguousarray(content)
    if array.dtype.hasobject:
        raise TypeError("An array of Python objects cannot be digested: its bytes are memory addresses.")
    fingerprint = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    fingerprint.update(array.reshape(-1).view(np.uint8) if array.size else b"")
    return fingerprint.hexdigest()


def scan_digest(content, page=None):
    """Compute a digest of a scan: of an array, of a file, or of one page of a file.

    Parameters
    ----------
    content : bytes or ndarray
        The whole file, or the image.
    page : int or None, default=None
        The number of the page, if the path names one.

    Returns
    -------
    str
        The digest, 64 hexadecimal digits.

    Examples
    --------
    >>> from sigkit._utils import content_digest, scan_digest
    >>> scan_digest(b"two pages", 0) == scan_digest(b"two pages", 1)
    False
    >>> scan_digest(b"one page") == content_digest(b"one page")
    True
    """
    return _with_page(content_digest(content), page)


def signature_digest(X, row):
    """Compute a digest of one signature: of the bytes of its file, or of its values.

    Parameters
    ----------
    X : array-like, DataFrame or list of n_samples
        Paths, contents of files, open files, images, or rows of features.
    row : int
        The row of the signature.

    Returns
    -------
    str or int
        The digest. If `X` holds single numbers, which stand for signatures without content, the row itself.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import signature_digest
    >>> images = np.zeros((2, 4, 4))
    >>> signature_digest(images, 0) == signature_digest(images, 1)
    True
    """
    signature = X.iloc[row] if hasattr(X, "iloc") else X[row]
    content = read_upload(signature)
    if content is not None:
        return content_digest(content)
    if np.shape(signature) == (1,) and isinstance(np.asarray(signature)[0], (str, os.PathLike)):
        signature = np.asarray(signature)[0]
    if isinstance(signature, (str, os.PathLike)):
        path, page = split_page(signature)
        return _with_page(file_digest(path, MAX_SCAN_SIZE), page)
    if np.ndim(signature) == 0:
        return row
    signature = np.asarray(signature)
    if signature.dtype.hasobject:
        return content_digest(repr(signature.tolist()).encode())
    return content_digest(signature)


def distinct_signatures(X, writers, forgery, rows):
    """Leave out copies: keep the first of the signatures with the same content, writer and forgery kind.

    Parameters
    ----------
    X : array-like, DataFrame or list of n_samples
        Paths, contents of files, open files, images, or rows of features.
    writers, forgery : ndarray of shape (n_samples,)
        The writer and the forgery kind of each signature.
    rows : ndarray of int
        Rows of the signatures to compare.

    Returns
    -------
    ndarray of int
        The rows that are kept, sorted.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import distinct_signatures
    >>> X, writers = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]), np.array(["ada", "ada", "ada"])
    >>> distinct_signatures(X, writers, np.zeros(3, dtype=int), np.arange(3))
    array([0, 1])
    """
    first = {}
    for row in rows.tolist():
        first.setdefault((writers[row], forgery[row], signature_digest(X, row)), row)
    return np.array(sorted(first.values()), dtype=int)


def _with_page(digest, page):
    return digest if page is None else content_digest(f"{digest}[{page}]".encode())
