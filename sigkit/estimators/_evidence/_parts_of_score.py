"""The score of a fusion, taken apart."""

from typing import NamedTuple

import numpy as np

from sigkit._utils import last_step
from sigkit.estimators._evidence._unfold import unfold
from sigkit.estimators._verifier import NO_INFORMATION


class SumOfParts(NamedTuple):
    """How the score of a fusion is made from those of its verifiers.

    Parameters
    ----------
    weights : dict of str to float
        The weight of each verifier.
    counted : dict of str to float
        What is counted as the score of each verifier.
    intercept : float
        Added to the sum.
    reach : float
        The score of the first verifier from which the others are counted.
    is_matched : bool
        Whether they are.
    """

    weights: dict
    counted: dict
    intercept: float
    reach: float
    is_matched: bool

    @property
    def total(self):
        """The score of the fusion."""
        return sum(self.weights[name] * score for name, score in self.counted.items()) + self.intercept


def scores_of_parts(parts, features, writer):
    """Return the scores of the verifiers of a fusion.

    Parameters
    ----------
    parts : Unfolded
        The verifier taken apart.
    features : array-like of shape (1, ...)
        What the innermost verifier gets of the query.
    writer : int or str
        The claimed writer.

    Returns
    -------
    dict of str to float
        The scores by name; empty if there is no fusion.
    """
    scores = {}
    for name, verifier in parts.fused().items():
        _, own = unfold(verifier).outputs(features)
        scores[name] = float(last_step(verifier).claim_scores(own, [writer])[0])
    return scores


def sum_of_parts(parts, scores):
    """Return what a fusion counts.

    Parameters
    ----------
    parts : Unfolded
        The verifier taken apart.
    scores : dict of str to float
        The score of each verifier.

    Returns
    -------
    SumOfParts or None
        The sum; None if there is no fusion, or its first verifier has no information.
    """
    first, *others = scores.values() or [NO_INFORMATION]
    if first == NO_INFORMATION:
        return None
    combination = parts.verifiers[-1]._fused.combination
    bounded = combination.bound(np.array([first]), np.array(others).reshape(-1, 1))[:, 0]
    return SumOfParts(
        weights=dict(zip(scores, combination.weights.tolist())),
        counted=dict(zip(scores, [first, *bounded.tolist()])),
        intercept=combination.intercept,
        reach=combination.reach,
        is_matched=bool(combination.find_matched(first)),
    )
