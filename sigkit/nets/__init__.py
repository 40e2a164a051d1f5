"""Networks as plain torch modules, the registry of their architectures, and weight files."""

from sigkit.nets._architectures import ARCHITECTURES, build_network, check_architecture, register_architecture
from sigkit.nets._architectures import network_without_weights as network_without_weights
from sigkit.nets._draws import OwnDraws as OwnDraws
from sigkit.nets._draws import fixed_draws as fixed_draws
from sigkit.nets._draws import may_draw as may_draw
from sigkit.nets._heads import balanced_cross_entropy
from sigkit.nets._input import center_crop, network_input
from sigkit.nets._meta_learner import MetaLearner
from sigkit.nets._prepare import choose_device, choose_precision, prepare_network, set_inplace_relu
from sigkit.nets._prepared import prepared_network as prepared_network
from sigkit.nets._shipped import weights_path
from sigkit.nets._signet import SigNet
from sigkit.nets._sigver_file import load_sigver_weights, save_sigver_weights
from sigkit.nets._state import learner_state as learner_state
from sigkit.nets._state import network_state as network_state
from sigkit.nets._state import restore_learner as restore_learner
from sigkit.nets._state import restore_network as restore_network
from sigkit.nets._state import restore_tensors as restore_tensors
from sigkit.nets._state import tensors_state as tensors_state
from sigkit.nets._torch_file import load_torch as load_torch
from sigkit.nets._weights import load_network, save_weights

__all__ = [
    "ARCHITECTURES",
    "MetaLearner",
    "SigNet",
    "balanced_cross_entropy",
    "build_network",
    "center_crop",
    "check_architecture",
    "choose_device",
    "choose_precision",
    "load_network",
    "load_sigver_weights",
    "network_input",
    "prepare_network",
    "register_architecture",
    "save_sigver_weights",
    "save_weights",
    "set_inplace_relu",
    "weights_path",
]
