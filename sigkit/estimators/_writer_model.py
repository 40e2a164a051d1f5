"""The support vector machine of one writer."""

from typing import NamedTuple

import numpy as np
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


class WriterModel(NamedTuple):
    """What scores a claim for one writer: `k(x / scale, support_vectors) @ dual_coef + intercept`.

    Parameters
    ----------
    support_vectors : ndarray of shape (n_support, n_features)
        Support vectors, divided by the scale.
    dual_coef : ndarray of shape (n_support,)
        Their coefficients; positive for references.
    intercept : float
        The constant of the decision function.
    scale : ndarray of shape (n_features,)
        What features are divided by.
    kernel : {"rbf", "linear"}
        The kernel k.
    gamma : float
        The width of the RBF kernel.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> features = np.array([[0.0, 1], [0, 2], [3, 0], [4, 1]])
    >>> model = WriterDependentSVC().fit(features, ["ada", "ada", "bob", "bob"]).models_["ada"]
    >>> model.support_vectors.shape, model.dual_coef.shape
    ((4, 2), (4,))
    """

    support_vectors: np.ndarray
    dual_coef: np.ndarray
    intercept: float
    scale: np.ndarray
    kernel: str
    gamma: float

    def score(self, X):
        """Score claims.

        Parameters
        ----------
        X : ndarray of shape (n_queries, n_features)
            Features of queries.

        Returns
        -------
        ndarray of shape (n_queries,)
            Scores; higher is more genuine.
        """
        kernel = _kernel(X / self.scale, self.support_vectors, self.kernel, self.gamma)
        return kernel @ self.dual_coef + self.intercept


def fit_writer_model(references, negatives, scale=None, *, kernel, C, gamma):
    """Fit the support vector machine that parts a writer's references from negatives.

    Parameters
    ----------
    references : ndarray of shape (n_references, n_features)
        Features of the writer's references.
    negatives : ndarray of shape (n_negatives, n_features)
        Features of other people's signatures.
    scale : ndarray of shape (n_features,) or None, default=None
        What features are divided by; None for their deviation in these samples.
    kernel : {"rbf", "linear"}
        The kernel.
    C : float
        The penalty of an error on a negative; that of a reference is n_negatives / n_references times as high.
    gamma : float or {"scale", "auto"}
        The width of the RBF kernel.

    Returns
    -------
    WriterModel
        The model.
    """
    samples = np.concatenate([references, negatives])
    scale = deviation(samples) if scale is None else scale
    samples = samples / scale
    gamma = _resolve_gamma(gamma, samples)
    labels = np.repeat([1, -1], [len(references), len(negatives)])
    # libsvm on a precomputed kernel reaches the same optimum; the kernel itself is a matrix product in BLAS.
    svm = SVC(kernel="precomputed", C=C, class_weight={1: len(negatives) / len(references)})
    svm.fit(_kernel(samples, samples, kernel, gamma), labels)
    return WriterModel(samples[svm.support_], svm.dual_coef_[0], float(svm.intercept_[0]), scale, kernel, gamma)


def deviation(X):
    """Tell what features are divided by: their standard deviation, and 1 where they are constant.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.

    Returns
    -------
    ndarray of shape (n_features,)
        The divisors.
    """
    return StandardScaler(with_mean=False).fit(X).scale_


def _kernel(A, B, kernel, gamma):
    return rbf_kernel(A, B, gamma=gamma) if kernel == "rbf" else linear_kernel(A, B)


def _resolve_gamma(gamma, samples):
    if gamma == "auto":
        return 1 / samples.shape[1]
    if gamma == "scale":
        variance = samples.var()
        return 1 / (samples.shape[1] * variance) if variance else 1.0
    return float(gamma)
