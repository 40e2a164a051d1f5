"""The record of a threshold: how it was chosen, and the error rates that are expected."""

from dataclasses import dataclass

from sigkit.metrics import Estimate

_NAMES = {"frr": "FRR", "far_random": "FAR (random)", "far_skilled": "FAR (skilled)", "far_simple": "FAR (simple)"}


@dataclass(frozen=True)
class OperatingPoint:  # numpydoc ignore=PR01
    """A threshold, what it was set on, and the error rates that are expected for the enrolled writers.

    Attributes
    ----------
    threshold : float or dict of writer id to float
        The lowest accepted score; with user-specific thresholds, that of each writer.
    criterion : {"far", "frr", "eer", "cost"}
        What was wanted.
    level : float
        The wanted error rate, with the criteria "far" and "frr".
    forgery : {"skilled", "random", "simple"}
        The kind of forgeries that were counted.
    source : {"dev", "references"}
        Whether it was set on development writers or on the references.
    n_references : int
        Number of references of a writer in the trials.
    n_writers : int
        Number of writers whose trials set the threshold.
    n_trials : dict of str to int
        Number of trials of each kind.
    n_judged : int
        Number of writers for whom the intervals hold.
    confidence : float
        Probability that an error rate is in its interval.
    other_corpus : bool
        Whether the intervals include the difference between corpora.
    rates : dict of str to Estimate
        The error rates "frr", "far_random", "far_skilled" and "far_simple" of the trials, as far as there are such
        trials, with prediction intervals.

    Examples
    --------
    >>> from sigkit.estimators import OperatingPoint
    >>> point = OperatingPoint(0.4, "far", 0.05, "skilled", "dev", 5, 20, {"genuine": 100}, 20, 0.9, False, {})
    >>> print(point)
    FAR of skilled forgeries at most 5 %: threshold 0.400
    Set on 20 development writers with 5 references: 100 genuine
    """

    threshold: float | dict
    criterion: str
    level: float
    forgery: str
    source: str
    n_references: int
    n_writers: int
    n_trials: dict[str, int]
    n_judged: int
    confidence: float
    other_corpus: bool
    rates: dict[str, Estimate]

    def __str__(self):
        whose = "development writers" if self.source == "dev" else "writers, whose references were left out one by one,"
        counts = ", ".join(f"{count} {kind}" for kind, count in self.n_trials.items())
        lines = [
            f"{self._aim()}: {self._thresholds()}",
            f"Set on {self.n_writers} {whose} with {self.n_references} references: {counts}",
        ]
        if self.rates:
            other = " of another corpus" if self.other_corpus else ""
            lines.append(f"Expected for {self.n_judged} writers{other}, with intervals of {self.confidence:.0%}:")
        lines += [f"  {_NAMES[name]:<14} {_percent(estimate)}" for name, estimate in self.rates.items()]
        return "\n".join(lines)

    def _aim(self):
        return {
            "far": f"FAR of {self.forgery} forgeries at most {100 * self.level:g} %",
            "frr": f"FRR at most {100 * self.level:g} %",
            "eer": f"FAR of {self.forgery} forgeries equal to the FRR",
            "cost": f"Lowest expected cost with {self.forgery} forgeries",
        }[self.criterion]

    def _thresholds(self):
        if not isinstance(self.threshold, dict):
            return f"threshold {self.threshold:.3f}"
        values = self.threshold.values()
        return f"thresholds of {len(values)} writers, from {min(values):.3f} to {max(values):.3f}"


def _percent(estimate):
    return f"{100 * estimate.value:5.2f} % [{100 * estimate.low:.2f}, {100 * estimate.high:.2f}]"
