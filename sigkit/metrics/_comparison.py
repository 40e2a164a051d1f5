"""Several systems on the same trials: error rates, and differences with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from sigkit._utils import own_random_state, progress
from sigkit.metrics._bootstrap import _draw_weights, _resampled_unit
from sigkit.metrics._det_display import VerificationDetDisplay
from sigkit.metrics._distances import _warn_about_distances
from sigkit.metrics._estimates import LEVELS, Estimate, _Estimates
from sigkit.metrics._intervals import _percentiles
from sigkit.metrics._make_report import _check_bootstrap, _with_intervals
from sigkit.metrics._report import LABELS, notes_on_intervals
from sigkit.metrics._systems import _trials_of_systems
from sigkit.metrics._tables import _as_percent, _in_columns, latex_table, rows_to_frame
from sigkit.metrics._trials import _check_kind


@dataclass(frozen=True)
class Difference:  # numpydoc ignore=PR01
    """The difference of an error rate to that of the first system.

    Attributes
    ----------
    value : float
        The rate of the system minus that of the first one.
    low, high : float or None
        Bounds of the paired bootstrap interval; None with `n_bootstraps=0`, and if all resamples are equal.

    Examples
    --------
    >>> from sigkit.metrics import Difference
    >>> Difference(-0.02, -0.03, -0.01).value
    -0.02
    """

    value: float
    low: float | None
    high: float | None

    # So that tables format differences as they do estimates.
    interval = "bootstrap"


@dataclass(frozen=True, eq=False)
class SystemComparison:  # numpydoc ignore=PR01
    """Error rates of several systems on the same trials; `print` it for a table.

    Attributes
    ----------
    estimates : dict of str to dict of str to Estimate
        For each system, its estimates by name, as in a :class:`VerificationReport`.
    differences : dict of str to dict of str to Difference
        For each system but the first, the differences of its estimates to those of the first.
    kind : str
        The kind of forgeries in EER and AUC, "forgery" for plain labels.
    confidence : float
        The confidence level of the intervals.
    n_bootstraps : int
        The number of bootstrap resamples.
    resampled : {"writers", "trials"}
        What the bootstrap drew.
    trials : dict of str to Bunch
        The trials of each system, as :func:`verification_trials` returns them.

    See Also
    --------
    compare_systems : Computes the comparison.

    Examples
    --------
    >>> from sigkit.metrics import compare_systems
    >>> systems = {"first": [0.9, 0.2, 0.3, 0.1], "second": [0.8, 0.7, 0.6, 0.1]}
    >>> comparison = compare_systems(systems, [1, 1, 0, 0], n_bootstraps=0)
    >>> comparison.differences["second"]["eer"].value
    -0.5
    """

    estimates: dict[str, dict[str, Estimate]]
    differences: dict[str, dict[str, Difference]]
    kind: str
    confidence: float
    n_bootstraps: int
    resampled: str
    trials: dict[str, Bunch] = field(repr=False)

    def to_frame(self):
        """Convert the comparison to a pandas DataFrame.

        Returns
        -------
        DataFrame
            A row for each estimate and system: the attributes of an :class:`Estimate`, and `difference`,
            `difference_low` and `difference_high`, the difference to the first system (NaN for the first).

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        rows = {}
        for name, system in self._rows():
            difference = self.differences.get(system, {}).get(name, Difference(np.nan, None, None))
            columns = {"difference": difference.value}
            columns |= {"difference_low": difference.low, "difference_high": difference.high}
            rows[name, system] = vars(self.estimates[system][name]) | columns
        return rows_to_frame(rows, ["metric", "system"])

    def to_latex(self) -> str:
        """Convert the table to LaTeX.

        Returns
        -------
        str
            A `tabular` environment, whose rules need the package booktabs, and the notes below it.
        """
        return latex_table(self._table(), ["Intervals are in the unit of the value.", *self._notes()])

    def plot_det(self, ax=None) -> VerificationDetDisplay:
        """Plot the trade-off of FAR and FRR, with one curve per system.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The axes to draw on; by default those of a new figure.

        Returns
        -------
        VerificationDetDisplay
            The display, with `ax_` and `figure_`.
        """
        return VerificationDetDisplay(self.trials, kind="all" if self.kind == "forgery" else self.kind).plot(ax=ax)

    def __str__(self) -> str:
        return "\n".join([*_in_columns(self._table()), "", *self._notes()])

    def _rows(self):
        first = next(iter(self.estimates.values()))
        return [(name, system) for name in first for system in self.estimates]

    def _table(self):
        interval = f"{100 * self.confidence:g} % interval"
        rows = [["", "system", "value", interval, "difference", interval]]
        for name, system in self._rows():
            is_first = system not in self.differences
            cells = ("", "") if is_first else _as_percent(name, self.differences[system][name], signed=True)
            label = LABELS[name] if is_first else ""
            if self.estimates[system][name].n_writers is None:
                label = label.replace("mean AUC", "AUC")
            rows.append([label, str(system), *_as_percent(name, self.estimates[system][name]), *cells])
        return rows

    def _notes(self):
        estimates = [estimate for of_system in self.estimates.values() for estimate in of_system.values()]
        forgeries = "all forgeries" if self.kind in ("forgery", "all") else f"{self.kind} forgeries"
        first = next(iter(self.estimates.values()))
        trials = first.get("eer", next(iter(first.values())))
        counts = f"{trials.n_genuine} genuine trials and {trials.n_forgeries} forgeries"
        counts += "" if trials.n_writers is None else f" of {trials.n_writers} writers"
        yield f"EER, FRR at FAR, AUC: of {forgeries}, at thresholds chosen on these scores; {counts}."
        yield f"Differences: to {next(iter(self.estimates))}, on the same trials."
        yield from notes_on_intervals(estimates, self.n_bootstraps, self.resampled)
        differences = [difference for of_system in self.differences.values() for difference in of_system.values()]
        if self.n_bootstraps and any(difference.low is None for difference in differences):
            yield "No interval (-) of a difference that is the same in all resamples."


