"""Scan a folder of signature files, and turn what was found there into a Bunch."""

import os
import re
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.utils import Bunch

from sigkit._utils import listing
from sigkit.imaging import ImageError, read_image

JUNK = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Scans:
    """The signature files of one folder, sorted, and what there is to say about them.

    `rows` are (writer, forgery, name); a name is relative to `folder`, with "/" between folders. `notes` become a
    warning each. `left_out` are names that fit the layout and still cannot be used.
    """

    folder: str
    rows: tuple
    notes: tuple
    canvas_size: tuple | str
    description: str
    left_out: tuple = ()


def list_files(folder, depth, companions=(), unused=()):
    """List the files of a folder, `depth` levels of sub-folders deep.

    A folder at the last level is listed too, with a "/" at its end: something lies deeper than the layout has it.
    Hidden files, what file managers leave behind and the `companions` are passed over in
    silence, as are the `unused` folders.

    Parameters
    ----------
    folder : str
        The folder.
    depth : int
        How many levels of sub-folders to enter.
    companions : tuple of str, default=()
        File names to pass over, in lower case.
    unused : tuple of str, default=()
        Names of folders to pass over, in lower case, at the top only.

    Returns
    -------
    list of str
        Names relative to the folder, with "/" between folders, sorted.
    """
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            lower = entry.name.lower()
            if lower.startswith(".") or lower in JUNK or lower in companions:
                continue
            if not entry.is_dir():
                names.append(entry.name)
            elif depth == 0:
                names.append(f"{entry.name}/")
            elif lower not in unused:
                names += [f"{entry.name}/{name}" for name in list_files(entry.path, depth - 1, companions)]
    return sorted(names)


def check_folder(folder, expected):
    """Make sure that there is a folder.

    Parameters
    ----------
    folder : str or os.PathLike
        What the user passed.
    expected : str
        The name of a file that the folder should hold, for the error.

    Returns
    -------
    str
        The folder.
    """
    folder = os.fspath(folder)
    if not os.path.exists(folder):
        raise FileNotFoundError(f"{folder}: no such folder. Pass the folder that holds {expected}.")
    if not os.path.isdir(folder):
        raise ValueError(f"{folder} is a file. Pass the folder that holds {expected}.")
    return folder


def no_scans(folder, what, expected):
    """Make the error for a folder without a single scan in the expected layout.

    Parameters
    ----------
    folder : str
        The folder.
    what : str
        What it lacks.
    expected : str
        The name of a file that the folder should hold.

    Returns
    -------
    ValueError
        The error, to be raised.
    """
    with os.scandir(folder) as entries:
        found = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    return ValueError(
        f"{folder}: no {what}. Expected files such as {os.path.join(folder, expected)}; found "
        f"{listing(found) or 'an empty folder'}. Pass the folder that holds {expected}."
    )


def natural_key(text):
    """Make a key that sorts "2" before "10".

    Parameters
    ----------
    text : str
        What to sort.

    Returns
    -------
    tuple
        The key.
    """
    parts = re.split(r"([0-9]+)", text)
    return [int(part) if odd % 2 else part for odd, part in enumerate(parts)], text


def make_bunch(scans, on_error):
    """Warn about what the scan noted, and make the Bunch; to be called by the public loader itself.

    Parameters
    ----------
    scans : Scans
        What was found.
    on_error : {"raise", "skip"}
        Whether to open every file now and leave the unreadable ones out.

    Returns
    -------
    Bunch
        What the public loader returns.
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}.")
    folder, rows, notes = scans.folder, list(scans.rows), list(scans.notes)
    unreadable = _unreadable(folder, [name for _, _, name in rows]) if on_error == "skip" else {}
    if unreadable:
        rows = [row for row in rows if row[2] not in unreadable]
        notes.append(f"{folder}: unreadable, left out ({len(unreadable)}): {listing(unreadable)}.")
    if not rows:
        first = next(iter(unreadable.values()))
        raise ValueError(f"{folder}: no scan can be read, of {len(unreadable)}. The first: {first}")
    for note in notes:
        # Level 3 is the line that called the public loader.
        warnings.warn(note, UserWarning, stacklevel=3)
    return Bunch(
        images=np.array([_path(folder, name) for _, _, name in rows]),
        target=_make_target([(writer, forgery) for writer, forgery, _ in rows]),
        canvas_size=scans.canvas_size,
        skipped=[_path(folder, name) for name in (*scans.left_out, *unreadable)],
        DESCR=scans.description,
    )


def _path(folder, name):
    return os.path.join(folder, *name.split("/"))


def _unreadable(folder, names):
    errors = {}
    for name in names:
        try:
            read_image(_path(folder, name))
        except ImageError as error:
            errors[name] = error
    return errors


def _make_target(pairs):
    """Keep integers as integers, and strings beside integers as objects."""
    has_text = any(isinstance(writer, str) for writer, _ in pairs)
    target = np.empty((len(pairs), 2), dtype=object if has_text else np.int64)
    target[:] = pairs
    return target
