"""How a writer's model is fitted to references and the bank."""

from typing import NamedTuple

import numpy as np

from sigkit.estimators._svc._columns import ComputedColumns, KeptColumns
from sigkit.estimators._svc._kernel import Kernel, squares
from sigkit.estimators._svc._solver import solve
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel


class Settings(NamedTuple):
    """What a model depends on beside the signatures: the parameters of a `WriterDependentSVC` of these names."""

    kernel: str
    C: float
    gamma: float | str
    tol: float
    scaling: str


def fit_writer(enrollment, bank, gram, settings):
    """Fit the support vector machine that parts a writer's references from the negatives of a bank.

    Parameters
    ----------
    enrollment : tuple of (int or str, ndarray of shape (n_references, n_features))
        The writer, and features of the writer's references.
    bank : NegativeBank
        The negatives.
    gram : ndarray of shape (n_rows, n_rows) or None
        The kernel among the bank's rows, where it is kept.
    settings : Settings
        Parameters.

    Returns
    -------
    RbfModel or LinearModel
        The model.
    """
    writer, references = enrollment
    eligible, own = bank.negatives_for(writer), bank.standardise(references)
    factor, gamma, scaled = None, settings.gamma, own
    rows, row_squares = bank.rows, bank.squares
    if settings.scaling == "writer":
        factor, gamma = _own_scale(bank, eligible, own, settings.gamma)
        factor = factor.astype(own.dtype)
        scaled, rows = own * factor, rows * factor
        row_squares = squares(rows)
    kernel = Kernel(gamma if settings.kernel == "rbf" else None)
    columns = ComputedColumns(kernel, rows, row_squares) if gram is None else KeptColumns(gram)
    across = kernel.block(scaled, rows, row_squares)
    dual = solve(kernel.block(scaled, scaled), across, columns, eligible, C=settings.C, tol=settings.tol)
    if settings.kernel == "linear":
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
        Kernel values.
    """
    first, last = rows
    return kernel.block(bank.rows[first:last], bank.rows[first:], bank.squares[first:])


def resolve_gamma(gamma, n_features, variance):
    """Tell the width of the kernel.

    Parameters
    ----------
    gamma : float or {"scale", "auto"}
        As in `sklearn.svm.SVC`.
    n_features : int
        Number of features.
    variance : callable
        Gives the variance of all values of the scaled features together, where it is needed.

    Returns
    -------
    float
        The width.
    """
    if gamma == "auto":
        return 1 / n_features
    if gamma == "scale":
        spread = float(variance())
        return 1 / (n_features * spread) if spread else 1.0
    return float(gamma)


def _own_scale(bank, eligible, own, gamma):
    """Tell what leads from the bank's scale to the deviation of these references and negatives, and the gamma there."""
    total, total_of_squares = bank.sums
    others = bank.rows[bank.teaches & ~eligible].astype(np.float64)
    own = own.astype(np.float64)
    n = int(eligible.sum()) + len(own)
    mean = (total - others.sum(axis=0) + own.sum(axis=0)) / n
    mean_of_squares = (total_of_squares - (others**2).sum(axis=0) + (own**2).sum(axis=0)) / n
    variance = mean_of_squares - mean**2
    # Constant but for rounding: of this difference, or, as scikit-learn bounds it, of the features themselves.
    epsilon = np.finfo(np.float64).eps
    constant = variance <= n * epsilon * mean_of_squares
    variance *= bank.scale**2
    mean = mean * bank.scale + bank.center
    constant |= variance <= n * epsilon * variance + (n * mean * epsilon) ** 2
    scale = np.sqrt(np.where(constant, 1.0, variance))
    mean /= scale
    gamma = resolve_gamma(gamma, len(mean), lambda: np.mean(variance / scale**2 + mean**2) - np.mean(mean) ** 2)
    return bank.scale / scale, gamma
