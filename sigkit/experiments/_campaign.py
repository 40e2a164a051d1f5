"""The campaign of attacks on verifiers."""

import re
from dataclasses import replace
from numbers import Integral

import numpy as np

from sigkit._utils import content_digest, join_target, listing, named_steps, parse_target, preprocesses_scans, progress
from sigkit.attacks import Attack
from sigkit.experiments._campaign_cast import CampaignSplit, System, attack_thresholds, attacker_view, choose_queries
from sigkit.experiments._campaign_results import CampaignResults
from sigkit.experiments._describe import describe_attack, describe_estimator, describe_signatures
from sigkit.experiments._result_files import ResultFiles

KNOWLEDGE = ("perfect", "limited", "limited-features")
KEPT = {"rows", "images", "after", "attacker_success", "rmse", "threshold"}


class AttackCampaign:
    """Attack verifiers with what an attacker may know, as in [1]_, and tell how often it works and what it takes.

    Half of the writers are the system's: it enrolls each by `n_references`. The other half are the attacker's, who
    has as many other genuine signatures of each of the system's writers, too. Of each of the system's writers three
    queries are attacked, which all systems decide correctly at their thresholds: a genuine signature, to have it
    rejected (type I); a genuine signature of another writer (a random forgery) and a skilled forgery, to have them
    accepted (type II). What the attacker knows:

    - "perfect": the system itself;
    - "limited": its features, its kind of classifier and its threshold. The attacker fits classifiers to other
      signatures of the same writers, with the attacker's writers as negatives;
    - "limited-features": not even the features. The attacker has others, from `other_features`.

    Attacks that need gradients are not applicable to systems without them, and left out there.

    Parameters
    ----------
    systems : dict of str to estimator
        Unfitted Pipelines on preprocessed images that end in a verifier, by name.
    attacks : dict of str to sigkit.attacks.Attack
        The attacks, by name. A `BoundaryAttack` without `starts` gets, for each claim, a genuine signature of the
        claimed writer that the attacker knows.
    knowledge : sequence of {"perfect", "limited", "limited-features"}, default=("perfect", "limited")
        What the attacker knows.
    other_features : dict of str to estimator or None, default=None
        For "limited-features", the attacker's Pipelines by the names of the systems that they stand for; there is no
        such attack on systems without one.
    defences : dict of str to transformer or None, default=None
        What cleans attacked images before the system sees them, such as :class:`sigkit.transformers.BackgroundRemover`;
        attackers do not know of it.
    n_references : int, default=5
        Number of references of the system, and of the attacker.
    n_queries : int, default=10
        Number of other genuine signatures of each writer, from which queries are chosen and thresholds found.
    folder : str, os.PathLike or None, default=None
        Where the outcome of each attack on each system is kept as soon as it is there (.npz, nothing pickled). Called
        again with the same signatures and parameters, those that are there are read; attacks and knowledge may be
        added.
    random_state : int, default=0
        Decides who is on which side, and which signatures are references.
    verbose : int, default=0
        1 tells the progress on the standard error stream.

    See Also
    --------
    sigkit.attacks : The attacks.
    writer_dependent_experiment : Error rates without attackers.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2019). Characterizing and evaluating adversarial examples
       for offline handwritten signature verification. IEEE Transactions on Information Forensics and Security, 14(8),
       2153-2166. arXiv:1901.03398.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sigkit.attacks import FGM
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import WriterDependentSVC
    >>> from sigkit.experiments import AttackCampaign
    >>> from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
    >>> scans, target = make_signatures(n_writers=6, n_genuine=8, n_skilled=8, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> system = make_pipeline(SigNetFeaturizer(weights="synthetic"), WriterDependentSVC(gamma="auto"))
    >>> campaign = AttackCampaign({"synthetic": system}, {"FGM": FGM()}, n_references=2, n_queries=4)
    >>> sorted(set(campaign.run(images, target).table["query"].tolist()))
    ['genuine', 'random', 'skilled']
    """

    def __init__(
        self,
        systems,
        attacks,
        *,
        knowledge=("perfect", "limited"),
        other_features=None,
        defences=None,
        n_references=5,
        n_queries=10,
        folder=None,
        random_state=0,
        verbose=0,
    ):
        self.systems = systems
        self.attacks = attacks
        self.knowledge = knowledge
        self.other_features = other_features
        self.defences = defences
        self.n_references = n_references
        self.n_queries = n_queries
        self.folder = folder
        self.random_state = random_state
        self.verbose = verbose

    def run(self, X, y):
        """Fit the systems, choose queries, and attack them.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8.
        y : array-like of shape (n_samples, 2)
            Rows `[writer, forgery]`; skilled forgeries among them.

        Returns
        -------
        CampaignResults
            What came of each attack on each query.

        Raises
        ------
        ValueError
            If a parameter or the signatures do not fit, the folder keeps another campaign, or no query is decided
            correctly by all systems.
        """
        self._check()
        X = np.asarray(X)
        if X.ndim != 3 or X.dtype != np.uint8:
            raise ValueError(
                f"A campaign takes preprocessed images, uint8 of shape (n_samples, height, width); found {X.dtype} of "
                f"shape {X.shape}. Transform scans by a SignaturePreprocessor first."
            )
        writers, forgery = parse_target(y)
        files = self._files(X, writers, forgery)
        cast = CampaignSplit.draw(X, writers, forgery, self)
        systems = {name: System.fitted(estimator, cast) for name, estimator in self.systems.items()}
        queries = choose_queries(systems, cast, self.random_state)
        cells = [(system, known, attack) for system in systems for known in self.knowledge for attack in self.attacks]
        attackers, outcomes = {}, {}
        for cell in progress(cells, len(cells), "attacks", self.verbose):
            found = files and self._kept(files, cell, systems[cell[0]], queries)
            if found is None:
                if cell[:2] not in attackers:
                    # One at a time: each holds a network.
                    attackers = {cell[:2]: self._attacker(*cell[:2], systems[cell[0]], cast)}
                found = self._attack(attackers[cell[:2]], cell, systems[cell[0]], cast, queries)
                if files and not isinstance(found, str):
                    files.write(self._part(cell), found)
            outcomes[cell] = found
        return CampaignResults.of(systems, cast, queries, self.defences or {}, outcomes)

    def _attack(self, verifier, cell, system, cast, queries):
        """Attack one system in one way; return arrays, or why there is no such attack."""
        _, known, attack = cell
        attack = self.attacks[attack]
        if verifier is None:
            return "the attacker has no other features"
        if attack.needs_gradient and not verifier.is_differentiable:
            return "the system has no gradients"
        if hasattr(attack, "starts") and not attack.starts:
            attack = replace(attack, starts=cast.signatures_of_attacker(known))
        images = cast.X[queries.rows]
        aims = attack_thresholds(verifier, images, queries, system.threshold, attack.batch_size)
        attacked = attack(verifier, images, queries.claims, goal=queries.goals, threshold=aims)
        return {
            "rows": queries.rows,
            "images": attacked.images,
            "after": system.scores(attacked.images, queries.claims),
            "attacker_success": attacked.success,
            "rmse": attacked.rmse,
            "threshold": np.array(system.threshold),
        }

    def _attacker(self, name, known, system, cast):
        """Make the verifier that the attacker has; None where there is none."""
        if known == "perfect":
            return attacker_view(system.estimator)
        if known == "limited":
            return attacker_view(cast.attackers_own(system.estimator, fits_features=False))
        other = (self.other_features or {}).get(name)
        return None if other is None else attacker_view(cast.attackers_own(other, fits_features=True))

    def _files(self, X, writers, forgery):
        if self.folder is None:
            return None
        about = {f"system {name}": describe_estimator(system) for name, system in self.systems.items()}
        for attack in self.attacks.values():
            describe_attack(attack)
        about["systems"] = repr(sorted(self.systems))
        about["draws"] = f"{self.n_references} references, {self.n_queries} queries, random_state {self.random_state}"
        return ResultFiles(self.folder, about | describe_signatures(X, join_target(writers, forgery)), KEPT)

    def _kept(self, files, cell, system, queries):
        """Read what is kept of an attack, which must have met the same system."""
        found = files.read(self._part(cell), queries.rows)
        if found is not None and not np.isclose(found["threshold"], system.threshold, rtol=1e-4, atol=1e-4):
            raise ValueError(
                f"{files.folder}: {self._part(cell)}.npz met the threshold {found['threshold']:g}, now it is "
                f"{system.threshold:g}: the system came out otherwise. Name another folder."
            )
        return found

    def _part(self, cell):
        """Name what is kept of one attack on one system, so that it is found again with the same parameters only."""
        name, known, attack = cell
        other = (self.other_features or {}).get(name) if known == "limited-features" else None
        means = [*cell, describe_attack(self.attacks[attack]), "" if other is None else describe_estimator(other)]
        return "-".join([*(re.sub(r"\W+", "_", word) for word in cell), content_digest(repr(means).encode())[:8]])

    def _check(self):
        for name in ("systems", "attacks"):
            if not isinstance(getattr(self, name), dict) or not getattr(self, name):
                raise ValueError(f"{name} must be a dict with at least one entry; found {getattr(self, name)!r}.")
            if not all(isinstance(key, str) for key in getattr(self, name)):
                raise ValueError(f"{name} must have text for names; found {list(getattr(self, name))!r}.")
        if not isinstance(self.defences or {}, dict):
            raise ValueError(f"defences must be a dict of transformers by name; found {self.defences!r}.")
        if isinstance(self.knowledge, str):
            raise ValueError(f"knowledge must be a list of words, such as [{self.knowledge!r}]; found a single one.")
        for name, system in [*self.systems.items(), *(self.other_features or {}).items()]:
            if any(preprocesses_scans(step) for _, step in named_steps(name, system)):
                raise ValueError(
                    f"{name!r} has a SignaturePreprocessor, but a campaign attacks preprocessed images: leave the step "
                    "out, and transform the scans beforehand."
                )
        if not isinstance(self.random_state, Integral):
            raise ValueError(f"random_state must be an integer, to draw the same again; found {self.random_state!r}.")
        for name, attack in self.attacks.items():
            if not isinstance(attack, Attack):
                raise ValueError(f"attacks: {name!r} must be a sigkit.attacks.Attack; found {attack!r}.")
        if "none" in (self.defences or {}):
            raise ValueError("defences: 'none' stands for no defence; name this one otherwise.")
        unknown = sorted(set(self.knowledge) - set(KNOWLEDGE))
        if unknown:
            raise ValueError(f"knowledge must be of {listing(map(repr, KNOWLEDGE))}; found {unknown[0]!r}.")
        strangers = sorted(set(self.other_features or {}) - set(self.systems))
        if strangers:
            raise ValueError(f"other_features names {listing(map(repr, strangers))}, which no system has for a name.")