def compare_systems(
    systems: Mapping[str, ArrayLike],
    y_true: ArrayLike,
    *,
    threshold: Mapping[str, float] | float | None = None,
    kind: str = "skilled",
    method: str = "nearest",
    n_bootstraps: int = 1000,
    confidence: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
    verbose: int = 0,
) -> SystemComparison:
    """Compare several systems on the same trials, with intervals of their differences.

    The bootstrap is paired: each resample has the same writers for all systems. Differences of systems vary much less
    than their error rates, because a writer who is difficult for one is often difficult for the other.

    Parameters
    ----------
    systems : mapping of str to array-like of shape (n_samples,) or (n_samples, n_enrolled)
        The scores of each system against the claimed writer or against every enrolled writer; higher is more genuine.
        Differences are those to the first system.
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        Labels (1 genuine, 0 or -1 forgery), or rows `[writer, forgery]`; see :func:`verification_trials`.
    threshold : mapping of str to float, float or None, default=None
        The threshold of FRR and FAR of each system, fixed beforehand, or one number for all. None leaves both out, as
        scores of different systems have different scales.
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
    SystemComparison
        The error rates and differences. `str(comparison)` is a table; `to_frame` and `to_latex` convert it.

    Raises
    ------
    ValueError
        If there are less than two systems, if a threshold does not name a system, or as in
        :func:`verification_report`.

    Warns
    -----
    UndefinedMetricWarning
        As in :func:`verification_report`.

    See Also
    --------
    verification_report : All error rates of one system.
    VerificationDetDisplay.from_systems : Plots the error rates at all thresholds.

    Notes
    -----
    Intervals of error rates are those of :func:`verification_report`. Without known writers the bootstrap draws trials,
    the same for all systems, which takes minutes for millions of scores.

    Examples
    --------
    >>> from sigkit.metrics import compare_systems
    >>> claims = [["ada", 0], ["ada", 1], ["bob", 0], ["bob", 1], ["eve", 0], ["eve", 1]]
    >>> systems = {"old": [0.9, 0.5, 0.4, 0.6, 0.7, 0.1], "new": [0.9, 0.2, 0.6, 0.3, 0.7, 0.1]}
    >>> print(compare_systems(systems, claims, random_state=0))
                                   system    value     95 % interval  difference       95 % interval
    EER                               old  33.33 %    [0.00, 100.00]
                                      new   0.00 %    [0.00, 70.76]*    -33.33 %    [-100.00, +0.00]
    ...
    """
    _check_kind(kind)
    _check_bootstrap(n_bootstraps, confidence)
    options = {"classes": classes, "writers": writers, "pos_label": pos_label}
    trials = _trials_of_systems(systems, y_true, least=2, **options)
    thresholds = _thresholds_of_systems(threshold, trials)
    first = next(iter(trials.values()))
    if threshold is None:
        # Only EER, FRR at FAR and AUC are left.
        first.require_forgeries(kind)
    unit = _resampled_unit(first)
    computed = {
        name: _Estimates(of_system, thresholds[name], method, unit, kind, LEVELS) for name, of_system in trials.items()
    }
    for of_system in computed.values():
        _warn_about_distances(of_system.points)
    replicates = _paired_replicates(computed, first, unit, n_bootstraps, own_random_state(random_state), verbose)
    estimates = {name: _with_intervals(of_system, replicates[name], confidence) for name, of_system in computed.items()}
    base, *others = computed
    differences = {
        name: {
            metric: _difference(
                estimate.value - estimates[base][metric].value,
                replicates[name].get(metric),
                replicates[base].get(metric),
                confidence,
            )
            for metric, estimate in estimates[name].items()
        }
        for name in others
    }
    return SystemComparison(
        estimates=estimates,
        differences=differences,
        kind=kind if first.has_kinds else "forgery",
        confidence=float(confidence),
        n_bootstraps=int(n_bootstraps),
        resampled=unit,
        trials={name: of_system.to_bunch() for name, of_system in trials.items()},
    )


def _thresholds_of_systems(threshold, systems):
    if threshold is None:
        return dict.fromkeys(systems)
    if not isinstance(threshold, Mapping):
        return dict.fromkeys(systems, threshold)
    if set(threshold) != set(systems):
        raise ValueError(
            f"threshold must have a number for each system; found {list(threshold)}, and the systems {list(systems)}."
        )
    return dict(threshold)


def _paired_replicates(computed, trials, unit, n_bootstraps, rng, verbose):
    """Compute all estimates of all systems for the same resamples."""
    resamplers = {name: of_system.resampler() for name, of_system in computed.items()}
    drawn, n_blocks = _draw_weights(trials, unit, n_bootstraps, rng)
    found = {name: [] for name in computed}
    for weights in progress(drawn, n_blocks, "bootstrap, blocks of resamples", verbose):
        for name, resampler in resamplers.items():
            found[name].append(resampler.weighted(weights))
    return {
        name: {metric: np.concatenate([block[metric] for block in blocks]) for metric in (blocks[0] if blocks else ())}
        for name, blocks in found.items()
    }


def _difference(value, drawn, drawn_base, confidence):
    # Replicates that are all equal are those of two systems without errors, which say nothing about others.
    if drawn is None or not np.ptp(drawn - drawn_base):
        return Difference(value, None, None)
    return Difference(value, *_percentiles(drawn - drawn_base, confidence))
