"""Training of networks: batches, losses, augmentation, adversaries, recipes and checkpoints."""

from sigkit.training._augment import Distortion, random_crop
from sigkit.training._importance import multi_step_importance
from sigkit.training._losses import CosineHead, SigNetLoss, TrainingNetwork
from sigkit.training._recipes import SYNTHETIC_RECIPE, TRANSFER_RECIPE
from sigkit.training._statistics import batch_statistics, update_statistics
from sigkit.training._training_curves import TrainingCurvesDisplay

__all__ = [
    "SYNTHETIC_RECIPE",
    "TRANSFER_RECIPE",
    "CosineHead",
    "Distortion",
    "SigNetLoss",
    "TrainingCurvesDisplay",
    "TrainingNetwork",
    "batch_statistics",
    "multi_step_importance",
    "random_crop",
    "update_statistics",
]
