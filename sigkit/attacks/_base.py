"""What all attacks share: whose claim, which side of the threshold, whole grey levels, what came out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
import torch

from sigkit._utils import progress
from sigkit.attacks._norms import FULL_INK, lengths, value_and_grad

_BISECTIONS = 16


@dataclass(frozen=True, eq=False)
class Claims:
    """Claims that an attacker wants to have rejected or accepted.

    Parameters
    ----------
    verifier : callable
        Takes images, a Tensor of shape (n_samples, height, width) with values from 0 (background) to 255, and claims,
        an ndarray of shape (n_samples,); returns scores, a Tensor of shape (n_samples,).
    claims : ndarray of shape (n_samples,)
        Whom each image claims to be of.
    signs : Tensor of shape (n_samples,)
        1 where the claim shall be accepted, -1 where it shall be rejected.
    thresholds : Tensor of shape (n_samples,)
        The least scores that are accepted.
    rounds : bool, default=False
        Whether the verifier sees images in whole grey levels.

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
        numbers = rows.cpu().numpy() if isinstance(rows, torch.Tensor) else rows
        return replace(self, claims=self.claims[numbers], signs=self.signs[rows], thresholds=self.thresholds[rows])

    def margins(self, images):
        """Score images, and tell how far on the attacker's side of the threshold they are.

        Parameters
        ----------
        images : Tensor of shape (n_samples, height, width)
            An image for each claim.

        Returns
        -------
        Tensor of shape (n_samples,)
            Margins, positive where the attack succeeds.
        """
        return self.beyond(self.scores(images))

    def beyond(self, scores):
        """Tell how far scores are on the attacker's side of the threshold.

        Parameters
        ----------
        scores : Tensor of shape (n_samples,)
            A score for each claim.

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
            An image for each claim.

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
            An image for each claim.

        Returns
        -------
        margins : Tensor of shape (n_samples,)
            Margins.
        gradients : Tensor of shape (n_samples, height, width)
            The gradient of each by its image.
        """
        return value_and_grad(self.margins, images)

    def succeeded(self, margins):
        """Tell which margins are a success: a score equal to the threshold is accepted.

        Parameters
        ----------
        margins : Tensor of shape (n_samples,)
            Margins.

        Returns
        -------
        Tensor of shape (n_samples,), dtype bool
            True for a success.
        """
        return (margins > 0) | ((margins == 0) & (self.signs > 0))


