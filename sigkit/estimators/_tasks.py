"""Tasks to meta-learn from: a development writer's signatures, some to adapt to and others to tell."""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sigkit.estimators._verifier import by_writer
from sigkit.utils import GENUINE, SKILLED, content_digest, listing


class Task(NamedTuple):
    """One writer's task, by rows of the images.

    Parameters
    ----------
    references, queries : ndarray of int
        Rows to adapt to, and rows to score.
    reference_labels, query_labels : ndarray of float32
        1 for genuine signatures of the writer, 0 for others.
    """

    references: np.ndarray
    reference_labels: np.ndarray
    queries: np.ndarray
    query_labels: np.ndarray


@dataclass(frozen=True)
class TaskSizes:
    """How many signatures of each kind a task has.

    Parameters
    ----------
    n_references, n_random_forgeries : int
        To adapt to: genuine signatures of the writer, and of others.
    n_query_genuine, n_query_random, n_query_skilled : int
        To score: genuine ones of the writer, of others, and skilled forgeries.
    """

    n_references: int
    n_random_forgeries: int
    n_query_genuine: int
    n_query_random: int
    n_query_skilled: int


class DevelopmentSet:
    """The signatures of development writers, of copies the first alone.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width)
        Images.
    writers, forgery : ndarray of shape (n_samples,)
        The writer and the forgery kind of each.
    is_dev : ndarray of shape (n_samples,), dtype bool
        Which are of development writers.

    Attributes
    ----------
    genuine, skilled : dict of writer id to ndarray of int
        Rows of each writer's distinct genuine signatures, and of distinct skilled forgeries where there are any.
    """

    def __init__(self, X, writers, forgery, is_dev):
        first = {}
        for row in np.flatnonzero(is_dev & ((forgery == GENUINE) | (forgery == SKILLED))).tolist():
            first.setdefault((writers[row], forgery[row], content_digest(X[row])), row)
        rows = np.array(sorted(first.values()), dtype=int)
        self.genuine = by_writer(rows[forgery[rows] == GENUINE], writers)
        self.skilled = by_writer(rows[forgery[rows] == SKILLED], writers)

    def check(self, sizes):
        """Refuse writers from whom no task can be made, and warn of tasks that will be smaller than asked.

        Parameters
        ----------
        sizes : TaskSizes
            What a task shall have.

        Raises
        ------
        ValueError
            If there are no two writers, one has no genuine signature left to score, or there is no skilled forgery.
        """
        if len(self.genuine) < 2:
            raise ValueError(
                f"Meta-training needs at least 2 development writers, of whom one's signatures are another's random "
                f"forgeries; found {listing(map(repr, self.genuine))}. Name more in dev_writers."
            )
        counts = {writer: len(rows) for writer, rows in self.genuine.items()}
        few = [f"{writer!r} ({count})" for writer, count in counts.items() if count <= sizes.n_references]
        if few:
            raise ValueError(
                f"A development writer needs more distinct genuine signatures than n_references={sizes.n_references}, "
                f"for some must be left to score; too few have {listing(few)}. Lower n_references, or leave these "
                "writers out of dev_writers."
            )
        if sizes.n_query_skilled and not self.skilled:
            raise ValueError(
                f"n_query_skilled={sizes.n_query_skilled} skilled forgeries are to be told in meta-training, but no "
                "development writer has any in y. Pass them with rows [writer, 1], or set n_query_skilled=0."
            )
        wanted = sizes.n_references + sizes.n_query_genuine
        shrunk = [f"{writer!r} ({count} genuine)" for writer, count in counts.items() if count < wanted]
        if shrunk:
            warnings.warn(
                f"{len(shrunk)} of {len(counts)} development writers have fewer than {sizes.n_references} + "
                f"{sizes.n_query_genuine} distinct genuine signatures; their tasks score what there is: "
                f"{listing(shrunk)}.",
                UserWarning,
                stacklevel=5,
            )
        lacking = [
            f"{writer!r} ({len(rows)} skilled)"
            for writer, rows in self.skilled.items()
            if len(rows) < sizes.n_query_skilled
        ]
        if lacking:
            warnings.warn(
                f"{len(lacking)} of {len(self.skilled)} development writers with skilled forgeries have fewer than "
                f"{sizes.n_query_skilled} distinct ones; their tasks score what there is: {listing(lacking)}.",
                UserWarning,
                stacklevel=5,
            )

    def draw_task(self, writer, others, with_skilled, sizes, rng):
        """Draw a task.

        Parameters
        ----------
        writer : int or str
            Whose task.
        others : list of writer ids
            Whose genuine signatures are random forgeries.
        with_skilled : bool
            Whether skilled forgeries are to be told.
        sizes : TaskSizes
            What the task shall have.
        rng : Generator
            Draws.

        Returns
        -------
        Task
            The task.
        """
        own = rng.permutation(self.genuine[writer])
        others = [other for other in others if other != writer]
        others = draw_from_each(self.genuine, others, sizes.n_random_forgeries + sizes.n_query_random, rng)
        skilled = rng.permutation(self.skilled.get(writer, np.array([], dtype=int)))
        references = own[: sizes.n_references], others[: sizes.n_random_forgeries]
        queries = (
            own[sizes.n_references :][: sizes.n_query_genuine],
            others[sizes.n_random_forgeries :],
            skilled[: sizes.n_query_skilled if with_skilled else 0],
        )
        return Task(*_labelled(references), *_labelled(queries))


def draw_from_each(rows, writers, n, rng):
    """Draw signatures of as many writers as there are.

    Parameters
    ----------
    rows : dict of writer id to ndarray of int
        Rows of each writer's signatures.
    writers : list of writer ids
        Whose to draw from.
    n : int
        How many.
    rng : Generator
        Draws.

    Returns
    -------
    ndarray of shape (n,), dtype int
        Rows, of different writers up to their number.
    """
    order = [writers[place] for place in rng.permutation(len(writers))]
    return np.array([rng.choice(rows[order[number % len(order)]]) for number in range(n)], dtype=int)


def _labelled(groups):
    labels = np.zeros(sum(map(len, groups)), dtype=np.float32)
    labels[: len(groups[0])] = 1
    return np.concatenate(groups), labels
