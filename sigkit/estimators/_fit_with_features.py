"""Fitting a verifier in which the features of its signatures are wanted, too: they take longer than the rest."""

from sklearn.utils import _safe_indexing


def fit_with_features(verifier, X, y):
    """Fit a verifier, and keep the features that its last step was fitted to.

    Parameters
    ----------
    verifier : estimator
        A verifier, or a Pipeline that ends in one; it is fitted in place.
    X : array-like or list of n_samples
        Signatures.
    y : array-like of shape (n_samples,) or (n_samples, 2)
        The target.

    Returns
    -------
    array-like, list, tuple or None
        The features; of a fusion, a tuple of those of its verifiers. None for a verifier that does not tell.
    """
    if hasattr(verifier, "steps") and len(verifier.steps) > 1:
        front, (name, last) = verifier[:-1], verifier.steps[-1]
        features = fit_with_features(last, front.fit_transform(X, y), y)
        verifier.steps = [*front.steps, (name, last)]
        return features
    if hasattr(verifier, "_fit_verifiers"):
        return verifier._fit_verifiers(X, y)
    verifier.fit(X, y)
    return None if hasattr(verifier, "verifier") or hasattr(verifier, "steps") else X


def select_features(features, rows):
    """Select some of the signatures that a verifier was fitted to.

    Parameters
    ----------
    features : array-like, list, tuple or None
        What `fit_with_features` returned.
    rows : ndarray of int
        Numbers of signatures.

    Returns
    -------
    array-like, list, tuple or None
        The same of these signatures.
    """
    if features is None:
        return None
    if isinstance(features, tuple):
        return tuple(select_features(one, rows) for one in features)
    return _safe_indexing(features, rows)
