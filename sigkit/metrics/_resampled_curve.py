"""Equal error rates of many resamples, without the error counts at every threshold of each of them."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from sigkit.metrics._curves import _operating_points, _OperatingPoints, _ratio

# Neighboring scores are counted together in bins, of which this is the largest number.
N_BINS = 2048
# Numbers of a matrix (n_writers, n_bins).
MATRIX = 2**23


class _Bins:
    """Bins of neighboring scores in decreasing order, each with about the same number of trials."""

    def __init__(self, points: _OperatingPoints, n_bins: int):
        accepted = points.false_accepts + points.n_genuine - points.false_rejects
        # The first score of a bin is the first one that reaches the next of equal shares of the trials.
        share = (accepted - 1) * n_bins // accepted[-1]
        if len(accepted) <= n_bins:
            share = np.arange(len(accepted))
        self.starts = np.flatnonzero(np.diff(share, prepend=-1))
        self.sizes = np.diff(self.starts, append=len(accepted))
        # The bin of each distinct score.
        self.of_score = np.repeat(np.arange(len(self.starts)), self.sizes)


class _Crossing:
    """The last point before a condition holds, and the first point where it does, in each resample."""

    def __init__(
        self,
        n_genuine: np.ndarray,
        n_forgeries: np.ndarray,
        bins: _Bins,
        within: Callable[[int, int], tuple[np.ndarray, np.ndarray]],
        holds: Callable,
    ):
        """Search bins by their counts (n_rows, n_bins), then the scores of the bin that is found.

        `within(row, bin)` returns the genuine trials and the forgeries of each score of a bin. The condition is
        `holds(false_accepts, accepted_genuine, n_forgeries, n_genuine)`; it holds at the last score.
        """
        genuine, forged = np.cumsum(n_genuine, axis=1), np.cumsum(n_forgeries, axis=1)
        self.n_genuine, self.n_forgeries = genuine[:, -1], forged[:, -1]
        found = holds(forged, genuine, self.n_forgeries[:, None], self.n_genuine[:, None]).argmax(axis=1)
        rows = np.arange(len(found))
        stop = np.stack([forged[rows, found], genuine[rows, found]])
        start = stop - np.stack([n_forgeries[rows, found], n_genuine[rows, found]])
        for row in np.flatnonzero(bins.sizes[found] > 1):
            inner_genuine, inner_forged = within(row, found[row])
            accepts = start[0, row] + np.cumsum(inner_forged)
            accepted = start[1, row] + np.cumsum(inner_genuine)
            first = holds(accepts, accepted, self.n_forgeries[row], self.n_genuine[row]).argmax()
            stop[:, row] = accepts[first], accepted[first]
            if first:
                start[:, row] = accepts[first - 1], accepted[first - 1]
        self.before, self.after = start, stop

    def rates(self, side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute FAR and FRR at `before` or `after`."""
        return _ratio(side[0], self.n_forgeries), _ratio(self.n_genuine - side[1], self.n_genuine)


def _has_crossed(accepts, accepted_genuine, n_forgeries, n_genuine):
    """Whether FAR >= FRR, in whole numbers, as rounding must not decide among equal rates."""
    return accepts * n_genuine >= (n_genuine - accepted_genuine) * n_forgeries


def _exceeds(level, accepts, accepted_genuine, n_forgeries, n_genuine):
    """Whether the FAR exceeds a level."""
    return _ratio(accepts, n_forgeries) > level


