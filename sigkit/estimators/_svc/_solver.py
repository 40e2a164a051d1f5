"""The SVM of a few references against many negatives, solved on a working set of negatives.

The problem is libsvm's: the dual of the soft-margin SVM with a separate penalty for each class,

    maximize    sum_i |a_i| - 1/2 sum_ij a_i a_j K(x_i, x_j)
    subject to  sum_i a_i = 0,
                0 <= a_i <= C n_negatives / n_references    for references,
                -C <= a_i <= 0                              for negatives,

where a_i are the signed coefficients of the decision function f(x) = sum_i a_i K(x_i, x) + intercept. A solution is
optimal when no sample violates its margin: a negative with a_i = 0 must have f(x_i) <= -1. There are thousands of
negatives, of which a few hundred become support vectors. The others need not take part in the optimization; it is
sufficient to check their margins.
"""

from typing import NamedTuple

import numpy as np
from sklearn import config_context
from sklearn.svm import SVC

from sigkit._utils import filters_lock

# The size of the first working set, the number of negatives that join per round, and the number of rounds after which
# negatives no longer leave. They change the running time, not the solution.
INITIAL_SIZE, INCREMENT, N_SHRINKING_ROUNDS = 250, 250, 3
# The number of rounds after which the whole problem is solved, and the limit of libsvm's iterations in a round.
MAX_ROUNDS, MAX_ITERATIONS = 30, 1_500_000


class Dual(NamedTuple):
    """A solution of the dual problem; coefficients are positive for references and negative for negatives.

    Parameters
    ----------
    reference_coef : ndarray of shape (n_references,)
        The coefficients of the references, 0 for those that are no support vectors.
    rows : ndarray of shape (n_support,)
        The negatives that are support vectors, as rows of the bank.
    coef : ndarray of shape (n_support,)
        Their coefficients.
    intercept : float
        The intercept of the decision function.
    converged : bool
        False if libsvm stopped at the limit of iterations.
    """

    reference_coef: np.ndarray
    rows: np.ndarray
    coef: np.ndarray
    intercept: float
    converged: bool = True


class _LibSVM(SVC):
    """An SVC that several threads may fit at once, without effect on the warning filters.

    libsvm draws nothing for this problem. With a `random_state`, scikit-learn does not draw libsvm's seed from numpy's
    global random state.
    """

    def fit(self, X, y, sample_weight=None):
        with filters_lock:
            return super().fit(X, y, sample_weight)

    def _dense_fit(self, *args, **kwargs):
        # The lock is for the checks that scikit-learn makes before and after. libsvm itself runs in parallel.
        filters_lock.release()
        try:
            super()._dense_fit(*args, **kwargs)
        finally:
            filters_lock.acquire()

    def _warn_from_fit_status(self):
        # The warning of scikit-learn at the limit of iterations names no writer.
        pass


def solve(reference_kernel, cross_kernel, columns, eligible, *, C, tol):
    """Find the optimum of libsvm's dual problem for one writer.

    The working set starts with the negatives that are most similar to the references. Each round, libsvm solves the
    problem on the working set, and one matrix product gives the decision function of all negatives. Those that violate
    the margin join the working set, the worst first, and those without a coefficient leave it. When none violates the
    margin, the solution is that of the whole problem. The number of iterations is limited, because libsvm could take
    hours for features that are not scaled.

    Parameters
    ----------
    reference_kernel : ndarray of shape (n_references, n_references)
        The kernel among the references.
    cross_kernel : ndarray of shape (n_references, n_rows)
        The kernel of the references with all rows of the bank.
    columns : StoredColumns or ComputedColumns
        The kernel among the rows of the bank.
    eligible : ndarray of shape (n_rows,), dtype bool
        The rows that are negatives for this writer.
    C : float
        The penalty of an error on a negative; that of a reference is n_negatives / n_references times as high.
    tol : float
        Tolerance of the margin, for libsvm and for the negatives outside the working set.

    Returns
    -------
    Dual
        The solution.
    """
    n_negatives = int(eligible.sum())
    similarity = np.where(eligible, cross_kernel.max(axis=0), -np.inf)
    # Small problems are solved whole.
    n_first = n_negatives if n_negatives <= INITIAL_SIZE + INCREMENT else INITIAL_SIZE
    working = np.sort(_largest(similarity, n_first))
    n_rounds, weight = 0, {1: n_negatives / len(reference_kernel)}
    while True:
        within = columns.submatrix(working)
        svm = _LibSVM(kernel="precomputed", C=C, tol=tol, max_iter=MAX_ITERATIONS, class_weight=weight, random_state=0)
        dual = _solve_subproblem(svm, reference_kernel, cross_kernel[:, working], within, working)
        if svm.n_iter_[0] >= MAX_ITERATIONS:
            return dual._replace(converged=False)
        if len(working) == n_negatives:
            return dual
        decision = dual.reference_coef.astype(cross_kernel.dtype) @ cross_kernel
        decision += columns.weighted_sum(dual.rows, dual.coef) + dual.intercept
        # Margins within the working set are libsvm's task. They are not checked again, because the decision function
        # is in the precision of the features, and rounding could report a violation that libsvm does not see.
        decision[~eligible] = -np.inf
        decision[working] = -np.inf
        violating = np.flatnonzero(decision > tol - 1)
        if not len(violating):
            return dual
        n_rounds += 1
        # If margins are equal up to rounding, negatives that leave could join again in the next round, without end.
        # So the working set shrinks in the first rounds only. After that it grows, and doubles each round: where many
        # negatives are support vectors, many small rounds would cost more than the whole problem.
        stays = dual.rows if n_rounds < N_SHRINKING_ROUNDS else working
        n_joining = INCREMENT if n_rounds <= N_SHRINKING_ROUNDS else max(INCREMENT, len(working))
        working = np.sort(np.concatenate([stays, violating[_largest(decision[violating], n_joining)]]))
        # Beyond half of the negatives, solving the whole problem once is cheaper than further rounds.
        if len(working) > n_negatives // 2 or n_rounds == MAX_ROUNDS:
            working = np.flatnonzero(eligible)


def _solve_subproblem(svm, reference_kernel, cross_kernel, within, working):
    """Solve the problem on the working set by libsvm."""
    n_references = len(reference_kernel)
    # libsvm computes in float64 only. The blocks are written in place: for a few hundred negatives, copies would cost
    # more than the optimization.
    kernel = np.empty((n_references + len(working),) * 2)
    kernel[:n_references, :n_references] = reference_kernel
    kernel[:n_references, n_references:] = cross_kernel
    kernel[n_references:, :n_references] = cross_kernel.T
    kernel[n_references:, n_references:] = within
    labels = np.repeat([1, -1], [n_references, len(working)])
    # The parameters were checked in `fit` of the verifier. To check them for each writer takes longer than libsvm.
    with config_context(skip_parameter_validation=True):
        svm.fit(kernel, labels)
    coef = np.zeros(len(labels))
    coef[svm.support_] = svm.dual_coef_[0]
    negative = coef[n_references:]
    support = np.flatnonzero(negative)
    return Dual(coef[:n_references], working[support], negative[support], float(svm.intercept_[0]))


def _largest(values, n):
    """Find the positions of the n largest values, in any order."""
    if n >= len(values):
        return np.arange(len(values))
    return np.argpartition(values, len(values) - n)[len(values) - n :]
