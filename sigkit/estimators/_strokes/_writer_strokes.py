"""The strokes of an enrolled writer: the references, and how well they agree with each other."""

from typing import NamedTuple

import numpy as np

from sigkit.estimators._strokes._agreement import compare_points
from sigkit.estimators._strokes._stroke_points import StrokePoints

N_BEST = 3
"""The references that a query is compared with: those that agree best, signal by signal."""

_LEAST_SPREAD = 0.03
_FEW = 3


class Typical(NamedTuple):
    """Agreement of two genuine signatures of one writer, where a writer has too few references to measure it.

    Parameters
    ----------
    mean, spread : ndarray of shape (3,)
        Mean and standard deviation of direction, coverage and pressure.
    """

    mean: np.ndarray
    spread: np.ndarray


class WriterStrokes(NamedTuple):
    """The references of a writer.

    Parameters
    ----------
    points : StrokePoints
        The references: those with ink, each once.
    mean, spread : ndarray of shape (3,)
        The agreement of a genuine signature with the references, and the divisor of differences from it.
    """

    points: StrokePoints
    mean: np.ndarray
    spread: np.ndarray


def best_agreement(agreement):
    """Average the largest values of each signal.

    Parameters
    ----------
    agreement : ndarray of shape (..., n_references, 3)
        Agreement with each reference; minus infinity for a reference that is left out.

    Returns
    -------
    ndarray of shape (..., 3)
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
    ndarray of shape (n_references, n_references, 3)
        The agreement; minus infinity on the diagonal.
    """
    first, second = np.triu_indices(len(points), k=1)
    agreement = np.full((len(points), len(points), 3), -np.inf)
    agreement[first, second] = agreement[second, first] = compare_points(points, first, second)
    return agreement


def measure_typical(writers, default):
    """Measure the typical agreement of pairs of genuine signatures.

    Parameters
    ----------
    writers : iterable of StrokePoints
        Genuine signatures of development writers, at least two of each.
    default : Typical
        What is typical if it cannot be measured.

    Returns
    -------
    Typical
        The averages over writers. A single pair has no spread, so the spread is that of writers with three signatures.
    """
    pairs = [compare_all(points)[np.triu_indices(len(points), k=1)] for points in writers]
    spreads = [one.std(axis=0) for one in pairs if len(one) > 1]
    if not spreads:
        return default
    return Typical(np.mean([one.mean(axis=0) for one in pairs], axis=0), np.mean(spreads, axis=0))


def enroll_strokes(points, typical):
    """Enroll a writer.

    The references are left out one by one, and each is compared with the others. With one or two references, that
    cannot be measured well: the typical spread replaces that of the writer. The mean is the typical one for one
    reference, and half of it for two.

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
    if len(points) == 1:
        return WriterStrokes(points, typical.mean, typical.spread + _LEAST_SPREAD)
    left_out = best_agreement(compare_all(points))
    mean, spread = left_out.mean(axis=0), left_out.std(axis=0)
    if len(points) < _FEW:
        mean, spread = (mean + typical.mean) / 2, typical.spread
    return WriterStrokes(points, mean, spread + _LEAST_SPREAD)
