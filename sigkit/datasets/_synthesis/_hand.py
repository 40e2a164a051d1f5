"""Vary, forge and execute a motor plan."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from sigkit.datasets._synthesis._kinematics import lognormal_path, smooth_arcs


@dataclass(frozen=True)
class Movement:
    """A movement of the pen between two lifts.

    Attributes
    ----------
    path : ndarray of shape (n_times,), dtype complex128
        Positions in millimeters, y pointing up.
    pressure : ndarray of shape (n_times,)
        Pressure of the pen, from 0 to about 1.
    """

    path: np.ndarray
    pressure: np.ndarray


def vary_plan(plan, amount, rng):
    """Vary a plan as a writer does from one signature to the next: as a whole, its components, and each target.

    Parameters
    ----------
    plan : Plan
        The plan.
    amount : float
        The size of the variation; 1 is typical of two signatures of a writer.
    rng : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    Plan
        A plan with the same numbers of components and targets.
    """
    if amount == 0:
        return plan
    # In the corpora, heights and widths vary almost independently, heights more.
    width_scale, height_scale = np.exp(amount * rng.normal(0, (0.05, 0.065)))
    turn = np.exp(1j * amount * rng.normal(0, 0.03))
    slant = amount * rng.normal(0, 0.04)
    everything = np.concatenate(plan.components)
    warp = _Warp(np.ptp(everything.real) + 1e-6, 0.028 * amount, rng)
    components, drift = [], 0.0j
    for points in plan.components:
        # An autoregressive process: neighboring components are displaced alike.
        drift = 0.8 * drift + amount * plan.unit * complex(*rng.normal(0, (0.07, 0.05)))
        middle = points.mean()
        points = middle + (points - middle) * np.exp(amount * rng.normal(0, 0.05) + 1j * amount * rng.normal(0, 0.03))
        # Smooth noise, which moves neighboring targets alike, plus independent noise of each target.
        noise = rng.normal(size=(2, 2, len(points)))
        jitter = gaussian_filter1d(noise[0], 1.5, mode="nearest") * 1.6 + 0.6 * noise[1]
        points = points + drift + amount * plan.unit * 0.05 * (jitter[0] + 1j * jitter[1])
        points = warp(points)
        points = points + slant * points.imag
        components.append(turn * (points.real * width_scale + 1j * points.imag * height_scale))
    return replace(plan, components=components)


class _Warp:
    """A smooth displacement of the plane by four sine waves; `strength` is its deviation relative to the width."""

    def __init__(self, width, strength, rng):
        self.waves = rng.normal(0, 2.5 / width, (4, 2))
        self.phases = rng.uniform(0, 2 * np.pi, 4)
        amplitudes = rng.normal(0, strength * width / 2, (4, 2))
        self.amplitudes = amplitudes[:, 0] + 0.5j * amplitudes[:, 1]

    def __call__(self, points):
        angles = points.real[:, None] * self.waves[:, 0] + points.imag[:, None] * self.waves[:, 1] + self.phases
        return points + np.sin(angles) @ self.amplitudes


def forge_plan(plan, own, skill, rng):
    """Blend the plan of a signature with the plan by which the forger would write the same text.

    Parameters
    ----------
    plan : Plan
        The plan of the forged signature.
    own : Plan
        The forger's own plan for the same text.
    skill : float
        Skill of the forger from 0 to 1: the weight of the forged signature, on average.
    rng : numpy.random.Generator
        Source of the forger's errors.

    Returns
    -------
    Plan
        The plan of the forgery.
    """
    own_size = np.concatenate(own.components)
    seen_size = np.concatenate(plan.components)
    # A forger adapts the size of the own writing only partly.
    scale = (np.ptp(seen_size.real) / np.ptp(own_size.real)) ** rng.uniform(0.5, 1)
    larger = np.exp(rng.normal(0.07, 0.1))
    components = []
    for seen, habit in zip(plan.components, own.components):
        share = np.clip((1 - skill) * np.exp(rng.normal(0, 0.4)), 0, 0.95)
        # The forger's habits affect shapes more than positions, which are copied by eye.
        shape = (1 - share) * (seen - seen.mean()) + share * scale * (habit - habit.mean())
        position = (1 - 0.7 * share) * seen.mean() + 0.7 * share * scale * habit.mean()
        components.append(position + shape)
    copied = replace(plan, components=[larger * points for points in components])
    return vary_plan(copied, (1.6 - 0.9 * skill) * np.exp(rng.normal(0, 0.25)), rng)


def execute_plan(plan, style, rng, *, variation=1.0, slowness=0.0, tremor=0.0):
    """Compute the movements of the pen that execute a plan.

    Parameters
    ----------
    plan : Plan
        The targets.
    style : Style
        The writer's tempo, overlap and roundness.
    rng : numpy.random.Generator
        Source of the jitter of each stroke's time and shape.
    variation : float, default=1.0
        The size of the variation of the times, and how often the pen is not lifted or a dot is omitted.
    slowness : float, default=0.0
        From 0 for a fluent movement to 1 for a slow imitation: strokes that hardly overlap, hesitations, and more lifts
        of the pen.
    tremor : float, default=0.0
        Standard deviation of the tremor in millimeters.

    Returns
    -------
    list of Movement
        The movements.
    """
    fluency = 1 - slowness
    hurry = np.exp(0.15 * variation * rng.normal())
    overlap = np.clip(style.overlap * (0.35 + 0.65 * fluency) * hurry, 0.05, 0.75)
    tempo = style.tempo * (1 + 2.0 * slowness) / hurry
    movements = []
    for points in _split_at_lifts(plan, variation, slowness, rng):
        n_strokes = len(points) - 1
        lengths = np.abs(np.diff(points)) / plan.unit
        # Longer strokes are faster: their duration grows with the square root of the length (isochrony).
        durations = tempo * np.sqrt(lengths + 0.05) * np.exp(0.1 * variation * rng.normal(size=n_strokes))
        log_widths = np.clip(rng.normal(0.25, 0.05, n_strokes), 0.12, 0.4)
        gaps = durations * (1 - overlap) * np.exp(0.1 * variation * rng.normal(size=n_strokes))
        # Hesitations of a slow writer.
        gaps = gaps * np.where(rng.random(n_strokes) < 0.25 * slowness, 1.8, 1.0)
        onsets = np.concatenate([[0.0], np.cumsum(gaps[:-1])])
        arcs = smooth_arcs(points, style.roundness) * (1 + 0.15 * variation * rng.normal(size=n_strokes))
        path, times = lognormal_path(points, arcs, onsets, np.log(0.55 * durations), log_widths)
        if tremor:
            path = path + tremor * _tremor(times, rng)
        movements.append(Movement(path, _pressure(path, times, slowness, rng)))
    return movements


def _split_at_lifts(plan, variation, slowness, rng):
    """Return the targets between lifts of the pen: as planned, with more lifts if slow, and a few lifts missing."""
    pieces = []
    for points, optional in zip(plan.components, plan.optional):
        if optional and rng.random() < 0.06 * variation:
            continue
        joins = pieces and rng.random() < 0.05 * variation * (1 - slowness)
        if joins and abs(points[0] - pieces[-1][-1]) < 1.5 * plan.unit:
            pieces[-1] = np.concatenate([pieces[-1], points])
        elif len(points) > 5 and rng.random() < 0.35 * slowness:
            cut = rng.integers(2, len(points) - 2)
            # After the additional lift, the pen is put down a little off the line.
            offset = 0.1 * plan.unit * complex(*rng.normal(size=2))
            pieces += [points[: cut + 1], points[cut:] + offset]
        else:
            pieces.append(points)
    return pieces or [plan.components[0]]


def _tremor(times, rng):
    """Return noise of standard deviation 1 that changes direction about ten times per second."""
    step = times[1] - times[0]
    noise = rng.normal(size=(2, len(times)))
    smooth = gaussian_filter1d(noise, max(0.025 / step, 0.5), mode="nearest")
    smooth /= smooth.std(axis=1, keepdims=True) + 1e-9
    return smooth[0] + 1j * smooth[1]


def _pressure(path, times, slowness, rng):
    """Return the pressure: lower where the pen is fast, and at both ends."""
    speed = np.abs(np.gradient(path))
    speed = speed / (2.5 * speed.mean() + 1e-9)
    wave = gaussian_filter1d(rng.normal(size=len(path)), 12, mode="nearest") * 3
    pressure = 1 - (0.55 - 0.35 * slowness) * np.minimum(speed, 1.4) + 0.16 * wave
    # A fluent pen moves already when it touches the paper, and still when it leaves it.
    ends = np.minimum(np.arange(1, len(path) + 1), np.arange(len(path), 0, -1)) / 8
    return np.clip(pressure, 0.1, 1.2) * np.minimum(0.45 + 0.55 * np.clip(ends, 0, 1) + 0.4 * slowness, 1)
