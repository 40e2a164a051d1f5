"""File names of the public corpora, wherever the files are."""

import re
from collections import defaultdict
from string import Formatter

from sigkit.datasets._corpora import CATALOGUE


def match_known(names):
    """Read names that are those of a public corpus, without regard to folders and suffixes.

    Parameters
    ----------
    names : list of str
        The names of image files, with "/" between folders.

    Returns
    -------
    rows : list of (str, int, str) or None
        Writer, forgery kind and name of each file; None if no corpus has all of these names.
    corpus : str
        The name of the corpus, "" for none.
    """
    for corpus in CATALOGUE.values():
        series = _series(corpus)
        rows = [_match(name, series) for name in names] if series else [None]
        if all(rows):
            return rows, corpus.name
    return None, ""


def _series(corpus):
    """Return the expression of the file names and the series for each kind; none if the names do not show the kind."""
    kinds, series = defaultdict(set), []
    for part in corpus.series:
        expression = ""
        for literal, placeholder, _, _ in Formatter().parse(part.template.rpartition("/")[2].rpartition(".")[0]):
            expression += re.escape(literal) + (f"(?P<{placeholder}>[0-9]+)" if placeholder else "")
        kinds[expression].add(part.forgery)
        series.append((re.compile(expression, re.IGNORECASE), part))
    return series if all(len(found) == 1 for found in kinds.values()) else []


def _match(name, series):
    *folders, file = name.split("/")
    for expression, part in series:
        found = expression.fullmatch(file.rpartition(".")[0])
        if found:
            writer = int(found["writer"])
            # A folder with another number: the names do not mean here what they mean in the corpus.
            if folders and folders[-1].isdecimal() and int(folders[-1]) != writer:
                return None
            return str(part.label(writer)), part.forgery, name
    return None
