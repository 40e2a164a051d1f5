"""Checks of preprocessed images, beyond those of scikit-learn."""

import os
from numbers import Real

import numpy as np

from sigkit._utils._ordered import check_ordered
from sigkit._utils._warning_filters import validate_data


def check_images(estimator, X, *, reset):
    """Validate preprocessed images; scikit-learn checks neither the number of axes nor their lengths.

    Parameters
    ----------
    estimator : estimator
        The estimator. Its `image_shape_in_` is set in `fit`, and compared later.
    X : array-like of shape (n_samples, height, width)
        Preprocessed signatures, uint8 or values from 0 to 255.
    reset : bool
        True in `fit`.

    Returns
    -------
    ndarray of shape (n_samples, height, width), dtype uint8 or float32
        The images.

    Raises
    ------
    ValueError
        If `X` holds paths or images of different sizes, the size is not that seen in `fit`, or values are outside 0
        to 255.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from sigkit._utils import check_images
    >>> estimator = BaseEstimator()
    >>> check_images(estimator, np.zeros((2, 30, 40), dtype=np.uint8), reset=True).shape
    (2, 30, 40)
    >>> estimator.image_shape_in_
    (30, 40)
    """
    check_ordered(X)
    _check_preprocessed(X)
    X = validate_data(estimator, X, ensure_2d=False, allow_nd=True, dtype=[np.float32, np.uint8], reset=reset)
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
        estimator.image_shape_in_ = X.shape[1:]
    elif X.shape[1:] != estimator.image_shape_in_:
        raise ValueError(
            f"X has images of shape {X.shape[1:]}, but {type(estimator).__name__} is expecting images of shape "
            f"{estimator.image_shape_in_} as input."
        )
    return X


def check_size(X, network, architecture):
    """Check that images are not too small for a network.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width)
        Images.
    network : torch.nn.Module
        The network.
    architecture : str
        Its name, for the message.

    Raises
    ------
    ValueError
        If they are too small.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import check_size
    >>> from sigkit.nets import build_network
    >>> check_size(np.zeros((1, 170, 242)), build_network("signet"), "signet")
    """
    needed = None if network.takes_any_size else network.input_size
    if needed and any(side < least for side, least in zip(X.shape[1:], needed)):
        raise ValueError(
            f"{architecture} needs images of at least {needed[0]} x {needed[1]} pixels, found {X.shape[1]} x "
            f"{X.shape[2]}. Preprocess with a larger image_size."
        )


def check_magnification(magnification, network):
    """Check the magnifications for multi-scale features.

    Parameters
    ----------
    magnification : float or sequence of float
        One factor, or one per scale.
    network : torch.nn.Module
        The network.

    Returns
    -------
    tuple of float
        The factors, one per scale.

    Raises
    ------
    ValueError
        If there is no factor, one is outside 1 to 4, or the network takes images of a single size only.

    Examples
    --------
    >>> from sigkit._utils import check_magnification
    >>> from sigkit.nets import build_network
    >>> check_magnification(1, build_network("signet"))
    (1.0,)
    """
    factors = [magnification] if isinstance(magnification, Real) else list(magnification)
    if not factors or not all(isinstance(factor, Real) and 1 <= factor <= 4 for factor in factors):
        raise ValueError(f"magnification must be a number from 1 to 4, or a sequence of them; found {magnification!r}.")
    factors = tuple(float(factor) for factor in factors)
    if not network.takes_any_size and set(factors) != {1.0}:
        height, width = network.input_size
        raise ValueError(
            f"magnification={magnification!r}: this network takes images of {height} x {width} pixels only. Set it to "
            "1, or use a residual network."
        )
    return factors


def as_bytes(images):
    """Convert images to uint8, rounding to whole gray levels.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width)
        Images with values from 0 to 255.

    Returns
    -------
    ndarray of shape (n_samples, height, width), dtype uint8
        The images.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import as_bytes
    >>> as_bytes(np.array([[[0.0, 254.6]]]))
    array([[[  0, 255]]], dtype=uint8)
    """
    return images if images.dtype == np.uint8 else np.rint(images).astype(np.uint8)


def _check_preprocessed(X):
    """Raise an error that explains paths and images of different sizes; numpy's own error does not help."""
    is_list = isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.ndim == 1)
    if is_list and (
        len({np.shape(image) for image in X}) > 1 or any(isinstance(image, (str, bytes, os.PathLike)) for image in X)
    ):
        raise ValueError(
            "X holds paths, or images of different sizes; this step takes images of one size. Put a "
            "SignaturePreprocessor before it."
        )
