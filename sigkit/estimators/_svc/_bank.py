"""The negatives, stored once for all writers."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from sklearn.preprocessing import StandardScaler

from sigkit._utils import content_digest, filters_lock
from sigkit.estimators._svc._kernel import squared_norms


@dataclass(frozen=True, eq=False)
class NegativeBank:
    """Standardized features of the signatures that serve as negatives.

    A bank is immutable: methods that add or withdraw negatives return a new one. Rows keep their numbers, because the
    models of the writers refer to their support vectors by row number.

    Parameters
    ----------
    center : ndarray of shape (n_features,)
        Subtracted from features. It changes no score: the RBF kernel depends on differences, and the intercept of a
        linear SVM compensates for it. It keeps single precision accurate. It is a median, which outliers do not move.
    scale : ndarray of shape (n_features,)
        Features are divided by it.
    rows : ndarray of shape (n_rows, n_features)
        The negatives, `(features - center) / scale`.
    owners : ndarray of shape (n_rows,), dtype object
        The enrolled writer whose reference a row is; None for signatures of development writers.
    active : ndarray of shape (n_rows,), dtype bool
        Whether a row is a negative for writers who are enrolled from now on.
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
    active: np.ndarray
    n_dev: int
    squared_norms: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        # A frozen dataclass refuses plain assignment.
        object.__setattr__(self, "squared_norms", squared_norms(self.rows))

    @classmethod
    def from_development(cls, samples, negatives, *, divide=True):
        """Make a bank of the signatures of development writers.

        Parameters
        ----------
        samples : ndarray of shape (n_samples, n_features)
            Features whose median and standard deviation become `center` and `scale`.
        negatives : ndarray of shape (n_negatives, n_features)
            Features of the development writers' signatures: negatives for every writer.
        divide : bool, default=True
            Whether features are divided by their standard deviation.

        Returns
        -------
        NegativeBank
            The bank.
        """
        center = np.median(samples, axis=0).astype(np.float64)
        scale = standard_deviation(samples) if divide else np.ones_like(center)
        empty = cls(center, scale, samples[:0], np.empty(0, dtype=object), np.empty(0, dtype=bool), 0)
        negatives = empty.standardise(negatives)
        return replace(empty.with_rows(negatives, np.full(len(negatives), None)), n_dev=len(negatives))

    def standardise(self, X):
        """Transform features to the scale and the precision of the bank.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            `(X - center) / scale`.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            standard = X - self.center.astype(X.dtype)
            standard /= self.scale.astype(X.dtype)
            return standard.astype(self.rows.dtype, copy=False)

    def with_rows(self, rows, owners, *, active=True):
        """Return a bank with additional rows.

        Parameters
        ----------
        rows : ndarray of shape (n_samples, n_features)
            Features, on the scale of the bank.
        owners : ndarray of shape (n_samples,), dtype object
            The writers whose references they are; None for no enrolled writer.
        active : bool, default=True
            Whether they are negatives for writers who are enrolled from now on.

        Returns
        -------
        NegativeBank
            The larger bank.
        """
        return replace(
            self,
            rows=np.concatenate([self.rows, rows]),
            owners=np.concatenate([self.owners, owners]),
            active=np.concatenate([self.active, np.full(len(rows), active)]),
        )

    def without_owners(self, writers):
        """Return a bank in which the references of some writers are no longer active.

        The rows stay, because models of other writers may refer to them.

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
        stay = self.active & ~np.array([owner in writers for owner in self.owners])
        # The same object shows that models of other writers remain valid.
        return self if (stay == self.active).all() else replace(self, active=stay)

    def negatives_for(self, writer):
        """Find the negatives for a writer.

        Parameters
        ----------
        writer : int or str
            The writer.

        Returns
        -------
        ndarray of shape (n_rows,), dtype bool
            True for active rows that are not the writer's own references.
        """
        if self.n_dev == len(self.rows):
            return self.active
        return self.active & (self.owners != writer)

    def is_covered_by(self, own, eligible):
        """Check whether every negative equals a reference, so that the negatives say nothing about other people.

        Parameters
        ----------
        own : ndarray of shape (n_references, n_features)
            References of a writer, on the scale of the bank.
        eligible : ndarray of shape (n_rows,), dtype bool
            The negatives for this writer.

        Returns
        -------
        bool
            True if all negatives equal references, but for the rounding of a network in single precision.
        """
        # Features of one image differ by about 1e-7 of the usual size of features, if the batches differ. Features that
        # are not scaled have no usual size.
        tolerance = 2e-6 * (np.abs(own + (self.center / self.scale).astype(own.dtype)) + (self.scale != 1))
        # In blocks: nearly always the first one has a negative that equals no reference.
        rows = np.flatnonzero(eligible)
        return all(
            (np.abs(self.rows[rows[first : first + 8], None] - own) <= tolerance).all(axis=2).any(axis=1).all()
            for first in range(0, len(rows), 8)
        )

    def select(self, kept):
        """Return a bank with some of the rows.

        Parameters
        ----------
        kept : ndarray of shape (n_rows,), dtype bool
            The rows to keep, among them all of development writers.

        Returns
        -------
        NegativeBank
            The smaller bank, with renumbered rows.
        """
        return replace(self, rows=self.rows[kept], owners=self.owners[kept], active=self.active[kept])

    def of_development(self):
        """Return the bank without references of enrolled writers.

        Returns
        -------
        NegativeBank
            The bank, with the rows of development writers only.
        """
        return self if len(self.rows) == self.n_dev else self.select(np.arange(len(self.rows)) < self.n_dev)

    @cached_property
    def sums(self):
        """Sums of the active rows and of their squares, in double precision: two arrays of (n_features,)."""
        total, of_squares = np.zeros((2, self.rows.shape[1]))
        # In blocks, because a copy of the whole bank in double precision would take twice its memory.
        for part in range(0, len(self.rows), 1024):
            rows = self.rows[part : part + 1024][self.active[part : part + 1024]].astype(np.float64)
            total += rows.sum(axis=0)
            of_squares += np.einsum("ij,ij->j", rows, rows)
        return total, of_squares

    @cached_property
    def fingerprint(self):
        """Digest of everything that a writer's model depends on, except the references of other writers."""
        parts = (self.center, self.scale, self.rows[: self.n_dev])
        return content_digest("".join(map(content_digest, parts)).encode())

    def __sizeof__(self):
        # dask asks for the size; it sends large objects once per worker instead of once per task.
        arrays = (self.center, self.scale, self.rows, self.owners, self.active, self.squared_norms)
        return object.__sizeof__(self) + sum(array.nbytes for array in arrays)


def standard_deviation(X):
    """Compute the divisors of features: their standard deviation, and 1 for constant features.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.

    Returns
    -------
    ndarray of shape (n_features,)
        The divisors.
    """
    with filters_lock:
        return StandardScaler(with_mean=False).fit(X).scale_.astype(np.float64)
