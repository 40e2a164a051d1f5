"""All error rates of a verification system at once, each with its interval and the trials that it stands on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_random_state

from sigkit.metrics._bootstrap import _draw_weights, _percentile_interval, _resampled_unit
from sigkit.metrics._by_writer import _align_thresholds
from sigkit.metrics._displays import ScoreHistogramDisplay, VerificationDetDisplay
from sigkit.metrics._estimates import Estimate, _Estimates
from sigkit.metrics._trials import _check_kind, _make_trials

# In the order of the table.
LABELS = {"frr": "FRR", "far": "FAR"}
LABELS |= {f"far_{kind}": f"FAR {kind}" for kind in ("random", "simple", "skilled")}
LABELS |= {"eer": "EER", "eer_writer": "EER, a threshold a writer", "mean_auc": "mean AUC"}


@dataclass(frozen=True, eq=False)
class VerificationReport:  # numpydoc ignore=PR01
    """What :func:`verification_report` found; `print` it, or take its figures by name.

    Attributes
    ----------
    figures : dict of str to Estimate
        "frr", "far_random", "far_skilled", "far_simple" (plain labels: "far"), "eer", "eer_writer" and "mean_auc",
        as far as the trials allow; each with `value`, `low`, `high`, `n_genuine`, `n_forgeries`, `n_writers`.
    threshold : float or dict
        The threshold of FRR and FAR, or one a writer.
    eer_threshold : float or None
        The global threshold of the EER, taken from these very scores; None without an EER.
    eer_kind : str or None
        The kind of forgeries behind EER and AUC, "forgery" for plain labels; None without an EER.
    method : str
        How the EER was found.
    confidence : float
        The confidence of the intervals.
    n_bootstraps : int
        The number of resamples behind the intervals.
    resampled : {"writers", "trials"}
        What the bootstrap drew.
    trials : Bunch
        The trials themselves, as :func:`verification_trials` returns them.

    See Also
    --------
    verification_report : Makes it.

    Examples
    --------
    >>> from sigkit.metrics import verification_report
    >>> report = verification_report([1, 1, 0, 0], [0.8, -0.1, 0.3, -0.6], n_bootstraps=0)
    >>> report.figures["frr"].value, report.eer_threshold
    (0.5, 0.3)
    """

    figures: dict[str, Estimate]
    threshold: float | dict
    eer_threshold: float | None
    eer_kind: str | None
    method: str
    confidence: float
    n_bootstraps: int
    resampled: str
    trials: Bunch = field(repr=False)

    def to_dict(self) -> dict:
        """Write the report as plain numbers, without the trials.

        Returns
        -------
        dict
            The attributes by name; `figures` maps each name to a dict of its numbers. Fit for `json.dumps`.
        """
        names = ("threshold", "eer_threshold", "eer_kind", "method", "confidence", "n_bootstraps", "resampled")
        figures = {name: dict(vars(figure)) for name, figure in self.figures.items()}
        return {"figures": figures} | {name: getattr(self, name) for name in names}

    def plot_det(self, ax=None) -> VerificationDetDisplay:
        """Plot the trade-off of FAR and FRR, a curve for each kind of forgery.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        VerificationDetDisplay
            The display, with `ax_` and `figure_`.
        """
        return VerificationDetDisplay(self.trials).plot(ax=ax)

    def plot_scores(self, ax=None) -> ScoreHistogramDisplay:
        """Plot histograms of the scores, with the threshold of FRR and FAR if there is a single one.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.

        Returns
        -------
        ScoreHistogramDisplay
            The display, with `ax_` and `figure_`.
        """
        threshold = None if isinstance(self.threshold, dict) else self.threshold
        return ScoreHistogramDisplay(self.trials, threshold=threshold).plot(ax=ax)

    def __str__(self) -> str:
        header = ("", "value", f"{100 * self.confidence:g} % interval", "genuine", "forgeries", "writers")
        rows = [header] + [self._row(name, figure) for name, figure in self.figures.items()]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
        return "\n".join([*lines, "", *self._notes()])

    def _row(self, name, figure):
        label = LABELS[name]
        if name == "mean_auc" and figure.n_writers is None:
            label = "AUC"
        if name in ("eer", "eer_writer", "mean_auc") and self.eer_kind != "forgery":
            label = label.replace("EER", f"EER {self.eer_kind}").replace("AUC", f"AUC {self.eer_kind}")
        # An area is no error share: in percent it would invite a comparison with the rates above.
        factor, pattern = (1, "{:.4f}") if name == "mean_auc" else (100, "{:.2f}")
        value = pattern.format(factor * figure.value) + ("" if factor == 1 else " %")
        interval = "-"
        if figure.low is not None:
            interval = f"[{pattern.format(factor * figure.low)}, {pattern.format(factor * figure.high)}]"
        counts = (figure.n_genuine or "-", figure.n_forgeries or "-", figure.n_writers or "-")
        return (label, value, interval, *map(str, counts))

    def _notes(self):
        own = isinstance(self.threshold, dict)
        yield f"FRR, FAR: at the given {'thresholds a writer' if own else f'threshold, {self.threshold:.4g}'}."
        if self.eer_kind is None:
            yield "EER, AUC: left out, for there are no forgeries of the kind asked for (by default skilled ones)."
        else:
            yield (
                "EER: the mean of FAR and FRR where they meet, at a threshold taken from these very scores "
                f"({self.eer_threshold:.4g}; method {self.method!r})."
            )
        if self.n_bootstraps:
            yield f"Intervals: percentiles of {self.n_bootstraps} bootstrap resamples of {self.resampled}."
            if self.resampled == "trials":
                yield "No two writers are known: the intervals are too narrow if few people gave many trials each."


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
    """Report all error rates, with bootstrap intervals and the trials behind each.

    FRR and the FAR of every kind of forgery are taken at the given threshold. EER (global, and with a threshold
    a writer) and the mean over writers of the area under the ROC compare genuine trials with forgeries of one kind,
    and are left out where there are none. Plain labels are compared with their forgeries as they are.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Scores that rise with genuineness, against the claimed writer or against every enrolled writer.
    threshold : float, mapping or array-like of shape (n_writers,), default=0.0
        The threshold of FRR and FAR, fixed before these scores were seen; or one a writer, as in
        :func:`far_score`. The boundary is 0 for `decision_function`; for probabilities pass 0.5.
    kind : {"random", "skilled", "simple", "all"}, default="skilled"
        The forgeries that EER and AUC compare with. Ignored for plain labels.
    method : {"nearest", "interpolated", "sigver"}, default="nearest"
        How the EER is found, as in :func:`eer_score`.
    n_bootstraps : int, default=1000
        The number of resamples behind the intervals; 0 for none.
    confidence : float, default=0.95
        The confidence of the intervals, between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Draws the resamples; pass an int for the same intervals every time.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers, in the order of the columns of a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,).
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    VerificationReport
        The figures; `str(report)` is a table, `report.to_dict()` plain numbers.

    Raises
    ------
    ValueError
        If there are no genuine trials or no forgeries at all, an option is out of range, or the input is such
        that :func:`verification_trials` refuses it.

    Warns
    -----
    UndefinedMetricWarning
        If writers lack genuine trials or skilled forgeries: figures with a threshold a writer leave them out.

    See Also
    --------
    eer_score : The equal error rate alone.
    verification_scorer : The same figures for model selection.

    Notes
    -----
    Trials of one writer are alike, so the bootstrap draws claimed writers, all trials of a writer together, and
    takes percentiles. Where fewer than two writers are known it draws trials within their kind, and the report
    says so: such intervals are too narrow if the trials come from few people. An error rate of 0 gives the
    interval [0, 0] by construction.

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
    FRR                                33.33 %    [0.00, 100.00]        3          -        2
    FAR skilled                        33.33 %     [0.00, 50.00]        -          3        2
    EER skilled                        33.33 %     [0.00, 75.00]        3          3        2
    EER skilled, a threshold a writer  33.33 %     [0.00, 75.00]        3          3        2
    mean AUC skilled                    0.7500  [0.5000, 1.0000]        3          3        2
    ...
    """
    _check_kind(kind)
    _check_bootstrap(n_bootstraps, confidence)
    trials = _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label)
    unit = _resampled_unit(trials)
    figures = _Estimates(trials, threshold, method, unit, kind)
    values, replicates = figures.unweighted(), {}
    rng = check_random_state(random_state)
    for weights in _draw_weights(trials, unit, n_bootstraps, rng):
        for name, drawn in figures.weighted(weights).items():
            replicates.setdefault(name, []).append(drawn)
    table = {}
    for name in sorted(values, key=list(LABELS).index):
        drawn = replicates.get(name)
        interval = _percentile_interval(np.concatenate(drawn), confidence) if drawn else (None, None)
        table[name] = Estimate(values[name], *interval, *figures.census(name))
    has_eer = "eer" in values
    threshold = _align_thresholds(threshold, trials)
    if not isinstance(threshold, float):
        threshold = dict(zip(trials.writers.tolist(), threshold.tolist()))
    return VerificationReport(
        figures=table,
        threshold=threshold,
        eer_threshold=figures.eer_threshold(),
        eer_kind=(kind if trials.has_kinds else "forgery") if has_eer else None,
        method=method,
        confidence=float(confidence),
        n_bootstraps=int(n_bootstraps),
        resampled=unit,
        trials=trials.to_bunch(),
    )


def _check_bootstrap(n_bootstraps, confidence):
    if not isinstance(n_bootstraps, Integral) or isinstance(n_bootstraps, bool) or n_bootstraps < 0:
        raise ValueError(f"n_bootstraps must be a whole number from 0 on; got {n_bootstraps!r}.")
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, as 0.95; got {confidence!r}.")
