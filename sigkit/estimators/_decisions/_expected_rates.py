"""Error rates that are expected for other writers than those on whom a threshold was set."""

import numpy as np

from sigkit.metrics import Estimate

N_REPLICATES = 400

BETWEEN_CORPORA = 0.8
"""Standard deviation of the logit of an error rate between corpora.

It was measured on drawn writers: on each of nine combinations of script and kind of scan, with the threshold set on the
other eight (benchmarks/check_operating_points.py).
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
    kinds = {name: kind for name, kind in RATES.items() if (trials.kind == kind).any()}
    found = {name: ([], []) for name in kinds}
    for _ in range(N_REPLICATES):
        drawn = rng.randint(len(names), size=max(1, len(names) - 1))
        chosen = threshold if choose is None else choose(np.concatenate([rows[one] for one in drawn]))
        wrong = _is_wrong(trials, chosen)
        judged = np.bincount(rng.randint(len(names), size=n_judged), minlength=len(names))
        for name, kind in kinds.items():
            of_kind = trials.kind == kind
            n_trials = judged @ np.bincount(number[of_kind], minlength=len(names))
            n_errors = judged @ np.bincount(number[of_kind & wrong], minlength=len(names))
            if n_trials:
                found[name][0].append(n_errors)
                found[name][1].append(n_trials)
    wrong = _is_wrong(trials, threshold)
    return {
        name: _estimate(trials, wrong, kind, *map(np.array, found[name]), confidence, other_corpus, rng)
        for name, kind in kinds.items()
    }


def _is_wrong(trials, threshold):
    if isinstance(threshold, dict):
        threshold = np.array([threshold[writer] for writer in trials.writer.tolist()])
    return (trials.y_score >= threshold) != (trials.kind == "genuine")


def _estimate(trials, wrong, kind, n_errors, n_trials, confidence, other_corpus, rng):
    of_kind = trials.kind == kind
    value, total = float(wrong[of_kind].mean()), int(of_kind.sum())
    rates = n_errors / n_trials
    if other_corpus:
        logit = np.log((n_errors + 0.5) / (n_trials - n_errors + 0.5))
        rates = 1 / (1 + np.exp(-rng.normal(logit, BETWEEN_CORPORA)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(rates, [tail, 1 - tail])
    # Without an error in the trials, no replicate has one: the exact bound of a proportion.
    exact = 1 - (1 - confidence) ** (1 / total)
    method = "bootstrap"
    if value in (0, 1):
        low, high, method = (0.0, max(high, exact), "exact") if value == 0 else (min(low, 1 - exact), 1.0, "exact")
    n_writers = len(np.unique(trials.writer[of_kind]))
    counts = (total, 0) if kind == "genuine" else (0, total)
    return Estimate(value, float(low), float(high), method, *counts, n_writers)
