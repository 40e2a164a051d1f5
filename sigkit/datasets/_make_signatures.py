"""Drawn signatures, so that everything runs without any corpus."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter1d
from sklearn.utils import check_random_state, check_scalar

from sigkit.utils import GENUINE, SKILLED

STEP = 1.0
"""Pixels from one drawn point to the next."""

TREMOR_WIDTH = 4.0
"""Pixels over which a shaking hand changes direction."""


@dataclass(frozen=True)
class _Style:
    """How a writer signs. Points are in units of the height of a small letter, y pointing down; `unit` is in pixels."""

    strokes: tuple
    unit: float
    slant: float
    pen: float
    ink: float
    variation: float


def make_signatures(n_writers=20, n_genuine=24, n_skilled=24, random_state=None):
    """Draw signatures of writers who do not exist.

    A writer has a style: strokes through a few control points, slant, size, pen and ink. A genuine signature moves the
    control points a little and the whole a little. A skilled forgery is a worse copy of the same strokes: it moves
    them further, has other proportions, and its line is slow, which shows as a tremor and an even width.

    They serve tests and examples. They are no model of real handwriting: error rates on them say nothing about error
    rates on people's signatures.

    Parameters
    ----------
    n_writers : int, default=20
        How many writers, at least 1.
    n_genuine : int, default=24
        How many genuine signatures a writer, at least 1.
    n_skilled : int, default=24
        How many skilled forgeries a writer, 0 or more.
    random_state : int, RandomState instance or None, default=None
        Pass an int to draw the same signatures each time. For one seed, a signature depends on its writer, kind and
        number only: more writers or signatures leave the others as they are.

    Returns
    -------
    images : list of ndarray of shape (height, width), dtype uint8
        Grey images of different sizes, mostly of 200 to 370 rows and 250 to 650 columns; paper is bright (220 to 255),
        ink is dark.
    target : ndarray of shape (n_writers * (n_genuine + n_skilled), 2), dtype int64
        Rows `[writer, forgery]`: the writers are 1 to `n_writers`, the forgery is 0 for genuine or 1 for skilled.
        Sorted by writer, the genuine signatures first.

    Raises
    ------
    TypeError
        If a count is no integer.
    ValueError
        If a count is too small.

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
    entropy = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    images, target = [], []
    for writer in range(1, n_writers + 1):
        style = _invent_style(np.random.default_rng([entropy, writer]))
        for forgery, count in ((GENUINE, n_genuine), (SKILLED, n_skilled)):
            for sample in range(1, count + 1):
                # numpy pads short seeds with zeros, so kinds and samples count from 1 to differ from the writer's own.
                rng = np.random.default_rng([entropy, writer, forgery + 1, sample])
                images.append(_draw(*_sign(style, forgery == SKILLED, rng), rng))
                target.append((writer, forgery))
    return images, np.array(target, dtype=np.int64)


def _invent_style(rng):
    """Invent a writer: a row of letters that rise and fall, lifts of the pen, and perhaps a flourish."""
    points, lifts, x = [], [], 0.0
    n_letters = int(rng.integers(4, 10))
    for letter in range(n_letters):
        scale = rng.uniform(1.5, 2.2) if letter == 0 else 1.0
        advance = scale * rng.uniform(0.6, 1.2)
        top = scale * (rng.uniform(1.6, 2.6) if rng.random() < 0.35 else rng.uniform(0.8, 1.2))
        bottom = rng.uniform(0.6, 1.5) if rng.random() < 0.25 else rng.uniform(-0.1, 0.1)
        # A top that leans back over the stem before it makes a loop, one that leans forward makes an arch.
        lean = rng.uniform(-0.5, 0.5) * scale
        points += [(x + 0.45 * advance + lean, -top), (x + 0.45 * advance - 0.5 * lean, bottom)]
        points.append((x + advance, -rng.uniform(0.1, 0.7)))
        if 0 < letter < n_letters - 1 and rng.random() < 0.25:
            lifts.append(len(points))
        x += advance
    strokes = np.split(np.array(points), lifts)
    if rng.random() < 0.6:
        start, end = rng.uniform(0.6, 1.05) * x, rng.uniform(-0.1, 0.4) * x
        flourish = np.linspace((start, rng.uniform(0.2, 1.5)), (end, rng.uniform(0.4, 1.8)), 5)
        strokes.append(flourish + rng.normal(0.0, (0.3, 0.45), flourish.shape))
    if rng.random() < 0.5:
        dash = rng.uniform((0.2 * x, -2.6), (0.8 * x, -1.4))
        strokes.append(dash + np.outer([0.0, 0.5, 1.0], rng.uniform((0.2, -0.3), (1.6, 0.3))))
    everything = np.concatenate(strokes)
    width, height = np.ptp(everything, axis=0)
    return _Style(
        strokes=tuple(strokes),
        unit=min(rng.uniform(260.0, 580.0) / width, 230.0 / height),
        slant=rng.uniform(-0.2, 0.5),
        pen=rng.uniform(2.5, 5.0),
        ink=rng.uniform(25.0, 95.0),
        variation=rng.uniform(0.018, 0.04),
    )


