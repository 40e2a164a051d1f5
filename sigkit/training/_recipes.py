"""Parameters of trainings that were found to work, and are measured in the documentation."""

from sigkit.training._distortion import Distortion
from sigkit.training._signet_training import SigNetTraining

TRANSFER_RECIPE = SigNetTraining(
    loss="cosface",
    extra_classes=("forgeries", "mirrored"),
    augmentation="distort",
    schedule="cosine",
    lr=0.1,
    batch_size=64,
    epochs=36,
    validation_fraction=0.0,
)
"""Training whose features carry over to corpora that the network was not trained on.

It is for `SigNetFeaturizer("signet_residual", training=TRANSFER_RECIPE)`. Skilled forgeries are classes of their own,
so `y` must hold some of the development writers; where there are none, set `extra_classes=("mirrored",)` in a clone.
"""

SYNTHETIC_RECIPE = SigNetTraining(
    loss="cosface",
    extra_classes=("forgeries",),
    augmentation=Distortion(rotation=4.0, scaling=1.08, aspect=1.06, shear=0.07, shift=6.0, elastic=0.8, erase=0.2),
    schedule="cosine",
    lr=0.1,
    batch_size=64,
    epochs=10,
    validation_fraction=0.0,
)
"""Training on thousands of synthetic writers, for `SigNetFeaturizer("signet_small", training=SYNTHETIC_RECIPE)`.

Synthetic signatures vary as those of people do, so shapes are distorted less, and there are no mirror images.
`examples/train_synthetic.py` makes the weights in the package with it.
"""
