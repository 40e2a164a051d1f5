"""Completed local binary patterns: hand-crafted features, a baseline for learned ones."""

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import VersionInState, check_images
from sigkit.nets import center_crop
from sigkit.transformers._scans import check_shape

_NEIGHBORS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
"""Offsets (row, column) of the neighbors, starting at the right; those at odd positions are the corners."""

_CORNER, _SIDE = np.float32(0.5), np.float32(np.sqrt(0.5) - 0.5)
"""Weights of the corner and of each adjacent side in the bilinear interpolation at (sqrt(0.5), sqrt(0.5))."""

_BITS = np.arange(256)[:, np.newaxis] >> np.arange(8) & 1
_N_CHANGES = np.sum(np.roll(_BITS, 1, axis=1) != _BITS, axis=1)
_CODES = np.where(_N_CHANGES <= 2, _BITS.sum(axis=1), 9).astype(np.uint8)
"""Rotation-invariant code of each pattern of eight bits: the number of set bits, or 9 for non-uniform patterns."""

_PAIRS = (10 * _CODES[:, np.newaxis] + _CODES).ravel()
"""The joint code 10 * M + S of a pixel, indexed by the 16 bits 256 * m + s of its two patterns."""


class CLBPFeaturizer(VersionInState, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Compute features of preprocessed signatures by completed local binary patterns, without training.

    Each pixel is compared with eight points on the circle of radius 1 around it [1]_, at the angles 2 pi p / 8; points
    between pixels are interpolated bilinearly. The pixel has three codes:

    - S, signs: bit p is set if point p is at least as bright as the pixel;
    - M, magnitudes: bit p is set if the absolute difference is at least its mean over all pixels and points of the
      image;
    - C: 1 if the pixel is at least as bright as the mean of the image, else 0.

    The eight bits of S and of M are mapped to 10 codes that are invariant to rotation by 45 degrees: the number of set
    bits, 0 to 8, if the bits change at most twice around the circle (uniform patterns), and 9 otherwise. The features
    are the joint histogram of the codes: feature 100 C + 10 M + S is the number of pixels with these codes, without the
    pixels at the border of the image. They are the baseline for learned features in [2]_.

    Parameters
    ----------
    image_size : tuple of (int, int) or None, default=(150, 220)
        Rows and columns of the center crop that the features are computed from, as in [2]_; networks receive the same
        crop. A smaller image is not cropped. None uses whole images.

    Attributes
    ----------
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    SignaturePreprocessor : Preprocess scans into the images.
    SigNetFeaturizer : Compute features by a network.
    sigkit.estimators.WriterDependentSVC : Verify signatures by the features.

    Notes
    -----
    In [2]_ the counts are not scaled; the classifier is an SVM with C = 1 and a linear kernel, or an RBF kernel with
    gamma = 2**-15: `WriterDependentSVC(gamma=2**-15, scaling="none")`. Dividing the counts by their standard deviations
    gives much higher error rates, because rare patterns then weigh as much as frequent ones.

    References
    ----------
    .. [1] Guo, Z., Zhang, L., and Zhang, D. (2010). A completed modeling of local binary pattern operator for texture
       classification. IEEE Transactions on Image Processing, 19(6), 1657-1663.
    .. [2] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2019). Characterizing and evaluating adversarial examples
       for offline handwritten signature verification. IEEE Transactions on Information Forensics and Security, 14(8),
       2153-2166. arXiv:1901.03398.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor
    >>> scans, target = make_signatures(n_writers=2, n_genuine=2, n_skilled=1, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> features = CLBPFeaturizer().fit_transform(images)
    >>> features.shape, features.dtype
    ((6, 200), dtype('float32'))
    >>> bool((features.sum(axis=1) == 148 * 218).all())
    True
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "image_size": [tuple, list, np.ndarray, None],
    }

    def __init__(self, image_size=(150, 220)):
        self.image_size = image_size

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the images; nothing is learned from them.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255.
        y : None
            Ignored; present for API consistency.

        Returns
        -------
        CLBPFeaturizer
            The fitted transformer.

        Raises
        ------
        ValueError
            If the images, or their center crops, are smaller than 3 x 3 pixels, or `image_size` is not two positive
            integers.
        """
        X = check_images(self, X, reset=True)
        _crop(X, self.image_size)
        self._n_features_out = 200
        return self

    def transform(self, X):
        """Compute the histograms of codes.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255; all of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, 200), dtype float32
            The number of pixels with each joint code.

        Raises
        ------
        ValueError
            If the images have another shape than in `fit`, or values outside 0 to 255.
        """
        check_is_fitted(self)
        X = _crop(check_images(self, X, reset=False), self.image_size)
        # One image at a time, so that its intermediate arrays fit into the processor's cache.
        return np.array([_histogram(image) for image in X], dtype=np.float32)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _crop(images, image_size):
    """Crop the center of the images, and check that pixels with eight neighbors remain."""
    cropped = images
    if image_size is not None:
        cropped = center_crop(images, check_shape(image_size, "image_size"))
    if min(cropped.shape[1:]) < 3:
        raise ValueError(
            f"CLBPFeaturizer needs at least 3 x 3 pixels, found {cropped.shape[1]} x {cropped.shape[2]}: the images "
            f"are {images.shape[1]} x {images.shape[2]}, image_size is {image_size!r}. Pass larger images or a larger "
            "image_size."
        )
    return cropped


def _histogram(image):
    image = image.astype(np.float32)
    center = image[1:-1, 1:-1]
    differences = _differences(image, center)
    signs = _pack(differences >= 0)
    magnitudes = np.abs(differences, out=differences)
    threshold = magnitudes.mean(axis=0).mean(dtype=np.float64)
    patterns = np.uint16(256) * _pack(magnitudes >= np.float32(threshold)) + signs
    # In an image of one gray value, the mean can be rounded to more than this value.
    bright = center >= min(image.mean(dtype=np.float64), image.max())
    codes = _PAIRS.take(patterns) + np.uint8(100) * bright
    return np.bincount(codes.ravel(), minlength=200)


def _differences(image, center):
    """Return the differences between the eight points and the pixel; they are exactly 0 where the image is flat."""
    height, width = center.shape
    differences = np.empty((8, height, width), dtype=np.float32)
    for difference, (down, right) in zip(differences, _NEIGHBORS):
        np.subtract(image[1 + down :, 1 + right :][:height, :width], center, out=difference)
    # Interpolating differences equals interpolating pixels, since the weights sum to 1. The fourth term of the
    # interpolation, of the pixel itself, is 0.
    for corner in (1, 3, 5, 7):
        sides = differences[corner - 1] + differences[(corner + 1) % 8]
        sides *= _SIDE
        differences[corner] *= _CORNER
        differences[corner] += sides
    return differences


def _pack(bits):
    """Pack eight arrays of bits into one of bytes, highest bit first; ten times faster than `numpy.packbits`."""
    packed = np.zeros(bits.shape[1:], dtype=np.uint8)
    for bit in bits:
        packed += packed
        packed |= bit.view(np.uint8)
    return packed
