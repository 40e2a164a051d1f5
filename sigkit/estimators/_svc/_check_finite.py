"""Checks of features: values that cannot be computed with, and features without information."""

import numpy as np

from sigkit._utils import listing

# Far below the square root of the largest float32, so that sums of squares do not overflow in the kernel.
LARGEST = 1e15


def check_finite(X, writers=None):
    """Check features for NaN, infinity and values so large that the kernel could overflow.

    scikit-learn's own check names no rows, and a service has to know whose signature failed.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    writers : ndarray of shape (n_samples,) or None, default=None
        The writer of each row, for the message.

    Raises
    ------
    ValueError
        If there are such values; the rows and writers are named.
    """
    # Written with "not", because a comparison with NaN is False.
    rows = np.nonzero(~(np.abs(X).max(axis=1) <= LARGEST))[0]
    if len(rows):
        which = [f"{row}" if writers is None else f"{row} (writer {writers[row].item()!r})" for row in rows.tolist()]
        raise ValueError(
            f"Input X contains NaN or infinity in rows {listing(which)}, or values beyond {LARGEST:g}. Compute them "
            "again, or leave them out."
        )


def check_variation(X):
    """Check that features differ between signatures.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.

    Raises
    ------
    ValueError
        If all signatures have the same features, but for rounding.
    """
    rounding = 8 * np.finfo(X.dtype).eps * np.abs(X).max(axis=0)
    if (np.ptp(X, axis=0) <= rounding).all():
        raise ValueError(
            f"All {len(X)} signatures have the same features, which cannot distinguish writers. Check the weights of "
            "the network, and that the images are not blank."
        )


def has_no_information(X):
    """Find signatures whose features are all 0, as those of a blank image or of a failed computation.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.

    Returns
    -------
    ndarray of shape (n_samples,), dtype bool
        True where all features are 0. A single feature may be 0.
    """
    return ~X.any(axis=1) & (X.shape[1] > 1)
