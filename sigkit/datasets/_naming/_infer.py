"""Read the layout of a folder of signatures without a pattern, or say why it is not clear."""

import re
from collections import Counter
from dataclasses import dataclass, field

from sigkit._utils import GENUINE, listing
from sigkit.datasets._naming._file_names import Flat, read_flat_names
from sigkit.datasets._naming._known import match_known
from sigkit.datasets._naming._people import describe_pairs, repeated_endings, same_person, spelled_twice
from sigkit.datasets._naming._unclear import Unclear
from sigkit.datasets._naming._words import WORDS, letters_as_kinds, letters_of, read_name, tokens

IMAGE_SUFFIXES = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp"}
IMAGE_SUFFIXES |= {".pbm", ".pgm", ".ppm", ".pnm", ".heic", ".heif", ".pdf"}
"""Suffixes of files that can be scans, in lower case; whether a file can be read is seen when it is read."""


_PART = re.compile(r"(data ?set|data|corpus|part|fold|batch|session|train|test|val)[ _-]?\d+", re.IGNORECASE)
"""Folders that are parts of a corpus, and no writers."""


@dataclass
class Scan:
    """What the names of one file and its folders say.

    `people` are the folders that are not words of a kind only, each without such words; `folder_kind` and `file_kind`
    are forgery kinds or None; `rest` is the name of the file without words of a kind.
    """

    name: str
    people: list
    folder_kind: int | None
    file_kind: int | None
    rest: str
    words: set = field(default_factory=set)


def infer_layout(names, kinds=None):
    """Find the writer and the kind of every image by the usual layouts.

    Parameters
    ----------
    names : list of str
        The names of image files, with "/" between folders.
    kinds : dict of str to int, default=None
        The forgery kind of each word, in lower case, instead of the usual words; "" for names without a word.

    Returns
    -------
    rows : list of (str, int, str)
        Writer, forgery kind and name of each file.
    layout : str
        What was understood, in a sentence.

    Raises
    ------
    Unclear
        If the names can be understood in several ways, or in none.
    """
    words = WORDS if kinds is None else {text: kind for text, kind in kinds.items() if text}
    scans = [_read(name, words) for name in names]
    contradicting = [scan.name for scan in scans if _contradicts(scan)]
    if contradicting:
        raise Unclear(f"names contradict each other about the kind: {listing(contradicting, limit=3)}")
    rows, corpus = match_known(names) if kinds is None else (None, "")
    if rows and all(scan.folder_kind in (None, kind) for scan, (_, kind, _) in zip(scans, rows)):
        return rows, f"File names as in {corpus}."
    found, said = _kinds(scans, None if kinds is None else kinds.get(""))
    depths = {len(scan.people) for scan in scans}
    if depths == {0}:
        writers = read_flat_names([Flat(scan.name, scan.rest) for scan in scans], bool(said))
        where = "the names of the files"
    elif depths == {1}:
        writers = [scan.people[0] for scan in scans]
        where = "the names of the folders"
        if all(map(_PART.fullmatch, writers)):
            raise Unclear(f"the folders can be parts of a corpus instead of writers ({_examples(scans)})")
    else:
        raise Unclear(
            f"the writer can be any of several folders ({_examples(scans)}); load the folders of a single level"
        )
    _check_people(writers)
    if not said:
        _check_groups(scans, writers)
        said = "all are genuine, because no name says a kind"
    rows = [(writer, kind, scan.name) for writer, kind, scan in zip(writers, found, scans)]
    return rows, f"Writers: {where}. Kinds: {said}."


def _read(name, words):
    *folders, file = name.split("/")
    people, kinds, spoken = [], set(), set()
    for folder in folders:
        named = read_name(folder, words)
        spoken.update(named.words)
        kinds.update({words[word] for word in named.words} if named.kind is None else {named.kind})
        if named.rest:
            people.append(named.rest)
    stem = read_name(file.rpartition(".")[0], words)
    scan = Scan(name, people, kinds.pop() if len(kinds) == 1 else None, stem.kind, stem.rest, spoken | {*stem.words})
    if kinds or (stem.words and stem.kind is None):
        # Two words that disagree: marked so that the error can list all such names.
        scan.folder_kind, scan.file_kind = -1, -2
    return scan