@dataclass(frozen=True, eq=False)
class Attacked:
    """What came of an attack, row by row.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width), dtype uint8 or float32
        The attacked images; the original where there was nothing to attack, or where an attack that looks for the
        least change found none.
    success : ndarray of shape (n_samples,), dtype bool
        Where the attack moved the score to the other side of the threshold.
    attempted : ndarray of shape (n_samples,), dtype bool
        False where the claim was on the attacker's side from the beginning.
    scores_before, scores_after : ndarray of shape (n_samples,)
        Scores of the original and of the attacked images.
    rmse : ndarray of shape (n_samples,)
        Root mean square of the changes of pixels, in grey levels.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import FGM
    >>> attacked = FGM(epsilon=8)(lambda images, claims: images.mean((1, 2)) - 2, torch.zeros(1, 4, 4), goal="accept")
    >>> attacked.success, attacked.rmse, attacked.scores_after
    (array([ True]), array([2.]), array([0.]))
    """

    images: np.ndarray
    success: np.ndarray
    attempted: np.ndarray
    scores_before: np.ndarray
    scores_after: np.ndarray
    rmse: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """The base of all attacks: call one with a verifier and images.

    A new attack is a dataclass with its parameters as fields, and a method `_search`, which takes the
    :class:`Claims`, images as a float32 Tensor of shape (n_samples, height, width) and a torch.Generator, and returns
    changed images, which are cut to 0 to 255.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether attacked images have whole grey levels, as a file has, which may undo an attack; success is told of what
        is returned.
    batch_size : int, default=32
        Number of images that are attacked at once.
    random_state : int, default=0
        Decides all that is drawn.

    Examples
    --------
    >>> from sigkit.attacks import PGD, Attack
    >>> isinstance(PGD(epsilon=500), Attack)
    True
    """

    needs_gradient = True
    """Whether the attack needs a verifier that can be differentiated."""

    eight_bit: bool = True
    batch_size: int = 32
    random_state: int = 0

    def __post_init__(self):
        for name, (kind, least) in {"batch_size": (Integral, 1), "random_state": (Integral, 0)}.items():
            self._check(name, kind, least)

    def __call__(self, verifier, images, claims=None, *, goal="reject", threshold=0.0, verbose=0):
        """Attack images.

        Parameters
        ----------
        verifier : callable
            Takes images, a Tensor of shape (n_samples, height, width) with values from 0 (background) to 255, and
            claims, an ndarray of shape (n_samples,); returns scores, a Tensor of shape (n_samples,). It may tell the
            `device` on which it wants its images.
        images : ndarray or Tensor of shape (n_samples, height, width)
            Preprocessed signatures, values from 0 (background) to 255.
        claims : array-like of shape (n_samples,) or None, default=None
            Whom each image claims to be of; the numbers of the rows by default.
        goal : {"reject", "accept"} or array-like of them, default="reject"
            What shall become of each claim.
        threshold : float or array-like of shape (n_samples,), default=0.0
            The least score that is accepted.
        verbose : int, default=0
            1 tells the progress on the standard error stream.

        Returns
        -------
        Attacked
            What came of it.

        Raises
        ------
        ValueError
            If images, claims, goals or thresholds do not fit.
        """
        if self.needs_gradient and not getattr(verifier, "is_differentiable", True):
            raise ValueError(
                f"{type(self).__name__} needs gradients, which {getattr(verifier, 'what', 'the verifier')} does not "
                "give: pass a sigkit.estimators.DifferentiableVerifier, or attack with BoundaryAttack or "
                "AnnealingAttack."
            )
        device = getattr(verifier, "device", "cpu")
        images = _check_images(images).to(device)
        if self.eight_bit:
            images = images.round()
        claims = self._claims(verifier, images, claims, goal, threshold)
        changed, success, attempted = images.clone(), np.zeros(len(images), bool), np.zeros(len(images), bool)
        before, after = np.zeros(len(images)), np.zeros(len(images))
        starts = range(0, len(images), self.batch_size)
        batches = [slice(start, min(start + self.batch_size, len(images))) for start in starts]
        for batch in progress(batches, len(batches), f"{type(self).__name__}, batches", verbose):
            generator = torch.Generator().manual_seed(self.random_state + batch.start)
            changed[batch], scores = self._attack(claims[batch], images[batch], generator)
            for array, values in zip((before, after, success, attempted), scores):
                array[batch] = values.cpu().numpy()
        rmse = (changed - images).square().mean((1, 2)).sqrt().double().cpu().numpy()
        changed = changed.to(torch.uint8 if self.eight_bit else torch.float32).cpu().numpy()
        return Attacked(changed, success, attempted, before, after, rmse)

    def _attack(self, claims, images, generator):
        """Attack one batch; claims that stand as the attacker wants them are left alone."""
        with torch.no_grad():
            before = claims.scores(images)
        if not before.isfinite().all():
            row = int(torch.nonzero(~before.isfinite())[0, 0])
            raise ValueError(f"The verifier scores the claim {claims.claims.tolist()[row]!r} as {before[row].item()}.")
        done = claims.succeeded(claims.beyond(before))
        changed, after = images.clone(), before.clone()
        rows = torch.nonzero(~done)[:, 0]
        if len(rows):
            asked = claims[rows]
            found = self._search(asked, images[rows], generator).clamp(0, FULL_INK)
            if self.eight_bit:
                found = self._round(asked, images[rows], found)
            changed[rows] = found
            with torch.no_grad():
                after[rows] = asked.scores(found)
        success = ~done & claims.succeeded(claims.beyond(after))
        return changed, (before, after, success, ~done)

    @abstractmethod
    def _search(self, claims, images, generator):
        """Change the images."""

    def _round(self, claims, images, found):
        """Bring changed images to whole grey levels."""
        return found.round()

    def _claims(self, verifier, images, claims, goal, threshold):
        n = len(images)
        claims = np.arange(n) if claims is None else np.asarray(claims)
        goals = np.broadcast_to(np.asarray(goal), n) if np.ndim(goal) == 0 else np.asarray(goal)
        thresholds = np.asarray(threshold, dtype=np.float64)
        thresholds = np.broadcast_to(thresholds, n) if thresholds.ndim == 0 else thresholds
        for name, values in {"claims": claims, "goal": goals, "threshold": thresholds}.items():
            if values.shape != (n,):
                raise ValueError(f"{name} must have an entry for each of {n} images; found the shape {values.shape}.")
        unknown = sorted(set(goals.tolist()) - {"reject", "accept"})
        if unknown:
            raise ValueError(f"goal must be 'reject' or 'accept'; found {unknown[0]!r}.")
        if not np.isfinite(thresholds).all():
            raise ValueError(f"threshold must be finite; found {thresholds[~np.isfinite(thresholds)][0]}.")
        signs = torch.from_numpy(np.where(goals == "accept", 1.0, -1.0)).to(images.device, torch.float32)
        thresholds = torch.from_numpy(thresholds.copy()).to(images.device, torch.float32)
        return Claims(verifier, claims, signs, thresholds, rounds=self.eight_bit and not self.needs_gradient)

    def _check(self, name, kind, least, *, above=False):
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, kind) or not (value > least if above else value >= least):
            word = "an integer" if kind is Integral else "a number"
            raise ValueError(
                f"{type(self).__name__}: {name} must be {word} {'above' if above else 'of at least'} {least}; found "
                f"{value!r}."
            )


