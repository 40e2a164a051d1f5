"""Ids of writers that look like one person: `001` and `001_forg`, `001` and `1`, `Ada` and `ada`."""

import re
import unicodedata
from collections import defaultdict

from sigkit._utils import listing
from sigkit.datasets._naming._words import SEPARATORS, WORDS, join, read_name

_ENDS = re.compile(r"(?P<first>[^\W\d_]+|[0-9]+)(?P<middle>.*?)(?P<last>[^\W\d_]+|[0-9]+)", re.DOTALL)


def same_person(writers):
    """Find ids that differ in a word of a kind only.

    Parameters
    ----------
    writers : iterable of str
        The ids.

    Returns
    -------
    list of (str, str)
        Pairs of ids of one person; an id that is nothing but a word of a kind is paired with "".
    """
    writers = sorted(set(writers))
    pairs = _equal_without(writers, _without_words)
    by_letters = _equal_without(writers, _without_letter)
    # Letters can be initials: they count only if most ids come in such pairs.
    if 4 * len(by_letters) >= len(writers):
        pairs += by_letters
    return pairs + [("", writer) for writer in writers if writer.casefold() in WORDS]


def describe_pairs(pairs):
    """Name the first pairs of ids that the functions of this module find."""
    return listing((f"{first!r} and {other!r}" if first else repr(other) for first, other in pairs), limit=3)


def spelled_twice(writers):
    """Find ids that differ in upper and lower case, in leading zeros, in spaces or in the coding of characters only.

    Parameters
    ----------
    writers : iterable of str
        The ids.

    Returns
    -------
    list of (str, str)
        Pairs of ids.
    """
    persons = defaultdict(list)
    for writer in sorted(set(writers)):
        # An accent can be a character of its own, and there are digits of other scripts.
        folded = unicodedata.normalize("NFKC", writer).casefold().strip(SEPARATORS)
        folded = re.sub(r"\d", lambda digit: str(int(digit[0])), folded)
        persons[re.sub(r"(?<![0-9])0+(?=[0-9])", "", folded)].append(writer)
    return [(group[0], other) for group in persons.values() for other in group[1:]]


def repeated_endings(writers):
    """Find endings that several ids have beside the same ids without them, as `_a` in `1`, `1_a`, `2`, `2_a`.

    Parameters
    ----------
    writers : iterable of str
        The ids.

    Returns
    -------
    list of (str, str)
        Pairs of an id and the id with the ending.
    """
    writers = set(writers)
    pairs = defaultdict(list)
    for writer in sorted(writers):
        # What follows a separator, or letters after a digit.
        for match in re.finditer(r"(?<=[^\W_])[\W_]|(?<=[0-9])(?=[^\W\d_])", writer):
            if writer[: match.start()] in writers:
                pairs[writer[match.start() :].casefold()].append((writer[: match.start()], writer))
    return [pair for found in pairs.values() if len(found) > 1 for pair in found]


def _equal_without(writers, shorten):
    """Return pairs of ids that are equal when they are shortened."""
    persons = defaultdict(list)
    for writer in writers:
        persons[shorten(writer).casefold()].append(writer)
    pairs = [(group[0], other) for person, group in persons.items() if person for other in group[1:]]
    return [pair for pair in pairs if pair[0].casefold() != pair[1].casefold()]


def _without_words(writer):
    named = read_name(writer, WORDS)
    return named.rest if named.words else writer


def _without_letter(writer):
    """Return an id without the letter g or f at its end or its beginning."""
    ends = _ENDS.fullmatch(writer)
    if ends:
        for end, rest in (("last", writer[: ends.start("last")]), ("first", writer[ends.end("first") :])):
            if ends[end].lower() in ("g", "f"):
                return join(rest, "")
    return writer
