"""Tasks of a meta-training: a support set to adapt to and a query set to score, of one development writer."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sigkit._utils import GENUINE, SKILLED, by_writer, content_digest, listing, warn


class Task(NamedTuple):
    """The task of one writer, by rows of the images.

    Parameters
    ----------
    references, queries : ndarray of int
        Rows of the support set (references and random forgeries), and of the query set.
    reference_labels, query_labels : ndarray of float32
        1 for genuine signatures of the writer, 0 for others.
    """

    references: np.ndarray
    reference_labels: np.ndarray
    queries: np.ndarray
    query_labels: np.ndarray


@dataclass(frozen=True)
class TaskSizes:
    """Number of signatures of each kind in a task.

    Parameters
    ----------
    n_references, n_random_forgeries : int
        In the support set: genuine signatures of the writer, and of others.
    n_query_genuine, n_query_random, n_query_skilled : int
        In the query set: genuine signatures of the writer, random forgeries, and skilled forgeries.
    """

    n_references: int
    n_random_forgeries: int
    n_query_genuine: int
    n_query_random: int
    n_query_skilled: int


def task_sizes(verifier, training):
    """Return the number of signatures of each kind in a task of a verifier.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        The verifier.
    training : MetaTraining
        The parameters of its training.

    Returns
    -------
    TaskSizes
        The numbers.
    """
    return TaskSizes(verifier.n_references, verifier.n_random_forgeries, *training.n_queries)


class DevelopmentSet:
    """The distinct signatures of development writers, without those labeled with two writers or two forgery kinds.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width)
        Images.
    writers, forgery : ndarray of shape (n_samples,)
        The writer and the forgery kind of each; simple forgeries are not used.
    validation_fraction : float, default=0.0
        Share of the writers that are held out.
    n_forgery_writers : int or None, default=None
        Number of the other writers whose skilled forgeries are used; None for all.
    seed : int, default=0
        Seed of both draws.

    Attributes
    ----------
    images : ndarray of shape (n_samples, height, width)
        The images.
    genuine, skilled : dict of writer id to ndarray of int
        Rows of each writer's genuine signatures, and of the skilled forgeries that are used, if there are any.
    training_writers, validation_writers : list of writer ids
        The writers that are trained on, and those held out to choose the best epoch, with all their forgeries.

    Raises
    ------
    ValueError
        If there are fewer than `n_forgery_writers` writers with forgeries.
    """

    def __init__(self, X, writers, forgery, validation_fraction=0.0, n_forgery_writers=None, seed=0):
        first, ambiguous = {}, set()
        for row in np.flatnonzero((forgery == GENUINE) | (forgery == SKILLED)).tolist():
            digest = content_digest(X[row])
            seen = first.setdefault(digest, row)
            if (writers[row], forgery[row]) != (writers[seen], forgery[seen]):
                ambiguous.add(digest)
        rows = np.array(sorted(row for digest, row in first.items() if digest not in ambiguous), dtype=int)
        rng = np.random.default_rng(seed)
        self.images = X
        self.genuine = by_writer(rows[forgery[rows] == GENUINE], writers)
        self.skilled = by_writer(rows[forgery[rows] == SKILLED], writers)
        known = list(self.genuine)
        n_validation = 0
        if validation_fraction and len(known) > 2:
            n_validation = min(max(1, round(validation_fraction * len(known))), len(known) - 2)
        self.validation_writers = sorted(known[place] for place in rng.permutation(len(known))[:n_validation])
        self.training_writers = [writer for writer in known if writer not in self.validation_writers]
        if n_forgery_writers is not None:
            forged = [writer for writer in self.training_writers if writer in self.skilled]
            if n_forgery_writers > len(forged):
                raise ValueError(
                    f"n_forgery_writers={n_forgery_writers}, but only {len(forged)} development writers outside the "
                    "validation have skilled forgeries in y. Lower it."
                )
            for place in rng.permutation(len(forged))[n_forgery_writers:]:
                del self.skilled[forged[place]]

    def training_rows(self):
        """Return the rows of the training images.

        Returns
        -------
        ndarray of int
            Rows of the training writers' genuine signatures and used forgeries, sorted.
        """
        parts = [
            part[writer] for part in (self.genuine, self.skilled) for writer in self.training_writers if writer in part
        ]
        return np.sort(np.concatenate(parts))

    def check(self, sizes):
        """Check that every writer has enough signatures for a task, and warn about tasks that will be smaller.

        Parameters
        ----------
        sizes : TaskSizes
            Number of signatures of each kind.

        Raises
        ------
        ValueError
            If there are fewer than two writers, one has no genuine signature left to score, or there is no skilled
            forgery.
        """
        if len(self.training_writers) < 2:
            raise ValueError(
                f"Meta-training needs at least 2 development writers, whose signatures are each other's random "
                f"forgeries; found {listing(map(repr, self.genuine)) or 'none whose images differ'}. Name more in "
                "dev_writers."
            )
        counts = {writer: len(rows) for writer, rows in self.genuine.items()}
        few = [f"{writer!r} ({count})" for writer, count in counts.items() if count <= sizes.n_references]
        if few:
            raise ValueError(
                f"A development writer needs more distinct genuine signatures than n_references={sizes.n_references}, "
                f"because some must be left to score; too few: {listing(few)}. Lower n_references, or leave these "
                "writers out of dev_writers."
            )
        if sizes.n_query_skilled and not self.skilled:
            raise ValueError(
                f"n_queries asks for {sizes.n_query_skilled} skilled forgeries in each task, but no development writer "
                "has any in y. Pass them with rows [writer, 1], or set the third number of n_queries to 0."
            )
        wanted = sizes.n_references + sizes.n_query_genuine
        shrunk = [f"{writer!r} ({count} genuine)" for writer, count in counts.items() if count < wanted]
        if shrunk:
            warn(
                f"{len(shrunk)} of {len(counts)} development writers have fewer than {sizes.n_references} + "
                f"{sizes.n_query_genuine} distinct genuine signatures; their tasks score those that exist: "
                f"{listing(shrunk)}."
            )
        counts_in_training = [counts[writer] for writer in self.training_writers]
        n_others = sum(counts_in_training) - max(counts_in_training)
        if n_others < sizes.n_random_forgeries + sizes.n_query_random:
            warn(
                f"Tasks need {sizes.n_random_forgeries} + {sizes.n_query_random} genuine signatures of other "
                f"development writers; there are {n_others} besides those of the writer with the most. Tasks use "
                "all of them, first in the support set."
            )
        lacking = [
            f"{writer!r} ({len(rows)} skilled)"
            for writer, rows in self.skilled.items()
            if len(rows) < sizes.n_query_skilled
        ]
        if lacking:
            warn(
                f"{len(lacking)} of {len(self.skilled)} development writers with skilled forgeries have fewer than "
                f"{sizes.n_query_skilled} distinct ones; their tasks score those that exist: {listing(lacking)}."
            )

    def draw_task(self, writer, sizes, rng):
        """Draw a task.

        Parameters
        ----------
        writer : int or str
            The writer; genuine signatures of the other training writers are random forgeries.
        sizes : TaskSizes
            Number of signatures of each kind.
        rng : Generator
            Source of random numbers.

        Returns
        -------
        Task
            The task.
        """
        own = rng.permutation(self.genuine[writer])
        others = [other for other in self.training_writers if other != writer]
        others = draw_from_each(self.genuine, others, sizes.n_random_forgeries + sizes.n_query_random, rng)
        skilled = rng.permutation(self.skilled.get(writer, np.array([], dtype=int)))
        references = own[: sizes.n_references], others[: sizes.n_random_forgeries]
        queries = (
            own[sizes.n_references :][: sizes.n_query_genuine],
            others[sizes.n_random_forgeries :],
            skilled[: sizes.n_query_skilled],
        )
        return Task(*_labeled(references), *_labeled(queries))


def draw_from_each(rows, writers, n, rng):
    """Draw one signature of each writer, then a second one of each, and so on.

    Parameters
    ----------
    rows : dict of writer id to ndarray of int
        Rows of each writer's signatures.
    writers : list of writer ids
        The writers to draw from.
    n : int
        Number of signatures.
    rng : Generator
        Source of random numbers.

    Returns
    -------
    ndarray of shape (n_drawn,), dtype int
        Distinct rows; all rows if there are fewer than `n`.
    """
    order = [writers[place] for place in rng.permutation(len(writers))[:n]]
    shuffled = [rng.permutation(rows[writer]) for writer in order]
    most = max(map(len, shuffled), default=0)
    drawn = [own[turn] for turn in range(most) for own in shuffled if turn < len(own)]
    return np.array(drawn[:n], dtype=int)


def _labeled(groups):
    labels = np.zeros(sum(map(len, groups)), dtype=np.float32)
    labels[: len(groups[0])] = 1
    return np.concatenate(groups), labels
