"""Load any corpus of the catalogue, and write the docstrings of the loaders."""

import os
import textwrap
from inspect import cleandoc

from sklearn.utils import Bunch

from sigkit._utils import GENUINE, SIMPLE, SKILLED, listing
from sigkit.datasets._layout import scan_corpus
from sigkit.datasets._tree import make_bunch, make_target

CATALOGUE = {}
"""The corpora by name; `add_corpus` fills it."""

_KINDS = {GENUINE: "genuine", SKILLED: "a skilled forgery", SIMPLE: "a simple forgery"}

_ON_ERROR = """
on_error : {"raise", "skip"}, default="raise"
    With "raise" no file is opened by this function, and the preprocessor raises an error for an unreadable one. With
    "skip" every file is opened; unreadable files are left out of images and target, with a warning that names them.
"""

_SCRIPT = """
script : {{{options}}}, default="both"
    The script whose writers are listed. The folder of the other script is ignored and need not exist.
"""

_DOCSTRING = """
List the signatures of the {name} corpus.

{summary}

Parameters
----------
folder : str or os.PathLike
    The folder that contains `{example}`.
{parameters}

Returns
-------
Bunch
    The signatures, sorted by writer, then kind, then number, in these attributes.

    images : ndarray of shape (n_signatures,), dtype str
        The paths of the image files.
    target : ndarray of shape (n_signatures, 2), dtype {dtype}
        {rows}
    counts : dict of {writer_type} to dict of str to int
        The numbers of "genuine", "skilled" and "simple" signatures of each writer.
    canvas_size : tuple of (int, int)
        Rows and columns of a canvas that holds the signatures, for the preprocessor: {canvas_size}.
    skipped : list of str
        The paths of unreadable files that were left out.
    DESCR : str
        A description of the corpus, with the paper to cite and the numbers of signatures that were found.

Raises
------
FileNotFoundError
    If the folder does not exist.
ValueError
    If the folder has no scan with such a name, or an option has another value.

Warns
-----
UserWarning
    One warning each for absent writers, missing files, files with other names and unreadable files.

See Also
--------
load_corpus : Load a corpus by its name.
load_folder : Load any other folder of signatures.

References
----------
.. [1] {reference}

Examples
--------
A folder with a single signature; the loader warns that the other ones are missing:

>>> import tempfile, warnings
>>> from pathlib import Path
>>> from sigkit.datasets import {loader}
>>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
...     scan = Path(folder, "{example}")
...     scan.parent.mkdir(parents=True, exist_ok=True)
...     scan.touch()
...     bunch = {loader}(folder)
>>> bunch.target
{target}
>>> bunch.canvas_size
{canvas_size}
"""


def list_corpora() -> list[str]:
    """List the names of the public corpora that can be loaded.

    Returns
    -------
    list of str
        The names that `load_corpus` takes, sorted. The corpus `name` also has a loader of its own, `load_name`.

    See Also
    --------
    load_corpus : Load one of them.

    Examples
    --------
    >>> from sigkit.datasets import list_corpora
    >>> "cedar" in list_corpora()
    True
    """
    return sorted(CATALOGUE)


