"""Recipes: parameters of trainings whose results are in the documentation."""

from sigkit.training._distortion import Distortion
from sigkit.training._signet_parameters import SigNetTraining

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
"""Training for features that transfer to corpora that the network was not trained on.

It is for `SigNetFeaturizer("signet_residual", training=TRANSFER_RECIPE)`. Skilled forgeries are separate classes, so
`y` must contain some for the development writers; if there are none, set `extra_classes=("mirrored",)` in a clone.
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

Synthetic signatures already vary in shape, so they are distorted less, and there are no mirror images.
`reproduce/train_synthetic.py` makes the weights in the package with it.
"""
