"""The writers enrolled in a meta-learned verifier."""

import zlib
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch

from sigkit.estimators._enrolled import EnrolledChecks, joined, left_out
from sigkit.estimators._meta._random_forgeries import RandomForgeries
from sigkit.estimators._verifier import report_no_information
from sigkit.nets import restore_tensors, tensors_state

WHAT_TO_CHECK = (
    "Their references are blank or equal those of others, or the adaptation of the network diverges or gives the same "
    "scores to all images. Check the images and the weights."
)


@dataclass(frozen=True, eq=False)
class PackedImages:
    """Compressed references, whose background takes almost no memory.

    Parameters
    ----------
    packed : bytes
        The compressed pixels.
    shape : tuple of int
        Number, height and width of the images.
    """

    packed: bytes
    shape: tuple

    @classmethod
    def of(cls, images):
        """Pack images.

        Parameters
        ----------
        images : ndarray of shape (n_samples, height, width), dtype uint8
            The images.

        Returns
        -------
        PackedImages
            The packed images.
        """
        return cls(zlib.compress(np.ascontiguousarray(images)), images.shape)

    def unpack(self):
        """Unpack the images.

        Returns
        -------
        ndarray of shape (n_samples, height, width), dtype uint8
            The images, read-only.
        """
        return np.frombuffer(zlib.decompress(self.packed), dtype=np.uint8).reshape(self.shape)

    def __len__(self):
        return self.shape[0]


class StoredReferences(NamedTuple):
    """What a writer is adapted to at each claim.

    Parameters
    ----------
    images : PackedImages
        The references.
    forgeries : ndarray of int
        The random forgeries that were chosen when the writer was enrolled, as rows of the images.
    """

    images: PackedImages
    forgeries: np.ndarray


class FittedWriters(NamedTuple):
    """Writers who are to be enrolled.

    Parameters
    ----------
    kept : dict of writer id to (StoredReferences, dict of str to Tensor or None)
        What is stored for each.
    references : dict of writer id to PackedImages
        Their references.
    marks : dict of writer id to ndarray of shape (n_references, 64)
        The marks of the references.
    """

    kept: dict[int | str, StoredReferences | dict[str, torch.Tensor] | None]
    references: dict[int | str, PackedImages]
    marks: dict[int | str, np.ndarray]


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
    references : dict of writer id to PackedImages
        The references of each writer.
    marks : dict of writer id to ndarray of shape (n_references, 64)
        Marks of the references, by which copies are recognized.
    """

    classes: np.ndarray
    known: dict
    dev_writers: frozenset
    others: RandomForgeries
    references: dict[int | str, PackedImages] = field(default_factory=dict)
    marks: dict = field(default_factory=dict)

    def __getstate__(self):
        """Return the state, in which arrays stand for tensors."""
        known = {writer: tensors_state(what) if isinstance(what, dict) else what for writer, what in self.known.items()}
        return {**vars(self), "known": known}

    def __setstate__(self, state):
        """Set the state, with tensors for the arrays."""
        known = {
            writer: restore_tensors(what) if isinstance(what, dict) else what for writer, what in state["known"].items()
        }
        vars(self).update({**state, "known": known})

    @property
    def base(self):
        """The random forgeries, on which all new models depend."""
        return self.others

    def with_earlier(self, X, writers):
        """Put the references that writers have so far before new ones.

        Parameters
        ----------
        X : ndarray of shape (n_samples, height, width), dtype uint8
            New references.
        writers : ndarray of shape (n_samples,)
            Their writers, who are enrolled.

        Returns
        -------
        X, writers : ndarray of shape (n_references, height, width) and (n_references,)
            All references, and their writers.
        """
        earlier = {writer: self.references[writer].unpack() for writer in np.unique(writers).tolist()}
        owners = np.repeat(np.array([*earlier], dtype=writers.dtype), [len(own) for own in earlier.values()])
        return np.concatenate([*earlier.values(), X]), np.concatenate([owners, writers])

    def with_writers(self, fitted):
        """Return a state with more writers, or with new models of some.

        Parameters
        ----------
        fitted : FittedWriters
            What is stored for each, for the random forgeries of this state.

        Returns
        -------
        AdaptedWriters
            The new state.
        """
        kept, references, marks = fitted
        report_no_information([writer for writer, what in kept.items() if what is None], len(kept), WHAT_TO_CHECK)
        return replace(
            self,
            classes=joined(self.classes, np.array(sorted(kept))),
            known=self.known | kept,
            references=self.references | references,
            marks=self.marks | marks,
        ).compacted()

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
        known, references, marks = (left_out(kept, writers) for kept in (self.known, self.references, self.marks))
        stay = ~np.isin(self.classes, list(writers))
        others = self.others.without(writers)
        return replace(
            self, classes=self.classes[stay], known=known, others=others, references=references, marks=marks
        ).compacted()

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
            writer: references._replace(forgeries=number[references.forgeries]) for writer, references in stored.items()
        }
        return replace(self, known=self.known | renumbered, others=self.others.select(needed))
