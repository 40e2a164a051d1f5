"""A network that adapts to each writer by a few gradient steps."""

import json
import os
import warnings
from contextlib import nullcontext
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import (
    GENUINE,
    as_bytes,
    check_images,
    check_size,
    compare_preprocessing,
    describe_preprocessing,
    describe_training,
    development_rows,
    freed_memory_kept,
    listing,
    parse_target,
    progress,
    whole_file,
    with_terms,
)
from sigkit.estimators._enrolled import by_writer
from sigkit.estimators._meta._adaptation import Adaptation
from sigkit.estimators._meta._adapted_writers import AdaptedWriters, PackedImages, RandomForgeries
from sigkit.estimators._verifier import VerifierMixin, check_has_target, check_target
from sigkit.nets import (
    ARCHITECTURES,
    MetaLearner,
    build_network,
    choose_device,
    choose_precision,
    load_network,
    network_input,
    save_weights,
)
from sigkit.training import update_statistics
from sigkit.training._tasks import DevelopmentSet, TaskSizes, draw_from_each
from sigkit.transformers import SigNetFeaturizer

N_FOR_FIRST_STATISTICS = 64
ADAPTATION = ("n_updates", "head", "adapt", "n_random_forgeries")


class MetaLearnedVerifier(VerifierMixin, ClassifierMixin, BaseEstimator):
    """Verify preprocessed signatures by a network that adapts to each writer from a few references [1]_.

    From development writers it learns weights, and learning rates, from which `n_updates` gradient steps on a
    writer's references make a verifier of that writer (MAML). Each task of this meta-training is one development
    writer: references, and genuine signatures of others as random forgeries, to adapt to; other genuine signatures,
    random and skilled forgeries to tell. Writers who are enrolled afterwards need no forgery and no meta-training.

    With the defaults this is the method of [1]_. Enrolled are all writers of `y` but the development writers.

    Parameters
    ----------
    architecture : str, default="signet"
        The network; "signet" and "smallcnn" are those of [1]_, others are "signet_thin", "signet_smaller",
        "signet_residual", "signet_small" and "tiny". The metadata of a weight file override it.
    weights : {"synthetic"}, str, os.PathLike or None, default=None
        What to start from: weights in the package by their name, or a weight file: of a `SigNetFeaturizer`, of
        sigver's, or what `save_weights` of this estimator wrote, in which case `epochs=0` enrolls without training.
        None starts from random weights.
    pretrain : dict or None, default=None
        Parameters of a `SigNetFeaturizer` that is trained on the same development writers first: `{}` for SigNet,
        `{"forgery_weight": 0.95}` for SigNet-F, for instance. None starts from `weights` at once. A network that has
        learned the very forgeries of these writers may have little to learn from telling them once more: where
        writers are enough, train `weights` on others.
    dev_writers : array-like of writer ids or None, default=None
        The development writers, from whom is learned and who are never enrolled. None is for `epochs=0` alone; random
        forgeries are then references of other enrolled writers.
    n_references : int, default=5
        Number of references that the meta-training adapts to. A writer who enrolls with fewer is told in a warning;
        of more, all are used.
    n_random_forgeries : int, default=10
        Number of genuine signatures of others beside the references. 0 adapts to references alone (one class).
    n_updates : int, default=5
        Number of gradient steps of the adaptation.
    inner_lr : float, default=0.01
        Their learning rate, at first. 0.05 is right for `head="distance"`: the first step then moves the center to the
        mean of the references.
    network_inner_lr : float or None, default=None
        Another one for the weights of the network, without those of the head; None takes `inner_lr`.
    learn_inner_lr : bool, default=True
        Whether a learning rate is learned for each step and each parameter tensor of each layer.
    head : {"linear", "distance"}, default="linear"
        What makes a score of features: a linear layer as in [1]_, or the distance from a center, which a step moves to
        the references (see :class:`sigkit.nets.MetaLearner`): better from few references (see the documentation).
    adapt : {"all", "head"}, default="all"
        What the steps change: all weights, or those of the last layer (ANIL), so that all writers share their features:
        much faster, as features of a query are computed once for all writers.
    order : {1, 2}, default=2
        2 differentiates through the steps; 1 takes their gradients for constants (first-order MAML).
    epochs : int, default=100
        How many tasks of each development writer the meta-training sees. 0 adapts from the weights as they are.
    multi_step_epochs : int, default=15
        Number of epochs at the beginning in which the losses after earlier steps count too, less and less.
    meta_batch_size : int, default=4
        Tasks whose gradients are averaged, at most. Memory is that of `n_jobs` tasks, or with `adapt="head"` of tasks
        with 256 signatures together, whatever their number. A network that is learned with `adapt="head"` wants
        several, for batch normalisation.
    lr, min_lr : float, default=1e-3, 1e-5
        Adam's learning rate at the beginning, and at the end of a cosine.
    network_lr : float or None, default=None
        Another learning rate, at the beginning, for the weights of the network, without those of the head; None takes
        `lr`. 0 keeps them as they are, and only the head and the learning rates of the steps are learned: the thing to
        do where `weights` are good and development writers few.
    clip_value : float or None, default=10.0
        Greatest absolute value of a gradient; None clips nothing.
    n_query_genuine, n_query_random, n_query_skilled : int, default=10
        Number of signatures of each kind that a task tells; fewer where a writer has no more.
    n_forgery_writers : int or None, default=None
        Number of development writers, drawn at random, whose skilled forgeries are used; None uses all. Those who
        choose the best epoch come on top.
    augmentation : {"crop", "distort"}, dict or None, default="crop"
        What varies images in meta-training: a random crop as in [1]_, or the changes of
        :class:`sigkit.training.Distortion`, whose strengths a dict sets. None takes images as they are; with `adapt="head"`
        and `network_lr=0` features are then computed once, and an epoch takes no time to speak of.
    validation_fraction : float, default=0.1
        Share of the development writers who are not learned from and choose the best epoch, by their loss. 0, or fewer
        than three development writers, keeps the last epoch.
    checkpoint_dir : str, os.PathLike or None, default=None
        A folder in which the state is written after each epoch. The next `fit` with the same images, parameters and
        folder goes on there, and ends with the same weights (in float32, on the same machine) as an uninterrupted one.
    recompute : bool, default=False
        Whether meta-training computes each step anew in the backward pass: the memory of one step rather than of
        `n_updates`, beside that of the queries, for about a third more time.
    keep : {"references", "weights"}, default="references"
        What is kept of an enrolled writer with `adapt="all"`: the references, from which the weights are computed when
        they are needed, or the adapted weights, which answers a claim faster and takes the memory of a network a writer
        (63 MB for SigNet, 5.7 MB for the small network; references take about 2 KB each). With `adapt="head"` the last
        layer is kept, 8 KB for SigNet.
    batch_size : int, default=32
        Number of queries that pass through the network at once.
    device : str or None, default=None
        Where the network runs, "cpu" or "cuda" for instance; None takes an accelerator if there is one.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        The type of convolutions and matrix products; weights and losses are float32. "auto" takes bfloat16 where the
        processor or accelerator is fast in it.
    n_jobs : int or None, default=None
        Number of tasks that meta-training with `adapt="all"` computes side by side on a processor, no more than
        `meta_batch_size`: threads that share PyTorch's own, faster and each with the memory of a task. None is 1 unless
        in a `joblib.parallel_config` context; -1 is as many as there are processors.
    random_state : int, RandomState instance or None, default=None
        Seed of the first weights, the tasks, the augmentation and the random forgeries.
    verbose : int, default=0
        1 tells of the progress, each epoch or once a second, on the standard error stream; 2 also of tasks.

    Attributes
    ----------
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted: the columns of `decision_function`.
    learner_ : sigkit.nets.MetaLearner
        The meta-learned network and learning rates, on the processor in float32.
    architecture_ : str
        The architecture of the network.
    random_forgeries_ : ndarray of shape (n_images, height, width), dtype uint8
        The signatures that enrollment takes random forgeries from.
    history_ : list of dict or None
        What was measured in each epoch: "train_loss", "valid_loss", "valid_acc" (of genuine signatures and forgeries
        after adaptation, balanced), "lr", "dur" (seconds). None without meta-training.
    metadata_ : dict of str to str
        What is known of the weights, and of those that the meta-training started from; `save_weights` writes it.
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    WriterDependentSVC : Verifies by features, with a support vector machine a writer.
    sigkit.transformers.SignaturePreprocessor : Makes the images.
    sigkit.transformers.TrainingCurvesDisplay : Plots `history_`.

    Notes
    -----
    Batch normalisation uses running statistics, the same for everybody, in adaptation as for queries: a score depends
    on the references, the random forgeries and the query alone. In meta-training with `adapt="head"`, where the network
    is the same for all tasks, those of a meta-batch pass through it together and are normalised by their statistics;
    after each epoch the running ones are taken anew, from up to 1,024 signatures of development writers. With
    `adapt="all"` they stay those of the weights that are started from, or of development writers for random weights;
    with `network_lr=0` they stay too. (The original code takes statistics of a task's references in meta-training, and
    running ones afterwards.) There is no dropout in adaptation.

    All writers are adapted with the same random forgeries, each of another development writer as far as there are
    enough, so that a writer's scores depend on nobody else's enrollment. Without development writers they are
    references of the writers of `fit`, and go with them when these are removed. Of copies among a development writer's
    signatures one is learned from, and none that stands under two names or as genuine and forged; simple forgeries are
    not learned from.

    `enroll` and `remove` replace the state as a whole when they are done: other threads may score meanwhile.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2020). Meta-learning for fast classifier adaptation to
       new users of signature verification systems. IEEE Transactions on Information Forensics and Security, 15,
       1735-1745. arXiv:1910.08060.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import MetaLearnedVerifier
    >>> from sigkit.transformers import SignaturePreprocessor
    >>> scans, target = make_signatures(n_writers=5, n_genuine=6, n_skilled=3, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(40, 57)).fit_transform(scans)
    >>> sizes = {"n_references": 3, "n_random_forgeries": 3, "n_query_random": 3}
    >>> sizes |= {"n_query_genuine": 3, "n_query_skilled": 3}
    >>> model = MetaLearnedVerifier("tiny", dev_writers=[1, 2, 3], epochs=2, random_state=0, **sizes)
    >>> model = model.fit(images, target)
    >>> model.decision_function(images).shape
    (45, 2)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "architecture": [StrOptions(set(ARCHITECTURES))],
        "weights": [str, os.PathLike, None],
        "pretrain": [dict, None],
        "dev_writers": ["array-like", set, range, None],
        "n_references": [Interval(Integral, 1, None, closed="left")],
        "n_random_forgeries": [Interval(Integral, 0, None, closed="left")],
        "n_updates": [Interval(Integral, 1, None, closed="left")],
        "inner_lr": [Interval(Real, 0, None, closed="neither")],
        "network_inner_lr": [Interval(Real, 0, None, closed="left"), None],
        "learn_inner_lr": ["boolean"],
        "head": [StrOptions({"linear", "distance"})],
        "adapt": [StrOptions({"all", "head"})],
        "order": [Interval(Integral, 1, 2, closed="both")],
        "epochs": [Interval(Integral, 0, None, closed="left")],
        "multi_step_epochs": [Interval(Integral, 0, None, closed="left")],
        "meta_batch_size": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "min_lr": [Interval(Real, 0, None, closed="left")],
        "network_lr": [Interval(Real, 0, None, closed="left"), None],
        "clip_value": [Interval(Real, 0, None, closed="neither"), None],
        "n_query_genuine": [Interval(Integral, 1, None, closed="left")],
        "n_query_random": [Interval(Integral, 0, None, closed="left")],
        "n_query_skilled": [Interval(Integral, 0, None, closed="left")],
        "n_forgery_writers": [Interval(Integral, 1, None, closed="left"), None],
        "augmentation": [StrOptions({"crop", "distort"}), dict, None],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "checkpoint_dir": [str, os.PathLike, None],
        "recompute": ["boolean"],
        "keep": [StrOptions({"references", "weights"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str, None],
        "precision": [StrOptions({"float32", "bfloat16", "auto"})],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), Interval(Integral, None, -1, closed="right"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        architecture="signet",
        *,
        weights=None,
        pretrain=None,
        dev_writers=None,
        n_references=5,
        n_random_forgeries=10,
        n_updates=5,
        inner_lr=0.01,
        network_inner_lr=None,
        learn_inner_lr=True,
        head="linear",
        adapt="all",
        order=2,
        epochs=100,
        multi_step_epochs=15,
        meta_batch_size=4,
        lr=1e-3,
        min_lr=1e-5,
        network_lr=None,
        clip_value=10.0,
        n_query_genuine=10,
        n_query_random=10,
        n_query_skilled=10,
        n_forgery_writers=None,
        augmentation="crop",
        validation_fraction=0.1,
        checkpoint_dir=None,
        recompute=False,
        keep="references",
        batch_size=32,
        device=None,
        precision="float32",
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.architecture = architecture
        self.weights = weights
        self.pretrain = pretrain
        self.dev_writers = dev_writers
        self.n_references = n_references
        self.n_random_forgeries = n_random_forgeries
        self.n_updates = n_updates
        self.inner_lr = inner_lr
        self.network_inner_lr = network_inner_lr
        self.learn_inner_lr = learn_inner_lr
        self.head = head
        self.adapt = adapt
        self.order = order
        self.epochs = epochs
        self.multi_step_epochs = multi_step_epochs
        self.meta_batch_size = meta_batch_size
        self.lr = lr
        self.min_lr = min_lr
        self.network_lr = network_lr
        self.clip_value = clip_value
        self.n_query_genuine = n_query_genuine
        self.n_query_random = n_query_random
        self.n_query_skilled = n_query_skilled
        self.n_forgery_writers = n_forgery_writers
        self.augmentation = augmentation
        self.validation_fraction = validation_fraction
        self.checkpoint_dir = checkpoint_dir
        self.recompute = recompute
        self.keep = keep
        self.batch_size = batch_size
        self.device = device
        self.precision = precision
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Meta-train on the development writers and enroll all others.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`. Forgeries of enrolled writers are ignored.

        Returns
        -------
        MetaLearnedVerifier
            The fitted model.

        Raises
        ------
        FileNotFoundError
            If there is no weight file, and no weights of that name in the package.
        ValueError
            If there are no development writers to learn from, one has too few genuine signatures, there are no skilled
            forgeries to tell, the images are too small, a file does not fit, or the first epoch diverges.
        """
        state = vars(self).copy()
        try:
            self._fit(X, y)
        except BaseException:
            vars(self).clear()
            vars(self).update(state)
            raise
        return self

    def _fit(self, X, y):
        check_has_target(self, y)
        X = as_bytes(check_images(self, X, reset=True))
        writers, forgery = check_target(X, y)
        is_dev = development_rows(writers, self.dev_writers)
        if not is_dev.any() and (self.epochs or self.pretrain is not None):
            raise ValueError(
                f"MetaLearnedVerifier learns from development writers, and dev_writers={self.dev_writers!r} names "
                "none. Name writers of y who teach and are not enrolled, or load weights and set epochs=0."
            )
        self._check_pretrain()
        seed = self._choose_seed()
        device = choose_device(self.device)
        roles = self.validation_fraction, self.n_forgery_writers
        development = DevelopmentSet(X[is_dev], writers[is_dev], forgery[is_dev], *roles, seed)
        if self.epochs:
            development.check(self._task_sizes())
        enrolled = ~is_dev & (forgery == GENUINE)
        target = np.stack([writers, forgery], axis=1)
        learner, metadata = self._make_learner(X[enrolled], development, target[is_dev], device, seed)
        history = None
        if self.epochs:
            history, said = self._meta_train(learner, development, device, seed)
            metadata = {**metadata, "start": json.dumps(metadata), **said}
            for name in ("corpus", "licence"):
                metadata.pop(name, None)
        self.learner_, self.metadata_, self.history_ = learner, metadata, history
        self.architecture_ = metadata["architecture"]
        others = self._draw_random_forgeries(development, X[enrolled], writers[enrolled], seed)
        nobody = AdaptedWriters(np.unique(writers)[:0], {}, frozenset(np.unique(writers[is_dev]).tolist()), others)
        self._adapted = self._enroll(nobody, X[enrolled], writers[enrolled], stacklevel=5)

    def enroll(self, X, y):
        """Enroll writers into the fitted model, without meta-training; the others' models stay as they are.

        A writer who was enrolled before is enrolled anew, from these references alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            References, preprocessed.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are ignored.

        Returns
        -------
        MetaLearnedVerifier
            The model.

        Raises
        ------
        ValueError
            If the images do not fit, or a writer belongs to the development set or has no genuine signature.
        """
        check_is_fitted(self)
        check_has_target(self, y)
        X = as_bytes(check_images(self, X, reset=False))
        writers, forgery = check_target(X, y)
        adapted = self._adapted
        adapted.check_new(writers)
        self._adapted = self._enroll(adapted, X[forgery == GENUINE], writers[forgery == GENUINE], stacklevel=3)
        return self

    def remove(self, writers):
        """Take writers out of the fitted model; the others' models stay as they are.

        Parameters
        ----------
        writers : array-like of shape (n_writers,)
            Enrolled writers.

        Returns
        -------
        MetaLearnedVerifier
            The model.

        Raises
        ------
        ValueError
            If a writer is not enrolled; the writer is named.
        """
        check_is_fitted(self)
        adapted = self._adapted
        gone = set(parse_target(writers)[0].tolist())
        adapted.check_enrolled(gone, "Writers to remove who are not enrolled")
        self._adapted = adapted.removing(gone)
        return self

    def claim_scores(self, X, writers):
        """Score each query against the writer it claims to be.

        Parameters
        ----------
        X : array-like of shape (n_queries, height, width)
            Queries, preprocessed.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.

        Returns
        -------
        ndarray of shape (n_queries,)
            Scores, logits of "is genuine"; higher is more genuine.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled; the writer is named.
        """
        adapted = self._adapted_to_somebody()
        X = as_bytes(check_images(self, X, reset=False))
        claimed = adapted.group_claims(X, writers)
        adaptation = Adaptation(self, adapted.others)
        prepared = adaptation.prepare(X)
        scores = np.empty(len(X))
        with self._memory_to_adapt(len(claimed) if self._keeps_references() else 0):
            for writer, rows in progress(list(claimed.items()), len(claimed), "claimed writers", self.verbose):
                scores[rows] = adaptation.score(writer, adapted.known[writer], prepared[rows])
        return scores

    def save_weights(self, path, *, corpus=None, licence=None, half=False):
        """Write the meta-learned weights and learning rates as safetensors, with how they came about.

        No signature is written: neither references nor random forgeries.

        Parameters
        ----------
        path : str or os.PathLike
            The file to write, `.safetensors`; pass it as `weights=` here, or for its features to a `SigNetFeaturizer`.
        corpus : str, default=None
            What the network was trained on, for those who will use the file.
        licence : str, default=None
            The terms under which they may.
        half : bool, default=False
            Whether to round weights to half precision, for a file of half the size.

        Returns
        -------
        MetaLearnedVerifier
            This model.

        Raises
        ------
        ValueError
            If the file has another suffix.
        """
        check_is_fitted(self)
        metadata = with_terms(self.metadata_, corpus, licence)
        save_weights(path, self.learner_, self.architecture_, metadata=metadata, half=half)
        return self

    def _choose_seed(self):
        """Draw a seed; what a folder was begun with stays, for an interrupted training to go on."""
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        if self.checkpoint_dir is None:
            return seed
        from sigkit.training._resume import make_folder

        folder = os.fspath(self.checkpoint_dir)
        make_folder(folder)
        path = os.path.join(folder, "seed.json")
        if os.path.exists(path) and not isinstance(self.random_state, Integral):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        with whole_file(path) as file:
            file.write(json.dumps(seed).encode())
        return seed

    def _task_sizes(self):
        return TaskSizes(
            self.n_references,
            self.n_random_forgeries,
            self.n_query_genuine,
            self.n_query_random,
            self.n_query_skilled,
        )

    def _make_learner(self, references, development, dev_target, device, seed):
        """Make the network to start from, trained or loaded, with a head and learning rates."""
        seen = references if not len(development.images) else development.images
        others = {}
        if self.weights is not None:
            network, metadata, others = load_network(self.weights, self.architecture, return_meta_learned=True)
            check_size(seen, network, metadata["architecture"])
            compare_preprocessing(seen, metadata, self.weights)
        elif self.pretrain is not None:
            featurizer = self._pretrain(development, dev_target, seed)
            network, metadata = featurizer.network_, dict(featurizer.metadata_)
        else:
            network = build_network(self.architecture, seed=seed).eval()
            check_size(seen, network, self.architecture)
            metadata = {"architecture": self.architecture, "preprocessing": describe_preprocessing(seen)}
            some = seen[:: max(1, len(seen) // N_FOR_FIRST_STATISTICS)][:N_FOR_FIRST_STATISTICS]
            update_statistics(network, network_input(torch.from_numpy(some)[:, None], network.input_size), momentum=1.0)
        learner = MetaLearner(
            network,
            n_updates=int(self.n_updates),
            inner_lr=self.inner_lr,
            network_inner_lr=self.network_inner_lr,
            head=self.head,
            adapt=self.adapt,
            order=int(self.order),
            recompute=bool(self.recompute),
            bfloat16=choose_precision(self.precision, device) == "bfloat16",
        )
        if others:
            self._check_meta_learned(metadata)
            learner.load_state_dict(others, strict=False)
        return learner.eval().to(memory_format=torch.channels_last), metadata

    def _check_meta_learned(self, metadata):
        """Refuse weights that were meta-learned for another adaptation."""
        was = json.loads(metadata.get("adaptation", "{}"))
        differing = [name for name in ADAPTATION if was.get(name) != getattr(self, name)]
        if differing:
            then, now = (
                listing(f"{name}={value!r}" for name, value in zip(differing, values))
                for values in ([was.get(name) for name in differing], [getattr(self, name) for name in differing])
            )
            raise ValueError(f"{self.weights}: meta-learned with {then}; found {now}. Set these as they were.")

    def _check_pretrain(self):
        if self.pretrain is None:
            return
        fixed = sorted({"architecture", "weights", "dev_writers"} & set(self.pretrain))
        if fixed or self.weights is not None:
            what = f"sets {listing(fixed)}" if fixed else f"is set beside weights={str(self.weights)!r}"
            raise ValueError(
                f"pretrain {what}, which does not go together: the architecture and the development writers are those "
                "of this estimator, and the pre-training makes the weights. Leave one out."
            )
        unknown = sorted(set(self.pretrain) - set(SigNetFeaturizer().get_params()))
        if unknown:
            raise ValueError(f"pretrain names {listing(unknown)}, which SigNetFeaturizer has no parameter for.")

    def _pretrain(self, development, target, seed):
        folder = None if self.checkpoint_dir is None else os.path.join(self.checkpoint_dir, "pretraining")
        shared = {"device": self.device, "precision": self.precision, "verbose": self.verbose}
        settings = {"random_state": seed, "checkpoint_dir": folder, **shared, **self.pretrain}
        rows = development.rows_to_learn()
        return SigNetFeaturizer(self.architecture, **settings).fit(development.images[rows], target[rows])

    def _meta_train(self, learner, development, device, seed):
        # Kept out of the top of the module: skorch is of no use where nothing is trained.
        from sigkit.training._meta_training import meta_train

        history, recipe = meta_train(self, learner, development, device, seed)
        n_signatures, n_writers = len(development.rows_to_learn()), len(development.teachers)
        return history, {
            **describe_training(recipe, n_signatures, n_writers),
            "adaptation": json.dumps({name: recipe[name] for name in ADAPTATION}),
        }

    def _draw_random_forgeries(self, development, X, writers, seed):
        """Draw what stands for other people in every adaptation: of development writers, or else of peers."""
        n_used, rng = self.n_random_forgeries, np.random.default_rng(seed)
        if development.genuine:
            rows = draw_from_each(development.genuine, list(development.genuine), n_used, rng)
            owners = np.full(len(rows), None)
            return RandomForgeries(development.images[rows], owners, n_used)
        peers = by_writer(np.arange(len(X)), writers)
        if n_used and len(peers) < 2:
            raise ValueError(
                f"MetaLearnedVerifier adapts to n_random_forgeries={n_used} signatures of others, but y holds one "
                f"class only, the writer {next(iter(peers))!r}, and dev_writers is None. Add other writers, name "
                "dev_writers, or set n_random_forgeries=0."
            )
        # Twice as many, for a writer's own do not count.
        rows = draw_from_each(peers, list(peers), 2 * n_used, rng)
        return RandomForgeries(X[rows], writers[rows].astype(object), n_used)

    def _enroll(self, adapted, X, writers, stacklevel):
        references = by_writer(np.arange(len(X)), writers)
        few = [f"{writer!r} ({len(rows)})" for writer, rows in references.items() if len(rows) < self.n_references]
        if few:
            warnings.warn(
                f"{len(few)} of {len(references)} writers enroll with fewer than n_references={self.n_references} "
                f"references, which is what the steps were learned for: {listing(few)}. Those that are there are used.",
                UserWarning,
                stacklevel=stacklevel,
            )
        if self._keeps_references():
            return adapted.enrolling({writer: PackedImages.of(X[rows]) for writer, rows in references.items()})
        adaptation = Adaptation(self, adapted.others)
        writers = progress(list(references.items()), len(references), "enrolling", self.verbose)
        with self._memory_to_adapt(len(references)):
            return adapted.enrolling({writer: adaptation.adapt(writer, X[rows]) for writer, rows in writers})

    def _memory_to_adapt(self, n_writers):
        # What the weights of one writer took, those of the next take again. One alone would only give it back.
        return freed_memory_kept() if self.learner_.adapts == "all" and n_writers > 1 else nullcontext()

    def _keeps_references(self):
        return self.learner_.adapts == "all" and self.keep == "references"

    def _adapted_to_somebody(self):
        check_is_fitted(self)
        adapted = self._adapted
        adapted.check_somebody()
        return adapted

    def _score_everybody(self, X):
        adapted = self._adapted_to_somebody()
        X = as_bytes(check_images(self, X, reset=False))
        adaptation = Adaptation(self, adapted.others)
        prepared = adaptation.prepare(X)
        scores = np.empty((len(X), len(adapted.classes)))
        columns = list(enumerate(adapted.classes.tolist()))
        with self._memory_to_adapt(len(columns) if self._keeps_references() else 0):
            for column, writer in progress(columns, len(columns), "scoring, writers", self.verbose):
                scores[:, column] = adaptation.score(writer, adapted.known[writer], prepared)
        return adapted.classes, scores

    @property
    def classes_(self):
        return self._adapted.classes

    @property
    def random_forgeries_(self):
        return self._adapted.others.images

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_adapted")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