def _sign(style, forged, rng):
    """Return the strokes of one signature as points in pixels, the width of the line at each, and the ink."""
    spread = style.variation + (rng.uniform(0.04, 0.12) if forged else 0.0)
    looseness = 2.5 if forged else 1.0
    size, shear, angle = rng.normal((1.0, style.slant, 0.0), np.array((0.04, 0.04, 0.025)) * looseness)
    stretch = rng.normal(1.0, 0.03 * looseness)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    transform = style.unit * size * turn @ np.array([[stretch, -shear], [0.0, 1.0]])
    pen = style.pen * np.exp(rng.normal(0.0, 0.16 if forged else 0.08))
    drift = np.zeros(2)
    paths, widths = [], []
    for stroke in style.strokes:
        # The hand both misses each point a little and carries its error on to the next.
        walk = drift + np.cumsum(rng.normal(0.0, 0.4 * spread, stroke.shape), axis=0)
        drift = 0.8 * walk[-1]
        path, speed = _run(stroke + walk + rng.normal(0.0, spread, stroke.shape), transform)
        if forged:
            path = path + _tremor(len(path), rng) * style.unit * rng.uniform(0.01, 0.025)
        paths.append(path)
        widths.append(pen * (1.0 - (0.1 if forged else 0.35) * (speed - 0.5)))
    return paths, widths, max(style.ink + rng.normal(0.0, 8.0), 10.0)


def _run(points, transform):
    """Run a smooth line through control points; also tell how fast the pen is, from 0 to 1."""
    points = points @ transform.T
    chords = np.maximum(np.linalg.norm(np.diff(points, axis=0), axis=1), 1.0)
    # The square root keeps the spline from overshooting where long and short chords meet.
    times = np.concatenate([[0.0], np.cumsum(np.sqrt(chords))])
    spline = make_interp_spline(times, points, k=min(3, len(points) - 1))
    n_points = max(int(chords.sum() / STEP), 8)
    path = spline(np.linspace(0.0, times[-1], n_points))
    longest = np.hypot(*np.diff(path, axis=0).T).max()
    if longest > 2.0 * STEP:
        # Where the pen is fast, points would stand apart as dots.
        path = spline(np.linspace(0.0, times[-1], int(n_points * longest / (2.0 * STEP))))
    speed = np.hypot(*np.gradient(path, axis=0).T)
    return path, np.minimum(speed / (2.0 * speed.mean() + 1e-9), 1.0)


def _tremor(n_points, rng):
    """Shake of a slow hand: noise of standard deviation 1 that changes over a few pixels."""
    smooth = gaussian_filter1d(rng.normal(size=(n_points, 2)), TREMOR_WIDTH, axis=0)
    return smooth * np.sqrt(2.0 * np.sqrt(np.pi) * TREMOR_WIDTH)


def _draw(paths, widths, ink, rng):
    """Draw the strokes with ink on paper."""
    margins = rng.uniform(12.0, 40.0, size=(2, 2))
    points = np.concatenate(paths)
    low = points.min(axis=0) - margins[0]
    n_columns, n_rows = np.ceil(points.max(axis=0) + margins[1] - low).astype(int)
    cover = _cover(points - low, 0.5 * np.maximum(np.concatenate(widths), 1.5), (n_rows, n_columns))
    paper = rng.random(cover.shape, dtype=np.float32)
    paper *= 12.0
    paper += rng.uniform(226.0, 242.0)
    # Under full ink a quarter of the paper's grain still shows.
    paper += cover * (ink - 60.0 - 0.75 * paper)
    return paper.astype(np.uint8)


def _cover(points, radii, shape):
    """How much of each pixel lies under a round pen of these radii at these points (x, y), from 0 to 1."""
    reach = int(np.ceil(radii.max() + 0.5))
    shift_y, shift_x = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1, 1)
    nearest = np.rint(points).astype(np.int64)
    off_x, off_y = (nearest - points).astype(np.float32).T
    share = np.square(shift_x.astype(np.float32) + off_x) + np.square(shift_y.astype(np.float32) + off_y)
    share = radii.astype(np.float32) + np.float32(0.5) - np.sqrt(share, out=share)
    pixel = nearest[:, 1] * shape[1] + nearest[:, 0] + (shift_y * shape[1] + shift_x)
    touched = share > 0.0
    cover = np.zeros(shape[0] * shape[1], dtype=np.float32)
    np.maximum.at(cover, pixel[touched], share[touched])
    return np.minimum(cover, 1.0).reshape(shape)
