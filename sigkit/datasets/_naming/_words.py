"""Words in names: those of a kind of signature, those without meaning, and the rest, which can be a writer."""

import re
from typing import NamedTuple

from sigkit._utils import GENUINE, SIMPLE, SKILLED

WORDS = {
    **dict.fromkeys(("genuine", "genuines", "original", "originals", "org", "orig", "real", "authentic"), GENUINE),
    **dict.fromkeys(("skilled", "forged", "forgery", "forgeries", "forg", "forge", "fake", "fakes", "faked"), SKILLED),
    **dict.fromkeys(("simple", "unskilled"), SIMPLE),
}
"""The words of a kind, in lower case."""

KINDS = {**WORDS, "g": GENUINE, "f": SKILLED, "s": SIMPLE}
"""The default of `kinds` with a pattern: letters too, because the pattern says where the kind is."""

_FILLER = re.compile(
    "full|samples?|signatures?|sigs?|signs?|images?|imgs?|scans?|photos?|pics?|dsc|data|dataset|corpus|offline|train|"
    "training|test|testing|val|validation|copy|and|of|the"
)
"""Words that say neither who wrote nor of which kind a signature is."""

_GENUINE_LETTERS, _FORGED_LETTERS = frozenset("gorcv"), frozenset(("f", "cf"))

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
SEPARATORS = " _-.,()[]"


class Named(NamedTuple):
    """A name without the words of a kind: `kind` is a forgery kind or None, `rest` the text that remains."""

    kind: int | None
    rest: str
    words: tuple[str, ...]


def tokens(text):
    """Return the runs of letters and of digits, in lower case."""
    return [token.lower() for token in _TOKEN.findall(text)]


def letters_of(text):
    """Return the runs of letters that are no filler, in lower case."""
    return [token for token in tokens(text) if not token.isdigit() and not _FILLER.fullmatch(token)]


def read_name(text, words):
    """Find the words of a kind in the name of a file or a folder.

    Parameters
    ----------
    text : str
        The name, without its suffix.
    words : dict of str to int
        The forgery kind of each word, in lower case.

    Returns
    -------
    Named
        The kind, None if no word says it or two disagree; the rest of the name, empty if it has no meaning, and
        without words that have none if there is a kind; and the words of the kind.
    """
    found = [match for match in _TOKEN.finditer(text) if match[0].lower() in words]
    spoken = tuple(match[0].lower() for match in found)
    kinds = {words[word] for word in spoken}
    # "simple forgery": the first word says what the second leaves open.
    kinds -= {SKILLED} if kinds == {SIMPLE, SKILLED} else set()
    rest = text
    for match in reversed(found):
        rest = join(rest[: match.start()], rest[match.end() :])
    for match in reversed([*_TOKEN.finditer(rest)] if found else []):
        if _FILLER.fullmatch(match[0].lower()):
            rest = join(rest[: match.start()], rest[match.end() :])
    if all(_FILLER.fullmatch(token) for token in tokens(rest)):
        rest = ""
    return Named(kinds.pop() if len(kinds) == 1 else None, rest, spoken)


def join(before, after):
    """Join two parts of a name from which the middle was taken."""
    parts = before.strip(SEPARATORS), after.strip(SEPARATORS)
    return "_".join(part for part in parts if part)


def letters_as_kinds(letters):
    """Return the forgery kind of each letter if a set of letters can be nothing but kinds, else None.

    One letter of "genuine", "original", "real" and the usual corpora, beside "f" or "cf" for forgeries, and possibly
    "s" for simple ones.
    """
    genuine, forged = letters & _GENUINE_LETTERS, letters & _FORGED_LETTERS
    if len(genuine) != 1 or not forged or letters - genuine - forged - {"s"}:
        return None
    return {
        **dict.fromkeys(genuine, GENUINE),
        **dict.fromkeys(forged, SKILLED),
        **dict.fromkeys(letters & {"s"}, SIMPLE),
    }
