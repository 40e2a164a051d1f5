"""Trials of development writers, scored by verifiers that do not know them."""

import numpy as np
from sklearn.utils import Bunch, _safe_indexing

from sigkit._utils import GENUINE, SIMPLE, SKILLED, before_last_step, join_target, last_step, without_warnings
from sigkit.estimators._development import development_parameters, exchanged_parts, with_development_writers
from sigkit.estimators._enrolled import NumberOfReferencesWarning

N_RANDOM = 5
"""Random forgeries for each genuine query: the writers whom it claims."""

N_PARTS = 4
"""Parts of the development writers: with more, the judged ones have nearly as many negatives as enrolled writers."""

_NAMES = {GENUINE: "genuine", SKILLED: "skilled", SIMPLE: "simple"}


def development_trials(template, writers, forgery, n_references, n_draws, rng):
    """Score claims of development writers.

    In each draw the development writers are divided into parts. The writers of a part are enrolled with some of their
    genuine signatures, and the others are the development set. Queries are the other genuine signatures, each of which
    also claims some other writers, and the forgeries.

    Parameters
    ----------
    template : estimator
        A verifier that takes row numbers, not fitted.
    writers, forgery : ndarray of shape (n_samples,)
        The writers and forgery kinds of the signatures.
    n_references : int
        Number of references; at most three quarters of a writer's signatures, since the others are queries.
    n_draws : int
        Number of divisions, each with other references.
    rng : RandomState
        Draws parts, references and claims.

    Returns
    -------
    Bunch
        `y_true`, `y_score`, `kind` and `writer` as in `sigkit.metrics.verification_trials`, `draw`, the number of
        the division, `n_references`, the number that was asked for, and `n_enrolled`, the number that the claimed
        writer had.
    """
    n_parts = min(N_PARTS, len(np.unique(writers)) // 2)
    knows_development = bool(development_parameters(template))
    found = []
    for draw in range(n_draws):
        for part in exchanged_parts(writers, forgery, n_references, rng, n_parts):
            rows = np.concatenate([part.others, part.references]) if knows_development else part.references
            model = with_development_writers(template, np.unique(writers[part.others]))
            # Their number of references is that of the enrolled writers, who have been warned about, or was asked for.
            with without_warnings(NumberOfReferencesWarning):
                model.fit(rows, join_target(writers[rows], forgery[rows]))
            query, claimed, kind = draw_claims(writers[part.queries], forgery[part.queries], rng)
            features = before_last_step(model, part.queries)
            score = last_step(model).claim_scores(_safe_indexing(features, query), claimed)
            names, counts = np.unique(writers[part.references], return_counts=True)
            n_enrolled = counts[np.searchsorted(names, claimed)]
            found.append((score, kind, claimed, np.full(len(score), draw), n_enrolled))
    score, kind, claimed, draw, n_enrolled = map(np.concatenate, zip(*found))
    return Bunch(
        y_true=(kind == "genuine").astype(int),
        y_score=score,
        kind=kind,
        writer=claimed,
        draw=draw,
        n_references=np.full(len(score), n_references),
        n_enrolled=n_enrolled,
    )


def draw_claims(writers, forgery, rng):
    """Draw the claims of queries: their own ones, and of each genuine signature also those of other writers.

    Parameters
    ----------
    writers, forgery : ndarray of shape (n_queries,)
        The writers and forgery kinds of the queries.
    rng : RandomState
        Draws the claims.

    Returns
    -------
    query, claimed, kind : ndarray of shape (n_claims,)
        The number of the query, the claimed writer and the kind of each claim, sorted by query.
    """
    names = np.unique(writers)
    query, claimed = [np.arange(len(writers))], [writers]
    kind = [np.array([_NAMES[code] for code in forgery.tolist()])]
    n_others = min(N_RANDOM, len(names) - 1)
    for row in np.flatnonzero(forgery == GENUINE):
        query.append(np.full(n_others, row))
        claimed.append(rng.choice(names[names != writers[row]], n_others, replace=False))
        kind.append(np.full(n_others, "random"))
    query, claimed, kind = map(np.concatenate, (query, claimed, kind))
    order = np.argsort(query, kind="stable")
    return query[order], claimed[order], kind[order]
