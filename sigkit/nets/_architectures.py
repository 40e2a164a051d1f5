"""The registry of architectures, and networks by their names."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, partial
from types import MappingProxyType

import torch

from sigkit.nets._draws import OwnDraws
from sigkit.nets._residual import ResidualSigNet
from sigkit.nets._signet import SigNet, TinyNet
from sigkit.nets._small_cnn import SmallCNN

_TORCHVISION = "torchvision:"
_REGISTRY = {}

ARCHITECTURES = MappingProxyType(_REGISTRY)
"""The registered architectures by name, each with its `description`, `n_features` and `n_parameters`. Read-only."""


@dataclass(frozen=True)
class Architecture:
    """One registered architecture.

    Parameters
    ----------
    name : str
        Its name.
    builder : callable
        Returns a new network with random weights; called without arguments.
    description : str
        What it is, in one line.
    """

    name: str
    builder: object
    description: str

    @property
    def n_features(self):
        """Number of features."""
        return self._template.n_features

    @property
    def n_parameters(self):
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self._template.parameters())

    @cached_property
    def _template(self):
        """A network of this architecture, built when it is first needed: importing sigkit builds none."""
        return network_without_weights(self.name)


def register_architecture(name, builder, description):
    """Add an architecture to :data:`ARCHITECTURES`, under a name that estimators and weight files then accept.

    A network is a `torch.nn.Module` that maps images of shape (n_samples, 1, height, width), background 0 and ink up to
    1, to features of shape (n_samples, n_features). It has three attributes: `input_size`, a tuple (rows, columns), or
    None if images are not cropped; `takes_any_size`, whether it also takes images of other sizes; and `n_features`.
    Tensors that are not parameters must be buffers; those with infinity, such as masks, with `persistent=False`,
    because numbers in weight files are finite.

    Parameters
    ----------
    name : str
        The name. An existing registration is replaced, except those of sigkit.
    builder : callable
        Returns a new network with random weights; called without arguments.
    description : str
        What the network is, in one line.

    Raises
    ------
    ValueError
        If the name is one of sigkit's own, or begins with "torchvision:".

    Notes
    -----
    Register in a module that is imported, not in the main script, if worker processes (`n_jobs`) are to know the name.

    Examples
    --------
    >>> from functools import partial
    >>> from sigkit.nets import ARCHITECTURES, SigNet, build_network, register_architecture
    >>> builder = partial(SigNet, {"conv1": 32, "conv2": 64, "conv5": 64}, widths=(512,))
    >>> register_architecture("signet_narrow", builder, "SigNet with three convolutions and fewer channels")
    >>> build_network("signet_narrow", seed=0).n_features
    512
    >>> ARCHITECTURES["signet_narrow"].description
    'SigNet with three convolutions and fewer channels'
    """
    if name in _BUILT_IN or name.startswith(_TORCHVISION):
        raise ValueError(f"name={name!r} is an architecture that sigkit provides. Register yours under another name.")
    _REGISTRY[name] = Architecture(name, builder, description)


def check_architecture(architecture):
    """Check that there is an architecture of this name.

    Parameters
    ----------
    architecture : str
        One of `sigkit.nets.ARCHITECTURES`, or "torchvision:" and the name of one of torchvision's classification
        networks.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> from sigkit.nets import check_architecture
    >>> check_architecture("signet")
    >>> check_architecture("torchvision:resnet18")
    >>> check_architecture("torchvision:resnet19")
    Traceback (most recent call last):
        ...
    ValueError: architecture: torchvision has no classification network 'resnet19'. Did you mean ...?
    """
    if isinstance(architecture, str) and architecture.startswith(_TORCHVISION):
        # Imported only for these names, because importing torchvision takes a second.
        from sigkit.nets._torchvision import model_names

        name, known = architecture.removeprefix(_TORCHVISION), model_names()
        if name not in known:
            close = get_close_matches(name, known, cutoff=0) or known[:3]
            raise ValueError(
                f"architecture: torchvision has no classification network {name!r}. Did you mean "
                f"{' or '.join(map(repr, close))}?"
            )
    elif architecture not in ARCHITECTURES:
        raise ValueError(
            f"architecture must be one of {', '.join(ARCHITECTURES)}, or 'torchvision:' and the name of a torchvision "
            f"model; found {architecture!r}."
        )


def build_network(architecture, seed=None):
    """Build a network with random weights.

    Parameters
    ----------
    architecture : str
        One of `sigkit.nets.ARCHITECTURES`, or "torchvision:" and the name of one of torchvision's classification
        networks, such as "torchvision:resnet18": with one input channel, and the features before its last linear layer.
        Vision transformers (and MaxViT), which take one size, get the image in the middle of 224 x 224 pixels of
        background.
    seed : int or None, default=None
        Seed of the random weights; with a seed, torch's global random state is neither used nor changed.
        None draws from that state, as the construction of any torch module does.

    Returns
    -------
    torch.nn.Module
        The network, in training mode, with `input_size`, `takes_any_size` and `n_features`.

    Raises
    ------
    ValueError
        If there is no such architecture, or a registered one saves a buffer with NaN or infinity.
    TypeError
        If the builder of a registered architecture returns anything other than such a network.

    Examples
    --------
    >>> from sigkit.nets import build_network
    >>> build_network("signet_thin", seed=0).n_features
    1024
    >>> build_network("torchvision:resnet18", seed=0).n_features
    512
    """
    check_architecture(architecture)
    if seed is None:
        return _build(architecture)
    with OwnDraws(seed):
        return _build(architecture)


def network_without_weights(architecture):
    """Build a network whose weights have shapes but no values, which takes almost no time.

    Parameters
    ----------
    architecture : str
        The name, as in :func:`build_network`.

    Returns
    -------
    torch.nn.Module
        The network, on the meta device; on the CPU, with random weights, if its builder does not run there.
    """
    try:
        with torch.device("meta"):
            return build_network(architecture, seed=0)
    except RuntimeError:
        return build_network(architecture, seed=0)


def _build(architecture):
    if architecture.startswith(_TORCHVISION):
        from sigkit.nets._torchvision import TorchvisionNetwork

        return TorchvisionNetwork(architecture.removeprefix(_TORCHVISION))
    network = ARCHITECTURES[architecture].builder()
    missing = [name for name in ("input_size", "takes_any_size", "n_features") if not hasattr(network, name)]
    if not isinstance(network, torch.nn.Module) or missing:
        raise TypeError(
            f"architecture={architecture!r}: the builder must return a torch.nn.Module with input_size, takes_any_size "
            f"and n_features; found {type(network).__name__}{' without ' if missing else ''}{', '.join(missing)}."
        )
    saved = network.state_dict().keys()
    for name, buffer in network.named_buffers():
        # A mask, which a training would take for its divergence. A tensor on the meta device has no values.
        if name in saved and not buffer.is_meta and not torch.isfinite(buffer).all():
            raise ValueError(
                f"architecture={architecture!r}: the buffer {name} has NaN or infinity, and numbers in weight files "
                "are finite. Register it with persistent=False."
            )
    return network


_BUILT_IN = ()
register_architecture(
    "signet",
    partial(SigNet, {"conv1": 96, "conv2": 256, "conv3": 384, "conv4": 384, "conv5": 256}, widths=(2048, 2048)),
    "SigNet",
)
register_architecture(
    "signet_thin",
    partial(SigNet, {"conv1": 96, "conv2": 128, "conv3": 128, "conv4": 128, "conv5": 128}, widths=(1024, 1024)),
    "SigNet with fewer channels",
)
register_architecture(
    "signet_smaller",
    partial(SigNet, {"conv1": 96, "conv2": 256, "conv3": 384, "conv5": 256}, widths=(2048,)),
    "SigNet without its fourth convolution and its second fully connected layer",
)
register_architecture("signet_residual", ResidualSigNet, "residual network, pooled over the ink")
register_architecture(
    "signet_small",
    partial(ResidualSigNet, n_features=1024),
    "the residual network with half the features; that of the shipped weights",
)
register_architecture("smallcnn", SmallCNN, "two convolutions without batch normalization, for meta-learning")
register_architecture("tiny", TinyNet, "a few thousand parameters, for tests")
_BUILT_IN = frozenset(_REGISTRY)
