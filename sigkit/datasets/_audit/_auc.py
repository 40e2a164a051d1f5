"""The area under the ROC curve of one statistic, pooled and within writers, with a bootstrap over writers."""

import numpy as np

_BLOCK = 2**22
"""Numbers in one block of resamples, 32 MiB."""


def areas(values, genuine, units, resamples):
    """Compute how well a statistic alone separates genuine signatures from forgeries.

    Parameters
    ----------
    values : ndarray of shape (n_scans,)
        The statistic, without NaN.
    genuine : ndarray of shape (n_scans,), dtype bool
        Whether a scan is genuine; the others are forgeries.
    units : ndarray of shape (n_scans,), dtype int
        The number of the writer of each scan.
    resamples : ndarray of shape (n_resamples, n_units)
        How often each resample drew each writer; the first row is ones, the sample itself.

    Returns
    -------
    pooled : ndarray of shape (n_resamples,)
        Share of pairs of a genuine signature and a forgery, of any writers, in which the genuine one has the greater
        value; ties count one half. NaN if there is no pair.
    within : ndarray of shape (n_resamples,)
        The same for pairs of the same writer.
    """
    levels, level = np.unique(values, return_inverse=True)
    # Pairs within each writer: the levels of all writers are put one after the other.
    key = units.astype(np.int64) * len(levels) + level
    cells, cell = np.unique(key, return_inverse=True)
    n_genuine, n_forged = (np.bincount(cell[rows], minlength=len(cells)) for rows in (genuine, ~genuine))
    unit_of_cell = cells // len(levels)
    below = np.cumsum(n_forged) - n_forged
    starts = np.searchsorted(unit_of_cell, np.arange(resamples.shape[1]))
    before = np.append(below, n_forged.sum())[starts]
    wins = n_genuine * (below - before[unit_of_cell] + n_forged / 2)
    n_units = resamples.shape[1]
    won = np.bincount(unit_of_cell, wins, minlength=n_units)
    pairs = np.bincount(units[genuine], minlength=n_units) * np.bincount(units[~genuine], minlength=n_units)
    return _pooled(level, genuine, units, resamples), _ratio(resamples @ won, resamples @ pairs)


def draw_writers(n_units, n_resamples, rng):
    """Draw resamples of writers with replacement; the first is the sample itself."""
    drawn = rng.randint(n_units, size=(n_resamples, n_units)) + n_units * np.arange(n_resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=n_resamples * n_units).reshape(n_resamples, n_units)
    return np.concatenate([np.ones((1, n_units)), counts])


def _pooled(level, genuine, units, resamples):
    order = np.argsort(level, kind="stable")
    level, genuine, units = level[order], genuine[order], units[order]
    starts = np.flatnonzero(np.diff(level, prepend=-1))
    found = []
    size = max(1, _BLOCK // len(level))
    for start in range(0, len(resamples), size):
        weights = resamples[start : start + size][:, units]
        n_genuine = np.add.reduceat(weights * genuine, starts, axis=1)
        n_forged = np.add.reduceat(weights * ~genuine, starts, axis=1)
        below = np.cumsum(n_forged, axis=1) - n_forged / 2
        wins = (n_genuine * below).sum(axis=1)
        found.append(_ratio(wins, n_genuine.sum(axis=1) * n_forged.sum(axis=1)))
    return np.concatenate(found)


def _ratio(part, whole):
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
