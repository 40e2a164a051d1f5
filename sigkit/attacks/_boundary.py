"""A walk along the boundary, led by decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real

import torch

from sigkit.attacks._base import Attack
from sigkit.attacks._norms import FULL_INK, lengths

_FACTOR = 1.5
_WINDOW = 10
_BISECTIONS = 12


@dataclass(frozen=True, kw_only=True)
class BoundaryAttack(Attack):
    """The boundary attack [1]_: from an image that is decided as wished towards the original, by decisions alone.

    It begins at `starts`, or at noise, and goes straight to the boundary by bisection. Each step then moves at random
    around the original at the same distance, and a little towards it, and is taken if the decision stays as wished. The
    lengths of both moves follow the share of them that succeed.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether decisions are asked for, and attacked images returned, in whole grey levels.
    batch_size : int, default=32
        Number of images that are attacked at once.
    random_state : int, default=0
        Seed of the moves and the noise.
    starts : mapping of claim to array-like of shape (height, width), default={}
        Images to begin with, for some or all claims: for a claim to be accepted a genuine signature of the writer that
        the attacker has, say. Claims without one begin at noise, which is hardly ever accepted.
    n_steps : int, default=1000
        Number of steps, each of which asks for two decisions.
    n_noises : int, default=20
        How many images of noise are tried to begin with.
    sphere_step, source_step : float, default=0.01
        Lengths of the moves at first, around and towards the original, as shares of the distance.

    See Also
    --------
    AnnealingAttack : Is led by scores.

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
            begun, rows = self._begin(claims, images, generator)
            found = images.clone()
            if len(rows):
                found[rows] = self._walk(claims[rows], images[rows], begun[rows], generator)
        return found

    def _begin(self, claims, images, generator):
        """Find images that are decided as wished; return them, and the rows that have one."""
        begun = images.clone()
        for row, claim in enumerate(claims.claims.tolist()):
            if claim in self.starts:
                begun[row] = _like(self.starts[claim], images[row], claim)
        # An image without a start is tried as it is, and not wished.
        wished = self._is_wished(claims, begun)
        for _ in range(self.n_noises):
            if wished.all():
                break
            noise = FULL_INK * torch.rand(images.shape, generator=generator).to(images.device)
            begun = torch.where(wished[:, None, None], begun, noise)
            wished |= self._is_wished(claims, begun)
        return begun, torch.nonzero(wished)[:, 0]

    def _walk(self, claims, images, current, generator):
        near = images.clone()
        for _ in range(_BISECTIONS):
            middle = (near + current) / 2
            wished = self._is_wished(claims, middle)[:, None, None]
            current, near = torch.where(wished, middle, current), torch.where(wished, near, middle)
        sphere = torch.full((len(images), 1, 1), float(self.sphere_step), device=images.device)
        source = torch.full_like(sphere, float(self.source_step))
        sphere_hits, source_hits = torch.zeros_like(sphere), torch.zeros_like(sphere)
        for step in range(1, self.n_steps + 1):
            around = self._around(images, current, sphere, generator)
            closer = (around + source * (images - around)).clamp(0, FULL_INK)
            stays = self._is_wished(claims, around)[:, None, None]
            comes = self._is_wished(claims, closer)[:, None, None]
            current = torch.where(comes, closer, current)
            sphere_hits, source_hits = sphere_hits + stays, source_hits + comes
            if step % _WINDOW == 0:
                sphere = _adapted(sphere, sphere_hits / _WINDOW, 0.2, 0.5)
                source = _adapted(source, source_hits / _WINDOW, 0.1, 0.25)
                sphere_hits, source_hits = torch.zeros_like(sphere), torch.zeros_like(sphere)
        return current

    def _around(self, images, current, sphere, generator):
        """Move at random, at the same distance from the original."""
        away = current - images
        distance = lengths(away)[:, None, None]
        unit = away / distance.clamp_min(torch.finfo(away.dtype).tiny)
        move = torch.randn(images.shape, generator=generator).to(images.device)
        move = move - (move * unit).sum((1, 2), keepdim=True) * unit
        move = move * sphere * distance / lengths(move)[:, None, None]
        return (images + (away + move) / (1 + sphere**2).sqrt()).clamp(0, FULL_INK)

    def _is_wished(self, claims, images):
        return claims.succeeded(claims.margins(images))


def _adapted(steps, shares, low, high):
    """Lengthen steps of which many succeed, and shorten those of which few do."""
    return torch.where(shares > high, steps * _FACTOR, torch.where(shares < low, steps / _FACTOR, steps))


def _like(image, example, claim):
    image = torch.as_tensor(image)
    if image.shape != example.shape:
        raise ValueError(
            f"starts: the image for the claim {claim!r} has the shape {tuple(image.shape)}, those to attack "
            f"{tuple(example.shape)}."
        )
    return image.to(example)
