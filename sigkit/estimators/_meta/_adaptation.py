"""The network of a meta-learned verifier at work: adapting to references, scoring queries."""

import copy
from functools import cached_property

import numpy as np
import torch

from sigkit.estimators._meta._adapted_writers import PackedImages
from sigkit.nets import choose_device, network_input


class Adaptation:
    """A copy of a fitted verifier's network on its device, which this alone uses.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        The verifier; its network, device and batch size.
    others : RandomForgeries
        What stands for other people.
    device : torch.device or None, default=None
        Another device than the verifier's.
    """

    def __init__(self, verifier, others, device=None):
        self.device = choose_device(verifier.device if device is None else device)
        # While a torch module is called with other weights, nobody else can call it.
        self.learner = copy.deepcopy(verifier.learner_).to(self.device)
        self.batch_size = verifier.batch_size
        self.others = others

    def adapt(self, writer, references):
        """Adapt the weights to a writer.

        Parameters
        ----------
        writer : int or str
            The writer, whose own signatures are no random forgeries.
        references : ndarray of shape (n_references, height, width), dtype uint8
            The references.

        Returns
        -------
        dict of str to Tensor
            The adapted weights, on the processor.

        Raises
        ------
        ValueError
            If the steps diverge.
        """
        others = self._others[self.others.against(writer)]
        labels = torch.zeros(len(references) + len(others), device=self.device)
        labels[: len(references)] = 1
        with torch.no_grad():
            prepared = torch.cat([self.learner.prepare(self._input(references)), others])
            *_, weights = self.learner.updates(prepared, labels)
        if not all(torch.isfinite(weight).all() for weight in weights.values()):
            raise ValueError(
                f"The adaptation to the writer {writer!r} diverged: a weight is infinite or no number. The learned "
                "rates are too high for these references; meta-train with a lower lr or inner_lr."
            )
        return {name: weight.detach().cpu() for name, weight in weights.items()}

    def prepare(self, images):
        """Compute what is the same for all writers.

        Parameters
        ----------
        images : ndarray of shape (n_queries, height, width), dtype uint8
            Queries.

        Returns
        -------
        Tensor or ndarray
            Their features where writers share them, and the images otherwise; row by row.
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
        known : PackedImages or dict of str to Tensor
            The writer's references, or the adapted weights.
        prepared : Tensor or ndarray
            What `prepare` made of the queries.

        Returns
        -------
        ndarray of shape (n_queries,)
            The scores.
        """
        weights = self.adapt(writer, known.unpack()) if isinstance(known, PackedImages) else known
        weights = {name: weight.to(self.device) for name, weight in weights.items()}
        with torch.no_grad():
            if self.learner.adapts == "head":
                return self.learner.score(weights, prepared).cpu().numpy()
            parts = [
                self.learner.score(weights, self._input(prepared[batch])) for batch in self._batches(len(prepared))
            ]
        return torch.cat(parts).cpu().numpy()

    def _batches(self, n_images):
        return [slice(start, start + self.batch_size) for start in range(0, n_images, self.batch_size)]

    def _input(self, images):
        images = torch.from_numpy(np.array(images))[:, None].to(self.device)
        return network_input(images, self.learner.network.input_size)

    @cached_property
    def _others(self):
        """The random forgeries, prepared when the first writer is adapted to."""
        with torch.no_grad():
            return self.learner.prepare(self._input(self.others.images))
