"""From preprocessed images to features."""

import os
import warnings
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sigkit.nets import (
    ARCHITECTURES,
    build_network,
    choose_device,
    extract_features,
    has_fast_bfloat16,
    load_network,
    prepare_network,
)
from sigkit.transformers._memory import ImageMemory
from sigkit.utils import content_digest, progress


class SigNetFeaturizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Compute features of preprocessed signatures by a convolutional network, SigNet [1]_.

    Parameters
    ----------
    architecture : {"signet", "signet_thin", "signet_smaller", "tiny"}, default="signet"
        The network; 2,048, 1,024, 2,048 or 16 features. The metadata of a weight file override it.
    weights : str, os.PathLike or None, default=None
        A `.safetensors` file, or a `.pth` file of sigver's; nothing in it is executed. With None the weights are drawn
        from `random_state` and stay untrained, with a warning: such features serve tests and comparisons.
    batch_size : int, default=32
        Number of images that pass through the network at once.
    device : str or None, default=None
        Where the network runs, "cpu" or "cuda" for instance; None takes an accelerator if there is one.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        The type of weights and activations. "bfloat16" changes features slightly (cosine above 0.999) and is at least
        twice as fast on a processor with avx512_bf16 and on recent accelerators; "auto" takes it there only.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        A folder in which features are remembered an image, by its content, the weights and these parameters.
    random_state : int, RandomState instance or None, default=None
        Seed of untrained weights.
    verbose : int, default=0
        1 tells of the progress, once a second, on the standard error stream.

    Attributes
    ----------
    network_ : torch.nn.Module
        The network, on the processor in float32.
    architecture_ : str
        The architecture of the network.
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    SignaturePreprocessor : Makes the images.
    sigkit.estimators.WriterDependentSVC : Verifies by the features.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sigkit.nets import build_network, save_weights
    >>> from sigkit.transformers import SigNetFeaturizer
    >>> images = np.zeros((2, 170, 242), dtype=np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "mine.safetensors")
    ...     save_weights(path, build_network("signet_thin", seed=0), "signet_thin")
    ...     features = SigNetFeaturizer(weights=path).fit_transform(images)
    >>> features.shape, features.dtype
    ((2, 1024), dtype('float32'))
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "architecture": [StrOptions(set(ARCHITECTURES))],
        "weights": [str, os.PathLike, None],
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
        batch_size=32,
        device=None,
        precision="float32",
        memory=None,
        random_state=None,
        verbose=0,
    ):
        self.architecture = architecture
        self.weights = weights
        self.batch_size = batch_size
        self.device = device
        self.precision = precision
        self.memory = memory
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Load the weights, or draw untrained ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255; only their shape is looked at.
        y : None
            Ignored; present for the Pipeline.

        Returns
        -------
        SigNetFeaturizer
            The fitted transformer.

        Raises
        ------
        FileNotFoundError
            If there is no weight file.
        ValueError
            If the weight file is damaged, refused or of another architecture, or the images are too small.
        """
        X = self._check_images(X, reset=True)
        choose_device(self.device)
        if self.weights is None:
            warnings.warn(
                "weights=None: the network is untrained, its weights are drawn from random_state. Its features are fit "
                "for tests and comparisons only; pass the path of a weight file for real use.",
                UserWarning,
                stacklevel=3,
            )
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            self.network_, self.architecture_ = build_network(self.architecture, seed=seed).eval(), self.architecture
        else:
            self.network_, self.architecture_ = load_network(self.weights, self.architecture)
        self._check_size(X)
        self._fingerprint = None if self.memory is None else _fingerprint(self.network_)
        self._n_features_out = self.network_.n_features
        return self

    def transform(self, X):
        """Compute features.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255, background 0; all of the shape seen in `fit`. The
            network sees their middle of 150 x 220 pixels.

        Returns
        -------
        ndarray of shape (n_samples, n_features), dtype float32
            Features.

        Raises
        ------
        ValueError
            If the images have another shape than those of `fit`, or values outside 0 to 255.
        """
        check_is_fitted(self)
        X = self._check_images(X, reset=False)
        device = choose_device(self.device)
        precision = self.precision
        if precision == "auto":
            precision = "bfloat16" if has_fast_bfloat16(device) else "float32"
        memory = ImageMemory(None, "features")
        if self.memory is not None:
            weights = self._fingerprint or _fingerprint(self.network_)
            memory = ImageMemory(self.memory, "features", weights, self.architecture_, precision, device.type)

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
            batches = (unknown[batch] for batch in gen_batches(len(unknown), self.batch_size))
            for rows in progress(batches, len(unknown), "features", self.verbose):
                features[rows] = extract_features(network, X[rows])
                for row in rows:
                    memory.put(X[row], features=features[row])
        return features

    def _check_images(self, X, *, reset):
        """Validate images; scikit-learn checks neither the number nor the length of their axes."""
        _check_preprocessed(X)
        X = validate_data(self, X, ensure_2d=False, allow_nd=True, dtype=[np.float32, np.uint8], reset=reset)
        if X.ndim != 3:
            raise ValueError(
                f"Expected images of shape (n_samples, height, width), found {X.shape}. Reshape your data, or put a "
                "SignaturePreprocessor before this step."
            )
        if X.dtype != np.uint8 and (X.min() < 0 or X.max() > 255 or 0 < X.max() <= 1):
            raise ValueError(
                f"Images must have values from 0 (background) to 255 (ink), found {X.min():g} to {X.max():g}. Put a "
                "SignaturePreprocessor before this step, or multiply values up to 1 by 255."
            )
        if reset:
            self.image_shape_in_ = X.shape[1:]
        elif X.shape[1:] != self.image_shape_in_:
            raise ValueError(
                f"X has images of shape {X.shape[1:]}, but {type(self).__name__} is expecting images of shape "
                f"{self.image_shape_in_} as input."
            )
        return X

    def _check_size(self, X):
        needed = self.network_.input_size
        if needed and any(side < least for side, least in zip(X.shape[1:], needed)):
            raise ValueError(
                f"{self.architecture_} needs images of at least {needed[0]} x {needed[1]} pixels, found "
                f"{X.shape[1]} x {X.shape[2]}. Preprocess with a larger image_size."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _fingerprint(network):
    return [content_digest(tensor.numpy()) for tensor in network.state_dict().values()]


def _check_preprocessed(X):
    """Tell paths and images of different sizes, which numpy would refuse in words of its own."""
    is_list = isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.ndim == 1)
    if is_list and (
        len({np.shape(image) for image in X}) > 1 or any(isinstance(image, (str, os.PathLike)) for image in X)
    ):
        raise ValueError(
            "X holds paths, or images of different sizes; this step takes images of one size. Put a "
            "SignaturePreprocessor before it."
        )
