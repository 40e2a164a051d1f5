"""The fitted systems of a campaign, with their thresholds and scores."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import clone

from sigkit.estimators import BlackBoxVerifier
from sigkit.metrics import eer_score, eer_threshold


@dataclass(frozen=True, eq=False)
class System:
    """A fitted system with its threshold.

    Parameters
    ----------
    estimator : estimator
        The fitted Pipeline.
    matrix : ndarray of shape (n_queries, n_writers)
        Scores of the queries against each of the system's writers.
    threshold : float
        The threshold of the EER of skilled forgeries over all writers, half-way between two scores.
    eer : float
        That EER.
    """

    estimator: object
    matrix: np.ndarray
    threshold: float
    eer: float


def fit_system(estimator, split):
    """Fit a system to its writers, score the queries and choose the threshold.

    Parameters
    ----------
    estimator : estimator
        The unfitted Pipeline.
    split : CampaignSplit
        The split of the campaign.

    Returns
    -------
    System
        The fitted system.

    Raises
    ------
    ValueError
        If there are no skilled forgeries among the queries.
    """
    labels = split.query_labels()
    if labels.all():
        raise ValueError("A campaign needs skilled forgeries of the writers: rows [writer, 1] in y.")
    rows = split.system_rows()
    fitted = set_random_states(clone(estimator), split.seed).fit(split.X[rows], split.target(rows))
    matrix = fitted.decision_function(split.X[split.queries])
    columns = np.searchsorted(list(split.references), split.writers[split.queries])
    scores = matrix[np.arange(len(matrix)), columns]
    threshold = float(eer_threshold(labels, scores))
    below = scores[scores < threshold]
    if len(below):
        # The threshold of the EER is the score of a query. Computed again in another batch, that score may be smaller
        # by a rounding error and fall below the threshold: an attack would succeed without any change of the image.
        threshold = (threshold + float(below.max())) / 2
    return System(fitted, matrix, threshold, float(eer_score(labels, scores)))


def score_claims(system, images, claims):
    """Score claims by a system.

    Parameters
    ----------
    system : System
        The system.
    images : ndarray of shape (n_images, height, width)
        Images.
    claims : ndarray of shape (n_images,)
        The claimed writer of each image.

    Returns
    -------
    ndarray of shape (n_images,)
        Scores.
    """
    return BlackBoxVerifier(system.estimator)(torch.from_numpy(images), claims).numpy()


def eer_of_queries(system, images, split):
    """Compute the EER of skilled forgeries of a system on changed images of all queries.

    Parameters
    ----------
    system : System
        The system.
    images : ndarray of shape (n_queries, height, width)
        The images of the queries, such as cleaned ones.
    split : CampaignSplit
        The split of the campaign.

    Returns
    -------
    float
        The EER with a global threshold.
    """
    scores = score_claims(system, images, split.writers[split.queries])
    return float(eer_score(split.query_labels(), scores))


def set_random_states(estimator, seed):
    """Set all parameters `random_state` of an estimator that are None, so that a campaign can be repeated.

    Parameters
    ----------
    estimator : estimator
        The estimator, modified in place.
    seed : int
        The seed.

    Returns
    -------
    estimator
        The same estimator.
    """
    parameters = estimator.get_params()
    # get_params does not descend into lists, such as the surrogates of an EnsembleAdversarialTrainer.
    for value in parameters.values():
        for inner in value if isinstance(value, (list, tuple)) else ():
            if hasattr(inner, "get_params"):
                set_random_states(inner, seed)
    unset = [name for name, value in parameters.items() if name.split("__")[-1] == "random_state" and value is None]
    return estimator.set_params(**dict.fromkeys(unset, seed))
