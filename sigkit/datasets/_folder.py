"""Load a folder of signatures, by its layout or by a naming pattern."""

import operator
import os
from collections.abc import Mapping

from sklearn.utils import Bunch

from sigkit._utils import GENUINE, listing
from sigkit.datasets._naming import (
    IMAGE_SUFFIXES,
    Unclear,
    check_kinds,
    compile_pattern,
    describe_pairs,
    infer_layout,
    match_pattern,
    same_person,
    suggest_patterns,
)
from sigkit.datasets._tree import Scans, check_folder, list_files, make_bunch, natural_key, no_scans, with_integers

_MAX_DEPTH = 8


def load_folder(
    folder: str | os.PathLike,
    pattern: str | None = None,
    *,
    kinds: Mapping[str, int] | None = None,
    canvas_size: tuple[int, int] | str = "max",
    on_error: str = "raise",
) -> Bunch:
    """List the signatures of any folder.

    Without a pattern, the writer and the kind of each signature are found by the names, if they are of a usual layout:

    - a folder per writer, `ada/1.png`: all signatures are genuine;
    - folders beside each other, `001/1.png` and `001_forg/1.png`;
    - folders of a kind, above or below those of the writers: `genuine/ada/1.png` and `forged/ada/1.png`, or
      `ada/1.png` and `ada/forged/1.png`;
    - files of both kinds beside each other, `ada/g1.png` and `ada/f1.png`, or `ada_genuine_1.png` and
      `ada_forged_1.png`;
    - the file names of CEDAR, BHSig260, MCYT-75 and GPDS, in any folders.

    Words of a kind are genuine, original, orig, org, real, authentic; skilled, forged, forgery, forgeries, forg, forge,
    fake; simple. Words such as "full" and "signatures" beside them have no meaning. If the names can be understood in
    several ways, an error says in which, and how to decide it. `DESCR` and `counts` of the result say what was
    understood.

    A pattern describes where a file's path contains the writer and the kind of the signature. Everything else in it is
    literal. Upper and lower case are distinguished only in the ids of writers.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder with the signatures.
    pattern : str, default=None
        The pattern of the paths relative to the folder, with "/" between folders: `{writer}` stands for the id of the
        writer, `{kind}` for the kind of the signature and an asterisk for any text, each within one folder or file
        name. Each placeholder matches the shortest possible text, and a repeated placeholder matches the same text.
        Examples are ``{writer}/{kind}_*.png`` and ``{kind}-{writer}-*.tif``. Without `{kind}` all are genuine. If
        `kinds` is given, `{kind}` can be directly beside another placeholder, as in ``{writer}{kind}/*`` with
        ``kinds={"": 0, "_forg": 1}``: it is the longest text that fits.
    kinds : dict of str to int, default=None
        The forgery kind for each text found at `{kind}`, in upper or lower case: 0 (genuine), 1 (skilled) or
        2 (simple). If None, the words above, and "g", "f" and "s". Without a pattern, the words to look for instead of
        those above, and "" for names without any.
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
        counts : dict of int or str to dict of str to int
            The numbers of "genuine", "skilled" and "simple" signatures of each writer.
        canvas_size : tuple of (int, int) or str
            The `canvas_size` that was passed.
        skipped : list of str
            The paths of files that match the pattern and were left out: of unknown kind, or unreadable.
        DESCR : str
            The folder, what was understood, and the numbers of signatures by writer and kind.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If the layout is not clear, the pattern has no `{writer}` or an unknown placeholder, no file matches it, no file
        is of a known kind, or another parameter has an invalid value.

    Warns
    -----
    UserWarning
        One warning each for files that do not match the pattern or are no images, files of unknown kind, unreadable
        files, ids of writers that look like one person, and writers without genuine signatures.

    See Also
    --------
    load_csv : Load signatures from a table of paths and labels.
    load_corpus : Load a public corpus.
    audit : Look for copies, unreadable files and shortcuts before a number is believed.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("ada_genuine_1.png", "ada_forged_1.png", "bob_genuine_1.png"):
    ...         open(os.path.join(folder, name), "w").close()
    ...     bunch = load_folder(folder)
    ...     by_pattern = load_folder(folder, "{writer}_{kind}_*.png")
    >>> bunch.target
    array([['ada', 0],
           ['ada', 1],
           ['bob', 0]], dtype=object)
    >>> (by_pattern.target == bunch.target).all()
    np.True_
    >>> bunch.counts
    {'ada': {'genuine': 1, 'skilled': 1}, 'bob': {'genuine': 1}}
    """
    texts = check_kinds(kinds)
    matcher = None if pattern is None else compile_pattern(pattern, None if kinds is None else texts)
    if not isinstance(canvas_size, str) or canvas_size != "max":
        canvas_size = check_canvas(canvas_size)
    folder = check_folder(folder, "the folders of the writers" if pattern is None else pattern)
    if pattern is None:
        found, left_out, notes, layout = _read_layout(folder, None if kinds is None else texts)
    else:
        found, left_out, notes = _read_pattern(folder, pattern, matcher, texts)
        layout = f"Named by the pattern {pattern}."
    notes += _without_genuine(folder, found, pattern is None)
    rows = with_integers(found)
    scans = Scans(
        folder=folder,
        rows=tuple(sorted(rows, key=lambda row: (natural_key(str(row[0])), row[1], natural_key(row[2])))),
        notes=tuple(notes),
        canvas_size=canvas_size,
        description=f"Signatures in {folder}. {layout}",
        left_out=tuple(left_out),
    )
    return make_bunch(scans, on_error)


