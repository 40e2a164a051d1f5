"""The check of features for values that cannot be computed with."""

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
