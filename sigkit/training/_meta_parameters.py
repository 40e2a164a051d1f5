"""The parameters of a meta-training."""

import os
from dataclasses import KW_ONLY
from numbers import Integral, Real

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sigkit.training._augmentation import AUGMENTATIONS, resolve_augmentation
from sigkit.training._distortion import Distortion
from sigkit.training._parameters import Parameters, param, parameters

_POSITIVE, _NOT_NEGATIVE = Interval(Real, 0, None, closed="neither"), Interval(Real, 0, None, closed="left")


@parameters
class InnerLoop(Parameters):
    """Parameters of the inner loop: the gradient steps that adapt a network to a writer.

    Parameters
    ----------
    lr : float, default=0.01
        Initial learning rate of the steps. 0.05 suits `head="distance"`: the first step then moves the
        center to the mean of the references.
    network_lr : float or None, default=None
        Initial learning rate of the network without its head; None is `lr`.
    learn_lr : bool, default=True
        Whether to learn a learning rate for each step and each parameter tensor.
    order : {1, 2}, default=2
        Order of the derivatives: 2 differentiates through the steps, 1 ignores second derivatives (first-order MAML).
    recompute : bool, default=False
        Whether to recompute each step in the backward pass (gradient checkpointing). This needs the memory of one step
        instead of `n_updates` steps, besides that of the queries, and about a third more time.

    See Also
    --------
    MetaTraining : Takes these parameters as `inner_loop`.

    Examples
    --------
    >>> from sigkit.training import InnerLoop, MetaTraining
    >>> MetaTraining(inner_loop=InnerLoop(order=1)).get_params()["inner_loop__order"]
    1
    """

    lr: float = param(0.01, _POSITIVE)
    _: KW_ONLY
    network_lr: float | None = param(None, _NOT_NEGATIVE, None)
    learn_lr: bool = param(True, "boolean")
    order: int = param(2, Interval(Integral, 1, 2, closed="both"))
    recompute: bool = param(False, "boolean")


