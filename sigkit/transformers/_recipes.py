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
