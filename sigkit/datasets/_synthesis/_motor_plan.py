"""What is signed, whose hand signs it, and the plan of movement that follows from both."""

from dataclasses import dataclass, field

import numpy as np

from sigkit.datasets._synthesis._glyphs import N_INVENTED, abstract, hanging, latin

SCRIPTS = ("latin", "indic", "abstract")
"""Kinds of signatures: Latin names, names in a script that hangs from a headline, signs that are no letters."""

_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwxyz", "aeiou"
_FLOURISHES = ("underline", "tail", "dash", "loop", "circle")


@dataclass(frozen=True)
class Wording:
    """What a person signs: the letters and how they hang together, whoever writes them.

    Attributes
    ----------
    script : {"latin", "indic", "abstract"}
        The kind of letters.
    words : tuple of tuple of (str or int)
        Letters of each word.
    seed : int
        Decides which letters are joined, which dissolve into a wave, and the flourishes.
    """

    script: str
    words: tuple
    seed: int


@dataclass(frozen=True)
class Style:
    """How a hand writes. Lengths are in heights of a small letter unless they are in millimetres.

    Attributes
    ----------
    seed : int
        Decides how each letter differs from the copy book's.
    extent : tuple of (float, float)
        Greatest width and height of a signature in millimetres.
    slant, rise : float
        Shear of the letters, and slope of the line.
    aspect, spacing : float
        Width of letters against their height, and the room between them.
    capitals, ascenders, descenders : float
        How far they reach, against the copy book.
    idiosyncrasy : float
        Standard deviation of targets from the copy book's.
    roundness, overlap : float
        How much strokes turn on their way, and which share of a stroke passes while the one before is not done.
    tempo : float
        Duration of a stroke of length 1, in seconds.
    variation : float
        How much signatures differ from one to the next; 1 is usual.
    """

    seed: int
    extent: tuple
    slant: float
    rise: float
    aspect: float
    spacing: float
    capitals: float
    ascenders: float
    descenders: float
    idiosyncrasy: float
    roundness: float
    overlap: float
    tempo: float
    variation: float


@dataclass
class Plan:
    """A plan of movement.

    Attributes
    ----------
    components : list of ndarray of dtype complex128
        Virtual targets in millimetres of each movement between two lifts of the pen, y pointing up.
    optional : list of bool
        Whether a component may be left out, as dots and dashes are.
    unit : float
        Height of a small letter in millimetres.
    """

    components: list = field(default_factory=list)
    optional: list = field(default_factory=list)
    unit: float = 1.0

    def add(self, targets, optional=False):
        """Append a component."""
        self.components.append(np.asarray(targets, dtype=np.complex128))
        self.optional.append(optional)


def invent_wording(rng, script):
    """Invent what somebody signs.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.
    script : {"latin", "indic", "abstract"}
        The kind of letters.

    Returns
    -------
    Wording
        Letters and a seed.
    """
    n_words = rng.choice((1, 2, 3), p=(0.25, 0.6, 0.15))
    if script == "latin":
        words = [_invent_name(rng) for _ in range(n_words)]
        if n_words > 1:
            words = [word[:1] + "." if rng.random() < 0.3 else word for word in words[:-1]] + words[-1:]
    elif script == "indic":
        words = [tuple(rng.integers(N_INVENTED, size=rng.integers(2, 6)).tolist()) for _ in range(max(2, n_words))]
    else:
        words = [tuple(rng.integers(N_INVENTED, size=rng.integers(1, 4)).tolist()) for _ in range(rng.integers(1, 3))]
    return Wording(script, tuple(map(tuple, words)), int(rng.integers(2**31)))


def _invent_name(rng):
    letters = ""
    for _ in range(rng.integers(2, 5)):
        letters += rng.choice(list(_CONSONANTS)) + rng.choice(list(_VOWELS))
        if rng.random() < 0.3:
            letters += rng.choice(list("nrslmtdk"))
    letters = letters[rng.integers(2) :]
    return letters[0].upper() + letters[1:]


