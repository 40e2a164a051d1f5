"""Error counts at every threshold, and from them the equal error rate and the area under the ROC curve."""

from dataclasses import dataclass

import numpy as np

METHODS = ("nearest", "interpolated", "sigver")


@dataclass(frozen=True)
class _OperatingPoints:
    """Error counts with each distinct score as the threshold, in decreasing order.

    The last axis of `false_accepts` and `false_rejects` runs over `thresholds`. Leading axes, which `n_forgeries` and
    `n_genuine` share, run over resamples.
    """

    thresholds: np.ndarray
    false_accepts: np.ndarray
    false_rejects: np.ndarray
    n_forgeries: np.ndarray
    n_genuine: np.ndarray


@dataclass(frozen=True)
class _EqualError:
    """The operating point where FAR and FRR are equal: its threshold, and both error counts there."""

    threshold: np.ndarray
    false_accepts: np.ndarray
    false_rejects: np.ndarray


def _ratio(count: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Divide counts by totals; NaN where the total is 0."""
    count, total = np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64)
    return np.divide(count, total, out=np.full(np.broadcast_shapes(count.shape, total.shape), np.nan), where=total > 0)


def _operating_points(score: np.ndarray, genuine: np.ndarray) -> _OperatingPoints:
    """Count the errors at every threshold."""
    # Sorts of values are several times faster than sorts of indices, which matters for millions of scores.
    ordered, ordered_genuine = np.sort(score), np.sort(score[genuine])
    # A threshold accepts all trials of an equal score together, so a run of ties is one point.
    starts = np.flatnonzero(np.append(True, ordered[1:] > ordered[:-1]))
    thresholds = ordered[starts]
    false_rejects = np.searchsorted(ordered_genuine, thresholds, side="left")
    n_genuine, n_forgeries = np.int64(len(ordered_genuine)), np.int64(len(ordered) - len(ordered_genuine))
    false_accepts = n_forgeries - (starts - false_rejects)
    return _OperatingPoints(thresholds[::-1], false_accepts[::-1], false_rejects[::-1], n_forgeries, n_genuine)


def _weighted_points(score: np.ndarray, genuine: np.ndarray, weights: np.ndarray) -> _OperatingPoints:
    """Count the errors at every threshold; `weights` (..., n) counts each trial several times, or not at all."""
    order = np.argsort(-score, kind="stable")
    score, genuine, weights = score[order], genuine[order], weights[..., order]
    last_of_ties = np.flatnonzero(np.append(np.diff(score) != 0, True))
    accepted = np.cumsum(weights, axis=-1)[..., last_of_ties]
    accepted_genuine = np.cumsum(weights * genuine, axis=-1)[..., last_of_ties]
    false_accepts = accepted - accepted_genuine
    n_genuine = accepted_genuine[..., -1]
    return _OperatingPoints(
        score[last_of_ties], false_accepts, n_genuine[..., None] - accepted_genuine, false_accepts[..., -1], n_genuine
    )


def _check_method(method: str) -> None:
    """Raise a ValueError unless the method is one of `METHODS`."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))}; got {method!r}.")


def _equal_error(points: _OperatingPoints, method: str) -> _EqualError:
    """Find the point where FAR and FRR are equal, by one of `METHODS`."""
    _check_method(method)
    return {"nearest": _nearest, "interpolated": _interpolated, "sigver": _sigver}[method](points)


def _equal_error_rate(points: _OperatingPoints, method: str) -> np.ndarray:
    """Compute the mean of FAR and FRR at the equal error point."""
    error = _equal_error(points, method)
    return (_ratio(error.false_accepts, points.n_forgeries) + _ratio(error.false_rejects, points.n_genuine)) / 2


def _rejection_rate_at(points: _OperatingPoints, far: float) -> np.ndarray:
    """Compute the FRR at the lowest threshold whose FAR is at most the given one."""
    exceeds = _ratio(points.false_accepts, points.n_forgeries[..., None]) > far
    # At the lowest threshold all forgeries are accepted, so there is always a first point that exceeds the FAR. If it
    # is the first of all, everything has to be rejected.
    first = exceeds.argmax(axis=-1)
    rejects = np.where(first > 0, _take(points.false_rejects, np.maximum(first - 1, 0)), points.n_genuine)
    return np.where(points.n_forgeries > 0, _ratio(rejects, points.n_genuine), np.nan)


def _area_under_roc(points: _OperatingPoints) -> np.ndarray:
    """Integrate the ROC curve by trapezoids: a tie of a genuine score and a forgery's counts half."""
    # In counts instead of rates, divided once at the end: sums of whole numbers are exact.
    width = np.diff(points.false_accepts, axis=-1, prepend=0)
    accepted = points.n_genuine[..., None] - points.false_rejects
    height = accepted + np.concatenate([np.zeros_like(accepted[..., :1]), accepted[..., :-1]], axis=-1)
    return _ratio((width * height).sum(axis=-1), 2 * points.n_genuine * points.n_forgeries)


