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
    """

    classes: np.ndarray
    known: dict
    dev_writers: frozenset

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
        return replace(self, classes=self.classes[~np.isin(self.classes, list(writers))], known=kept)


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
