"""Error counts at every threshold, and what is read off them: the equal error rate and the area under the ROC."""

from dataclasses import dataclass

import numpy as np

METHODS = ("nearest", "interpolated", "sigver")


@dataclass(frozen=True)
class _OperatingPoints:
    """Error counts with each distinct score as the threshold, highest first.

    The last axis of both counts runs over `thresholds`; axes before it, shared with the totals, over resamples.
    """

    thresholds: np.ndarray
    false_accepts: np.ndarray
    false_rejects: np.ndarray
    n_forgeries: np.ndarray
    n_genuine: np.ndarray


@dataclass(frozen=True)
class _EqualError:
    """An operating point where both error rates meet: its threshold, and both error counts there."""

    threshold: np.ndarray
    false_accepts: np.ndarray
    false_rejects: np.ndarray


def _share(count: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Divide counts by totals; NaN where there is nothing to count."""
    count, total = np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64)
    return np.divide(count, total, out=np.full(np.broadcast_shapes(count.shape, total.shape), np.nan), where=total > 0)


def _operating_points(score: np.ndarray, genuine: np.ndarray, weights: np.ndarray | None = None) -> _OperatingPoints:
    """Count the errors at every threshold; `weights` (..., n) says how often each trial counts."""
    order = np.argsort(-score, kind="stable")
    score, genuine = score[order], genuine[order]
    last_of_ties = np.flatnonzero(np.append(np.diff(score) != 0, True))
    weights = np.ones(len(score), dtype=np.int64) if weights is None else weights[..., order]
    accepted = np.cumsum(weights, axis=-1)[..., last_of_ties]
    accepted_genuine = np.cumsum(weights * genuine, axis=-1)[..., last_of_ties]
    false_accepts = accepted - accepted_genuine
    n_genuine = accepted_genuine[..., -1]
    return _OperatingPoints(
        score[last_of_ties], false_accepts, n_genuine[..., None] - accepted_genuine, false_accepts[..., -1], n_genuine
    )


def _check_method(method: str) -> None:
    """Raise for a method that is none of `METHODS`."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))}; got {method!r}.")


def _equal_error(points: _OperatingPoints, method: str) -> _EqualError:
    """Find where the false acceptance and the false rejection rate meet, by one of `METHODS`."""
    _check_method(method)
    return {"nearest": _nearest, "interpolated": _interpolated, "sigver": _sigver}[method](points)


def _equal_error_rate(points: _OperatingPoints, method: str) -> np.ndarray:
    """Average both error rates where they meet."""
    error = _equal_error(points, method)
    return (_share(error.false_accepts, points.n_forgeries) + _share(error.false_rejects, points.n_genuine)) / 2


def _area_under_roc(points: _OperatingPoints) -> np.ndarray:
    """Integrate the ROC curve by trapezoids: a tie between a genuine score and a forgery counts half."""
    width = np.diff(points.false_accepts, axis=-1, prepend=0)
    accepted = points.n_genuine[..., None] - points.false_rejects
    height = accepted + np.concatenate([np.zeros_like(accepted[..., :1]), accepted[..., :-1]], axis=-1)
    return _share((width * height).sum(axis=-1), 2 * points.n_genuine * points.n_forgeries)


def _gap(points):
    """FAR - FRR in units of 1 / (n_forgeries * n_genuine): whole numbers, so that ties are exact."""
    return points.false_accepts * points.n_genuine[..., None] - points.false_rejects * points.n_forgeries[..., None]


def _nearest(points):
    best = np.abs(_gap(points)).argmin(axis=-1)
    return _EqualError(points.thresholds[best], _take(points.false_accepts, best), _take(points.false_rejects, best))


def _interpolated(points):
    n_forgeries, n_genuine = points.n_forgeries[..., None], points.n_genuine[..., None]
    # One point above all scores, where everything is rejected: FAR is 0 and FRR is 1.
    gap = np.concatenate([-n_forgeries * n_genuine, _gap(points)], axis=-1)
    frr = np.concatenate([np.ones(n_genuine.shape), _share(points.false_rejects, n_genuine)], axis=-1)
    thresholds = np.concatenate([points.thresholds[:1], points.thresholds])
    after = np.maximum((gap >= 0).argmax(axis=-1), 1)
    start, stop = _take(gap, after - 1), _take(gap, after)
    step = _share(-start, stop - start)
    rate = (1 - step) * _take(frr, after - 1) + step * _take(frr, after)
    threshold = (1 - step) * thresholds[after - 1] + step * thresholds[after]
    return _EqualError(threshold, rate * points.n_forgeries, rate * points.n_genuine)


def _sigver(points):
    shape = points.n_genuine.shape
    n_points = len(points.thresholds)
    accepts, rejects = points.false_accepts.reshape(-1, n_points), points.false_rejects.reshape(-1, n_points)
    totals = zip(points.n_forgeries.ravel(), points.n_genuine.ravel())
    best = [_sigver_index(*row) for row in zip(accepts, rejects, totals)]
    # Index -1 is the point above all scores.
    best = np.array(best, dtype=np.intp).reshape(shape)
    above = best < 0
    return _EqualError(
        np.where(above, np.inf, points.thresholds[best]),
        np.where(above, 0, _take(points.false_accepts, best)),
        np.where(above, points.n_genuine, _take(points.false_rejects, best)),
    )


def _sigver_index(false_accepts, false_rejects, totals):
    n_forgeries, n_genuine = totals
    if not (n_forgeries and n_genuine):
        return 0
    true_accepts = n_genuine - false_rejects
    kept = np.flatnonzero(np.diff(false_accepts + true_accepts, prepend=0))
    if len(kept) > 2:
        # The corners alone, as roc_curve(drop_intermediate=True): points between equal steps are left out.
        bends = (np.diff(false_accepts[kept], 2) != 0) | (np.diff(true_accepts[kept], 2) != 0)
        kept = kept[np.concatenate([[True], bends, [True]])]
    kept = np.append(-1, kept)
    fpr = np.append(0.0, false_accepts[kept[1:]] / n_forgeries)
    tpr = np.append(0.0, true_accepts[kept[1:]] / n_genuine)
    # In floating point on purpose: rounding decides ties between thresholds in the original.
    return kept[np.abs(fpr - (1 - tpr)).argmin()]


def _take(values, index):
    return np.take_along_axis(values, np.asarray(index)[..., None], axis=-1)[..., 0]
