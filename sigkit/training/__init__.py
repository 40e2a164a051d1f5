"""Training of networks: batches, losses, augmentation, adversaries, recipes and checkpoints."""

from sigkit.training._augment import Distortion, random_crop
from sigkit.training._losses import CosineHead, SigNetLoss, TrainingNetwork
from sigkit.training._recipes import SYNTHETIC_RECIPE, TRANSFER_RECIPE
from sigkit.training._training_curves import TrainingCurvesDisplay

__all__ = [
    "SYNTHETIC_RECIPE",
    "TRANSFER_RECIPE",
    "CosineHead",
    "Distortion",
    "SigNetLoss",
    "TrainingCurvesDisplay",
    "TrainingNetwork",
    "random_crop",
]
