"""Find queries that are copies of references."""

import os
from numbers import Real
from typing import NamedTuple

import numpy as np
from PIL import Image

from sigkit._utils import (
    check_ordered,
    check_several,
    content_digest,
    printable_path,
    read_scan,
    read_upload,
    scan_digest,
)
from sigkit.imaging._copies._picture import PICTURE_SIZE, center_pictures, picture_ink
from sigkit.imaging._error import ImageError
from sigkit.imaging._read import read_image


class ScanCopy(NamedTuple):
    """What a scan is a copy of, as `find_copies` finds it.

    Parameters
    ----------
    reference : int
        The number of the reference.
    level : {"file", "pixels", "near"}
        "file": the files have the same bytes; "pixels": the same gray values; "near": nearly the same ink.
    correlation : float
        The correlation of the pictures of their ink; 1 for the same pixels.

    Examples
    --------
    >>> from sigkit.imaging import ScanCopy
    >>> ScanCopy(reference=2, level="near", correlation=0.98).level
    'near'
    """

    reference: int
    level: str
    correlation: float


def find_copies(queries, references, *, near=0.93):
    """Find queries that are copies of references.

    A signature that was cut out of a document on file and presented again agrees perfectly with its references. It is
    no evidence that the person signed. The first level that applies is reported: the same file, the same pixels, or
    nearly the same ink, as if a scan was compressed again, made brighter, cropped, or moderately resampled.

    Parameters
    ----------
    queries, references : array-like of str, os.PathLike, bytes, file object or ndarray of shape (height, width)
        Paths of image files, their contents, files that are open for reading bytes, or uint8 images with bright paper
        and dark ink, which can have colors, (height, width, 3).
    near : float, default=0.93
        Least correlation of two scans with nearly the same ink. Each scan is reduced to a picture of its ink of 24 x 48
        cells, in a frame given by the center and the spread of the ink. Different signatures of one person reach 0.8
        in CEDAR, and 4 of 1,000 drawn signatures reach 0.93.

    Returns
    -------
    list of (ScanCopy or None)
        For each query the reference of which it is a copy, the most similar one; None if it is no copy.

    Raises
    ------
    ImageError
        If a file cannot be read; it is named.
    ValueError
        If an image is no uint8 array of such a shape, or `near` is not between 0 and 1.

    See Also
    --------
    sigkit.datasets.audit : Finds copies within a corpus.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.imaging import find_copies
    >>> scans, _ = make_signatures(n_writers=1, n_genuine=3, n_skilled=0, random_state=0)
    >>> brighter = scans[1] // 2 + 120
    >>> copies = find_copies([scans[0], brighter], references=scans[1:])
    >>> copies[0], copies[1].reference, copies[1].level
    (None, 0, 'near')
    """
    if not isinstance(near, Real) or not 0 < near < 1:
        raise ValueError(f"near must be a number between 0 and 1; got {near!r}.")
    asked, known = (_identify_all(scans, name) for scans, name in ((queries, "queries"), (references, "references")))
    if not asked or not known:
        return [None] * len(asked)
    first, second = (center_pictures(np.stack([one.picture for one in scans])) for scans in (asked, known))
    return [_copy_of(query, known, similar, near) for query, similar in zip(asked, first @ second.T)]


class _Identified(NamedTuple):
    """What identifies a scan: digests of its file, or "", and of its pixels; and a picture of its ink."""

    file: str
    pixels: str
    picture: np.ndarray


def _copy_of(query, references, similar, near):
    for level in ("file", "pixels"):
        own = getattr(query, level)
        equal = [number for number, one in enumerate(references) if own and getattr(one, level) == own]
        if equal:
            return ScanCopy(equal[0], level, 1.0)
    best = int(similar.argmax())
    return ScanCopy(best, "near", float(similar[best])) if similar[best] >= near else None


def _identify_all(scans, name):
    check_several(scans, name)
    check_ordered(scans, name)
    return [_identify(scan, f"{name}[{number}]") for number, scan in enumerate(scans)]


def _identify(scan, name):
    digest, image = "", scan
    if isinstance(scan, (str, os.PathLike)):
        try:
            content, page = read_scan(scan)
            digest, image = scan_digest(content, page), read_image(content, page=page)
        except (OSError, ImageError) as error:
            reason = str(error).removeprefix(f"{printable_path(scan)}: ")
            raise ImageError(f"{printable_path(scan)}: {reason}") from error
    else:
        try:
            content = read_upload(scan)
            if content is not None:
                digest, image = content_digest(content), read_image(content)
        except (OSError, ImageError) as error:
            raise ImageError(f"{name}: {error}") from error
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8 and image.size:
        image = np.asarray(Image.fromarray(image).convert("L"))
    if image.ndim != 2 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"{name} is {image.dtype} of shape {image.shape}; pass paths, or uint8 images.")
    is_blank = image.min() == image.max()
    picture = np.zeros(PICTURE_SIZE, dtype=np.uint8) if is_blank else picture_ink(image)
    return _Identified(digest, content_digest(image), picture)
