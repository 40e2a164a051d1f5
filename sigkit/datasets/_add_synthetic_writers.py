"""Synthetic development writers beside a user's own signatures."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch
from sklearn.utils.validation import check_consistent_length

from sigkit._utils import check_ordered, join_target, parse_target
from sigkit.datasets._make_signatures import make_signatures
from sigkit.imaging import ImageError, crop_ink, read_image

_N_LOOKED_AT = 8
"""Own scans that are looked at for the kind of the scans."""


def add_synthetic_writers(
    images: Sequence,
    target: ArrayLike,
    n_writers: int = 20,
    n_genuine: int = 8,
    n_skilled: int = 4,
    *,
    background: str = "otsu",
    resolution: float = 300,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
) -> Bunch:
    """Add synthetic development writers to signatures of one's own.

    A verifier needs signatures of other people as negatives, and a threshold needs forgeries. Where there are none,
    synthetic writers take their place: the scans are of the same kind as one's own, gray, bilevel or JPEG.

    Parameters
    ----------
    images : list or array of str, or of ndarray of shape (n_rows, n_columns)
        Paths of scans, or the scans themselves.
    target : array-like of shape (n_samples,) or (n_samples, 2)
        Writer ids, or rows `[writer, forgery]`.
    n_writers, n_genuine, n_skilled : int, default=20, 8, 4
        Number of synthetic writers, and of their genuine signatures and skilled forgeries. Thresholds need a third
        more genuine signatures of each than there are references of one's own writers.
    background : {"otsu", "adaptive", "photo", "none"}, default="otsu"
        As in :class:`~sigkit.transformers.SignaturePreprocessor`. Synthetic signatures that it would refuse are left
        out: with "photo", a signature of a few straight strokes can be taken for lines.
    resolution : float, default=300
        Resolution of one's own scans in dpi, and of the synthetic ones.
    random_state : int, RandomState instance or None, default=None
        Pass an int for reproducible output.
    n_jobs : int or None, default=None
        Number of processes that make signatures.

    Returns
    -------
    Bunch
        `images`, a list of one's own scans and then the synthetic ones; `target`, rows `[writer, forgery]`; and
        `dev_writers`, the ids of the synthetic writers: integers after one's own, or names such as "synthetic 1".

    Raises
    ------
    ValueError
        If `images` and `target` differ in length, or one's own writers have names like those of the synthetic ones.
    ImageError
        If one's own scan is not an image.

    See Also
    --------
    make_signatures : Makes the signatures.
    sigkit.estimators.OperatingPointVerifier : Sets a threshold by development writers.

    Examples
    --------
    >>> from sigkit.datasets import add_synthetic_writers, make_signatures
    >>> scans, _ = make_signatures(n_writers=1, n_genuine=2, n_skilled=0, random_state=3)
    >>> known = add_synthetic_writers(scans, ["ada", "ada"], n_writers=2, n_genuine=2, n_skilled=1, random_state=0)
    >>> len(known.images), known.target.tolist()[2], known.dev_writers
    (8, ['synthetic 1', 0], ['synthetic 1', 'synthetic 2'])
    """
    check_ordered(images)
    writers, forgery = parse_target(target)
    check_consistent_length(images, writers)
    names = _new_ids(writers, n_writers)
    settings = {"scan": _kind_of_scans(images), "resolution": resolution, "random_state": random_state}
    scans, drawn = make_signatures(n_writers, n_genuine, n_skilled, n_jobs=n_jobs, **settings)
    usable = [row for row, scan in enumerate(scans) if background == "otsu" or _is_accepted(scan, background)]
    writers = np.concatenate([writers, np.array(names)[drawn[usable, 0] - 1]])
    return Bunch(
        images=[*images, *(scans[row] for row in usable)],
        target=join_target(writers, np.concatenate([forgery, drawn[usable, 1]])),
        dev_writers=names,
    )


def _new_ids(writers, n_writers):
    """Return ids of the type of the known ones, and other than those."""
    if np.issubdtype(writers.dtype, np.integer):
        first = int(writers.max(initial=0)) + 1
        return list(range(first, first + n_writers))
    names = [f"synthetic {number}" for number in range(1, n_writers + 1)]
    taken = sorted(set(writers.tolist()).intersection(names))
    if taken:
        raise ValueError(f"A writer is named {taken[0]!r}, as a synthetic writer would be. Rename your writer.")
    return names


def _kind_of_scans(images):
    """Return the kind of scans, as `make_signatures` calls it, that most of the first images are of."""
    kinds = [_kind_of_scan(image) for image in images[:_N_LOOKED_AT]]
    return max(sorted(set(kinds)), key=kinds.count, default="grey")


def _kind_of_scan(image):
    is_array = isinstance(image, np.ndarray)
    pixels = image if is_array else read_image(image)
    if len(np.unique(pixels)) <= 2:
        return "two-valued"
    return "jpeg" if not is_array and str(image).lower().endswith((".jpg", ".jpeg")) else "grey"


def _is_accepted(scan, background):
    with contextlib.suppress(ImageError):
        crop_ink(scan, background)
        return True
    return False
