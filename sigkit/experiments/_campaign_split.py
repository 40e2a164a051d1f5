"""The split of a campaign: which signatures and writers the systems, the attacker and the queries have."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from sigkit._utils import GENUINE, SKILLED, development_rows, development_writers, join_target, listing
from sigkit.model_selection import WriterSplit


@dataclass(frozen=True, eq=False)
class CampaignSplit:
    """The signatures of a campaign, divided between the systems and the attacker.

    Half of the writers are enrolled by the systems (the system's writers), the others belong to the attacker.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width), dtype uint8
        Preprocessed signatures.
    writers, forgery : ndarray of shape (n_samples,)
        Their writers and forgery kinds.
    dev_rows : ndarray of int
        Rows of the development writers, to which all systems are fitted.
    references : dict of writer id to ndarray of int
        Rows of the references of each of the system's writers.
    attacker_references : dict of writer id to ndarray of int
        Rows of the other genuine signatures of these writers that the attacker has.
    queries : ndarray of int
        Rows of the queries: further genuine signatures of the system's writers, and skilled forgeries of them.
    attacker_writers : ndarray
        The attacker's writers, who serve as negatives of the attacker's classifiers.
    seed : int
        The `random_state` of the campaign.
    """

    X: np.ndarray
    writers: np.ndarray
    forgery: np.ndarray
    dev_rows: np.ndarray
    references: dict
    attacker_references: dict
    queries: np.ndarray
    attacker_writers: np.ndarray
    seed: int

    def system_rows(self):
        """Return the rows to which systems are fitted.

        Returns
        -------
        ndarray of int
            Rows of the development writers and of the references.
        """
        return np.concatenate([self.dev_rows, *self.references.values()])

    def query_labels(self):
        """Return binary labels of the queries, as :mod:`sigkit.metrics` takes them.

        Returns
        -------
        ndarray of shape (n_queries,)
            1 for a genuine query, 0 for a forgery.
        """
        return (self.forgery[self.queries] == GENUINE).astype(int)

    def target(self, rows):
        """Return the target of rows.

        Parameters
        ----------
        rows : ndarray of int
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, 2), dtype object
            Rows `[writer, forgery]`.
        """
        return join_target(self.writers[rows], self.forgery[rows])

    def attacker_signatures(self, knowledge):
        """Return a genuine signature of each of the system's writers that the attacker has.

        Parameters
        ----------
        knowledge : str
            What the attacker knows. With perfect knowledge it is a reference of the system.

        Returns
        -------
        dict of writer id to ndarray of shape (height, width)
            One image per writer.
        """
        rows = self.references if knowledge == "perfect" else self.attacker_references
        return {writer: self.X[own[0]] for writer, own in rows.items()}


def draw_campaign_split(X, writers, forgery, campaign):
    """Divide writers and signatures at random between the systems and the attacker.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width), dtype uint8
        Preprocessed signatures.
    writers, forgery : ndarray of shape (n_samples,)
        Their writers and forgery kinds.
    campaign : AttackCampaign
        The campaign, for its parameters.

    Returns
    -------
    CampaignSplit
        The split.

    Raises
    ------
    ValueError
        If systems name different development writers, or if there are too few writers or signatures.
    """
    dev_writers = _common_dev_writers(campaign.systems.values())
    # References of the systems and of the attacker are drawn together, so that they are distinct images.
    n = campaign.n_references
    splitter = WriterSplit(2 * n, campaign.n_queries, dev_writers, 1, campaign.random_state)
    [(train, test)] = splitter.split(X, join_target(writers, forgery))
    enrolled = np.unique(writers[test])
    if len(enrolled) < 4:
        raise ValueError(
            f"A campaign divides writers between the system and the attacker, at least 2 each; found {len(enrolled)}."
        )
    drawn = check_random_state(campaign.random_state).permutation(enrolled)
    system_writers, attacker_writers = np.sort(drawn[: len(drawn) // 2]), np.sort(drawn[len(drawn) // 2 :])
    references, attacker_references = {}, {}
    for writer in system_writers.tolist():
        rows = train[writers[train] == writer]
        references[writer], attacker_references[writer] = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    short = [
        writer
        for writer in system_writers.tolist()
        if not (len(references[writer]) and len(attacker_references[writer]))
    ]
    if short:
        raise ValueError(
            "Each writer needs a reference for the system, a reference for the attacker and a query. Writers with "
            f"fewer than 3 distinct genuine signatures: {listing(map(repr, short))}. Leave out these writers."
        )
    return CampaignSplit(
        X=X,
        writers=writers,
        forgery=forgery,
        dev_rows=np.flatnonzero(development_rows(writers, dev_writers)),
        references=references,
        attacker_references=attacker_references,
        queries=test[np.isin(writers[test], system_writers) & np.isin(forgery[test], (GENUINE, SKILLED))],
        attacker_writers=attacker_writers,
        seed=campaign.random_state,
    )


def _common_dev_writers(systems):
    """Return the development writers of all systems, sorted; None for none."""
    named = [development_writers(system) or [] for system in systems]
    dev_writers, *others = (set(np.asarray(writers).tolist()) for writers in named)
    # The columns of all score matrices must be those of the same writers.
    if any(other != dev_writers for other in others):
        raise ValueError("All systems must have the same dev_writers, because they enroll the same writers.")
    return sorted(dev_writers) or None
