"""Preprocessed signatures, from scans or from an .npz file."""

from sigkit._commands._files import load_scans
from sigkit.datasets import load_npz
from sigkit.transformers import SignaturePreprocessor


def load_images(options):
    """Load preprocessed signatures, or preprocess scans.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.

    Returns
    -------
    images : ndarray of shape (n_signatures, height, width), dtype uint8
        The images.
    target : ndarray of shape (n_signatures, 2)
        Rows `[writer, forgery]`.
    """
    if options.source.lower().endswith(".npz"):
        if options.canvas is not None or options.resolution is not None:
            raise ValueError(f"{options.source}: is preprocessed; --canvas and --resolution are for scans.")
        signatures = load_npz(options.source)
        return signatures.images, signatures.target
    corpus = load_scans(options)
    return make_preprocessor(options, corpus.canvas_size).fit_transform(corpus.images), corpus.target


def make_preprocessor(options, canvas_size):
    """Make the preprocessor.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    canvas_size : tuple of (int, int) or "max"
        The canvas, if the arguments name none.

    Returns
    -------
    SignaturePreprocessor
        The preprocessor.
    """
    return SignaturePreprocessor(
        canvas_size=canvas_size if options.canvas is None else tuple(options.canvas),
        image_size=tuple(options.image_size),
        background=options.background,
        resolution=options.resolution,
        on_poor_scan=options.on_poor_scan,
        memory=options.memory,
        n_jobs=options.n_jobs,
        verbose=1,
    )
