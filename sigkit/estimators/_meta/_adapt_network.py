"""Adaptation of the network of a meta-learned verifier to references, and scores of queries."""

import copy
from contextlib import nullcontext
from functools import cached_property

import numpy as np
import torch

from sigkit._utils import freed_memory_kept
from sigkit.estimators._meta._meta_gallery import StoredReferences
from sigkit.nets import choose_device, network_input


class Diverged(ValueError):
    """The weights that are adapted to a writer are not finite."""


class Adaptation:
    """A copy of the network of a fitted verifier, on its device and used by one thread.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        The verifier; its network, device and batch size.
    others : RandomForgeries
        The random forgeries.
    device : torch.device or None, default=None
        The device; None takes that of the verifier.
    """

    def __init__(self, verifier, others, device=None):
        self.device = choose_device(verifier.device if device is None else device)
        # `functional_call` changes a module while it runs, so threads cannot share one.
        self.learner = copy.deepcopy(verifier.learner_).to(self.device)
        self.batch_size = verifier.batch_size
        self.others = others
        self.blind = []

    def adapt(self, writer, references, forgeries):
        """Adapt the weights to a writer.

        Parameters
        ----------
        writer : int or str
            The writer, for messages.
        references : ndarray of shape (n_references, height, width), dtype uint8
            The references.
        forgeries : ndarray of int
            The random forgeries.

        Returns
        -------
        dict of str to Tensor or None
            The adapted weights, on the CPU; None if they give references the same scores as random forgeries.

        Raises
        ------
        Diverged
            If the steps diverge.
        """
        others = self._others[forgeries]
        labels = torch.zeros(len(references) + len(others), device=self.device)
        labels[: len(references)] = 1
        with torch.no_grad():
            prepared = torch.cat([self.learner.prepare(self._input(references)), others])
            *_, weights = self.learner.updates(prepared, labels)
        if not all(torch.isfinite(weight).all() for weight in weights.values()):
            raise Diverged(
                f"The adaptation to the writer {writer!r} diverged: a weight is infinite or NaN. The learned rates are "
                "too high for these references; meta-train with a lower lr or inner_loop.lr."
            )
        if not self._separates(weights, prepared, len(references)):
            return None
        return {name: weight.detach().cpu() for name, weight in weights.items()}

    def _separates(self, weights, prepared, n_references):
        """Check whether the scores of the references differ from those of the random forgeries by more than rounding.

        Without random forgeries they are compared with the score of a blank image.
        """
        with torch.no_grad():
            if len(prepared) == n_references:
                blank = self.learner.prepare(self._input(np.zeros((1, *self.others.images.shape[1:]), np.uint8)))
                prepared = torch.cat([prepared, blank])
            scores = self.learner.score(weights, prepared)
        genuine, others = scores[:n_references], scores[n_references:]
        rounding = 1e-5 * scores.abs().max()
        if not self.others.n_used:
            return bool((genuine - others).abs().max() > rounding)
        return bool((genuine.mean() - others.mean()).abs() > rounding)

    def prepare(self, images):
        """Compute what does not depend on the writer.

        Parameters
        ----------
        images : ndarray of shape (n_queries, height, width), dtype uint8
            Queries.

        Returns
        -------
        Tensor or ndarray
            The features where all writers share them, otherwise the images; one row per query.
        """
        if self.learner.adapts == "head":
            with torch.no_grad():
                parts = [self.learner.prepare(self._input(images[batch])) for batch in self._batches(len(images))]
            return torch.cat(parts)
        return images

    def score(self, writer, known, prepared):
        """Score queries against a writer.

        Parameters
        ----------
        writer : int or str
            The writer.
        known : StoredReferences, dict of str to Tensor or None
            The writer's references, or the adapted weights.
        prepared : Tensor or ndarray
            The queries, as returned by `prepare`.

        Returns
        -------
        ndarray of shape (n_queries,)
            The scores; NaN if the references have no information.
        """
        weights = self.weights(writer, known)
        if weights is None:
            return np.full(len(prepared), np.nan)
        weights = {name: weight.to(self.device) for name, weight in weights.items()}
        with torch.no_grad():
            if self.learner.adapts == "head":
                return self.learner.score(weights, prepared).cpu().numpy()
            parts = [
                self.learner.score(weights, self._input(prepared[batch])) for batch in self._batches(len(prepared))
            ]
        return torch.cat(parts).cpu().numpy()

    def weights(self, writer, known):
        """Return the weights that are adapted to a writer, and remember writers without information.

        Parameters
        ----------
        writer : int or str
            The writer.
        known : StoredReferences, dict of str to Tensor or None
            The writer's references, or the adapted weights.

        Returns
        -------
        dict of str to Tensor or None
            The weights; None if the references have no information.
        """
        if not isinstance(known, StoredReferences):
            return known
        try:
            weights = self.adapt(writer, known.images.unpack(), known.forgeries)
        except Diverged:
            # One writer must not make the scores of all others fail.
            weights = None
        if weights is None:
            self.blind.append(writer)
        return weights

    def _batches(self, n_images):
        return [slice(start, start + self.batch_size) for start in range(0, n_images, self.batch_size)]

    def _input(self, images):
        images = torch.from_numpy(np.array(images))[:, None].to(self.device)
        return network_input(images, self.learner.network.input_size)

    @cached_property
    def _others(self):
        """The random forgeries, prepared at the first adaptation."""
        with torch.no_grad():
            return self.learner.prepare(self._input(self.others.images))


def memory_to_adapt(n_writers):
    """Return a context for the adaptation to several writers.

    The adaptation to each writer allocates the same memory again, so it is faster to keep it.

    Parameters
    ----------
    n_writers : int
        Number of writers whose weights are computed.

    Returns
    -------
    context manager
        Keeps freed memory for two writers or more; for a single one, returning it would cost more than it saves.
    """
    return freed_memory_kept() if n_writers > 1 else nullcontext()
