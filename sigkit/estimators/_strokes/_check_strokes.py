"""Checks of the points of signatures, as `StrokeFeaturizer` returns them."""

import numpy as np

from sigkit._utils import validate_data
from sigkit.estimators._strokes._stroke_points import N_CHANNELS

_LARGEST = 1e5
_UNIT_HEIGHT = 170
_SMALLEST_PIXEL = 1e-3
"""An image of more rows has no map of its points."""


def check_strokes(estimator, X, *, reset):
    """Validate the points of signatures.

    Parameters
    ----------
    estimator : estimator
        The estimator. Its `pixel_` is set in `fit`, and compared later.
    X : array-like of shape (n_samples, 7 * n_points)
        Features of `StrokeFeaturizer`.
    reset : bool
        True in `fit`.

    Returns
    -------
    X : ndarray of shape (n_samples, 7 * n_points)
        The features.
    has_ink : ndarray of shape (n_samples,), dtype bool
        Whether a signature has a point.

    Raises
    ------
    ValueError
        If these are no points of strokes, or the images had other resolutions.
    """
    if getattr(X, "ndim", 2) == 3:
        raise ValueError("X holds images, but this step takes points of strokes. Put a StrokeFeaturizer before it.")
    X = validate_data(estimator, X, dtype=[np.float64, np.float32], reset=reset)
    if X.shape[1] % N_CHANNELS:
        raise ValueError(
            f"X has {X.shape[1]} features, but points of strokes have {N_CHANNELS} features each. Put a "
            "StrokeFeaturizer before this step."
        )
    points = X.reshape(len(X), -1, N_CHANNELS)
    side = points[:, :, 6]
    has_ink, is_present = side[:, 0] > 0, side > 0
    is_valid = np.abs(X).max(axis=1) <= _LARGEST
    # Present points come first, and all have the same pixel.
    is_valid &= (side == np.where(is_present, side[:, :1], 0)).all(axis=1)
    is_valid &= (is_present[:, :-1] >= is_present[:, 1:]).all(axis=1)
    is_valid &= (points == np.where(is_present[:, :, None], points, 0)).all(axis=(1, 2))
    is_valid &= ~has_ink | ((side[:, 0] >= _SMALLEST_PIXEL) & (side[:, 0] <= _UNIT_HEIGHT))
    if not is_valid.all():
        raise ValueError(
            f"Row {np.flatnonzero(~is_valid)[0]} of X does not hold points of strokes. Put a StrokeFeaturizer before "
            "this step."
        )
    sizes = np.unique(side[has_ink, 0])
    if reset:
        estimator.pixel_ = float(sizes[0]) if len(sizes) else 1.0
    other = sizes[np.abs(sizes / estimator.pixel_ - 1) > 1e-3]
    if len(other):
        raise ValueError(
            f"X has points of images with {_UNIT_HEIGHT / other[0]:.0f} rows; the references are from images with "
            f"{_UNIT_HEIGHT / estimator.pixel_:.0f} rows. Preprocess all with one image_size."
        )
    return X, has_ink
