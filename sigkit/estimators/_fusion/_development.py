"""Claims of development writers, from which the weights of a fusion are learned."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from sigkit._utils import GENUINE, by_writer

N_FOLDS = 2


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
        Number of references; half of a writer's signatures if there are fewer than twice as many.
    rng : RandomState
        Draws the halves and the references.

    Returns
    -------
    scores : ndarray of shape (n_claims, n_verifiers)
        The scores of each verifier.
    is_genuine : ndarray of shape (n_claims,), dtype bool
        Which claims are genuine.
    """
    names = rng.permutation(np.unique(writers))
    scores, labels = [], []
    for fold in range(N_FOLDS):
        judged = names[fold::N_FOLDS]
        references, queries = [], []
        for rows in by_writer(np.flatnonzero(np.isin(writers, judged) & (forgery == GENUINE)), writers).values():
            drawn = rng.permutation(rows)
            n_drawn = min(n_references, len(rows) // 2)
            references.extend(drawn[:n_drawn])
            queries.extend(drawn[n_drawn:])
        queries.extend(np.flatnonzero(np.isin(writers, judged) & (forgery != GENUINE)))
        others = np.flatnonzero(~np.isin(writers, judged) & (forgery == GENUINE))
        rows = np.concatenate([others, references]).astype(int)
        fused = make_fused(_safe_indexing(X, rows), writers[rows], np.unique(writers[others]))
        for one, label in _claims(fused, X, writers, forgery, np.array(queries, dtype=int)):
            scores.append(one)
            labels.append(label)
    return np.concatenate(scores), np.concatenate(labels)


def _claims(fused, X, writers, forgery, queries):
    """Yield the scores and labels of a fold: own claims, and claims of others within reach of the first verifier."""
    features = fused.features(_safe_indexing(X, queries))
    each = fused.score_each(features, np.arange(len(queries)), writers[queries])
    yield each, forgery[queries] == GENUINE
    genuine = np.flatnonzero(forgery[queries] == GENUINE)
    matrix = fused.first_scores([_safe_indexing(own, genuine) for own in features])
    own = fused.classes[None, :] == writers[queries[genuine], None]
    row, column = np.nonzero(~own & fused.combination.find_matched(matrix))
    if len(row):
        yield fused.score_each(features, genuine[row], fused.classes[column]), np.zeros(len(row), dtype=bool)


def with_development_writers(estimator, dev_writers):
    """Clone a verifier with other development writers.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.
    dev_writers : ndarray of shape (n_writers,)
        The development writers.

    Returns
    -------
    estimator
        The clone, in which every parameter `dev_writers` that is not None has this value.
    """
    copied = clone(estimator)
    parameters = copied.get_params()
    names = [name for name in parameters if name.split("__")[-1] == "dev_writers" and parameters[name] is not None]
    return copied.set_params(**dict.fromkeys(names, dev_writers.tolist()))
