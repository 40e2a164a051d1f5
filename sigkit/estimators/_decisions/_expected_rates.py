"""Error rates that are expected for other writers than those on whom a threshold was set."""

import numpy as np
from scipy.special import expit

from sigkit.metrics import Estimate, clopper_pearson

N_REPLICATES = 300

BETWEEN_CORPORA = 0.8
"""Standard deviation of the logit of an error rate between corpora.

On drawn writers of nine combinations of script and kind of scan it is 0.7, with the threshold set on the other eight
(benchmarks/check_operating_points.py). This leaves a margin.
"""

WIDENING = 1.25
"""Factor of the deviations of the logit of an error rate in replicates.

The percentile interval of the bootstrap is too narrow for 20 to 45 writers: on halves of the drawn writers the rate was
outside the interval of 90 % in up to a fifth of the draws, mostly above it.
"""

RATES = {"frr": "genuine", "far_random": "random", "far_skilled": "skilled", "far_simple": "simple"}


def expected_rates(trials, threshold, choose, n_judged, confidence, other_corpus, rng):
    """Compute error rates at a threshold, with prediction intervals.

    Parameters
    ----------
    trials : Bunch
        `y_score`, `kind` and `writer` of each trial.
    threshold : float or dict of writer id to float
        The threshold that was chosen.
    choose : callable or None
        Chooses the threshold of the trials whose numbers it gets; None if it does not depend on other writers.
    n_judged : int
        Number of writers whose error rates are predicted.
    confidence : float
        Probability of the interval.
    other_corpus : bool
        Whether the difference between corpora is added.
    rng : RandomState
        Draws writers.

    Returns
    -------
    dict of str to Estimate
        The rates of the kinds of trials that there are.

    Notes
    -----
    In each replicate the development writers are drawn with replacement and the threshold is chosen again. It is
    applied to `n_judged` writers, drawn independently. So the interval includes the development writers that there
    happen to be, and the writers to be judged. One writer less is drawn than there are, which compensates for the bias
    of the bootstrap variance.
    """
    names, number = np.unique(trials.writer, return_inverse=True)
    rows = np.split(np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))[:-1])
    kinds = {name: np.flatnonzero(trials.kind == kind) for name, kind in RATES.items() if kind in trials.kind}
    totals = {name: np.bincount(number[own], minlength=len(names)) for name, own in kinds.items()}

    def errors(value, name):
        accepted = trials.y_score[kinds[name]] >= (value if np.ndim(value) == 0 else value[number[kinds[name]]])
        return np.bincount(number[kinds[name]], weights=accepted != (name == "frr"), minlength=len(names))

    if isinstance(threshold, dict):
        threshold = np.array([threshold[writer] for writer in names.tolist()])
    drawn = {name: [] for name in kinds}
    for _ in range(N_REPLICATES):
        sample = rng.randint(len(names), size=max(1, len(names) - 1))
        chosen = threshold if choose is None else choose(np.concatenate([rows[one] for one in sample]))
        judged = np.bincount(rng.randint(len(names), size=n_judged), minlength=len(names))
        for name, found in drawn.items():
            found.append((judged @ errors(chosen, name), judged @ totals[name]))
    rates = {}
    for name, found in drawn.items():
        # Writers without trials of the kind may be the only ones that are drawn.
        n_errors, n_trials = np.array([counts for counts in found if counts[1]]).T
        low, high = _interval(n_errors, n_trials, confidence, other_corpus, rng)
        n_wrong, total = int(errors(threshold, name).sum()), len(kinds[name])
        low, high, method = _at_the_limits(n_wrong, total, low, high, confidence)
        counts = (total, 0) if name == "frr" else (0, total)
        rate = n_wrong / total
        # The bootstrap of a skewed rate, or of one between corpora, can leave out the rate itself.
        low, high = min(low, rate), max(high, rate)
        rates[name] = Estimate(rate, low, high, method, *counts, int((totals[name] > 0).sum()))
    return rates


def _interval(n_errors, n_trials, confidence, other_corpus, rng):
    tail = (1 - confidence) / 2
    tails = [tail, 1 - tail]
    logit = np.log((n_errors + 0.5) / (n_trials - n_errors + 0.5))
    if other_corpus:
        rates = rng.binomial(n_trials.astype(int), expit(rng.normal(logit, BETWEEN_CORPORA))) / n_trials
        return map(float, np.quantile(rates, tails))
    center = np.median(logit)
    low, high = expit(np.quantile(center + WIDENING * (logit - center), tails))
    return 0.0 if np.quantile(n_errors, tail) == 0 else float(low), float(high)


def _at_the_limits(n_wrong, total, low, high, confidence):
    """Return the exact bound of a proportion where no trial or each one is wrong: so is it in all replicates."""
    if 0 < n_wrong < total:
        return low, high, "bootstrap"
    distance = clopper_pearson(total, confidence)
    return (0.0, max(high, distance), "exact") if n_wrong == 0 else (min(low, 1 - distance), 1.0, "exact")
