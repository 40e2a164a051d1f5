"""The fitted SVM of one writer, and scoring with the SVMs of many writers at once."""

from typing import NamedTuple

import numpy as np

from sigkit.estimators._svc._kernel import Kernel

# Number of writers whose coefficients are written into one dense matrix at a time.
_GROUP = 256
# Far from all signatures the score is the intercept, which may be positive. So a query is not accepted if the share of
# the references in its score is below the first limit, relative to that of a query that equals all of them. Its score
# remains that of the SVM, unless it is not negative and the kernel is 0 in single precision.
_LEAST_SHARE, ZERO_SHARE = 1e-6, 1e-45


class RbfModel(NamedTuple):
    """A writer's SVM with the RBF kernel: a weighted sum of kernel values, plus the intercept.

    Of the support vectors, it stores the writer's own references; the others are row numbers of the bank.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_features)
        The references that are support vectors, on the bank's scale.
    reference_coef : ndarray of shape (n_references,)
        Their coefficients, positive.
    rows : ndarray of shape (n_support,), dtype int32
        The negatives that are support vectors, as rows of the bank.
    coef : ndarray of shape (n_support,)
        Their coefficients, negative.
    intercept : float
        The intercept of the decision function.
    gamma : float
        The coefficient of the kernel `exp(-gamma ||a - b||^2)`.
    factor : ndarray of shape (n_features,) or None
        Converts features from the bank's scale to the writer's own; None if they are the same.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> features = np.array([[0.0, 1], [0, 2], [3, 0], [4, 1]])
    >>> model = WriterDependentSVC().fit(features, ["ada", "ada", "bob", "bob"]).models_["ada"]
    >>> model.references.shape, model.rows.tolist()
    ((2, 2), [2, 3])
    """

    references: np.ndarray
    reference_coef: np.ndarray
    rows: np.ndarray
    coef: np.ndarray
    intercept: float
    gamma: float
    factor: np.ndarray | None

    def score(self, Z, bank):
        """Score claims.

        Parameters
        ----------
        Z : ndarray of shape (n_queries, n_features)
            Features of queries, on the bank's scale.
        bank : NegativeBank
            The negatives.

        Returns
        -------
        scores : ndarray of shape (n_queries,)
            Scores; higher is more genuine. NaN where the query or the model has no information.
        informed : ndarray of shape (n_queries,), dtype bool
            Whether the references contribute to the score, so that it may be accepted.
        """
        if not self.is_usable(bank):
            return np.full(len(Z), np.nan), np.zeros(len(Z), dtype=bool)
        kernel, references, negatives = Kernel(self.gamma), self.references, bank.rows[self.rows]
        with np.errstate(over="ignore", invalid="ignore"):
            if self.factor is None:
                negative_norms = bank.squared_norms[self.rows]
            else:
                Z, references = Z * self.factor, references * self.factor
                negatives *= self.factor
                negative_norms = None
            share = kernel.block(Z, references) @ self.reference_coef
            scores = share + self.intercept + kernel.block(Z, negatives, negative_norms) @ self.coef
        largest_share = np.abs(self.reference_coef).sum()
        return _informed(scores, share, largest_share), share > _LEAST_SHARE * largest_share

    @property
    def has_information(self):
        """Whether the model can distinguish the writer from others."""
        return len(self.references) > 0

    def is_usable(self, bank):
        """Check whether the model has information, and no support vector that is too large for the kernel.

        Parameters
        ----------
        bank : NegativeBank
            The negatives.

        Returns
        -------
        bool
            False if all its scores are without information.
        """
        return self.has_information and bool(np.isfinite(bank.squared_norms[self.rows]).all())

    @property
    def nbytes(self):
        """Bytes of the arrays: the memory that an enrolled writer takes."""
        return sum(part.nbytes for part in self if isinstance(part, np.ndarray))


