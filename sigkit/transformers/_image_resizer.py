"""Preprocessed images at another resolution."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import check_images
from sigkit.imaging import resize_images
from sigkit.transformers._scans import check_shape


class ImageResizer(TransformerMixin, BaseEstimator):
    """Resize preprocessed signatures to the size that a network was trained with.

    Strokes are measured best at twice the resolution that the network in the package was trained with. Where both work
    on the same images, as in :class:`~sigkit.estimators.VerifierFusion`, preprocess at the higher resolution, and put
    this step before the network.

    Parameters
    ----------
    image_size : tuple of (int, int), default=(170, 242)
        Rows and columns of the result.

    Attributes
    ----------
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    SignaturePreprocessor : Makes the images.
    sigkit.imaging.resize_images : The same, as a function.

    Notes
    -----
    Images of `image_size` are not changed. Others are blurred, so that no detail turns into false patterns, and
    interpolated. They cover `image_size`; what extends beyond it on two sides is cropped.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.transformers import ImageResizer
    >>> ImageResizer().fit_transform(np.zeros((2, 340, 484), dtype=np.uint8)).shape
    (2, 170, 242)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "image_size": [tuple, list, np.ndarray],
    }

    def __init__(self, image_size=(170, 242)):
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
        ImageResizer
            The fitted transformer.

        Raises
        ------
        ValueError
            If the images or `image_size` are not valid.
        """
        check_shape(self.image_size, "image_size")
        check_images(self, X, reset=True)
        return self

    def transform(self, X):
        """Resize the images.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255; all of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, image_size[0], image_size[1]), dtype uint8
            The images.

        Raises
        ------
        ValueError
            If the images have another shape than in `fit`, or values outside 0 to 255.
        """
        check_is_fitted(self)
        X = check_images(self, X, reset=False)
        size = tuple(self.image_size)
        return X if X.shape[1:] == size and X.dtype == np.uint8 else resize_images(X, size)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags
