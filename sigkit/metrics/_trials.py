"""Verification trials: scores of signatures against a claimed writer, with the kind of each signature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from sigkit._utils import FORGERY_KINDS, GENUINE, SIMPLE, SKILLED, check_ordered, listing, parse_target, same_id_type

# Further kinds next to those of a target: genuine signatures of another writer, and forgeries of unknown kind.
RANDOM, FORGERY = 3, 4
KIND_NAMES = {GENUINE: "genuine", RANDOM: "random", SKILLED: "skilled", SIMPLE: "simple", FORGERY: "forgery"}
KINDS = ("random", "skilled", "simple", "all")


@dataclass(frozen=True, eq=False)
class _Trials:
    """A table of trials, to which every accepted form of input is converted.

    `kind` holds keys of `KIND_NAMES`; it is `FORGERY` for forgeries if the input does not distinguish kinds.
    `writer` holds indices into `writers`, the claimed writers; both are None if the writers are not known. `row` holds
    rows of the input; None means that trials are its rows in order.
    """

    score: np.ndarray
    kind: np.ndarray
    writer: np.ndarray | None = None
    writers: np.ndarray | None = None
    row: np.ndarray | None = None

    @property
    def genuine(self) -> np.ndarray:
        """Mask of the genuine trials."""
        return self.kind == GENUINE

    @property
    def forgery_kinds(self) -> list[str]:
        """Names of the kinds of forgery that occur, random first; `["forgery"]` if kinds are not known."""
        return [name for code, name in KIND_NAMES.items() if code != GENUINE and (self.kind == code).any()]

    @property
    def has_kinds(self) -> bool:
        """Whether the input distinguishes kinds of forgeries."""
        return not (self.kind == FORGERY).any()

    def require_genuine(self) -> np.ndarray:
        """Return the mask of genuine trials, or raise if there are none."""
        mask = self.genuine
        if not mask.any():
            raise ValueError(
                f"There are no genuine trials to reject; found {self._census()}. Pass genuine queries as well. Plain "
                f"labels are 1 for genuine; in rows [writer, forgery], the kinds are {FORGERY_KINDS}."
            )
        return mask

    def require_forgeries(self, kind: str) -> np.ndarray:
        """Return the mask of forgeries of one kind (of all for plain labels), or raise if there are none."""
        _check_kind(kind)
        if kind == "all" or not self.has_kinds:
            mask = ~self.genuine
        else:
            mask = self.kind == next(code for code, name in KIND_NAMES.items() if name == kind)
        if not mask.any():
            wanted = "forgeries" if kind == "all" else f"{kind} forgeries"
            others = ", ".join(map(repr, self.forgery_kinds))
            advice = f"Choose a kind that occurs ({others})" if others else "Pass forgeries as well"
            if kind == "random":
                advice += ", or pass scores against every writer (n_samples, n_enrolled) with classes"
            raise ValueError(f"There are no {wanted} among the trials; found {self._census()}. {advice}.")
        return mask

    def select(self, mask: np.ndarray) -> _Trials:
        """Select the trials of a mask; `writers` is not changed, so that indices stay valid."""
        writer = None if self.writer is None else self.writer[mask]
        row = np.flatnonzero(mask) if self.row is None else self.row[mask]
        return _Trials(self.score[mask], self.kind[mask], writer, self.writers, row)

    def to_bunch(self) -> Bunch:
        """Return the trials with names of kinds and writers."""
        names = np.array([KIND_NAMES[code] for code in range(len(KIND_NAMES))])
        writer = None if self.writer is None else self.writers[self.writer]
        row = np.arange(len(self.score)) if self.row is None else self.row
        return Bunch(y_true=self.genuine.astype(int), y_score=self.score, kind=names[self.kind], writer=writer, row=row)

    @classmethod
    def from_bunch(cls, bunch: Bunch) -> _Trials:
        """Convert back what `to_bunch` returned."""
        writers = writer = None
        if bunch.writer is not None:
            writers, writer = np.unique(bunch.writer, return_inverse=True)
        kind = np.full(len(bunch.kind), GENUINE, dtype=np.int8)
        for code, name in KIND_NAMES.items():
            kind[bunch.kind == name] = code
        return cls(bunch.y_score, kind, writer, writers, bunch.row)

    def _census(self) -> str:
        counts = [(name, int((self.kind == code).sum())) for code, name in KIND_NAMES.items()]
        return ", ".join(f"{count} {name}" for name, count in counts if count)


def _check_kind(kind: str) -> None:
    """Raise a ValueError unless the kind of forgery is one of `KINDS`."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(map(repr, KINDS))}; got {kind!r}.")


