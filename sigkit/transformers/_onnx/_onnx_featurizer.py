"""From preprocessed images to features, by ONNX Runtime."""

import os
from importlib.util import find_spec
from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    _fit_context,
    clone,
)
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import VersionInState, check_images
from sigkit.transformers._features import check_features
from sigkit.transformers._onnx._export import count_convolutions, export_module, quantize
from sigkit.transformers._signet_featurizer import SigNetFeaturizer

_LEAST_COSINE = 0.99
_N_CALIBRATION = 64
_LIBRARIES = ("onnx", "onnxruntime", "onnxscript")


class OnnxFeaturizer(
    VersionInState, ClassNamePrefixFeaturesOutMixin, MetaEstimatorMixin, TransformerMixin, BaseEstimator
):
    """Compute the features of a `SigNetFeaturizer` by ONNX Runtime, in float32 or in int8.

    It is faster on CPUs, single images in particular, and takes some seconds longer to fit, for the conversion of the
    network. It needs the libraries of `pip install 'sigkit[onnx]'`.

    Parameters
    ----------
    featurizer : SigNetFeaturizer
        The featurizer, with `n_views=1`.
    precision : {"float32", "int8"}, default="float32"
        "float32" gives equal features but for rounding. With "int8" convolutions are computed in 8-bit integers, whose
        scales are taken from the images in `fit`. The first convolutions, a quarter of them or more, remain in float32:
        as many as are needed for a cosine similarity to the features in float32 of at least 0.99.
    batch_size : int, default=32
        Number of images in a batch of `transform`.
    n_threads : int or None, default=None
        Number of threads of a `transform`; None is as many as there are cores.

    Attributes
    ----------
    featurizer_ : SigNetFeaturizer
        The fitted featurizer.
    model_ : bytes
        The ONNX model.
    cosine_ : float
        The least cosine similarity, over images in `fit`, of the features to those in float32; 1.0 with "float32".
    n_float_ : int
        The number of convolutions in float32.
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    SigNetFeaturizer : The same by PyTorch; other devices, bfloat16 and a cache on disk.

    Notes
    -----
    A featurizer with the same `precision` must compute references and queries. For other runtimes, export
    `featurizer_.as_module()` by `torch.export`.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.transformers import OnnxFeaturizer, SignaturePreprocessor, SigNetFeaturizer
    >>> scans, _ = make_signatures(n_writers=2, n_genuine=2, n_skilled=1, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> featurizer = OnnxFeaturizer(SigNetFeaturizer(weights="synthetic"), n_threads=1)
    >>> featurizer.fit(images).transform(images).shape  # doctest: +SKIP
    (6, 1024)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "featurizer": [SigNetFeaturizer],
        "precision": [StrOptions({"float32", "int8"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, featurizer, *, precision="float32", batch_size=32, n_threads=None):
        self.featurizer = featurizer
        self.precision = precision
        self.batch_size = batch_size
        self.n_threads = n_threads

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the featurizer, and convert its network.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255. With "int8", up to 64 of them calibrate the scales.
        y : array-like of shape (n_samples,) or (n_samples, 2), default=None
            The target, as for the featurizer.

        Returns
        -------
        OnnxFeaturizer
            The fitted transformer.

        Raises
        ------
        ImportError
            If a library is missing.
        ValueError
            If the featurizer cannot be fitted, averages several views, or has a layer that ONNX lacks; with "int8",
            if its features differ too much.
        """
        _check_installed(*_LIBRARIES)
        if self.featurizer.n_views != 1:
            raise ValueError(
                f"OnnxFeaturizer needs a featurizer with n_views=1, found n_views={self.featurizer.n_views}: the "
                "distortion of the other views is no network."
            )
        X = check_images(self, X, reset=True)
        self.featurizer_ = clone(self.featurizer).fit(X, y)
        images = X[np.linspace(0, len(X) - 1, min(len(X), _N_CALIBRATION)).astype(int)].astype(np.float32)
        self.model_ = export_module(self.featurizer_.as_module(device="cpu"), images)
        self.cosine_, self.n_float_ = 1.0, count_convolutions(self.model_)
        self._session = None
        if self.precision == "int8":
            self._quantize(images)
        self._n_features_out = self.featurizer_._n_features_out
        return self

    def transform(self, X):
        """Compute features.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255; all of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), dtype float32
            Features.

        Raises
        ------
        ImportError
            If ONNX Runtime is missing.
        ValueError
            If the images have another shape than in `fit`, or values outside 0 to 255; if a parameter was set to what
            `fit` refuses; or if features overflow.
        """
        check_is_fitted(self)
        self._validate_params()
        X = check_images(self, X, reset=False)
        # A session has threads, which end at a fork.
        if self._session is None or self._session[0] != (os.getpid(), self.n_threads):
            self._session = (os.getpid(), self.n_threads), _make_session(self.model_, self.n_threads)
        return check_features(_run(self._session[1], X, self.batch_size), self.featurizer_.weights)

    def _quantize(self, images):
        """Replace the model by one in int8, with as many convolutions in float32 as are needed."""
        model, n_convolutions = self.model_, self.n_float_
        expected = _run(_make_session(model, None), images, self.batch_size)
        n_float = -(-n_convolutions // 4)
        while n_float < n_convolutions:
            quantized = quantize(model, images, n_float)
            found = _run(_make_session(quantized, None), images, self.batch_size)
            cosine = (found * expected).sum(axis=1) / np.maximum(
                np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1), np.finfo(np.float32).tiny
            )
            if cosine.min() >= _LEAST_COSINE:
                self.model_, self.cosine_, self.n_float_ = quantized, float(cosine.min()), n_float
                return
            n_float *= 2
        raise ValueError(
            'precision="int8": with any convolution in int8, the cosine similarity of features to those in float32 is '
            f'below {_LEAST_COSINE}. Use precision="float32".'
        )

    def __getstate__(self):
        """Return the state without the session, which belongs to this process."""
        return {**super().__getstate__(), **({"_session": None} if hasattr(self, "_session") else {})}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _check_installed(*names):
    lacking = [name for name in names if find_spec(name) is None]
    if lacking:
        raise ImportError(f"OnnxFeaturizer needs {', '.join(lacking)}: pip install 'sigkit[onnx]'.")


def _make_session(model, n_threads):
    # A fitted featurizer may have been loaded on a machine without it.
    _check_installed("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads or 0
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(session, images, batch_size):
    [name] = [given.name for given in session.get_inputs()]
    parts = (images[batch].astype(np.float32) for batch in gen_batches(len(images), batch_size))
    return np.concatenate([session.run(None, {name: part})[0] for part in parts])
