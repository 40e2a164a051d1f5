"""The writers enrolled in a meta-learned verifier."""

import zlib
from dataclasses import dataclass, field, replace

import numpy as np

from sigkit.estimators._enrolled import EnrolledChecks, joined
from sigkit.estimators._meta._random_forgeries import RandomForgeries


@dataclass(frozen=True, eq=False)
class AdaptedWriters(EnrolledChecks):
    """The enrolled writers, an immutable state that is replaced as a whole, so that threads see one state.

    Parameters
    ----------
    classes : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted.
    known : dict of writer id to (StoredReferences, dict of str to Tensor or None)
        The references of each writer, or the adapted weights. None if they have no information.
    dev_writers : frozenset of writer ids
        The development writers, who cannot be enrolled.
    others : RandomForgeries
        The random forgeries of every adaptation.
    marks : dict of writer id to ndarray of shape (n_references, 64)
        Marks of the references, by which copies are recognized.
    """

    classes: np.ndarray
    known: dict
    dev_writers: frozenset
    others: RandomForgeries
    marks: dict = field(default_factory=dict)

    def with_models(self, kept, marks):
        """Return a state with more writers, or with new models of some.

        Parameters
        ----------
        kept : dict of writer id to (StoredReferences, dict of str to Tensor or None)
            What is stored for each.
        marks : dict of writer id to ndarray of shape (n_references, 64)
            The marks of the references of each.

        Returns
        -------
        AdaptedWriters
            The new state.
        """
        new = np.array(sorted(kept))
        classes = joined(self.classes, new)
        return replace(self, classes=classes, known=self.known | kept, marks=self.marks | marks).compacted()

    def without(self, writers):
        """Return a state without some writers.

        Parameters
        ----------
        writers : set of writer ids
            Enrolled writers.

        Returns
        -------
        AdaptedWriters
            The new state.
        """
        kept = {writer: what for writer, what in self.known.items() if writer not in writers}
        stay = ~np.isin(self.classes, list(writers))
        others = self.others.without(writers)
        marks = {writer: own for writer, own in self.marks.items() if writer not in writers}
        return replace(self, classes=self.classes[stay], known=kept, others=others, marks=marks).compacted()

    def compacted(self):
        """Drop the random forgeries that are not active, and to which no stored writer is adapted.

        Returns
        -------
        AdaptedWriters
            The state, with new numbers of the random forgeries.
        """
        stored = {writer: what for writer, what in self.known.items() if isinstance(what, StoredReferences)}
        needed = self.others.active.copy()
        for references in stored.values():
            needed[references.forgeries] = True
        if needed.all():
            return self
        number = np.cumsum(needed) - 1
        renumbered = {
            writer: replace(references, forgeries=number[references.forgeries]) for writer, references in stored.items()
        }
        return replace(self, known=self.known | renumbered, others=self.others.select(needed))


@dataclass(frozen=True, eq=False)
class StoredReferences:
    """What a writer is adapted to at each claim: compressed references, whose background takes almost no memory.

    Parameters
    ----------
    packed : bytes
        The compressed pixels of the references.
    shape : tuple of int
        Number, height and width of the references.
    forgeries : ndarray of int
        The random forgeries that were chosen when the writer was enrolled, as rows of the images.
    """

    packed: bytes
    shape: tuple
    forgeries: np.ndarray

    @classmethod
    def of(cls, images, forgeries):
        """Pack references.

        Parameters
        ----------
        images : ndarray of shape (n_samples, height, width), dtype uint8
            The references.
        forgeries : ndarray of int
            The random forgeries.

        Returns
        -------
        StoredReferences
            The packed references.
        """
        return cls(zlib.compress(np.ascontiguousarray(images)), images.shape, forgeries)

    def unpack(self):
        """Unpack the references.

        Returns
        -------
        ndarray of shape (n_samples, height, width), dtype uint8
            The references, read-only.
        """
        return np.frombuffer(zlib.decompress(self.packed), dtype=np.uint8).reshape(self.shape)
