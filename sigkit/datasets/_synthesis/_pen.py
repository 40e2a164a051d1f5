"""Pens, and the ink of their lines: its width and darkness."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pen:
    """A pen.

    Attributes
    ----------
    width : float
        Width of its line under full pressure, in millimeters.
    width_loss : float
        Share of the width that is lost without pressure, 0 to 1.
    darkness : float
        Share of the light that its line absorbs under full pressure, 0 to 1.
    darkness_loss : float
        Share of the darkness that is lost without pressure, 0 to 1.
    grain : float
        Standard deviation of the noise that is added to the pressure and makes the ink uneven.
    """

    width: float
    width_loss: float
    darkness: float
    darkness_loss: float
    grain: float


def sample_pen(rng):
    """Draw a ball-point, a gel pen or a felt pen.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.

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


def render_ink(movements, pen, resolution, softness, margins, rng):
    """Render the line that a pen leaves on a sheet of paper of suitable size.

    Parameters
    ----------
    movements : list of Movement
        The movements of the pen, in millimeters.
    pen : Pen
        The pen.
    resolution : float
        Resolution in dpi.
    softness : float
        Width in pixels of the soft edge of a line.
    margins : ndarray of shape (4,)
        Margins on the left, below, on the right and above, in millimeters.
    rng : numpy.random.Generator
        Source of the grain of the ink.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype float32
        Share of the light that the ink absorbs at each pixel, 0 to 1.
    """
    scale = resolution / 25.4
    points, pressure = zip(*(_even_steps(movement, scale, pen) for movement in movements))
    points, pressure = np.concatenate(points), np.concatenate(pressure)
    pressure = pressure + pen.grain * rng.normal(size=len(pressure))
    low = points.real.min() - margins[0] * scale + 1j * (points.imag.min() - margins[1] * scale)
    points = points - low
    n_columns = int(np.ceil(points.real.max() + margins[2] * scale)) + 1
    n_rows = int(np.ceil(points.imag.max() + margins[3] * scale)) + 1
    radii = 0.5 * pen.width * scale * (1 - pen.width_loss * (1 - np.clip(pressure, 0, 1)))
    darkness = np.clip(pen.darkness * (1 - pen.darkness_loss * (1 - pressure)), 0.08, 1)
    rows = n_rows - 1 - points.imag
    return _stamp(points.real, rows, np.maximum(radii, 0.35), darkness, softness, (n_rows, n_columns))


def _even_steps(movement, scale, pen):
    """Resample a movement in pixels, in equal steps that are short compared to the width of the line."""
    path = movement.path * scale
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(path)))])
    step = max(0.6, 0.2 * pen.width * scale)
    at = np.linspace(0, along[-1], max(int(along[-1] / step), 1) + 1)
    points = np.interp(at, along, path.real) + 1j * np.interp(at, along, path.imag)
    return points, np.interp(at, along, movement.pressure)


def _stamp(x, y, radii, darkness, softness, shape):
    """Render a soft disc at each point; where discs overlap, the darker value is used."""
    # All discs are computed at once, each in a square of `2 reach + 1` pixels around the pixel nearest to its center.
    reach = int(np.ceil(radii.max() + softness / 2))
    near_x, near_y = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    off_x, off_y = (near_x - x).astype(np.float32), (near_y - y).astype(np.float32)
    steps = np.arange(-reach, reach + 1)
    square_x = np.square(steps[:, None].astype(np.float32) + off_x)
    square_y = np.square(steps[:, None].astype(np.float32) + off_y)
    # The value of a disc falls from 1 to 0 over `softness` pixels around its radius. Axes: row, column, point. These
    # arrays are the largest of the synthesis, so the steps are in place.
    discs = square_y[:, None] + square_x[None]
    np.sqrt(discs, out=discs)
    np.subtract((radii + softness / 2).astype(np.float32), discs, out=discs)
    discs *= np.float32(1 / softness)
    np.clip(discs, 0, 1, out=discs)
    discs *= darkness.astype(np.float32)
    pixel = (near_y * shape[1] + near_x) + (steps[:, None] * shape[1] + steps)[:, :, None]
    inside = (near_x >= reach) & (near_x < shape[1] - reach) & (near_y >= reach) & (near_y < shape[0] - reach)
    touched = (discs > 0) & inside
    absorbed = np.zeros(shape[0] * shape[1], dtype=np.float32)
    # Unlike an assignment by index, `maximum.at` handles pixels that occur more than once.
    np.maximum.at(absorbed, pixel[touched], discs[touched])
    return absorbed.reshape(shape)
