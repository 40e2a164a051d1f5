"""Scorers for the `scoring` parameter of scikit-learn: all error rates of an estimator on a test fold in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sigkit._utils import warn
from sigkit.metrics._bootstrap import _resampled_unit
from sigkit.metrics._curves import _check_method
from sigkit.metrics._error_rates import _false_acceptance, _false_rejection
from sigkit.metrics._estimates import _Estimates
from sigkit.metrics._folds import _queries_of_fold
from sigkit.metrics._rates_at import _far_at_frr, _frr_at_far
from sigkit.metrics._thresholds import _check_level
from sigkit.metrics._trials import _check_kind, _make_trials, _Trials

METRICS = ("eer", "eer_writer", "frr", "far", "frr_at_far", "far_at_frr", "auc", "all")


@dataclass(frozen=True, eq=False, repr=False)
class VerificationScorer:  # numpydoc ignore=PR01
    """The scorer that :func:`make_verification_scorer` returns; unlike a function it pickles and shows its parameters.

    Attributes
    ----------
    metric : str
        The metric; "all" returns a dict.
    kind : str
        The kind of forgeries.
    method : str
        How the threshold of the EER is found.
    threshold : float, mapping, array-like or None
        The threshold of FRR and FAR; None for the decision boundary of the estimator.
    pos_label : int, bool, str or None
        The label of genuine samples for a binary classifier.
    level : float or None
        The error rate at which the other one is measured.
    """

    metric: str
    kind: str
    method: str
    threshold: float | Mapping | ArrayLike | None
    pos_label: int | bool | str | None
    level: float | None

    def __call__(self, estimator, X, y) -> float | dict[str, float]:
        """Evaluate a fitted estimator on a test fold; greater is better.

        Parameters
        ----------
        estimator : object
            A fitted estimator with `decision_function` or `predict_proba`.
        X : array-like
            The samples of the fold.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Binary labels, or rows `[writer, forgery]`.

        Returns
        -------
        float or dict of str to float
            The metric, or all metrics by name.
        """
        trials, boundary = _trials_of_estimator(estimator, X, y, self.pos_label)
        threshold = boundary if self.threshold is None else self.threshold
        if self.metric == "frr":
            return 0.0 - _false_rejection(trials, threshold)
        if self.metric == "far":
            return 0.0 - _false_acceptance(trials, threshold, self.kind)
        if self.metric == "frr_at_far":
            return 0.0 - _frr_at_far(trials, self.level, self.kind)
        if self.metric == "far_at_frr":
            return 0.0 - _far_at_frr(trials, self.level, self.kind)
        if self.metric == "eer_writer" and trials.writer is None:
            raise ValueError(
                "metric='eer_writer' needs writers: pass rows [writer, forgery] as y, or use metric='eer'."
            )
        if self.metric != "all":
            trials.require_forgeries(self.kind)
        # Without the bootstrap the unit only decides how the mean AUC is averaged.
        values = _Estimates(trials, threshold, self.method, _resampled_unit(trials), self.kind).values()
        # Subtracting from 0.0 gives 0.0 for an error rate of 0, negating would give -0.0.
        scores = {f"neg_{name}": 0.0 - value for name, value in values.items() if name != "mean_auc"}
        if "mean_auc" in values:
            scores["mean_auc"] = values["mean_auc"]
        if self.metric == "all":
            return scores
        return scores["mean_auc" if self.metric == "auc" else f"neg_{self.metric}"]

    def __repr__(self):
        options = "" if self.threshold is None else f", threshold={self.threshold!r}"
        options += "" if self.level is None else f", level={self.level!r}"
        options += "" if self.pos_label is None else f", pos_label={self.pos_label!r}"
        return f"make_verification_scorer({self.metric!r}, kind={self.kind!r}, method={self.method!r}{options})"


def make_verification_scorer(
    metric: str = "eer",
    *,
    kind: str = "skilled",
    method: str = "nearest",
    threshold: float | Mapping | ArrayLike | None = None,
    pos_label: int | bool | str | None = None,
    level: float | None = None,
) -> VerificationScorer:
    """Make a scorer for `cross_validate`, `GridSearchCV` and the like.

    The scorer is called with `(estimator, X, y)` and uses `decision_function`, or `predict_proba` if the estimator has
    no `decision_function`. A writer-dependent model returns one column per enrolled writer (`estimator.classes_`); its
    trials are those of :func:`verification_trials`. For a binary classifier, `pos_label` is the genuine class.

    Parameters
    ----------
    metric : {"eer", "eer_writer", "frr", "far", "frr_at_far", "far_at_frr", "auc", "all"}, default="eer"
        Equal error rate with a global threshold or with user-specific thresholds, FRR or FAR at `threshold`, FRR at the
        FAR `level` or the reverse, area under the ROC curve averaged over writers (a single area if the writers are not
        known), or a dict of all but those at a `level`.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries; with `metric="all"` those of EER and AUC. Ignored for binary classifiers.
    method : {"nearest", "interpolated", "sigver"}, default="nearest"
        How the threshold of the EER is found, as in :func:`eer_score`.
    threshold : float, mapping or array-like of shape (n_writers,), default=None
        The threshold of FRR and FAR; by default 0 for `decision_function` and 0.5 for `predict_proba`.
    pos_label : int, bool or str, default=None
        The label of genuine samples for a binary classifier. None means the second of its two sorted classes, as
        in scikit-learn, with a warning if the labels are strings: of "genuine" and "impostor" it is "impostor".
    level : float, default=None
        The FAR of "frr_at_far" or the FRR of "far_at_frr", which require it: 0.01 is 1 %. With fewer than `10 / level`
        forgeries (genuine trials) in a fold the result depends on single ones.

    Returns
    -------
    callable
        The scorer. Error rates are negated, so that greater is better. With "all" it returns a dict with `neg_eer`,
        `neg_eer_writer`, `neg_frr`, `neg_far_random`, `neg_far_skilled`, `neg_far_simple` and `mean_auc`, without
        those of a kind of forgery that does not occur in the fold; for a binary classifier with `neg_eer`, `neg_frr`,
        `neg_far` and `mean_auc`.

    Raises
    ------
    ValueError
        If a parameter is not valid. The scorer itself raises it if a fold has no genuine trials, or no forgeries of the
        kind that a single metric needs.

    See Also
    --------
    verification_scorer : The scorer with `metric="all"` and default parameters.

    Notes
    -----
    A training fold has no forgeries of enrolled writers, so that "all" returns fewer metrics there than in the test
    fold, which scikit-learn does not accept: use a single metric such as "frr" with `return_train_score=True`.
    Rows of development writers, and forgeries of other writers who are not enrolled, are ignored with an
    `UndefinedMetricWarning`.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from sigkit.metrics import make_verification_scorer
    >>> X, y = make_classification(random_state=0)
    >>> cross_val_score(LogisticRegression(), X, y, scoring=make_verification_scorer("eer"), cv=3).round(2)
    array([-0.24, -0.18, -0.24])
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(map(repr, METRICS))}; got {metric!r}.")
    _check_kind(kind)
    _check_method(method)
    if metric in ("frr_at_far", "far_at_frr"):
        _check_level(level, "level")
    elif level is not None:
        raise ValueError(f"level is for the metrics 'frr_at_far' and 'far_at_frr'; got metric={metric!r}.")
    return VerificationScorer(metric, kind, method, threshold, pos_label, level)