@dataclass(frozen=True, kw_only=True)
class BallAttack(Attack):
    """The base of attacks that may change an image by so much and no more.

    Parameters
    ----------
    epsilon : float, default=1000.0
        Greatest length of the change, in grey levels.
    norm : {2, float("inf")}, default=2
        Length as the root of the sum of squares over pixels, or as the greatest change of a pixel.
    """

    epsilon: float = 1000.0
    norm: float = 2

    def __post_init__(self):
        super().__post_init__()
        self._check("epsilon", Real, 0, above=True)
        if self.norm not in (2, float("inf")):
            raise ValueError(f"{type(self).__name__}: norm must be 2 or inf; found {self.norm!r}.")

    def _round(self, claims, images, found):
        """Round to the nearest grey level; where that leaves the ball, so much less of the change that it does not."""
        change, rounded = found - images, found.round()
        inside = lengths(rounded - images, self.norm) <= self.epsilon
        if inside.all():
            return rounded
        best, low, high = images.clone(), torch.zeros_like(change[:, 0, 0]), torch.ones_like(change[:, 0, 0])
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            shorter = (images + middle[:, None, None] * change).round()
            fits = lengths(shorter - images, self.norm) <= self.epsilon
            best[fits] = shorter[fits]
            low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
        return torch.where(inside[:, None, None], rounded, best)


def _check_images(images):
    images = torch.as_tensor(images).detach()
    if images.ndim != 3 or not len(images):
        raise ValueError(f"Expected images of shape (n_samples, height, width); found {tuple(images.shape)}.")
    images = images.to(torch.float32)
    low, high = images.min().item(), images.max().item()
    if not (low >= 0 and high <= FULL_INK):
        raise ValueError(
            f"Images must have values from 0 (background) to 255 (ink); found {low:g} to {high:g}. Attacks work on "
            "preprocessed images."
        )
    return images
