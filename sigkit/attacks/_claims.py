"""Claims under attack: margins, gradients and successes."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from sigkit.attacks._ascent import value_and_grad


@dataclass(frozen=True, eq=False)
class Claims:
    """The claims of a batch, with the decisions that the attacker wants.

    Parameters
    ----------
    verifier : callable
        Function of images, a Tensor of shape (n_samples, height, width) with values from 0 (background) to 255, and
        claims, an ndarray of shape (n_samples,), that returns scores, a Tensor of shape (n_samples,).
    claims : ndarray of shape (n_samples,)
        The claimed writer of each image.
    signs : Tensor of shape (n_samples,)
        1 if the attacker wants the claim to be accepted, -1 if rejected.
    thresholds : Tensor of shape (n_samples,)
        Scores of at least the threshold are accepted.
    rounds : bool, default=False
        Whether images are rounded to whole gray levels before they are scored.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sigkit.attacks import Claims
    >>> claims = Claims(lambda images, claims: images.mean((1, 2)), np.array(["ada"]), -torch.ones(1), torch.ones(1))
    >>> claims.margins(torch.zeros(1, 2, 2))
    tensor([1.])
    """

    verifier: object
    claims: np.ndarray
    signs: torch.Tensor
    thresholds: torch.Tensor
    rounds: bool = False

    def __len__(self):
        return len(self.claims)

    def __getitem__(self, rows):
        # `claims` may hold strings and is an array of numpy, which a Tensor on an accelerator cannot index.
        numbers = rows.cpu().numpy() if isinstance(rows, torch.Tensor) else rows
        return replace(self, claims=self.claims[numbers], signs=self.signs[rows], thresholds=self.thresholds[rows])

    def margins(self, images):
        """Compute the signed distance of scores from the threshold, positive on the attacker's side.

        Parameters
        ----------
        images : Tensor of shape (n_samples, height, width)
            One image per claim.

        Returns
        -------
        Tensor of shape (n_samples,)
            Margins in units of scores, positive if the attack succeeds.
        """
        return self.margins_of_scores(self.scores(images))

    def margins_of_scores(self, scores):
        """Compute margins from scores.

        Parameters
        ----------
        scores : Tensor of shape (n_samples,)
            One score per claim.

        Returns
        -------
        Tensor of shape (n_samples,)
            Margins.
        """
        return self.signs * (scores - self.thresholds)

    def scores(self, images):
        """Score images.

        Parameters
        ----------
        images : Tensor of shape (n_samples, height, width)
            One image per claim.

        Returns
        -------
        Tensor of shape (n_samples,)
            The verifier's scores.
        """
        return self.verifier(images.round() if self.rounds else images, self.claims)

    def value_and_grad(self, images):
        """Compute margins and their gradients.

        Parameters
        ----------
        images : Tensor of shape (n_samples, height, width)
            One image per claim.

        Returns
        -------
        margins : Tensor of shape (n_samples,)
            Margins.
        gradients : Tensor of shape (n_samples, height, width)
            The gradient of each margin with respect to its image.
        """
        return value_and_grad(self.margins, images)

    def succeeded(self, margins):
        """Return which margins are those of a successful attack.

        A score equal to the threshold is accepted, so a margin of 0 is a success if the claim is to be accepted.

        Parameters
        ----------
        margins : Tensor of shape (n_samples,)
            Margins.

        Returns
        -------
        Tensor of shape (n_samples,), dtype bool
            True for a successful attack.
        """
        return (margins > 0) | ((margins == 0) & (self.signs > 0))
