"""From preprocessed images to features."""

import os
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sigkit._utils import (
    as_bytes,
    check_images,
    check_magnification,
    check_size,
    compare_preprocessing,
    content_digest,
    describe_preprocessing,
    describe_training,
    development_rows,
    parse_target,
    progress,
    with_terms,
)
from sigkit.nets import (
    ARCHITECTURES,
    build_network,
    choose_device,
    choose_precision,
    load_network,
    prepare_network,
    save_weights,
)
from sigkit.transformers._features import FeatureExtractor, extract_features
from sigkit.transformers._memory import ImageMemory


class SigNetFeaturizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Compute features of preprocessed signatures by a convolutional network, trained on writers or loaded.

    With the defaults, training is that of SigNet [1]_: the network learns to tell whose genuine signature it sees
    (equation 1). `forgery_weight` makes it SigNet-F, which also learns to tell forgeries (equations 3 and 4).
    The other options, of which none was in [1]_, make features carry over to other corpora.

    Parameters
    ----------
    architecture : str, default="signet"
        The network: "signet", "signet_smaller" and "signet_residual" have 2,048 features, "signet_thin" and
        "signet_small" 1,024, "smallcnn" 256 and "tiny" 16; see :func:`sigkit.nets.build_network`. The metadata of a
        weight file override it.
    weights : {"synthetic"}, str, os.PathLike or None, default=None
        Weights in the package by their name, or a `.safetensors` file, or a `.pth` file of sigver's; nothing in it is
        executed. "synthetic" was learned from signatures of people who do not exist, and has no other terms of use than
        the package. None trains the network.
    initial_weights : str, os.PathLike or None, default=None
        Where a training starts: a file or name as for `weights`, "synthetic" for instance, whose architecture counts.
        None draws the first weights at random.
    dev_writers : array-like of writer ids or None, default=None
        The writers to learn from; None learns from all in `y`.
    forgery_weight : float or None, default=None
        Share of the loss that is about "is this a forgery", 0 to 1, learned from skilled forgeries; None learns from
        genuine signatures only.
    writer_loss : {"genuine", "all"}, default="genuine"
        With a forgery weight: whether the loss about writers takes genuine signatures (equation 4 of [1]_), or all
        (equation 3).
    forgery_classes : bool, default=False
        Whether a writer's skilled forgeries are learned as a writer of their own; the loss about writers then takes all
        signatures.
    mirrored_classes : bool, default=False
        Whether mirror images (left to right, upside down, both) are learned as further writers of their own.
    head : {"linear", "cosine"}, default="linear"
        What tells writers by features, in training only: logits are linear in the features, or cosines.
    scale, margin : float, default=16.0, 0.2
        With the cosine head: the factor of the cosines, and by how much the right writer's cosine must be greatest.
    label_smoothing : float, default=0.0
        How much of the target is spread over all writers, 0 to 1.
    augmentation : {"crop", "distort"} or dict, default="crop"
        What varies images in training: a random crop as in [1]_, or the changes of shape, pen and ink of
        :class:`sigkit.training.Distortion`, whose strengths a dict sets.
    epochs : int, default=60
        How many times the training sees each signature. 0 leaves the network untrained, for tests and comparisons.
    batch_size : int, default=32
        Number of images that pass through the network at once.
    lr : float, default=1e-3
        Learning rate of stochastic gradient descent with Nesterov's momentum, at the beginning.
    schedule : {"step", "cosine"}, default="step"
        How the learning rate falls: times `lr_decay` from each of `lr_decay_times` equal parts to the next, or along a
        cosine to 0 after a warm-up of a twentieth of the training.
    lr_decay, lr_decay_times : float, int, default=0.1, 3
        The steps of the schedule.
    momentum, weight_decay : float, default=0.9, 1e-4
        Of stochastic gradient descent.
    clip_value : float or None, default=10.0
        Greatest absolute value of a gradient; None clips nothing.
    validation_fraction : float, default=0.1
        Share of each writer's distinct signatures that the training does not see and that choose the best epoch, by
        accuracy in telling writers. 0 keeps the last epoch.
    patience : int or None, default=None
        How many epochs to wait for a better one before the training ends early; None trains through.
    checkpoint_dir : str, os.PathLike or None, default=None
        A folder in which the state is written after each epoch. The next `fit` with the same images, parameters and
        folder goes on there, and ends with the same weights (in float32, on the same machine) as an uninterrupted one;
        a training that came to its end is not done again.
    callbacks : list of skorch callbacks or None, default=None
        Handed through to skorch: `ProgressBar`, `TensorBoard`, `Checkpoint` (with `dirname`), `EarlyStopping`, and
        others. What they remember themselves is not part of `checkpoint_dir`. `cross_validate` and `GridSearchCV` copy
        them, which the `SummaryWriter` of a `TensorBoard` does not allow.
    compile : bool, default=False
        Whether `torch.compile` compiles the training; needs a C++ compiler, and pays in long trainings.
    n_views : int, default=1
        Number of slightly distorted views of each image, itself included, whose features `transform` averages: somewhat
        better features at that many times the cost.
    magnification : float or sequence of float, default=1.0
        How much images are enlarged before the network looks at them in `transform`, 1 to 4, as set in `fit`; the
        network must take any size (a residual one). Features at several magnifications stand side by side: `(1, 1.25)`
        is better than either on the mean of the corpora measured, at 2.6 times the cost of 1.
    device : str or None, default=None
        Where the network runs, "cpu" or "cuda" for instance; None takes an accelerator if there is one.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        The type of weights and activations in `transform`, and of convolutions and matrix products in training.
        "bfloat16" changes features slightly (cosine above 0.999) and is at least twice as fast on a processor with
        avx512_bf16 and on recent accelerators; "auto" takes it there only.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        A folder in which features are remembered an image, by its content, the weights and these parameters.
    random_state : int, RandomState instance or None, default=None
        Seed of the first weights, the validation signatures, the order and the augmentation.
    verbose : int, default=0
        1 tells of the progress, each epoch or once a second, on the standard error stream.

    Attributes
    ----------
    network_ : torch.nn.Module
        The network, on the processor in float32.
    architecture_ : str
        The architecture of the network.
    net_ : skorch.NeuralNet or None
        The net that was trained, without its optimizer; None if there was no training.
    history_ : list of dict or None
        What was measured in each epoch: "train_loss", "valid_loss", "valid_acc", "lr", "dur" (seconds).
    metadata_ : dict of str to str
        What is known of the weights: architecture, recipe, date, preprocessing; `save_weights` writes it.
    magnifications_ : tuple of float
        How much `transform` enlarges images, each time.
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    SignaturePreprocessor : Makes the images.
    TrainingCurvesDisplay : Plots `history_`.
    sigkit.estimators.WriterDependentSVC : Verifies by the features.

    Notes
    -----
    `sigkit.transformers.TRANSFER_RECIPE` is a dict of parameters whose features carry over to other corpora:
    `SigNetFeaturizer(**TRANSFER_RECIPE)`.

    Of copies among a writer's signatures only one is learned from. Several processes that `torchrun` starts, in each of
    which `torch.distributed` is initialized and `fit` called with the same data, share each batch and average their
    gradients.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=4, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> featurizer = SigNetFeaturizer("tiny", epochs=2, random_state=0).fit(images, target)
    >>> [epoch["epoch"] for epoch in featurizer.history_]
    [1, 2]
    >>> features = featurizer.transform(images)
    >>> features.shape, features.dtype
    ((24, 16), dtype('float32'))

    The weights in the package need no training:

    >>> featurizer = SigNetFeaturizer(weights="synthetic").fit(images)
    >>> featurizer.architecture_, featurizer.transform(images).shape
    ('signet_small', (24, 1024))
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "architecture": [StrOptions(set(ARCHITECTURES))],
        "weights": [str, os.PathLike, None],
        "initial_weights": [str, os.PathLike, None],
        "dev_writers": ["array-like", set, range, None],
        "forgery_weight": [Interval(Real, 0, 1, closed="both"), None],
        "writer_loss": [StrOptions({"genuine", "all"})],
        "forgery_classes": ["boolean"],
        "mirrored_classes": ["boolean"],
        "head": [StrOptions({"linear", "cosine"})],
        "scale": [Interval(Real, 0, None, closed="neither")],
        "margin": [Interval(Real, 0, 1, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "augmentation": [StrOptions({"crop", "distort"}), dict],
        "epochs": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "schedule": [StrOptions({"step", "cosine"})],
        "lr_decay": [Interval(Real, 0, 1, closed="right")],
        "lr_decay_times": [Interval(Integral, 1, None, closed="left")],
        "momentum": [Interval(Real, 0, 1, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "clip_value": [Interval(Real, 0, None, closed="neither"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "checkpoint_dir": [str, os.PathLike, None],
        "callbacks": [list, tuple, None],
        "compile": ["boolean"],
        "n_views": [Interval(Integral, 1, None, closed="left")],
        "magnification": [Interval(Real, 1, 4, closed="both"), "array-like"],
        "device": [str, None],
        "precision": [StrOptions({"float32", "bfloat16", "auto"})],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        architecture="signet",
        *,
        weights=None,
        initial_weights=None,
        dev_writers=None,
        forgery_weight=None,
        writer_loss="genuine",
        forgery_classes=False,
        mirrored_classes=False,
        head="linear",
        scale=16.0,
        margin=0.2,
        label_smoothing=0.0,
        augmentation="crop",
        epochs=60,
        batch_size=32,
        lr=1e-3,
        schedule="step",
        lr_decay=0.1,
        lr_decay_times=3,
        momentum=0.9,
        weight_decay=1e-4,
        clip_value=10.0,
        validation_fraction=0.1,
        patience=None,
        checkpoint_dir=None,
        callbacks=None,
        compile=False,
        n_views=1,
        magnification=1.0,
        device=None,
        precision="float32",
        memory=None,
        random_state=None,
        verbose=0,
    ):
        self.architecture = architecture
        self.weights = weights
        self.initial_weights = initial_weights
        self.dev_writers = dev_writers
        self.forgery_weight = forgery_weight
        self.writer_loss = writer_loss
        self.forgery_classes = forgery_classes
        self.mirrored_classes = mirrored_classes
        self.head = head
        self.scale = scale
        self.margin = margin
        self.label_smoothing = label_smoothing
        self.augmentation = augmentation
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.schedule = schedule
        self.lr_decay = lr_decay
        self.lr_decay_times = lr_decay_times
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.clip_value = clip_value
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.checkpoint_dir = checkpoint_dir
        self.callbacks = callbacks
        self.compile = compile
        self.n_views = n_views
        self.magnification = magnification
        self.device = device
        self.precision = precision
        self.memory = memory
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the network on writers, or load its weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255. With `weights` only their shape and background are
            looked at.
        y : array-like of shape (n_samples,) or (n_samples, 2), default=None
            Writer ids, or rows `[writer, forgery]`. Ignored with `weights` or `epochs=0`.

        Returns
        -------
        SigNetFeaturizer
            The fitted transformer.

        Raises
        ------
        FileNotFoundError
            If there is no weight file, and no weights of that name in the package.
        ValueError
            If the weight file is damaged, refused or of another architecture; the images are too small; there are no
            two writers to learn from, or one with a single image; or `checkpoint_dir` holds the state of another
            training.
        KeyboardInterrupt
            If the training is interrupted. With `checkpoint_dir`, the next `fit` goes on after the last whole epoch.
        """
        return self._fit(X, y)

    def _fit(self, X, y, adversary=None):
        """Fit, against an adversary if there is one, who changes what the training sees."""
        X = check_images(self, X, reset=True)
        device = choose_device(self.device)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        net = None
        if self.weights is not None and self.initial_weights is not None:
            raise ValueError(
                "weights= are used as they are, and initial_weights= are trained further: pass one of them, not both."
            )
        if self.weights is not None:
            network, metadata = load_network(self.weights, self.architecture)
            check_size(X, network, metadata["architecture"])
            compare_preprocessing(X, metadata, self.weights)
        else:
            network, architecture = self._start(X, seed)
            metadata = {"architecture": architecture, "preprocessing": describe_preprocessing(X)}
        magnifications = check_magnification(self.magnification, network)
        if self.weights is None and self.epochs:
            net, said = self._train(X, y, network, architecture, device, seed, adversary)
            network, metadata = net.module_.network, metadata | said
        self.network_, self.metadata_ = network.eval(), metadata
        self.architecture_ = metadata["architecture"]
        self.net_, self.history_ = net, None if net is None else [dict(epoch) for epoch in net.history]
        self._fingerprint = None if self.memory is None else _fingerprint(self.network_)
        self.magnifications_ = magnifications
        self._n_features_out = self.network_.n_features * len(magnifications)
        return self

    def transform(self, X):
        """Compute features.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255, background 0; all of the shape seen in `fit`. The
            network sees their middle of 150 x 220 pixels, enlarged by `magnification`.

        Returns
        -------
        ndarray of shape (n_samples, n_magnifications * n_features), dtype float32
            Features.

        Raises
        ------
        ValueError
            If the images have another shape than those of `fit`, or values outside 0 to 255.
        """
        check_is_fitted(self, "network_")
        X = check_images(self, X, reset=False)
        device = choose_device(self.device)
        precision = choose_precision(self.precision, device)
        memory = ImageMemory(None, "features")
        if self.memory is not None:
            weights = self._fingerprint or _fingerprint(self.network_)
            settings = self.architecture_, precision, device.type, self.n_views, self.magnifications_
            memory = ImageMemory(self.memory, "features", weights, *settings)

        features = np.empty((len(X), self._n_features_out), dtype=np.float32)
        unknown = []
        for row, image in enumerate(X):
            remembered = (memory.get(image) or {}).get("features")
            if remembered is None or remembered.shape != features.shape[1:]:
                unknown.append(row)
            else:
                features[row] = remembered
        if unknown:
            network = prepare_network(self.network_, device, precision)
            extractor = FeatureExtractor(network, self.n_views, self.magnifications_)
            batches = (unknown[batch] for batch in gen_batches(len(unknown), self.batch_size))
            for rows in progress(batches, len(unknown), "features", self.verbose):
                features[rows] = extract_features(extractor, X[rows])
                for row in rows:
                    memory.put(X[row], features=features[row])
        return features

    def as_module(self, *, device=None):
        """Make a torch module of what `transform` computes, for gradients by the pixels.

        Parameters
        ----------
        device : str, torch.device or None, default=None
            Where to compute; None takes that of the estimator.

        Returns
        -------
        torch.nn.Module
            A copy of the network in evaluation mode, from images of shape (n_samples, height, width), values from 0 to
            255, to features of shape (n_samples, n_magnifications * n_features). Batch normalisation is folded into
            the layers before it.
        """
        check_is_fitted(self, "network_")
        device = choose_device(self.device if device is None else device)
        network = prepare_network(self.network_, device, choose_precision(self.precision, device), fold=True)
        return FeatureExtractor(network, self.n_views, self.magnifications_)

    def save_weights(self, path, *, corpus=None, licence=None, half=False):
        """Write the network's weights as safetensors, with how they came about.

        Parameters
        ----------
        path : str or os.PathLike
            The file to write, `.safetensors`; pass it as `weights=` to use it.
        corpus : str, default=None
            What the network was trained on, for those who will use the file.
        licence : str, default=None
            The terms under which they may.
        half : bool, default=False
            Whether to round weights to half precision, for a file of half the size.

        Returns
        -------
        SigNetFeaturizer
            This transformer.

        Raises
        ------
        ValueError
            If the file has another suffix.
        """
        check_is_fitted(self, "network_")
        metadata = with_terms(self.metadata_, corpus, licence)
        save_weights(path, self.network_, self.architecture_, metadata=metadata, half=half)
        return self

    def _start(self, X, seed):
        """Make the network that is trained, and tell its architecture."""
        if self.initial_weights is None:
            with torch.device("meta"):
                check_size(X, build_network(self.architecture), self.architecture)
            return build_network(self.architecture, seed=seed), self.architecture
        network, metadata = load_network(self.initial_weights, self.architecture)
        check_size(X, network, metadata["architecture"])
        compare_preprocessing(X, metadata, self.initial_weights)
        return network, metadata["architecture"]

    def _train(self, X, y, network, architecture, device, seed, adversary):
        # Kept out of the top of the module: skorch is of no use where weights are only loaded.
        from sigkit.training._train import train_network
        from sigkit.training._training_set import collect_classes

        if y is None:
            raise ValueError(
                "weights=None: training the network requires y to be passed, but the target y is None. Pass writer "
                "ids, weights=, the path or name of trained weights, or epochs=0 for an untrained network."
            )
        writers, forgery = parse_target(y)
        check_consistent_length(X, writers)
        teaches = development_rows(writers, self.dev_writers) if self.dev_writers is not None else forgery >= 0
        X, writers, forgery = X[teaches], writers[teaches], forgery[teaches]
        with_forgeries = self.forgery_weight is not None or self.forgery_classes
        rows, target, known = collect_classes(X, writers, forgery, with_forgeries=with_forgeries)
        if with_forgeries and not target[:, 1].any():
            raise ValueError(
                "forgery_weight= and forgery_classes= learn from skilled forgeries of the development writers; y has "
                "none. Pass them with rows [writer, 1] in y, or leave these parameters at their defaults."
            )
        images = as_bytes(X[rows])
        net, recipe = train_network(self, network, architecture, images, target, len(known), device, seed, adversary)
        return net, describe_training(recipe, len(images), len(known))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = self.weights is None and bool(self.epochs)
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _fingerprint(network):
    return [content_digest(tensor.numpy()) for tensor in network.state_dict().values()]
