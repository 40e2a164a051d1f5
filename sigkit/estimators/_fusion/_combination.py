"""The combination of the scores of several verifiers."""

from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

DEFAULT_WEIGHT = 0.4
"""The weight of each verifier after the first, where none is learned."""


class Combination(NamedTuple):
    """A weighted sum of scores, in which only the first one is unbounded.

    Parameters
    ----------
    weights : ndarray of shape (n_verifiers,)
        The weight of each verifier.
    intercept : float
        Added to the sum.
    reach : float
        Claims whose first score is below it have the lower bound as all other scores.
    bounds : tuple of (float, float)
        Bounds of the scores of all verifiers but the first.
    """

    weights: np.ndarray
    intercept: float
    reach: float
    bounds: tuple

    def find_matched(self, first):
        """Find the claims for which the other verifiers are asked.

        Parameters
        ----------
        first : ndarray
            Scores of the first verifier.

        Returns
        -------
        ndarray of bool
            Whether they are within reach.
        """
        return first >= self.reach

    def bound(self, first, others):
        """Return what is counted of the other verifiers.

        Parameters
        ----------
        first : ndarray of shape (n_claims,)
            Scores of the first verifier.
        others : ndarray of shape (n_verifiers - 1, n_claims)
            Scores of the others; any value for claims that are not within reach.

        Returns
        -------
        ndarray of shape (n_verifiers - 1, n_claims)
            The scores within the bounds; the lower bound for claims that are not within reach.
        """
        low, high = self.bounds
        return np.where(self.find_matched(first), np.clip(others, low, high), low)

    def apply(self, first, others):
        """Combine scores.

        Parameters
        ----------
        first : ndarray of shape (n_claims,)
            Scores of the first verifier.
        others : ndarray of shape (n_verifiers - 1, n_claims)
            Scores of the others; any value for claims that are not within reach.

        Returns
        -------
        ndarray of shape (n_claims,)
            The sums.
        """
        return self.weights[0] * first + self.weights[1:] @ self.bound(first, others) + self.intercept


def learn_combination(scores, is_genuine, reach, bounds):
    """Learn the weights by logistic regression, with the weight 1 for the first verifier.

    Parameters
    ----------
    scores : ndarray of shape (n_claims, n_verifiers)
        Scores of claims within reach.
    is_genuine : ndarray of shape (n_claims,), dtype bool
        Which are genuine; both kinds weigh the same.
    reach, bounds : float, tuple of (float, float)
        As in `Combination`.

    Returns
    -------
    Combination or None
        The combination; None if the first verifier does not separate the claims, or they are of one kind only.
    """
    if is_genuine.all() or not is_genuine.any():
        return None
    bounded = np.column_stack([scores[:, 0], np.clip(scores[:, 1:], *bounds)])
    model = LogisticRegression(C=10.0, class_weight="balanced").fit(bounded, is_genuine)
    first, *others = model.coef_[0]
    if first <= 0:
        return None
    # A negative weight would reward disagreement.
    weights = np.array([1.0, *(max(weight, 0.0) / first for weight in others)])
    return Combination(weights, float(model.intercept_[0] / first), reach, bounds)
