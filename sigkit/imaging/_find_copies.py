"""Queries that are copies of references: replays."""

import os

import numpy as np

from sigkit._utils import check_several, content_digest, printable_path, read_scan, scan_digest
from sigkit.imaging._describe_ink import describe_ink
from sigkit.imaging._error import ImageError
from sigkit.imaging._read import read_image

NEAR = 0.93
"""The least correlation of near copies; the default of `sigkit.datasets.audit`."""


def find_copies(queries, references, *, near=NEAR):
    """Find queries that are copies of references: equal files, equal pixels, or nearly equal ink.

    Nobody writes the same signature twice. A query that equals an enrolled scan is a replay of that scan, and its high
    score confirms nothing.

    Parameters
    ----------
    queries, references : sequence of n_scans str, os.PathLike or ndarray
        Paths of scans, or uint8 images of shape (height, width).
    near : float, default=0.93
        Least correlation of two near copies, as in :func:`sigkit.datasets.audit`. It finds copies that were compressed,
        moved on the page, made brighter or resampled, and few that were turned by a degree or more.

    Returns
    -------
    dict of str to ndarray of shape (n_copies,)
        The columns, which `pandas.DataFrame` takes: "query" and "reference", rows of `queries` and `references`;
        "level", "file" for equal bytes, "pixels" for equal gray values or "near"; and "correlation" of the ink, 1 for
        the first two. Each query has its closest reference only.

    Raises
    ------
    ImageError
        If a scan cannot be read; it is named.
    ValueError
        If one path is passed instead of a list, or `near` is out of range.

    See Also
    --------
    sigkit.datasets.audit : Finds copies within a corpus.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.imaging import find_copies
    >>> scans, _ = make_signatures(n_writers=1, n_genuine=4, n_skilled=0, random_state=0)
    >>> copies = find_copies([scans[3], scans[1] // 2 + 100], scans[:3])
    >>> copies["query"].tolist(), copies["reference"].tolist(), copies["level"].tolist()
    ([1], [1], ['near'])
    """
    if not 0 < near <= 1:
        raise ValueError(f"near must be above 0 and at most 1; found {near}.")
    check_several(queries, "queries")
    check_several(references, "references")
    enrolled = [_describe(scan) for scan in references]
    found = {"query": [], "reference": [], "level": [], "correlation": []}
    for row, scan in enumerate(queries):
        query = _describe(scan)
        compared = [_compare(query, other, near) for other in enrolled]
        best = max(range(len(compared)), key=compared.__getitem__, default=None)
        if best is not None and compared[best][0]:
            rank, correlation = compared[best]
            for name, value in zip(found, (row, best, _LEVELS[rank], correlation)):
                found[name].append(value)
    kinds = {"query": int, "reference": int, "level": "U6", "correlation": float}
    return {name: np.array(values, dtype=kinds[name]) for name, values in found.items()}


_LEVELS = ("", "near", "pixels", "file")


def _describe(scan):
    """Return the digests of the file and of the pixels, and the normalized picture of the ink."""
    file = ""
    if isinstance(scan, (str, os.PathLike)):
        try:
            content, page = read_scan(scan)
            file, image = scan_digest(content, page), read_image(content, page=page)
        except (OSError, ImageError) as error:
            raise ImageError(f"{printable_path(scan)}: {error}") from error
    else:
        image = np.asarray(scan)
        if image.ndim != 2 or image.dtype != np.uint8:
            raise ValueError(f"Scans must be paths or 2-D uint8 images; found {image.dtype} of shape {image.shape}.")
    ink = np.zeros(1)
    if image.min() < image.max():
        ink = describe_ink(image).reshape(-1).astype(np.float64)
        ink -= ink.mean()
        ink /= max(np.linalg.norm(ink), 1e-6)
    return file, content_digest(image), ink


def _compare(query, other, near):
    """Return the rank of the level at which two scans are copies, 0 if they are none, and the correlation."""
    for rank, (first, second) in zip((3, 2), zip(query, other)):
        if first and first == second:
            return rank, 1.0
    correlation = float(query[2] @ other[2]) if len(query[2]) == len(other[2]) else 0.0
    return int(correlation >= near), min(correlation, 1.0)
