"""The score of a claim among those of development writers, on a scale without limits."""

import numpy as np
from sklearn.utils import Bunch

from sigkit.estimators._decisions._likelihood_ratio_calibrator import LikelihoodRatioCalibrator
from sigkit.estimators._verifier import NO_INFORMATION

_N_BISECTIONS = 60


def score_among_trials(verifiers, score_inside, score, threshold, trials):
    """Put the claim and the development trials on one scale, that before calibration if there is a calibration.

    Likelihood ratios are limited to what the development data support, so that many trials have the same one.

    Parameters
    ----------
    verifiers : list of estimator
        The verifiers from the outermost to the innermost.
    score_inside : callable
        Called with the number of a verifier; returns the score that it gives to the claim.
    score, threshold : float
        The score of the outermost verifier, and the lowest accepted one.
    trials : Bunch
        The trials of development writers.

    Returns
    -------
    Bunch
        `y_true`, `y_score`, `kind` and `writer` of the trials with information; `score` and `threshold` of the claim,
        the latter None if no score of the trials' range has it; and `is_calibrated`, whether the scale is another one
        than that of the verifier.
    """
    y_score, is_calibrated = trials.y_score, "verifier_score" in trials
    if is_calibrated:
        places = [place for place, one in enumerate(verifiers) if isinstance(one, LikelihoodRatioCalibrator)]
        y_score, score = trials.verifier_score, score_inside(places[0] + 1)
        known = y_score[y_score != NO_INFORMATION]
        threshold = _before_calibration(verifiers[places[0]].calibrator_, known, threshold)
    known = y_score != NO_INFORMATION
    columns = {"y_true": trials.y_true, "y_score": y_score, "kind": trials.kind, "writer": trials.writer}
    columns = {name: np.asarray(column)[known] for name, column in columns.items()}
    return Bunch(**columns, score=score, threshold=threshold, is_calibrated=is_calibrated)


def ranks(among):
    """Compare the claim with those of development writers.

    Parameters
    ----------
    among : Bunch
        The claim among the trials.

    Returns
    -------
    dict of str to str
        For each kind of trials, how many have a lower score (genuine), or at least this score (forgeries).
    """
    found = {}
    for kind in ("genuine", "skilled", "simple", "random"):
        scores = among.y_score[among.kind == kind]
        if len(scores):
            is_genuine = kind == "genuine"
            count = np.count_nonzero(scores < among.score if is_genuine else scores >= among.score)
            share = f"{count} of {len(scores)} ({count / len(scores):.1%})"
            found["Genuine, lower score" if is_genuine else f"{kind.capitalize()} forgeries, at least this score"] = (
                share
            )
    return found


def _before_calibration(calibrator, scores, threshold):
    """Return the lowest score whose likelihood ratio is accepted; None if it is outside the range of the trials."""
    low, high = float(scores.min()), float(scores.max())
    if not calibrator.transform([low])[0] < threshold <= calibrator.transform([high])[0]:
        return None
    for _ in range(_N_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if calibrator.transform([middle])[0] >= threshold else (middle, high)
    return high
