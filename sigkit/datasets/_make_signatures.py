"""Signatures nobody signed, so that everything runs, and networks learn, without any corpus."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from sigkit._utils import GENUINE, SIMPLE, SKILLED, map_parallel, progress
from sigkit.datasets._synthesis import SCANS, SCRIPTS, Sheet, sign


def make_signatures(
    n_writers=20,
    n_genuine=24,
    n_skilled=24,
    random_state=None,
    *,
    n_simple=0,
    first_writer=1,
    script="mixed",
    scan="grey",
    resolution=300,
    n_jobs=None,
    verbose=0,
):
    """Draw signatures of writers who do not exist, as movements of a pen.

    A writer has a text to sign, in letters of a Latin or Indic kind or in signs that are none, and a hand: how it
    deviates from the copy book, its slant, size, rhythm and pen. Together they make a plan, targets of the pen, which
    is carried out by the kinematic theory of rapid movements [1]_: each stroke's speed is a lognormal in time, and
    strokes overlap. As in earlier synthesis of signatures by it [2]_, what varies is the movement:

    - a *genuine* signature varies the whole, its parts, each target and each stroke's time, and drifts from day to day;
    - a *skilled* forgery is another hand's copy: the targets lie between the writer's and those of the forger's own
      writing of the same text, the strokes are slower and overlap less, with hesitations, lifts and tremor;
    - a *simple* forgery is the same text in the forger's own style, with a pen of their own.

    The width and darkness of the line follow from speed, pressure and pen; paper and scanner do the rest. Paper and
    scanner do not tell genuine signatures from forgeries, nor do pens tell skilled ones.

    Parameters
    ----------
    n_writers : int, default=20
        How many writers, at least 1.
    n_genuine : int, default=24
        How many genuine signatures a writer, at least 1. Each six in a row are of the same day.
    n_skilled : int, default=24
        How many skilled forgeries a writer, 0 or more. By writer, one forger makes four, eight or thirty in a row.
    random_state : int, RandomState instance or None, default=None
        Pass an int to draw the same signatures each time. For one seed, a signature depends on its writer, kind and
        number, and on `script`, `scan` and `resolution`: more writers or signatures leave the others as they are.
    n_simple : int, default=0
        How many simple forgeries a writer, 0 or more, by forgers who make as many in a row as the skilled ones.
    first_writer : int, default=1
        The number of the first writer, at least 1: many writers can be drawn some at a time.
    script : {"mixed", "latin", "indic", "abstract"}, default="mixed"
        What is signed: Latin names, names in an invented script that hangs from a headline, signs that are no
        letters, or each by chance.
    scan : {"grey", "two-valued", "jpeg", "mixed"}, default="grey"
        What the scanner writes: shades of grey, black and white, shades of grey after lossy compression, or each by
        chance.
    resolution : float, default=300
        Pixels an inch, 100 to 600.
    n_jobs : int or None, default=None
        Writers drawn at a time, by processes; the images do not depend on it.
    verbose : int, default=0
        1 tells of the progress once a second, on the standard error stream.

    Returns
    -------
    images : list of ndarray of shape (n_rows, n_columns), dtype uint8
        Scans of different sizes, at 300 pixels an inch mostly of 150 to 450 rows and 300 to 800 columns; paper is
        bright, ink is dark.
    target : ndarray of shape (n_writers * (n_genuine + n_skilled + n_simple), 2), dtype int64
        Rows `[writer, forgery]`: writers from `first_writer` on, the forgery is 0 for genuine, 1 for skilled, 2 for
        simple. Sorted by writer, the genuine signatures first.

    Raises
    ------
    TypeError
        If a number is not a number.
    ValueError
        If a number is out of its range, or there is no such kind of script or scan.

    See Also
    --------
    SignatureStream : As many as a training wants.

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
    sheet = make_sheet(script, scan, resolution)
    entropy = draw_entropy(random_state)
    counts = {GENUINE: n_genuine, SKILLED: n_skilled, SIMPLE: n_simple}
    writers = list(range(first_writer, first_writer + n_writers))
    drawn = map_parallel(_sign_all, writers, entropy, counts, script, sheet, n_jobs=n_jobs, prefer="processes")
    by_place = dict(progress(drawn, len(writers), "writers", verbose))
    images = [image for place in range(n_writers) for image in by_place[place]]
    kinds = np.repeat(list(counts), list(counts.values()))
    target = np.stack([np.repeat(writers, len(kinds)), np.tile(kinds, n_writers)], axis=1)
    return images, target.astype(np.int64)


def make_sheet(script, scan, resolution):
    """Say how signatures are scanned, if there are such kinds of signatures and scans.

    Parameters
    ----------
    script, scan : str
        Kinds of signatures and of scans.
    resolution : float
        Pixels an inch.

    Returns
    -------
    Sheet
        How signatures are scanned.

    Raises
    ------
    TypeError
        If the resolution is no number.
    ValueError
        If it is out of its range, or there is no such kind.
    """
    for name, value, known in (("script", script, SCRIPTS), ("scan", scan, SCANS)):
        if value not in (*known, "mixed"):
            raise ValueError(f"{name} must be one of {', '.join((*known, 'mixed'))}; found {value!r}.")
    check_scalar(resolution, "resolution", Real)
    if not 100 <= resolution <= 600:
        raise ValueError(f"resolution must be from 100 to 600 pixels an inch; found {resolution!r}.")
    return Sheet(resolution, scan)


def draw_entropy(random_state):
    """Draw the seed of all signatures.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        As in scikit-learn.

    Returns
    -------
    int
        The seed.
    """
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _sign_all(writer, entropy, counts, script, sheet):
    return [
        sign(entropy, writer, forgery, sample, script, sheet)
        for forgery, count in counts.items()
        for sample in range(1, count + 1)
    ]
