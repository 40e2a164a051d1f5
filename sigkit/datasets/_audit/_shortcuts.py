"""Shortcuts: trivial statistics that tell genuine signatures from forgeries without looking at the handwriting."""

from dataclasses import dataclass

import numpy as np

from sigkit._utils import GENUINE
from sigkit.datasets._audit._auc import areas, draw_writers
from sigkit.datasets._audit._file import FILE_COLUMNS
from sigkit.datasets._audit._measure import PREPROCESSED, RAW
from sigkit.datasets._counts import KIND_NAMES

SOURCES = {**dict.fromkeys(FILE_COLUMNS, "file"), **dict.fromkeys(RAW, "raw"), **dict.fromkeys(PREPROCESSED, "ink")}
"""Where each statistic comes from: the file, the raw image, or the ink after preprocessing."""


@dataclass(frozen=True)
class Shortcut:  # numpydoc ignore=PR01
    """How well one statistic alone separates genuine signatures from one kind of forgeries.

    Attributes
    ----------
    statistic : str
        The name of the column of the audit.
    source : {"file", "raw", "ink"}
        Where it comes from: the file, the image as it was scanned, or the ink after the background was removed.
    kind : {"skilled", "simple"}
        The kind of the forgeries.
    auc : float
        Area under the ROC curve, from 0.5 (useless) to 1 (perfect), in the better of the two directions.
    low, high : float or None
        The interval of `auc` in that direction, which can reach below 0.5; None with `n_bootstraps=0`.
    greater : str
        Which scans have the greater values, "genuine" or "forged"; for a statistic that is a text, such as the mode,
        the text that most genuine scans have more often than forgeries.
    within : float
        The area in the same direction for pairs of signatures of the same writer; NaN without any.
    is_strong : bool
        Whether the lower bound of the interval, or `auc` without one, is at least `min_auc` of the audit.

    Examples
    --------
    >>> from sigkit.datasets import audit, make_signatures
    >>> scans, target = make_signatures(n_writers=4, n_genuine=4, n_skilled=4, random_state=0)
    >>> brighter = [scan if forgery else scan - (scan > 99) * 20 for scan, (_, forgery) in zip(scans, target)]
    >>> shortcut = audit([scan.astype("uint8") for scan in brighter], target, random_state=0).shortcuts[0]
    >>> shortcut.greater, shortcut.auc > 0.9, shortcut.is_strong
    ('forged', True, True)
    """

    statistic: str
    source: str
    kind: str
    auc: float
    low: float | None
    high: float | None
    greater: str
    within: float
    is_strong: bool


def find_shortcuts(columns, writers, forgery, *, n_bootstraps, confidence, min_auc, rng):
    """Compute the areas of all statistics.

    Parameters
    ----------
    columns : dict of str to ndarray of shape (n_scans,)
        The statistics; NaN where a scan has none.
    writers, forgery : ndarray of shape (n_scans,)
        Writer and forgery kind of each scan.
    n_bootstraps : int
        The number of resamples of the writers.
    confidence : float
        The confidence level.
    min_auc : float
        From which area a statistic is a strong shortcut.
    rng : RandomState
        For the resamples.

    Returns
    -------
    list of Shortcut
        Sorted by kind, then by area, the greatest first. Statistics that are the same for all scans are left out.
    resampled : {"writers", "scans"}
        What was resampled: scans if there is only one writer.
    """
    found = []
    _, units = np.unique(writers, return_inverse=True)
    resampled = "writers" if units.max() else "scans"
    if resampled == "scans":
        units = np.arange(len(units))
    resamples = draw_writers(units.max() + 1, n_bootstraps, rng)
    for kind, name in KIND_NAMES.items():
        if kind == GENUINE or not (forgery == kind).any() or not (forgery == GENUINE).any():
            continue
        compared = np.isin(forgery, (GENUINE, kind))
        areas_of_kind = []
        for statistic, source in SOURCES.items():
            values, greater = _as_numbers(columns[statistic], forgery == GENUINE, compared)
            rows = compared & ~np.isnan(values)
            genuine = forgery[rows] == GENUINE
            if len(np.unique(values[rows])) < 2 or genuine.all() or not genuine.any():
                continue
            pooled, within = areas(values[rows], genuine, units[rows], resamples)
            if pooled[0] < 0.5:
                pooled, within = 1 - pooled, 1 - within
                greater = greater or "forged"
            low, high = _interval(pooled[1:], confidence)
            strong = (pooled[0] if low is None else low) >= min_auc
            areas_of_kind.append(
                Shortcut(
                    statistic,
                    source,
                    name,
                    float(pooled[0]),
                    low,
                    high,
                    greater or "genuine",
                    float(within[0]),
                    bool(strong),
                )
            )
        found += sorted(areas_of_kind, key=lambda shortcut: -shortcut.auc)
    return found, resampled


def _as_numbers(column, genuine, compared):
    """Return the statistic as numbers, and for texts the one that is most typical of genuine scans."""
    if column.dtype.kind != "U":
        return column.astype(float), ""
    texts, which = np.unique(column, return_inverse=True)
    of_genuine, of_forged = (np.bincount(which[rows], minlength=len(texts)) for rows in (genuine, compared & ~genuine))
    # Texts are ordered by the share of genuine scans, so that the area is that of the best rule that uses them.
    shares = of_genuine / np.maximum(of_genuine + of_forged, 1)
    excess = of_genuine / max(1, of_genuine.sum()) - of_forged / max(1, of_forged.sum())
    return shares[which], f"genuine: {texts[np.argmax(excess)] or 'none'}"


def _interval(drawn, confidence):
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return None, None
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
