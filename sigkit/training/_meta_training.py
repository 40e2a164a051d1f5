"""The parameters of a meta-training."""

import os
from numbers import Integral, Real

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from sigkit.training._augmentation import AUGMENTATIONS, resolve_augmentation
from sigkit.training._distortion import Distortion
from sigkit.training._parameters import Parameters, param, parameters

_POSITIVE, _NOT_NEGATIVE = Interval(Real, 0, None, closed="neither"), Interval(Real, 0, None, closed="left")


@parameters
class InnerLoop(Parameters):
    """Parameters of the gradient steps that adapt a network to a writer, and of how they are differentiated.

    Parameters
    ----------
    lr : float, default=0.01
        Learning rate of the steps, before it is learned. 0.05 suits `head="distance"`: the first step then moves the
        center to the mean of the references.
    network_lr : float or None, default=None
        Learning rate of the weights of the network, without those of the head; None takes `lr`.
    learn_lr : bool, default=True
        Whether a learning rate is learned for each step and each parameter tensor of each layer.
    order : {1, 2}, default=2
        Order of the derivatives: 2 differentiates through the steps, 1 ignores second derivatives (first-order MAML).
    recompute : bool, default=False
        Whether each step is computed again in the backward pass: the memory of one step instead of `n_updates`, beside
        that of the queries, for about a third more time.

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
    network_lr: float | None = param(None, _NOT_NEGATIVE, None)
    learn_lr: bool = param(True, "boolean")
    order: int = param(2, Interval(Integral, 1, 2, closed="both"))
    recompute: bool = param(False, "boolean")


@parameters
class MetaTraining(Parameters):
    """Parameters of the meta-training of a `MetaLearnedVerifier` (MAML [1]_, [2]_), by Adam.

    Each task of the meta-training is one development writer: references, and genuine signatures of others as random
    forgeries, to adapt to; and other genuine signatures, random and skilled forgeries to score.

    Parameters
    ----------
    epochs : int, default=100
        Number of tasks of each development writer. 0 adapts from the weights as they are.
    inner_loop : InnerLoop or None, default=None
        Parameters of the gradient steps of the adaptation; None takes the defaults.
    pretrain : SigNetFeaturizer or None, default=None
        An unfitted featurizer that is trained first, on the same development writers and with the architecture of the
        verifier: `SigNetFeaturizer()` for SigNet, `SigNetFeaturizer(forgery_weight=0.95)` for SigNet-F. A network
        that was trained on the forgeries of these writers may have little to learn from them in the meta-training:
        where there are enough writers, train `weights` on others.
    multi_step_epochs : int, default=15
        Number of epochs at the beginning in which the losses after earlier steps count too, with falling weight.
    meta_batch_size : int, default=4
        Maximum number of tasks whose gradients are averaged. The memory is that of `n_jobs` tasks, or with
        `adapt="head"` that of tasks with 256 signatures together. A network that is learned with `adapt="head"` needs
        several, for batch normalization.
    lr, min_lr : float, default=1e-3, 1e-5
        Learning rate of Adam at the beginning, and at the end of a cosine.
    network_lr : float or None, default=None
        Learning rate, at the beginning, of the weights of the network without those of the head; None takes `lr`. With
        0 they stay as they are, and only the head and the learning rates of the steps are learned: right where
        `weights` are good and development writers few.
    clip_value : float or None, default=10.0
        Maximum absolute value of a gradient; None does not clip.
    n_queries : tuple of (int, int, int), default=(10, 10, 10)
        Number of genuine signatures, random forgeries and skilled forgeries that a task scores; fewer where a writer
        has no more.
    n_forgery_writers : int or None, default=None
        Number of development writers, drawn at random, whose skilled forgeries are used; None uses all. The writers
        held out for validation keep theirs.
    augmentation : {"crop", "distort"}, Distortion or None, default="crop"
        Random changes of the images: a random crop as in [2]_, or changes of shape, pen and ink, see
        :class:`Distortion`. None takes images as they are; with `adapt="head"` and `network_lr=0` features are then
        computed once, and an epoch takes about a second.
    validation_fraction : float, default=0.1
        Share of the development writers that are held out to choose the best epoch, by their loss. With 0, or fewer
        than three development writers, the last epoch is kept.
    checkpoint_dir : str, os.PathLike or None, default=None
        Folder in which the state is written after each epoch. The next `fit` with the same images and parameters
        resumes there, and ends with the same weights (in float32, on the same machine) as an uninterrupted one.
    n_jobs : int or None, default=None
        Number of tasks that are computed in parallel on a processor with `adapt="all"`, up to `meta_batch_size`: in
        threads that share PyTorch's own, faster and each with the memory of a task. None is 1 unless in a
        `joblib.parallel_config` context; -1 takes as many as there are processors.

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
        """Replace None by the inner loop that it stands for.

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
