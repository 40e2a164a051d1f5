"""Kernel values between rows of features, in the precision of the features."""

from typing import NamedTuple

import numpy as np


class Kernel(NamedTuple):
    """The RBF kernel `exp(-gamma ||a - b||^2)`, or the linear kernel `a . b` if `gamma` is None."""

    gamma: float | None

    def block(self, A, B, B_squared_norms=None):
        """Compute the kernel of each row of A with each row of B.

        Squared distances are expanded as :math:`||a||^2 + ||b||^2 - 2 a . b`, so that one matrix product does the work.
        The expansion cancels where features are far from 0 compared with their spread, which is why the bank centers
        them. scikit-learn's `rbf_kernel` avoids the problem in another way, by computing in double precision, which
        takes twice the time and memory.

        Parameters
        ----------
        A : ndarray of shape (n, n_features)
            Rows.
        B : ndarray of shape (m, n_features)
            Rows.
        B_squared_norms : ndarray of shape (m,) or None, default=None
            `squared_norms(B)`, if it has been computed before.

        Returns
        -------
        ndarray of shape (n, m)
            Kernel values.
        """
        # Rows that are too large for the precision give NaN, which is no information, instead of a warning.
        with np.errstate(over="ignore", invalid="ignore"):
            values = A @ B.T
            if self.gamma is None:
                return values
            # In place throughout: this matrix is the largest array of a fit.
            values *= -2
            values += squared_norms(A)[:, None]
            values += squared_norms(B) if B_squared_norms is None else B_squared_norms
            # Rounding makes the distance between equal rows slightly negative, and the kernel larger than 1.
            np.maximum(values, 0, out=values)
            values *= -self.gamma
            return np.exp(values, out=values)


def squared_norms(rows):
    """Compute the squared Euclidean norm of each row.

    Parameters
    ----------
    rows : ndarray of shape (n, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n,)
        Squared norms; infinity if twice the product of two such rows would overflow.
    """
    with np.errstate(over="ignore"):
        norms = np.einsum("ij,ij->i", rows, rows)
    norms[norms > np.finfo(norms.dtype).max / 8] = np.inf
    return norms
