"""The enrolled writers."""

from dataclasses import dataclass, replace

import numpy as np

from sigkit._utils import map_parallel, progress
from sigkit.estimators._enrolled import EnrolledChecks, by_writer, joined
from sigkit.estimators._svc._bank import NegativeBank
from sigkit.estimators._svc._fit_writer import Settings, fit_writer, kernel_among
from sigkit.estimators._svc._kernel import Kernel
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel

GRAM_BLOCK = 1024
# About as many columns of the kernel among the negatives does a writer take where they are computed one by one.
COLUMNS_A_WRITER = 400


@dataclass(frozen=True, eq=False)
class Gallery(EnrolledChecks):
    """The enrolled writers at one moment, and all that enrollment depends on.

    It never changes: what enrolls or removes writers makes another, so that who reads one sees a single state.

    Parameters
    ----------
    bank : NegativeBank
        The negatives.
    classes : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted.
    models : dict of writer id to RbfModel or LinearModel
        Their models.
    settings : Settings
        Parameters of the support vector machines.
    dev_writers : frozenset of writer ids
        The development writers.
    n_peers : int or None
        How many references of each writer are negatives for the others; None for all.
    seed : int
        Draws those that are.
    """

    bank: NegativeBank
    classes: np.ndarray
    models: dict[int | str, RbfModel | LinearModel]
    settings: Settings
    dev_writers: frozenset
    n_peers: int | None
    seed: int

    def enrolling(self, X, writers, rng, *, max_bytes, n_jobs, verbose):
        """Make a gallery with more writers, or with the same ones anew.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features of references.
        writers : ndarray of shape (n_samples,)
            Whose they are.
        rng : RandomState
            Draws the references that are negatives for others.
        max_bytes : float
            How much memory the kernel among the negatives may take.
        n_jobs, verbose : int
            As in `WriterDependentSVC`.

        Returns
        -------
        Gallery
            The new gallery.
        """
        references = {writer: X[rows] for writer, rows in by_writer(np.arange(len(X)), writers).items()}
        bank = self.bank.withdrawing(set(references))
        if self.n_peers != 0:
            peers = [draw_rows(own, self.n_peers, rng) for own in references.values()]
            owners = np.repeat(np.array([*references], dtype=object), [len(own) for own in peers])
            bank = bank.adding(np.concatenate([X[:0], *peers]), owners)
            for writer in references:
                if not bank.negatives_for(writer).any():
                    raise ValueError(f"There is nobody whose signatures are negatives for the writer {writer!r}.")
        gram = self._make_gram(bank, len(references), max_bytes, n_jobs)
        fitted = map_parallel(
            fit_writer, list(references.items()), bank, gram, self.settings, n_jobs=n_jobs, prefer="threads"
        )
        models = dict(progress(fitted, len(references), "enrolling", verbose))
        models = {writer: models[position] for position, writer in enumerate(references)}
        return replace(
            self, bank=bank, classes=joined(self.classes, np.unique(writers)), models=self.models | models
        ).compacted()

    def removing(self, writers):
        """Make a gallery without some writers.

        Parameters
        ----------
        writers : set of writer ids
            Enrolled writers.

        Returns
        -------
        Gallery
            The new gallery.
        """
        stay = ~np.isin(self.classes, list(writers))
        models = {writer: model for writer, model in self.models.items() if writer not in writers}
        bank = self.bank.withdrawing(writers)
        return replace(self, bank=bank, classes=self.classes[stay], models=models).compacted()

    def taking_in(self, writer, model, bank):
        """Make a gallery with a writer's model that was fitted elsewhere.

        Parameters
        ----------
        writer : ndarray of shape (1,)
            The writer.
        model : RbfModel or LinearModel
            The model.
        bank : NegativeBank
            The negatives, with those of the model.

        Returns
        -------
        Gallery
            The new gallery.
        """
        [name] = writer.tolist()
        models, bank = self.models | {name: model}, bank.withdrawing({name})
        return replace(self, bank=bank, classes=joined(self.classes, writer), models=models).compacted()

    def compacted(self):
        """Make a gallery whose bank has no rows that nobody needs, once they are the most.

        Returns
        -------
        Gallery
            The same gallery, or one with other numbers of the rows.
        """
        bank = self.bank
        if bank.teaches.sum() * 2 > len(bank.rows) or isinstance(next(iter(self.models.values()), None), LinearModel):
            return self
        needed = bank.teaches.copy()
        needed[: bank.n_dev] = True
        for model in self.models.values():
            needed[model.rows] = True
        if needed.sum() * 2 > len(needed):
            return self
        number = np.cumsum(needed, dtype=np.int32) - 1
        models = {writer: model._replace(rows=number[model.rows]) for writer, model in self.models.items()}
        return replace(self, bank=bank.keeping(needed), models=models)

    @property
    def known(self):
        """Models by writer."""
        return self.models

    def _make_gram(self, bank, n_writers, max_bytes, n_jobs):
        """Compute the kernel among the negatives, if it is the same for all, fits, and is worth it."""
        n = len(bank.rows)
        too_large = n * n * bank.rows.itemsize > max_bytes
        if self.settings.scaling == "writer" or too_large or n_writers * COLUMNS_A_WRITER < n:
            return None
        kernel = Kernel(self.settings.gamma if self.settings.kernel == "rbf" else None)
        gram = np.empty((n, n), dtype=bank.rows.dtype)
        parts = [(start, start + GRAM_BLOCK) for start in range(0, n, GRAM_BLOCK)]
        for position, block in map_parallel(kernel_among, parts, bank, kernel, n_jobs=n_jobs, prefer="threads"):
            first, last = parts[position]
            gram[first:last, first:] = block
            gram[first:, first:last] = block.T
        return gram


def draw_rows(rows, n, rng):
    """Draw some rows without replacement.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Rows.
    n : int or None
        How many; None for all.
    rng : RandomState
        Draws.

    Returns
    -------
    ndarray of shape (n_drawn, n_features)
        The drawn ones in their order; all where there are fewer.
    """
    if n is None or len(rows) <= n:
        return rows
    return rows[np.sort(rng.choice(len(rows), n, replace=False))]
