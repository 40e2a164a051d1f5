"""Computing a verification report."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike

from sigkit._utils import own_random_state
from sigkit.metrics._bootstrap import _draw_weights, _percentile_interval, _resampled_unit
from sigkit.metrics._by_writer import _align_thresholds
from sigkit.metrics._estimates import Estimate, _WeightedEstimates
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
) -> VerificationReport:
    """Compute all error rates of a verification system, with bootstrap intervals and numbers of trials.

    FRR and the FAR of each kind of forgery are computed at the given threshold. The EER (with a global threshold and
    with user-specific thresholds) and the area under the ROC curve, averaged over writers, compare genuine trials with
    forgeries of one kind, and are left out if there are none.

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
        the mean AUC ignore them.

    See Also
    --------
    eer_score : Only the equal error rate.
    verification_scorer : The same metrics for model selection.

    Notes
    -----
    Intervals are percentiles of a bootstrap. Trials of the same writer are correlated, so the bootstrap draws claimed
    writers, each with all trials. With fewer than two known writers it draws trials within their kind, and the report
    says so: these intervals are too narrow if many trials come from few writers. The interval of an error rate of 0 is
    [0, 0] by construction.

    References
    ----------
    .. [1] L. G. Hafemann, R. Sabourin, L. S. Oliveira. Learning features for offline handwritten signature
       verification using deep convolutional neural networks. Pattern Recognition 70, 2017. arXiv:1705.05787.
    .. [2] ISO/IEC 19795-1, Biometric performance testing and reporting, Part 1: Principles and framework.

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
    computed = _WeightedEstimates(trials, threshold, method, unit, kind)
    values, replicates = computed.unweighted(), {}
    rng = own_random_state(random_state)
    for weights in _draw_weights(trials, unit, n_bootstraps, rng):
        for name, drawn in computed.weighted(weights).items():
            replicates.setdefault(name, []).append(drawn)
    estimates = {}
    for name in sorted(values, key=list(LABELS).index):
        drawn = replicates.get(name)
        interval = _percentile_interval(np.concatenate(drawn), confidence) if drawn else (None, None)
        estimates[name] = Estimate(values[name], *interval, *computed.census(name))
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
        eer_kind=eer_kind,
        method=method,
        confidence=float(confidence),
        n_bootstraps=int(n_bootstraps),
        resampled=unit,
        trials=trials.to_bunch(),
    )


def _check_bootstrap(n_bootstraps, confidence):
    if not isinstance(n_bootstraps, Integral) or isinstance(n_bootstraps, bool) or n_bootstraps < 0:
        raise ValueError(f"n_bootstraps must be an integer of at least 0; got {n_bootstraps!r}.")
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, such as 0.95; got {confidence!r}.")
