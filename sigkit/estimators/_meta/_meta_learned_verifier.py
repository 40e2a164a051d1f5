"""A verifier whose network adapts to each writer by a few gradient steps."""

import os
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import (
    GENUINE,
    as_bytes,
    by_writer,
    check_images,
    development_rows,
    listing,
    progress,
    warn,
    with_terms,
)
from sigkit.estimators._meta._adapt_network import Adaptation, memory_to_adapt
from sigkit.estimators._meta._enrollment import enroll_references, only_informed
from sigkit.estimators._meta._learner import choose_seed, learn
from sigkit.estimators._meta._meta_gallery import AdaptedWriters
from sigkit.estimators._meta._random_forgeries import draw_random_forgeries
from sigkit.estimators._verifier import VerifierMixin, check_has_target, check_target, unchanged_on_error
from sigkit.nets import check_architecture, learner_state, restore_learner, save_weights
from sigkit.training import DevelopmentSet, MetaTraining, own_training, training_of


class MetaLearnedVerifier(VerifierMixin, ClassifierMixin, BaseEstimator):
    """Verify preprocessed signatures by a network that adapts to each writer from a few references [1]_.

    Meta-training on development writers (MAML) learns initial weights and learning rates, from which `n_updates`
    gradient steps on references yield a verifier of a writer. Enrollment needs no forgeries and no meta-training. All
    writers of `y` but the development writers are enrolled. With the defaults this is the method of [1]_.

    Parameters
    ----------
    architecture : str, default="signet"
        Name of the network, one of `sigkit.nets.ARCHITECTURES`; "signet" and "smallcnn" are those of [1]_. A weight
        file names its own.
    weights : {"synthetic"}, str, os.PathLike or None, default=None
        Initial weights: the name of weights in the package, or a file written by `SigNetFeaturizer`, by sigver or by
        `save_weights` of this estimator; without epochs the latter are used as they are. None starts from random
        weights.
    dev_writers : array-like of writer ids or None, default=None
        The development writers, whose signatures the meta-training uses and who are never enrolled. None requires a
        training without epochs; random forgeries are then references of other enrolled writers.
    n_references : int, default=5
        Number of references in a task of the meta-training. Writers who enroll with fewer are named in a warning; if
        there are more, all are used.
    n_random_forgeries : int, default=10
        Number of random forgeries that the network adapts to besides the references. 0 is one-class adaptation, to the
        references only.
    n_updates : int, default=5
        Number of gradient steps of the adaptation.
    head : {"linear", "distance"}, default="linear"
        The layer that computes a score from features: a linear layer as in [1]_, or the distance from a center, which
        the first step moves to the references. The distance is better with few references.
    adapt : {"all", "head"}, default="all"
        Weights that the steps change: all, or those of the head (ANIL). With "head" all writers share their features,
        which are computed once per query, however many writers are enrolled.
    training : MetaTraining or None, default=None
        Parameters of the meta-training and of the steps: epochs, learning rates, queries and others; None takes the
        defaults of :class:`sigkit.training.MetaTraining`. `set_params(training__epochs=5)` works in both cases.
    keep : {"references", "weights"}, default="references"
        What is stored for an enrolled writer with `adapt="all"`: the references, from which the weights are computed
        when they are needed, or the adapted weights, which are faster and take the memory of a network for each writer
        (63 MB for SigNet, 5.7 MB for the small network). With `adapt="head"` the head is stored, 8 KB for SigNet. The
        references take about 2 KB each, and are stored in all cases, for `add_references`.
    batch_size : int, default=32
        Number of queries in a batch.
    device : str or None, default=None
        Device of the network, "cpu" or "cuda" for instance; None selects an accelerator if there is one.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Type of convolutions and matrix products; weights and losses are float32. "auto" is bfloat16 where it is fast.
    random_state : int, RandomState instance or None, default=None
        Seed of the weights, tasks, augmentation and random forgeries; None takes a new one in each `fit`.
    verbose : int, default=0
        1 reports the progress, after each epoch or once a second, on the standard error stream; 2 also within epochs.

    Attributes
    ----------
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted: the columns of `decision_function`.
    learner_ : sigkit.nets.MetaLearner
        The meta-learned network and learning rates, on the CPU in float32.
    architecture_ : str
        The architecture of the network.
    random_forgeries_ : ndarray of shape (n_images, height, width), dtype uint8
        The signatures that serve as random forgeries in enrollment.
    threshold_ : float
        The threshold of `verify` by default: 0, the boundary that is learned against random forgeries. Choose another
        one with `OperatingPointVerifier`.
    history_ : list of dict or None
        Measurements of each epoch: "train_loss", "valid_loss", "valid_acc" (of genuine signatures and forgeries
        after adaptation, balanced), "lr", "dur" (seconds). None without meta-training.
    metadata_ : dict of str to str
        Metadata of the weights, and of those that the meta-training started from; `save_weights` writes it.
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    sigkit.training.MetaTraining : Parameters of the meta-training.
    WriterDependentSVC : Verifies signatures by features, with one SVM per writer.
    sigkit.transformers.SignaturePreprocessor : Makes the images.
    sigkit.training.TrainingCurvesDisplay : Plots `history_`.

    Notes
    -----
    Batch normalization uses running statistics, and there is no dropout: a score depends only on the references, the
    random forgeries and the query. The user guide describes the statistics in meta-training.

    All writers are adapted with the same random forgeries, of different development writers if there are enough, so
    that a writer's scores do not depend on other enrollments. Without development writers they are references of the
    writers of `fit`. After `remove` they serve in no further enrollment; those that a stored writer is adapted to at
    each claim are kept, so that scores do not change. The meta-training uses duplicates once, and neither simple
    forgeries nor signatures labeled with two writers or forgery kinds.

    Nothing is accepted without information: blank images are rejected, and so are claims for writers whose adapted
    network gives references the scores of random forgeries. The score is -10.0 then. With weights stored, `enroll`
    names these writers in a warning, or in an error if there are no others; else scoring names them in a warning.

    `enroll`, `add_references` and `remove` replace the fitted state as a whole at their end; other threads may score
    meanwhile. Several threads may enroll and remove writers at once.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2020). Meta-learning for fast classifier adaptation to
       new users of signature verification systems. IEEE Transactions on Information Forensics and Security, 15,
       1735-1745. arXiv:1910.08060.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import MetaLearnedVerifier
    >>> from sigkit.training import MetaTraining
    >>> from sigkit.transformers import SignaturePreprocessor
    >>> scans, target = make_signatures(n_writers=5, n_genuine=6, n_skilled=3, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(40, 57)).fit_transform(scans)
    >>> training = MetaTraining(epochs=2, n_queries=(3, 3, 3))
    >>> model = MetaLearnedVerifier(
    ...     "tiny", dev_writers=[1, 2, 3], n_references=3, n_random_forgeries=3, training=training, random_state=0
    ... ).fit(images, target)
    >>> model.decision_function(images).shape
    (45, 2)
    """

    _default_threshold = 0.0
    _parameter_constraints: dict = {  # noqa: RUF012
        "architecture": [str],
        "weights": [str, os.PathLike, None],
        "dev_writers": ["array-like", set, range, None],
        "n_references": [Interval(Integral, 1, None, closed="left")],
        "n_random_forgeries": [Interval(Integral, 0, None, closed="left")],
        "n_updates": [Interval(Integral, 1, None, closed="left")],
        "head": [StrOptions({"linear", "distance"})],
        "adapt": [StrOptions({"all", "head"})],
        "training": [MetaTraining, None],
        "keep": [StrOptions({"references", "weights"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str, None],
        "precision": [StrOptions({"float32", "bfloat16", "auto"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        architecture="signet",
        *,
        weights=None,
        dev_writers=None,
        n_references=5,
        n_random_forgeries=10,
        n_updates=5,
        head="linear",
        adapt="all",
        training=None,
        keep="references",
        batch_size=32,
        device=None,
        precision="float32",
        random_state=None,
        verbose=0,
    ):
        self.architecture = architecture
        self.weights = weights
        self.dev_writers = dev_writers
        self.n_references = n_references
        self.n_random_forgeries = n_random_forgeries
        self.n_updates = n_updates
        self.head = head
        self.adapt = adapt
        self.training = training
        self.keep = keep
        self.batch_size = batch_size
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def set_params(self, **params):
        """Set parameters, those of the training by their path, such as `training__lr`.

        Parameters of a training are set in a copy, so that one shared by several estimators stays as it is.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        MetaLearnedVerifier
            This model.
        """
        return super().set_params(**own_training(self, params, MetaTraining))

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Meta-train on the development writers, and enroll all others.

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
            If there are no development writers, one has too few genuine signatures, there are no skilled forgeries to
            score, the images are too small, a weight file does not match the architecture, or the first epoch diverges.
        """
        with unchanged_on_error(self):
            self._fit(X, y)
        return self

    def _fit(self, X, y):
        check_has_target(self, y)
        X = as_bytes(check_images(self, X, reset=True))
        writers, forgery = check_target(X, y)
        check_architecture(self.architecture)
        training = training_of(self, MetaTraining)
        training.validate()
        training = training.resolve()
        is_dev = development_rows(writers, self.dev_writers)
        if not is_dev.any() and (training.epochs or training.pretrain is not None):
            raise ValueError(
                f"MetaLearnedVerifier is meta-trained on development writers, and dev_writers={self.dev_writers!r} "
                "names none. Name writers of y, who are not enrolled; or load weights, and set "
                "training=MetaTraining(epochs=0)."
            )
        seed = choose_seed(self, training)
        held_out = training.validation_fraction, training.n_forgery_writers
        development = DevelopmentSet(X[is_dev], writers[is_dev], forgery[is_dev], *held_out, seed)
        enrolled = ~is_dev & (forgery == GENUINE)
        target = np.stack([writers, forgery], axis=1)
        self.learner_, self.metadata_, self.history_ = learn(
            self, training, X[enrolled], development, target[is_dev], seed
        )
        self.architecture_ = self.metadata_["architecture"]
        others = draw_random_forgeries(development, X[enrolled], writers[enrolled], self.n_random_forgeries, seed)
        no_writers = AdaptedWriters(np.unique(writers)[:0], {}, frozenset(np.unique(writers[is_dev]).tolist()), others)
        fitted = self._fit_writers(no_writers, X[enrolled], writers[enrolled], extend=False)
        self._enrolled = no_writers.with_writers(fitted)

    def _score_claims(self, X, writers):
        adapted = self._enrolled_writers()
        X = as_bytes(check_images(self, X, reset=False))
        claimed = adapted.group_claims(X, writers)
        adaptation = Adaptation(self, adapted.others)
        prepared = adaptation.prepare(X)
        scores = np.empty(len(X))
        with memory_to_adapt(len(claimed) if self._keeps_references() else 0):
            for writer, rows in progress(list(claimed.items()), len(claimed), "claimed writers", self.verbose):
                scores[rows] = adaptation.score(writer, adapted.known[writer], prepared[rows])
        scores = only_informed(self, X, scores, adaptation.blind)
        return scores, ~np.isnan(scores)

    def save_weights(self, path, *, corpus=None, licence=None, half=False):
        """Write the meta-learned weights and learning rates as safetensors, with a description of their training.

        Neither references nor random forgeries are written.

        Parameters
        ----------
        path : str or os.PathLike
            The file to write, `.safetensors`; pass it as `weights=` here, or for its features to a `SigNetFeaturizer`.
        corpus : str, default=None
            Name of the corpus that the network was trained on.
        licence : str, default=None
            License of the weights.
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
        terms = with_terms(self.metadata_, corpus, licence)
        save_weights(path, self.learner_, self.architecture_, metadata=terms, half=half)
        return self

    def _check_references(self, X, y):
        check_has_target(self, y)
        X = as_bytes(check_images(self, X, reset=False))
        writers, forgery = check_target(X, y)
        return X[forgery == GENUINE], writers[forgery == GENUINE]

    def _fit_writers(self, adapted, X, writers, *, extend):
        if extend:
            X, writers = adapted.with_earlier(X, writers)
        references = by_writer(np.arange(len(X)), writers)
        few = [f"{writer!r} ({len(rows)})" for writer, rows in references.items() if len(rows) < self.n_references]
        if few:
            warn(
                f"{len(few)} of {len(references)} writers enroll with fewer references than n_references="
                f"{self.n_references}, the number that the steps were learned for: {listing(few)}. All their "
                "references are used."
            )
        return enroll_references(self, adapted, X, references)

    def _keeps_references(self):
        return self.learner_.adapts == "all" and self.keep == "references"

    def _score_enrolled(self, X):
        adapted = self._enrolled_writers()
        X = as_bytes(check_images(self, X, reset=False))
        adaptation = Adaptation(self, adapted.others)
        prepared = adaptation.prepare(X)
        scores = np.empty((len(X), len(adapted.classes)))
        columns = list(enumerate(adapted.classes.tolist()))
        with memory_to_adapt(len(columns) if self._keeps_references() else 0):
            for column, writer in progress(columns, len(columns), "scoring, writers", self.verbose):
                scores[:, column] = adaptation.score(writer, adapted.known[writer], prepared)
        return adapted.classes, only_informed(self, X, scores, adaptation.blind)

    def __getstate__(self):
        """Return the state, in which arrays stand for the learner."""
        state = super().__getstate__()
        return {**state, "learner_": learner_state(state["learner_"])} if "learner_" in state else state

    def __setstate__(self, state):
        """Set the state, and build the learner."""
        if "learner_" in state:
            state = {**state, "learner_": restore_learner(state["learner_"], state["architecture_"])}
        super().__setstate__(state)

    @property
    def random_forgeries_(self):
        others = self._enrolled.others
        return others.images[others.active]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
