"""Checks of the fold on which a writer-dependent verifier is scored."""

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import _safe_indexing

from sigkit._utils import GENUINE, development_writers, listing, parse_target, warn


def _queries_of_fold(y, scores, estimator):
    """Leave out rows of a fold that are no queries, and warn about folds that `WriterSplit` does not make.

    Signatures of development writers are no queries: the verifier has learned from these writers. A forgery of a writer
    who is not enrolled has no score. Training folds have both.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 2)
        Writer ids, or rows `[writer, forgery]`.
    scores : ndarray of shape (n_samples, n_enrolled)
        The scores.
    estimator : estimator
        The fitted verifier, a Pipeline that ends in one, or a search over such an estimator.

    Returns
    -------
    y : array-like
        The rows of queries.
    scores : ndarray
        Their scores.

    Raises
    ------
    ValueError
        If no genuine signature of the fold is by an enrolled writer.

    Warns
    -----
    UndefinedMetricWarning
        If rows are left out, or if enrolled writers have no query although no development writers are named.
    """
    writers, forgery = parse_target(y)
    classes = np.asarray(estimator.classes_)
    named = development_writers(getattr(estimator, "best_estimator_", estimator))
    is_enrolled = np.isin(writers, classes)
    is_dev = np.isin(writers, named or []) & ~is_enrolled
    is_unknown = ~is_enrolled & ~is_dev & (forgery != GENUINE)
    if not (is_enrolled & (forgery == GENUINE)).any():
        raise ValueError(
            f"No genuine signature of the fold is by an enrolled writer; enrolled are {_list(classes)}. Every writer "
            "needs references in the training fold and queries in the test fold: pass cv=WriterSplit(...)."
        )
    for chosen, what, advice in (
        (
            is_dev,
            "signatures are by development writers of the verifier, or claim to be",
            "In a test fold there are none if WriterSplit has the same dev_writers.",
        ),
        (
            is_unknown,
            "forgeries claim writers who are not enrolled",
            "If this is a test fold, the dev_writers of WriterSplit and of the verifier differ, or the splitter is "
            "another one: WriterSplit gives every writer references in the training fold.",
        ),
    ):
        if chosen.any():
            warn(
                f"{np.count_nonzero(chosen)} {what}, and are ignored: {_list(np.unique(writers[chosen]))}. {advice}",
                UndefinedMetricWarning,
            )
    without = np.setdiff1d(classes, writers)
    # An empty list: the verifier could name development writers, but does not.
    if named == [] and len(without):
        warn(
            f"{len(without)} of {len(classes)} enrolled writers have no query in this fold: {_list(without)}. If they "
            "are the dev_writers of WriterSplit, name them in the verifier too: it has enrolled them.",
            UndefinedMetricWarning,
        )
    rows = np.flatnonzero(~is_dev & ~is_unknown)
    return (y, scores) if len(rows) == len(writers) else (_safe_indexing(y, rows), scores[rows])


def _list(writers):
    return listing(map(repr, writers.tolist()))
