"""The campaign of attacks on verifiers."""

import re
from dataclasses import replace

import numpy as np

from sigkit._utils import check_ordered, content_digest, join_target, parse_target, progress
from sigkit.experiments._campaign_attackers import attack_thresholds, attacker_view, fit_attacker
from sigkit.experiments._campaign_parameters import check_parameters
from sigkit.experiments._campaign_queries import choose_queries
from sigkit.experiments._campaign_split import draw_campaign_split
from sigkit.experiments._campaign_systems import fit_system, score_claims
from sigkit.experiments._collect_campaign import collect_results
from sigkit.experiments._describe import describe_attack, describe_estimator, describe_signatures
from sigkit.experiments._results_folder import ResultsFolder

SAVED_ARRAYS = {"rows", "images", "after", "attacker_success", "rmse", "threshold"}


class AttackCampaign:
    """Attack verifiers with several degrees of knowledge, and measure success rates and perturbations, as in [1]_.

    Half of the writers are enrolled by the systems, with `n_references` references each. The others belong to the
    attacker, who also has `n_references` other genuine signatures of each enrolled writer. For each enrolled writer,
    three queries are attacked that all systems decide correctly at their thresholds: a genuine signature, which is to
    be rejected (type I attack), and a genuine signature of another writer (a random forgery) and a skilled forgery,
    which are to be accepted (type II attacks). The attacker has one of these degrees of knowledge:

    - "perfect": the system itself.
    - "limited": the features, the kind of classifier and the threshold of the system. The attacker fits classifiers to
      other signatures of the enrolled writers, with the attacker's writers as negatives.
    - "limited-features": neither the features nor the classifiers. The attacker has other features, `other_features`.

    Attacks that need gradients are not applicable to systems without gradients, and are left out for these.

    Parameters
    ----------
    systems : dict of str to estimator
        Unfitted Pipelines for preprocessed images that end in a verifier, by name.
    attacks : dict of str to sigkit.attacks.Attack
        The attacks, by name. A `BoundaryAttack` without `starts` starts each claim at a genuine signature of the
        claimed writer that the attacker has.
    knowledge : sequence of {"perfect", "limited", "limited-features"}, default=("perfect", "limited")
        The degrees of knowledge of the attacker.
    other_features : dict of str to estimator or None, default=None
        For "limited-features": the Pipeline that the attacker fits instead of a system, by the name of the system. A
        system without one is not attacked in this way.
    defences : dict of str to transformer or None, default=None
        Transformers that clean attacked images before the system scores them, such as
        :class:`sigkit.transformers.BackgroundRemover`, by name. The attacker does not know them.
    n_references : int, default=5
        Number of references per writer of the system, and of the attacker.
    n_queries : int, default=10
        Number of other genuine signatures of each writer, from which queries and thresholds are chosen.
    folder : str, os.PathLike or None, default=None
        Folder in which the results of each attack on each system are saved (.npz files, no pickles). A further call
        with the same signatures and parameters reads the saved results; attacks and degrees of knowledge may be added.
        Several processes may run the same campaign in one folder at the same time.
    random_state : int, default=0
        Seed of the split of writers and signatures and of the choice of queries.
    verbose : int, default=0
        1 reports the progress on standard error.

    See Also
    --------
    sigkit.attacks : The attacks.
    writer_dependent_experiment : Error rates without attacks.

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
            The results of each attack on each query.

        Raises
        ------
        ValueError
            If a parameter or the signatures are not valid, if the folder contains another campaign, results of another
            campaign or a damaged file, or if no query is decided correctly by all systems.
        OSError
            If a file in the folder cannot be read or written, for instance because the disk is full.
        """
        check_parameters(self)
        check_ordered(X)
        X = np.asarray(X)
        if X.ndim != 3 or X.dtype != np.uint8:
            raise ValueError(
                f"A campaign needs preprocessed images, uint8 of shape (n_samples, height, width); found {X.dtype} of "
                f"shape {X.shape}. Transform scans with a SignaturePreprocessor first."
            )
        writers, forgery = parse_target(y)
        folder = self._open_folder(X, writers, forgery)
        # A cell is one attack on one system with one degree of knowledge.
        cells = [
            (system, known, attack) for system in self.systems for known in self.knowledge for attack in self.attacks
        ]
        names = {cell: self._file_name(cell) for cell in cells} if folder else {}
        # All files are read before anything is fitted: a damaged one is reported at once.
        saved = {cell: folder.read(name) for cell, name in names.items()}
        split = draw_campaign_split(X, writers, forgery, self)
        systems = {name: fit_system(estimator, split) for name, estimator in self.systems.items()}
        queries = choose_queries(systems, split, self.random_state)
        attackers, outcomes = {}, {}
        for cell in progress(cells, len(cells), "attacks", self.verbose):
            name, known, _ = cell
            outcome = saved.get(cell)
            if folder and outcome is None:
                # Another process may have finished it meanwhile.
                outcome = folder.read(names[cell])
            if outcome is not None:
                self._check_saved(folder, names[cell], outcome, systems[name], queries)
            else:
                if (name, known) not in attackers:
                    # The attacks of one attacker follow each other, so only the last one is kept: it holds a network.
                    attackers = {(name, known): self._make_attacker(name, known, systems[name], split)}
                outcome = self._attack(attackers[name, known], cell, systems[name], split, queries)
                if folder and not isinstance(outcome, str):
                    folder.write(names[cell], outcome)
            outcomes[cell] = outcome
        return collect_results(systems, split, queries, self.defences or {}, outcomes)

    def _attack(self, verifier, cell, system, split, queries):
        """Run one attack on one system; return its arrays, or the reason why it is not applicable."""
        _, known, attack = cell
        attack = self.attacks[attack]
        if verifier is None:
            return "the attacker has no other features"
        if attack.needs_gradient and not verifier.is_differentiable:
            return "the system has no gradients"
        if hasattr(attack, "starts") and not attack.starts:
            attack = replace(attack, starts=split.attacker_signatures(known))
        images = split.X[queries.rows]
        thresholds = attack_thresholds(verifier, images, queries, system.threshold, attack.batch_size)
        attacked = attack(verifier, images, queries.claims, goal=queries.goals, threshold=thresholds)
        return {
            "rows": queries.rows,
            "images": attacked.images,
            "after": score_claims(system, attacked.images, queries.claims),
            "attacker_success": attacked.success,
            "rmse": attacked.rmse,
            "threshold": np.array(system.threshold),
        }

    def _make_attacker(self, name, known, system, split):
        """Return the verifier that the attacker has for a degree of knowledge; None if there is none."""
        if known == "perfect":
            return attacker_view(system.estimator)
        if known == "limited":
            return attacker_view(fit_attacker(split, system.estimator, fits_features=False))
        other = (self.other_features or {}).get(name)
        return None if other is None else attacker_view(fit_attacker(split, other, fits_features=True))

    def _open_folder(self, X, writers, forgery):
        if self.folder is None:
            return None
        # Only what decides the split and the systems. Attacks are part of the file names instead, so that a folder may
        # be extended by others; describing them here raises before anything is fitted if they cannot be described.
        description = {f"system {name}": describe_estimator(system) for name, system in self.systems.items()}
        for attack in self.attacks.values():
            describe_attack(attack)
        description["systems"] = repr(sorted(self.systems))
        description["draws"] = (
            f"{self.n_references} references, {self.n_queries} queries, random_state {self.random_state}"
        )
        description |= describe_signatures(X, join_target(writers, forgery))
        return ResultsFolder(self.folder, description, SAVED_ARRAYS)

    def _check_saved(self, folder, name, saved, system, queries):
        """Check that saved results are those of the fitted systems, which may be fitted on another machine now."""
        if not np.array_equal(saved["rows"], queries.rows):
            difference = "for other queries"
        elif not np.isclose(saved["threshold"], system.threshold, rtol=1e-4, atol=1e-4):
            difference = f"with the threshold {saved['threshold']:g}, now it is {system.threshold:g}"
        else:
            return
        raise ValueError(
            f"{folder.folder}: {name}.npz was made {difference}: the fitted system is not the same. Choose another "
            "folder."
        )

    def _file_name(self, cell):
        """Return a readable file name that identifies an attack with its parameters."""
        name, known, attack = cell
        other = (self.other_features or {}).get(name) if known == "limited-features" else None
        identity = [*cell, describe_attack(self.attacks[attack]), "" if other is None else describe_estimator(other)]
        words = [re.sub(r"\W+", "_", word) for word in cell]
        # The digest distinguishes parameters, and names such as "FGM 1" and "FGM-1".
        return "-".join([*words, content_digest(repr(identity).encode())[:16]])
