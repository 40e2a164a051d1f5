"""How a corpus is laid out in a folder, and the one function that scans any of them."""

import re
from dataclasses import dataclass, replace
from string import Formatter

from sigkit._utils import listing
from sigkit.datasets._tree import Scans, check_folder, list_files, no_scans


@dataclass(frozen=True)
class Series:
    """The signatures of one kind: how their files are called, who has them and which numbers they carry."""

    forgery: int
    template: str
    writers: range
    numbers: range
    writer_id: str = ""

    def name(self, writer, number):
        """Write the file name of a signature.

        Parameters
        ----------
        writer, number : int
            As they stand in the name.

        Returns
        -------
        str
            The name, relative to the folder of the corpus.
        """
        return self.template.format(writer=writer, number=number)

    def label(self, writer):
        """Make the id of a writer.

        Parameters
        ----------
        writer : int
            As it stands in the file names.

        Returns
        -------
        int or str
            The same number, or a text made of it.
        """
        return self.writer_id.format(writer=writer) if self.writer_id else writer

    def matcher(self):
        """Compile the template, to read file names.

        Returns
        -------
        callable
            A function from a file name to its (writer, number), or to None for a name that is not of this series.
        """
        pattern, seen = "", set()
        for literal, field, _, _ in Formatter().parse(self.template):
            pattern += re.escape(literal)
            if field:
                pattern += "([0-9]+)" if field in seen else f"(?P<{field}>[0-9]+)"
                seen.add(field)
        pattern = re.compile(pattern, re.IGNORECASE)

        def match(name):
            found = pattern.fullmatch(name)
            if not found:
                return None
            writer, number = int(found["writer"]), int(found["number"])
            # Writing the name again checks the padding of its numbers, and that a writer named twice is the same one.
            known = writer in self.writers and number in self.numbers
            return (writer, number) if known and self.name(writer, number).lower() == name.lower() else None

        return match


@dataclass(frozen=True)
class Corpus:
    """A corpus: its series, how many writers it has, and what to tell about it.

    Where `n_writers` is less than the writers the series allow, nobody knows beforehand which of them exist.
    `companions` are files that belong to the corpus and are no scans.
    """

    name: str
    series: tuple
    n_writers: int
    canvas_size: tuple
    description: str
    companions: tuple = ()

    def only(self, prefix, n_writers):
        """Keep the series whose files lie below one folder.

        Parameters
        ----------
        prefix : str
            The folder, with a "/" at its end.
        n_writers : int
            How many writers these series have.

        Returns
        -------
        Corpus
            The part of the corpus.
        """
        series = tuple(part for part in self.series if part.template.startswith(prefix))
        return replace(self, series=series, n_writers=n_writers)


def scan_corpus(corpus, folder, unused=()):
    """Find the signatures of a corpus, and note absent writers, missing files and files of another name.

    Parameters
    ----------
    corpus : Corpus
        What is expected.
    folder : str or os.PathLike
        Where it is expected.
    unused : tuple of str, default=()
        Folders at the top to pass over, in lower case.

    Returns
    -------
    Scans
        The signatures by writer, kind and number, and the notes.
    """
    example = corpus.series[0].name(corpus.series[0].writers[0], corpus.series[0].numbers[0])
    folder = check_folder(folder, example)
    matchers = [(series, series.matcher()) for series in corpus.series]
    found, extra = {}, []
    for name in list_files(folder, example.count("/"), corpus.companions, unused):
        matches = ((series, match(name)) for series, match in matchers)
        key = next(((series, *numbers) for series, numbers in matches if numbers), None)
        # Two names that differ in case only are one signature: the second has no place.
        if key is None or key in found:
            extra.append(name)
        else:
            found[key] = name
    if not found:
        raise no_scans(folder, f"scan of {corpus.name}", example)
    rows = sorted(
        (series.label(writer), series.forgery, number, name) for (series, writer, number), name in found.items()
    )
    return Scans(
        folder=folder,
        rows=tuple((label, forgery, name) for label, forgery, _, name in rows),
        notes=tuple(_notes(corpus, folder, found, extra)),
        canvas_size=corpus.canvas_size,
        description=corpus.description,
    )


def _notes(corpus, folder, found, extra):
    present = {series.label(writer) for series, writer, _ in found}
    possible = {series.label(writer): None for series in corpus.series for writer in series.writers}
    if len(present) < corpus.n_writers:
        absent = [label for label in possible if label not in present]
        which = f": {listing(absent)}" if len(possible) == corpus.n_writers else f"; found {listing(sorted(present))}"
        n_absent = corpus.n_writers - len(present)
        yield f"{folder}: {n_absent} of the {corpus.n_writers} writers of {corpus.name} are absent{which}."
    missing = [
        series.name(writer, number)
        for series in corpus.series
        for writer in series.writers
        if series.label(writer) in present
        for number in series.numbers
        if (series, writer, number) not in found
    ]
    if missing:
        yield f"{folder}: missing files of {corpus.name} ({len(missing)}): {listing(missing)}."
    if extra:
        yield f"{folder}: not named like {corpus.name}, left out ({len(extra)}): {listing(extra)}."
