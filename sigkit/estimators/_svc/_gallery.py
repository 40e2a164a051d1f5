"""The enrolled writers of a `WriterDependentSVC`."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sigkit._utils import by_writer, listing, map_parallel, progress, warn
from sigkit.estimators._enrolled import EnrolledChecks, joined, left_out, warn_single
from sigkit.estimators._marks import mark
from sigkit.estimators._svc._bank import NegativeBank
from sigkit.estimators._svc._check_finite import has_no_information
from sigkit.estimators._svc._fit_writer import FittedWriter, References, Settings, fit_writer, kernel_among
from sigkit.estimators._svc._kernel import Kernel
from sigkit.estimators._svc._stored_model import make_model
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel
from sigkit.estimators._verifier import report_no_information

# Rows of the kernel matrix that are computed per task.
GRAM_BLOCK = 1024
# The number of columns that `ComputedColumns` typically computes for one writer.
COLUMNS_PER_WRITER = 400


class FittedWriters(NamedTuple):
    """Writers who are to be enrolled.

    Parameters
    ----------
    found : dict of writer id to FittedWriter
        Their models.
    references : dict of writer id to References
        Their references.
    marks : dict of writer id to ndarray of shape (n_references, 64)
        The marks of the references.
    bank : NegativeBank
        The negatives; the models refer to its rows.
    """

    found: dict[int | str, FittedWriter]
    references: dict[int | str, References]
    marks: dict[int | str, np.ndarray]
    bank: NegativeBank


@dataclass(frozen=True, eq=False)
class Gallery(EnrolledChecks):
    """The enrolled writers at one moment, and everything that enrollment depends on.

    A gallery is immutable: methods that enroll or remove writers return a new one, so a thread that scores with a
    gallery sees one consistent state.

    Parameters
    ----------
    bank : NegativeBank
        The negatives.
    classes : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted.
    models : dict of writer id to RbfModel or LinearModel
        Their models.
    settings : Settings
        Parameters of the SVMs.
    dev_writers : frozenset of writer ids
        The development writers.
    n_peers : int or None
        How many references of each writer are negatives for the others; None for all.
    seed : int
        Seed of the choice of those references.
    references : dict of writer id to References
        The references of the writers; those who were loaded from a file have none.
    marks : dict of writer id to ndarray of shape (n_references, 64)
        Marks of the references, by which copies are recognized.
    """

    bank: NegativeBank
    classes: np.ndarray
    models: dict[int | str, RbfModel | LinearModel]
    settings: Settings
    dev_writers: frozenset
    n_peers: int | None
    seed: int
    references: dict[int | str, References] = field(default_factory=dict)
    marks: dict = field(default_factory=dict)

    def fit_writers(self, X, writers, rng, *, extend, max_bytes, n_jobs, verbose):
        """Fit the models of some writers.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features of references.
        writers : ndarray of shape (n_samples,)
            The writer of each reference.
        rng : RandomState
            Chooses the references that are negatives for others.
        extend : bool
            Whether the references that the writers have so far are kept.
        max_bytes : float
            Memory limit of the kernel matrix among the negatives.
        n_jobs, verbose : int
            As in `WriterDependentSVC`.

        Returns
        -------
        FittedWriters
            The models.
        """
        own, is_blank = self.bank.standardise(X), has_no_information(X)
        grouped = by_writer(np.arange(len(X)), writers)
        references = {writer: References(own[rows], is_blank[rows]) for writer, rows in grouped.items()}
        marks = {writer: mark(X[rows]) for writer, rows in grouped.items()}
        if extend:
            marks = {writer: np.concatenate([self.marks[writer], new]) for writer, new in marks.items()}
            references = {
                writer: References(*map(np.concatenate, zip(self.references[writer], new)))
                for writer, new in references.items()
            }
        bank = self.bank.without_owners(set(references))
        if self.n_peers != 0:
            peers = [draw_rows(own.rows, self.n_peers, rng) for own in references.values()]
            owners = np.repeat(np.array([*references], dtype=object), [len(own) for own in peers])
            bank = bank.with_rows(np.concatenate([bank.rows[:0], *peers]), owners)
            for writer in references:
                if not bank.negatives_for(writer).any():
                    raise ValueError(
                        f"There are no negatives for the writer {writer!r}: enroll other writers too, or fit with "
                        "dev_writers."
                    )
        gram = self._make_gram(bank, len(references), max_bytes, n_jobs)
        fitted = map_parallel(
            fit_writer, list(references.items()), bank, gram, self.settings, n_jobs=n_jobs, prefer="threads"
        )
        found = dict(progress(fitted, len(references), "enrolling", verbose))
        # Results come in the order of completion, so they are looked up by position.
        found = {writer: found[position] for position, writer in enumerate(references)}
        for writer, (model, _) in found.items():
            # The model holds its support vectors: mostly all references, which are then stored once.
            if isinstance(model, RbfModel) and len(model.references) == len(references[writer].rows):
                references[writer] = references[writer]._replace(rows=model.references)
        return FittedWriters(found, references, marks, bank)

    def with_writers(self, fitted):
        """Return a gallery in which some writers are enrolled, replacing their earlier enrollment.

        Parameters
        ----------
        fitted : FittedWriters
            Their models, which were fitted to the negatives of this gallery.

        Returns
        -------
        Gallery
            The new gallery.
        """
        _report(fitted.found)
        warn_single({writer: len(own.rows) for writer, own in fitted.references.items()})
        models = {writer: one.model for writer, one in fitted.found.items()}
        return replace(
            self,
            bank=fitted.bank,
            classes=joined(self.classes, np.array(sorted(models))),
            models=self.models | models,
            references=self.references | fitted.references,
            marks=self.marks | fitted.marks,
        ).compacted()

    def without(self, writers):
        """Return a gallery without some writers.

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
        models, references, marks = (left_out(kept, writers) for kept in (self.models, self.references, self.marks))
        bank = self.bank.without_owners(writers)
        return replace(
            self, bank=bank, classes=self.classes[stay], models=models, references=references, marks=marks
        ).compacted()

    def with_model(self, writer, model, bank):
        """Return a gallery with a model that was fitted elsewhere.

        Parameters
        ----------
        writer : ndarray of shape (1,)
            The writer.
        model : RbfModel or LinearModel
            The model.
        bank : NegativeBank
            The bank, including the negatives that came with the model.

        Returns
        -------
        Gallery
            The new gallery.
        """
        [name] = writer.tolist()
        references, marks = (left_out(kept, {name}) for kept in (self.references, self.marks))
        if isinstance(model, RbfModel) and len(model.references):
            marks[name] = mark(model.references * bank.scale + bank.center)
        return replace(
            self,
            bank=bank.without_owners({name}),
            classes=joined(self.classes, writer),
            models=self.models | {name: model},
            references=references,
            marks=marks,
        ).compacted()

    def model_to_export(self, writer):
        """Return the model of a writer, if it is worth a file.

        Parameters
        ----------
        writer : int or str
            The writer.

        Returns
        -------
        RbfModel or LinearModel
            The model.

        Raises
        ------
        ValueError
            If the writer is not enrolled, or the model has no information.
        """
        self.check_enrolled([writer], "A writer to export who is not enrolled")
        if not self.models[writer].has_information:
            raise ValueError(
                f"The model of the writer {writer!r} has no information. Enroll the writer again with other references."
            )
        return self.models[writer]

    def compacted(self):
        """Return a gallery whose bank has no unused rows, once they are half of the bank or more.

        Rows become unused when peers are removed or enrolled again. Dropping them renumbers the rows, which changes all
        models, so it is not done for each removal.

        Returns
        -------
        Gallery
            This gallery, or one with renumbered rows.
        """
        bank = self.bank
        # Linear models refer to no rows of the bank, which is not compacted for them.
        if bank.active.sum() * 2 > len(bank.rows) or isinstance(next(iter(self.models.values()), None), LinearModel):
            return self
        needed = bank.active.copy()
        needed[: bank.n_dev] = True
        for model in self.models.values():
            needed[model.rows] = True
        if needed.sum() * 2 > len(needed):
            return self
        number = np.cumsum(needed, dtype=np.int32) - 1
        models = {writer: model._replace(rows=number[model.rows]) for writer, model in self.models.items()}
        return replace(self, bank=bank.select(needed), models=models)

    def check_storable(self, name):
        """Check that models do not depend on the references of other writers.

        Parameters
        ----------
        name : str
            The class of the verifier, for the message.

        Raises
        ------
        ValueError
            If they do.
        """
        if self.n_peers != 0:
            raise ValueError(
                f"The negatives of this {name} are references of other enrolled writers, so its models cannot be "
                "stored one by one. Fit it with dev_writers, and n_peer_negatives=0."
            )

    def arrays_of(self, writer):
        """Return the model of a writer and the marks of the references as named arrays.

        Parameters
        ----------
        writer : int or str
            An enrolled writer, whose negatives are development writers.

        Returns
        -------
        dict of str to ndarray
            The arrays.
        """
        fields = self.models[writer]._asdict() | {"marks": self.marks.get(writer)}
        return {name: np.asarray(value) for name, value in fields.items() if value is not None}

    def holding(self, writers):
        """Return a gallery of exactly the writers with given arrays.

        Parameters
        ----------
        writers : dict of writer id to dict of str to ndarray
            What `arrays_of` returned, for these negatives.

        Returns
        -------
        Gallery
            The new gallery.

        Raises
        ------
        ValueError
            If the arrays are no model of such an SVM.
        """
        bank, models = self.bank.of_development(), {}
        for writer, arrays in writers.items():
            fields = {name: array for name, array in arrays.items() if name != "marks"}
            models[writer] = make_model(fields, bank, self.settings)
        marks = {writer: arrays["marks"] for writer, arrays in writers.items() if "marks" in arrays}
        classes = np.array(sorted(writers)) if writers else self.classes[:0]
        return replace(self, bank=bank, classes=classes, models=models, references={}, marks=marks)

    @property
    def learned(self):
        """The negatives and the parameters of the SVMs, as values that have a digest."""
        return [self.bank.fingerprint, *self.settings]

    @property
    def known(self):
        """Models by writer."""
        return self.models

    @property
    def base(self):
        """The negatives, on which all new models depend."""
        return self.bank

    def _make_gram(self, bank, n_writers, max_bytes, n_jobs):
        """Compute the kernel matrix among the negatives if it serves all writers, fits into memory and is worth it."""
        n = len(bank.rows)
        too_large = n * n * bank.rows.itemsize > max_bytes
        # With scaling="writer" each writer has another kernel. For a few writers, computing the columns that they need
        # is faster than the whole matrix.
        if self.settings.scaling == "writer" or too_large or n_writers * COLUMNS_PER_WRITER < n:
            return None
        kernel = Kernel(self.settings.gamma if self.settings.kernel == "rbf" else None)
        gram = np.empty((n, n), dtype=bank.rows.dtype)
        parts = [(start, start + GRAM_BLOCK) for start in range(0, n, GRAM_BLOCK)]
        for position, block in map_parallel(kernel_among, parts, bank, kernel, n_jobs=n_jobs, prefer="threads"):
            first, last = parts[position]
            gram[first:last, first:] = block
            gram[first:, first:last] = block.T
        return gram


def _report(found):
    """Warn about models without information and solutions that did not converge, or raise an error."""
    blind = [writer for writer, fitted in found.items() if not fitted.model.has_information]
    report_no_information(
        blind,
        len(found),
        "Their references equal the negatives, all features are 0, or the kernel cannot tell them apart. Check that "
        "the features differ between images, and gamma.",
    )
    unsolved = [repr(writer) for writer, fitted in found.items() if not fitted.converged]
    if unsolved:
        warn(
            f"The SVMs of {len(unsolved)} of {len(found)} writers did not converge: {listing(unsolved)}. Their scores "
            'are not those of the optimum. Scale the features (scaling="shared"), or choose a smaller C.',
            ConvergenceWarning,
        )


def draw_rows(rows, n, rng):
    """Draw rows without replacement.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Rows.
    n : int or None
        How many; None for all.
    rng : RandomState
        Random numbers.

    Returns
    -------
    ndarray of shape (n_drawn, n_features)
        The drawn rows in their original order; all if there are no more than `n`.
    """
    if n is None or len(rows) <= n:
        return rows
    return rows[np.sort(rng.choice(len(rows), n, replace=False))]
