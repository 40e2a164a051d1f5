"""What there is to know about one claim."""

import importlib.metadata
import os
import platform

import numpy as np
from sklearn.utils import Bunch

import sigkit
from sigkit._utils import before_last_step, last_step, printable_path, signature_digest
from sigkit.estimators._decisions._choose_threshold import counted_trials, select
from sigkit.estimators._decisions._likelihood_ratio_calibrator import LikelihoodRatioCalibrator
from sigkit.estimators._evidence._aligned_strokes import align_strokes, nearest_references
from sigkit.estimators._evidence._unfold import unfold
from sigkit.estimators._verifier import NO_INFORMATION
from sigkit.imaging import check_scan, find_copies, read_image
from sigkit.metrics import ScoreCalibrator

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
    parts, scans = unfold(estimator), [query, *references]
    images, features = parts.outputs(scans)
    outer, row = last_step(estimator), before_last_step(estimator, [query])
    score = float(outer.claim_scores(row, [writer])[0])
    accepted = bool(outer.verify(row, [writer])[0])
    threshold = outer.threshold_
    threshold = float(threshold[writer] if hasattr(threshold, "items") else threshold)
    matcher, points = parts.strokes(features)
    order = _order(matcher, points, images)
    pictures = [scan if isinstance(scan, np.ndarray) else read_image(scan) for scan in scans]
    copy = find_copies([query], references)[0]
    facts = Bunch(
        writer=writer,
        score=score,
        threshold=threshold,
        accepted=accepted,
        has_information=score != NO_INFORMATION,
        operating_point=parts.first("operating_point_"),
        trials=parts.first("development_trials_"),
        parts=_scores_of_parts(parts, features[:1], writer),
        scans=_describe_scans(scans, pictures, copy),
        pictures=pictures,
        images=images,
        order=order,
        strokes=None,
        signals={},
        system=_describe_system(parts.verifiers[-1], estimator),
    )
    facts.log10_lr, facts.alternative, facts.n_lr_trials = _likelihood_ratio(parts, facts)
    if matcher is not None:
        names = ("direction", "coverage", "pressure", "parallel", "straightness")
        facts.signals = dict(zip(names, matcher.claim_signals(points[:1], [writer])[0].tolist()))
        facts.strokes = align_strokes(points[0], points[1 + order[0]])
    return facts


def _order(matcher, points, images):
    """Sort references: by the agreement of strokes, else by the correlation of images."""
    if matcher is not None:
        return nearest_references(matcher, points)
    if images is None:
        return []
    rows = images.reshape(len(images), -1).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return np.argsort(-(rows[1:] @ rows[0]), kind="stable").tolist()


def _scores_of_parts(parts, features, writer):
    """Return the scores of the verifiers of a fusion."""
    scores = {}
    for name, verifier in parts.fused().items():
        _, own = unfold(verifier).outputs(features)
        scores[name] = float(last_step(verifier).claim_scores(own, [writer])[0])
    return scores


def _likelihood_ratio(parts, facts):
    """Return the log10 likelihood ratio, the kind of forgeries that is its alternative, and the number of trials."""
    calibrated = next((one for one in parts.verifiers if isinstance(one, LikelihoodRatioCalibrator)), None)
    # Likelihood ratios compare signatures that were written one by one, which a copy was not.
    is_copy = any(scan["copy"] for scan in facts.scans)
    if is_copy or not facts.has_information or facts.trials is None:
        return None, None, 0
    point = facts.operating_point
    kind = calibrated.forgery if calibrated is not None else "skilled" if point is None else point.forgery
    if kind not in facts.trials.kind:
        return None, None, 0
    known = counted_trials(facts.trials, kind) & (facts.trials.y_score != NO_INFORMATION)
    trials = select(facts.trials, known)
    if calibrated is not None:
        return facts.score, kind, len(trials.y_score)
    calibrator = ScoreCalibrator().fit(trials.y_score, trials.y_true, writers=trials.writer)
    return float(calibrator.transform([facts.score])[0]), kind, len(trials.y_score)


def _describe_scans(scans, pictures, copy):
    level = {} if copy is None else {copy.reference: copy.level}
    described = []
    for number, (scan, picture) in enumerate(zip(scans, pictures)):
        is_path = isinstance(scan, (str, os.PathLike))
        described.append(
            {
                "role": "query" if number == 0 else f"reference {number}",
                "name": os.path.basename(printable_path(scan)) if is_path else "image",
                "size": f"{picture.shape[1]} x {picture.shape[0]}",
                "problems": dict(check_scan(picture).problems),
                "digest": signature_digest([scan], 0),
                "copy": level.get(number - 1, ""),
            }
        )
    return described


def _describe_system(inner, estimator):
    versions = {"sigkit": sigkit.__version__, "Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"verifier": type(inner).__name__, "settings": repr(estimator), "versions": versions}
