"""The parameters of a training of features."""

import os
from dataclasses import KW_ONLY
from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from sigkit.training._adversaries import Adversary
from sigkit.training._augmentation import AUGMENTATIONS, resolve_augmentation
from sigkit.training._distortion import Distortion
from sigkit.training._losses import LOSSES, WriterLoss
from sigkit.training._parameters import Parameters, look_up, param, parameters
from sigkit.training._schedules import SCHEDULES, Schedule

EXTRA_CLASSES = ("forgeries", "mirrored")
"""Classes that the network can have besides the writers."""


@parameters
class SigNetTraining(Parameters):
    """Parameters of the training of a `SigNetFeaturizer`, by stochastic gradient descent with Nesterov's momentum.

    The defaults are those of SigNet [1]_. `TRANSFER_RECIPE` and `SYNTHETIC_RECIPE` are others, for features that
    transfer to corpora that the network was not trained on.

    Parameters
    ----------
    loss : {"softmax", "cosface"} or WriterLoss, default="softmax"
        The loss of the classification of writers: cross-entropy of a linear classifier as in [1]_, or of a cosine
        classifier with a margin. Instances of :class:`SoftmaxLoss` and :class:`CosFaceLoss` have parameters.
    extra_classes : sequence of {"forgeries", "mirrored"}, default=()
        Classes besides the writers: with "forgeries", the skilled forgeries of each writer are a separate class; with
        "mirrored", so are mirror images of each class (left to right, upside down, both).
    augmentation : {"crop", "distort"} or Distortion, default="crop"
        Random changes of the images: a random crop as in [1]_, or changes of shape, pen and ink, whose strengths are
        parameters of :class:`Distortion`.
    epochs : int, default=60
        Number of passes through the signatures. 0 leaves the network untrained, for tests and comparisons.
    batch_size : int, default=32
        Number of images in a batch, at least 2.
    lr : float, default=1e-3
        Initial learning rate.
    schedule : {"step", "cosine"} or Schedule, default="step"
        Schedule of the learning rate: a tenth after each third of the training (:class:`StepSchedule`), or cosine decay
        to 0 after a warm-up (:class:`CosineSchedule`).
    momentum, weight_decay : float, default=0.9, 1e-4
        Momentum and weight decay of stochastic gradient descent.
    clip_value : float or None, default=10.0
        Maximum absolute value of a gradient; None does not clip.
    validation_fraction : float, default=0.1
        Share of each writer's distinct signatures that is held out. The epoch with the best accuracy on them, in
        classifying writers, is kept. With 0 the last epoch is kept.
    adversary : Adversary or None, default=None
        Replaces each batch by adversarial examples, or adds them; set by
        :class:`sigkit.estimators.AdversarialTrainer` and :class:`sigkit.estimators.EnsembleAdversarialTrainer`.
    checkpoint_dir : str, os.PathLike or None, default=None
        Folder in which the state is written after each epoch. The next `fit` with the same images and parameters
        resumes there, and ends with the same weights (in float32, on the same machine) as an uninterrupted one. A
        finished training is not repeated.
    callbacks : sequence of skorch callbacks or None, default=None
        Callbacks of skorch: `ProgressBar`, `TensorBoard`, `Checkpoint` (with `dirname`), `EarlyStopping` and others, or
        :class:`Patience`. Their own state is not part of `checkpoint_dir`. `cross_validate` and `GridSearchCV` copy
        them, which the `SummaryWriter` of a `TensorBoard` does not allow.
    compile : bool, default=False
        Whether `torch.compile` compiles the training; needs a C++ compiler, and pays off in long trainings. Compiled
        layers such as dropout draw other numbers for the same seed.

    See Also
    --------
    sigkit.transformers.SigNetFeaturizer : Takes these parameters as `training`.
    MetaTraining : Parameters of a meta-training.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> from sigkit.training import CosFaceLoss, SigNetTraining
    >>> from sigkit.transformers import SigNetFeaturizer
    >>> featurizer = SigNetFeaturizer(training=SigNetTraining(CosFaceLoss(margin=0.3), epochs=20))
    >>> featurizer = featurizer.set_params(training__lr=0.1, training__loss__scale=24.0)
    >>> featurizer.training
    SigNetTraining(epochs=20, loss=CosFaceLoss(margin=0.3, scale=24.0), lr=0.1)
    """

    loss: object = param("softmax", str, WriterLoss)
    _: KW_ONLY
    extra_classes: tuple = param((), list, tuple, set)
    augmentation: object = param("crop", StrOptions(set(AUGMENTATIONS)), Distortion)
    epochs: int = param(60, Interval(Integral, 0, None, closed="left"))
    batch_size: int = param(32, Interval(Integral, 1, None, closed="left"))
    lr: float = param(1e-3, Interval(Real, 0, None, closed="neither"))
    schedule: object = param("step", str, Schedule)
    momentum: float = param(0.9, Interval(Real, 0, 1, closed="neither"))
    weight_decay: float = param(1e-4, Interval(Real, 0, None, closed="left"))
    clip_value: float | None = param(10.0, Interval(Real, 0, None, closed="neither"), None)
    validation_fraction: float = param(0.1, Interval(Real, 0, 1, closed="left"))
    adversary: object = param(None, Adversary, None)
    checkpoint_dir: object = param(None, str, os.PathLike, None)
    callbacks: object = param(None, list, tuple, None)
    compile: bool = param(False, "boolean")

    def resolve(self):
        """Replace the names of a loss, a schedule and an augmentation by objects.

        Returns
        -------
        SigNetTraining
            A shallow copy.

        Raises
        ------
        ValueError
            If there is no such name, or no such extra class.
        """
        resolved = super().resolve()
        resolved.loss = look_up("loss", self.loss, LOSSES, WriterLoss)
        resolved.schedule = look_up("schedule", self.schedule, SCHEDULES, Schedule)
        resolved.augmentation = resolve_augmentation(self.augmentation)
        unknown = set(self.extra_classes) - set(EXTRA_CLASSES)
        if unknown:
            raise ValueError(f"extra_classes must be of {EXTRA_CLASSES}; found {sorted(unknown)[0]!r}.")
        resolved.extra_classes = tuple(sorted(self.extra_classes))
        return resolved
