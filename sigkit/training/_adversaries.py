"""What changes the images of a training, batch by batch, so that the network learns to withstand attacks."""

import hashlib
from dataclasses import dataclass

from sigkit.attacks import FULL_INK, ascend, random_in_ball, steepest, value_and_grad
from sigkit.training._losses import SigNetLoss


@dataclass(frozen=True)
class WorstImages:
    """Replace each image by one near it that is hard for the network as it is.

    Parameters
    ----------
    epsilon : float
        Greatest length of the change, in grey levels.
    n_steps : int
        Number of gradient steps.
    step_size : float or None
        Length of a step, in grey levels; None for `2.5 * epsilon / n_steps`.
    random_start : bool
        Whether to begin at a random change.
    """

    epsilon: float
    n_steps: int
    step_size: float | None
    random_start: bool

    def __call__(self, net, images, target):
        """Make what is learned of a batch."""
        criterion = forgeries_apart(net.criterion_)
        epsilon = self.epsilon / FULL_INK
        start = None
        if self.random_start:
            start = random_in_ball(images, epsilon, generator=net.generator_, full_ink=1.0)
        worst = ascend(
            lambda varied: criterion.each(_logits(net, varied), target),
            images,
            epsilon=epsilon,
            step_size=None if self.step_size is None else self.step_size / FULL_INK,
            n_steps=self.n_steps,
            start=start,
            full_ink=1.0,
        )
        return [(1.0, worst, criterion)]

    def describe(self):
        """Return what decides the result of the training."""
        return {"kind": "worst images", **vars(self)}


class OneStepImages:
    """Add to each batch the same images, changed by one gradient step against this network or another, in turn.

    Parameters
    ----------
    epsilon : float
        Length of the step, in grey levels.
    alpha : float
        Share of the unchanged images in the loss.
    surrogates : list of TrainingNet
        The other networks with their heads, trained on the same writers.
    """

    def __init__(self, epsilon, alpha, surrogates):
        self.epsilon = epsilon
        self.alpha = alpha
        self.surrogates = surrogates

    def __call__(self, net, images, target):
        """Make what is learned of a batch; which network it is against follows from how many came before."""
        n_batches = (len(net.history) - 1) * net.n_batches_ + net.batch_
        attacked = [net, *self.surrogates][n_batches % (1 + len(self.surrogates))]
        criterion = forgeries_apart(net.criterion_)
        _, gradients = value_and_grad(lambda varied: criterion.each(_logits(attacked, varied), target), images)
        changed = (images + self.epsilon / FULL_INK * steepest(gradients)).clamp(0, 1)
        return [(self.alpha, images, net.criterion_), (1 - self.alpha, changed, criterion)]

    def describe(self):
        """Return what decides the result of the training."""
        weights = hashlib.sha256()
        for net in self.surrogates:
            for tensor in net.module_.state_dict().values():
                weights.update(tensor.cpu().numpy().tobytes())
        return {
            "kind": "one-step images",
            "epsilon": self.epsilon,
            "alpha": self.alpha,
            "surrogates": weights.hexdigest(),
        }


def forgeries_apart(criterion):
    """Make the loss of changed images: that of the training, with forgeries never in the term about writers.

    Parameters
    ----------
    criterion : SigNetLoss
        The loss of the training.

    Returns
    -------
    SigNetLoss
        The same loss; by equation 4 of SigNet-F where it was by equation 3.
    """
    if criterion.forgery_weight is None:
        return criterion
    apart = SigNetLoss(criterion.forgery_weight, "genuine", criterion.margin, criterion.label_smoothing)
    return apart.train(criterion.training)


def _logits(net, images):
    """Logits as the network gives them when it is not learning: each image on its own."""
    net.module_.eval()
    return net.infer(images)
