"""Resampling of writers or trials, and the intervals that come of it."""

from collections.abc import Iterator

import numpy as np

from sigkit.metrics._trials import _Trials

# Resamples are handled in blocks of about this many numbers (64 MiB), whatever the number of trials.
BLOCK = 2**23


def _resampled_unit(trials: _Trials) -> str:
    """Tell what a resample draws: writers, or trials where there are no two writers to draw from."""
    return "trials" if trials.writer is None or len(np.unique(trials.writer)) < 2 else "writers"


def _draw_weights(trials: _Trials, unit: str, n_bootstraps: int, rng: np.random.RandomState) -> Iterator[np.ndarray]:
    """Draw with replacement; yield blocks (n, n_units) of how often each writer or each trial was drawn.

    Trials are drawn within their kind, so that every resample has the numbers of trials of the original.
    """
    strata = [np.unique(trials.writer)] if unit == "writers" else [np.flatnonzero(trials.kind == k) for k in range(5)]
    n_units = len(trials.writers) if unit == "writers" else len(trials.score)
    size = max(1, BLOCK // max(n_units, len(trials.score)))
    for start in range(0, n_bootstraps, size):
        n_rows = min(size, n_bootstraps - start)
        weights = np.zeros((n_rows, n_units), dtype=np.int64)
        for units in strata:
            if len(units):
                weights[:, units] = _draw_counts(len(units), n_rows, rng)
        yield weights


def _percentile_interval(replicates: np.ndarray, confidence: float) -> tuple[float, float]:
    """Take the middle share of the replicates; replicates that lack a side of the figure (NaN) are left out."""
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def _draw_counts(n_units, n_rows, rng):
    draws = rng.randint(n_units, size=(n_rows, n_units)) + n_units * np.arange(n_rows)[:, None]
    return np.bincount(draws.ravel(), minlength=n_rows * n_units).reshape(n_rows, n_units)