@parameters
class MetaTraining(Parameters):
    """Parameters of the meta-training of a `MetaLearnedVerifier` (MAML [1]_, [2]_), by Adam.

    A task is one development writer. Its support set has references, and genuine signatures of other writers as random
    forgeries; its query set has other genuine signatures, random forgeries and skilled forgeries.

    Parameters
    ----------
    epochs : int, default=100
        Number of epochs, each with one task per development writer. With 0 the weights are not meta-trained.
    inner_loop : InnerLoop or None, default=None
        Parameters of the gradient steps of the adaptation; None takes the defaults.
    pretrain : SigNetFeaturizer or None, default=None
        An unfitted featurizer that is trained first, on the same development writers and with the architecture of the
        verifier: `SigNetFeaturizer()` for SigNet, `SigNetFeaturizer(forgery_weight=0.95)` for SigNet-F. If it is
        trained on the forgeries of these writers, little may be left to learn from them in the meta-training; with
        enough writers, train `weights` on others.
    multi_step_epochs : int, default=15
        Number of epochs at the beginning in which the losses after earlier steps count too, with falling weight.
    meta_batch_size : int, default=4
        Maximum number of tasks whose gradients are averaged. The memory is that of `n_jobs` tasks, or with
        `adapt="head"` that of tasks with up to 256 signatures in total. Training the network with `adapt="head"` needs
        several tasks, for batch normalization.
    lr, min_lr : float, default=1e-3, 1e-5
        Initial and final learning rate of Adam, with cosine decay.
    network_lr : float or None, default=None
        Initial learning rate of the network without its head; None is `lr`. With 0 the network is not trained, and only
        the head and the learning rates of the steps are learned; this is best with good `weights` and few development
        writers.
    clip_value : float or None, default=10.0
        Maximum absolute value of a gradient; None does not clip.
    n_queries : tuple of (int, int, int), default=(10, 10, 10)
        Number of genuine signatures, random forgeries and skilled forgeries in the query set of a task; fewer if a
        writer has fewer.
    n_forgery_writers : int or None, default=None
        Number of development writers, drawn at random, whose skilled forgeries are used; None uses all. The writers
        held out for validation keep theirs.
    augmentation : {"crop", "distort"}, Distortion or None, default="crop"
        Random changes of the images: a random crop as in [2]_, or changes of shape, pen and ink, see
        :class:`Distortion`. None does not change the images; with `adapt="head"` and `network_lr=0` features are then
        computed once, and an epoch takes about a second.
    validation_fraction : float, default=0.1
        Share of the development writers that is held out to choose the epoch with the lowest loss. With 0, or fewer
        than three development writers, the last epoch is kept.
    checkpoint_dir : str, os.PathLike or None, default=None
        Folder in which the state is written after each epoch. The next `fit` with the same images and parameters
        resumes there, and ends with the same weights (in float32, on the same machine) as an uninterrupted one.
    n_jobs : int or None, default=None
        Number of tasks that are computed in parallel on a CPU with `adapt="all"`, up to `meta_batch_size`, by threads
        that share PyTorch's own threads. This is faster, and each needs the memory of a task. None means 1 unless in a
        `joblib.parallel_config` context, -1 uses all processors.

    See Also
    --------
    sigkit.estimators.MetaLearnedVerifier : Takes these parameters as `training`.
    SigNetTraining : Parameters of a training of features.

    References
    ----------
    .. [1] Finn, C., Abbeel, P., and Levine, S. (2017). Model-agnostic meta-learning for fast adaptation of deep
       networks. ICML. arXiv:1703.03400.
    .. [2] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2020). Meta-learning for fast classifier adaptation to
       new users of signature verification systems. IEEE Transactions on Information Forensics and Security, 15,
       1735-1745. arXiv:1910.08060.

    Examples
    --------
    >>> from sigkit.training import InnerLoop, MetaTraining
    >>> MetaTraining(epochs=20, inner_loop=InnerLoop(lr=0.05), network_lr=0.0, augmentation=None)
    MetaTraining(augmentation=None, epochs=20, inner_loop=InnerLoop(lr=0.05),
                 network_lr=0.0)
    """

    epochs: int = param(100, Interval(Integral, 0, None, closed="left"))
    _: KW_ONLY
    inner_loop: object = param(None, InnerLoop, None)
    pretrain: object = param(None, HasMethods(["fit", "transform", "get_params"]), None)
    multi_step_epochs: int = param(15, Interval(Integral, 0, None, closed="left"))
    meta_batch_size: int = param(4, Interval(Integral, 1, None, closed="left"))
    lr: float = param(1e-3, _POSITIVE)
    min_lr: float = param(1e-5, _NOT_NEGATIVE)
    network_lr: float | None = param(None, _NOT_NEGATIVE, None)
    clip_value: float | None = param(10.0, _POSITIVE, None)
    n_queries: tuple = param((10, 10, 10), "array-like")
    n_forgery_writers: int | None = param(None, Interval(Integral, 1, None, closed="left"), None)
    augmentation: object = param("crop", StrOptions(set(AUGMENTATIONS)), Distortion, None)
    validation_fraction: float = param(0.1, Interval(Real, 0, 1, closed="left"))
    checkpoint_dir: object = param(None, str, os.PathLike, None)
    n_jobs: int | None = param(
        None, Interval(Integral, 1, None, closed="left"), Interval(Integral, None, -1, closed="right"), None
    )

    def validate(self):
        """Check all parameters, those of the inner loop included.

        Raises
        ------
        ValueError
            If a parameter is outside its range; the parameter is named.
        """
        super().validate()
        counts = list(self.n_queries)
        if len(counts) != 3 or not all(isinstance(count, Integral) for count in counts) or counts[0] < 1:
            raise ValueError(
                "n_queries must be three numbers of signatures: genuine (at least 1), random forgeries and skilled "
                f"forgeries; found {self.n_queries!r}."
            )
        if min(counts) < 0:
            raise ValueError(f"n_queries must not be negative; found {self.n_queries!r}.")

    def resolve(self):
        """Replace None by the default inner loop.

        Returns
        -------
        MetaTraining
            A shallow copy.
        """
        resolved = super().resolve()
        resolved.inner_loop = (InnerLoop() if self.inner_loop is None else self.inner_loop).resolve()
        resolved.augmentation = resolve_augmentation(self.augmentation)
        resolved.n_queries = tuple(int(count) for count in self.n_queries)
        return resolved
