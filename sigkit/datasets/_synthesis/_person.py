"""People who do not exist, and those who try to sign as they do."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from sigkit._utils import GENUINE, SIMPLE, SKILLED
from sigkit.datasets._synthesis._hand import copy_plan, drift_plan, move_pen
from sigkit.datasets._synthesis._motor_plan import (
    SCRIPTS,
    Plan,
    Style,
    Wording,
    invent_style,
    invent_wording,
    lay_out,
)
from sigkit.datasets._synthesis._pen import Pen, invent_pen, spread_ink
from sigkit.datasets._synthesis._scan import SCANS, scan

SAMPLES_A_DAY = 6
"""Signatures that are written at one sitting, with one pen."""

SAMPLES_A_FORGER = (4, 8, 30)
"""Forgeries by the same hand, of a writer who attracts many forgers, some, or one."""

FORM = 82.0, 56.0
"""Millimetres across and down that a form leaves for a signature."""

LINE = 2.0
"""Millimetres by which the widest line may stand over the box."""

# What a stream of random numbers is for; numpy pads short seeds with zeros, so all count from 1.
_WRITER, _DAY, _FORGER, _SAMPLE = 1, 2, 3, 4


@dataclass(frozen=True)
class Person:
    """Somebody who signs.

    Attributes
    ----------
    wording : Wording
        What is signed.
    style : Style
        The hand.
    plan : Plan
        The movements that follow.
    pen : Pen
        The pen that is mostly used.
    samples_a_forger : int
        How many forgeries each forger makes.
    """

    wording: Wording
    style: Style
    plan: Plan
    pen: Pen
    samples_a_forger: int


@dataclass(frozen=True)
class Sitting:
    """What all signatures have in common that a hand writes at one time.

    Attributes
    ----------
    plan : Plan
        The movements, as they are meant that day.
    hand : Style
        Who writes.
    pen : Pen
        With what.
    drift : float
        How much plans differ from one signature to the next.
    variation, slowness, tremor : float
        As in :func:`move_pen`.
    """

    plan: Plan
    hand: Style
    pen: Pen
    drift: float
    variation: float = 1.0
    slowness: float = 0.0
    tremor: float = 0.0


@dataclass(frozen=True)
class Sheet:
    """How signatures become scans: pixels an inch, and the kind of the scan ("mixed" draws one for each)."""

    resolution: float
    scan: str


def sign(entropy, writer, forgery, sample, script, sheet):
    """Write and scan one signature.

    Parameters
    ----------
    entropy : int
        The seed of all.
    writer, forgery, sample : int
        Whose signature is claimed, the forgery kind, and its number among those, from 1.
    script : str
        Kind of signatures, or "mixed".
    sheet : Sheet
        How it is scanned.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype uint8
        The scan.
    """
    rng = np.random.default_rng([entropy, writer, _SAMPLE, forgery + 1, sample])
    movements, pen = move(entropy, writer, forgery, sample, script, rng)
    kind = sheet.scan if sheet.scan != "mixed" else rng.choice(SCANS, p=(0.5, 0.3, 0.2))
    blur = rng.uniform(0.8, 2.2) * max(sheet.resolution / 300, 0.5)
    margins = rng.uniform(1.5, 5.0, 4)
    return scan(spread_ink(movements, pen, sheet.resolution, blur, margins, rng), kind, rng)


def move(entropy, writer, forgery, sample, script, rng):
    """Write one signature, to be scanned.

    Parameters
    ----------
    entropy, writer, forgery, sample, script
        As in :func:`sign`.
    rng : numpy.random.Generator
        Draws what belongs to this signature alone.

    Returns
    -------
    movements : list of Movement
        What the pen does, within the box of a form.
    pen : Pen
        The pen.
    """
    person = _meet(entropy, writer, script)
    together = SAMPLES_A_DAY if forgery == GENUINE else person.samples_a_forger
    sitting = _sit_down(entropy, writer, forgery, 1 + (sample - 1) // together, script)
    plan = drift_plan(sitting.plan, sitting.drift, rng)
    movements = move_pen(
        plan, sitting.hand, rng, variation=sitting.variation, slowness=sitting.slowness, tremor=sitting.tremor
    )
    return _within_the_box(movements), sitting.pen


@lru_cache(maxsize=64)
def _meet(entropy, writer, script):
    rng = np.random.default_rng([entropy, writer, _WRITER])
    drawn = rng.choice(SCRIPTS, p=(0.55, 0.3, 0.15))
    wording = invent_wording(rng, drawn if script == "mixed" else script)
    style = invent_style(rng, wording.script)
    return Person(wording, style, lay_out(wording, style), invent_pen(rng), int(rng.choice(SAMPLES_A_FORGER)))


def _within_the_box(movements):
    """Keep to the box of a form, as people do who sign."""
    paths = np.concatenate([movement.path for movement in movements])
    share = min(1, FORM[0] / (np.ptp(paths.real) + 1e-9), FORM[1] / (np.ptp(paths.imag) + 1e-9))
    return [replace(movement, path=share * movement.path) for movement in movements]


def _some_pen(pen, rng):
    """Take the usual pen, or another one."""
    if rng.random() < 0.25:
        return invent_pen(rng)
    return replace(
        pen, width=pen.width * np.exp(rng.normal(0, 0.1)), darkness=min(pen.darkness * rng.uniform(0.85, 1.1), 1)
    )


@lru_cache(maxsize=64)
def _sit_down(entropy, writer, forgery, number, script):
    person = _meet(entropy, writer, script)
    seed = (_DAY, number) if forgery == GENUINE else (_FORGER, forgery, number)
    begin = {GENUINE: _on_a_day, SKILLED: _with_skill, SIMPLE: _by_name_alone}[forgery]
    return begin(person, np.random.default_rng([entropy, writer, *seed]))


def _on_a_day(person, rng):
    amount = person.style.variation
    pen = _some_pen(person.pen, rng)
    return Sitting(drift_plan(person.plan, 0.5 * amount, rng), person.style, pen, amount, amount)


def _with_skill(person, rng):
    style, skill = invent_style(rng, person.wording.script), rng.uniform(0.0, 0.4)
    pen, slowness = _some_pen(person.pen, rng), rng.uniform(0.1, 0.9)
    seen = drift_plan(person.plan, 0.7 * person.style.variation, rng)
    plan = copy_plan(seen, lay_out(person.wording, style), skill, rng)
    hand = replace(style, roundness=(style.roundness + person.style.roundness) / 2)
    drift, shaking = rng.uniform(0.4, 1.0), rng.uniform(0.0, 0.06)
    return Sitting(plan, hand, pen, drift, slowness=slowness, tremor=slowness * shaking)


def _by_name_alone(person, rng):
    style, pen = invent_style(rng, person.wording.script), invent_pen(rng)
    wording = replace(person.wording, seed=int(rng.integers(2**31)))
    return Sitting(lay_out(wording, style), style, pen, style.variation, style.variation)
