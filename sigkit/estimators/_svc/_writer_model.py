"""The fitted SVM of one writer, and scoring with the SVMs of many writers at once."""

from typing import NamedTuple

import numpy as np

from sigkit.estimators._svc._kernel import Kernel

# Number of writers whose coefficients are written into one dense matrix at a time.
_GROUP = 256


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
        ndarray of shape (n_queries,)
            Scores; higher is more genuine.
        """
        kernel, references, negatives = Kernel(self.gamma), self.references, bank.rows[self.rows]
        if self.factor is None:
            negative_norms = bank.squared_norms[self.rows]
        else:
            Z, references = Z * self.factor, references * self.factor
            negatives *= self.factor
            negative_norms = None
        scores = kernel.block(Z, references) @ self.reference_coef + self.intercept
        return scores + kernel.block(Z, negatives, negative_norms) @ self.coef

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
        ndarray of shape (n_queries,)
            Scores; higher is more genuine.
        """
        return Z @ self.direction + self.intercept

    @property
    def nbytes(self):
        """Bytes of the arrays: the memory that an enrolled writer takes."""
        return self.direction.nbytes


def score_all(models, Z, bank, max_bytes):
    """Score queries against many writers.

    On a shared scale, the kernel of the queries with all support vectors is computed once, in blocks of queries that
    fit into memory. The scores of a group of writers are then one matrix product. Most negatives are support vectors
    of several writers, so this is much less work than one kernel per writer.

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
        Scores; one column per model.
    """
    if isinstance(models[0], LinearModel):
        return Z @ np.stack([model.direction for model in models], axis=1) + [model.intercept for model in models]
    scores = np.empty((len(Z), len(models)))
    # With a scale of its own, each writer has another kernel.
    if models[0].factor is not None:
        for column, model in enumerate(models):
            scores[:, column] = model.score(Z, bank)
        return scores
    used = np.zeros(len(bank.rows), dtype=bool)
    for model in models:
        used[model.rows] = True
    columns = np.cumsum(used) - 1
    support, kernel = bank.rows[used], Kernel(models[0].gamma)
    support_norms = bank.squared_norms[used]
    groups = [models[first : first + _GROUP] for first in range(0, len(models), _GROUP)]
    # Half of the memory for the values, and half for the temporary arrays of the products.
    step = max(1, int(max_bytes / 2 / Z.itemsize / max(1, len(support) + _GROUP)))
    for first in range(0, len(Z), step):
        part = Z[first : first + step]
        values = kernel.block(part, support, support_norms)
        for column, group in zip(range(0, len(models), _GROUP), groups):
            weights = np.zeros((len(support), len(group)), dtype=Z.dtype)
            for position, model in enumerate(group):
                weights[columns[model.rows], position] = model.coef
            block = scores[first : first + step, column : column + len(group)]
            block[:] = values @ weights
            # The group's references are concatenated too. Differences of the cumulative sum at the last reference of
            # each writer are the sums over the writer's own references.
            references = np.concatenate([model.references for model in group])
            own = kernel.block(part, references) * np.concatenate([model.reference_coef for model in group])
            ends = np.cumsum([len(model.references) for model in group])
            block += np.diff(np.cumsum(own, axis=1)[:, ends - 1], axis=1, prepend=0)
            block += [model.intercept for model in group]
    return scores