def _gap(points):
    """Compute (FAR - FRR) * n_forgeries * n_genuine.

    These are whole numbers. In floating point, thresholds with the same |FAR - FRR| would differ in the last digit, and
    rounding would choose among them.
    """
    return points.false_accepts * points.n_genuine[..., None] - points.false_rejects * points.n_forgeries[..., None]


def _nearest(points):
    """Take the observed threshold where |FAR - FRR| is least, the highest of equally good ones."""
    best = np.abs(_gap(points)).argmin(axis=-1)
    return _EqualError(points.thresholds[best], _take(points.false_accepts, best), _take(points.false_rejects, best))


def _interpolated(points):
    """Find where FAR and FRR cross if both are linear between neighboring thresholds."""
    n_forgeries, n_genuine = points.n_forgeries[..., None], points.n_genuine[..., None]
    # Without a point above all scores, where FAR is 0 and FRR is 1, there is no crossing if FAR exceeds FRR already at
    # the highest score.
    gap = np.concatenate([-n_forgeries * n_genuine, _gap(points)], axis=-1)
    frr = np.concatenate([np.ones(n_genuine.shape), _ratio(points.false_rejects, n_genuine)], axis=-1)
    thresholds = np.concatenate([points.thresholds[:1], points.thresholds])
    # FAR - FRR increases from -1 to 1 along the points. The crossing lies between the last negative and the first
    # non-negative one.
    after = np.maximum((gap >= 0).argmax(axis=-1), 1)
    start, stop = _take(gap, after - 1), _take(gap, after)
    step = _ratio(-start, stop - start)
    rate = (1 - step) * _take(frr, after - 1) + step * _take(frr, after)
    threshold = (1 - step) * thresholds[after - 1] + step * thresholds[after]
    # Both rates are equal here. Given as (fractional) counts, they can be pooled over writers like those of the others.
    return _EqualError(threshold, rate * points.n_forgeries, rate * points.n_genuine)


def _sigver(points):
    """Take the least |FAR - FRR| over the corners of the ROC curve, as the code behind published results does.

    sigver calls `roc_curve` with its default `drop_intermediate=True` and searches the thresholds that are left. A best
    threshold on a straight part of the curve is lost, so with few trials per writer the rate may differ by a point.
    """
    shape = points.n_genuine.shape
    n_points = len(points.thresholds)
    accepts, rejects = points.false_accepts.reshape(-1, n_points), points.false_rejects.reshape(-1, n_points)
    totals = zip(points.n_forgeries.ravel(), points.n_genuine.ravel())
    best = [_sigver_index(*row) for row in zip(accepts, rejects, totals)]
    # Index -1 stands for the point above all scores, which roc_curve adds with an infinite threshold.
    best = np.array(best, dtype=np.intp).reshape(shape)
    above = best < 0
    return _EqualError(
        np.where(above, np.inf, points.thresholds[best]),
        np.where(above, 0, _take(points.false_accepts, best)),
        np.where(above, points.n_genuine, _take(points.false_rejects, best)),
    )


def _sigver_index(false_accepts, false_rejects, totals):
    """Find the index of sigver's threshold in one curve; -1 for the point above all scores."""
    n_forgeries, n_genuine = totals
    if not (n_forgeries and n_genuine):
        # Such a resample has no error rate: dividing by its totals gives NaN for any index.
        return 0
    true_accepts = n_genuine - false_rejects
    # Scores of trials that a resample did not draw are no thresholds of that resample: no count changes there.
    kept = np.flatnonzero(np.diff(false_accepts + true_accepts, prepend=0))
    if len(kept) > 2:
        # roc_curve(drop_intermediate=True) drops points where neither count has a second difference, i.e. points in
        # the middle of a straight segment with equal steps.
        bends = (np.diff(false_accepts[kept], 2) != 0) | (np.diff(true_accepts[kept], 2) != 0)
        kept = kept[np.concatenate([[True], bends, [True]])]
    kept = np.append(-1, kept)
    fpr = np.append(0.0, false_accepts[kept[1:]] / n_forgeries)
    tpr = np.append(0.0, true_accepts[kept[1:]] / n_genuine)
    # In floating point, unlike _gap: this is the expression of the original, where rounding decides ties.
    return kept[np.abs(fpr - (1 - tpr)).argmin()]


def _take(values, index):
    """Take one value along the last axis for each index of the leading axes."""
    return np.take_along_axis(values, np.asarray(index)[..., None], axis=-1)[..., 0]
