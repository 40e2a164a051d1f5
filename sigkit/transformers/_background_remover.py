"""Cleaning images that somebody may have tampered with."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import as_bytes, check_images
from sigkit.imaging import remove_background, remove_specks


class BackgroundRemover(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Remove what is too faint or too small to be a stroke from preprocessed images.

    Noise that an attacker adds to the background goes, as in [1]_; noise within the strokes stays. Put it before the
    features of a Pipeline as a defence, or pass it to :class:`sigkit.experiments.AttackCampaign` to see what it does to
    attacked images. It has no gradient.

    Parameters
    ----------
    min_size : int, default=0
        Number of connected pixels that a part of the ink must have to stay.

    Attributes
    ----------
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    sigkit.imaging.remove_background : Otsu's threshold on one image.
    sigkit.imaging.remove_specks : Small parts of one image.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2019). Characterizing and evaluating adversarial examples
       for offline handwritten signature verification. IEEE Transactions on Information Forensics and Security, 14(8),
       2153-2166. arXiv:1901.03398.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.transformers import BackgroundRemover
    >>> images = np.zeros((1, 5, 5), dtype=np.uint8)
    >>> images[0, 2], images[0, 0, 0] = 200, 9
    >>> BackgroundRemover().fit_transform(images)[0, :3]
    array([[  0,   0,   0,   0,   0],
           [  0,   0,   0,   0,   0],
           [200, 200, 200, 200, 200]], dtype=uint8)
    """

    _parameter_constraints: dict = {"min_size": [Interval(Integral, 0, None, closed="left")]}  # noqa: RUF012

    def __init__(self, min_size=0):
        self.min_size = min_size

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Look at the shape of the images; there is nothing to learn.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255.
        y : object, default=None
            Ignored.

        Returns
        -------
        BackgroundRemover
            The transformer.
        """
        check_images(self, X, reset=True)
        return self

    def transform(self, X):
        """Clean images.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255.

        Returns
        -------
        ndarray of shape (n_samples, height, width), dtype uint8
            Cleaned images. A blank image stays blank.
        """
        check_is_fitted(self, "image_shape_in_")
        images = as_bytes(check_images(self, X, reset=False))
        return np.stack([remove_specks(remove_background(image), self.min_size) for image in images])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags
