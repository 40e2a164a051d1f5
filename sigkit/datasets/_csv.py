"""Load signatures from a table of paths and labels."""

import csv
import io
import os
from collections.abc import Mapping

from sklearn.utils import Bunch

from sigkit._utils import GENUINE, SIMPLE, SKILLED, listing, read_file, split_page
from sigkit.datasets._folder import check_canvas
from sigkit.datasets._naming import KINDS, check_kinds, describe_pairs, same_person, spelled_twice
from sigkit.datasets._tree import Scans, make_bunch, with_integers

_NAMES = {
    "path": ("path", "paths", "file", "filepath", "file_path", "filename", "file_name", "image", "image_path", "scan"),
    "writer": ("writer", "writer_id", "user", "user_id", "person", "person_id", "signer", "signer_id", "subject"),
    "forgery": (
        *("forgery", "kind", "type", "class", "label", "target", "y"),
        *("genuine", "is_genuine", "forged", "is_forgery", "is_forged", "fake"),
    ),
}
"""The usual names of the columns."""

_NUMBERS = {
    **{name: {"0": GENUINE, "1": SKILLED, "2": SIMPLE} for name in ("forgery", "kind", "type")},
    **{name: {"0": GENUINE, "1": SKILLED} for name in ("forged", "is_forgery", "is_forged", "fake")},
    **{name: {"1": GENUINE, "0": SKILLED} for name in ("genuine", "is_genuine")},
}
"""What numbers mean in columns with these names. In the others, 1 can be genuine or forged."""

_OF_KINDS = ("kind", "type")
"""Columns in which numbers are kinds, but "true" can mean genuine or forged."""

_TRUTH = {"true": "1", "yes": "1", "false": "0", "no": "0"}


def load_csv(
    path: str | os.PathLike,
    *,
    columns: Mapping[str, str] | None = None,
    kinds: Mapping[str, int] | None = None,
    folder: str | os.PathLike | None = None,
    canvas_size: tuple[int, int] | str = "max",
    on_error: str = "raise",
) -> Bunch:
    """List signatures from a table of paths, writers and kinds.

    The first line of the file has the names of the columns; the separator is a comma, a semicolon or a tab. The
    signatures keep the order of the lines.

    Parameters
    ----------
    path : str or os.PathLike
        The table, in UTF-8.
    columns : dict of str to str, default=None
        The names of the columns with the paths ("path"), the writers ("writer") and the kinds ("forgery"). Without
        "forgery" all signatures are genuine. If None, the columns are found by usual names: path, file, filename or
        image; writer, user, person, signer or subject; forgery, kind, label, class, genuine or forged.
    kinds : dict of str to int, default=None
        The forgery kind for each text in the column of kinds, in upper or lower case: 0 (genuine), 1 (skilled) or
        2 (simple). If None, the words of `load_folder`; the kinds as numbers in a column "forgery", "kind" or "type";
        and 1 and 0, true and false, yes and no in a column whose name says what they mean, such as "genuine" or
        "forged". Numbers in a column "label" can mean either, so `kinds` is needed.
    folder : str or os.PathLike, default=None
        The folder to which the paths are relative; by default that of the table.
    canvas_size : tuple of (int, int) or "max", default="max"
        Rows and columns of a canvas that holds the signatures; see `load_folder`.
    on_error : {"raise", "skip"}, default="raise"
        With "raise", a missing file is an error, and no file is opened. With "skip", missing and unreadable files are
        left out, with a warning that names them.

    Returns
    -------
    Bunch
        The signatures in the order of the table, with the attributes of the result of `load_folder`: images, target,
        counts, canvas_size, skipped and DESCR.

    Raises
    ------
    OSError
        If the table cannot be read.
    ValueError
        If a column is not found, a line is incomplete, a kind is unknown or not clear, two lines have the same path,
        a file is missing, or a parameter has an invalid value.

    Warns
    -----
    UserWarning
        For files that are left out, and for ids of writers that look like one person.

    See Also
    --------
    load_folder : Load signatures by the names of the files.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit.datasets import load_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a.png", "b.png"):
    ...         open(os.path.join(folder, name), "w").close()
    ...     table = os.path.join(folder, "labels.csv")
    ...     with open(table, "w") as file:
    ...         n_characters = file.write("file,writer,kind\\na.png,ada,genuine\\nb.png,ada,forged\\n")
    ...     bunch = load_csv(table)
    >>> bunch.target
    array([['ada', 0],
           ['ada', 1]], dtype=object)
    """
    texts = check_kinds(kinds)
    if not isinstance(canvas_size, str) or canvas_size != "max":
        canvas_size = check_canvas(canvas_size)
    path = os.fspath(path)
    folder = os.path.dirname(path) if folder is None else os.fspath(folder)
    header, lines = _read_table(path)
    chosen = _choose_columns(path, header, columns)
    if kinds is not None and "forgery" not in chosen:
        raise ValueError(f"{path}: kinds is given, but there is no column of kinds. Name it in the parameter columns.")
    found = []
    for number, cells in lines:
        where = f"{path}, line {number}"
        if len(cells) != len(header):
            raise ValueError(f"{where}: {len(cells)} cells, but the header has {len(header)}: {listing(cells)}.")
        row = dict(zip(header, (cell.strip() for cell in cells)))
        for column in chosen.values():
            if not row[column]:
                raise ValueError(f"{where}: the column {column!r} is empty. Complete the line or delete it.")
        kind = GENUINE
        if "forgery" in chosen:
            kind = _kind(where, chosen["forgery"], row[chosen["forgery"]], None if kinds is None else texts)
        found.append((row[chosen["writer"]], kind, _existing(folder, row[chosen["path"]])))
    if not found:
        raise ValueError(f"{path}: no line after the header.")
    _check_unique(path, found)
    return _make_bunch(path, found, canvas_size, on_error, chosen)


