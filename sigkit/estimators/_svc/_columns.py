"""The kernel matrix among the negatives: stored whole if it fits into memory, else computed column by column.

The solver needs two operations on it, `submatrix` and `weighted_sum`. Both classes offer them.
"""

import numpy as np


class StoredColumns:
    """A kernel matrix that was computed once for all writers.

    Parameters
    ----------
    gram : ndarray of shape (n_rows, n_rows)
        The kernel of each row of the bank with each row of the bank.
    """

    def __init__(self, gram):
        self._gram = gram

    def submatrix(self, rows):
        """Return the kernel among some rows, (n_chosen, n_chosen). The rows are sorted."""
        if len(rows) == len(self._gram):
            return self._gram
        return self._gram[np.ix_(rows, rows)]

    def weighted_sum(self, rows, coef):
        """Sum the kernel of some rows with all rows, weighted by coefficients: (n_rows,)."""
        return coef.astype(self._gram.dtype) @ self._gram[rows]


class ComputedColumns:
    """Columns of the kernel matrix, computed when they are first needed.

    Only support vectors need their columns, and most of them stay in the working set from one round of the solver to
    the next, so columns are cached.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    rows, squared_norms : ndarray of shape (n_rows, n_features) and (n_rows,)
        The negatives and their squared norms.
    """

    def __init__(self, kernel, rows, squared_norms):
        self._kernel, self._rows, self._squared_norms = kernel, rows, squared_norms
        self._positions = np.full(len(rows), -1)
        self._columns = np.empty((0, len(rows)), dtype=rows.dtype)

    def submatrix(self, rows):
        """Return the kernel among some rows, (n_chosen, n_chosen)."""
        return self._kernel.block(self._rows[rows], self._rows[rows])

    def weighted_sum(self, rows, coef):
        """Sum the kernel of some rows with all rows, weighted by coefficients: (n_rows,)."""
        new = rows[self._positions[rows] < 0]
        if len(new):
            self._positions[new] = len(self._columns) + np.arange(len(new))
            columns = self._kernel.block(self._rows[new], self._rows, self._squared_norms)
            self._columns = np.concatenate([self._columns, columns])
        # All cached columns are multiplied, with weight 0 for those that left the working set: one matrix product,
        # without a copy of the chosen columns.
        weights = np.zeros(len(self._columns), dtype=self._columns.dtype)
        weights[self._positions[rows]] = coef
        return weights @ self._columns
