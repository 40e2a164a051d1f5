"""Claims of development writers, from which the weights of a fusion are learned."""

import numpy as np
from sklearn.utils import _safe_indexing

from sigkit._utils import GENUINE, without_warnings
from sigkit.estimators._development import exchanged_parts
from sigkit.estimators._enrolled import NumberOfReferencesWarning


def development_claims(make_fused, X, writers, forgery, n_references, rng):
    """Score claims of development writers by verifiers that do not know them.

    The development writers are divided into two halves. The writers of one half are enrolled with some of their genuine
    signatures, and the other half is the development set. Queries are the other genuine signatures, forgeries, and for
    each writer the genuine queries of the others.

    Parameters
    ----------
    make_fused : callable
        Called with signatures, target and development writers; returns the fitted `Fused`.
    X : array-like of n_samples
        Signatures of development writers.
    writers, forgery : ndarray of shape (n_samples,)
        Their writers and forgery kinds.
    n_references : int
        Number of references; at most three quarters of a writer's signatures, since the others are queries.
    rng : RandomState
        Draws the halves and the references.

    Returns
    -------
    scores : ndarray of shape (n_claims, n_verifiers)
        The scores of each verifier.
    is_genuine : ndarray of shape (n_claims,), dtype bool
        Which claims are genuine.
    """
    scores, labels = [], []
    for part in exchanged_parts(writers, forgery, n_references, rng):
        others = part.others[forgery[part.others] == GENUINE]
        rows = np.concatenate([others, part.references])
        # Their number of references is that of the enrolled writers, who have been warned about.
        with without_warnings(NumberOfReferencesWarning):
            fused = make_fused(_safe_indexing(X, rows), writers[rows], np.unique(writers[others]))
        for one, label in _claims(fused, X, writers, forgery, part.queries):
            scores.append(one)
            labels.append(label)
    return np.concatenate(scores), np.concatenate(labels)


def _claims(fused, X, writers, forgery, queries):
    """Yield the scores and labels of a part: own claims, and claims of others within reach of the first verifier."""
    features = fused.features(_safe_indexing(X, queries))
    each = fused.score_each(features, np.arange(len(queries)), writers[queries])
    yield each, forgery[queries] == GENUINE
    genuine = np.flatnonzero(forgery[queries] == GENUINE)
    matrix = fused.first_scores([_safe_indexing(own, genuine) for own in features])
    own = fused.classes[None, :] == writers[queries[genuine], None]
    row, column = np.nonzero(~own & fused.combination.find_matched(matrix))
    if len(row):
        yield fused.score_each(features, genuine[row], fused.classes[column]), np.zeros(len(row), dtype=bool)