def _make_trials(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> _Trials:
    """Convert plain labels, claims or a score matrix to trials; see `verification_trials`."""
    named = {"y_true": y_true, "y_score": y_score, "classes": classes, "writers": writers}
    for name, values in named.items():
        check_ordered(values, name)
    score = _check_scores(y_score)
    shape = np.shape(y_true)
    if shape[:1] != score.shape[:1]:
        raise ValueError(f"y_true and y_score must have the same number of rows; found {shape} and {score.shape}.")
    is_plain = score.ndim == 1 and (len(shape) == 1 or shape[1:] == (1,))
    if pos_label is not None and not is_plain:
        raise ValueError(
            "pos_label is only for plain binary y_true; rows [writer, forgery] already say which samples are genuine."
        )
    if score.ndim == 1 and classes is not None:
        raise ValueError(
            f"classes names the columns of a score matrix, but y_score has shape {score.shape}. Leave classes out, "
            "or name the claimed writer of each row with writers."
        )
    if is_plain:
        return _from_labels(np.asarray(y_true).ravel(), score, writers, pos_label)
    if score.ndim == 1:
        return _from_claims(y_true, score, writers)
    if writers is not None:
        raise ValueError(
            "writers is for scores of shape (n_samples,); name the columns of a score matrix with classes."
        )
    return _from_matrix(y_true, score, classes)


def verification_trials(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    writers: ArrayLike | None = None,
    pos_label: object = None,
) -> Bunch:
    """Turn scores into verification trials: genuine claims and forgeries of each kind.

    A trial is one score against one claimed writer. The result can be passed to the curves and displays of
    scikit-learn, such as :func:`sklearn.metrics.det_curve`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, 2)
        With `y_score` of shape (n_samples,): plain labels, 1 or True for genuine and 0 or -1 for a forgery (other
        labels require `pos_label`); or claims, rows `[writer, forgery]` with forgery kinds 0 (genuine), 1 (skilled)
        and 2 (simple). With a score matrix: such rows, or only writer ids (all genuine).
    y_score : array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Finite scores against the claimed writer, or against every enrolled writer; higher is more genuine.
    classes : array-like of shape (n_enrolled,), default=None
        The enrolled writers in the order of the columns, as in `estimator.classes_`; required for a score matrix.
    writers : array-like of shape (n_samples,), default=None
        The claimed writer of each score of shape (n_samples,). If `y_true` holds rows `[writer, forgery]`, a genuine
        signature that claims another writer is a random forgery; by default every row claims its own writer.
    pos_label : int, bool or str, default=None
        The label of genuine samples in plain labels other than 0/1 and -1/1.

    Returns
    -------
    Bunch
        Arrays of shape (n_trials,): `y_true` (1 genuine, 0 forgery), `y_score`, `kind` ("genuine", "random", "skilled",
        "simple", or "forgery" if the kind is not known), `writer`, the claimed writer (None if writers are not known),
        and `row`, the row of `y_score`.

    Raises
    ------
    ValueError
        If shapes do not match, scores are not finite, labels are not binary, `classes` is missing with a score matrix,
        or a forgery claims a writer who is not enrolled.

    Notes
    -----
    In a score matrix, a genuine row of writer `w` is a genuine trial in column `w` and a random forgery in every other
    column; a forgery is a single trial, in the column of the writer it claims. A genuine row of a writer who is not
    enrolled is a random forgery in every column. The trials of genuine rows come first, row by row, then those of
    forgeries.

    Examples
    --------
    >>> from sigkit.metrics import verification_trials
    >>> scores = [[0.9, -0.5], [-0.7, 0.4], [0.1, 0.2]]
    >>> trials = verification_trials([["ada", 0], ["bob", 0], ["ada", 1]], scores, classes=["ada", "bob"])
    >>> trials.kind.tolist()
    ['genuine', 'random', 'random', 'genuine', 'skilled']
    >>> trials.y_score.tolist()
    [0.9, -0.5, -0.7, 0.4, 0.1]
    """
    return _make_trials(y_true, y_score, classes=classes, writers=writers, pos_label=pos_label).to_bunch()


def _check_scores(y_score: ArrayLike, name: str = "y_score") -> np.ndarray:
    """Convert scores to finite floats, or raise a ValueError that names the parameter."""
    try:
        score = np.asarray(y_score)
        # A conversion to floats drops the imaginary part of complex numbers, and takes dates as numbers.
        if score.dtype.kind in "cmM":
            raise TypeError(f"found {score.dtype}")
        score = score.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must hold real numbers in the range of floats: {error}.") from None
    if score.ndim not in (1, 2) or score.size == 0:
        raise ValueError(f"{name} must be (n_samples,) or (n_samples, n_enrolled) and not empty; got {score.shape}.")
    bad = np.flatnonzero(~np.isfinite(score.reshape(len(score), -1)).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{name} holds NaN or infinity in {len(bad)} of {len(score)} rows (rows {listing(bad)}). "
            "Check why these samples have no score; replace infinity by a finite number, or leave out their rows."
        )
    return score


def _from_labels(labels, score, writers, pos_label):
    # Sorting millions of numbers is much faster than a set of Python objects; labels of mixed types cannot be sorted.
    found = set((np.unique(labels) if labels.dtype.kind in "biuf" else labels).tolist())
    if pos_label is None:
        if not (found <= {0, 1} or found <= {-1, 1}):
            raise ValueError(
                f"Plain y_true must hold 1 for genuine and 0 or -1 for forgeries; found {listing(map(repr, found))}. "
                "Name the genuine label with pos_label, or pass rows [writer, forgery]."
            )
        pos_label = 1
    elif len(found) > 2 or pos_label not in found:
        raise ValueError(
            f"y_true must hold two labels, one of them pos_label={pos_label!r}; found {listing(map(repr, found))}."
        )
    kind = np.where(labels == pos_label, GENUINE, FORGERY).astype(np.int8)
    if writers is None:
        return _Trials(score, kind)
    names, writer = np.unique(_check_writers(writers, len(score)), return_inverse=True)
    return _Trials(score, kind, writer, names)


def _from_claims(y_true, score, writers):
    signer, kind = parse_target(y_true, "y_true")
    claimed = signer
    if writers is not None:
        claimed = _check_writers(writers, len(score))
        _check_same_type(claimed, signer, "writers")
        is_other = claimed != signer
        misfits = np.flatnonzero(is_other & (kind != GENUINE))
        if len(misfits):
            raise ValueError(
                f"Forgeries in rows {listing(misfits)} imitate another writer than the one claimed in writers. "
                "The row of a forgery names the writer it claims to be."
            )
        kind = np.where(is_other, RANDOM, kind).astype(np.int8)
    names, writer = np.unique(claimed, return_inverse=True)
    return _Trials(score, kind, writer, names)


def _from_matrix(y_true, score, classes):
    if classes is None:
        raise ValueError(
            f"y_score of shape {score.shape} has one column per writer: name them with classes=estimator.classes_. "
            "Scores of plain labels are (n_samples,): of predict_proba pass the column of the genuine class."
        )
    if np.shape(classes) != score.shape[1:]:
        raise ValueError(f"classes must name {score.shape[1]} columns of y_score; got shape {np.shape(classes)}.")
    classes = parse_target(classes, "classes")[0]
    signer, forgery = parse_target(y_true, "y_true")
    _check_same_type(classes, signer, "classes")
    columns = {writer: column for column, writer in enumerate(classes.tolist())}
    if len(columns) < len(classes):
        raise ValueError("classes names a writer twice; each enrolled writer has one column.")
    column = np.array([columns.get(writer, -1) for writer in signer.tolist()])
    is_forgery = forgery != GENUINE
    unenrolled = sorted(set(signer[is_forgery & (column < 0)].tolist()))
    if unenrolled:
        raise ValueError(
            f"Forgeries claim writers who are not enrolled: {listing(map(repr, unenrolled))}. classes names "
            f"{listing(map(repr, columns))}. Enroll these writers, or leave out their forgeries."
        )
    # Genuine signatures are scored against every column and are random forgeries but in their own. A forgery is a trial
    # in the claimed column only, as it imitates no other writer.
    kind = np.full((np.count_nonzero(~is_forgery), len(classes)), RANDOM, dtype=np.int8)
    kind[column[~is_forgery, None] == np.arange(len(classes))] = GENUINE
    claims = column[is_forgery]
    rows = np.flatnonzero(~is_forgery), np.flatnonzero(is_forgery)
    return _Trials(
        np.concatenate([score[~is_forgery].ravel(), score[is_forgery, claims]]),
        np.concatenate([kind.ravel(), forgery[is_forgery]]),
        np.concatenate([np.tile(np.arange(len(classes)), len(kind)), claims]),
        classes,
        np.concatenate([np.repeat(rows[0], len(classes)), rows[1]]),
    )


def _check_writers(writers, n_samples):
    if np.shape(writers) != (n_samples,):
        raise ValueError(
            f"writers must name the claimed writer of each of {n_samples} scores; got shape {np.shape(writers)}."
        )
    return parse_target(writers, "writers")[0]


def _check_same_type(ids, signer, name):
    # The string "1" and the integer 1 are never equal, and every genuine row would become a random forgery silently.
    if not same_id_type(ids, signer):
        raise ValueError(
            f"{name} and y_true have writer ids of different types, {ids.dtype} and {signer.dtype}. "
            "Convert both to strings or both to integers."
        )
