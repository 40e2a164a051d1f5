"""Trials of the references of enrolled writers, left out one by one."""

import numpy as np
from sklearn.utils import Bunch, _safe_indexing

from sigkit._utils import GENUINE, before_last_step, by_writer, last_step
from sigkit.estimators._decisions._development_trials import draw_claims
from sigkit.estimators._enrollment import changed

MAX_ROUNDS = 10
"""References of a writer that are left out."""


def reference_trials(fitted, X, writers, rng, *, required=True):
    """Score references of enrolled writers against the other references, and against other writers.

    Parameters
    ----------
    fitted : estimator
        A verifier that has enrolled the writers, or a Pipeline that ends in one; it does not change.
    X : array-like or list of n_samples
        The references.
    writers : ndarray of shape (n_samples,)
        Their writers.
    rng : RandomState
        Draws references and claims.
    required : bool, default=True
        Whether it is an error that no writer has three references.

    Returns
    -------
    Bunch
        `y_true`, `y_score`, `kind` and `writer` as in `sigkit.metrics.verification_trials`.

    Raises
    ------
    ValueError
        If no writer has three references.
    """
    features = before_last_step(fitted, X)
    rows = {writer: rng.permutation(own) for writer, own in by_writer(np.arange(len(writers)), writers).items()}
    rows = {writer: own for writer, own in rows.items() if len(own) > 2}
    found = []
    for turn in range(min(MAX_ROUNDS, max(map(len, rows.values()), default=0))):
        left_out = np.array([own[turn] for own in rows.values() if len(own) > turn])
        kept = np.setdiff1d(np.flatnonzero(np.isin(writers, writers[left_out])), left_out)

        def enroll(last, kept=kept):
            last.enroll(_safe_indexing(features, kept), writers[kept])

        model = changed(last_step(fitted), enroll)
        query, claimed, kind = draw_claims(writers[left_out], np.full(len(left_out), GENUINE), rng)
        found.append((model.claim_scores(_safe_indexing(features, left_out[query]), claimed), kind, claimed))
    if not found and required:
        raise ValueError(
            'source="references" leaves out one reference at a time, and no writer has three. Enroll more, or '
            'use source="dev" with development writers.'
        )
    none = np.empty(0), np.empty(0, dtype=str), writers[:0]
    score, kind, claimed = map(np.concatenate, zip(*(found or [none])))
    return Bunch(y_true=(kind == "genuine").astype(int), y_score=score, kind=kind, writer=claimed)
