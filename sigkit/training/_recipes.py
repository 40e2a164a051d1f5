"""Settings that belong together."""

TRANSFER_RECIPE = {
    "architecture": "signet_residual",
    "forgery_classes": True,
    "mirrored_classes": True,
    "head": "cosine",
    "augmentation": "distort",
    "schedule": "cosine",
    "lr": 0.1,
    "batch_size": 64,
    "epochs": 36,
    "validation_fraction": 0.0,
}
"""Parameters of a `SigNetFeaturizer` whose features carry over to corpora that it was not trained on.

Forgeries are learned as writers of their own, so `y` must hold skilled forgeries of the development writers; set
`forgery_classes=False` where there are none.
"""

SYNTHETIC_RECIPE = TRANSFER_RECIPE | {
    "architecture": "signet_small",
    "mirrored_classes": False,
    "epochs": 10,
    "augmentation": {
        "rotation": 4.0,
        "scaling": 1.08,
        "aspect": 1.06,
        "shear": 0.07,
        "shift": 6.0,
        "elastic": 0.8,
        "erase": 0.2,
    },
}
"""Parameters of a `SigNetFeaturizer` that learns from thousands of drawn writers.

They need no mirror images, and their signatures vary as people's do, so that shapes are distorted less.
`examples/train_synthetic.py` makes the weights in the package by it.
"""
