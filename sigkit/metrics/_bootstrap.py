"""Bootstrap over writers or trials, and percentile intervals."""

from collections.abc import Iterator

import numpy as np

from sigkit.metrics._trials import KIND_NAMES, _Trials

# Weights of all resamples at once would take n_bootstraps x n_trials numbers: 1,000 resamples of the 900,000 trials of
# a GPDS-300 split are 7 GiB. They are drawn in blocks of at most this many numbers (64 MiB) instead.
BLOCK = 2**23


def _resampled_unit(trials: _Trials) -> str:
    """Choose what the bootstrap draws: writers, or trials if there are fewer than two writers."""
    # Trials of one writer are correlated, so writers are the independent units, and drawing trials one by one would
    # give intervals that are too narrow.
    return "trials" if trials.writer is None or len(np.unique(trials.writer)) < 2 else "writers"


def _draw_weights(trials: _Trials, unit: str, n_bootstraps: int, rng: np.random.RandomState) -> Iterator[np.ndarray]:
    """Draw resamples with replacement, and yield blocks (n_resamples, n_units) of how often each unit was drawn.

    Every error rate is a ratio of sums over units, so these counts are all that is needed of a resample. Trials are
    drawn within their kind, so that every resample has the same number of trials of each kind as the sample.
    """
    if unit == "writers":
        strata = [np.unique(trials.writer)]
    else:
        strata = [np.flatnonzero(trials.kind == kind) for kind in sorted(KIND_NAMES)]
    n_units = len(trials.writers) if unit == "writers" else len(trials.score)
    # The global EER expands the weights of writers to trials, so blocks are limited by the larger of both.
    size = max(1, BLOCK // max(n_units, len(trials.score)))
    for start in range(0, n_bootstraps, size):
        n_rows = min(size, n_bootstraps - start)
        weights = np.zeros((n_rows, n_units), dtype=np.int64)
        for units in strata:
            if len(units):
                weights[:, units] = _draw_counts(len(units), n_rows, rng)
        yield weights


def _percentile_interval(replicates: np.ndarray, confidence: float) -> tuple[float, float]:
    """Compute the percentile interval of bootstrap replicates, ignoring undefined ones (NaN)."""
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def _draw_counts(n_units, n_rows, rng):
    """Draw `n_units` of as many units in each row, and count how often each was drawn."""
    # Offsetting each row by n_units lets a single bincount count all rows.
    draws = rng.randint(n_units, size=(n_rows, n_units)) + n_units * np.arange(n_rows)[:, None]
    return np.bincount(draws.ravel(), minlength=n_rows * n_units).reshape(n_rows, n_units)
