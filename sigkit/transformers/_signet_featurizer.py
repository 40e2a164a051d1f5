"""From preprocessed images to features."""

import os
from numbers import Integral, Real

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sigkit._utils import (
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
    build_network,
    check_architecture,
    choose_device,
    choose_precision,
    load_network,
    network_without_weights,
    prepare_network,
    prepared_network,
    save_weights,
)
from sigkit.training import SigNetTraining, own_training, train_features, training_of, training_seed
from sigkit.transformers._features import FeatureExtractor, check_features, extract_features
from sigkit.transformers._memory import ImageMemory, cached_features, make_memory, warn_if_not_kept
from sigkit.transformers._network_in_state import NetworkInState


class SigNetFeaturizer(NetworkInState, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Compute features of preprocessed signatures with a convolutional network, trained on writers or loaded.

    With the defaults, the training is that of SigNet [1]_: the network is trained to classify the writers of genuine
    signatures (equation 1). With a `forgery_weight` it is SigNet-F, which also classifies forgeries (equations 3, 4).

    Parameters
    ----------
    architecture : str, default="signet"
        Name of the network: one of `sigkit.nets.ARCHITECTURES`, such as "signet" (2,048 features) or "signet_small"
        (1,024), or "torchvision:" with the name of a classification network of torchvision, such as
        "torchvision:resnet18"; see :func:`sigkit.nets.build_network`. A weight file names its own.
    weights : {"synthetic"}, str, os.PathLike or None, default=None
        Name of weights in the package, or path of a `.safetensors` file or of a `.pth` file of sigver; no code in the
        file is executed. "synthetic" was trained on synthetic signatures only, and has the license of the package. None
        trains the network.
    initial_weights : str, os.PathLike or None, default=None
        Name or path, as in `weights`, of the weights that the training starts from, with their architecture. None
        starts from random weights.
    dev_writers : array-like of writer ids or None, default=None
        The writers that the network is trained on; None trains on all in `y`.
    forgery_weight : float or None, default=None
        Weight, 0 to 1, of the forgery term in the loss, for which `y` must contain skilled forgeries. None trains on
        genuine signatures only.
    training : SigNetTraining or None, default=None
        Parameters of the training: loss, augmentation, epochs, learning rate and others; None takes the defaults of
        :class:`sigkit.training.SigNetTraining`. `set_params(training__epochs=5)` works in both cases.
    n_views : int, default=1
        Number of slightly distorted views of each image, itself included, whose features `transform` averages.
    magnification : float or sequence of float, default=1.0
        Factor by which `transform` enlarges images, from 1 to 4, as set in `fit`; the network must take any size. With
        several factors, multi-scale features are concatenated: `(1, 1.25)` is better than either on the mean of the
        corpora measured, at 2.6 times the cost of 1.
    batch_size : int, default=32
        Number of images in a batch of `transform`.
    device : str or None, default=None
        Device of the network, "cpu" or "cuda" for instance; None selects an accelerator if there is one.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Type of weights and activations in `transform`, and of convolutions and matrix products in training.
        "bfloat16" changes features slightly (cosine above 0.999) and is at least twice as fast on a CPU with
        avx512_bf16 and on recent accelerators; "auto" uses it only there.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Folder in which the features of each image are cached. If it cannot be written later, one warning names it.
    random_state : int, RandomState instance or None, default=None
        Seed of the weights, validation signatures, batches, augmentation and dropout; None takes a new one in each fit.
    verbose : int, default=0
        1 reports the progress, after each epoch or once a second, on the standard error stream.

    Attributes
    ----------
    network_ : torch.nn.Module
        The network, on the CPU in float32.
    architecture_ : str
        The architecture of the network.
    net_ : skorch.NeuralNet or None
        The net that was trained, without its optimizer; None if there was no training, and in a copy that was loaded.
    history_ : list of dict or None
        Measurements of each epoch: "train_loss", "valid_loss", "valid_acc", "lr", "dur" (seconds).
    metadata_ : dict of str to str
        Metadata of the weights: architecture, recipe, date, preprocessing; `save_weights` writes it.
    magnifications_ : tuple of float
        The factors by which `transform` enlarges images.
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    SignaturePreprocessor : Makes the images.
    sigkit.training.SigNetTraining : Parameters of the training.
    sigkit.training.TrainingCurvesDisplay : Plots `history_`.
    sigkit.estimators.WriterDependentSVC : Verifies signatures by the features.

    Notes
    -----
    Duplicates among a writer's signatures are used once. Distributed training needs `torch.distributed` to be
    initialized, and `fit` to be called in every process with the same data; the processes share each batch.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.training import SigNetTraining
    >>> from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=4, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=2), random_state=0).fit(images, target)
    >>> len(featurizer.history_), featurizer.transform(images).shape
    (2, (24, 16))

    The weights in the package need no training:

    >>> featurizer = SigNetFeaturizer(weights="synthetic").fit(images)
    >>> featurizer.architecture_, featurizer.transform(images).shape
    ('signet_small', (24, 1024))
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "architecture": [str],
        "weights": [str, os.PathLike, None],
        "initial_weights": [str, os.PathLike, None],
        "dev_writers": ["array-like", set, range, None],
        "forgery_weight": [Interval(Real, 0, 1, closed="both"), None],
        "training": [SigNetTraining, None],
        "n_views": [Interval(Integral, 1, None, closed="left")],
        "magnification": [Interval(Real, 1, 4, closed="both"), "array-like"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
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
        training=None,
        n_views=1,
        magnification=1.0,
        batch_size=32,
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
        self.training = training
        self.n_views = n_views
        self.magnification = magnification
        self.batch_size = batch_size
        self.device = device
        self.precision = precision
        self.memory = memory
        self.random_state = random_state
        self.verbose = verbose

    def set_params(self, **params):
        """Set parameters, those of the training by their path, such as `training__lr`.

        Parameters of a training are set in a copy, so that a recipe shared by several estimators stays as it is.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        SigNetFeaturizer
            This transformer.
        """
        return super().set_params(**own_training(self, params, SigNetTraining))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train the network on writers, or load its weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255. With `weights`, their shape and their share of ink
            are compared with those of their training.
        y : array-like of shape (n_samples,) or (n_samples, 2), default=None
            Writer ids, or rows `[writer, forgery]`. Ignored with `weights`, and without epochs.

        Returns
        -------
        SigNetFeaturizer
            The fitted transformer.

        Raises
        ------
        FileNotFoundError
            If there is no weight file, and no weights of that name in the package.
        ValueError
            If the images are not valid, there are not at least two writers with two distinct genuine signatures each, a
            file is damaged or belongs to another training, or the training diverges in its first epoch.
        KeyboardInterrupt
            If the training is interrupted. With `checkpoint_dir`, the next `fit` resumes after the last whole epoch.
        """
        X = check_images(self, X, reset=True)
        check_architecture(self.architecture)
        make_memory(self.memory)
        training = training_of(self, SigNetTraining)
        training.validate()
        device = choose_device(self.device)
        seed = training_seed(self.random_state, training.checkpoint_dir if self.weights is None else None)
        net = None
        if self.weights is not None and self.initial_weights is not None:
            raise ValueError(
                "weights= are used as they are, and initial_weights= are trained further: pass one of them, not both."
            )
        if self.weights is not None:
            network, metadata = self._load_network(X, self.weights)
        else:
            network, architecture = self._initial_network(X, seed)
            metadata = {"architecture": architecture, "preprocessing": describe_preprocessing(X)}
        magnifications = check_magnification(self.magnification, network)
        if self.weights is None and training.epochs:
            net, description = self._train(X, y, training, network, architecture, seed=seed, device=device)
            network, metadata = net.module_.network, metadata | description
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
            network receives their center crop of 150 x 220 pixels, enlarged by `magnification`.

        Returns
        -------
        ndarray of shape (n_samples, n_magnifications * n_features), dtype float32
            Features.

        Raises
        ------
        ValueError
            If the images have another shape than those of `fit`, or values outside 0 to 255; or if features overflow.
        """
        check_is_fitted(self, "network_")
        X = check_images(self, X, reset=False)
        device = choose_device(self.device)
        precision = choose_precision(self.precision, device)
        weights = None if self.memory is None else self._fingerprint or _fingerprint(self.network_)
        settings = self.architecture_, precision, device.type, self.n_views, self.magnifications_
        memory = ImageMemory(self.memory, "features", weights, *settings)

        def compute(unknown):
            network = prepared_network(self.network_, device, precision)
            extractor = FeatureExtractor(network, self.n_views, self.magnifications_)
            batches = (unknown[batch] for batch in gen_batches(len(unknown), self.batch_size))
            for rows in progress(batches, len(unknown), "features", self.verbose):
                yield rows, check_features(extract_features(extractor, X[rows]), self.weights)

        features = cached_features(memory, X, self._n_features_out, compute)
        warn_if_not_kept(self.memory, [memory.problem])
        return features

    def as_module(self, *, device=None):
        """Return a torch module that computes what `transform` does, with gradients with respect to the pixels.

        Parameters
        ----------
        device : str, torch.device or None, default=None
            Where to compute; None is the device of the estimator.

        Returns
        -------
        torch.nn.Module
            A copy of the network in evaluation mode, from images of shape (n_samples, height, width), values from 0 to
            255, to features of shape (n_samples, n_magnifications * n_features). Batch normalization is folded into
            the layers before it.
        """
        check_is_fitted(self, "network_")
        device = choose_device(self.device if device is None else device)
        network = prepare_network(self.network_, device, choose_precision(self.precision, device), fold=True)
        return FeatureExtractor(network, self.n_views, self.magnifications_).eval()

    def save_weights(self, path, *, corpus=None, licence=None, half=False):
        """Write the weights of the network as safetensors, with a description of their training.

        Parameters
        ----------
        path : str or os.PathLike
            The file to write, `.safetensors`; pass it as `weights=` to use it.
        corpus : str, default=None
            Name of the corpus that the network was trained on.
        licence : str, default=None
            License of the weights.
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

    def _initial_network(self, X, seed):
        """Return the network that is trained, and its architecture."""
        if self.initial_weights is None:
            check_size(X, network_without_weights(self.architecture), self.architecture)
            return build_network(self.architecture, seed=seed), self.architecture
        network, metadata = self._load_network(X, self.initial_weights, trained_further=True)
        return network, metadata["architecture"]

    def _load_network(self, X, weights, *, trained_further=False):
        network, metadata = load_network(weights, self.architecture)
        check_size(X, network, metadata["architecture"])
        compare_preprocessing(X, metadata, weights, trained_further=trained_further)
        return network, metadata

    def _train(self, X, y, training, network, architecture, *, seed, device):
        if y is None:
            raise ValueError(
                "weights=None: training the network requires y to be passed, but the target y is None. Pass writer "
                "ids; weights=, the name or path of trained weights; or training=SigNetTraining(epochs=0) for an "
                "untrained network."
            )
        writers, forgery = parse_target(y)
        check_consistent_length(X, writers)
        rows = slice(None) if self.dev_writers is None else development_rows(writers, self.dev_writers)
        net, recipe, *counts = train_features(
            self, training, network, architecture, X[rows], writers[rows], forgery[rows], seed=seed, device=device
        )
        return net, describe_training(recipe, *counts)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = self.weights is None and bool(training_of(self, SigNetTraining).epochs)
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _fingerprint(network):
    return [content_digest(tensor.numpy()) for tensor in network.state_dict().values()]
