"""The base class of attacks within a ball around the image."""

from dataclasses import dataclass
from numbers import Real

import torch

from sigkit.attacks._base import Attack
from sigkit.attacks._norms import lengths

# Precision of the factor by which perturbations are shortened: 2 ** -16 is far below what rounding resolves.
_BISECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class BallAttack(Attack):
    """Base class of attacks with perturbations of bounded length.

    Parameters
    ----------
    epsilon : float, default=1000.0
        Maximum length of the perturbation, in gray levels.
    norm : {2, float("inf")}, default=2
        Norm that measures the length: the L2 norm over pixels, or the maximum over pixels.
    """

    epsilon: float = 1000.0
    norm: float = 2

    def __post_init__(self):
        super().__post_init__()
        self._check("epsilon", Real, 0, above=True)
        if self.norm not in (2, float("inf")):
            raise ValueError(f"{type(self).__name__}: norm must be 2 or inf; found {self.norm!r}.")

    def _round(self, claims, images, found):
        """Round to whole gray levels within the ball.

        Rounding to the nearest level may lengthen a perturbation. The images of which it leaves the ball get the
        longest multiple of their perturbation, found by bisection, that is in the ball after rounding.
        """
        change, rounded = found - images, found.round()
        inside = lengths(rounded - images, self.norm) <= self.epsilon
        if inside.all():
            return rounded
        # Truncating towards the image would be simpler, but it discards most of a perturbation of about one level per
        # pixel, and with it most of its effect.
        best, low, high = images.clone(), torch.zeros_like(change[:, 0, 0]), torch.ones_like(change[:, 0, 0])
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            shorter = (images + middle[:, None, None] * change).round()
            fits = lengths(shorter - images, self.norm) <= self.epsilon
            # The length after rounding need not increase with the factor; `best` has been checked, and 0 always fits.
            best[fits] = shorter[fits]
            low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
        return torch.where(inside[:, None, None], rounded, best)
