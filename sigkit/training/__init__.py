"""Training of networks: parameters, losses, augmentation, adversaries, recipes and checkpoints.

An estimator takes the parameters of its training as one object, `training`: a :class:`SigNetTraining` or a
:class:`MetaTraining`.
"""

# Names outside `__all__` are for estimators and benchmarks.
from sigkit.training._adversaries import Adversary, EnsembleAdversary, ProjectedGradientAdversary
from sigkit.training._augmentation import make_augmentation as make_augmentation
from sigkit.training._callbacks import Patience
from sigkit.training._check_state import state_digest as state_digest
from sigkit.training._checkpoint import keep_seed as keep_seed
from sigkit.training._checkpoint import training_seed as training_seed
from sigkit.training._display import TrainingCurvesDisplay
from sigkit.training._distortion import Distortion
from sigkit.training._importance import multi_step_importance
from sigkit.training._losses import LOSSES, CosFaceLoss, SigNetLoss, SoftmaxLoss, WriterLoss
from sigkit.training._meta_parameters import InnerLoop, MetaTraining
from sigkit.training._meta_train import meta_train as meta_train
from sigkit.training._nested import own_training as own_training
from sigkit.training._nested import training_of as training_of
from sigkit.training._recipes import SYNTHETIC_RECIPE, TRANSFER_RECIPE
from sigkit.training._schedules import CosineSchedule, Schedule, StepSchedule
from sigkit.training._signet_parameters import SigNetTraining
from sigkit.training._statistics import batch_statistics, update_statistics
from sigkit.training._task_threads import TaskThreads as TaskThreads
from sigkit.training._task_threads import add_gradients as add_gradients
from sigkit.training._task_threads import n_task_threads as n_task_threads
from sigkit.training._tasks import DevelopmentSet as DevelopmentSet
from sigkit.training._tasks import draw_from_each as draw_from_each
from sigkit.training._tasks import task_sizes as task_sizes
from sigkit.training._train_features import train_features as train_features

__all__ = [
    "LOSSES",
    "SYNTHETIC_RECIPE",
    "TRANSFER_RECIPE",
    "Adversary",
    "CosFaceLoss",
    "CosineSchedule",
    "Distortion",
    "EnsembleAdversary",
    "InnerLoop",
    "MetaTraining",
    "Patience",
    "ProjectedGradientAdversary",
    "Schedule",
    "SigNetLoss",
    "SigNetTraining",
    "SoftmaxLoss",
    "StepSchedule",
    "TrainingCurvesDisplay",
    "WriterLoss",
    "batch_statistics",
    "multi_step_importance",
    "update_statistics",
]
