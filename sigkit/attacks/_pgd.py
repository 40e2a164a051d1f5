"""Projected gradient descent."""

from dataclasses import dataclass
from numbers import Integral, Real

from sigkit.attacks._ascent import ascend
from sigkit.attacks._ball_attack import BallAttack
from sigkit.attacks._norms import random_in_ball


@dataclass(frozen=True, kw_only=True)
class PGD(BallAttack):
    """Projected gradient descent (PGD) [1]_: steps along the gradient, each projected to a ball around the image.

    The result is the iterate with the largest margin on the attacker's side of the threshold.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether attacked images are rounded to whole gray levels.
    batch_size : int, default=32
        Number of images attacked at once.
    random_state : int, default=0
        Seed of the random start.
    epsilon : float, default=1000.0
        Maximum length of the perturbation, in gray levels.
    norm : {2, float("inf")}, default=2
        Norm that measures the length: the L2 norm over pixels, or the maximum over pixels.
    n_steps : int, default=20
        Number of steps.
    step_size : float or None, default=None
        Length of a step, in gray levels; by default `2.5 * epsilon / n_steps`, with which every point of the ball can
        be reached.
    random_start : bool, default=False
        Whether to start at a random point of the ball instead of the image.

    See Also
    --------
    CarliniWagnerL2 : Minimizes the length of the perturbation instead.
    sigkit.estimators.AdversarialTrainer : Trains features on images attacked in this way.

    References
    ----------
    .. [1] Madry, A., Makelov, A., Schmidt, L., Tsipras, D., and Vladu, A. (2018). Towards deep learning models
       resistant to adversarial attacks. ICLR. arXiv:1706.06083.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import PGD
    >>> attack = PGD(epsilon=10, norm=float("inf"), n_steps=5)
    >>> attack(lambda images, claims: 9 - images.mean((1, 2)), torch.zeros(1, 4, 4)).scores_after
    array([-1.])
    """

    n_steps: int = 20
    step_size: float | None = None
    random_start: bool = False

    def __post_init__(self):
        super().__post_init__()
        self._check("n_steps", Integral, 1)
        if self.step_size is not None:
            self._check("step_size", Real, 0, above=True)

    def _search(self, claims, images, generator):
        start = None
        if self.random_start:
            start = random_in_ball(images, self.epsilon, self.norm, generator=generator)
        return ascend(
            claims.margins,
            images,
            epsilon=self.epsilon,
            norm=self.norm,
            step_size=self.step_size,
            n_steps=self.n_steps,
            start=start,
        )
