"""Fitting the model of one writer to references and the bank of negatives."""

from typing import NamedTuple

import numpy as np

from sigkit.estimators._svc._columns import ComputedColumns, StoredColumns
from sigkit.estimators._svc._kernel import Kernel, squared_norms
from sigkit.estimators._svc._solver import solve
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel


class Settings(NamedTuple):
    """The parameters of a `WriterDependentSVC` that every model depends on, as they were in `fit`."""

    kernel: str
    C: float
    gamma: float | str
    tol: float
    scaling: str


class References(NamedTuple):
    """The references of a writer.

    Parameters
    ----------
    rows : ndarray of shape (n_references, n_features)
        Their features, on the scale of the bank.
    is_blank : ndarray of shape (n_references,), dtype bool
        Those without information: all features are 0 on the original scale.
    """

    rows: np.ndarray
    is_blank: np.ndarray


class FittedWriter(NamedTuple):
    """The result of `fit_writer`.

    Parameters
    ----------
    model : RbfModel or LinearModel
        The model.
    converged : bool
        Whether the solver reached the optimum.
    """

    model: RbfModel | LinearModel
    converged: bool


def fit_writer(enrollment, bank, gram, settings):
    """Fit the SVM that separates a writer's references from the negatives of a bank.

    Parameters
    ----------
    enrollment : tuple of (int or str, References)
        The writer, and the writer's references.
    bank : NegativeBank
        The negatives.
    gram : ndarray of shape (n_rows, n_rows) or None
        The kernel among the rows of the bank, if it is stored.
    settings : Settings
        Parameters.

    Returns
    -------
    FittedWriter
        The model. It has no information if the features of all references are 0, if all negatives equal references, or
        if the kernel cannot distinguish references and negatives.
    """
    writer, references = enrollment
    eligible, own = bank.negatives_for(writer), references.rows
    if references.is_blank.all() or bank.is_covered_by(own, eligible):
        return FittedWriter(_without_information(own, bank, settings), True)
    factor, gamma, scaled = None, settings.gamma, own
    rows, row_squared_norms = bank.rows, bank.squared_norms
    if settings.scaling == "writer":
        factor, gamma = _own_scale(bank, eligible, own, settings.gamma)
        factor = factor.astype(own.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled, rows = own * factor, rows * factor
        row_squared_norms = squared_norms(rows)
    kernel = Kernel(gamma if settings.kernel == "rbf" else None)
    columns = ComputedColumns(kernel, rows, row_squared_norms) if gram is None else StoredColumns(gram)
    cross_kernel = kernel.block(scaled, rows, row_squared_norms)
    reference_kernel = kernel.block(scaled, scaled)
    dual = solve(reference_kernel, cross_kernel, columns, eligible, C=settings.C, tol=settings.tol)
    largest = max(squared_norms(scaled).max(), row_squared_norms[eligible].max())
    if _cancels(dual, reference_kernel, cross_kernel, columns, kernel, float(largest)):
        model = _without_information(own, bank, settings)
    else:
        model = _model(dual, own, scaled, rows, factor, gamma, settings.kernel)
    return FittedWriter(model, dual.converged)


def _model(dual, own, scaled, rows, factor, gamma, kernel):
    """Make the model of a solution."""
    if kernel == "linear":
        # A linear SVM is its normal vector: no support vector is kept, and the writer's own scale goes into it.
        direction = dual.reference_coef @ scaled + dual.coef @ rows[dual.rows]
        return LinearModel((direction if factor is None else direction * factor).astype(own.dtype), dual.intercept)
    support = np.flatnonzero(dual.reference_coef)
    return RbfModel(
        own[support],
        dual.reference_coef[support],
        dual.rows.astype(np.int32),
        dual.coef,
        dual.intercept,
        float(gamma),
        factor,
    )


def _without_information(own, bank, settings):
    """Make a model without a support vector, which gives no score."""
    if settings.kernel == "linear":
        return LinearModel(np.zeros_like(own[0]), 0.0)
    gamma, factor = settings.gamma, None
    if settings.scaling == "writer":
        gamma, factor = 1.0, np.ones_like(own[0])
    return RbfModel(own[:0], np.empty(0), np.empty(0, dtype=np.int32), np.empty(0), 0.0, float(gamma), factor)


def _cancels(dual, reference_kernel, cross_kernel, columns, kernel, largest):
    """Check whether the coefficients of a solution cancel, so that its decision function is constant but for rounding.

    The decision function is `w . x` plus the intercept, in the space of the kernel; the check is whether w is 0.
    """
    # The relative error of w . w. Where gamma is so large that single kernel values are not reliable, most are 0.
    epsilon = 4 * float(np.finfo(cross_kernel.dtype).eps)
    if kernel.gamma is not None:
        epsilon, largest = min(epsilon * (1 + 2 * kernel.gamma * largest), 1e-5), 1.0
    bound = epsilon * largest * (np.abs(dual.reference_coef).sum() + np.abs(dual.coef).sum()) ** 2
    of_references = dual.reference_coef @ reference_kernel + cross_kernel[:, dual.rows] @ dual.coef
    # |w . x| is at most |w| |x|. This ends the check for nearly all writers, without the kernel among the negatives.
    if (of_references**2).max() > bound * largest:
        return False
    of_negatives = dual.reference_coef @ cross_kernel[:, dual.rows]
    of_negatives += columns.submatrix(dual.rows) @ dual.coef
    return dual.reference_coef @ of_references + dual.coef @ of_negatives <= bound


def kernel_among(rows, bank, kernel):
    """Compute the kernel of some rows of the bank with themselves and all rows after them.

    Parameters
    ----------
    rows : tuple of (int, int)
        The first row, and the one after the last.
    bank : NegativeBank
        The negatives.
    kernel : Kernel
        The kernel.

    Returns
    -------
    ndarray of shape (last - first, n_rows - first)
        Kernel values: a part of the upper triangle, because the matrix is symmetric.
    """
    first, last = rows
    return kernel.block(bank.rows[first:last], bank.rows[first:], bank.squared_norms[first:])


def resolve_gamma(gamma, n_features, variance):
    """Compute the kernel coefficient gamma.

    Parameters
    ----------
    gamma : float or {"scale", "auto"}
        As in `sklearn.svm.SVC`.
    n_features : int
        Number of features.
    variance : callable
        Returns the variance of all values of the scaled features; called if `gamma` is "scale".

    Returns
    -------
    float
        The coefficient.
    """
    if gamma == "auto":
        return 1 / n_features
    if gamma == "scale":
        spread = float(variance())
        return 1 / (n_features * spread) if spread else 1.0
    return float(gamma)


def _own_scale(bank, eligible, own, gamma):
    """Compute the factor from the bank's scale to the writer's own standard deviation, and gamma on that scale.

    The standard deviation is that of the writer's references and negatives together. Most rows of the bank are
    negatives for all writers, so their sums are computed once per bank; the rows that are not negatives for this writer
    are subtracted, and the references added.
    """
    total, total_of_squares = bank.sums
    others = bank.rows[bank.active & ~eligible].astype(np.float64)
    own = own.astype(np.float64)
    n = int(eligible.sum()) + len(own)
    mean = (total - others.sum(axis=0) + own.sum(axis=0)) / n
    mean_of_squares = (total_of_squares - (others**2).sum(axis=0) + (own**2).sum(axis=0)) / n
    variance = mean_of_squares - mean**2
    # A constant feature has a variance that is not 0 but rounding error, and dividing by its square root would blow the
    # feature up. There are two bounds for that error: that of the difference above, and that of scikit-learn's
    # StandardScaler, which holds for the features on their original scale.
    epsilon = np.finfo(np.float64).eps
    constant = variance <= n * epsilon * mean_of_squares
    variance *= bank.scale**2
    mean = mean * bank.scale + bank.center
    constant |= variance <= n * epsilon * variance + (n * mean * epsilon) ** 2
    scale = np.sqrt(np.where(constant, 1.0, variance))
    mean /= scale
    gamma = resolve_gamma(gamma, len(mean), lambda: np.mean(variance / scale**2 + mean**2) - np.mean(mean) ** 2)
    return bank.scale / scale, gamma
