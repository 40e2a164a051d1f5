"""Intervals of error rates from bootstrap replicates, and exact ones where there are no errors."""

import numpy as np


def _interval(
    name: str,
    value: float,
    counts: tuple[int, int],
    replicates: np.ndarray | None,
    confidence: float,
    by_writer: bool,
) -> tuple[float | None, float | None, str | None]:
    """Return the bounds of an estimate and how they were computed: "bootstrap", "exact" or None.

    `counts` are the numbers of genuine trials and of forgeries. `by_writer` means that thresholds or areas of writers
    were averaged.
    """
    if replicates is None or np.isnan(value):
        return None, None, None
    low, high = _percentiles(replicates, confidence)
    # Where no trial is in error, no resample has an error either.
    if value not in (0, 1):
        # Resamples are all equal if all trials behind the estimate are those of one writer.
        return (None, None, None) if low == high else (low, high, "bootstrap")
    if by_writer:
        # The threshold of each writer fits its few trials, and errors of other trials cannot be bounded.
        return None, None, None
    distance = _largest_distance(name, counts, confidence)
    # A threshold that depends on forgeries varies with them, which only the bootstrap shows.
    return (0.0, max(high, distance), "exact") if value == 0 else (min(low, 1 - distance), 1.0, "exact")


def _percentiles(replicates: np.ndarray, confidence: float) -> tuple[float, float]:
    """Compute the percentile interval of bootstrap replicates, ignoring undefined ones (NaN)."""
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def _largest_distance(name, counts, confidence):
    """Return the largest distance to the extreme value that is found that the number of trials does not exclude."""
    n_genuine, n_forgeries = counts
    if name not in ("eer", "mean_auc"):
        return clopper_pearson(n_genuine or n_forgeries, confidence)
    # Genuine scores and those of forgeries do not overlap. Between them both error rates have their own bound, each at
    # half of the error probability. The EER is at most the larger one, and 1 - AUC at most their sum.
    bounds = [clopper_pearson(count, (1 + confidence) / 2) for count in counts]
    return min(1.0, max(bounds) if name == "eer" else sum(bounds))


def clopper_pearson(n_trials, confidence):
    """Return the one-sided exact upper limit of a probability after trials without the event.

    Parameters
    ----------
    n_trials : int
        The number of trials.
    confidence : float
        The confidence of the limit.

    Returns
    -------
    float
        The limit.
    """
    return float(1 - (1 - confidence) ** (1 / n_trials))
