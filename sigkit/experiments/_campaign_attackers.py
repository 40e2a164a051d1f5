"""The attacker's verifiers in a campaign, and the thresholds that an attack has to pass."""

import copy

import numpy as np
import torch
from sklearn.base import clone

from sigkit._utils import before_last_step, last_step, with_last_step
from sigkit.estimators import BlackBoxVerifier, DifferentiableVerifier, MetaLearnedVerifier, NotDifferentiable
from sigkit.experiments._campaign_systems import set_random_states

# By how much an attack has to change a score that the attacker's own verifier already decides in the attacker's favor.
_MARGIN = 1e-3


def fit_attacker(split, estimator, *, fits_features):
    """Fit a verifier of the attacker to the attacker's signatures and writers.

    Parameters
    ----------
    split : CampaignSplit
        The split of the campaign.
    estimator : estimator
        The Pipeline to imitate; it must be fitted unless `fits_features`.
    fits_features : bool
        Whether features are fitted as well, or those of the estimator are used.

    Returns
    -------
    estimator
        The fitted verifier. A `MetaLearnedVerifier` is adapted to the attacker's signatures and keeps its meta-learned
        weights, unless `fits_features`.
    """
    if isinstance(last_step(estimator), MetaLearnedVerifier) and not fits_features:
        # The meta-learned weights are its features; only the adaptation to writers is the attacker's.
        rows = np.concatenate([*split.attacker_references.values()])
        adapted = copy.deepcopy(estimator)
        last_step(adapted).enroll(before_last_step(adapted, split.X[rows]), split.target(rows))
        return adapted
    negatives = np.flatnonzero(np.isin(split.writers, split.attacker_writers))
    rows = np.concatenate([negatives, *split.attacker_references.values()])
    X, y = split.X[rows], split.target(rows)
    verifier = clone(last_step(estimator))
    # The attacker's writers are the attacker's development set, with as many negatives of each as there are references.
    n_references = max(len(own) for own in split.attacker_references.values())
    settings = {"dev_writers": split.attacker_writers.tolist(), "n_dev_negatives": n_references}
    supported = verifier.get_params()
    verifier.set_params(**{name: value for name, value in settings.items() if name in supported})
    if fits_features:
        return set_random_states(clone(with_last_step(estimator, verifier)), split.seed).fit(X, y)
    # Pipeline.fit would fit the features again, so the verifier is fitted alone.
    set_random_states(verifier, split.seed).fit(before_last_step(estimator, X), y)
    return with_last_step(estimator, verifier)


def attacker_view(estimator):
    """Wrap a fitted verifier for attacks, with gradients if all its steps have one.

    Parameters
    ----------
    estimator : estimator
        A fitted Pipeline.

    Returns
    -------
    DifferentiableVerifier or BlackBoxVerifier
        The verifier.
    """
    try:
        return DifferentiableVerifier(estimator)
    except NotDifferentiable:
        return BlackBoxVerifier(estimator)


def attack_thresholds(verifier, images, queries, threshold, batch_size):
    """Choose the threshold that each attack has to pass, by scores of the attacker's verifier.

    It is the threshold of the system. If the attacker's verifier already decides a query as the attacker wants,
    although the system does not, the attack would leave the image unchanged; the threshold is therefore moved beyond
    the present score.

    Parameters
    ----------
    verifier : callable
        The attacker's verifier.
    images : ndarray of shape (n_queries, height, width)
        The images of the queries.
    queries : Queries
        The queries.
    threshold : float
        The threshold of the system.
    batch_size : int
        Number of images scored at once.

    Returns
    -------
    ndarray of shape (n_queries,)
        The threshold of each query.
    """
    scores = []
    with torch.no_grad():
        for first in range(0, len(images), batch_size):
            batch = slice(first, first + batch_size)
            scores.append(verifier(torch.from_numpy(images[batch]).float(), queries.claims[batch]).cpu().numpy())
    scores = np.concatenate(scores)
    lower, higher = np.minimum(threshold, scores - _MARGIN), np.maximum(threshold, scores + _MARGIN)
    return np.where(queries.goals == "reject", lower, higher)
