"""Audit a corpus: measure all scans, compare them, and collect what a user should know."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike

from sigkit._utils import (
    check_ordered,
    check_several,
    map_parallel,
    own_random_state,
    parse_target,
    progress,
    read_upload,
)
from sigkit.datasets._audit._copies import group_copies
from sigkit.datasets._audit._file import FILE_COLUMNS
from sigkit.datasets._audit._measure import PREPROCESSED, RAW, measure_scans, no_descriptor
from sigkit.datasets._audit._odd import find_odd
from sigkit.datasets._audit._report import CorpusAudit
from sigkit.datasets._audit._shortcuts import find_shortcuts

_BATCH = 16


def audit(
    images: Sequence,
    target: ArrayLike,
    *,
    background: str = "otsu",
    near: float = 0.93,
    min_auc: float = 0.65,
    n_bootstraps: int = 500,
    confidence: float = 0.95,
    n_jobs: int | None = None,
    verbose: int = 0,
    random_state: int | np.random.RandomState | None = None,
) -> CorpusAudit:
    """Look for what makes error rates of a corpus meaningless, before any are computed.

    Three things are looked for. *Copies*: scans with the same bytes, the same pixels or nearly the same ink, of the
    same writer and kind, of another kind, or of another writer. *Unreadable, odd and poor scans*: files that cannot be
    read, that differ from the others, or have defects, by kind of signature. *Shortcuts*: statistics that anyone can
    compute without looking at the handwriting, such as the mean gray value, the size of the image or the resolution in
    the file, and how well each alone tells genuine signatures from forgeries. A verifier that can see them is judged by
    how the scans were made.

    Parameters
    ----------
    images : array-like of shape (n_scans,)
        Paths of image files, their contents as bytes, files that are open for reading bytes, or 2-D uint8 images.
        Damaged files are listed, not raised.
    target : array-like of shape (n_scans,) or (n_scans, 2)
        Writers, or rows `[writer, forgery]`.
    background : {"otsu", "adaptive"}, default="otsu"
        How the background is removed for the statistics of the preprocessed ink; see
        :func:`sigkit.imaging.preprocess_image`.
    near : float, default=0.93
        Least correlation of two near copies. Each scan is reduced to a picture of its ink of 24 x 48 cells, in a frame
        given by the center and the spread of the ink. Compression, another brightness, margin or moderately different
        resolution mostly leave correlations of 0.93 to 1; different signatures of one person reach 0.8 in CEDAR. The
        steadiest hands of `make_signatures` reach more: 4 of 1,000 signatures are taken for copies.
    min_auc : float, default=0.65
        A statistic is a strong shortcut if the lower bound of the interval of its area under the ROC curve is at
        least this.
    n_bootstraps : int, default=500
        Number of bootstrap resamples for the intervals of the areas. Writers are resampled, as their scans depend on
        each other; scans, if there is only one writer.
    confidence : float, default=0.95
        Confidence level of the intervals.
    n_jobs : int, default=None
        Number of scans that are measured at the same time; -1 for one per core.
    verbose : int, default=0
        With 1, the progress is written to the standard error stream.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same intervals in every call.

    Returns
    -------
    CorpusAudit
        The findings: `print` it, see the worst scans with `plot()`, or use its columns.

    Raises
    ------
    ValueError
        If there is no scan, numbers of scans and targets differ, an image is not a 2-D uint8 array, or a parameter has
        an invalid value.

    See Also
    --------
    load_folder : List the scans of a folder.
    sigkit.model_selection.WriterSplit : Splits that keep copies out of the test set.

    Examples
    --------
    A corpus whose forgeries were scanned on whiter paper, and with a copy:

    >>> import numpy as np
    >>> from sigkit.datasets import audit, make_signatures
    >>> scans, target = make_signatures(n_writers=5, n_genuine=4, n_skilled=4, scan="grey", random_state=0)
    >>> scans = [np.where(scan > 200, 250, scan).astype(np.uint8) for scan in scans]
    >>> for scan, (_, forgery) in zip(scans, target):
    ...     scan[scan == 250] -= 0 if forgery else 10
    >>> scans[1] = scans[0].copy()
    >>> found = audit(scans, target, random_state=0)
    >>> found.shortcuts[0].statistic, round(found.shortcuts[0].auc, 2), found.shortcuts[0].greater
    ('mean_gray', 1.0, 'forged')
    >>> found.copy_groups("pixels")
    [[0, 1]]
    """
    scans, names = _check_images(images)
    writers, forgery = parse_target(target)
    if len(scans) != len(writers):
        raise ValueError(f"{len(scans)} images and {len(writers)} targets: the numbers must be equal.")
    _check_parameters(background, near, min_auc, n_bootstraps, confidence)
    rng = own_random_state(random_state)
    measured = _measure_all(scans, background, n_jobs, verbose)
    columns = _columns(names, writers, forgery, measured)
    readable = np.array([not scan.error for scan in measured])
    shortcuts, resampled = find_shortcuts(
        columns, writers, forgery, n_bootstraps=n_bootstraps, confidence=confidence, min_auc=min_auc, rng=rng
    )
    first = group_copies(
        [scan.file_digest for scan in measured],
        [scan.pixel_digest for scan in measured],
        np.stack([no_descriptor() if scan.descriptor is None else scan.descriptor for scan in measured]),
        near,
    )
    columns |= {f"first_{level}": rows for level, rows in first.items()}
    return CorpusAudit(
        columns=columns,
        shortcuts=tuple(shortcuts),
        unreadable={row: scan.error for row, scan in enumerate(measured) if scan.error},
        odd=find_odd(columns, readable),
        poor={row: scan.defects for row, scan in enumerate(measured) if scan.defects},
        min_auc=float(min_auc),
        near=float(near),
        confidence=float(confidence),
        n_bootstraps=int(n_bootstraps),
        resampled=resampled,
        images=scans,
    )


def _measure_all(scans, background, n_jobs, verbose):
    batches = [scans[start : start + _BATCH] for start in range(0, len(scans), _BATCH)]
    parts = [None] * len(batches)

    def work():
        for position, part in map_parallel(measure_scans, batches, background, n_jobs=n_jobs, prefer="threads"):
            parts[position] = part
            yield part

    for _ in progress(work(), len(scans), "audit", verbose):
        pass
    return [scan for part in parts for scan in part]


def _columns(names, writers, forgery, measured):
    columns = {"name": np.array(names), "writer": writers, "forgery": forgery}
    for name, type_ in FILE_COLUMNS.items():
        columns[name] = np.array([scan.file[name] for scan in measured], dtype=type_)
    for name in RAW + PREPROCESSED:
        columns[name] = np.array([scan.statistics[name] for scan in measured], dtype=float)
    columns["error"] = np.array([scan.error for scan in measured])
    columns["defects"] = np.array([", ".join(scan.defects) for scan in measured])
    return columns


def _check_images(images):
    """Return a list of paths and uint8 images, and the name of each."""
    check_several(images, "images")
    check_ordered(images, "images")
    if hasattr(images, "to_numpy"):
        images = images.to_numpy().ravel()
    if not hasattr(images, "__len__") or not hasattr(images, "__getitem__"):
        raise ValueError(f"images must be a list or an array of paths or images, found {type(images).__name__}.")
    scans = list(images)
    if not scans:
        raise ValueError("images is empty: at least 1 scan is needed.")
    names = []
    for row, scan in enumerate(scans):
        if isinstance(scan, (str, os.PathLike)):
            names.append(str(os.fspath(scan)))
            continue
        try:
            content = read_upload(scan)
        except OSError as error:
            raise ValueError(f"image {row}: {error}") from error
        if content is not None:
            scans[row] = content
            names.append(f"image {row}")
            continue
        scans[row] = scan = np.asarray(scan)
        if scan.ndim != 2 or scan.dtype != np.uint8 or not scan.size:
            raise ValueError(
                f"image {row} is {scan.dtype} of shape {scan.shape}; scans are paths, or 2-D uint8 arrays with paper "
                "near 255 and ink near 0."
            )
        names.append(f"image {row}")
    return scans, names


def _check_parameters(background, near, min_auc, n_bootstraps, confidence):
    if background not in ("otsu", "adaptive"):
        raise ValueError(f"background must be 'otsu' or 'adaptive', got {background!r}.")
    for name, value, least in (("near", near, 0), ("min_auc", min_auc, 0.5), ("confidence", confidence, 0)):
        if not isinstance(value, Real) or not least < value < 1:
            raise ValueError(f"{name} must be a number between {least} and 1, got {value!r}.")
    if not isinstance(n_bootstraps, Integral) or isinstance(n_bootstraps, bool) or n_bootstraps < 0:
        raise ValueError(f"n_bootstraps must be an integer of at least 0, got {n_bootstraps!r}.")
