"""The base class of all attacks, and their result."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch

from sigkit._utils import check_ordered, parse_ids, progress
from sigkit.attacks._claims import Claims
from sigkit.attacks._norms import FULL_INK


@dataclass(frozen=True, eq=False)
class Attacked:
    """The result of an attack, row by row.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width), dtype uint8 or float32
        The attacked images. They are the original images if there was nothing to attack, or if an attack that minimizes
        the perturbation did not succeed.
    success : ndarray of shape (n_samples,), dtype bool
        Whether the attack moved the score to the other side of the threshold.
    attempted : ndarray of shape (n_samples,), dtype bool
        False if the claim was already decided as the attacker wants, so that there was nothing to attack.
    scores_before, scores_after : ndarray of shape (n_samples,)
        Scores of the original and of the attacked images.
    rmse : ndarray of shape (n_samples,)
        Root mean square of the perturbation over pixels, in gray levels.

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
    """Base class of all attacks, which are called with a verifier and images.

    To write a new attack, derive a dataclass with its parameters as fields, and implement the method `_search`. It
    takes :class:`Claims`, images as a float32 Tensor of shape (n_samples, height, width) and a `torch.Generator`, and
    returns changed images, which are then clipped to [0, 255].

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether attacked images are rounded to whole gray levels, like images in files. Rounding may undo an attack;
        `success` is that of the rounded images.
    batch_size : int, default=32
        Number of images attacked at once.
    random_state : int, default=0
        Seed of all random draws.

    Examples
    --------
    >>> from sigkit.attacks import PGD, Attack
    >>> isinstance(PGD(epsilon=500), Attack)
    True
    """

    needs_gradient = True
    """Whether the attack needs a verifier with gradients."""

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
            Function of images, a Tensor of shape (n_samples, height, width) with values from 0 (background) to 255, and
            claims, an ndarray of shape (n_samples,), that returns scores, a Tensor of shape (n_samples,). Images are
            passed on its `device`, if it has this attribute.
        images : ndarray or Tensor of shape (n_samples, height, width)
            Preprocessed signatures with values from 0 (background) to 255.
        claims : array-like of shape (n_samples,) or None, default=None
            The claimed writer of each image; by default the row index.
        goal : {"reject", "accept"} or array-like of them, default="reject"
            The decision that the attacker wants for each claim.
        threshold : float or array-like of shape (n_samples,), default=0.0
            The threshold of the verifier: scores of at least the threshold are accepted.
        verbose : int, default=0
            1 reports the progress on standard error.

        Returns
        -------
        Attacked
            The attacked images, with successes, scores and perturbation sizes.

        Raises
        ------
        ValueError
            If images, claims, goals or thresholds are not valid, or if the verifier has no gradients but they are
            needed.
        """
        if self.needs_gradient and not getattr(verifier, "is_differentiable", True):
            raise ValueError(
                f"{type(self).__name__} needs gradients, which {getattr(verifier, 'what', 'the verifier')} does not "
                "have: pass a sigkit.estimators.DifferentiableVerifier, or use BoundaryAttack or AnnealingAttack."
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
            # Always on the CPU, so that draws are the same on every device.
            generator = torch.Generator().manual_seed(self.random_state + batch.start)
            changed[batch], scores = self._attack(claims[batch], images[batch], generator)
            for array, values in zip((before, after, success, attempted), scores):
                array[batch] = values.cpu().numpy()
        rmse = (changed - images).square().mean((1, 2)).sqrt().double().cpu().numpy()
        changed = changed.to(torch.uint8 if self.eight_bit else torch.float32).cpu().numpy()
        return Attacked(changed, success, attempted, before, after, rmse)

    def _attack(self, claims, images, generator):
        """Attack one batch, without the claims that are already decided as the attacker wants."""
        with torch.no_grad():
            before = claims.scores(images)
        if not before.isfinite().all():
            row = int(torch.nonzero(~before.isfinite())[0, 0])
            raise ValueError(
                f"The verifier returns {before[row].item()} as the score of the claim {claims.claims.tolist()[row]!r}."
            )
        done = claims.succeeded(claims.margins_of_scores(before))
        changed, after = images.clone(), before.clone()
        rows = torch.nonzero(~done)[:, 0]
        if len(rows):
            attacked = claims[rows]
            found = self._search(attacked, images[rows], generator).clamp(0, FULL_INK)
            if self.eight_bit:
                found = self._round(attacked, images[rows], found)
            changed[rows] = found
            # Scored again rather than taken from the search, since clipping and rounding have changed the images.
            with torch.no_grad():
                after[rows] = attacked.scores(found)
        success = ~done & claims.succeeded(claims.margins_of_scores(after))
        return changed, (before, after, success, ~done)

    @abstractmethod
    def _search(self, claims, images, generator):
        """Return perturbed images."""

    def _round(self, claims, images, found):
        """Round perturbed images to whole gray levels; attacks with constraints on the perturbation override this."""
        return found.round()

    def _claims(self, verifier, images, claims, goal, threshold):
        """Check claims, goals and thresholds, with one entry per image, and make Claims of them."""
        n = len(images)
        claims = np.arange(n) if claims is None else parse_ids(claims, "claims")
        goals = np.broadcast_to(np.asarray(goal), n) if np.ndim(goal) == 0 else np.asarray(goal)
        thresholds = np.asarray(threshold)
        if thresholds.dtype.kind not in "iuf":
            raise ValueError(f"threshold must be a number, or one for each image; found {threshold!r}.")
        thresholds = thresholds.astype(np.float64)
        thresholds = np.broadcast_to(thresholds, n) if thresholds.ndim == 0 else thresholds
        for name, values in {"claims": claims, "goal": goals, "threshold": thresholds}.items():
            if values.shape != (n,):
                raise ValueError(f"{name} must have one entry for each of {n} images; found shape {values.shape}.")
        unknown = sorted(set(goals.tolist()) - {"reject", "accept"})
        if unknown:
            raise ValueError(f"goal must be 'reject' or 'accept'; found {unknown[0]!r}.")
        if not np.isfinite(thresholds).all():
            raise ValueError(f"threshold must be finite; found {thresholds[~np.isfinite(thresholds)][0]}.")
        signs = torch.from_numpy(np.where(goals == "accept", 1.0, -1.0)).to(images.device, torch.float32)
        thresholds = torch.from_numpy(thresholds.copy()).to(images.device, torch.float32)
        # Attacks without gradients query the verifier with rounded images, so that they find perturbations that survive
        # rounding. Rounding has no useful gradient, so attacks with gradients round at the end.
        return Claims(verifier, claims, signs, thresholds, rounds=self.eight_bit and not self.needs_gradient)

    def _check(self, name, kind, least, *, above=False):
        """Check that a parameter is a number of a type and at least (or, with `above`, greater than) a value."""
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, kind) or not (value > least if above else value >= least):
            word = "an integer" if kind is Integral else "a number"
            raise ValueError(
                f"{type(self).__name__}: {name} must be {word} {'above' if above else 'of at least'} {least}; found "
                f"{value!r}."
            )


def _check_images(images):
    check_ordered(images, "images")
    images = torch.as_tensor(images).detach()
    may_be_scaled = images.is_floating_point()
    if images.ndim != 3 or not len(images):
        raise ValueError(f"Expected images of shape (n_samples, height, width); found {tuple(images.shape)}.")
    images = images.to(torch.float32)
    low, high = images.min().item(), images.max().item()
    if not (low >= 0 and high <= FULL_INK) or (may_be_scaled and 0 < high <= 1):
        raise ValueError(
            f"Images must have values from 0 (background) to 255 (ink); found {low:g} to {high:g}. Attacks work on "
            "preprocessed images; multiply values up to 1 by 255."
        )
    return images
