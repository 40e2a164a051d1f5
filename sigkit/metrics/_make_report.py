"""Computing a verification report."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike

from sigkit._utils import own_random_state
from sigkit.metrics._bootstrap import _replicates, _resampled_unit
from sigkit.metrics._by_writer import _align_thresholds
from sigkit.metrics._distances import _warn_about_distances
from sigkit.metrics._estimates import LEVELS, Estimate, _Estimates
from sigkit.metrics._intervals import _interval
from sigkit.metrics._report import LABELS, VerificationReport
from sigkit.metrics._trials import _check_kind, _make_trials


def verification_report(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    threshold: float | Mapping | ArrayLike = 0.0,
    kind: str = "skilled",
    method: str = "nearest",
    n_bootstraps: int = 1000,
    confidence: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
    verbose: int = 0,
) -> VerificationReport:
    """Compute all error rates of a verification system, with intervals and numbers of trials.

    FRR and the FAR of each kind of forgery are computed at the given threshold. The EER (with a global threshold and
    with user-specific thresholds), the FRR at a FAR of 1 %, 0.1 % and 0.01 %, and the area under the ROC curve,
    averaged over writers, compare genuine trials with forgeries of one kind, and are left out if there are none. The
    FRR at a FAR is also left out if this FAR is less than ten of the forgeries.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores against the claimed writer or against every enrolled writer; higher is more genuine.
    threshold : float, mapping or array-like of shape (n_writers,), default=0.0
        The threshold of FRR and FAR, which should be chosen on other scores; or user-specific thresholds, as in
        :func:`far_score`. The decision boundary is 0 for `decision_function`; pass 0.5 for probabilities.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The kind of forgeries in EER and AUC. Ignored for plain labels.
    method : {"nearest", "interpolated", "sigver"}, default="nearest"
        How the threshold of the EER is found, as in :func:`eer_score`.
    n_bootstraps : int, default=1000
        The number of bootstrap resamples; 0 for no intervals.
    confidence : float, default=0.95
        The confidence level of the intervals, between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the resamples; None takes a new one in each call. Pass an int for reproducible intervals.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.
    verbose : int, default=0
        Whether to report the progress of the bootstrap on the standard error stream.

    Returns
    -------
    VerificationReport
        The error rates. `str(report)` is a table; `report.to_dict()` converts it to plain numbers.

    Raises
    ------
    ValueError
        If there are no genuine trials or no forgeries of any kind, if a parameter is out of range, or if the input is
        not valid for :func:`verification_trials`.

    Warns
    -----
    UndefinedMetricWarning
        If writers have no genuine trials or no forgeries of the given kind. Metrics with user-specific thresholds and
        the mean AUC ignore them. Also if the area under the ROC curve is below one half, as that of distances.

    See Also
    --------
    eer_score : Only the equal error rate.
    verification_scorer : The same metrics for model selection.

    Notes
    -----
    Intervals are percentiles of a bootstrap. Trials of the same writer are correlated, so the bootstrap draws claimed
    writers, each with all trials. With fewer than two known writers it draws trials within their kind, and the report
    says so: these intervals are too narrow if many trials come from few writers.

    No resample has an error if there are no errors. The interval is then the exact one of Clopper and Pearson [3]_ at
    one side: with no error in `n` trials, up to `1 - (1 - confidence) ** (1 / n)`, about `3 / n` at 95 %. It takes
    trials as independent. For an EER of 0 the bound is the larger one of both error rates between the two groups of
    scores, each at half of the error probability, and for an AUC of 1 their sum. Metrics with user-specific thresholds
    have no interval then, and no metric has one whose trials are all those of one of several writers. In the table
    exact intervals have a star.

    References
    ----------
    .. [1] L. G. Hafemann, R. Sabourin, L. S. Oliveira. Learning features for offline handwritten signature
       verification using deep convolutional neural networks. Pattern Recognition 70, 2017. arXiv:1705.05787.
    .. [2] ISO/IEC 19795-1, Biometric performance testing and reporting, Part 1: Principles and framework.
    .. [3] C. J. Clopper, E. S. Pearson. The use of confidence or fiducial limits illustrated in the case of the
       binomial. Biometrika 26, 1934.

    Examples
    --------
    >>> from sigkit.metrics import verification_report
    >>> claims = [["ada", 0], ["ada", 0], ["ada", 1], ["bob", 0], ["bob", 1], ["bob", 1]]
    >>> print(verification_report(claims, [0.9, 0.4, -0.3, -0.1, -0.8, 0.2], random_state=0))
                                             value     95 % interval  genuine  forgeries  writers
    FRR                                    33.33 %    [0.00, 100.00]        3          -        2
    FAR skilled                            33.33 %     [0.00, 50.00]        -          3        2
    EER skilled                            33.33 %     [0.00, 75.00]        3          3        2
    EER skilled, user-specific thresholds  33.33 %     [0.00, 75.00]        3          3        2
    mean AUC skilled                        0.7500  [0.5000, 1.0000]        3          3        2
    ...
    """
    _check_kind(kind)
    _check_bootstrap(n_bootstraps, confidence)
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    unit = _resampled_unit(trials)
    computed = _Estimates(trials, threshold, method, unit, kind, LEVELS)
    _warn_about_distances(computed.points)
    replicates = _replicates(computed, n_bootstraps, own_random_state(random_state), verbose)
    estimates = _with_intervals(computed, replicates, confidence)
    threshold = _align_thresholds(threshold, trials)
    if not isinstance(threshold, float):
        threshold = dict(zip(trials.writers.tolist(), threshold.tolist()))
    eer_kind = None
    if "eer" in estimates:
        eer_kind = kind if trials.has_kinds else "forgery"
    return VerificationReport(
        estimates=estimates,
        threshold=threshold,
        eer_threshold=computed.eer_threshold(),
        far_thresholds=computed.far_thresholds(),
        eer_kind=eer_kind,
        method=method,
        confidence=float(confidence),
        n_bootstraps=int(n_bootstraps),
        resampled=unit,
        trials=trials.to_bunch(),
    )


def _with_intervals(computed: _Estimates, replicates: dict[str, np.ndarray], confidence: float) -> dict[str, Estimate]:
    """Compute the estimates in the order of the table."""
    estimates = {}
    values = computed.values()
    for name in sorted(values, key=list(LABELS).index):
        *counts, n_writers = computed.census(name)
        by_writer = computed.unit == "writers" and name in ("eer_writer", "mean_auc")
        bounds = _interval(name, values[name], counts, replicates.get(name), confidence, by_writer)
        estimates[name] = Estimate(values[name], *bounds, *counts, n_writers)
    return estimates


def _check_bootstrap(n_bootstraps: object, confidence: object) -> None:
    """Raise a ValueError unless the number of resamples and the confidence level are valid."""
    if not isinstance(n_bootstraps, Integral) or isinstance(n_bootstraps, bool) or n_bootstraps < 0:
        raise ValueError(f"n_bootstraps must be an integer of at least 0; got {n_bootstraps!r}.")
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, such as 0.95; got {confidence!r}.")
