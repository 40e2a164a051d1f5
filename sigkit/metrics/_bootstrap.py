"""Bootstrap over writers or trials, and intervals of error rates."""

from collections.abc import Iterator

import numpy as np

from sigkit._utils import progress
from sigkit.metrics._estimates import _Estimates
from sigkit.metrics._resampled_curve import _TrialCurve
from sigkit.metrics._trials import KIND_NAMES, _Trials

# Weights of all resamples at once would take n_bootstraps x n_trials numbers: 1,000 resamples of the 900,000 trials of
# a GPDS-300 split are 7 GiB. They are drawn in blocks of at most this many numbers (64 MiB) instead.
BLOCK = 2**23
# Resamples of trials between two lines of progress.
N_ROWS = 100


def _resampled_unit(trials: _Trials) -> str:
    """Choose what the bootstrap draws: writers, or trials if there are fewer than two writers."""
    # Trials of one writer are correlated, so writers are the independent units, and drawing trials one by one would
    # give intervals that are too narrow.
    return "trials" if trials.writer is None or len(np.unique(trials.writer)) < 2 else "writers"


def _draw_weights(
    trials: _Trials, unit: str, n_bootstraps: int, rng: np.random.RandomState
) -> tuple[Iterator[np.ndarray], int]:
    """Draw resamples with replacement: blocks (n_resamples, n_units) of how often each unit was drawn.

    Every error rate is a ratio of sums over units, so these counts are all that is needed of a resample. Trials are
    drawn within their kind, so that every resample has the same number of trials of each kind as the sample. The number
    of blocks is returned as well.
    """
    if unit == "writers":
        strata = [np.unique(trials.writer)]
    else:
        strata = [np.flatnonzero(trials.kind == kind) for kind in sorted(KIND_NAMES)]
    n_units = len(trials.writers) if unit == "writers" else len(trials.score)
    # The weights of writers may be expanded to trials, so blocks are limited by the larger of both.
    size = max(1, BLOCK // max(n_units, len(trials.score)))
    starts = range(0, n_bootstraps, size)

    def draw(start):
        n_rows = min(size, n_bootstraps - start)
        weights = np.zeros((n_rows, n_units), dtype=np.int64)
        for units in strata:
            if len(units):
                weights[:, units] = _draw_counts(len(units), n_rows, rng)
        return weights

    return map(draw, starts), len(starts)


def _replicates(
    estimates: _Estimates, n_bootstraps: int, rng: np.random.RandomState, verbose: int
) -> dict[str, np.ndarray]:
    """Compute all estimates of resamples: arrays of shape (n_bootstraps,)."""
    if estimates.unit == "trials" and estimates.method != "sigver":
        blocks = _draw_estimates(estimates, n_bootstraps, rng)
        n_blocks = -(-n_bootstraps // N_ROWS)
    else:
        resampler = estimates.resampler()
        drawn, n_blocks = _draw_weights(estimates.trials, estimates.unit, n_bootstraps, rng)
        blocks = map(resampler.weighted, drawn)
    found = list(progress(blocks, n_blocks, "bootstrap, blocks of resamples", verbose))
    return {name: np.concatenate([block[name] for block in found]) for name in found[0]} if found else {}


def _draw_estimates(estimates, n_bootstraps, rng):
    """Draw the estimates of resamples of trials: their counts are binomial, so that no trial has to be drawn itself."""
    curve = None if estimates.points is None else _TrialCurve(estimates.points)
    for start in range(0, n_bootstraps, N_ROWS):
        n_rows = min(N_ROWS, n_bootstraps - start)
        values = {}
        for name, errors in estimates.errors.items():
            total = np.count_nonzero(estimates.masks[name])
            values[name] = rng.binomial(total, np.count_nonzero(errors) / total, size=n_rows) / total
        if curve is not None:
            values |= curve.rates(n_rows, rng, estimates.method, estimates.levels)
            if estimates.by_writer is not None:
                values["eer_writer"] = values["eer"]
        yield values


def _draw_counts(n_units, n_rows, rng):
    """Draw `n_units` of as many units in each row, and count how often each was drawn."""
    # Offsetting each row by n_units lets a single bincount count all rows.
    draws = rng.randint(n_units, size=(n_rows, n_units)) + n_units * np.arange(n_rows)[:, None]
    return np.bincount(draws.ravel(), minlength=n_rows * n_units).reshape(n_rows, n_units)
