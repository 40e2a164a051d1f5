"""Synthetic writers and forgers, and the signatures that they produce."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from sigkit._utils import GENUINE, SIMPLE, SKILLED
from sigkit.datasets._synthesis._hand import execute_plan, forge_plan, vary_plan
from sigkit.datasets._synthesis._motor_plan import (
    SCRIPTS,
    Plan,
    Style,
    Wording,
    plan_signature,
    sample_style,
    sample_wording,
)
from sigkit.datasets._synthesis._pen import Pen, render_ink, sample_pen
from sigkit.datasets._synthesis._scan import SCANS, scan

SAMPLES_PER_SESSION = 6
"""Number of genuine signatures that are written in one session, with one pen."""

SAMPLES_PER_FORGER = (4, 8, 30)
"""Numbers of forgeries by the same forger, of writers with many forgers, some, or one."""

FORM_SIZE = 82.0, 56.0
"""Width and height in millimeters of the box for a signature on a form."""

MAX_LINE_WIDTH = 2.0
"""Upper bound in millimeters of what the width of the line adds to the box."""

# The first number after the writer in a seed: what its stream of random numbers is for. numpy pads short seeds with
# zeros, so the numbers start at 1.
_WRITER, _SESSION, _FORGER, _SAMPLE = 1, 2, 3, 4


@dataclass(frozen=True)
class Person:
    """A synthetic writer.

    Attributes
    ----------
    wording : Wording
        The text of the signature.
    style : Style
        The style of writing.
    plan : Plan
        The motor plan that follows from both.
    pen : Pen
        The usual pen.
    samples_per_forger : int
        The number of forgeries by each forger of this writer.
    """

    wording: Wording
    style: Style
    plan: Plan
    pen: Pen
    samples_per_forger: int


@dataclass(frozen=True)
class Session:
    """What the signatures that a writer or a forger produces in one session have in common.

    Attributes
    ----------
    plan : Plan
        The motor plan of the session.
    style : Style
        The style of the writer or forger.
    pen : Pen
        The pen.
    plan_variation : float
        The size of the variation of the plan between signatures.
    variation, slowness, tremor : float
        As in :func:`execute_plan`.
    """

    plan: Plan
    style: Style
    pen: Pen
    plan_variation: float
    variation: float = 1.0
    slowness: float = 0.0
    tremor: float = 0.0


@dataclass(frozen=True)
class ScanSettings:
    """The resolution of the scans in dpi, and their kind; "mixed" draws a kind for each."""

    resolution: float
    kind: str


def render_signature(seed, writer, forgery, sample, script, settings):
    """Make the scan of one synthetic signature.

    Parameters
    ----------
    seed : int
        The seed of the whole data set.
    writer, forgery, sample : int
        The claimed writer, the forgery kind, and the number of the signature among these, from 1.
    script : str
        The script, or "mixed".
    settings : ScanSettings
        The settings of the scanner.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype uint8
        The scan.
    """
    # Only these random numbers belong to the signature itself; writers and sessions have separate streams. So a
    # signature does not depend on how many others are made.
    rng = np.random.default_rng([seed, writer, _SAMPLE, forgery + 1, sample])
    movements, pen = simulate_movements(seed, writer, forgery, sample, script, rng)
    kind = settings.kind if settings.kind != "mixed" else rng.choice(SCANS, p=(0.5, 0.3, 0.2))
    softness = rng.uniform(0.8, 2.2) * max(settings.resolution / 300, 0.5)
    margins = rng.uniform(1.5, 5.0, 4)
    return scan(render_ink(movements, pen, settings.resolution, softness, margins, rng), kind, rng)


def simulate_movements(seed, writer, forgery, sample, script, rng):
    """Simulate the movements of the pen for one signature.

    Parameters
    ----------
    seed, writer, forgery, sample, script
        As in :func:`render_signature`.
    rng : numpy.random.Generator
        Source of what varies between the signatures of a session.

    Returns
    -------
    movements : list of Movement
        The movements, within the box of a form.
    pen : Pen
        The pen.
    """
    person = _make_person(seed, writer, script)
    n_together = SAMPLES_PER_SESSION if forgery == GENUINE else person.samples_per_forger
    session = _make_session(seed, writer, forgery, 1 + (sample - 1) // n_together, script)
    plan = vary_plan(session.plan, session.plan_variation, rng)
    movements = execute_plan(
        plan, session.style, rng, variation=session.variation, slowness=session.slowness, tremor=session.tremor
    )
    return _fit_to_form(movements), session.pen


# Persons and sessions are cached, because signatures are usually made writer by writer.
@lru_cache(maxsize=64)
def _make_person(seed, writer, script):
    rng = np.random.default_rng([seed, writer, _WRITER])
    # Drawn even if it is not used, so that writers with the same script are the same in "mixed" and alone.
    mixed_script = rng.choice(SCRIPTS, p=(0.55, 0.3, 0.15))
    wording = sample_wording(rng, mixed_script if script == "mixed" else script)
    style = sample_style(rng, wording.script)
    return Person(wording, style, plan_signature(wording, style), sample_pen(rng), int(rng.choice(SAMPLES_PER_FORGER)))


def _fit_to_form(movements):
    """Scale down movements that exceed the box of the form."""
    paths = np.concatenate([movement.path for movement in movements])
    scale = min(1, FORM_SIZE[0] / (np.ptp(paths.real) + 1e-9), FORM_SIZE[1] / (np.ptp(paths.imag) + 1e-9))
    return [replace(movement, path=scale * movement.path) for movement in movements]


def _choose_pen(pen, rng):
    """Return the usual pen with slightly different ink, or another pen."""
    if rng.random() < 0.25:
        return sample_pen(rng)
    return replace(
        pen, width=pen.width * np.exp(rng.normal(0, 0.1)), darkness=min(pen.darkness * rng.uniform(0.85, 1.1), 1)
    )


@lru_cache(maxsize=64)
def _make_session(seed, writer, forgery, number, script):
    person = _make_person(seed, writer, script)
    stream = (_SESSION, number) if forgery == GENUINE else (_FORGER, forgery, number)
    make = {GENUINE: _genuine_session, SKILLED: _skilled_session, SIMPLE: _simple_session}[forgery]
    return make(person, np.random.default_rng([seed, writer, *stream]))


def _genuine_session(person, rng):
    """Return a session of the writer, whose plan varies between sessions and, more, within them."""
    amount = person.style.variation
    pen = _choose_pen(person.pen, rng)
    return Session(vary_plan(person.plan, 0.5 * amount, rng), person.style, pen, amount, amount)


def _skilled_session(person, rng):
    """Return a session of a forger who has seen a genuine signature and imitates it slowly."""
    style, skill = sample_style(rng, person.wording.script), rng.uniform(0.0, 0.4)
    pen, slowness = _choose_pen(person.pen, rng), rng.uniform(0.1, 0.9)
    seen = vary_plan(person.plan, 0.7 * person.style.variation, rng)
    plan = forge_plan(seen, plan_signature(person.wording, style), skill, rng)
    style = replace(style, roundness=(style.roundness + person.style.roundness) / 2)
    plan_variation, tremor = rng.uniform(0.4, 1.0), rng.uniform(0.0, 0.06)
    return Session(plan, style, pen, plan_variation, slowness=slowness, tremor=slowness * tremor)


def _simple_session(person, rng):
    """Return a session of a forger who knows only the text, and writes it in a different style and structure."""
    style, pen = sample_style(rng, person.wording.script), sample_pen(rng)
    wording = replace(person.wording, seed=int(rng.integers(2**31)))
    return Session(plan_signature(wording, style), style, pen, style.variation, style.variation)
