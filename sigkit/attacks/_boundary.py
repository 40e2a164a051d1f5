"""The boundary attack, which only needs decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real

import torch

from sigkit.attacks._base import Attack
from sigkit.attacks._norms import FULL_INK, lengths

# Step lengths are adapted by this factor to the success rates over a window of steps.
_FACTOR = 1.5
_WINDOW = 10
# The ranges in which the success rates of both moves are kept, as in Foolbox. The boundary is locally flat, so about
# half of small moves around the original succeed; with fewer the move is too long for that, with more it could be
# longer.
_SPHERE_RATES = 0.2, 0.5
_SOURCE_RATES = 0.1, 0.25
# Precision of the starting point on the boundary: 2 ** -12 of the distance to the original.
_BISECTIONS = 12


@dataclass(frozen=True, kw_only=True)
class BoundaryAttack(Attack):
    """The boundary attack [1]_, which only needs decisions.

    It starts at an image for which the attack succeeds, from `starts` or noise, and moves to the decision boundary by
    bisection between this image and the original. Each step then moves randomly at the same distance from the original,
    and a little towards it, and is accepted if the attack still succeeds. The lengths of both moves are adapted to
    their success rates.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether images are rounded to whole gray levels, those that are decided during the attack as well.
    batch_size : int, default=32
        Number of images attacked at once.
    random_state : int, default=0
        Seed of the noise and the moves.
    starts : mapping of claim to array-like of shape (height, width), default={}
        Starting images of some or all claims. For a claim to be accepted, it may be another genuine signature of the
        writer. Claims without one start at noise, which verifiers hardly ever accept.
    n_steps : int, default=1000
        Number of steps, each with two decisions per image.
    n_noises : int, default=20
        Number of noise images that are tried as starting points.
    sphere_step, source_step : float, default=0.01
        Initial lengths of the moves around and towards the original, relative to the distance from it.

    See Also
    --------
    AnnealingAttack : An attack that only needs scores.

    References
    ----------
    .. [1] Brendel, W., Rauber, J., and Bethge, M. (2018). Decision-based adversarial attacks: reliable attacks against
       black-box machine learning models. ICLR. arXiv:1712.04248.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import BoundaryAttack
    >>> attacked = BoundaryAttack(n_steps=300)(lambda images, claims: 9 - images.mean((1, 2)), torch.zeros(1, 4, 4))
    >>> attacked.success, bool(attacked.rmse[0] < 13)
    (array([ True]), True)
    """

    needs_gradient = False

    starts: Mapping = field(default_factory=dict)
    n_steps: int = 1000
    n_noises: int = 20
    sphere_step: float = 0.01
    source_step: float = 0.01

    def __post_init__(self):
        super().__post_init__()
        self._check("n_steps", Integral, 1)
        self._check("n_noises", Integral, 0)
        for name in ("sphere_step", "source_step"):
            self._check(name, Real, 0, above=True)

    def _search(self, claims, images, generator):
        with torch.no_grad():
            starts, rows = self._find_starts(claims, images, generator)
            found = images.clone()
            if len(rows):
                found[rows] = self._walk(claims[rows], images[rows], starts[rows], generator)
        return found

    def _find_starts(self, claims, images, generator):
        """Find images for which the attack succeeds; return them, and the rows that have one."""
        starts = images.clone()
        for row, claim in enumerate(claims.claims.tolist()):
            if claim in self.starts:
                starts[row] = _as_start(self.starts[claim], images[row], claim)
        # Rows without a start hold the original, for which the attack does not succeed.
        succeeded = _succeeds(claims, starts)
        for _ in range(self.n_noises):
            if succeeded.all():
                break
            noise = FULL_INK * torch.rand(images.shape, generator=generator).to(images.device)
            starts = torch.where(succeeded[:, None, None], starts, noise)
            succeeded |= _succeeds(claims, starts)
        return starts, torch.nonzero(succeeded)[:, 0]

    def _walk(self, claims, images, current, generator):
        """Move from `current`, where the attack succeeds, to the boundary and along it towards the images."""
        failing = images.clone()
        for _ in range(_BISECTIONS):
            middle = (failing + current) / 2
            succeeded = _succeeds(claims, middle)[:, None, None]
            current, failing = torch.where(succeeded, middle, current), torch.where(succeeded, failing, middle)
        sphere = torch.full((len(images), 1, 1), float(self.sphere_step), device=images.device)
        source = torch.full_like(sphere, float(self.source_step))
        sphere_hits, source_hits = torch.zeros_like(sphere), torch.zeros_like(sphere)
        for step in range(1, self.n_steps + 1):
            around = self._move_around(images, current, sphere, generator)
            closer = (around + source * (images - around)).clamp(0, FULL_INK)
            # The first decision is only needed to adapt the length of the move around the original.
            sphere_hits += _succeeds(claims, around)[:, None, None]
            succeeded = _succeeds(claims, closer)[:, None, None]
            source_hits += succeeded
            current = torch.where(succeeded, closer, current)
            if step % _WINDOW == 0:
                sphere = _adapt(sphere, sphere_hits / _WINDOW, *_SPHERE_RATES)
                source = _adapt(source, source_hits / _WINDOW, *_SOURCE_RATES)
                sphere_hits, source_hits = torch.zeros_like(sphere), torch.zeros_like(sphere)
        return current

    def _move_around(self, images, current, sphere, generator):
        """Move randomly on the sphere around the images."""
        away = current - images
        distance = lengths(away)[:, None, None]
        unit = away / distance.clamp_min(torch.finfo(away.dtype).tiny)
        move = torch.randn(images.shape, generator=generator).to(images.device)
        # Orthogonal to the radius and of the length sphere * distance. The point is then at sqrt(1 + sphere ** 2) times
        # the distance, and is scaled back to the sphere.
        move = move - (move * unit).sum((1, 2), keepdim=True) * unit
        move = move * sphere * distance / lengths(move)[:, None, None]
        return (images + (away + move) / (1 + sphere**2).sqrt()).clamp(0, FULL_INK)


def _succeeds(claims, images):
    return claims.succeeded(claims.margins(images))


def _adapt(steps, rates, low, high):
    """Lengthen steps with a success rate above `high`, and shorten those with one below `low`."""
    return torch.where(rates > high, steps * _FACTOR, torch.where(rates < low, steps / _FACTOR, steps))


def _as_start(image, original, claim):
    """Convert a starting image to a Tensor like the original image."""
    image = torch.as_tensor(image)
    if image.shape != original.shape:
        raise ValueError(
            f"starts: the image of the claim {claim!r} has shape {tuple(image.shape)}, but the attacked images have "
            f"{tuple(original.shape)}."
        )
    return image.to(original)
