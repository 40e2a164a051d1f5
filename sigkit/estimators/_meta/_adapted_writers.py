"""The writers that a meta-learner is adapted to."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from sigkit.estimators._enrolled import EnrolledChecks, joined


@dataclass(frozen=True, eq=False)
class AdaptedWriters(EnrolledChecks):
    """The enrolled writers at one moment; it never changes, so that who reads it sees a single state.

    Parameters
    ----------
    classes : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted.
    known : dict of writer id to (PackedImages or dict of str to Tensor)
        A writer's references, or the adapted weights.
    dev_writers : frozenset of writer ids
        The development writers, who cannot be enrolled.
    others : RandomForgeries
        What stands for other people in every adaptation.
    """

    classes: np.ndarray
    known: dict
    dev_writers: frozenset
    others: "RandomForgeries"

    def enrolling(self, kept):
        """Make another set with more writers, or with the same ones anew.

        Parameters
        ----------
        kept : dict of writer id to (PackedImages or dict of str to Tensor)
            What is kept of each.

        Returns
        -------
        AdaptedWriters
            The new set.
        """
        new = np.array(sorted(kept))
        return replace(self, classes=joined(self.classes, new), known=self.known | kept)

    def removing(self, writers):
        """Make another set without some writers.

        Parameters
        ----------
        writers : set of writer ids
            Enrolled writers.

        Returns
        -------
        AdaptedWriters
            The new set.
        """
        kept = {writer: what for writer, what in self.known.items() if writer not in writers}
        stay = ~np.isin(self.classes, list(writers))
        return replace(self, classes=self.classes[stay], known=kept, others=self.others.without(writers))


@dataclass(frozen=True)
class PackedImages:
    """Images in the memory that their ink takes.

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
            Images.

        Returns
        -------
        PackedImages
            The same, packed.
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


@dataclass(frozen=True, eq=False)
class RandomForgeries:
    """Genuine signatures of other people, the same for every writer but for the writer's own.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), dtype uint8
        The signatures.
    owners : ndarray of shape (n_images,), dtype object
        Whose they are.
    n_used : int
        How many an adaptation takes.
    """

    images: np.ndarray
    owners: np.ndarray
    n_used: int

    def against(self, writer):
        """Choose those that stand against a writer.

        Parameters
        ----------
        writer : int or str
            The writer.

        Returns
        -------
        ndarray of int
            Rows of the images.

        Raises
        ------
        ValueError
            If there are none.
        """
        chosen = np.flatnonzero(self.owners != writer)[: self.n_used]
        if self.n_used and not len(chosen):
            raise ValueError(
                f"There is nobody whose signatures are random forgeries for the writer {writer!r}: fit with other "
                "writers or dev_writers, or set n_random_forgeries=0."
            )
        return chosen

    def without(self, writers):
        """Leave out what is of some writers.

        Parameters
        ----------
        writers : set of writer ids
            The writers.

        Returns
        -------
        RandomForgeries
            The others.
        """
        stay = np.array([owner not in writers for owner in self.owners.tolist()], dtype=bool)
        return replace(self, images=self.images[stay], owners=self.owners[stay])