def _rates(n_genuine, n_forgeries, bins, within, method: str, levels: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Compute the EER, and the FRR at each level of the FAR, of each resample."""
    crossing = _Crossing(n_genuine, n_forgeries, bins, within, _has_crossed)
    (far_before, frr_before), (far, frr) = crossing.rates(crossing.before), crossing.rates(crossing.after)
    if method == "nearest":
        gaps = [
            np.abs(side[0] * crossing.n_genuine - (crossing.n_genuine - side[1]) * crossing.n_forgeries)
            for side in (crossing.before, crossing.after)
        ]
        # Before the first point nothing is accepted, which is no threshold; its gap is the largest one.
        values = {"eer": np.where(gaps[0] <= gaps[1], far_before + frr_before, far + frr) / 2}
    else:
        step = _ratio(frr_before - far_before, (frr_before - far_before) + (far - frr))
        values = {"eer": (1 - step) * frr_before + step * frr}
    for name, level in levels.items():
        crossing = _Crossing(n_genuine, n_forgeries, bins, within, partial(_exceeds, level))
        values[name] = np.where(crossing.n_forgeries > 0, crossing.rates(crossing.before)[1], np.nan)
    return values


class _WriterCurve:
    """The curve of trials of writers, whose resamples have a weight for each writer."""

    def __init__(self, score: np.ndarray, genuine: np.ndarray, writer: np.ndarray, n_writers: int):
        points = _operating_points(score, genuine)
        self.bins = _Bins(points, int(np.clip(MATRIX // n_writers, 64, N_BINS)))
        # Trials by decreasing score, so that those of a bin are a slice.
        order = np.argsort(-score, kind="stable")
        self.genuine, self.writer = genuine[order], writer[order]
        self.position = np.cumsum(np.append(False, np.diff(score[order]) != 0))
        of_trial = self.bins.of_score[self.position]
        n_bins = len(self.bins.starts)
        self.ends = np.cumsum(np.bincount(of_trial, minlength=n_bins))
        cell = self.writer * n_bins + of_trial
        # By kind: the number of trials of each writer in each bin.
        self.counts = [
            np.bincount(cell[mask], minlength=n_writers * n_bins).reshape(n_writers, n_bins).astype(np.float64)
            for mask in (self.genuine, ~self.genuine)
        ]

    def rates(self, weights: np.ndarray, method: str, levels: Mapping[str, float]) -> dict[str, np.ndarray]:
        """Compute the EER, and the FRR at each level of the FAR, for each row of weights (n_rows, n_writers)."""

        def within(row, found):
            trials = slice(self.ends[found - 1] if found else 0, self.ends[found])
            position = self.position[trials] - self.bins.starts[found]
            weight, genuine = weights[row, self.writer[trials]], self.genuine[trials]
            size = self.bins.sizes[found]
            return (
                np.bincount(position, weights=weight * genuine, minlength=size),
                np.bincount(position, weights=weight * ~genuine, minlength=size),
            )

        n_genuine, n_forgeries = (weights @ count for count in self.counts)
        return _rates(n_genuine, n_forgeries, self.bins, within, method, levels)


class _TrialCurve:
    """The curve of trials, of which resamples are drawn with replacement within their kind.

    The numbers of trials that a resample has in each bin are multinomial. Those of single scores are only drawn in the
    bins that have to be searched, which does not change their distribution: resamples of millions of trials cost as
    much as those of thousands.
    """

    def __init__(self, points: _OperatingPoints):
        self.bins = _Bins(points, N_BINS)
        self.n_forgeries = np.diff(points.false_accepts, prepend=0)
        self.n_genuine = np.diff(points.n_genuine - points.false_rejects, prepend=0)

    def rates(
        self, n_rows: int, rng: np.random.RandomState, method: str, levels: Mapping[str, float]
    ) -> dict[str, np.ndarray]:
        """Draw resamples, and compute their EER, FRR at each level of the FAR, and area under the ROC curve."""
        genuine, forged = (self._draw_bins(counts, n_rows, rng) for counts in (self.n_genuine, self.n_forgeries))

        def within(row, found):
            scores = slice(self.bins.starts[found], self.bins.starts[found] + self.bins.sizes[found])
            return tuple(
                rng.multinomial(drawn[row, found], counts[scores] / max(counts[scores].sum(), 1))
                for drawn, counts in ((genuine, self.n_genuine), (forged, self.n_forgeries))
            )

        return _rates(genuine, forged, self.bins, within, method, levels) | {"mean_auc": self._area(genuine, forged)}

    def _draw_bins(self, counts, n_rows, rng):
        in_bins = np.add.reduceat(counts, self.bins.starts)
        return rng.multinomial(in_bins.sum(), in_bins / in_bins.sum(), size=n_rows)

    def _area(self, genuine, forged):
        """Compute the area; of the pairs within a bin, genuine trials win the same fraction as in the sample."""
        starts, of_score = self.bins.starts, self.bins.of_score
        # Forgeries with the score of a point or a lower one.
        lower = np.cumsum(self.n_forgeries[::-1])[::-1]
        below_bin = np.append(lower, 0)[starts + self.bins.sizes]
        wins = np.add.reduceat(self.n_genuine * (lower - self.n_forgeries / 2 - below_bin[of_score]), starts)
        pairs = np.add.reduceat(self.n_genuine, starts) * np.add.reduceat(self.n_forgeries, starts)
        won = np.divide(wins, pairs, out=np.zeros(len(pairs)), where=pairs > 0)
        below = forged.sum(axis=1, keepdims=True) - np.cumsum(forged, axis=1)
        return (genuine * (below + won * forged)).sum(axis=1) / (genuine.sum(axis=1) * forged.sum(axis=1))
