"""Enrollment in a meta-learned verifier, and references and queries without information."""

import numpy as np

from sigkit._utils import listing, progress, warn
from sigkit.estimators._marks import mark
from sigkit.estimators._meta._adapt_network import Adaptation, memory_to_adapt
from sigkit.estimators._meta._meta_gallery import WHAT_TO_CHECK, FittedWriters, PackedImages, StoredReferences
from sigkit.nets import center_crop


def enroll_references(verifier, adapted, X, references):
    """Return what is stored for each writer: the references, or the weights that are adapted to them.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        The verifier.
    adapted : AdaptedWriters
        The writers that are enrolled so far.
    X : ndarray of shape (n_samples, height, width), dtype uint8
        References.
    references : dict of writer id to ndarray of int
        The rows of each writer.

    Returns
    -------
    FittedWriters
        What is stored is None if all references of a writer are blank, if all random forgeries equal references, or if
        the adaptation does not distinguish them.
    """
    packed = {writer: PackedImages.of(X[rows]) for writer, rows in references.items()}
    marks = {writer: mark(X[rows]) for writer, rows in references.items()}
    blank = is_blank(X, verifier.learner_.network.input_size) if len(X) else None
    kept, to_adapt = {}, {}
    for writer, rows in references.items():
        forgeries = adapted.others.against(writer)
        kept[writer] = None
        if not blank[rows].all() and not _are_covered(adapted.others.images[forgeries], X[rows]):
            if verifier._keeps_references():
                kept[writer] = StoredReferences(packed[writer], forgeries)
            else:
                to_adapt[writer] = rows, forgeries
    if to_adapt:
        adaptation = Adaptation(verifier, adapted.others)
        with memory_to_adapt(len(to_adapt) if verifier.learner_.adapts == "all" else 0):
            for writer, (rows, forgeries) in progress(to_adapt.items(), len(to_adapt), "enrolling", verifier.verbose):
                kept[writer] = adaptation.adapt(writer, X[rows], forgeries)
    return FittedWriters(kept, packed, marks)


def only_informed(verifier, X, scores, blind):
    """Replace scores without information by NaN, and warn about writers who cannot be distinguished from others.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        The verifier.
    X : ndarray of shape (n_queries, height, width), dtype uint8
        Queries.
    scores : ndarray of shape (n_queries,) or (n_queries, n_enrolled)
        Their scores.
    blind : list of writer ids
        Writers whose adaptation had no information.

    Returns
    -------
    ndarray of the shape of scores
        The scores; NaN for blank queries, and for values that are not finite.
    """
    if blind:
        warn(
            f"{len(blind)} writers cannot be distinguished from others: {listing(map(repr, blind))}. {WHAT_TO_CHECK} "
            "All claims for them are rejected."
        )
    scores = np.where(np.isfinite(scores), scores, np.nan)
    scores[is_blank(X, verifier.learner_.network.input_size)] = np.nan
    return scores


def is_blank(X, size):
    """Find images without a difference between two pixels that the network sees.

    Parameters
    ----------
    X : ndarray or Tensor of shape (n_samples, height, width)
        Images.
    size : tuple of (int, int) or None
        The part that the network sees; None for all.

    Returns
    -------
    ndarray or Tensor of shape (n_samples,), dtype bool
        True for blank images. An image of a single pixel is not blank.
    """
    pixels = (center_crop(X, size) if size else X).reshape(len(X), -1)
    return (pixels == pixels[:, :1]).all(1) & (pixels.shape[1] > 1)


def _are_covered(forgeries, references):
    """Check whether every random forgery equals a reference."""
    known = {image.tobytes() for image in references}
    return len(forgeries) > 0 and all(image.tobytes() in known for image in forgeries)