def _contradicts(scan):
    return None not in (scan.folder_kind, scan.file_kind) and scan.folder_kind != scan.file_kind


def _kinds(scans, without_word):
    """Return the kind of every scan, and in words what says it; "" if nothing does."""
    kinds = [scan.file_kind if scan.folder_kind is None else scan.folder_kind for scan in scans]
    known = {kind for kind in kinds if kind is not None}
    if not known:
        return _kinds_of_letters(scans)
    silent = [scan.name for scan, kind in zip(scans, kinds) if kind is None]
    words = ", ".join(repr(word) for word in sorted(set().union(*(scan.words for scan in scans))))
    said = f"by the words {words}"
    if silent and without_word is None and GENUINE in known:
        raise Unclear(f"some names have a word of the kind ({words}) and others none: {listing(silent, limit=3)}")
    if silent:
        without_word = GENUINE if without_word is None else without_word
        said += f"; without such a word {('genuine', 'a skilled forgery', 'a simple forgery')[without_word]}"
    return [without_word if kind is None else kind for kind in kinds], said


def _kinds_of_letters(scans):
    """Find a level of folders, a place in folder names or a place in file names whose letters are kinds."""
    n_levels = min(len(scan.people) for scan in scans)
    for level in range(n_levels):
        texts = [scan.people[level].lower() for scan in scans]
        kinds = letters_as_kinds(set(texts))
        if kinds:
            for scan in scans:
                del scan.people[level]
            return [kinds[text] for text in texts], _said_by(kinds, "folders")
    if n_levels:
        for place in (0, -1):
            texts = [tokens(scan.people[-1])[place] for scan in scans]
            kinds = letters_as_kinds(set(texts))
            if kinds:
                for scan, text in zip(scans, texts):
                    scan.people[-1] = read_name(scan.people[-1], {text: kinds[text]}).rest
                return [kinds[text] for text in texts], _said_by(kinds, "folder names")
    letters = [letters_of(scan.rest) for scan in scans]
    for place in range(min(map(len, letters))):
        texts = [found[place] for found in letters]
        kinds = letters_as_kinds(set(texts))
        if kinds:
            for scan, text in zip(scans, texts):
                scan.rest = read_name(scan.rest, {text: kinds[text]}).rest
            return [kinds[text] for text in texts], _said_by(kinds, "file names")
    return [GENUINE] * len(scans), ""


def _said_by(kinds, where):
    return f"by the letters {', '.join(map(repr, sorted(kinds)))} in {where}"


def _check_people(writers):
    """Refuse writers that are probably one person under two names."""
    for pairs, reason in (
        (spelled_twice(writers), "differ in signs, upper and lower case or zeros only"),
        (same_person(writers), "differ in a word or letter of the kind only"),
        (repeated_endings(writers), "differ in an ending that several folders have"),
    ):
        if pairs:
            raise Unclear(f"two names look like one person, because they {reason}: {describe_pairs(pairs)}")


def _check_groups(scans, writers):
    """Refuse files without a known kind that have the same few beginnings in the folders of several writers."""
    groups = {}
    for scan, writer in zip(scans, writers):
        # Names often begin with the writer's own.
        own = set(tokens(writer))
        text = " ".join(token for token in letters_of(scan.rest) if token not in own)
        groups.setdefault(text, Counter())[writer] += 1
    least = min(2, len(set(writers)))
    shared = all(len(group) >= least and group.total() > 1 for group in groups.values())
    if len(groups) in (2, 3, 4) and shared:
        texts = ", ".join(repr(text) for text in sorted(groups))
        raise Unclear(f"the names of the files form groups that can be kinds: {texts} ({_examples(scans)})", groups)


def _examples(scans):
    """Name one file of each depth, or the first and the last."""
    by_depth = {len(scan.people): scan.name for scan in reversed(scans)}
    chosen = (
        [by_depth[depth] for depth in sorted(by_depth)]
        if len(by_depth) > 1
        else dict.fromkeys((scans[0].name, scans[-1].name))
    )
    return listing(chosen, limit=3)
