"""Simulated annealing, an attack that only needs scores."""

from dataclasses import dataclass
from numbers import Integral, Real

import torch

from sigkit.attacks._base import Attack
from sigkit.attacks._norms import FULL_INK


@dataclass(frozen=True, kw_only=True)
class AnnealingAttack(Attack):
    """Simulated annealing [1]_, for verifiers without gradients: it only needs scores.

    Each step adds Gaussian noise to every pixel. The step is accepted if the energy decreases, and with probability
    :math:`\\exp(-\\Delta E / T)` if it increases, where

    .. math:: E(x + \\delta) = -m(x + \\delta) + w \\, \\mathrm{RMSE}(\\delta)

    with the margin :math:`m`, positive on the attacker's side of the threshold, and a temperature :math:`T` that
    decreases exponentially. The search for a claim ends with the first success.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether images are rounded to whole gray levels, those that are scored during the attack as well.
    batch_size : int, default=32
        Number of images attacked at once.
    random_state : int, default=0
        Seed of the noise.
    n_steps : int, default=1000
        Number of steps, each with one score per image.
    step_size : float, default=0.5
        Standard deviation of the noise, in gray levels.
    norm_weight : float, default=0.01
        Weight :math:`w` of the root mean square perturbation in gray levels.
    hottest, coldest : float, default=1.0, 0.001
        Temperature of the first and of the last step.

    See Also
    --------
    BoundaryAttack : An attack that only needs decisions.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2019). Characterizing and evaluating adversarial examples
       for offline handwritten signature verification. IEEE Transactions on Information Forensics and Security, 14(8),
       2153-2166. arXiv:1901.03398.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import AnnealingAttack
    >>> AnnealingAttack()(lambda images, claims: 9 - images.mean((1, 2)), torch.zeros(1, 4, 4)).success
    array([ True])
    """

    needs_gradient = False

    n_steps: int = 1000
    step_size: float = 0.5
    norm_weight: float = 0.01
    hottest: float = 1.0
    coldest: float = 0.001

    def __post_init__(self):
        super().__post_init__()
        self._check("n_steps", Integral, 1)
        self._check("norm_weight", Real, 0)
        for name in ("step_size", "hottest", "coldest"):
            self._check(name, Real, 0, above=True)

    def _search(self, claims, images, generator):
        best, current, rows = images.clone(), images.clone(), torch.arange(len(images), device=images.device)
        with torch.no_grad():
            energies = -claims.margins(images)
            lowest = energies.clone()
            for step in range(self.n_steps):
                temperature = self.hottest * (self.coldest / self.hottest) ** (step / max(1, self.n_steps - 1))
                noise = torch.randn(current.shape, generator=generator).to(images.device)
                proposed = (current + self.step_size * noise).clamp(0, FULL_INK)
                margins = claims.margins(proposed)
                proposed_energies = self.norm_weight * _rmse(proposed - images[rows]) - margins
                uniform = torch.rand(len(rows), generator=generator).to(images.device)
                # A decrease of the energy gives a probability above 1, and is always accepted.
                accepted = uniform < torch.exp((energies - proposed_energies) / temperature)
                current = torch.where(accepted[:, None, None], proposed, current)
                energies = torch.where(accepted, proposed_energies, energies)
                # A success is kept even if its energy is not the lowest and the step was not accepted: it is what the
                # attack is for.
                succeeded = claims.succeeded(margins)
                kept = succeeded | (proposed_energies < lowest[rows])
                best[rows[kept]], lowest[rows[kept]] = proposed[kept], proposed_energies[kept]
                if succeeded.any():
                    remaining = torch.nonzero(~succeeded)[:, 0]
                    rows, current, energies = rows[remaining], current[remaining], energies[remaining]
                    claims = claims[remaining]
                    if not len(rows):
                        break
        return best


def _rmse(perturbations):
    return perturbations.square().mean((1, 2)).sqrt()
