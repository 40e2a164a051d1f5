"""Networks and their weight files, in plain torch."""

from sigkit.nets._architectures import ARCHITECTURES, build_network
from sigkit.nets._augment import Distortion, random_crop
from sigkit.nets._extract import (
    center_crop,
    choose_device,
    choose_precision,
    extract_features,
    features_of,
    has_fast_bfloat16,
    prepare_network,
)
from sigkit.nets._losses import CosineHead, SigNetLoss, TrainingNetwork
from sigkit.nets._meta import (
    DistanceHead,
    MetaLearner,
    balanced_cross_entropy,
    batch_statistics,
    multi_step_importance,
    update_statistics,
)
from sigkit.nets._residual import ResidualSigNet
from sigkit.nets._shipped import SHIPPED_WEIGHTS, weights_path
from sigkit.nets._signet import SigNet, TinyNet
from sigkit.nets._small_cnn import SmallCNN
from sigkit.nets._weights import load_meta_learned, load_network, save_weights

__all__ = [
    "ARCHITECTURES",
    "SHIPPED_WEIGHTS",
    "CosineHead",
    "DistanceHead",
    "Distortion",
    "MetaLearner",
    "ResidualSigNet",
    "SigNet",
    "SigNetLoss",
    "SmallCNN",
    "TinyNet",
    "TrainingNetwork",
    "balanced_cross_entropy",
    "batch_statistics",
    "build_network",
    "center_crop",
    "choose_device",
    "choose_precision",
    "extract_features",
    "features_of",
    "has_fast_bfloat16",
    "load_meta_learned",
    "load_network",
    "multi_step_importance",
    "prepare_network",
    "random_crop",
    "save_weights",
    "update_statistics",
    "weights_path",
]
