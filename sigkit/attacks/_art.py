"""Attacks of the Adversarial Robustness Toolbox (ART)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sigkit._utils import optional_package
from sigkit.attacks._base import Attack
from sigkit.attacks._norms import FULL_INK


@dataclass(frozen=True, kw_only=True)
class ArtAttack(Attack):
    """Run an attack of the Adversarial Robustness Toolbox (ART) [1]_ one claim at a time.

    The toolbox attacks classifiers. Each claim is presented as a classifier with two classes: 0 is the present
    decision, 1 the decision that the attacker wants. The logits are minus and plus half the margin.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether attacked images are rounded to whole gray levels.
    batch_size : int, default=32
        Number of images scored at once, before and after the attack.
    random_state : int, default=0
        Not used: the toolbox uses the global random state of numpy.
    make : callable
        Function that returns an attack of the toolbox for a classifier, an
        `art.estimators.classification.PyTorchClassifier`.
    needs_gradient : bool, default=True
        Whether this attack needs gradients.

    Raises
    ------
    ImportError
        If the attack is called and the toolbox is not installed: install `sigkit[attacks]`.

    References
    ----------
    .. [1] Nicolae, M.-I. et al. (2018). Adversarial Robustness Toolbox. arXiv:1807.01069.

    Examples
    --------
    >>> from sigkit.attacks import ArtAttack
    >>> from art.attacks.evasion import DeepFool  # doctest: +SKIP
    >>> attack = ArtAttack(make=lambda classifier: DeepFool(classifier, verbose=False))  # doctest: +SKIP
    """

    make: Callable
    needs_gradient: bool = True

    def _search(self, claims, images, generator):
        with optional_package("the Adversarial Robustness Toolbox", "ArtAttack", "'sigkit[attacks]'"):
            from art.estimators.classification import PyTorchClassifier
        found = images.clone()
        for row in range(len(images)):
            classifier = PyTorchClassifier(
                model=_TwoClasses(claims[torch.tensor([row])]),
                loss=nn.CrossEntropyLoss(),
                input_shape=tuple(images.shape[1:]),
                nb_classes=2,
                clip_values=(0.0, FULL_INK),
                device_type="gpu" if images.is_cuda else "cpu",
            )
            attack = self.make(classifier)
            # Targeted attacks need the class to reach. With two classes, untargeted attacks have the same goal.
            wanted = np.array([[0.0, 1.0]], dtype=np.float32) if getattr(attack, "targeted", False) else None
            changed = attack.generate(x=images[row : row + 1].cpu().numpy(), y=wanted)
            found[row] = torch.from_numpy(changed[0]).to(images)
        return found.clamp(0, FULL_INK)


class _TwoClasses(nn.Module):
    """One claim as a classifier with two classes, for any number of versions of its image."""

    def __init__(self, claim):
        super().__init__()
        self.claim = claim

    def forward(self, images):
        margins = self.claim[torch.zeros(len(images), dtype=torch.long)].margins(images)
        return torch.stack([-margins, margins], dim=1) / 2
