"""Attacks of the Adversarial Robustness Toolbox on verifiers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sigkit.attacks._base import Attack
from sigkit.attacks._norms import FULL_INK


@dataclass(frozen=True, kw_only=True)
class ArtAttack(Attack):
    """An attack of the Adversarial Robustness Toolbox [1]_, run on one claim after the other.

    The toolbox knows classifiers, not claims: each claim becomes a classifier of two classes, 0 for the decision as it
    is and 1 for the one that the attacker wants, with minus and plus half the margin for logits.

    Parameters
    ----------
    eight_bit : bool, default=True
        Whether attacked images have whole grey levels.
    batch_size : int, default=32
        Number of images whose outcome is computed at once.
    random_state : int, default=0
        Not used: the toolbox draws from numpy's own random state.
    make : callable
        Makes an attack of the toolbox of a classifier, an `art.estimators.classification.PyTorchClassifier`.
    needs_gradient : bool, default=True
        Whether that attack needs gradients.

    Raises
    ------
    ImportError
        When called without the toolbox: install `sigkit[attacks]`.

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
        try:
            from art.estimators.classification import PyTorchClassifier
        except ImportError as error:
            raise ImportError(
                "ArtAttack needs the Adversarial Robustness Toolbox: pip install 'sigkit[attacks]'."
            ) from error
        found = images.clone()
        for row in range(len(images)):
            classifier = PyTorchClassifier(
                model=_TwoSides(claims[torch.tensor([row])]),
                loss=nn.CrossEntropyLoss(),
                input_shape=tuple(images.shape[1:]),
                nb_classes=2,
                clip_values=(0.0, FULL_INK),
                device_type="gpu" if images.is_cuda else "cpu",
            )
            attack = self.make(classifier)
            wanted = np.array([[0.0, 1.0]], dtype=np.float32) if getattr(attack, "targeted", False) else None
            changed = attack.generate(x=images[row : row + 1].cpu().numpy(), y=wanted)
            found[row] = torch.from_numpy(changed[0]).to(images)
        return found.clamp(0, FULL_INK)


class _TwoSides(nn.Module):
    """Logits of "as it is" and "as the attacker wants", of any number of versions of one image."""

    def __init__(self, claim):
        super().__init__()
        self.claim = claim

    def forward(self, images):
        margins = self.claim[torch.zeros(len(images), dtype=torch.long)].margins(images)
        return torch.stack([-margins, margins], dim=1) / 2
