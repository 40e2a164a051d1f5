"""What there is to know about one claim."""

import importlib.metadata
import os
import platform
from contextlib import suppress
from functools import partial

import numpy as np
from sklearn.utils import Bunch

import sigkit
from sigkit._utils import before_last_step, last_step, read_upload, signature_digest
from sigkit.estimators._decisions._choose_threshold import counted_trials, select
from sigkit.estimators._decisions._likelihood_ratio_calibrator import LikelihoodRatioCalibrator
from sigkit.estimators._evidence._aligned_strokes import align_strokes, nearest_references
from sigkit.estimators._evidence._parts_of_score import scores_of_parts, sum_of_parts
from sigkit.estimators._evidence._scan_facts import add_enrolled, scan_facts
from sigkit.estimators._evidence._score_scale import score_among_trials
from sigkit.estimators._evidence._unfold import score_inside, unfold
from sigkit.estimators._strokes._agreement import SIGNALS
from sigkit.estimators._verifier import NO_INFORMATION
from sigkit.imaging import center_pictures
from sigkit.metrics import ScoreCalibrator
from sigkit.nets import weights_path

_NESTED, _LONGEST_VALUE = ("steps", "verifiers"), 300
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "Pillow")


def claim_facts(estimator, query, writer, references):
    """Collect the facts of a claim.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one.
    query : str, os.PathLike or ndarray
        The scan.
    writer : int or str
        The claimed writer, who is enrolled.
    references : list of (str, os.PathLike or ndarray)
        Scans of the writer's references.

    Returns
    -------
    Bunch
        The facts, see `ClaimReportDisplay`.
    """
    # The content of an open file can be read once.
    query, *references = (read_upload(scan) or scan for scan in (query, *references))
    parts, scans = unfold(estimator), [query, *references]
    images, features = parts.outputs(scans)
    outer, row = last_step(estimator), before_last_step(estimator, [query])
    score = float(outer.claim_scores(row, [writer])[0])
    accepted = bool(outer.verify(row, [writer])[0])
    threshold = outer.threshold_
    threshold = float(threshold[writer] if hasattr(threshold, "items") else threshold)
    matcher, points = parts.strokes(features)
    order = _order(matcher, points, images)
    described, pictures = scan_facts(scans, parts.steps)
    add_enrolled(described, estimator, references, writer)
    trials, among = parts.first("development_trials_"), None
    if trials is not None:
        inside = partial(score_inside, estimator, query, writer)
        among = score_among_trials(parts.verifiers, inside, score, threshold, trials)
    by_part = scores_of_parts(parts, features[:1], writer)
    facts = Bunch(
        writer=writer,
        score=score,
        threshold=threshold,
        accepted=accepted,
        has_information=score != NO_INFORMATION,
        operating_point=parts.first("operating_point_"),
        trials=trials,
        among=among,
        is_poor=bool(described[0]["problems"]),
        is_copy=bool(outer.find_copies(row, [writer])[0] >= 0) or any(scan["copy"] for scan in described),
        parts=by_part,
        sum_of_parts=sum_of_parts(parts, by_part),
        scans=described,
        pictures=pictures,
        images=images,
        order=order,
        strokes=None,
        signals={},
        system=_describe_system(parts.verifiers[-1], estimator),
    )
    facts.update(_likelihood_ratio(parts, facts))
    if matcher is not None:
        facts.signals = dict(zip(SIGNALS, matcher.claim_signals(points[:1], [writer])[0].tolist()))
        facts.strokes = align_strokes(points[0], points[1 + order[0]])
    return facts


def _order(matcher, points, images):
    """Sort references: by the agreement of strokes, else by the correlation of images."""
    if matcher is not None:
        return nearest_references(matcher, points)
    if images is None:
        return []
    rows = center_pictures(np.asarray(images))
    return np.argsort(-(rows[1:] @ rows[0]), kind="stable").tolist()


def _likelihood_ratio(parts, facts):
    """Return the log10 likelihood ratio, the kind of forgeries that is its alternative, and what it depends on."""
    none = {"log10_lr": None, "alternative": None, "n_lr_trials": 0, "is_lr_limit": False}
    calibrated = next((one for one in parts.verifiers if isinstance(one, LikelihoodRatioCalibrator)), None)
    # Likelihood ratios compare signatures that were written one by one, which a copy was not. Those of development
    # writers are good scans, so that the score of a poor one cannot be compared with theirs.
    if facts.is_copy or facts.is_poor or not facts.has_information or facts.trials is None:
        return none
    point = facts.operating_point
    kind = calibrated.forgery if calibrated is not None else "skilled" if point is None else point.forgery
    if kind not in facts.trials.kind:
        return none
    known = counted_trials(facts.trials, kind) & (facts.trials.y_score != NO_INFORMATION)
    trials = select(facts.trials, known)
    if calibrated is not None:
        calibrator, log10_lr = calibrated.calibrator_, facts.score
    else:
        calibrator = ScoreCalibrator().fit(trials.y_score, trials.y_true)
        log10_lr = float(calibrator.transform([facts.score])[0])
    limited = {"n_lr_trials": len(trials.y_score), "is_lr_limit": log10_lr in calibrator.bounds_.tolist()}
    return {"log10_lr": log10_lr, "alternative": kind, **limited}


def _describe_system(inner, estimator):
    versions = {"sigkit": sigkit.__version__, "Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    weights, parameters = {}, {}
    for name, value in sorted(estimator.get_params().items()):
        if name.split("__")[-1] == "weights" and isinstance(value, (str, os.PathLike)):
            # The weights of a fusion are no file.
            with suppress(OSError):
                weights[name] = signature_digest([weights_path(value)], 0)
        if not hasattr(value, "get_params") and name.split("__")[-1] not in _NESTED:
            text = repr(value)
            parameters[name] = text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
    system = {"verifier": type(inner).__name__, "settings": repr(estimator), "versions": versions}
    return system | {"weights": weights, "parameters": parameters}
