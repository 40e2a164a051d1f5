"""Networks and their weight files, in plain torch."""

from sigkit.nets._architectures import ARCHITECTURES, build_network
from sigkit.nets._input import center_crop, network_input
from sigkit.nets._meta import (
    DistanceHead,
    MetaLearner,
    balanced_cross_entropy,
    batch_statistics,
    multi_step_importance,
    update_statistics,
)
from sigkit.nets._prepare import choose_device, choose_precision, has_fast_bfloat16, prepare_network
from sigkit.nets._residual import ResidualSigNet
from sigkit.nets._shipped import SHIPPED_WEIGHTS, weights_path
from sigkit.nets._signet import SigNet, TinyNet
from sigkit.nets._small_cnn import SmallCNN
from sigkit.nets._weights import load_meta_learned, load_network, save_weights

__all__ = [
    "ARCHITECTURES",
    "SHIPPED_WEIGHTS",
    "DistanceHead",
    "MetaLearner",
    "ResidualSigNet",
    "SigNet",
    "SmallCNN",
    "TinyNet",
    "balanced_cross_entropy",
    "batch_statistics",
    "build_network",
    "center_crop",
    "choose_device",
    "choose_precision",
    "has_fast_bfloat16",
    "load_meta_learned",
    "load_network",
    "multi_step_importance",
    "network_input",
    "prepare_network",
    "save_weights",
    "update_statistics",
    "weights_path",
]