class LinearModel(NamedTuple):
    """A writer's linear SVM, as one weight vector.

    Parameters
    ----------
    direction : ndarray of shape (n_features,)
        The weight vector: the sum of support vectors times coefficients, for features on the bank's scale.
    intercept : float
        The intercept of the decision function.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> features = np.array([[0.0, 1], [0, 2], [3, 0], [4, 1]])
    >>> WriterDependentSVC("linear").fit(features, ["ada", "ada", "bob", "bob"]).models_["ada"].direction.shape
    (2,)
    """

    direction: np.ndarray
    intercept: float

    def score(self, Z, bank):
        """Score claims.

        Parameters
        ----------
        Z : ndarray of shape (n_queries, n_features)
            Features of queries, on the bank's scale.
        bank : NegativeBank
            The negatives; not used.

        Returns
        -------
        scores : ndarray of shape (n_queries,)
            Scores; higher is more genuine. NaN where the query or the model has no information.
        informed : ndarray of shape (n_queries,), dtype bool
            Whether there is a score.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            scores = Z @ self.direction + self.intercept
        informed = np.isfinite(scores) & self.has_information
        return np.where(informed, scores, np.nan), informed

    @property
    def has_information(self):
        """Whether the model can distinguish the writer from others."""
        return bool(self.direction.any())

    def is_usable(self, bank):
        """Check whether the model has information.

        Parameters
        ----------
        bank : NegativeBank
            The negatives; not used.

        Returns
        -------
        bool
            False if all its scores are without information.
        """
        return self.has_information

    @property
    def nbytes(self):
        """Bytes of the arrays: the memory that an enrolled writer takes."""
        return self.direction.nbytes


def score_all(models, Z, bank, max_bytes):
    """Score queries against many writers.

    On a shared scale, the kernel of the queries with all support vectors is computed once, in blocks of queries that
    fit into memory. The scores of a group of writers are then one matrix product. Most negatives are support vectors
    of several writers, so this is much less work than one kernel per writer.

    The values in the model of one writer do not enter the scores of another, not even if they are infinite or NaN.

    Parameters
    ----------
    models : list of RbfModel or of LinearModel
        The writers' models.
    Z : ndarray of shape (n_queries, n_features)
        Features of queries, on the bank's scale.
    bank : NegativeBank
        The negatives.
    max_bytes : float
        Memory limit of the kernel values of a block.

    Returns
    -------
    ndarray of shape (n_queries, n_models)
        Scores; one column per model. NaN where the query or the model has no information.
    """
    if isinstance(models[0], LinearModel):
        return _score_linear(models, Z)
    scores = np.empty((len(Z), len(models)))
    # With a scale of its own, each writer has another kernel.
    if models[0].factor is not None:
        for column, model in enumerate(models):
            scores[:, column], _ = model.score(Z, bank)
        return scores
    used = np.zeros(len(bank.rows), dtype=bool)
    for model in models:
        used[model.rows] = True
    support, kernel = bank.rows[used], Kernel(models[0].gamma)
    support_norms = bank.squared_norms[used]
    unusable = np.flatnonzero(~np.isfinite(support_norms))
    groups = [
        _Group(models[first : first + _GROUP], np.cumsum(used) - 1, bank) for first in range(0, len(models), _GROUP)
    ]
    # Half of the memory for the values, and half for the temporary arrays of the products.
    step = max(1, int(max_bytes / 2 / Z.itemsize / max(1, len(support) + _GROUP)))
    for first in range(0, len(Z), step):
        part = Z[first : first + step]
        values = kernel.block(part, support, support_norms)
        # 0 times infinity is NaN: a row that only one writer uses would enter the scores of all.
        values[:, unusable] = 0
        for column, group in zip(range(0, len(models), _GROUP), groups):
            scores[first : first + step, column : column + _GROUP] = group.score(part, values, kernel)
    return scores


class _Group:
    """Models with one kernel whose scores are computed together.

    Parameters
    ----------
    models : list of RbfModel
        The models.
    columns : ndarray of shape (n_rows,)
        The column of each row of the bank in the kernel values of the support vectors.
    bank : NegativeBank
        The negatives.
    """

    def __init__(self, models, columns, bank):
        self.models, self.columns = models, columns
        self.references = np.concatenate([model.references for model in models])
        self.coef = np.concatenate([model.reference_coef for model in models])
        self.intercepts = np.array([model.intercept for model in models])
        self.largest_shares = np.array([np.abs(model.reference_coef).sum() for model in models])
        counts = np.array([len(model.references) for model in models])
        # np.add.reduceat has no empty sums.
        self.with_references = np.flatnonzero(counts)
        self.starts = (np.cumsum(counts) - counts)[self.with_references]
        self.usable = np.array([model.is_usable(bank) for model in models])

    def score(self, Z, values, kernel):
        """Score queries; `values` are their kernel values with the support vectors."""
        with np.errstate(over="ignore", invalid="ignore"):
            weights = np.zeros((values.shape[1], len(self.models)), dtype=Z.dtype)
            for position, model in enumerate(self.models):
                weights[self.columns[model.rows], position] = model.coef
            share = np.zeros((len(Z), len(self.models)))
            if len(self.starts):
                own = kernel.block(Z, self.references) * self.coef
                share[:, self.with_references] = np.add.reduceat(own, self.starts, axis=1)
            scores = values @ weights + share + self.intercepts
        return np.where(self.usable, _informed(scores, share, self.largest_shares), np.nan)


def _score_linear(models, Z):
    with np.errstate(over="ignore", invalid="ignore"):
        scores = Z @ np.stack([model.direction for model in models], axis=1) + [model.intercept for model in models]
    return np.where(np.isfinite(scores) & [model.has_information for model in models], scores, np.nan)


def _informed(scores, share, largest_share):
    """Replace scores by NaN that are not finite, or not negative although no reference contributes to them."""
    is_intercept = (scores >= 0) & ~(share > ZERO_SHARE * largest_share)
    return np.where(np.isfinite(scores) & ~is_intercept, scores, np.nan)
