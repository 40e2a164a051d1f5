"""The queries that a campaign attacks."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from sigkit._utils import GENUINE, listing, warn


@dataclass(frozen=True, eq=False)
class Queries:
    """The attacked queries.

    Parameters
    ----------
    rows : ndarray of int
        Rows of the signatures.
    claims : ndarray
        The claimed writer of each query.
    kinds : ndarray of {"genuine", "random", "skilled"}
        A genuine signature of the claimed writer, a random forgery, or a skilled forgery.
    goals : ndarray of {"reject", "accept"}
        The goal of the attacker.
    """

    rows: np.ndarray
    claims: np.ndarray
    kinds: np.ndarray
    goals: np.ndarray


def choose_queries(systems, split, random_state):
    """Choose a genuine, a random and a skilled query of each writer that all systems decide correctly.

    Parameters
    ----------
    systems : dict of str to System
        The systems.
    split : CampaignSplit
        The split of the campaign.
    random_state : int
        Seed of the choice among several such queries.

    Returns
    -------
    Queries
        The queries; of a writer fewer than three, with a warning, if no query of a kind is decided correctly by all.

    Raises
    ------
    ValueError
        If there is no such query.
    """
    accepted = np.stack([system.matrix >= system.threshold for system in systems.values()])
    writers, genuine = split.writers[split.queries], split.forgery[split.queries] == GENUINE
    rng = check_random_state(random_state)
    chosen, missing = [], []
    for column, writer in enumerate(split.references):
        accepted_by_all, rejected_by_all = accepted[:, :, column].all(axis=0), ~accepted[:, :, column].any(axis=0)
        candidates = {
            "genuine": accepted_by_all & genuine & (writers == writer),
            "random": rejected_by_all & genuine & (writers != writer),
            "skilled": rejected_by_all & ~genuine & (writers == writer),
        }
        for kind, mask in candidates.items():
            if mask.any():
                chosen.append((split.queries[rng.choice(np.flatnonzero(mask))], writer, kind))
            else:
                missing.append(f"{kind} of {writer!r}")
    if not chosen:
        raise ValueError("No query is decided correctly by all systems: there is nothing to attack.")
    if missing:
        warn(f"No query of these kinds is decided correctly by all systems, so none is attacked: {listing(missing)}.")
    rows, claims, kinds = (np.array(column) for column in zip(*chosen))
    return Queries(rows, claims, kinds, np.where(kinds == "genuine", "reject", "accept"))