def load_corpus(name: str, folder: str | os.PathLike, *, script: str = "both", on_error: str = "raise") -> Bunch:
    """List the signatures of a public corpus.

    Nothing is downloaded: the corpus is a folder on this machine. The `DESCR` of the result says how to get it.

    Parameters
    ----------
    name : str
        The name of the corpus, one of those of `list_corpora`.
    folder : str or os.PathLike
        The folder of the corpus.
    script : str, default="both"
        In a corpus with several scripts, the script whose writers are listed, such as "bengali" in BHSig260.
    on_error : {"raise", "skip"}, default="raise"
        With "raise" no file is opened by this function, and the preprocessor raises an error for an unreadable one.
        With "skip" every file is opened; unreadable files are left out of images and target, with a warning that names
        them.

    Returns
    -------
    Bunch
        The signatures, with the attributes images, target, counts, canvas_size, skipped and DESCR; see `load_cedar`.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If there is no such corpus or script, or the folder has no scan of the corpus.

    Warns
    -----
    UserWarning
        One warning each for absent writers, missing files, files with other names and unreadable files.

    See Also
    --------
    list_corpora : The names of the corpora.
    load_folder : Load any other folder of signatures.

    Examples
    --------
    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from sigkit.datasets import load_corpus
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
    ...     Path(folder, "a001_41.jpg").touch()
    ...     bunch = load_corpus("puc_pr", folder)
    >>> bunch.target
    array([[1, 2]])
    """
    if name not in list(CATALOGUE):
        raise ValueError(f"name must be one of {listing(map(repr, list_corpora()), limit=20)}, got {name!r}.")
    corpus = CATALOGUE[name]
    options = ["both", *corpus.scripts]
    if script not in options:
        raise ValueError(f"script must be one of {listing(map(repr, options))}, got {script!r}.")
    others = [other for other in corpus.scripts if script not in ("both", other)]
    return make_bunch(scan_corpus(corpus if script == "both" else corpus.only(script), folder, others), on_error)


def add_corpus(corpus):
    """Return a decorator that adds a corpus to the catalogue, by its loader.

    Parameters
    ----------
    corpus : Corpus
        The corpus.

    Returns
    -------
    callable
        A decorator of a function named `load_<name>`, which sets its docstring.
    """

    def add(loader):
        CATALOGUE[loader.__name__.removeprefix("load_")] = corpus
        loader.__doc__ = _describe(corpus, loader.__name__)
        return loader

    return add


def _describe(corpus, loader):
    """Write the docstring of a loader."""
    first = corpus.series[0]
    names = [f"`{part.name(part.writers[0], part.numbers[0])}` ({_KINDS[part.forgery]})" for part in corpus.series]
    layout = f"Files are named like {', '.join(names)}. Upper and lower case are not distinguished."
    paragraphs = f"{corpus.summary} {corpus.notes}".strip(), layout, corpus.access
    parameters = _ON_ERROR.strip()
    if corpus.scripts:
        options = ", ".join(f'"{script}"' for script in ("both", *corpus.scripts))
        parameters = f"{_SCRIPT.format(options=options).strip()}\n{parameters}"
    kinds = _join(f"{kind} for {_KINDS[kind]}" for kind in sorted({part.forgery for part in corpus.series}))
    rows = f"Rows `[writer, forgery]`: the writer is {_list_writers(corpus)}, and the forgery is {kinds}."
    text = cleandoc(_DOCSTRING).format(
        name=corpus.name,
        summary="\n\n".join(_wrap(paragraph) for paragraph in paragraphs if paragraph),
        example=corpus.example_name(),
        parameters=parameters,
        dtype="object" if first.writer_id else "int64",
        writer_type="str" if first.writer_id else "int",
        rows=_wrap(rows, indent=8),
        canvas_size=tuple(corpus.canvas_size),
        reference=_wrap(corpus.reference, indent=3),
        loader=loader,
        target=repr(make_target([(first.label(first.writers[0]), first.forgery)])),
    )
    return text + "\n"


def _wrap(text, indent=0):
    """Break a text into lines; all but the first are indented."""
    return textwrap.fill(text, 110 - indent).replace("\n", "\n" + " " * indent)


def _list_writers(corpus):
    """Describe the ids of the writers by the first and the last id of each format."""
    ranges = {}
    for part in corpus.series:
        ends = ranges.get(part.writer_id, (part.writers[0], part.writers[-1]))
        ranges[part.writer_id] = min(ends[0], part.writers[0]), max(ends[1], part.writers[-1])
    labels = []
    for writer_id, ends in ranges.items():
        first, last = (f'"{writer_id.format(writer=writer)}"' if writer_id else writer for writer in ends)
        labels.append(f"{first} to {last}")
    return " or ".join(labels)


def _join(texts):
    *most, last = texts
    return f"{', '.join(most)} or {last}" if most else last
