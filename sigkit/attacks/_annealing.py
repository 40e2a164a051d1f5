"""A random walk that cools down, led by scores."""

from dataclasses import dataclass
from numbers import Integral, Real

import torch

from sigkit.attacks._base import Attack
from sigkit.attacks._norms import FULL_INK


@dataclass(frozen=True, kw_only=True)
class AnnealingAttack(Attack):
    """Simulated annealing by scores alone, as in [1]_: for verifiers without gradients.

    Each step adds normal noise to every pixel. It is kept if the energy falls, and with the probability
    :math:`\\exp(-\\Delta E / T)` if it rises, where

    .. math:: E(x + \\delta) = -m(x + \\delta) + w \\, \\mathrm{RMSE}(\\delta)

    with the margin :math:`m` on the attacker's side and a temperature :math:`T` that falls exponentially. A claim's
    search ends when it succeeds.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether scores are asked for, and attacked images returned, in whole grey levels.
    batch_size : int, default=32
        Number of images that are attacked at once.
    random_state : int, default=0
        Seed of the noise.
    n_steps : int, default=1000
        Number of steps, each of which asks for one score.
    step_size : float, default=0.5
        Standard deviation of the noise of a step, in grey levels.
    norm_weight : float, default=0.01
        What a root mean square change of one grey level counts, :math:`w`.
    hottest, coldest : float, default=1.0, 0.001
        The temperature of the first and the last step.

    See Also
    --------
    BoundaryAttack : Needs decisions only.

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
        best, walkers, rows = images.clone(), images.clone(), torch.arange(len(images), device=images.device)
        with torch.no_grad():
            energies = -claims.margins(images)
            lowest = energies.clone()
            for step in range(self.n_steps):
                temperature = self.hottest * (self.coldest / self.hottest) ** (step / max(1, self.n_steps - 1))
                noise = torch.randn(walkers.shape, generator=generator).to(images.device)
                moved = (walkers + self.step_size * noise).clamp(0, FULL_INK)
                margins = claims.margins(moved)
                new = self.norm_weight * (moved - images[rows]).square().mean((1, 2)).sqrt() - margins
                chance = torch.rand(len(rows), generator=generator).to(images.device)
                is_taken = chance < torch.exp((energies - new) / temperature)
                walkers = torch.where(is_taken[:, None, None], moved, walkers)
                energies = torch.where(is_taken, new, energies)
                succeeded = claims.succeeded(margins)
                keeps = succeeded | (new < lowest[rows])
                best[rows[keeps]], lowest[rows[keeps]] = moved[keeps], new[keeps]
                if succeeded.any():
                    left = ~succeeded
                    rows, walkers, energies, claims = (
                        rows[left],
                        walkers[left],
                        energies[left],
                        claims[left.nonzero()[:, 0]],
                    )
                    if not len(rows):
                        break
        return best
