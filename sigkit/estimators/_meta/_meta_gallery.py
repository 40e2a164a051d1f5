"""The writers enrolled in a meta-learned verifier."""

import zlib
from dataclasses import dataclass, replace

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
    known : dict of writer id to (PackedImages or dict of str to Tensor)
        The references of each writer, or the adapted weights.
    dev_writers : frozenset of writer ids
        The development writers, who cannot be enrolled.
    others : RandomForgeries
        The random forgeries of every adaptation.
    """

    classes: np.ndarray
    known: dict
    dev_writers: frozenset
    others: RandomForgeries

    def with_models(self, kept):
        """Return a state with more writers, or with new models of some.

        Parameters
        ----------
        kept : dict of writer id to (PackedImages or dict of str to Tensor)
            What is stored for each.

        Returns
        -------
        AdaptedWriters
            The new state.
        """
        new = np.array(sorted(kept))
        return replace(self, classes=joined(self.classes, new), known=self.known | kept)

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
        return replace(self, classes=self.classes[stay], known=kept, others=self.others.without(writers))


@dataclass(frozen=True)
class PackedImages:
    """Compressed images; the background takes almost no memory.

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
