"""The random forgeries of the adaptations."""

from dataclasses import dataclass, replace

import numpy as np

from sigkit._utils import by_writer
from sigkit.training import draw_from_each


@dataclass(frozen=True, eq=False)
class RandomForgeries:
    """Genuine signatures that are random forgeries for every writer except their own.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), dtype uint8
        The signatures.
    owners : ndarray of shape (n_images,), dtype object
        The writer of each; None for development writers.
    active : ndarray of shape (n_images,), dtype bool
        Whether writers who are enrolled from now on are adapted to a signature.
    n_used : int
        Number of signatures in an adaptation.
    """

    images: np.ndarray
    owners: np.ndarray
    active: np.ndarray
    n_used: int

    def against(self, writer):
        """Choose the random forgeries for a writer.

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
        chosen = np.flatnonzero(self.active & (self.owners != writer))[: self.n_used]
        if self.n_used and not len(chosen):
            raise ValueError(
                f"There are no random forgeries for the writer {writer!r}: fit with other writers or dev_writers, or "
                "set n_random_forgeries=0."
            )
        return chosen

    def without(self, writers):
        """Use the signatures of some writers in no further adaptation.

        Parameters
        ----------
        writers : set of writer ids
            The writers.

        Returns
        -------
        RandomForgeries
            The same images, fewer of them active.
        """
        removed = np.array([owner in writers for owner in self.owners.tolist()], dtype=bool)
        stay = self.active & ~removed
        # The same object shows that models of other writers remain valid.
        return self if (stay == self.active).all() else replace(self, active=stay)

    def select(self, kept):
        """Return some of the images.

        Parameters
        ----------
        kept : ndarray of shape (n_images,), dtype bool
            The images to keep.

        Returns
        -------
        RandomForgeries
            The images, with new numbers.
        """
        return replace(self, images=self.images[kept], owners=self.owners[kept], active=self.active[kept])


def draw_random_forgeries(development, X, writers, n_used, seed):
    """Draw random forgeries from development writers, or from the enrolled writers if there are none.

    Parameters
    ----------
    development : DevelopmentSet
        Signatures of the development writers.
    X : ndarray of shape (n_references, height, width)
        References of the writers that are enrolled.
    writers : ndarray of shape (n_references,)
        Their writers.
    n_used : int
        Number of signatures in an adaptation.
    seed : int
        Seed of the draw.

    Returns
    -------
    RandomForgeries
        The signatures.

    Raises
    ------
    ValueError
        If there is only one writer.
    """
    rng = np.random.default_rng(seed)
    if development.genuine:
        rows = draw_from_each(development.genuine, list(development.genuine), n_used, rng)
        return RandomForgeries(development.images[rows], np.full(len(rows), None), np.ones(len(rows), bool), n_used)
    peers = by_writer(np.arange(len(X)), writers)
    if n_used and len(peers) < 2:
        raise ValueError(
            f"MetaLearnedVerifier adapts to n_random_forgeries={n_used} signatures of others, but y holds one "
            f"class only, the writer {next(iter(peers))!r}, and dev_writers is None. Add other writers, name "
            "dev_writers, or set n_random_forgeries=0."
        )
    # Twice as many, because a writer's own signatures are left out.
    rows = draw_from_each(peers, list(peers), 2 * n_used, rng)
    return RandomForgeries(X[rows], writers[rows].astype(object), np.ones(len(rows), bool), n_used)
