"""The negatives, kept once for all writers."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from sklearn.preprocessing import StandardScaler

from sigkit._utils import content_digest
from sigkit.estimators._svc._kernel import squares


@dataclass(frozen=True, eq=False)
class NegativeBank:
    """Features of other people's signatures, around 0 and in units of their deviation.

    A bank never changes: what adds or withdraws negatives makes another. Rows keep their numbers, by which the writers'
    models name their support vectors.

    Parameters
    ----------
    center : ndarray of shape (n_features,)
        What is subtracted from features. It changes no score, for kernels of distances do not see it and the intercept
        of a linear one takes it up; it keeps single precision exact. A median, which no outlier moves.
    scale : ndarray of shape (n_features,)
        What features are divided by.
    rows : ndarray of shape (n_rows, n_features)
        The negatives, `(features - center) / scale`.
    owners : ndarray of shape (n_rows,), dtype object
        The enrolled writer whose reference a row is; None for signatures of development writers.
    teaches : ndarray of shape (n_rows,), dtype bool
        Whether a row is a negative for writers who enroll from now on.
    n_dev : int
        The number of rows of development writers, which come first.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> features = np.array([[0.0, 1], [0, 2], [3, 0], [4, 1]])
    >>> WriterDependentSVC().fit(features, ["ada", "ada", "bob", "bob"]).bank_.rows.shape
    (4, 2)
    """

    center: np.ndarray
    scale: np.ndarray
    rows: np.ndarray
    owners: np.ndarray
    teaches: np.ndarray
    n_dev: int
    squares: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "squares", squares(self.rows))

    @classmethod
    def of(cls, samples, negatives, *, divides=True):
        """Make a bank of development writers' signatures.

        Parameters
        ----------
        samples : ndarray of shape (n_samples, n_features)
            Features whose median and deviation standardise all others.
        negatives : ndarray of shape (n_negatives, n_features)
            Features of the development writers' signatures that are negatives for everybody.
        divides : bool, default=True
            Whether features are divided by their deviation.

        Returns
        -------
        NegativeBank
            The bank.
        """
        center = np.median(samples, axis=0).astype(np.float64)
        scale = deviation(samples) if divides else np.ones_like(center)
        empty = cls(center, scale, samples[:0], np.empty(0, dtype=object), np.empty(0, dtype=bool), 0)
        return replace(empty.adding(negatives, np.full(len(negatives), None)), n_dev=len(negatives))

    def standardise(self, X):
        """Bring features to the scale of the bank, and to its precision.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            `(X - center) / scale`.
        """
        standard = X - self.center.astype(X.dtype)
        standard /= self.scale.astype(X.dtype)
        return standard.astype(self.rows.dtype, copy=False)

    def adding(self, X, owners, *, teach=True):
        """Make a bank with more rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features.
        owners : ndarray of shape (n_samples,), dtype object
            The writers whose references they are; None for nobody's.
        teach : bool, default=True
            Whether they are negatives for writers who enroll from now on.

        Returns
        -------
        NegativeBank
            The longer bank.
        """
        return replace(
            self,
            rows=np.concatenate([self.rows, self.standardise(X)]),
            owners=np.concatenate([self.owners, owners]),
            teaches=np.concatenate([self.teaches, np.full(len(X), teach)]),
        )

    def withdrawing(self, writers):
        """Make a bank in which some writers' references are no negatives any more for writers who enroll from now on.

        Parameters
        ----------
        writers : set of writer ids
            The writers.

        Returns
        -------
        NegativeBank
            The bank, with the same rows.
        """
        if self.n_dev == len(self.rows):
            return self
        return replace(self, teaches=self.teaches & ~np.array([owner in writers for owner in self.owners]))

    def negatives_for(self, writer):
        """Tell which rows are negatives for a writer.

        Parameters
        ----------
        writer : int or str
            The writer.

        Returns
        -------
        ndarray of shape (n_rows,), dtype bool
            True for rows that teach and are not the writer's own.
        """
        if self.n_dev == len(self.rows):
            return self.teaches
        return self.teaches & (self.owners != writer)

    def keeping(self, kept):
        """Make a bank of some of the rows.

        Parameters
        ----------
        kept : ndarray of shape (n_rows,), dtype bool
            Which to keep; all of the development writers'.

        Returns
        -------
        NegativeBank
            The shorter bank; its rows have other numbers.
        """
        return replace(self, rows=self.rows[kept], owners=self.owners[kept], teaches=self.teaches[kept])

    @cached_property
    def sums(self):
        """Sums of the rows that teach and of their squares, in double precision: two arrays of (n_features,)."""
        total, of_squares = np.zeros((2, self.rows.shape[1]))
        for part in range(0, len(self.rows), 1024):
            rows = self.rows[part : part + 1024][self.teaches[part : part + 1024]].astype(np.float64)
            total += rows.sum(axis=0)
            of_squares += np.einsum("ij,ij->j", rows, rows)
        return total, of_squares

    @cached_property
    def fingerprint(self):
        """Digest of all that a model of a writer depends on beside the references of other writers."""
        parts = (self.center, self.scale, self.rows[: self.n_dev])
        return content_digest("".join(map(content_digest, parts)).encode())

    def __sizeof__(self):
        # Asked by dask, which sends large objects once a worker instead of once a task.
        arrays = (self.center, self.scale, self.rows, self.owners, self.teaches, self.squares)
        return object.__sizeof__(self) + sum(array.nbytes for array in arrays)


def deviation(X):
    """Tell what features are divided by: their standard deviation, and 1 where they are constant.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.

    Returns
    -------
    ndarray of shape (n_features,)
        The divisors.
    """
    return StandardScaler(with_mean=False).fit(X).scale_.astype(np.float64)