def invent_style(rng, script):
    """Invent a hand.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.
    script : {"latin", "indic", "abstract"}
        What it writes: names that hang from a headline are long and low.

    Returns
    -------
    Style
        How it writes.
    """
    hangs = script == "indic"
    return Style(
        seed=int(rng.integers(2**31)),
        extent=(rng.uniform(34, 68), rng.uniform(8, 17)) if hangs else (rng.uniform(24, 62), rng.uniform(13, 44)),
        slant=rng.normal(0.0, 0.12) if hangs else rng.normal(0.3, 0.25),
        rise=rng.normal(0.05, 0.09) + (rng.uniform(0.1, 0.7) if rng.random() < 0.12 else 0.0),
        aspect=np.exp(rng.normal(-0.15, 0.25)),
        spacing=rng.normal(0.12, 0.14),
        capitals=np.exp(rng.normal(0.25, 0.25)),
        ascenders=np.exp(rng.normal(0.05, 0.3)),
        descenders=np.exp(rng.normal(0.1, 0.4)),
        idiosyncrasy=rng.uniform(0.06, 0.17),
        roundness=rng.uniform(0.5, 1.05),
        overlap=rng.uniform(0.35, 0.65),
        tempo=np.exp(rng.normal(-1.9, 0.25)),
        variation=np.exp(rng.normal(0.04, 0.28)),
    )


def lay_out(wording, style):
    """Plan the movements of a hand that writes something.

    Parameters
    ----------
    wording : Wording
        What is written. It alone decides the number of components and of their targets, so that the plans of two hands
        can be compared target by target.
    style : Style
        The hand.

    Returns
    -------
    Plan
        Movements in millimetres, the middle of the signature at 0.
    """
    structure = np.random.default_rng([wording.seed, 1])
    plan, x, dissolve = Plan(), 0.0, _dissolving(wording, structure)
    for number, word in enumerate(wording.words):
        drop = structure.uniform(-0.8, 0.3) if number and structure.random() < 0.3 else 0.0
        left = x
        x = _write_word(plan, wording, style, word, (x, drop), dissolve, structure, number)
        if wording.script == "indic":
            top = 1.0 + drop
            plan.add([left - 0.1 + top * 1j, (left + x) / 2 + top * 1j, x + top * 1j])
        x += style.aspect * (0.5 + 2.5 * style.spacing + structure.uniform(-0.3, 0.9))
    _add_flourishes(plan, style, structure, wording.script)
    return _to_paper(plan, style)


def _dissolving(wording, structure):
    """From which letter of a word on letters are flattened, and how much."""
    if wording.script != "latin" or structure.random() < 0.4:
        return 99, 1.0
    return int(structure.integers(1, 5)), structure.uniform(0.1, 0.7)


def _write_word(plan, wording, style, word, start, dissolve, structure, number):
    x, drop = start
    is_joined = structure.random() < 0.6
    open_component, later = [], []
    for place, letter in enumerate(word):
        strokes = _shape(wording, style, letter, (number, place), dissolve, structure)
        first, *others = [stroke * 1.0 + x + drop * 1j for stroke in strokes]
        if open_component and is_joined and wording.script == "latin" and structure.random() < 0.85:
            open_component[-1] = np.concatenate([open_component[-1], first])
        else:
            open_component.append(first)
        later += others
        x += max(stroke.real.max() for stroke in strokes) + style.aspect * style.spacing
    for stroke in open_component:
        plan.add(stroke)
    for stroke in later:
        plan.add(stroke, optional=len(stroke) == 2)
    return x


def _shape(wording, style, letter, place, dissolve, structure):
    """Shape a letter as a hand does: the copy book's, its own deviations, its own proportions."""
    look_up = {"latin": latin, "indic": hanging, "abstract": abstract}[wording.script]
    kind = ord(letter) if isinstance(letter, str) else 1000 + letter
    habit = np.random.default_rng([style.seed, kind])
    here = np.random.default_rng([style.seed, 5000 + 100 * place[0] + place[1]])
    is_capital = isinstance(letter, str) and letter.isupper()
    flat = dissolve[1] if place[1] >= dissolve[0] and not is_capital else 1.0
    width = style.aspect * np.exp(habit.normal(0, 0.12) + here.normal(0, 0.08)) * (0.6 + 0.4 * flat)
    size = structure.uniform(0.9, 1.15)
    shaped = []
    for stroke in look_up(letter):
        noise = habit.normal(size=(2, len(stroke))) + 0.5 * here.normal(size=(2, len(stroke)))
        noise = style.idiosyncrasy * noise
        stroke = stroke + noise[0] + 1j * noise[1]
        x, y = stroke.real * width, stroke.imag
        if is_capital:
            x, y = x * np.sqrt(style.capitals), y * style.capitals
        else:
            y = np.where(y > 1, 1 + (y - 1) * style.ascenders, np.where(y < 0, y * style.descenders, y))
        shaped.append(size * (x + 1j * flat * y))
    return shaped


