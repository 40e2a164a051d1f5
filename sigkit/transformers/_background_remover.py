"""Clean the background of images, as a defense against adversarial noise."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import VersionInState, as_bytes, check_images
from sigkit.imaging import remove_background


class BackgroundRemover(VersionInState, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Remove background pixels and small specks from preprocessed images.

    Adversarial noise in the background is removed, as in [1]_; noise within the strokes is not. Use it as a defense
    before the featurizer in a Pipeline, or pass it to :class:`sigkit.experiments.AttackCampaign` to measure its effect
    on attacked images. It is not differentiable.

    Parameters
    ----------
    min_size : int, default=0
        Minimum size in pixels of a connected component of the ink; smaller components are removed.

    Attributes
    ----------
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    sigkit.imaging.remove_background : The same for one image.

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
        """Store the shape of the images; nothing is learned from them.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255.
        y : None
            Ignored; present for API consistency.

        Returns
        -------
        BackgroundRemover
            The transformer.
        """
        check_images(self, X, reset=True)
        return self

    def transform(self, X):
        """Clean preprocessed images.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255.

        Returns
        -------
        ndarray of shape (n_samples, height, width), dtype uint8
            The cleaned images. A blank image remains blank.
        """
        check_is_fitted(self, "image_shape_in_")
        images = as_bytes(check_images(self, X, reset=False))
        return np.stack([remove_background(image, self.min_size) for image in images])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags
