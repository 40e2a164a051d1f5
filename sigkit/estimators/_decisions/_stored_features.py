"""Features that are computed once, for verifiers that are fitted to several parts of the same signatures."""

from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from sigkit._utils import before_last_step, last_step
from sigkit.estimators._development import development_parameters


class StoredFeatures(TransformerMixin, BaseEstimator):
    """Look up features by the number of the signature.

    Parameters
    ----------
    features : array-like or list of n_samples
        Features of all signatures, or the signatures themselves.
    """

    def __init__(self, features):
        self.features = features

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return _safe_indexing(self.features, X)

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_clone__(self):
        # The default copies the features, once for each part.
        return self


def with_stored_features(verifier, fitted, X, features):
    """Make a copy of a verifier that takes row numbers of signatures, and has their features.

    Steps before a verifier are not fitted again, unless they learn from development writers: those who are judged must
    be unknown to them.

    Parameters
    ----------
    verifier : estimator
        A verifier, or a Pipeline that ends in one.
    fitted : estimator
        The same, fitted.
    X : array-like or list of n_samples
        Signatures.
    features : array-like, list, tuple or None
        Their features, as `fit_with_features` returns them; None: they are computed.

    Returns
    -------
    estimator
        The copy, not fitted. Its input is an array of row numbers.
    """
    if hasattr(verifier, "steps"):
        *steps, (_, last) = verifier.steps
        if any(development_parameters(step) for _, step in steps if hasattr(step, "get_params")):
            return Pipeline([("rows", StoredFeatures(X)), *clone(verifier).steps])
        if features is None:
            X = before_last_step(fitted, X)
        return with_stored_features(last, last_step(fitted), X, features)
    if hasattr(fitted, "named_verifiers_"):
        each = features or [None] * len(verifier.verifiers)
        inner = [
            (name, with_stored_features(one, fitted.named_verifiers_[name], X, own))
            for (name, one), own in zip(verifier.verifiers, each)
        ]
        return clone(verifier).set_params(verifiers=inner)
    if hasattr(fitted, "verifier_"):
        return clone(verifier).set_params(verifier=with_stored_features(verifier.verifier, fitted.verifier_, X, None))
    return Pipeline([("rows", StoredFeatures(X if features is None else features)), ("verifier", clone(verifier))])
