"""List the files of a folder of signatures, and make a Bunch of the signatures that were found."""

import os
import re
from dataclasses import dataclass

import numpy as np
from sklearn.utils import Bunch

from sigkit._utils import listing, warn
from sigkit.datasets._counts import count_signatures, describe_counts
from sigkit.imaging import ImageError, read_image

_IGNORED_FILES = {"thumbs.db", "desktop.ini"}
"""Files that file managers create, in lower case."""


@dataclass(frozen=True)
class Scans:
    """The signature files of a folder.

    Attributes
    ----------
    folder : str
        The folder.
    rows : tuple of (int or str, int, str)
        The writer, forgery kind and name of each file, sorted. Names are relative to the folder, with "/" between
        folders.
    notes : tuple of str
        Texts of warnings.
    canvas_size : tuple of (int, int) or str
        Rows and columns of a canvas that holds the signatures, or "max".
    description : str
        The description of the data.
    left_out : tuple of str, default=()
        Names of files that match the layout and cannot be used.
    source : str, default=""
        What the user passed, if it is not the folder.
    """

    folder: str
    rows: tuple
    notes: tuple
    canvas_size: tuple | str
    description: str
    left_out: tuple = ()
    source: str = ""


def list_files(folder, depth, companions=(), unused=(), above=()):
    """List the files of a folder, `depth` levels of sub-folders deep.

    A folder below the last level is listed too, with "/" at its end, so that it can be reported as unexpected; so is a
    link to a folder in which it is. Hidden files, files of file managers, `companions` and the folders in `unused` are
    ignored.

    Parameters
    ----------
    folder : str
        The folder.
    depth : int
        The number of levels of sub-folders to enter.
    companions : tuple of str, default=()
        File names to ignore, in lower case.
    unused : iterable of str, default=()
        Names of top-level folders to ignore, in lower case.
    above : tuple of str, default=()
        The real paths of the folders in which the folder is.

    Returns
    -------
    list of str
        Names relative to the folder, with "/" between folders, sorted.
    """
    names, above = [], (*above, os.path.realpath(folder))
    with os.scandir(folder) as entries:
        for entry in entries:
            lower = entry.name.lower()
            if lower.startswith(".") or lower in _IGNORED_FILES or lower in companions:
                continue
            if not _is_folder(entry):
                names.append(entry.name)
            elif depth == 0 or (entry.is_symlink() and os.path.realpath(entry.path) in above):
                names.append(f"{entry.name}/")
            elif lower not in unused:
                names += [f"{entry.name}/{name}" for name in list_files(entry.path, depth - 1, companions, (), above)]
    return sorted(names)


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:
        # A link to itself: reading it as a scan raises the error that names it.
        return False


def check_folder(folder, expected):
    """Return the folder as str, or raise an error that says it should contain the file `expected`."""
    folder = os.fsdecode(folder)
    if not os.path.exists(folder):
        raise FileNotFoundError(f"{folder}: no such folder. Pass the folder that contains {expected}.")
    if not os.path.isdir(folder):
        raise ValueError(f"{folder} is a file. Pass the folder that contains {expected}.")
    return folder


def no_scans(folder, what, expected):
    """Return the error for a folder without any `what`, which should contain the file `expected`."""
    with os.scandir(folder) as entries:
        found = sorted(f"{entry.name}/" if _is_folder(entry) else entry.name for entry in entries)
    return ValueError(
        f"{folder}: no {what}. Expected files such as {os.path.join(folder, expected)}; found "
        f"{listing(found) or 'an empty folder'}. Pass the folder that contains {expected}."
    )


def natural_key(text):
    """Return a sort key by which "2" comes before "10"."""
    # The odd parts of the split are the digits.
    parts = re.split(r"([0-9]+)", text)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], text


def make_bunch(scans, on_error):
    """Warn with the notes, and make the Bunch that a loader returns.

    Parameters
    ----------
    scans : Scans
        The files.
    on_error : {"raise", "skip"}
        With "skip", all files are opened and the unreadable ones are left out.

    Returns
    -------
    Bunch
        The signatures.
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}.")
    folder, rows, notes = scans.folder, list(scans.rows), list(scans.notes)
    source = scans.source or folder
    unreadable = _unreadable(folder, [name for _, _, name in rows]) if on_error == "skip" else {}
    if unreadable:
        rows = [row for row in rows if row[2] not in unreadable]
        notes.append(f"{source}: unreadable, left out ({len(unreadable)}): {listing(unreadable)}.")
    if not rows:
        first = next(iter(unreadable.values()))
        raise ValueError(f"{source}: none of the {len(unreadable)} scans can be read. The first error: {first}")
    for note in notes:
        warn(note)
    pairs = [(writer, forgery) for writer, forgery, _ in rows]
    counts = count_signatures(pairs)
    return Bunch(
        images=np.array([_path(folder, name) for _, _, name in rows]),
        target=make_target(pairs),
        counts=counts,
        canvas_size=scans.canvas_size,
        skipped=[_path(folder, name) for name in (*scans.left_out, *unreadable)],
        DESCR=f"{scans.description.rstrip()}\n\n{describe_counts(counts)}\n",
    )


def make_target(pairs):
    """Return the rows `[writer, forgery]`, int64 if all writer ids are integers, else object."""
    has_text = any(isinstance(writer, str) for writer, _ in pairs)
    target = np.empty((len(pairs), 2), dtype=object if has_text else np.int64)
    target[:] = pairs
    return target


def with_integers(rows):
    """Convert the writer ids of rows to integers if all are digits and remain distinct."""
    texts = {writer for writer, _, _ in rows}
    if all(text.isascii() and text.isdigit() and len(text) <= 18 for text in texts) and len(
        set(map(int, texts))
    ) == len(texts):
        return [(int(writer), forgery, name) for writer, forgery, name in rows]
    return rows


def _path(folder, name):
    return os.path.join(folder, name.replace("/", os.sep))


def _unreadable(folder, names):
    """Return the error of each file that cannot be read, by its name."""
    errors = {}
    for name in names:
        try:
            read_image(_path(folder, name))
        except ImageError as error:
            errors[name] = error
    return errors
