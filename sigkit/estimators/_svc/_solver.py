"""The support vector machine of few references against many negatives, solved on few negatives at a time."""

from typing import NamedTuple

import numpy as np
from sklearn.svm import SVC

FIRST, MORE, PATIENCE = 250, 250, 3


class Dual(NamedTuple):
    """A solution of the dual problem: coefficients are positive for references and negative for negatives.

    Parameters
    ----------
    reference_coef : ndarray of shape (n_references,)
        The references' coefficients, 0 for those that are no support vectors.
    rows : ndarray of shape (n_support,)
        The negatives that are support vectors, as rows of the bank.
    coef : ndarray of shape (n_support,)
        Their coefficients.
    intercept : float
        The constant of the decision function.
    """

    reference_coef: np.ndarray
    rows: np.ndarray
    coef: np.ndarray
    intercept: float


def solve(among, across, columns, eligible, *, C, tol):
    """Find the optimum of libsvm's dual problem for one writer.

    Few of many negatives become support vectors. A working set starts with those nearest to the references; libsvm
    solves it, a matrix product gives the decision function of all negatives, and those on the wrong side of the margin
    join, the worst first, while those without a coefficient leave. When none is left on the wrong side, the solution
    is that of the whole problem.

    Parameters
    ----------
    among : ndarray of shape (n_references, n_references)
        The kernel among the references.
    across : ndarray of shape (n_references, n_rows)
        The kernel of the references with all rows of the bank.
    columns : KeptColumns or ComputedColumns
        The kernel among the rows of the bank.
    eligible : ndarray of shape (n_rows,), dtype bool
        The rows that are negatives.
    C : float
        The penalty of an error on a negative; that of a reference is n_negatives / n_references times as high.
    tol : float
        How far a margin may be off.

    Returns
    -------
    Dual
        The solution.
    """
    n_negatives = int(eligible.sum())
    nearness = np.where(eligible, across.max(axis=0), -np.inf)
    working = np.sort(_largest(nearness, n_negatives if n_negatives <= FIRST + MORE else FIRST))
    n_rounds = 0
    while True:
        dual = _solve_small(among, across[:, working], columns.among(working), working, n_negatives, C, tol)
        if len(working) == n_negatives:
            return dual
        decision = dual.reference_coef.astype(across.dtype) @ across
        decision += columns.weigh(dual.rows, dual.coef) + dual.intercept
        decision[~eligible] = -np.inf
        decision[working] = -np.inf
        violating = np.flatnonzero(decision > tol - 1)
        if not len(violating):
            return dual
        n_rounds += 1
        # Leaving could go round in circles where margins are alike to rounding: after some rounds the set only grows,
        # and faster, for where many negatives are support vectors small steps cost more than the whole problem.
        stays = dual.rows if n_rounds < PATIENCE else working
        more = MORE if n_rounds <= PATIENCE else max(MORE, len(working))
        working = np.sort(np.concatenate([stays, violating[_largest(decision[violating], more)]]))
        if len(working) > n_negatives // 2:
            working = np.flatnonzero(eligible)


def _solve_small(among, across, within, working, n_negatives, C, tol):
    n_references = len(among)
    kernel = np.block([[among, across], [across.T, within]]).astype(np.float64)
    labels = np.repeat([1, -1], [n_references, len(working)])
    svm = SVC(kernel="precomputed", C=C, class_weight={1: n_negatives / n_references}, tol=tol).fit(kernel, labels)
    coef = np.zeros(len(labels))
    coef[svm.support_] = svm.dual_coef_[0]
    negative = coef[n_references:]
    support = np.flatnonzero(negative)
    return Dual(coef[:n_references], working[support], negative[support], float(svm.intercept_[0]))


def _largest(values, n):
    """Tell where the largest values are."""
    if n >= len(values):
        return np.arange(len(values))
    return np.argpartition(values, len(values) - n)[len(values) - n :]
