"""Transformers: from scans to images, from images to features."""

from sigkit.transformers._background_remover import BackgroundRemover
from sigkit.transformers._clbp_featurizer import CLBPFeaturizer
from sigkit.transformers._onnx._onnx_featurizer import OnnxFeaturizer
from sigkit.transformers._signature_preprocessor import SignaturePreprocessor
from sigkit.transformers._signet_featurizer import SigNetFeaturizer
from sigkit.transformers._strokes._stroke_featurizer import StrokeFeaturizer

__all__ = [
    "BackgroundRemover",
    "CLBPFeaturizer",
    "OnnxFeaturizer",
    "SigNetFeaturizer",
    "SignaturePreprocessor",
    "StrokeFeaturizer",
]
