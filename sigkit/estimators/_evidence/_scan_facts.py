"""What the page of a claim says about scans."""

import os

import numpy as np

from sigkit._utils import (
    before_last_step,
    content_digest,
    last_step,
    preprocesses_scans,
    printable_path,
    signature_digest,
)
from sigkit.imaging import check_scan, find_copies, place_ink, read_image, trace_scan


def scan_facts(scans, steps):
    """Return the facts of a query and its references, and their pictures.

    Parameters
    ----------
    scans : list of (str, os.PathLike or ndarray)
        The query, and the references.
    steps : list of transformer
        All steps before the innermost verifier.

    Returns
    -------
    facts : list of dict
        The role, name, size, problems and digest of each, whether it was judged, and whether the query is a copy of it.
    pictures : list of ndarray
        The scans.
    """
    preprocessor = next((step for step in steps if preprocesses_scans(step) and hasattr(step, "canvas_size_")), None)
    [copy] = find_copies(scans[:1], scans[1:])
    facts, pictures = [], []
    for number, scan in enumerate(scans):
        picture, problems = _look(scan, number, preprocessor)
        is_path = isinstance(scan, (str, os.PathLike))
        facts.append(
            {
                "role": "query" if number == 0 else f"reference {number}",
                "name": os.path.basename(printable_path(scan)) if is_path else "image",
                "size": f"{picture.shape[1]} x {picture.shape[0]}",
                "problems": problems,
                "is_judged": preprocessor is not None or not isinstance(scan, np.ndarray),
                "digest": content_digest(scan) if isinstance(scan, bytes) else signature_digest([scan], 0),
                "copy": copy.level if copy is not None and copy.reference == number - 1 else "",
                "is_enrolled": True,
            }
        )
        pictures.append(picture)
    return facts, pictures


def add_enrolled(facts, estimator, references, writer):
    """Add which references are enrolled, by their features.

    Parameters
    ----------
    facts : list of dict
        The facts of the query and the references.
    estimator : estimator
        The verifier, or a Pipeline that ends in one.
    references : list of scans
        The references.
    writer : int or str
        The claimed writer.
    """
    found = last_step(estimator).find_copies(before_last_step(estimator, references), [writer] * len(references))
    for fact, number in zip(facts[1:], found.tolist()):
        fact["is_enrolled"] = number >= 0


def _look(scan, number, preprocessor):
    """Return the picture and the problems of a scan, as its preprocessor sees it."""
    if preprocessor is None:
        # An array is then a preprocessed image, which has white ink on black and is no scan.
        if isinstance(scan, np.ndarray):
            return scan, {}
        picture = read_image(scan)
        return picture, dict(check_scan(picture).problems)
    scan = read_image(scan, color=preprocessor.background == "photo") if isinstance(scan, bytes) else scan
    trace = trace_scan(scan, number, preprocessor.background, preprocessor.resolution, preprocessor.max_memory)
    if trace.cropped is None:
        return trace.scan, {"unusable": trace.error}
    found = place_ink(trace.cropped, preprocessor.canvas_size_, tuple(preprocessor.image_size))[1]
    return trace.scan, {kind: f"{kind} ({text})".replace("_", " ").capitalize() + "." for kind, text in found.items()}
