"""The fast gradient method."""

from dataclasses import dataclass

from sigkit.attacks._ball_attack import BallAttack
from sigkit.attacks._norms import FULL_INK, steepest


@dataclass(frozen=True, kw_only=True)
class FGM(BallAttack):
    """The fast gradient method (FGM, FGSM) [1]_: one step of a given length along the gradient of the score.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether attacked images are rounded to whole gray levels.
    batch_size : int, default=32
        Number of images attacked at once.
    random_state : int, default=0
        Not used: the attack is deterministic.
    epsilon : float, default=1000.0
        Length of the step, in gray levels; the perturbation is shorter if pixels are clipped to [0, 255]. The default
        is that of [2]_, a root mean square of 5.5 gray levels for images of 150 x 220 pixels.
    norm : {2, float("inf")}, default=2
        Norm that measures the length: the L2 norm over pixels, or the maximum over pixels.

    See Also
    --------
    PGD : Several smaller steps.

    References
    ----------
    .. [1] Goodfellow, I. J., Shlens, J., and Szegedy, C. (2015). Explaining and harnessing adversarial examples. ICLR.
       arXiv:1412.6572.
    .. [2] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2019). Characterizing and evaluating adversarial examples
       for offline handwritten signature verification. IEEE Transactions on Information Forensics and Security, 14(8),
       2153-2166. arXiv:1901.03398.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import FGM
    >>> attacked = FGM(epsilon=40)(lambda images, claims: 9 - images.mean((1, 2)), torch.zeros(1, 4, 4))
    >>> attacked.success, attacked.scores_before, attacked.scores_after
    (array([ True]), array([9.]), array([-1.]))
    """

    def _search(self, claims, images, generator):
        _, gradients = claims.value_and_grad(images)
        return (images + self.epsilon * steepest(gradients, self.norm)).clamp(0, FULL_INK)
