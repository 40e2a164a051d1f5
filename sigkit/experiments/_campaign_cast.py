"""Who is who in a campaign: the system and its writers, the attacker and theirs, the queries."""

import copy
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from sigkit._utils import GENUINE, SKILLED, before_last_step, development_rows, join_target, last_step, listing
from sigkit.estimators import BlackBoxVerifier, DifferentiableVerifier, MetaLearnedVerifier, NotDifferentiable
from sigkit.experiments._last_step import development_writers
from sigkit.metrics import eer_score, eer_threshold
from sigkit.model_selection import WriterSplit

# How far an attacker wants to move a score that the attacker's own verifier decides as wished from the beginning.
_FURTHER = 1e-3


@dataclass(frozen=True, eq=False)
class CampaignSplit:
    """Signatures, and who knows which.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width), dtype uint8
        Preprocessed signatures.
    writers, forgery : ndarray of shape (n_samples,)
        Their writers and forgery kinds.
    known : ndarray of int
        Rows of development writers whom the systems name.
    references, others : dict of writer id to ndarray of int
        Rows of genuine signatures of the system's writers: those that the system has, and those of the attacker.
    queries : ndarray of int
        Rows of other genuine signatures and of skilled forgeries of the system's writers.
    attackers_writers : ndarray
        The writers that the attacker has for negatives.
    seed : int
        The campaign's.
    """

    X: np.ndarray
    writers: np.ndarray
    forgery: np.ndarray
    known: np.ndarray
    references: dict
    others: dict
    queries: np.ndarray
    attackers_writers: np.ndarray
    seed: int

    @classmethod
    def draw(cls, X, writers, forgery, campaign):
        """Draw who is on which side.

        Parameters
        ----------
        X, writers, forgery : ndarray
            As above.
        campaign : AttackCampaign
            Its parameters.

        Returns
        -------
        CampaignSplit
            The cast.
        """
        named = [development_writers(system) or [] for system in campaign.systems.values()]
        dev_writers, *sets = (set(np.asarray(writers).tolist()) for writers in named)
        if any(other != dev_writers for other in sets):
            raise ValueError("All systems must name the same dev_writers, for they enroll the same writers.")
        dev_writers = sorted(dev_writers) or None
        n = campaign.n_references
        split = WriterSplit(2 * n, campaign.n_queries, dev_writers, 1, campaign.random_state)
        [(train, test)] = split.split(X, join_target(writers, forgery))
        enrolled = np.unique(writers[test])
        if len(enrolled) < 4:
            raise ValueError(
                "A campaign parts writers into the system's and the attacker's, at least 2 each; found "
                f"{len(enrolled)}."
            )
        drawn = check_random_state(campaign.random_state).permutation(enrolled)
        own = np.sort(drawn[: len(drawn) // 2])
        references, others = {}, {}
        for writer in own.tolist():
            rows = train[writers[train] == writer]
            references[writer], others[writer] = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        short = [writer for writer in own.tolist() if not (len(references[writer]) and len(others[writer]))]
        if short:
            raise ValueError(
                "The system and the attacker each need a reference of every writer, and a query is asked: writers with "
                f"fewer than 3 distinct genuine signatures: {listing(map(repr, short))}. Leave them out."
            )
        queries = test[np.isin(writers[test], own) & np.isin(forgery[test], (GENUINE, SKILLED))]
        attackers = np.sort(drawn[len(drawn) // 2 :])
        known = np.flatnonzero(development_rows(writers, dev_writers))
        return cls(X, writers, forgery, known, references, others, queries, attackers, campaign.random_state)

    def system_rows(self):
        """Tell what a system is fitted to.

        Returns
        -------
        ndarray of int
            Rows.
        """
        return np.concatenate([self.known, *self.references.values()])

    def are_genuine(self):
        """Label the queries as the error rates take them.

        Returns
        -------
        ndarray of shape (n_queries,)
            1 for a genuine query, 0 for a forgery.
        """
        return (self.forgery[self.queries] == GENUINE).astype(int)

    def target(self, rows):
        """Give rows `[writer, forgery]`.

        Parameters
        ----------
        rows : ndarray of int
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, 2), dtype object
            The target.
        """
        return join_target(self.writers[rows], self.forgery[rows])

    def signatures_of_attacker(self, knowledge):
        """Give a genuine signature of each of the system's writers that the attacker has.

        Parameters
        ----------
        knowledge : str
            What the attacker knows: with perfect knowledge, also the system's references.

        Returns
        -------
        dict of writer id to ndarray of shape (height, width)
            An image a writer.
        """
        rows = self.references if knowledge == "perfect" else self.others
        return {writer: self.X[own[0]] for writer, own in rows.items()}

    def attackers_own(self, estimator, *, fits_features):
        """Make a verifier of the attacker's, with the attacker's signatures and writers.

        Parameters
        ----------
        estimator : estimator
            The Pipeline whose kind it is; fitted unless `fits_features`.
        fits_features : bool
            Whether its features are fitted anew, or those of the estimator are taken.

        Returns
        -------
        estimator
            The fitted verifier. A MetaLearnedVerifier keeps the weights that it has learned, unless `fits_features`,
            and adapts them to the attacker's signatures.
        """
        if isinstance(last_step(estimator), MetaLearnedVerifier) and not fits_features:
            rows = np.concatenate([*self.others.values()])
            adapted = copy.deepcopy(estimator)
            last_step(adapted).enroll(before_last_step(adapted, self.X[rows]), self.target(rows))
            return adapted
        rows = np.concatenate([np.flatnonzero(np.isin(self.writers, self.attackers_writers)), *self.others.values()])
        verifier = clone(last_step(estimator))
        n_references = max(len(own) for own in self.others.values())
        settings = {"dev_writers": self.attackers_writers.tolist(), "n_dev_negatives": n_references}
        known = verifier.get_params()
        verifier.set_params(**{name: value for name, value in settings.items() if name in known})
        if not hasattr(estimator, "steps"):
            return self.seeded(verifier).fit(self.X[rows], self.target(rows))
        steps = [*estimator.steps[:-1], (estimator.steps[-1][0], verifier)]
        if fits_features:
            return self.seeded(clone(Pipeline(steps))).fit(self.X[rows], self.target(rows))
        self.seeded(verifier).fit(before_last_step(estimator, self.X[rows]), self.target(rows))
        return Pipeline(steps)

    def seeded(self, estimator):
        """Give an estimator's random states the campaign's seed where they have none.

        Parameters
        ----------
        estimator : estimator
            The estimator, changed.

        Returns
        -------
        estimator
            The same.
        """
        parameters = estimator.get_params()
        for value in parameters.values():
            for inner in value if isinstance(value, (list, tuple)) else ():
                if hasattr(inner, "get_params"):
                    self.seeded(inner)
        unset = [name for name, value in parameters.items() if _is_seed(name) and value is None]
        return estimator.set_params(**dict.fromkeys(unset, self.seed))


@dataclass(frozen=True, eq=False)
class System:
    """A fitted system with its threshold.

    Parameters
    ----------
    estimator : estimator
        The fitted Pipeline.
    matrix : ndarray of shape (n_queries, n_writers)
        Scores of the cast's queries against each of the system's writers.
    threshold : float
        Where FAR and FRR of skilled forgeries are equal over all writers, half-way between two scores.
    eer : float
        That error rate.
    """

    estimator: object
    matrix: np.ndarray
    threshold: float
    eer: float

    @classmethod
    def fitted(cls, estimator, cast):
        """Fit a system and find its threshold.

        Parameters
        ----------
        estimator : estimator
            The unfitted Pipeline.
        cast : CampaignSplit
            The cast.

        Returns
        -------
        System
            The system.
        """
        rows = cast.system_rows()
        genuine = cast.are_genuine()
        if genuine.all():
            raise ValueError("A campaign needs skilled forgeries of the writers: rows [writer, 1] in y.")
        fitted = cast.seeded(clone(estimator)).fit(cast.X[rows], cast.target(rows))
        matrix = fitted.decision_function(cast.X[cast.queries])
        own = np.searchsorted(list(cast.references), cast.writers[cast.queries])
        scores = matrix[np.arange(len(matrix)), own]
        threshold = float(eer_threshold(genuine, scores))
        below = scores[scores < threshold]
        if len(below):
            # On no query's own score, which another batch would round to the other side.
            threshold = (threshold + float(below.max())) / 2
        return cls(fitted, matrix, threshold, float(eer_score(genuine, scores)))

    def eer_on(self, images, cast):
        """Compute the EER on other versions of the cast's queries.

        Parameters
        ----------
        images : ndarray of shape (n_queries, height, width)
            Their images.
        cast : CampaignSplit
            The cast.

        Returns
        -------
        float
            The EER of skilled forgeries.
        """
        return float(eer_score(cast.are_genuine(), self.scores(images, cast.writers[cast.queries])))

    def scores(self, images, claims):
        """Score claims as the system does.

        Parameters
        ----------
        images : ndarray of shape (n_images, height, width)
            Images.
        claims : ndarray of shape (n_images,)
            Whom they claim to be of.

        Returns
        -------
        ndarray of shape (n_images,)
            Scores.
        """
        return BlackBoxVerifier(self.estimator)(torch.from_numpy(images), claims).numpy()


@dataclass(frozen=True, eq=False)
class Queries:
    """The queries that are attacked.

    Parameters
    ----------
    rows : ndarray of int
        Rows of the signatures.
    claims : ndarray
        Whom they claim to be of.
    kinds : ndarray of {"genuine", "random", "skilled"}
        What they are.
    goals : ndarray of {"reject", "accept"}
        What the attacker wants.
    """

    rows: np.ndarray
    claims: np.ndarray
    kinds: np.ndarray
    goals: np.ndarray


def choose_queries(systems, cast, random_state):
    """Choose for each writer a genuine, a random and a skilled query that all systems decide correctly.

    Parameters
    ----------
    systems : dict of str to System
        The systems.
    cast : CampaignSplit
        The cast.
    random_state : int
        Draws them.

    Returns
    -------
    Queries
        The queries; fewer than three where all systems are right about none of a kind.
    """
    accepted = np.stack([system.matrix >= system.threshold for system in systems.values()])
    writers, genuine = cast.writers[cast.queries], cast.forgery[cast.queries] == GENUINE
    rng = check_random_state(random_state)
    chosen, lacking = [], []
    for column, writer in enumerate(cast.references):
        by_all, by_none = accepted[:, :, column].all(axis=0), ~accepted[:, :, column].any(axis=0)
        possible = {
            "genuine": by_all & genuine & (writers == writer),
            "random": by_none & genuine & (writers != writer),
            "skilled": by_none & ~genuine & (writers == writer),
        }
        for kind, which in possible.items():
            if which.any():
                chosen.append((cast.queries[rng.choice(np.flatnonzero(which))], writer, kind))
            else:
                lacking.append(f"{kind} of {writer!r}")
    if not chosen:
        raise ValueError("All systems together decide not a single query correctly: there is nothing to attack.")
    if lacking:
        warnings.warn(
            f"Not all systems decide a query correctly, and it is left out: {listing(lacking)}.", stacklevel=3
        )
    rows, claims, kinds = (np.array(column) for column in zip(*chosen))
    return Queries(rows, claims, kinds, np.where(kinds == "genuine", "reject", "accept"))


def attacker_view(estimator):
    """Make a verifier as an attacker sees it: with gradients if there are any.

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
    """Decide which scores an attacker aims at by the attacker's own verifier.

    It is the system's threshold, or where that verifier decides as wished from the beginning, a little further than it
    scores now: the attacker does not give up on it.

    Parameters
    ----------
    verifier : callable
        The attacker's verifier.
    images : ndarray of shape (n_queries, height, width)
        The queries' images.
    queries : Queries
        The queries.
    threshold : float
        The system's threshold.
    batch_size : int
        Number of images at once.

    Returns
    -------
    ndarray of shape (n_queries,)
        A threshold for each query.
    """
    scores = []
    with torch.no_grad():
        for first in range(0, len(images), batch_size):
            batch = slice(first, first + batch_size)
            scores.append(verifier(torch.from_numpy(images[batch]).float(), queries.claims[batch]).cpu().numpy())
    scores = np.concatenate(scores)
    lower, higher = np.minimum(threshold, scores - _FURTHER), np.maximum(threshold, scores + _FURTHER)
    return np.where(queries.goals == "reject", lower, higher)


def _is_seed(name):
    return name.split("__")[-1] == "random_state"
