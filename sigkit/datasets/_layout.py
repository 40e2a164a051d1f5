"""How the files of a corpus are named, and the function that finds the signatures of any corpus in a folder."""

import re
from dataclasses import dataclass, field, replace
from string import Formatter

from sigkit._utils import listing
from sigkit.datasets._tree import Scans, check_folder, list_files, no_scans


@dataclass(frozen=True)
class Series:
    """The signatures of one kind in a corpus.

    Attributes
    ----------
    forgery : int
        The forgery kind: 0 genuine, 1 skilled, 2 simple.
    template : str
        Format string of the file names relative to the folder of the corpus, with `{writer}` and `{number}`.
    writers, numbers : range
        The writers that can have such signatures, and the numbers of each writer's signatures.
    writer_id : str, default=""
        Format string of the writer ids with `{writer}`; by default the ids are the integers themselves.
    """

    forgery: int
    template: str
    writers: range
    numbers: range
    writer_id: str = ""

    def name(self, writer, number):
        """Return the file name of a signature."""
        return self.template.format(writer=writer, number=number)

    def label(self, writer):
        """Return the id of a writer, given the integer in the file names."""
        return self.writer_id.format(writer=writer) if self.writer_id else writer

    def matcher(self):
        """Return a function from a file name to (writer, number), or to None if the name is not of this series."""
        pattern, seen = "", set()
        for literal, placeholder, _, _ in Formatter().parse(self.template):
            pattern += re.escape(literal)
            if placeholder:
                # A repeated placeholder is an unnamed group: a regular expression allows each name once.
                pattern += "([0-9]+)" if placeholder in seen else f"(?P<{placeholder}>[0-9]+)"
                seen.add(placeholder)
        pattern = re.compile(pattern, re.IGNORECASE)

        def match(name):
            found = pattern.fullmatch(name)
            if not found:
                return None
            writer, number = int(found["writer"]), int(found["number"])
            # Formatting the name again checks the zero-padding, and that repeated placeholders are equal.
            known = writer in self.writers and number in self.numbers
            return (writer, number) if known and self.name(writer, number).lower() == name.lower() else None

        return match


@dataclass(frozen=True)
class Corpus:
    """A public corpus of signatures: what it contains, how its files are named, and what to cite.

    Attributes
    ----------
    name : str
        The name of the corpus.
    series : tuple of Series
        Its kinds of signatures.
    n_writers : int
        The number of writers. If `series` allows more, it is not known beforehand which of them exist.
    canvas_size : tuple of (int, int)
        Rows and columns of a canvas that holds the signatures.
    summary, notes : str
        What the corpus contains, in one sentence, and what its users should know.
    access : str
        How to get it.
    reference : str
        The paper to cite.
    companions : tuple of str, default=()
        Names in lower case of files that belong to the corpus and are not scans.
    scripts : dict of str to int, default={}
        The number of writers of each script, if each has a top-level folder; the keys are the folders in lower case.
    """

    name: str
    series: tuple
    n_writers: int
    canvas_size: tuple
    summary: str
    notes: str
    access: str
    reference: str
    companions: tuple = ()
    scripts: dict = field(default_factory=dict)

    @property
    def description(self):
        """The text that the bunch has as `DESCR`."""
        paragraphs = f"{self.name}: {self.summary}", self.notes, self.access, self.reference
        return "\n\n".join(filter(None, paragraphs)) + "\n"

    def example_name(self):
        """Return the first file name."""
        first = self.series[0]
        return first.name(first.writers[0], first.numbers[0])

    def only(self, script):
        """Return the part of the corpus that is in one script."""
        series = tuple(part for part in self.series if part.template.lower().startswith(f"{script}/"))
        return replace(self, series=series, n_writers=self.scripts[script])


def scan_corpus(corpus, folder, unused=()):
    """Find the signatures of a corpus, and describe absent writers, missing files and files with other names.

    Parameters
    ----------
    corpus : Corpus
        What is expected.
    folder : str or os.PathLike
        The folder of the corpus.
    unused : iterable of str, default=()
        Names in lower case of top-level folders to ignore.

    Returns
    -------
    Scans
        The signatures sorted by writer, kind and number, and the descriptions.
    """
    example = corpus.example_name()
    folder = check_folder(folder, example)
    matchers = [(series, series.matcher()) for series in corpus.series]
    found, extra = {}, []
    for name in list_files(folder, example.count("/"), corpus.companions, unused):
        matches = ((series, match(name)) for series, match in matchers)
        key = next(((series, *numbers) for series, numbers in matches if numbers), None)
        # Two names that differ only in case denote the same signature: the second is left out.
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
    """Yield a sentence each about absent writers, missing files and other files, where there are any."""
    present = {series.label(writer) for series, writer, _ in found}
    possible = {series.label(writer): None for series in corpus.series for writer in series.writers}
    if len(present) < corpus.n_writers:
        absent = [label for label in possible if label not in present]
        # Absent writers can be named only if it is known which writers exist.
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