def _read_layout(folder, kinds):
    """Return rows, no files left out, notes and what was understood."""
    names = list_files(folder, _MAX_DEPTH)
    images = [name for name in names if os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES]
    if not images:
        raise no_scans(folder, "image", "ada/1.png")
    try:
        found, layout = infer_layout(images, kinds)
    except Unclear as error:
        raise ValueError(
            f"{folder}: the layout is not clear: {error}. Found {len(images)} images. Say by a pattern where the "
            f"writer and the kind are, such as {suggest_patterns(images, error.texts)}; or list the files in a table "
            "and use load_csv."
        ) from None
    others = sorted(set(names) - set(images))
    notes = [f"{folder}: no images by their suffix, left out ({len(others)}): {listing(others)}."] if others else []
    return found, [], notes, layout


def _read_pattern(folder, pattern, matcher, kinds):
    """Return rows, files left out, and notes."""
    found, unknown, extra = match_pattern(list_files(folder, pattern.count("/")), matcher, kinds)
    if not found and not unknown:
        raise no_scans(folder, f"file of the pattern {pattern}", pattern)
    known = f"Known kinds are {listing(map(repr, kinds), limit=30)}; pass others in the parameter kinds"
    unknown_kinds = listing(sorted({repr(kind) for _, kind in unknown}))
    if not found:
        raise ValueError(f"{folder}: every file that matches {pattern} is of unknown kind: {unknown_kinds}. {known}.")
    notes = []
    if unknown:
        names = listing(name for name, _ in unknown)
        notes.append(f"{folder}: of unknown kind ({unknown_kinds}), left out ({len(unknown)}): {names}. {known}.")
    if extra:
        notes.append(f"{folder}: not named like {pattern}, left out ({len(extra)}): {listing(extra)}.")
    pairs = same_person(writer for writer, _, _ in found)
    if pairs:
        notes.append(
            f"{folder}: by the pattern {pattern}, a word of the kind is a part of the writer's id "
            f"({describe_pairs(pairs)}), so that forgeries can count as genuine signatures of another writer. Load the "
            "folder without a pattern, or put {kind} where the word is, such as '{writer}{kind}/*' with kinds={'': 0, "
            "'_forg': 1}."
        )
    return found, [name for name, _ in unknown], notes


def _without_genuine(folder, found, is_guessed):
    """Return a note on writers with forgeries only: probably their genuine signatures have another id, or no match."""
    genuine = {writer for writer, forgery, _ in found if forgery == GENUINE}
    without = list(dict.fromkeys(writer for writer, _, _ in found if writer not in genuine))
    if not without or (genuine and not is_guessed):
        return []
    return [f"{folder}: forgeries but no genuine signature of {len(without)} writers: {listing(without)}."]


def check_canvas(canvas_size):
    """Return the canvas as a tuple of two integers, or raise an error that says what it must be."""
    try:
        n_rows, n_columns = (operator.index(size) for size in canvas_size)
    except (TypeError, ValueError):
        n_rows = n_columns = 0
    if min(n_rows, n_columns) < 1:
        raise ValueError(f"canvas_size must be 'max' or (rows, columns), two positive integers, got {canvas_size!r}.")
    return n_rows, n_columns
