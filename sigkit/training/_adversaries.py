"""Adversarial training: objects that attack the images of each batch."""

from dataclasses import KW_ONLY
from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from sigkit.attacks import FULL_INK, ascend, random_in_ball, steepest, value_and_grad
from sigkit.training._parameters import Parameters, param, parameters


class Adversary(Parameters):
    """Base of the adversaries.

    A subclass implements `changed_batches(net, images, target)`, which returns the batches that replace a batch: a list
    of tuples with the weight in the loss, the input of the network, and the criterion.

    Examples
    --------
    >>> from sigkit.training import Adversary, EnsembleAdversary
    >>> issubclass(EnsembleAdversary, Adversary)
    True
    """


@parameters
class ProjectedGradientAdversary(Adversary):
    """Replace each image by an adversarial example, found by projected gradient ascent on the loss [1]_.

    Parameters
    ----------
    epsilon : float, default=510.0
        Maximum L2 norm of the perturbation, in gray levels.
    n_steps : int, default=10
        Number of gradient steps.
    step_size : float or None, default=None
        Length of a step, in gray levels; None for `2.5 * epsilon / n_steps`.
    random_start : bool, default=False
        Whether the steps start from a random perturbation.

    References
    ----------
    .. [1] Madry, A., Makelov, A., Schmidt, L., Tsipras, D., and Vladu, A. (2018). Towards deep learning models
       resistant to adversarial attacks. ICLR. arXiv:1706.06083.

    Examples
    --------
    >>> from sigkit.training import ProjectedGradientAdversary, SigNetTraining
    >>> SigNetTraining(adversary=ProjectedGradientAdversary(n_steps=5)).get_params()["adversary__n_steps"]
    5
    """

    _: KW_ONLY
    epsilon: float = param(510.0, Interval(Real, 0, None, closed="neither"))
    n_steps: int = param(10, Interval(Integral, 1, None, closed="left"))
    step_size: float | None = param(None, Interval(Real, 0, None, closed="neither"), None)
    random_start: bool = param(False, "boolean")

    def changed_batches(self, net, images, target):
        """Attack the images of a batch.

        Parameters
        ----------
        net : TrainingNet
            The net that is trained.
        images : Tensor of shape (n_samples, 1, height, width)
            Input of the network.
        target : Tensor of shape (n_samples, 2)
            Classes, and 1 for a forgery.

        Returns
        -------
        list of (float, Tensor, SigNetLoss)
            One batch: the attacked images.
        """
        criterion = net.criterion_.for_attacked_images()
        # The network takes ink from 0 to 1, parameters are in gray levels.
        epsilon = self.epsilon / FULL_INK
        start = None
        if self.random_start:
            start = random_in_ball(images, epsilon, generator=net.generator_, full_ink=1.0)
        changed = ascend(
            lambda varied: criterion.per_sample(net.logits_of(net.module_, varied), target),
            images,
            epsilon=epsilon,
            step_size=None if self.step_size is None else self.step_size / FULL_INK,
            n_steps=self.n_steps,
            start=start,
            full_ink=1.0,
        )
        return [(1.0, changed, criterion)]


@parameters
class EnsembleAdversary(Adversary):
    """Add adversarial examples, made by one gradient step against this network or a surrogate in turn [1]_.

    Parameters
    ----------
    epsilon : float, default=1275.0
        L2 norm of the step, in gray levels.
    alpha : float, default=0.5
        Share of the unchanged images in the loss, from 0 to 1.
    surrogates : list of torch.nn.Module, default=()
        Other networks with their classifiers, trained on the same classes.

    References
    ----------
    .. [1] Tramèr, F., Kurakin, A., Papernot, N., Goodfellow, I., Boneh, D., and McDaniel, P. (2018). Ensemble
       adversarial training: attacks and defenses. ICLR. arXiv:1705.07204.

    Examples
    --------
    >>> from sigkit.training import EnsembleAdversary, SigNetTraining
    >>> SigNetTraining(adversary=EnsembleAdversary(alpha=0.3)).get_params()["adversary__alpha"]
    0.3
    """

    _: KW_ONLY
    epsilon: float = param(1275.0, Interval(Real, 0, None, closed="neither"))
    alpha: float = param(0.5, Interval(Real, 0, 1, closed="both"))
    surrogates: object = param((), list, tuple)

    def changed_batches(self, net, images, target):
        """Attack the images of a batch, and keep the original images as well.

        Parameters
        ----------
        net : TrainingNet
            The net that is trained.
        images : Tensor of shape (n_samples, 1, height, width)
            Input of the network.
        target : Tensor of shape (n_samples, 2)
            Classes, and 1 for a forgery.

        Returns
        -------
        list of (float, Tensor, SigNetLoss)
            Two batches: the original and the attacked images.
        """
        # The number of batches so far determines the network, so that a resumed training continues with the same one.
        n_batches = (len(net.history) - 1) * net.n_batches_ + net.batch_
        attacked = [net.module_, *self.surrogates][n_batches % (1 + len(self.surrogates))]
        criterion = net.criterion_.for_attacked_images()
        _, gradients = value_and_grad(
            lambda varied: criterion.per_sample(net.logits_of(attacked, varied), target), images
        )
        changed = (images + self.epsilon / FULL_INK * steepest(gradients)).clamp(0, 1)
        return [(self.alpha, images, net.criterion_), (1 - self.alpha, changed, criterion)]
