"""The strokes of an enrolled writer: the references, and how well they agree with each other."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sigkit.estimators._strokes._agreement import SIGNALS, compare_points
from sigkit.estimators._strokes._stroke_points import StrokePoints

N_BEST = 3
"""The references that a query is compared with: those that agree best, signal by signal."""

_LEAST_SPREAD = 0.03
_FEW = 3
_N_TYPICAL_MEAN, _N_TYPICAL_SPREAD = 1, 6
"""As how many references what is typical counts."""


class Typical(NamedTuple):
    """Agreement of two genuine signatures of one writer, where a writer has too few references to measure it.

    Parameters
    ----------
    mean, spread : ndarray of shape (n_signals,)
        Mean and standard deviation of each signal between signatures of one writer.
    between : ndarray of shape (n_signals,)
        Standard deviation of the means of writers.
    """

    mean: np.ndarray
    spread: np.ndarray
    between: np.ndarray


class WriterStrokes(NamedTuple):
    """The references of a writer.

    Parameters
    ----------
    points : StrokePoints
        The references: those with ink, each once.
    mean, spread : ndarray of shape (n_signals,)
        The agreement of a genuine signature with the references, and the divisor of differences from it.
    """

    points: StrokePoints
    mean: np.ndarray
    spread: np.ndarray


def best_agreement(agreement):
    """Average the largest values of each signal.

    Parameters
    ----------
    agreement : ndarray of shape (..., n_references, n_signals)
        Agreement with each reference; minus infinity for a reference that is left out.

    Returns
    -------
    ndarray of shape (..., n_signals)
        The means of the best three, or of all if there are fewer.
    """
    best = np.sort(agreement, axis=-2)[..., -N_BEST:, :]
    counts = np.isfinite(best).sum(axis=-2)
    return np.where(np.isfinite(best), best, 0).sum(axis=-2) / counts


def compare_all(points):
    """Compare all pairs of a writer's references.

    Parameters
    ----------
    points : StrokePoints
        The references.

    Returns
    -------
    ndarray of shape (n_references, n_references, n_signals)
        The agreement; minus infinity on the diagonal.
    """
    first, second = np.triu_indices(len(points), k=1)
    agreement = np.full((len(points), len(points), len(SIGNALS)), -np.inf)
    agreement[first, second] = agreement[second, first] = compare_points(points, first, second)
    return agreement


class _Rows:
    """Features of a writer's signatures as a key: equal if all values are."""

    def __init__(self, rows):
        self.rows = rows
        self.key = rows.dtype.str, rows.shape, rows.tobytes()

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return self.key == other.key


# A threshold is set by fitting the same development writers again and again, in other groups.
@lru_cache(maxsize=128)
def _compare_pairs(own):
    points = StrokePoints.from_rows(own.rows)
    return compare_all(points)[np.triu_indices(len(points), k=1)]


def measure_typical(writers, default):
    """Measure the typical agreement of pairs of genuine signatures.

    Parameters
    ----------
    writers : iterable of ndarray of shape (n_signatures, 7 * n_points)
        Features of genuine signatures of development writers, at least two of each, all with ink.
    default : Typical
        What is typical if it cannot be measured.

    Returns
    -------
    Typical
        The averages over writers, and the standard deviation between them. A single pair has no spread, so the spread
        is that of writers with three signatures. The standard deviation between writers needs three of them.
    """
    pairs = [_compare_pairs(_Rows(rows)) for rows in writers]
    spreads = [one.std(axis=0) for one in pairs if len(one) > 1]
    if not spreads:
        return default
    means = [one.mean(axis=0) for one in pairs]
    between = np.std(means, axis=0) if len(means) >= _FEW else default.between
    return Typical(np.mean(means, axis=0), np.maximum(np.mean(spreads, axis=0), _LEAST_SPREAD), between)


def enroll_strokes(points, typical):
    """Enroll a writer.

    The references are left out one by one, and each is compared with the others: n references give about n - 1
    observations. The mean is that of the observations and of what is typical, which counts as one more. The variance
    is that of the observations and the typical one, which counts as six, plus the uncertainty of the mean: the variance
    between writers, divided by the number of observations plus one.

    Parameters
    ----------
    points : StrokePoints
        The references.
    typical : Typical
        What is typical.

    Returns
    -------
    WriterStrokes
        The writer.
    """
    n_observed, mean, variance = len(points) - 1, 0.0, 0.0
    if n_observed:
        left_out = best_agreement(compare_all(points))
        mean, variance = left_out.mean(axis=0), left_out.var(axis=0)
    mean = (n_observed * mean + _N_TYPICAL_MEAN * typical.mean) / (n_observed + _N_TYPICAL_MEAN)
    variance = (n_observed * variance + _N_TYPICAL_SPREAD * typical.spread**2) / (n_observed + _N_TYPICAL_SPREAD)
    variance += typical.between**2 / (n_observed + 1)
    return WriterStrokes(points, mean, np.sqrt(variance))
