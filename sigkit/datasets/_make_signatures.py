"""Synthetic signatures, to run examples and train networks without a corpus."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar

from sigkit._utils import GENUINE, SIMPLE, SKILLED, map_parallel, own_random_state, progress
from sigkit.datasets._synthesis import SCANS, SCRIPTS, ScanSettings, render_signature


def make_signatures(
    n_writers: int = 20,
    n_genuine: int = 24,
    n_skilled: int = 24,
    random_state: int | np.random.RandomState | None = None,
    *,
    n_simple: int = 0,
    first_writer: int = 1,
    script: str = "mixed",
    scan: str = "grey",
    resolution: float = 300,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Generate synthetic signatures and forgeries by simulating the movements of a pen.

    A synthetic writer has a text, in Latin letters, in an invented script like Indic ones, or in signs that are not
    letters, and a style: the shapes of the letters, slant, size, rhythm and pen. Text and style determine a motor plan,
    the targets of the pen. It is executed by the kinematic theory of rapid movements [1]_: the speed of each stroke is
    a lognormal in time, and strokes overlap. As in earlier work [2]_, the variation is one of the movements:

    - a *genuine* signature varies the whole plan, its components, each target and the time of each stroke; a part of
      the variation is common to the signatures of one session;
    - a *skilled* forgery is an imitation by another writer: its targets lie between those of the genuine plan and those
      of the forger's own plan for the same text, its strokes are slower and overlap less, with hesitations, additional
      lifts of the pen and tremor;
    - a *simple* forgery is the same text in the style of the forger, written with another pen.

    The width and darkness of the line follow from the speed, the pressure and the pen. Paper and scanner are
    independent of the forgery kind, and the pens of skilled forgeries have the distribution of those of genuine
    signatures, so that none of them separates the two.

    Parameters
    ----------
    n_writers : int, default=20
        The number of writers, at least 1.
    n_genuine : int, default=24
        The number of genuine signatures per writer, at least 1. Six consecutive ones are of the same session.
    n_skilled : int, default=24
        The number of skilled forgeries per writer. Each forger makes four, eight or thirty consecutive ones, depending
        on the writer.
    random_state : int, RandomState instance or None, default=None
        Pass an int for reproducible output; None takes a new seed in each call. For a given seed, a signature depends
        on its writer, kind and number and on `script`, `scan` and `resolution`, and not on the numbers of writers and
        signatures.
    n_simple : int, default=0
        The number of simple forgeries per writer. The forgers are distributed as for skilled forgeries.
    first_writer : int, default=1
        The id of the first writer, at least 1, to generate a large data set in parts.
    script : {"mixed", "latin", "indic", "abstract"}, default="mixed"
        The script: Latin names, names in an invented script with a headline, signs that are not letters, or a random
        choice for each writer.
    scan : {"grey", "two-valued", "jpeg", "mixed"}, default="grey"
        The kind of the scans: 8-bit gray, bilevel, 8-bit gray after lossy compression, or a random choice for each
        signature.
    resolution : float, default=300
        Resolution of the scans in dpi, from 100 to 600.
    n_jobs : int or None, default=None
        Number of processes; the images do not depend on it.
    verbose : int, default=0
        If 1, the progress is written to the standard error stream once per second.

    Returns
    -------
    images : list of ndarray of shape (n_rows, n_columns), dtype uint8
        Scans of different sizes, at 300 dpi mostly of 150 to 450 rows and 300 to 800 columns; the paper is bright and
        the ink is dark.
    target : ndarray of shape (n_writers * (n_genuine + n_skilled + n_simple), 2), dtype int64
        Rows `[writer, forgery]`: writers are integers from `first_writer` on, the forgery is 0 for genuine, 1 for
        skilled, 2 for simple. Sorted by writer, then kind.

    Raises
    ------
    TypeError
        If a numeric parameter is not a number.
    ValueError
        If a number is out of range, or the script or scan is not one of the options.

    See Also
    --------
    SignatureStream : An endless stream of such signatures, for training.

    References
    ----------
    .. [1] Plamondon, R. (1995). A kinematic theory of rapid human movements. Biological Cybernetics, 72, 295-307.
    .. [2] Ferrer, M. A., Diaz, M., Carmona-Duarte, C., and Morales, A. (2017). A behavioral handwriting model for
       static and dynamic signature synthesis. IEEE Transactions on Pattern Analysis and Machine Intelligence, 39,
       1041-1053.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> images, target = make_signatures(n_writers=2, n_genuine=2, n_skilled=1, random_state=0)
    >>> target.tolist()
    [[1, 0], [1, 0], [1, 1], [2, 0], [2, 0], [2, 1]]
    >>> images[0].dtype, images[0].ndim
    (dtype('uint8'), 2)
    """
    check_scalar(n_writers, "n_writers", Integral, min_val=1)
    check_scalar(n_genuine, "n_genuine", Integral, min_val=1)
    check_scalar(n_skilled, "n_skilled", Integral, min_val=0)
    check_scalar(n_simple, "n_simple", Integral, min_val=0)
    check_scalar(first_writer, "first_writer", Integral, min_val=1)
    settings = check_settings(script, scan, resolution)
    seed = draw_seed(random_state)
    counts = {GENUINE: n_genuine, SKILLED: n_skilled, SIMPLE: n_simple}
    writers = list(range(first_writer, first_writer + n_writers))
    results = map_parallel(_render_writer, writers, seed, counts, script, settings, n_jobs=n_jobs, prefer="processes")
    by_position = dict(progress(results, len(writers), "writers", verbose))
    images = [image for position in range(n_writers) for image in by_position[position]]
    kinds = np.repeat(list(counts), list(counts.values()))
    target = np.stack([np.repeat(writers, len(kinds)), np.tile(kinds, n_writers)], axis=1)
    return images, target.astype(np.int64)


def check_settings(script, scan, resolution):
    """Return the settings of the scanner, or raise an error that names an invalid script, scan or resolution."""
    for name, value, known in (("script", script, SCRIPTS), ("scan", scan, SCANS)):
        if value not in (*known, "mixed"):
            raise ValueError(f"{name} must be one of {', '.join((*known, 'mixed'))}; found {value!r}.")
    check_scalar(resolution, "resolution", Real)
    # Not by check_scalar, which accepts NaN.
    if not 100 <= resolution <= 600:
        raise ValueError(f"resolution must be from 100 to 600 dpi; found {resolution!r}.")
    return ScanSettings(resolution, scan)


def draw_seed(random_state):
    """Draw the seed of a data set."""
    return int(own_random_state(random_state).randint(np.iinfo(np.int32).max))


def _render_writer(writer, seed, counts, script, settings):
    """Return all scans of one writer, sorted by kind."""
    return [
        render_signature(seed, writer, forgery, sample, script, settings)
        for forgery, count in counts.items()
        for sample in range(1, count + 1)
    ]
