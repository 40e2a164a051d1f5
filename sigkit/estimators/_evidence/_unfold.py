"""A verifier taken apart: the steps before it, and the verifiers inside it."""

from typing import NamedTuple

import numpy as np

from sigkit._utils import before_last_step, last_step
from sigkit.estimators._strokes._stroke_matcher import StrokeMatcher


class Unfolded(NamedTuple):
    """The parts of a fitted verifier.

    Parameters
    ----------
    steps : list of transformer
        All steps before the innermost verifier.
    verifiers : list of estimator
        The verifiers from the outermost to the innermost, without their steps.
    """

    steps: list
    verifiers: list

    def first(self, name):
        """Return an attribute of the outermost verifier that has it.

        Parameters
        ----------
        name : str
            The attribute.

        Returns
        -------
        object or None
            Its value.
        """
        return next((getattr(one, name) for one in self.verifiers if hasattr(one, name)), None)

    def outputs(self, scans):
        """Return the images of scans, and what the innermost verifier gets.

        Parameters
        ----------
        scans : list
            Scans, or preprocessed images if no step makes them.

        Returns
        -------
        images : ndarray of shape (n_scans, height, width) or None
            The last images before features; None if there are none.
        features : array-like of shape (n_scans, ...)
            What the innermost verifier gets.
        """
        images = _as_images(scans) if not self.steps else None
        X = scans if images is None else images
        for step in self.steps:
            X = step.transform(X)
            images = X if _is_images(X) else images
        return images, X

    def fused(self):
        """Return the fitted verifiers of a fusion.

        Returns
        -------
        dict of str to estimator
            The verifiers by name; empty if the innermost verifier is no fusion.
        """
        return getattr(self.verifiers[-1], "named_verifiers_", {})

    def strokes(self, features):
        """Return the matcher of strokes and its points.

        Parameters
        ----------
        features : array-like of shape (n_scans, ...)
            What the innermost verifier gets.

        Returns
        -------
        matcher : StrokeMatcher or None
            The matcher, if there is one.
        points : ndarray of shape (n_scans, 7 * n_points) or None
            Points of strokes.
        """
        for verifier in (self.verifiers[-1], *self.fused().values()):
            if isinstance(last_step(verifier), StrokeMatcher):
                return last_step(verifier), np.asarray(before_last_step(verifier, features))
        return None, None


def unfold(estimator):
    """Take a verifier apart, through Pipelines and meta-estimators.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one.

    Returns
    -------
    Unfolded
        Its parts.
    """
    steps, verifiers = [], []
    while estimator is not None:
        if hasattr(estimator, "steps"):
            steps += [step for _, step in estimator.steps[:-1] if step is not None and step != "passthrough"]
            estimator = last_step(estimator)
        verifiers.append(estimator)
        estimator = getattr(estimator, "verifier_", None)
    return Unfolded(steps, verifiers)


def score_inside(estimator, query, writer, depth):
    """Score a claim by a verifier inside meta-estimators.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one.
    query : str, os.PathLike or ndarray
        The scan.
    writer : int or str
        The claimed writer.
    depth : int
        The number of the verifier; 0 is the outermost.

    Returns
    -------
    float
        The score.
    """
    X = [query]
    for _ in range(depth):
        X, estimator = before_last_step(estimator, X), last_step(estimator).verifier_
    return float(last_step(estimator).claim_scores(before_last_step(estimator, X), [writer])[0])


def _is_images(X):
    return getattr(X, "ndim", 0) == 3


def _as_images(scans):
    """Return an array of scans if they are images of one size."""
    return np.stack(scans) if len({getattr(scan, "shape", None) for scan in scans} - {None}) == 1 else None
