"""The attack of Carlini and Wagner."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

import torch

from sigkit.attacks._base import Attack
from sigkit.attacks._norms import FULL_INK

# The usual constants of Adam. It is written out here, as torch.optim.Adam cannot drop rows while it runs.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8
# With abort_early, rows that do not improve are dropped at this many equally spaced steps.
_N_CHECKS = 10


@dataclass(frozen=True, kw_only=True)
class CarliniWagnerL2(Attack):
    """The L2 attack of Carlini and Wagner [1]_, which searches for the smallest perturbation that succeeds.

    For a claim with the margin :math:`m(x)`, positive on the attacker's side of the threshold, it minimizes with Adam

    .. math:: \\|\\delta\\|_2^2 + c \\max(\\kappa - m(x + \\delta), 0)

    over perturbations that keep pixels between 0 and full ink, and finds the smallest :math:`c` with which it succeeds
    by bisection. The range of pixels is enforced by projection after each step, one of three methods in [1]_. The
    change of variables by the hyperbolic tangent, which the authors prefer, has a vanishing gradient at pixels of 0,
    and nine tenths of the pixels of a signature are 0.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether attacked images are rounded to whole gray levels. If rounding undoes an attack, the pixels with the
        largest gradients are changed by one more level until it succeeds again.
    batch_size : int, default=32
        Number of images attacked at once.
    random_state : int, default=0
        Not used: the attack is deterministic.
    confidence : float, default=0.0
        Distance :math:`\\kappa` from the threshold that scores must have, in units of scores.
    n_search_steps : int, default=6
        Number of values of :math:`c`.
    n_iterations : int, default=200
        Number of steps of Adam for each value of :math:`c`.
    learning_rate : float, default=0.01
        Initial learning rate of Adam, in units of full ink, with cosine decay.
    initial_const : float, default=1.0
        First value of :math:`c`, with perturbations in units of full ink; multiplied by 10 until the attack succeeds.
    abort_early : bool, default=True
        Whether the search for a claim stops if the loss has not decreased over a tenth of the iterations.

    See Also
    --------
    PGD : The largest change of the score by perturbations of bounded length.

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
        # `low` has failed so far, `high` has succeeded (infinite: none has).
        low, high = torch.zeros_like(const), torch.full_like(const, torch.inf)
        best, best_squares = images.clone(), torch.full_like(const, torch.inf)
        for _ in range(self.n_search_steps):
            found, squares = self._minimize(claims, images, const)
            succeeded, is_better = squares < torch.inf, squares < best_squares
            best[is_better], best_squares[is_better] = found[is_better], squares[is_better]
            high = torch.where(succeeded, torch.minimum(high, const), high)
            low = torch.where(succeeded, low, const)
            const = torch.where(high < torch.inf, (low + high) / 2, 10 * const)
        return best

    def _minimize(self, claims, images, const):
        """Minimize the objective with one constant per claim.

        Return the successful images with the smallest perturbations, and the sums of squares of these in units of full
        ink, which are infinite for rows without success.
        """
        found, found_squares = images.clone(), torch.full_like(const, torch.inf)
        # Rows that are dropped by abort_early leave all tensors below; `rows` says which are left.
        rows = torch.arange(len(images), device=images.device)
        start = images / FULL_INK
        current, previous_losses = start, torch.full_like(const, torch.inf)
        moment_1, moment_2 = torch.zeros_like(images), torch.zeros_like(images)
        interval = max(1, self.n_iterations // _N_CHECKS)
        for step in range(self.n_iterations):
            change = current - start
            squares = change.square().sum((1, 2))
            margins, margin_gradients = claims.value_and_grad(FULL_INK * current)
            better = claims.succeeded(margins) & (margins >= self.confidence) & (squares < found_squares[rows])
            found_squares[rows[better]], found[rows[better]] = squares[better], FULL_INK * current[better]
            shortfall = (self.confidence - margins).clamp_min(0)
            # The hinge is flat where the margin suffices. FULL_INK is the inner derivative: margins are functions of
            # gray levels, `current` is in units of full ink.
            gradients = 2 * change - (const * (shortfall > 0))[:, None, None] * FULL_INK * margin_gradients
            moment_1 = _BETA_1 * moment_1 + (1 - _BETA_1) * gradients
            moment_2 = _BETA_2 * moment_2 + (1 - _BETA_2) * gradients.square()
            scale = (moment_2 / (1 - _BETA_2 ** (step + 1))).sqrt() + _EPSILON
            rate = self.learning_rate * (1 + math.cos(math.pi * step / self.n_iterations)) / 2
            current = (current - rate * moment_1 / (1 - _BETA_1 ** (step + 1)) / scale).clamp(0, 1)
            if self.abort_early and step % interval == interval - 1:
                losses = squares + const * shortfall
                improved = torch.nonzero(losses < 0.9999 * previous_losses)[:, 0]
                if not len(improved):
                    break
                parts = (rows, start, current, const, moment_1, moment_2, losses)
                rows, start, current, const, moment_1, moment_2, previous_losses = (part[improved] for part in parts)
                claims = claims[improved]
        return found, found_squares

    def _round(self, claims, images, found):
        """Round to whole gray levels; if that undoes an attack, change pixels with large gradients by one more level.

        Minimal perturbations end just beyond the threshold, and are below half a level at many pixels, so that rounding
        often undoes them. The number of additional changes doubles until the attack succeeds again.
        """
        rounded, n_pixels = found.round(), found[0].numel()
        with torch.no_grad():
            had_succeeded = claims.succeeded(claims.margins(found))
            rows = torch.nonzero(had_succeeded & ~claims.succeeded(claims.margins(rounded)))[:, 0]
        # Few changes at first, to keep the perturbation small; doubling them bounds the number of rounds.
        n_changes = max(1, n_pixels // 1000)
        while len(rows) and n_changes < n_pixels:
            undone, current = claims[rows], rounded[rows]
            _, gradients = undone.value_and_grad(current)
            flat = gradients.flatten(1)
            largest = flat.abs().topk(n_changes, dim=1).indices
            changes = torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign()).view_as(current)
            rounded[rows] = (current + changes).clamp(0, FULL_INK)
            with torch.no_grad():
                rows = rows[~undone.succeeded(undone.margins(rounded[rows]))]
            n_changes *= 2
        return rounded
