"""Ink: where the pen goes, how wide its line is, and how dark."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pen:
    """A pen.

    Attributes
    ----------
    width : float
        Of its line under full pressure, in millimetres.
    yields : float
        Share of the width that is lost without pressure, 0 to 1.
    darkness : float
        Share of the light that its line keeps back under full pressure, 0 to 1.
    fades : float
        Share of the darkness that is lost without pressure, 0 to 1.
    grain : float
        How unevenly it inks, as a standard deviation of the darkness.
    """

    width: float
    yields: float
    darkness: float
    fades: float
    grain: float


def invent_pen(rng):
    """Take a pen: a ball-point, a gel pen or a felt pen.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.

    Returns
    -------
    Pen
        The pen.
    """
    kind = rng.choice(3, p=(0.7, 0.22, 0.08))
    if kind == 0:
        return Pen(rng.uniform(0.2, 0.42), 0.35, rng.uniform(0.45, 0.85), rng.uniform(0.4, 0.7), rng.uniform(0.1, 0.3))
    if kind == 1:
        return Pen(rng.uniform(0.3, 0.55), 0.25, rng.uniform(0.75, 0.95), rng.uniform(0.0, 0.2), 0.03)
    return Pen(rng.uniform(0.5, 0.85), 0.3, rng.uniform(0.7, 0.95), rng.uniform(0.0, 0.2), 0.04)


def spread_ink(movements, pen, resolution, softness, margins, rng):
    """Draw movements of a pen on a sheet that holds them.

    Parameters
    ----------
    movements : list of Movement
        Where the pen goes, in millimetres.
    pen : Pen
        The pen.
    resolution : float
        Pixels an inch.
    softness : float
        Pixels over which the edge of a line fades.
    margins : ndarray of shape (4,)
        Room left, below, right and above, in millimetres.
    rng : numpy.random.Generator
        Draws the grain of the ink.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype float32
        Share of the light that each pixel keeps back, 0 to 1.
    """
    scale = resolution / 25.4
    points, pressure = zip(*(_even_steps(movement, scale, pen) for movement in movements))
    points, pressure = np.concatenate(points), np.concatenate(pressure)
    pressure = pressure + pen.grain * rng.normal(size=len(pressure))
    low = points.real.min() - margins[0] * scale + 1j * (points.imag.min() - margins[1] * scale)
    points = points - low
    n_columns = int(np.ceil(points.real.max() + margins[2] * scale)) + 1
    n_rows = int(np.ceil(points.imag.max() + margins[3] * scale)) + 1
    radii = 0.5 * pen.width * scale * (1 - pen.yields * (1 - np.clip(pressure, 0, 1)))
    darkness = np.clip(pen.darkness * (1 - pen.fades * (1 - pressure)), 0.08, 1)
    rows = n_rows - 1 - points.imag
    return _stamp(points.real, rows, np.maximum(radii, 0.35), darkness, softness, (n_rows, n_columns))


def _even_steps(movement, scale, pen):
    """Bring a movement to pixels, in steps that are short against the width of the line."""
    path = movement.path * scale
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(path)))])
    step = max(0.6, 0.2 * pen.width * scale)
    at = np.linspace(0, along[-1], max(int(along[-1] / step), 1) + 1)
    points = np.interp(at, along, path.real) + 1j * np.interp(at, along, path.imag)
    return points, np.interp(at, along, movement.pressure)


def _stamp(x, y, radii, darkness, softness, shape):
    """Press a round tip at each point; where marks overlap the darker one stays."""
    reach = int(np.ceil(radii.max() + softness / 2))
    near_x, near_y = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    off_x, off_y = (near_x - x).astype(np.float32), (near_y - y).astype(np.float32)
    steps = np.arange(-reach, reach + 1)
    square_x = np.square(steps[:, None].astype(np.float32) + off_x)
    square_y = np.square(steps[:, None].astype(np.float32) + off_y)
    mark = square_y[:, None] + square_x[None]
    np.sqrt(mark, out=mark)
    np.subtract((radii + softness / 2).astype(np.float32), mark, out=mark)
    mark *= np.float32(1 / softness)
    np.clip(mark, 0, 1, out=mark)
    mark *= darkness.astype(np.float32)
    pixel = (near_y * shape[1] + near_x) + (steps[:, None] * shape[1] + steps)[:, :, None]
    inside = (near_x >= reach) & (near_x < shape[1] - reach) & (near_y >= reach) & (near_y < shape[0] - reach)
    touched = (mark > 0) & inside
    kept = np.zeros(shape[0] * shape[1], dtype=np.float32)
    np.maximum.at(kept, pixel[touched], mark[touched])
    return kept.reshape(shape)
