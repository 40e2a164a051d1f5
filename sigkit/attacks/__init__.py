"""Adversarial attacks: small perturbations of images by which genuine signatures are rejected or forgeries accepted."""

from sigkit.attacks._annealing import AnnealingAttack
from sigkit.attacks._art import ArtAttack
from sigkit.attacks._ascent import ascend, value_and_grad
from sigkit.attacks._base import Attack, Attacked
from sigkit.attacks._boundary import BoundaryAttack
from sigkit.attacks._carlini_wagner import CarliniWagnerL2
from sigkit.attacks._claims import Claims
from sigkit.attacks._fgm import FGM
from sigkit.attacks._norms import FULL_INK, lengths, random_in_ball, steepest, within_ball
from sigkit.attacks._pgd import PGD

__all__ = [
    "FGM",
    "FULL_INK",
    "PGD",
    "AnnealingAttack",
    "ArtAttack",
    "Attack",
    "Attacked",
    "BoundaryAttack",
    "CarliniWagnerL2",
    "Claims",
    "ascend",
    "lengths",
    "random_in_ball",
    "steepest",
    "value_and_grad",
    "within_ball",
]