verification_scorer = make_verification_scorer("all")
"""Scorer that returns all metrics as a dict; see `make_verification_scorer`."""


def _trials_of_estimator(estimator, X, y, pos_label) -> tuple[_Trials, float]:
    """Score a fold with a fitted estimator; return its trials and the decision boundary of its scores."""
    if hasattr(estimator, "decision_function"):
        scores, boundary = np.asarray(estimator.decision_function(X)), 0.0
    elif hasattr(estimator, "predict_proba"):
        scores, boundary = np.asarray(estimator.predict_proba(X)), 0.5
        # With labels as y, two columns are those of a binary classifier; with rows [writer, forgery], of two writers.
        if scores.shape[1:] == (2,) and np.shape(y)[1:] in ((), (1,)):
            scores = scores[:, 1]
    else:
        raise TypeError(f"{type(estimator).__name__} has neither decision_function nor predict_proba.")
    classes = getattr(estimator, "classes_", None)
    if scores.ndim == 2:
        y, scores = _queries_of_fold(y, scores, estimator)
        return _make_trials(y, scores, classes=classes), boundary
    if np.shape(y)[1:] in ((), (1,)) and classes is not None and len(classes) == 2:
        is_positive = _is_positive(np.ravel(y), classes)
        if pos_label is None:
            _warn_about_string_labels(classes)
        elif pos_label not in list(classes):
            raise ValueError(f"pos_label={pos_label!r} is not one of the classes of the classifier, {list(classes)}.")
        elif pos_label == classes[0]:
            # Scores increase with the second class; reversed, they increase with the first.
            return _make_trials(~is_positive, 1 - scores if boundary else -scores), boundary
        return _make_trials(is_positive, scores), boundary
    return _make_trials(y, scores), boundary


def _warn_about_string_labels(classes):
    if np.asarray(classes).dtype.kind in "OUS":
        warn(
            f"Of the classes {np.asarray(classes).tolist()}, {str(classes[1])!r} is taken as genuine. Name the genuine "
            "one with make_verification_scorer(..., pos_label=...)."
        )


def _is_positive(y, classes):
    y = np.asarray(y)
    unknown = sorted(set(y.tolist()) - set(np.asarray(classes).tolist()))
    if unknown:
        raise ValueError(f"y holds labels that the classifier was not fitted on: {unknown}; it knows {list(classes)}.")
    return y == np.asarray(classes)[1]
