"""The cross-validator of writer-dependent verification."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from sigkit._utils import (
    GENUINE,
    check_ordered,
    development_rows,
    distinct_signatures,
    listing,
    own_random_state,
    parse_target,
    warn,
)


class WriterSplit(BaseCrossValidator):
    """Split signatures into references and queries of each enrolled writer.

    A training fold contains what a system knows: all signatures of the development writers, and `n_references` genuine
    signatures of each other writer. The test fold contains the queries: `n_queries` other genuine signatures and all
    forgeries of these writers. Each split draws new references and queries.

    Only distinct images are used. Of signatures of the same writer and kind with the same content (the bytes of the
    file, or the values of the array) one is kept, so that no query is a copy of a reference. A writer with fewer than
    `n_references + n_queries` distinct genuine signatures gives half of them to each fold (and never more than these
    numbers), with a warning.

    Parameters
    ----------
    n_references : int, default=12
        Number of genuine signatures of each enrolled writer in the training fold.
    n_queries : int, default=10
        Number of genuine signatures of each enrolled writer in the test fold.
    dev_writers : iterable of writer ids or None, default=None
        The development writers, whose signatures are all in every training fold.
    n_splits : int, default=10
        Number of splits.
    random_state : int, RandomState instance or None, default=None
        Seed of the random draws; None takes a new one in each call of `split`.

    See Also
    --------
    sigkit.estimators.WriterDependentSVC : Verifier that enrolls the references and scores the queries.

    Notes
    -----
    The folds are not a partition of the signatures, so :func:`sklearn.model_selection.cross_val_predict` does not work
    with this splitter; `cross_validate`, `GridSearchCV` and `learning_curve` do. The rows of a training fold are
    ordered: first those of the development writers, then one reference of each enrolled writer, then a second one of
    each, and so on. :func:`sklearn.model_selection.learning_curve` trains on the first rows of a fold, which are thus
    systems with fewer references per writer, provided that they contain at least one of each.

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
        """Return the number of splits.

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
        """Generate the row indices of training and test folds.

        Parameters
        ----------
        X : array-like of n_samples paths, images or rows of features
            Signatures; files are read to find duplicates.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`.
        groups : None
            Ignored; the writers are in `y`.

        Yields
        ------
        train : ndarray of int
            Row indices of the training fold.
        test : ndarray of int
            Row indices of the test fold.

        Raises
        ------
        ValueError
            If a parameter is not a positive integer, if `y` is missing or has another length than `X`, if a development
            writer has no row, or if a writer has fewer than two distinct genuine signatures.
        OSError
            If a file cannot be read, or is a folder, a named pipe or a device.
        """
        for name in ("n_references", "n_queries", "n_splits"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name} must be a positive integer; found {value!r}.")
        writers, forgery = parse_target(y)
        check_ordered(X)
        if not hasattr(X, "__len__"):
            raise ValueError(f"X must be paths, images or rows of features; found {type(X).__name__}.")
        if len(X) != len(writers):
            raise ValueError(f"X has {len(X)} signatures, but y has {len(writers)} rows.")
        is_dev = development_rows(writers, self.dev_writers)
        if is_dev.all():
            raise ValueError("Every writer of y is a development writer, so no writer is left to enroll.")
        distinct = distinct_signatures(X, writers, forgery, np.nonzero(~is_dev)[0])
        enrolled = np.unique(writers[~is_dev]).tolist()
        genuine = {
            writer: distinct[(writers[distinct] == writer) & (forgery[distinct] == GENUINE)] for writer in enrolled
        }
        forged = distinct[forgery[distinct] != GENUINE]
        n_references = self._count_references(genuine)

        # Made here and not in __init__, so that an integer seed gives the same splits in every call.
        rng = own_random_state(self.random_state)
        for _ in range(self.n_splits):
            references, queries = [], [forged]
            for writer, rows in genuine.items():
                drawn = rng.permutation(rows)
                references.append(drawn[: n_references[writer]])
                queries.append(drawn[n_references[writer] :][: self.n_queries])
            yield np.concatenate([np.nonzero(is_dev)[0], _interleave(references)]), np.sort(np.concatenate(queries))

    def _count_references(self, genuine):
        """Determine the number of references of each writer, and warn about writers with too few signatures."""
        without = [writer for writer, rows in genuine.items() if len(rows) < 2]
        if without:
            raise ValueError(
                "Writers with fewer than two distinct genuine signatures cannot be split: "
                f"{listing(map(repr, without))}. Add signatures of these writers, leave them out, or make them "
                "development writers."
            )
        wanted = self.n_references + self.n_queries
        short = {writer: len(rows) for writer, rows in genuine.items() if len(rows) < wanted}
        if short:
            found = [f"{writer!r} ({count})" for writer, count in short.items()]
            warn(
                f"{len(short)} of {len(genuine)} writers have fewer than {self.n_references} + {self.n_queries} "
                f"distinct genuine signatures and give half to each fold: {listing(found)}."
            )
        return {
            writer: min(self.n_references, len(rows) // 2) if writer in short else self.n_references
            for writer, rows in genuine.items()
        }


def _interleave(references):
    """Order the references of all writers: the first of each, then the second of each, and so on."""
    turns = np.concatenate([np.arange(len(rows)) for rows in references])
    return np.concatenate(references)[np.argsort(turns, kind="stable")]
