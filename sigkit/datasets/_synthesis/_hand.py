"""How a hand carries out a plan: no two times alike, and somebody else's plan differently again."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from sigkit.datasets._synthesis._kinematics import lognormal_path, smooth_arcs


@dataclass(frozen=True)
class Movement:
    """What the pen does between two lifts.

    Attributes
    ----------
    path : ndarray of shape (n_times,), dtype complex128
        Places in millimetres, y pointing up.
    pressure : ndarray of shape (n_times,)
        From 0 to about 1.
    """

    path: np.ndarray
    pressure: np.ndarray


def drift_plan(plan, amount, rng):
    """Vary a plan as a hand does from one time to the next: the whole, its parts, and each target.

    Parameters
    ----------
    plan : Plan
        The plan.
    amount : float
        How much; 1 is usual between two signatures of a person.
    rng : numpy.random.Generator
        Draws.

    Returns
    -------
    Plan
        Another plan with as many components and targets.
    """
    if amount == 0:
        return plan
    # Heights and widths vary almost independently, heights more.
    wide, high = np.exp(amount * rng.normal(0, (0.05, 0.065)))
    turn = np.exp(1j * amount * rng.normal(0, 0.03))
    slant = amount * rng.normal(0, 0.04)
    everything = np.concatenate(plan.components)
    warp = _Warp(np.ptp(everything.real) + 1e-6, 0.028 * amount, rng)
    components, drift = [], 0.0j
    for points in plan.components:
        drift = 0.8 * drift + amount * plan.unit * complex(*rng.normal(0, (0.07, 0.05)))
        middle = points.mean()
        points = middle + (points - middle) * np.exp(amount * rng.normal(0, 0.05) + 1j * amount * rng.normal(0, 0.03))
        shaky = rng.normal(size=(2, 2, len(points)))
        walk = gaussian_filter1d(shaky[0], 1.5, mode="nearest") * 1.6 + 0.6 * shaky[1]
        points = points + drift + amount * plan.unit * 0.05 * (walk[0] + 1j * walk[1])
        points = warp(points)
        points = points + slant * points.imag
        components.append(turn * (points.real * wide + 1j * points.imag * high))
    return replace(plan, components=components)


class _Warp:
    """A smooth displacement of the plane, of a standard deviation in shares of the width."""

    def __init__(self, width, strength, rng):
        self.waves = rng.normal(0, 2.5 / width, (4, 2))
        self.phases = rng.uniform(0, 2 * np.pi, 4)
        amplitudes = rng.normal(0, strength * width / 2, (4, 2))
        self.amplitudes = amplitudes[:, 0] + 0.5j * amplitudes[:, 1]

    def __call__(self, points):
        angles = points.real[:, None] * self.waves[:, 0] + points.imag[:, None] * self.waves[:, 1] + self.phases
        return points + np.sin(angles) @ self.amplitudes


def copy_plan(plan, own, skill, rng):
    """Plan a copy of somebody's signature: what was seen, blended with how the forger would write the same.

    Parameters
    ----------
    plan : Plan
        The plan behind the signature.
    own : Plan
        The forger's own plan for the same wording.
    skill : float
        0 to 1: how much of the signature is seen and carried out.
    rng : numpy.random.Generator
        Draws what this forger gets wrong.

    Returns
    -------
    Plan
        The forger's plan.
    """
    own_size = np.concatenate(own.components)
    seen_size = np.concatenate(plan.components)
    scale = (np.ptp(seen_size.real) / np.ptp(own_size.real)) ** rng.uniform(0.5, 1)
    larger = np.exp(rng.normal(0.07, 0.1))
    components = []
    for seen, habit in zip(plan.components, own.components):
        share = np.clip((1 - skill) * np.exp(rng.normal(0, 0.4)), 0, 0.95)
        # Shapes leak more than places: the copy is laid out by eye.
        shape = (1 - share) * (seen - seen.mean()) + share * scale * (habit - habit.mean())
        place = (1 - 0.7 * share) * seen.mean() + 0.7 * share * scale * habit.mean()
        components.append(place + shape)
    copied = replace(plan, components=[larger * points for points in components])
    return drift_plan(copied, (1.6 - 0.9 * skill) * np.exp(rng.normal(0, 0.25)), rng)


def move_pen(plan, style, rng, *, variation=1.0, slowness=0.0, tremor=0.0):
    """Carry out a plan.

    Parameters
    ----------
    plan : Plan
        Targets.
    style : Style
        The hand: tempo, overlap, roundness.
    rng : numpy.random.Generator
        Draws the jitter of each stroke's time and shape.
    variation : float, default=1.0
        How much the times vary, and how often the pen is not lifted, or a dot left out.
    slowness : float, default=0.0
        0 for a fluent movement, 1 for one that is drawn: strokes that hardly overlap, hesitations, lifts of the pen.
    tremor : float, default=0.0
        Standard deviation in millimetres of a fast shaking.

    Returns
    -------
    list of Movement
        What the pen does.
    """
    fluent = 1 - slowness
    hurry = np.exp(0.15 * variation * rng.normal())
    overlap = np.clip(style.overlap * (0.35 + 0.65 * fluent) * hurry, 0.05, 0.75)
    tempo = style.tempo * (1 + 2.0 * slowness) / hurry
    movements = []
    for points in _lifts(plan, variation, slowness, rng):
        n_strokes = len(points) - 1
        lengths = np.abs(np.diff(points)) / plan.unit
        durations = tempo * np.sqrt(lengths + 0.05) * np.exp(0.1 * variation * rng.normal(size=n_strokes))
        log_widths = np.clip(rng.normal(0.25, 0.05, n_strokes), 0.12, 0.4)
        gaps = durations * (1 - overlap) * np.exp(0.1 * variation * rng.normal(size=n_strokes))
        gaps = gaps * np.where(rng.random(n_strokes) < 0.25 * slowness, 1.8, 1.0)
        onsets = np.concatenate([[0.0], np.cumsum(gaps[:-1])])
        arcs = smooth_arcs(points, style.roundness) * (1 + 0.15 * variation * rng.normal(size=n_strokes))
        path, times = lognormal_path(points, arcs, onsets, np.log(0.55 * durations), log_widths)
        if tremor:
            path = path + tremor * _shaking(times, rng)
        movements.append(Movement(path, _press(path, times, slowness, rng)))
    return movements


def _lifts(plan, variation, slowness, rng):
    """Tell where the pen is lifted: as planned, more often when drawing slowly, now and then not at all."""
    pieces = []
    for points, optional in zip(plan.components, plan.optional):
        if optional and rng.random() < 0.06 * variation:
            continue
        joins = pieces and rng.random() < 0.05 * variation * (1 - slowness)
        if joins and abs(points[0] - pieces[-1][-1]) < 1.5 * plan.unit:
            pieces[-1] = np.concatenate([pieces[-1], points])
        elif len(points) > 5 and rng.random() < 0.35 * slowness:
            cut = rng.integers(2, len(points) - 2)
            missed = 0.1 * plan.unit * complex(*rng.normal(size=2))
            pieces += [points[: cut + 1], points[cut:] + missed]
        else:
            pieces.append(points)
    return pieces or [plan.components[0]]


def _shaking(times, rng):
    """Noise of standard deviation 1 that changes direction about ten times a second."""
    step = times[1] - times[0]
    noise = rng.normal(size=(2, len(times)))
    smooth = gaussian_filter1d(noise, max(0.025 / step, 0.5), mode="nearest")
    smooth /= smooth.std(axis=1, keepdims=True) + 1e-9
    return smooth[0] + 1j * smooth[1]


def _press(path, times, slowness, rng):
    """Press less where the pen is fast, and where it lands and leaves."""
    speed = np.abs(np.gradient(path))
    speed = speed / (2.5 * speed.mean() + 1e-9)
    wave = gaussian_filter1d(rng.normal(size=len(path)), 12, mode="nearest") * 3
    pressure = 1 - (0.55 - 0.35 * slowness) * np.minimum(speed, 1.4) + 0.16 * wave
    # A fluent pen is moving already when it lands, and still when it leaves.
    ends = np.minimum(np.arange(1, len(path) + 1), np.arange(len(path), 0, -1)) / 8
    return np.clip(pressure, 0.1, 1.2) * np.minimum(0.45 + 0.55 * np.clip(ends, 0, 1) + 0.4 * slowness, 1)
