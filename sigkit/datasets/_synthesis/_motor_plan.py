"""The text of a signature, the style of a writer, and the motor plan that follows from both."""

from dataclasses import dataclass, field

import numpy as np

from sigkit.datasets._synthesis._glyphs import N_INVENTED, abstract, indic, latin

SCRIPTS = ("latin", "indic", "abstract")
"""Latin names, names in an invented script that hangs from a headline, and signs that are not letters."""

_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwxyz", "aeiou"
_FLOURISHES = ("underline", "tail", "dash", "loop", "circle")


@dataclass(frozen=True)
class Wording:
    """The text of a signature, independent of who writes it.

    Attributes
    ----------
    script : {"latin", "indic", "abstract"}
        The script.
    words : tuple of tuple of (str or int)
        Letters of each word.
    seed : int
        Seed of the structure: which letters are joined, which are flattened to a wave, and the flourishes.
    """

    script: str
    words: tuple
    seed: int


@dataclass(frozen=True)
class Style:
    """The style of a writer. Lengths are in units of the x-height unless they are in millimeters.

    Attributes
    ----------
    seed : int
        Seed of how each letter differs from its model in `_glyphs`.
    extent : tuple of (float, float)
        Maximum width and height of a signature in millimeters.
    slant, rise : float
        Shear of the letters, and slope of the line.
    aspect, spacing : float
        Width of letters relative to their height, and the space between them.
    capitals, ascenders, descenders : float
        Their heights relative to the model letters.
    idiosyncrasy : float
        Standard deviation of the targets from those of the model letters.
    roundness, overlap : float
        How much strokes are curved, and the share of a stroke that overlaps in time with the previous one.
    tempo : float
        Duration of a stroke of length 1, in seconds.
    variation : float
        The size of the variation between signatures; 1 is typical.
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
    """A motor plan: the targets that the pen aims at.

    Attributes
    ----------
    components : list of ndarray of dtype complex128
        Virtual targets in millimeters of each movement between two lifts of the pen, y pointing up.
    optional : list of bool
        Whether each component can be omitted, as dots and dashes are.
    unit : float
        The x-height in millimeters.
    """

    components: list = field(default_factory=list)
    optional: list = field(default_factory=list)
    unit: float = 1.0

    def add(self, targets, optional=False):
        """Append a component."""
        self.components.append(np.asarray(targets, dtype=np.complex128))
        self.optional.append(optional)


def sample_wording(rng, script):
    """Draw the text of a signature.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    script : {"latin", "indic", "abstract"}
        The script.

    Returns
    -------
    Wording
        The text.
    """
    n_words = rng.choice((1, 2, 3), p=(0.25, 0.6, 0.15))
    if script == "latin":
        words = [_sample_name(rng) for _ in range(n_words)]
        if n_words > 1:
            words = [word[:1] + "." if rng.random() < 0.3 else word for word in words[:-1]] + words[-1:]
    elif script == "indic":
        words = [tuple(rng.integers(N_INVENTED, size=rng.integers(2, 6)).tolist()) for _ in range(max(2, n_words))]
    else:
        words = [tuple(rng.integers(N_INVENTED, size=rng.integers(1, 4)).tolist()) for _ in range(rng.integers(1, 3))]
    return Wording(script, tuple(map(tuple, words)), int(rng.integers(2**31)))


def _sample_name(rng):
    """Draw a name of alternating consonants and vowels."""
    letters = ""
    for _ in range(rng.integers(2, 5)):
        letters += rng.choice(list(_CONSONANTS)) + rng.choice(list(_VOWELS))
        if rng.random() < 0.3:
            letters += rng.choice(list("nrslmtdk"))
    letters = letters[rng.integers(2) :]
    return letters[0].upper() + letters[1:]


def sample_style(rng, script):
    """Draw the style of a writer.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    script : {"latin", "indic", "abstract"}
        The script; names that hang from a headline are long and low.

    Returns
    -------
    Style
        The style.
    """
    is_indic = script == "indic"
    return Style(
        seed=int(rng.integers(2**31)),
        extent=(rng.uniform(34, 68), rng.uniform(8, 17)) if is_indic else (rng.uniform(24, 62), rng.uniform(13, 44)),
        slant=rng.normal(0.0, 0.12) if is_indic else rng.normal(0.3, 0.25),
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


def plan_signature(wording, style):
    """Make the motor plan of a writer for a text.

    Parameters
    ----------
    wording : Wording
        The text. It alone determines the number of components and of their targets, so that the plans of two writers
        for the same text can be blended target by target.
    style : Style
        The style of the writer.

    Returns
    -------
    Plan
        The plan in millimeters, with the center of the signature at 0.
    """
    structure = np.random.default_rng([wording.seed, 1])
    plan, x, flattening = Plan(), 0.0, _sample_flattening(wording, structure)
    for number, word in enumerate(wording.words):
        drop = structure.uniform(-0.8, 0.3) if number and structure.random() < 0.3 else 0.0
        left = x
        x = _write_word(plan, wording, style, word, (x, drop), flattening, structure, number)
        if wording.script == "indic":
            # The headline.
            top = 1.0 + drop
            plan.add([left - 0.1 + top * 1j, (left + x) / 2 + top * 1j, x + top * 1j])
        x += style.aspect * (0.5 + 2.5 * style.spacing + structure.uniform(-0.3, 0.9))
    _add_flourishes(plan, style, structure, wording.script)
    return _to_paper(plan, style)


def _sample_flattening(wording, structure):
    """Draw the position in a word from which on letters are flattened to a wave, and the factor of their height."""
    if wording.script != "latin" or structure.random() < 0.4:
        return 99, 1.0
    return int(structure.integers(1, 5)), structure.uniform(0.1, 0.7)


def _write_word(plan, wording, style, word, start, flattening, structure, number):
    """Add the components of a word to the plan, and return where the next word starts."""
    x, drop = start
    is_joined = structure.random() < 0.6
    # Dots and bars are written after the whole word, as most writers do.
    components, later = [], []
    for place, letter in enumerate(word):
        strokes = _shape(wording, style, letter, (number, place), flattening, structure)
        first, *others = [stroke * 1.0 + x + drop * 1j for stroke in strokes]
        if components and is_joined and wording.script == "latin" and structure.random() < 0.85:
            components[-1] = np.concatenate([components[-1], first])
        else:
            components.append(first)
        later += others
        x += max(stroke.real.max() for stroke in strokes) + style.aspect * style.spacing
    for stroke in components:
        plan.add(stroke)
    for stroke in later:
        plan.add(stroke, optional=len(stroke) == 2)
    return x


def _shape(wording, style, letter, place, flattening, structure):
    """Return the strokes of a letter in the style of a writer: the model letter, varied and scaled."""
    look_up = {"latin": latin, "indic": indic, "abstract": abstract}[wording.script]
    kind = ord(letter) if isinstance(letter, str) else 1000 + letter
    # A letter is varied in the same way wherever it occurs, and slightly differently at each place.
    habit = np.random.default_rng([style.seed, kind])
    here = np.random.default_rng([style.seed, 5000 + 100 * place[0] + place[1]])
    is_capital = isinstance(letter, str) and letter.isupper()
    flat = flattening[1] if place[1] >= flattening[0] and not is_capital else 1.0
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
    """Add up to two flourishes: their kind and place belong to the text, their details to the writer."""
    n_flourishes = structure.choice((0, 1, 2), p=(0.85, 0.15, 0.0) if script == "indic" else (0.4, 0.45, 0.15))
    everything = np.concatenate(plan.components)
    left, right = everything.real.min(), everything.real.max()
    low, high = everything.imag.min(), everything.imag.max()
    width, height = right - left, high - low
    habit = np.random.default_rng([style.seed, 9000])
    for kind in structure.choice(_FLOURISHES, size=n_flourishes, p=(0.35, 0.3, 0.15, 0.15, 0.05)):
        # Each flourish has eight shape parameters from 0 to 1, so that all kinds draw as many random numbers.
        at = structure.uniform(size=8)
        a = at + habit.normal(scale=0.08, size=8)
        if kind == "underline":
            y = low - height * 0.1 * (1 + 3 * a[0])
            back = [right - 0.2 * width * a[1] + 1j * y, left + 0.4 * width * a[2] + 1j * (y - 0.15 * height * a[3])]
            forth = [back[1] - 0.1j * height, left + width * (0.6 + 0.6 * a[4]) + 1j * (y - 0.3 * height * a[5])]
            plan.add(back + (forth if at[6] < 0.5 else []))
        elif kind == "tail":
            # Extend the last component that is not optional.
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
            center = left + width * (0.3 + 0.6 * a[3]) + 1j * (low + height * a[4])
            sizes = width * (0.08 + 0.25 * a[5]) * turn.real + 1j * height * (0.1 + 0.4 * a[6]) * turn.imag
            plan.add(center + sizes + np.linspace(0, 0.4 * width * a[7], len(turn)))
        else:
            turn = np.exp(1j * (np.linspace(0, 2 * np.pi * (0.8 + 0.4 * at[0]), 9) + 6 * a[1]))
            grown = width * (0.5 + 0.1 * a[2]) * turn.real + 1j * height * (0.6 + 0.2 * a[3]) * turn.imag
            plan.add((left + right) / 2 + 0.5j * (low + high) + grown)


def _to_paper(plan, style):
    """Slant the plan, scale it to its size in millimeters, and move its center to 0."""
    turn = np.exp(1j * np.arctan(style.rise))
    components = [(points + style.slant * points.imag) * turn for points in plan.components]
    everything = np.concatenate(components)
    low = everything.real.min() + 1j * everything.imag.min()
    high = everything.real.max() + 1j * everything.imag.max()
    plan.unit = min(style.extent[0] / (high - low).real, style.extent[1] / (high - low).imag, 6.0)
    plan.components = [(points - (low + high) / 2) * plan.unit for points in components]
    return plan
