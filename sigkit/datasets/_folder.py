"""Load a folder of signatures by a naming pattern."""

import operator
import re

from sigkit._utils import GENUINE, SIMPLE, SKILLED, listing
from sigkit.datasets._tree import Scans, check_folder, list_files, make_bunch, natural_key, no_scans

KINDS = {
    **dict.fromkeys(("genuine", "original", "org", "g"), GENUINE),
    **dict.fromkeys(("skilled", "forged", "forgery", "forgeries", "forg", "f"), SKILLED),
    **dict.fromkeys(("simple", "s"), SIMPLE),
}
"""The default of `kinds`."""

PLACEHOLDERS = ("writer", "kind")


def load_folder(folder, pattern, *, kinds=None, canvas_size="max", on_error="raise"):
    """List the signatures of any folder, by a naming pattern.

    The pattern describes where a file's path contains the writer and the kind of the signature. Everything else in it
    is literal. Upper and lower case are distinguished only in the ids of writers.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder with the signatures.
    pattern : str
        The pattern of the paths relative to the folder, with "/" between folders: `{writer}` stands for the id of the
        writer, `{kind}` for the kind of the signature and an asterisk for any text, each within one folder or file
        name. Each placeholder matches the shortest possible text, and a repeated placeholder matches the same text.
        Examples are ``{writer}/{kind}_*.png`` and ``{kind}-{writer}-*.tif``. Without `{kind}` all are genuine.
    kinds : dict of str to int, default=None
        The forgery kind for each text found at `{kind}`, in upper or lower case: 0 (genuine), 1 (skilled) or
        2 (simple). If None, "genuine", "original", "org" and "g" are 0; "skilled", "forged", "forgery", "forgeries",
        "forg" and "f" are 1; "simple" and "s" are 2.
    canvas_size : tuple of (int, int) or "max", default="max"
        Rows and columns of a canvas that holds the signatures, or "max" to let the preprocessor choose the smallest
        one; the value is passed on as an attribute of the result.
    on_error : {"raise", "skip"}, default="raise"
        With "raise" no file is opened by this function, and the preprocessor raises an error for an unreadable one.
        With "skip" every file is read, with the default limits of :func:`sigkit.imaging.read_image`; unreadable files
        are left out of images and target, with a warning that names them.

    Returns
    -------
    Bunch
        The signatures, sorted by writer, then kind, then path (2 before 10), in these attributes.

        images : ndarray of shape (n_signatures,), dtype str
            The paths of the image files.
        target : ndarray of shape (n_signatures, 2), dtype int64 or object
            Rows `[writer, forgery]`. The writers are integers if all ids consist of digits and are distinct as integers
            ("1" and "01" are not), else strings.
        canvas_size : tuple of (int, int) or str
            The `canvas_size` that was passed.
        skipped : list of str
            The paths of files that match the pattern and were left out: of unknown kind, or unreadable.
        DESCR : str
            The folder, the pattern, and the numbers of signatures and writers.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If the pattern has no `{writer}` or an unknown placeholder, no file matches it, no file is of a known kind, or
        another parameter has an invalid value.

    Warns
    -----
    UserWarning
        One warning each for files that do not match the pattern, files of unknown kind and unreadable files.

    See Also
    --------
    load_corpus : Load a public corpus.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("ada_genuine_1.png", "ada_forged_1.png", "bob_genuine_1.png"):
    ...         open(os.path.join(folder, name), "w").close()
    ...     bunch = load_folder(folder, "{writer}_{kind}_*.png")
    >>> bunch.target
    array([['ada', 0],
           ['ada', 1],
           ['bob', 0]], dtype=object)
    """
    matcher = _compile(pattern)
    kinds = _check_kinds(kinds, "kind" in matcher.groupindex)
    if not isinstance(canvas_size, str) or canvas_size != "max":
        canvas_size = _check_canvas(canvas_size)
    folder = check_folder(folder, pattern)
    found, unknown, extra = _match_all(list_files(folder, pattern.count("/")), matcher, kinds)
    if not found and not unknown:
        raise no_scans(folder, f"file of the pattern {pattern}", pattern)
    known = f"Known kinds are {listing(map(repr, kinds), limit=20)}; pass others in the parameter kinds"
    unknown_kinds = listing(sorted({repr(kind) for _, kind in unknown}))
    if not found:
        raise ValueError(f"{folder}: every file that matches {pattern} is of unknown kind: {unknown_kinds}. {known}.")
    notes = []
    if unknown:
        names = listing(name for name, _ in unknown)
        notes.append(f"{folder}: of unknown kind ({unknown_kinds}), left out ({len(unknown)}): {names}. {known}.")
    if extra:
        notes.append(f"{folder}: not named like {pattern}, left out ({len(extra)}): {listing(extra)}.")
    rows = _with_integers(found)
    writers = {writer for writer, _, _ in rows}
    scans = Scans(
        folder=folder,
        rows=tuple(sorted(rows, key=lambda row: (natural_key(str(row[0])), row[1], natural_key(row[2])))),
        notes=tuple(notes),
        canvas_size=canvas_size,
        description=f"{len(rows)} signatures of {len(writers)} writers in {folder}, named by the pattern {pattern}.",
        left_out=tuple(name for name, _ in unknown),
    )
    return make_bunch(scans, on_error)


