"""The kernel among the negatives: kept whole where it fits, computed column by column where it does not."""

import numpy as np


class KeptColumns:
    """The kernel among the negatives, from a matrix that serves all writers.

    Parameters
    ----------
    gram : ndarray of shape (n_rows, n_rows)
        The kernel of each row of the bank with each.
    """

    def __init__(self, gram):
        self._gram = gram

    def among(self, rows):
        """Give the kernel among some rows, (n_chosen, n_chosen)."""
        return self._gram[np.ix_(rows, rows)]

    def weigh(self, rows, coef):
        """Add up the kernel of some rows with all, each times its coefficient: (n_rows,)."""
        return coef.astype(self._gram.dtype) @ self._gram[rows]


class ComputedColumns:
    """The kernel among the negatives, computed where it is asked for; columns of support vectors are remembered.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    rows, squares : ndarray of shape (n_rows, n_features) and (n_rows,)
        The negatives and their squared lengths.
    """

    def __init__(self, kernel, rows, squares):
        self._kernel, self._rows, self._squares = kernel, rows, squares
        self._known = np.full(len(rows), -1)
        self._columns = np.empty((0, len(rows)), dtype=rows.dtype)

    def among(self, rows):
        """Give the kernel among some rows, (n_chosen, n_chosen)."""
        return self._kernel.block(self._rows[rows], self._rows[rows])

    def weigh(self, rows, coef):
        """Add up the kernel of some rows with all, each times its coefficient: (n_rows,)."""
        new = rows[self._known[rows] < 0]
        if len(new):
            self._known[new] = len(self._columns) + np.arange(len(new))
            columns = self._kernel.block(self._rows[new], self._rows, self._squares)
            self._columns = np.concatenate([self._columns, columns])
        weights = np.zeros(len(self._columns), dtype=self._columns.dtype)
        weights[self._known[rows]] = coef
        return weights @ self._columns