def _read_table(path):
    """Return the names of the columns, and the number and the cells of each line that is not empty."""
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 ({error.reason}, byte {error.start}). Save it as CSV UTF-8.") from None
    first = text.splitlines()[0] if text else ""
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: not a valid line of a table ({error}).") from None
    if not lines:
        raise ValueError(f"{path}: an empty file.")
    header = [cell.strip() for cell in lines[0][1]]
    if len(set(header)) < len(header):
        raise ValueError(f"{path}: two columns have the same name: {listing(header, limit=20)}.")
    return header, lines[1:]


def _choose_columns(path, header, columns):
    """Return the names of the columns by what they contain."""
    shown = listing(map(repr, header), limit=20)
    if columns is not None:
        if not hasattr(columns, "items") or not {"path", "writer"} <= set(columns) <= set(_NAMES):
            raise ValueError(
                f"columns must be a dict with 'path', 'writer' and possibly 'forgery' as keys, got {columns!r}."
            )
        for name in columns.values():
            if name not in header:
                raise ValueError(f"{path}: no column {name!r}; there are {shown}.")
        if len(set(columns.values())) < len(columns):
            raise ValueError(f"columns must name a column for each key, got {columns!r}.")
        return dict(columns)
    lower = {_plain(name): name for name in header}
    usual = {content: [lower[name] for name in names if name in lower] for content, names in _NAMES.items()}
    how = "Name them, as in columns={'path': 'file', 'writer': 'user', 'forgery': 'kind'}"
    for content, found in usual.items():
        if len(found) > 1 or (not found and content != "forgery"):
            what = (
                f"several columns can be the {content}: {listing(map(repr, found))}"
                if found
                else (f"no column is named like a {content} ({listing(_NAMES[content])})")
            )
            raise ValueError(f"{path}: {what}. The header, its first line, has {shown}. {how}.")
    chosen = {content: found[0] for content, found in usual.items() if found}
    others = [name for name in header if name not in chosen.values()]
    if "forgery" not in chosen and others:
        raise ValueError(
            f"{path}: no column is named like a kind ({listing(_NAMES['forgery'])}), but others can have it: "
            f"{listing(map(repr, others))}. {how}; without 'forgery' if all signatures are genuine."
        )
    return chosen


def _plain(name):
    return name.lower().replace(" ", "_").replace("-", "_")


def _kind(where, column, text, kinds):
    """Return the forgery kind of a text."""
    lower = text.lower()
    if kinds is not None:
        if lower in kinds:
            return kinds[lower]
        raise ValueError(f"{where}: the kind {text!r} is not in kinds ({listing(map(repr, kinds))}).")
    if lower in KINDS:
        return KINDS[lower]
    name = _plain(column)
    numbers = _NUMBERS.get(name)
    number = _TRUTH.get(lower, lower.removesuffix(".0"))
    if numbers and number in numbers and (lower not in _TRUTH or name not in _OF_KINDS):
        return numbers[number]
    reason = "can mean genuine or forged" if number in ("0", "1") else "is unknown"
    raise ValueError(
        f"{where}: {text!r} in the column {column!r} {reason}. Pass the parameter kinds, such as "
        f"kinds={{{text!r}: 0, ...}}, with 0 for genuine, 1 for skilled and 2 for simple."
    )


def _existing(folder, name):
    """Return the path of a file; the separators of Windows are accepted where the name as it stands does not exist."""
    path = os.path.join(folder, name)
    if "\\" in name and not os.path.exists(path):
        other = os.path.join(folder, *name.split("\\"))
        return other if os.path.exists(split_page(other)[0]) else path
    return path


def _check_unique(path, found):
    seen = set()
    names = [os.path.normpath(name) for _, _, name in found]
    twice = [name for name in names if name in seen or seen.add(name)]
    if twice:
        raise ValueError(f"{path}: {len(twice)} paths occur more than once: {listing(twice)}. Delete the repetitions.")


def _make_bunch(path, found, canvas_size, on_error, chosen):
    missing = [row for row in found if not os.path.isfile(split_page(row[2])[0])]
    notes = []
    if missing:
        names = listing(name for _, _, name in missing)
        if on_error != "skip" or len(missing) == len(found):
            raise ValueError(
                f"{path}: {len(missing)} of {len(found)} files do not exist: {names}. Pass the folder to which the "
                "paths are relative in the parameter folder, or on_error='skip'."
            )
        notes.append(f"{path}: files that do not exist, left out ({len(missing)}): {names}.")
    pairs = same_person(writer for writer, _, _ in found) + spelled_twice(writer for writer, _, _ in found)
    if pairs:
        notes.append(
            f"{path}: ids of writers that look like one person: {describe_pairs(pairs)}. Forgeries can count as "
            "genuine signatures of another writer; write one id for each person, and the kind into a column of its own."
        )
    absent = {name for _, _, name in missing}
    rows = with_integers([row for row in found if row[2] not in absent])
    read = ", ".join(f"{content} from {column!r}" for content, column in chosen.items())
    scans = Scans(
        folder="",
        source=path,
        rows=tuple(rows),
        notes=tuple(notes),
        canvas_size=canvas_size,
        description=f"Signatures in the table {path}: {read}.",
        left_out=tuple(name for _, _, name in missing),
    )
    return make_bunch(scans, on_error)
