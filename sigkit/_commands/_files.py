"""What the commands read and write: scans, ids of writers, tables and JSON. Nothing here needs torch."""

import csv
import io
import json
import os
import sys
from importlib.util import find_spec

import numpy as np

from sigkit._utils import listing, whole_file
from sigkit.datasets import load_corpus, load_csv, load_folder


def load_scans(options):
    """Load the paths and the target of scans.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.

    Returns
    -------
    Bunch
        What the loader returns.
    """
    path = options.source
    on_error = "skip" if options.skip_unreadable else "raise"
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".npz":
        raise ValueError(f"{path}: preprocessed signatures; pass a folder of scans or a table of paths (.csv).")
    if options.corpus is not None:
        return load_corpus(options.corpus, path, on_error=on_error)
    if suffix == ".csv":
        return load_csv(path, on_error=on_error)
    return load_folder(path, options.pattern, on_error=on_error)


def choose_writers(known, texts):
    """Choose writers by their ids, or by ranges of ids.

    Parameters
    ----------
    known : ndarray of shape (n_writers,)
        The ids of all writers, sorted: integers, or strings.
    texts : list of str
        Ids, and ranges `FIRST:LAST`, both included.

    Returns
    -------
    list of int or str
        The chosen ids, sorted.

    Raises
    ------
    ValueError
        If an id or a range is that of no writer.
    """
    known, chosen = known.tolist(), set()
    kind = type(known[0])
    for text in texts:
        first, colon, last = text.partition(":")
        try:
            found = {kind(text)} & {*known} if not colon else {id for id in known if kind(first) <= id <= kind(last)}
        except ValueError:
            found = None
        if not found:
            raise ValueError(f"{text}: no such writer; there are {listing(map(str, known))}.")
        chosen |= found
    return sorted(chosen)


def check_output(path, suffixes=None):
    """Check before the work that a file can be written after it.

    Parameters
    ----------
    path : str or None
        The file; nothing is checked without one.
    suffixes : tuple of str or None, default=None
        The suffixes that it may have.

    Raises
    ------
    ValueError
        If it has another suffix.
    OSError
        If its folder does not exist or is not writable.
    """
    if path is None:
        return
    if suffixes is not None and not path.endswith(suffixes):
        raise ValueError(f"{path}: name a file with the suffix {' or '.join(suffixes)}.")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{path}: there is no folder {folder}.")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{path}: the folder {folder} is not writable.")


def check_figure(path):
    """Check before the work that a figure can be drawn and written after it.

    Parameters
    ----------
    path : str or None
        The file; nothing is checked without one.

    Raises
    ------
    ValueError
        If it has the suffix of no format of figures.
    ImportError
        If matplotlib is not installed.
    OSError
        If its folder does not exist or is not writable.
    """
    check_output(path, (".png", ".pdf", ".svg", ".jpg"))
    if path is not None and find_spec("matplotlib") is None:
        raise ImportError(f"{path}: figures need matplotlib. Install it: pip install matplotlib")


def write_table(path, columns):
    """Write a table as CSV.

    Parameters
    ----------
    path : str
        The file.
    columns : dict of str to sequence
        The columns by name.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True))
    with whole_file(path) as file:
        file.write(text.getvalue().encode())


def write_json(path, content):
    """Write values as JSON.

    Parameters
    ----------
    path : str
        The file.
    content : dict
        The values.
    """
    with whole_file(path) as file:
        file.write(json.dumps(content, indent=1).encode())


def write_figure(path, display):
    """Write the figure of a display.

    Parameters
    ----------
    path : str
        The file; its suffix is the format.
    display : object
        The display, with `figure_`.
    """
    display.figure_.savefig(path, dpi=150)


def say(text):
    """Report what is being done, on the standard error stream.

    Parameters
    ----------
    text : str
        One line.
    """
    print(text, file=sys.stderr, flush=True)
