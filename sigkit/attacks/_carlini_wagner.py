"""The least change that moves a score over the threshold."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

import torch

from sigkit.attacks._base import Attack
from sigkit.attacks._norms import FULL_INK

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8
# Of how many parts a search by gradient is made up, after each of which rows that do not improve are left.
_PARTS = 10


@dataclass(frozen=True, kw_only=True)
class CarliniWagnerL2(Attack):
    """The attack of Carlini and Wagner [1]_: the least change, as a sum of squares, that succeeds.

    For a claim with the margin :math:`m(x)` on the attacker's side, it minimises by Adam

    .. math:: \\|\\delta\\|_2^2 + c \\max(\\kappa - m(x + \\delta), 0)

    over changes that leave pixels between 0 and full ink, and searches by bisection for the least :math:`c` with which
    it succeeds. The box is held by projection after each step, one of the three ways in [1]_: the change of variables
    by the hyperbolic tangent, which the authors prefer, hardly moves pixels that are 0 to begin with, and nine tenths
    of a signature's are.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether attacked images have whole grey levels. They are rounded to the nearest, and where that undoes the
        attack, the pixels that matter most are moved by one level more, until it succeeds again.
    batch_size : int, default=32
        Number of images that are attacked at once.
    random_state : int, default=0
        Not used: nothing is drawn.
    confidence : float, default=0.0
        How far beyond the threshold scores shall be, :math:`\\kappa`.
    n_search_steps : int, default=6
        Number of values of :math:`c`.
    n_iterations : int, default=200
        Number of steps of Adam for each.
    learning_rate : float, default=0.01
        Their size at first, in units of full ink; it falls along a cosine.
    initial_const : float, default=1.0
        The first :math:`c`, for squares in units of full ink; multiplied by 10 until an attack succeeds.
    abort_early : bool, default=True
        Whether a claim's search ends when it does not improve any more over a tenth of the iterations.

    See Also
    --------
    PGD : The most that a change of a given size can do.

    References
    ----------
    .. [1] Carlini, N., and Wagner, D. (2017). Towards evaluating the robustness of neural networks. IEEE Symposium on
       Security and Privacy. arXiv:1608.04644.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import CarliniWagnerL2
    >>> attack = CarliniWagnerL2(eight_bit=False)
    >>> attacked = attack(lambda images, claims: 9 - images.mean((1, 2)), torch.zeros(1, 4, 4))
    >>> attacked.success, attacked.rmse.round(1)
    (array([ True]), array([9.]))
    """

    confidence: float = 0.0
    n_search_steps: int = 6
    n_iterations: int = 200
    learning_rate: float = 0.01
    initial_const: float = 1.0
    abort_early: bool = True

    def __post_init__(self):
        super().__post_init__()
        for name in ("n_search_steps", "n_iterations"):
            self._check(name, Integral, 1)
        for name in ("learning_rate", "initial_const"):
            self._check(name, Real, 0, above=True)
        self._check("confidence", Real, 0)

    def _search(self, claims, images, generator):
        const = torch.full((len(images),), float(self.initial_const), device=images.device)
        low, high = torch.zeros_like(const), torch.full_like(const, torch.inf)
        best, least = images.clone(), torch.full_like(const, torch.inf)
        for _ in range(self.n_search_steps):
            found, squares = self._descend(claims, images, const)
            has_found = squares < torch.inf
            is_better = squares < least
            best[is_better], least[is_better] = found[is_better], squares[is_better]
            high = torch.where(has_found, torch.minimum(high, const), high)
            low = torch.where(has_found, low, const)
            const = torch.where(high < torch.inf, (low + high) / 2, 10 * const)
        return best

    def _descend(self, claims, images, const):
        """Minimise for one constant a claim; return what was found, and its sum of squares, infinite for nothing."""
        found, least = images.clone(), torch.full_like(const, torch.inf)
        rows = torch.arange(len(images), device=images.device)
        start = images / FULL_INK
        varied, previous = start, torch.full_like(const, torch.inf)
        first, second = torch.zeros_like(images), torch.zeros_like(images)
        check = max(1, self.n_iterations // _PARTS)
        for step in range(self.n_iterations):
            change = varied - start
            squares = change.square().sum((1, 2))
            margins, slopes = claims.value_and_grad(FULL_INK * varied)
            better = claims.succeeded(margins) & (margins >= self.confidence) & (squares < least[rows])
            least[rows[better]], found[rows[better]] = squares[better], FULL_INK * varied[better]
            lacks = (self.confidence - margins).clamp_min(0)
            gradients = 2 * change - (const * (lacks > 0))[:, None, None] * FULL_INK * slopes
            first = _FIRST * first + (1 - _FIRST) * gradients
            second = _SECOND * second + (1 - _SECOND) * gradients.square()
            length = (second / (1 - _SECOND ** (step + 1))).sqrt() + _TINY
            rate = self.learning_rate * (1 + math.cos(math.pi * step / self.n_iterations)) / 2
            varied = (varied - rate * first / (1 - _FIRST ** (step + 1)) / length).clamp(0, 1)
            if self.abort_early and step % check == check - 1:
                losses = squares + const * lacks
                goes_on = torch.nonzero(losses < 0.9999 * previous)[:, 0]
                if not len(goes_on):
                    break
                parts = (rows, start, varied, const, first, second, losses)
                rows, start, varied, const, first, second, previous = (part[goes_on] for part in parts)
                claims = claims[goes_on]
        return found, least

    def _round(self, claims, images, found):
        """Round; where that undoes the attack, move ever more of the pixels that matter most by one level."""
        rounded, n_pixels = found.round(), found[0].numel()
        with torch.no_grad():
            had = claims.succeeded(claims.margins(found))
            rows = torch.nonzero(had & ~claims.succeeded(claims.margins(rounded)))[:, 0]
        n_moved = max(1, n_pixels // 1000)
        while len(rows) and n_moved < n_pixels:
            asked, current = claims[rows], rounded[rows]
            _, gradients = asked.value_and_grad(current)
            flat = gradients.flatten(1)
            most = flat.abs().topk(n_moved, dim=1).indices
            moves = torch.zeros_like(flat).scatter(1, most, flat.gather(1, most).sign()).view_as(current)
            rounded[rows] = (current + moves).clamp(0, FULL_INK)
            with torch.no_grad():
                rows = rows[~asked.succeeded(asked.margins(rounded[rows]))]
            n_moved *= 2
        return rounded
