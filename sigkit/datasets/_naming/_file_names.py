"""Find the writer in the names of files that are not in a folder of the writer."""

from typing import NamedTuple

from sigkit._utils import listing
from sigkit.datasets._naming._unclear import Unclear
from sigkit.datasets._naming._words import letters_of, tokens

_WRITER_WORDS = {"writer", "person", "user", "signer", "author", "subject", "client", "customer"}


class Flat(NamedTuple):
    """A file: its name relative to the folder, and the name without suffix and words of a kind."""

    name: str
    rest: str


def read_flat_names(files, has_kinds):
    """Find the writer in each name.

    Clear are a text and a number, where the text is the writer (`ada_1`), and a number after a word such as "writer"
    (`writer3_1`). Two numbers (`001_02`) are not: either can be the writer.

    Parameters
    ----------
    files : list of Flat
        The files.
    has_kinds : bool
        Whether other words in the names say the kind, so that a text without a number is a writer.

    Returns
    -------
    list of str
        The writers.

    Raises
    ------
    Unclear
        If the names are of another form.
    """
    marked = [_after_writer_word(tokens(file.rest)) for file in files]
    if all(marked):
        return marked
    constant = set.intersection(*({*letters_of(file.rest)} for file in files)) if len(files) > 1 else set()
    texts, n_numbers = [], set()
    for file in files:
        n_numbers.add(sum(token.isdigit() for token in tokens(file.rest)))
        texts.append("_".join(token for token in letters_of(file.rest) if token not in constant))
    shown = listing((file.name for file in files), limit=3)
    if n_numbers == {2} and not any(texts):
        raise Unclear(f"either number can be the writer ({shown})")
    if not all(texts) or n_numbers - {0, 1} or (0 in n_numbers and not has_kinds):
        raise Unclear(f"no name has the writer in a place that is clear ({shown})")
    if len(set(texts)) == len(files):
        raise Unclear(f"every file would be of another writer ({shown})")
    return texts


def _after_writer_word(found):
    """Return the number after a word such as "writer", None if it is not clear."""
    places = [at for at, token in enumerate(found[:-1]) if token in _WRITER_WORDS and found[at + 1].isdigit()]
    if len(places) != 1 or sum(token.isdigit() for token in found) > 2:
        return None
    return found[places[0] + 1]
