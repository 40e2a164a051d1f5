"""The networks by name."""

import torch

from sigkit.nets._residual import ResidualSigNet
from sigkit.nets._signet import SigNet, TinyNet
from sigkit.nets._small_cnn import SmallCNN

ARCHITECTURES = ("signet", "signet_thin", "signet_smaller", "signet_residual", "signet_small", "smallcnn", "tiny")
"""Names that `build_network` knows."""


def build_network(architecture, seed=None):
    """Make a network with random weights.

    Parameters
    ----------
    architecture : {"signet", "signet_thin", "signet_smaller", "signet_residual", "signet_small", "smallcnn", "tiny"}
        Which network: SigNet (15.8 million parameters, 2,048 features); with 128 channels and 1,024 features; without
        its fourth convolution and its second fully connected layer; a residual network of 3.3 million parameters
        and 2,048 features; the same with 1,024 features and 2.3 million parameters, that of the weights in the package;
        two convolutions without batch normalisation, 1.4 million parameters and 256 features; or a tiny one for tests.
    seed : int or None, default=None
        Seed of the random weights; torch's own random state is left as it was. None draws from torch's random state.

    Returns
    -------
    torch.nn.Module
        The network, with `input_size` and `n_features`.

    Raises
    ------
    ValueError
        If there is no such architecture.

    Examples
    --------
    >>> from sigkit.nets import build_network
    >>> build_network("signet_thin", seed=0).n_features
    1024
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}; found {architecture!r}.")
    if seed is None:
        return _build(architecture)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return _build(architecture)


def _build(architecture):
    if architecture == "signet":
        return SigNet({"conv1": 96, "conv2": 256, "conv3": 384, "conv4": 384, "conv5": 256}, widths=(2048, 2048))
    if architecture == "signet_thin":
        return SigNet({"conv1": 96, "conv2": 128, "conv3": 128, "conv4": 128, "conv5": 128}, widths=(1024, 1024))
    if architecture == "signet_smaller":
        return SigNet({"conv1": 96, "conv2": 256, "conv3": 384, "conv5": 256}, widths=(2048,))
    if architecture == "signet_small":
        return ResidualSigNet(n_features=1024)
    return {"signet_residual": ResidualSigNet, "smallcnn": SmallCNN, "tiny": TinyNet}[architecture]()
