"""Points on the strokes of signatures, as features."""

import os
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import VersionInState, check_images
from sigkit.imaging import STROKE_CHANNELS, measure_strokes
from sigkit.transformers._memory import ImageMemory, cached_features, make_memory, warn_if_not_kept

_BATCH = 256
"""Images that are measured at once: it bounds the memory."""


class StrokeFeaturizer(VersionInState, TransformerMixin, BaseEstimator):
    """Measure points on the strokes of preprocessed signatures, without training.

    The ink of an image is thinned to its skeleton, and at up to `n_points` pixels of the skeleton the direction, the
    darkness and the width of the stroke are measured. Networks see a stroke as one pixel among many;
    :class:`~sigkit.estimators.StrokeMatcher` compares signatures stroke by stroke.

    Parameters
    ----------
    n_points : int, default=260
        The largest number of points of an image. Skeletons of signatures of 170 x 242 pixels have 160 to 450 pixels.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Folder in which the points of each image are cached, by its content. If it cannot be written later, one warning
        names it.

    Attributes
    ----------
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    sigkit.imaging.measure_strokes : The measurement, as a function.
    sigkit.estimators.StrokeMatcher : Verifier that compares the strokes.

    Notes
    -----
    Each point has seven features, in this order: `x` and `y`, its position; `cos` and `sin` of twice the angle of the
    stroke; `darkness` of the ink, from 0 to 1; `width` of the stroke; and `pixel`, the side of a pixel. Lengths are in
    pixels of an image of 170 rows, so they are comparable if images have another size. Images with a shorter skeleton
    lack points at the end, whose features are all 0; `pixel` is 0 for these points only. An image without ink has
    no point. The features of an image do not depend on the other images.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.transformers import SignaturePreprocessor, StrokeFeaturizer
    >>> scans, target = make_signatures(n_writers=2, n_genuine=2, n_skilled=1, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> points = StrokeFeaturizer().fit_transform(images)
    >>> points.shape, points.dtype
    ((6, 1820), dtype('float32'))
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "n_points": [Interval(Integral, 1, 16_000, closed="both")],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
    }

    def __init__(self, n_points=260, *, memory=None):
        self.n_points = n_points
        self.memory = memory

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
        StrokeFeaturizer
            The fitted transformer.

        Raises
        ------
        ValueError
            If the images are not valid, or `memory` is a file.
        OSError
            If the folder of `memory` cannot be made.
        """
        check_images(self, X, reset=True)
        make_memory(self.memory)
        return self

    def transform(self, X):
        """Measure the points.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255; all of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, 7 * n_points), dtype float32
            The features of the points, one point after the other.

        Raises
        ------
        ValueError
            If the images have another shape than in `fit`, or values outside 0 to 255.
        """
        check_is_fitted(self)
        X = check_images(self, X, reset=False)
        memory = ImageMemory(self.memory, "strokes", self.n_points)

        def measure(unknown):
            for first in range(0, len(unknown), _BATCH):
                rows = unknown[first : first + _BATCH]
                yield rows, measure_strokes(X[rows], self.n_points).reshape(len(rows), -1)

        points = cached_features(memory, X, len(STROKE_CHANNELS) * self.n_points, measure)
        warn_if_not_kept(self.memory, [memory.problem])
        return points

    def get_feature_names_out(self, input_features=None):
        """Return the names of the features.

        Parameters
        ----------
        input_features : None
            Ignored; present for API consistency.

        Returns
        -------
        ndarray of shape (7 * n_points,), dtype object
            Names such as `point0_x`.
        """
        check_is_fitted(self)
        names = [f"point{point}_{channel}" for point in range(self.n_points) for channel in STROKE_CHANNELS]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
