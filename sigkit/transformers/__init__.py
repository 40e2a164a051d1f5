"""Transformers: from scans to images, from images to features."""

from sigkit.transformers._recipes import TRANSFER_RECIPE
from sigkit.transformers._signature_preprocessor import SignaturePreprocessor
from sigkit.transformers._signet_featurizer import SigNetFeaturizer
from sigkit.transformers._training_curves import TrainingCurvesDisplay

__all__ = ["TRANSFER_RECIPE", "SigNetFeaturizer", "SignaturePreprocessor", "TrainingCurvesDisplay"]