def _compile(pattern):
    """Return the regular expression of a naming pattern."""
    if not isinstance(pattern, str):
        raise ValueError(f"pattern must be a str such as '{{writer}}/{{kind}}_*.png', got {pattern!r}.")
    expression, seen = "", set()
    for part in re.split(r"(\{[^{}]*\}|\*)", pattern):
        name = part[1:-1]
        if part == "*":
            expression += "[^/]*"
        elif part.startswith("{") and part.endswith("}"):
            if name not in PLACEHOLDERS:
                raise ValueError(
                    f"pattern {pattern!r} has the unknown placeholder {part}; there are {{writer}}, {{kind}} and *."
                )
            expression += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
        elif "{" in part or "}" in part:
            raise ValueError(
                f"pattern {pattern!r} has a single brace; there are the placeholders {{writer}}, {{kind}} and *."
            )
        else:
            expression += re.escape(part)
    if "writer" not in seen:
        raise ValueError(f"pattern {pattern!r} has no {{writer}}: it must contain the place of the writer's id.")
    if re.search(r"[}*][{*]", pattern):
        raise ValueError(
            f"pattern {pattern!r} has two adjacent placeholders, so that the end of the first is not defined. "
            "Put the text between them that the file names contain there; write * once for each folder."
        )
    return re.compile(expression, re.IGNORECASE)


def _check_kinds(kinds, has_kind):
    if kinds is None:
        return KINDS
    if not has_kind:
        raise ValueError("kinds is given, but the pattern has no {kind}.")
    lower = {}
    if not hasattr(kinds, "items") or not all(isinstance(text, str) for text in kinds):
        raise ValueError(f"kinds must be a dict from texts to forgery kinds, such as {{'g': 0}}; got {kinds!r}.")
    for text, kind in kinds.items():
        if kind not in (GENUINE, SKILLED, SIMPLE):
            raise ValueError(f"kinds[{text!r}] must be 0 (genuine), 1 (skilled) or 2 (simple), got {kind!r}.")
        if lower.setdefault(text.lower(), kind) != kind:
            raise ValueError(f"kinds has {text!r} twice, in upper and lower case, with different values.")
    return lower


def _check_canvas(canvas_size):
    try:
        n_rows, n_columns = (operator.index(size) for size in canvas_size)
    except (TypeError, ValueError):
        n_rows = n_columns = 0
    if min(n_rows, n_columns) < 1:
        raise ValueError(f"canvas_size must be 'max' or (rows, columns), two positive integers, got {canvas_size!r}.")
    return n_rows, n_columns


def _match_all(names, matcher, kinds):
    """Return signatures (writer, forgery, name), files of unknown kind (name, kind), and the names of other files."""
    found, unknown, extra = [], [], []
    for name in names:
        match = matcher.fullmatch(name)
        kind = match.groupdict().get("kind") if match else None
        if not match or name.endswith("/"):
            extra.append(name)
        elif kind is not None and kind.lower() not in kinds:
            unknown.append((name, kind))
        else:
            found.append((match["writer"], GENUINE if kind is None else kinds[kind.lower()], name))
    return found, unknown, extra


def _with_integers(rows):
    """Convert the writer ids to integers if all are digits and remain distinct."""
    texts = {writer for writer, _, _ in rows}
    if all(text.isascii() and text.isdigit() and len(text) <= 18 for text in texts) and len(
        set(map(int, texts))
    ) == len(texts):
        return [(int(writer), forgery, name) for writer, forgery, name in rows]
    return rows
