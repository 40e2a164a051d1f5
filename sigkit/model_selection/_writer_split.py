"""The cross-validator of writer-dependent verification."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from sigkit._utils import GENUINE, development_rows, listing, parse_target, signature_digest


class WriterSplit(BaseCrossValidator):
    """Split signatures into references and queries, a writer at a time.

    A training fold is what the system knows: all signatures of the development writers, and `n_references` genuine ones
    of each other writer. The test fold is what it is asked: `n_queries` other genuine signatures and all forgeries of
    those writers. Every split draws references and queries anew.

    Splits work on distinct images: of signatures of the same writer and kind that are equal (the bytes of their files,
    or the values of their arrays) one is used, so that no query is a copy of a reference. A writer with fewer than
    `n_references + n_queries` distinct genuine signatures gives half of them to each side, never more than asked, with
    a warning.

    Parameters
    ----------
    n_references : int, default=12
        Number of genuine signatures of each enrolled writer in the training fold.
    n_queries : int, default=10
        Number of genuine signatures of each enrolled writer in the test fold.
    dev_writers : iterable of writer ids or None, default=None
        The development writers, all of whose signatures are in every training fold.
    n_splits : int, default=10
        Number of splits.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    See Also
    --------
    sigkit.estimators.WriterDependentSVC : Enrolls the references and scores the queries.

    Notes
    -----
    The folds are no partition, so `sklearn.model_selection.cross_val_predict` does not work with this splitter;
    `cross_validate`, `GridSearchCV` and `learning_curve` do. The rows of a training fold stand in this order: the
    development writers', one reference of each enrolled writer, a second one of each, and so on. Its beginnings, that
    `learning_curve` trains on, are systems with fewer references, if they hold at least one of each writer.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.model_selection import WriterSplit
    >>> X = np.arange(12.0).reshape(-1, 1)
    >>> y = np.array([[writer, forgery] for writer in (1, 2, 3) for forgery in (0, 0, 0, 1)])
    >>> split = WriterSplit(n_references=2, n_queries=1, dev_writers=[1], n_splits=1, random_state=0)
    >>> [(train, test)] = split.split(X, y)
    >>> train, test
    (array([ 0,  1,  2,  3,  6, 10,  5,  8]), array([ 4,  7,  9, 11]))
    """

    def __init__(self, n_references=12, n_queries=10, dev_writers=None, n_splits=10, random_state=None):
        self.n_references = n_references
        self.n_queries = n_queries
        self.dev_writers = dev_writers
        self.n_splits = n_splits
        self.random_state = random_state

    def get_n_splits(self, X=None, y=None, groups=None):
        """Tell the number of splits.

        Parameters
        ----------
        X : object
            Ignored.
        y : object
            Ignored.
        groups : object
            Ignored.

        Returns
        -------
        int
            Number of splits.
        """
        return self.n_splits

    def split(self, X, y, groups=None):
        """Yield the rows of each training fold and test fold.

        Parameters
        ----------
        X : array-like of n_samples paths, images or rows of features
            Signatures; files are read to find copies.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`.
        groups : None
            Ignored; the writers stand in `y`.

        Yields
        ------
        train : ndarray of int
            Rows of the training fold.
        test : ndarray of int
            Rows of the test fold.

        Raises
        ------
        ValueError
            If a parameter is no positive number, `y` is missing or does not fit `X`, a development writer has no row,
            or a writer has fewer than two distinct genuine signatures; the writer is named.
        OSError
            If a file cannot be read.
        """
        for name in ("n_references", "n_queries", "n_splits"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name} must be a positive integer; found {value!r}.")
        writers, forgery = parse_target(y)
        if not hasattr(X, "__len__"):
            raise ValueError(f"X must be paths, images or rows of features; found {type(X).__name__}.")
        if len(X) != len(writers):
            raise ValueError(f"X has {len(X)} signatures, but y has {len(writers)} rows.")
        is_dev = development_rows(writers, self.dev_writers)
        if is_dev.all():
            raise ValueError("Every writer of y is a development writer, so nobody is left to enroll.")
        distinct = _first_copies(X, writers, forgery, np.nonzero(~is_dev)[0])
        enrolled = np.unique(writers[~is_dev]).tolist()
        genuine = {
            writer: distinct[(writers[distinct] == writer) & (forgery[distinct] == GENUINE)] for writer in enrolled
        }
        forged = distinct[forgery[distinct] != GENUINE]
        n_references = self._count_references(genuine)

        rng = check_random_state(self.random_state)
        for _ in range(self.n_splits):
            references, queries = [], [forged]
            for writer, rows in genuine.items():
                drawn = rng.permutation(rows)
                references.append(drawn[: n_references[writer]])
                queries.append(drawn[n_references[writer] :][: self.n_queries])
            yield np.concatenate([np.nonzero(is_dev)[0], _in_turn(references)]), np.sort(np.concatenate(queries))

    def _count_references(self, genuine):
        """Decide how many references each writer gives, and warn of those with too few signatures."""
        without = [writer for writer, rows in genuine.items() if len(rows) < 2]
        if without:
            raise ValueError(
                "Writers with fewer than two distinct genuine signatures cannot be split: "
                f"{listing(map(repr, without))}. Add signatures of theirs, leave them out, or make them development "
                "writers."
            )
        wanted = self.n_references + self.n_queries
        short = {writer: len(rows) for writer, rows in genuine.items() if len(rows) < wanted}
        if short:
            found = [f"{writer!r} ({count})" for writer, count in short.items()]
            warnings.warn(
                f"{len(short)} of {len(genuine)} writers have fewer than {self.n_references} + {self.n_queries} "
                f"distinct genuine signatures and give half to each side: {listing(found)}.",
                UserWarning,
                stacklevel=3,
            )
        return {
            writer: min(self.n_references, len(rows) // 2) if writer in short else self.n_references
            for writer, rows in genuine.items()
        }


def _first_copies(X, writers, forgery, rows):
    """Keep the first of the rows that show the same image of the same writer and kind."""
    first = {}
    for row in rows.tolist():
        first.setdefault((writers[row], forgery[row], signature_digest(X, row)), row)
    return np.array(sorted(first.values()), dtype=int)


def _in_turn(references):
    """Deal the references of all writers out: one of each, then a second one of each."""
    turns = np.concatenate([np.arange(len(rows)) for rows in references])
    return np.concatenate(references)[np.argsort(turns, kind="stable")]