def _add_flourishes(plan, style, structure, script):
    n_flourishes = structure.choice((0, 1, 2), p=(0.85, 0.15, 0.0) if script == "indic" else (0.4, 0.45, 0.15))
    everything = np.concatenate(plan.components)
    left, right = everything.real.min(), everything.real.max()
    low, high = everything.imag.min(), everything.imag.max()
    width, height = right - left, high - low
    habit = np.random.default_rng([style.seed, 9000])
    for kind in structure.choice(_FLOURISHES, size=n_flourishes, p=(0.35, 0.3, 0.15, 0.15, 0.05)):
        at = structure.uniform(size=8)
        loose = habit.normal(scale=0.08, size=8)
        a = at + loose
        if kind == "underline":
            y = low - height * 0.1 * (1 + 3 * a[0])
            back = [right - 0.2 * width * a[1] + 1j * y, left + 0.4 * width * a[2] + 1j * (y - 0.15 * height * a[3])]
            forth = [back[1] - 0.1j * height, left + width * (0.6 + 0.6 * a[4]) + 1j * (y - 0.3 * height * a[5])]
            plan.add(back + (forth if at[6] < 0.5 else []))
        elif kind == "tail":
            end = plan.components[len(plan.components) - 1 - plan.optional[::-1].index(False)]
            swing = width * (0.25 + 0.7 * a[0]) * np.exp(1j * (1.6 * a[1] - 0.8))
            tail = end[-1] + swing * np.array([0.3 + 0.15j * (2 * a[2] - 1), 0.7 - 0.2j * (2 * a[3] - 1), 1.0])
            plan.components[-1 - plan.optional[::-1].index(False)] = np.concatenate([end, tail])
        elif kind == "dash":
            middle = left + width * a[0] + 1j * (low + height * a[1])
            plan.add([middle, middle + width * (0.1 + 0.4 * a[2]) + 1j * height * (0.4 * a[3] - 0.2)])
        elif kind == "loop":
            n_turns = 3 + int(6 * at[0])
            turn = np.exp(1j * (np.arange(n_turns + 3) * (1.6 if at[1] < 0.5 else -1.6) + 6 * a[2]))
            centre = left + width * (0.3 + 0.6 * a[3]) + 1j * (low + height * a[4])
            sizes = width * (0.08 + 0.25 * a[5]) * turn.real + 1j * height * (0.1 + 0.4 * a[6]) * turn.imag
            plan.add(centre + sizes + np.linspace(0, 0.4 * width * a[7], len(turn)))
        else:
            turn = np.exp(1j * (np.linspace(0, 2 * np.pi * (0.8 + 0.4 * at[0]), 9) + 6 * a[1]))
            grown = width * (0.5 + 0.1 * a[2]) * turn.real + 1j * height * (0.6 + 0.2 * a[3]) * turn.imag
            plan.add((left + right) / 2 + 0.5j * (low + high) + grown)


def _to_paper(plan, style):
    """Slant the plan, bring it to its size in millimetres and its middle to 0."""
    turn = np.exp(1j * np.arctan(style.rise))
    components = [(points + style.slant * points.imag) * turn for points in plan.components]
    everything = np.concatenate(components)
    low = everything.real.min() + 1j * everything.imag.min()
    high = everything.real.max() + 1j * everything.imag.max()
    plan.unit = min(style.extent[0] / (high - low).real, style.extent[1] / (high - low).imag, 6.0)
    plan.components = [(points - (low + high) / 2) * plan.unit for points in components]
    return plan
