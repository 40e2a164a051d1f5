"""Weight files: read without executing anything, written as safetensors."""

import os
import pickle

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from sigkit._utils import listing, whole_file
from sigkit.nets._architectures import ARCHITECTURES, build_network
from sigkit.nets._shipped import weights_path

# Batch normalisation counts its batches in newer versions of torch only; the count changes no feature.
_COUNTER = "num_batches_tracked"
# The network of a meta-learner, in its file.
_BODY = "network."


def load_network(path, architecture="signet"):
    """Make a network with the weights of a file, or with those in the package.

    Parameters
    ----------
    path : {"synthetic"}, str or os.PathLike
        Weights in the package by their name, or a `.safetensors` file, or a `.pth` or `.pt` file of sigver's: a tuple
        of the state dicts of the network, of its writer layer and of its forgery layer, of which the first is used.
        Nothing in the file is executed.
    architecture : str, default="signet"
        The network's architecture; the file's metadata overrides it where they name one.

    Returns
    -------
    network : torch.nn.Module
        The network, in evaluation mode and float32.
    metadata : dict of str to str
        What the file says of the weights; its "architecture" at least.

    Raises
    ------
    FileNotFoundError
        If there is no such file, and no weights of that name in the package.
    ValueError
        If the file is damaged, holds anything but tensors, or the weights do not fit the architecture.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit.nets import build_network, load_network, save_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "tiny.safetensors")
    ...     save_weights(path, build_network("tiny", seed=0), "tiny")
    ...     network, metadata = load_network(path)
    >>> metadata
    {'architecture': 'tiny'}
    >>> load_network("synthetic")[1]["licence"]
    'BSD-3-Clause'
    """
    network, metadata, _ = load_meta_learned(path, architecture)
    return network, metadata


def load_meta_learned(path, architecture="signet"):
    """Make a network with the weights of a file, and take what the file has beside it from meta-learning.

    Parameters
    ----------
    path : {"synthetic"}, str or os.PathLike
        Weights in the package by their name, or a weight file, as in :func:`load_network`.
    architecture : str, default="signet"
        The network's architecture; the file's metadata overrides it where they name one.

    Returns
    -------
    network : torch.nn.Module
        The network, in evaluation mode and float32.
    metadata : dict of str to str
        What the file says of the weights; its "architecture" at least.
    others : dict of str to Tensor
        Tensors of a :class:`MetaLearner` beside those of its network; none in other files.

    Raises
    ------
    FileNotFoundError
        If there is no such file, and no weights of that name in the package.
    ValueError
        If the file is damaged, holds anything but tensors, or the weights do not fit the architecture.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit.nets import MetaLearner, build_network, load_meta_learned, save_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "tiny.safetensors")
    ...     save_weights(path, MetaLearner(build_network("tiny")), "tiny")
    ...     sorted(load_meta_learned(path)[2])
    ['head.bias', 'head.weight', 'network_rates', 'rates']
    """
    path = weights_path(path)
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".safetensors":
        weights, metadata = _read_safetensors(path)
        architecture = metadata.get("architecture") or architecture
    elif suffix in (".pth", ".pt"):
        weights, metadata = _read_torch(path), {}
    else:
        raise ValueError(f"{path}: weights are read from .safetensors, .pth or .pt files, not {suffix or 'this'}.")
    if architecture not in ARCHITECTURES:
        raise ValueError(f"{path}: of the unknown architecture {architecture!r}; known are {', '.join(ARCHITECTURES)}.")
    others = {}
    if "rates" in weights:
        others = {name: tensor.float() for name, tensor in weights.items() if not name.startswith(_BODY)}
        weights = {name.removeprefix(_BODY): tensor for name, tensor in weights.items() if name.startswith(_BODY)}
    with torch.device("meta"):
        network = build_network(architecture)
    if _shapes(weights) != _shapes(network.state_dict()):
        raise ValueError(_describe_misfit(path, weights, architecture))
    counters = {name: torch.zeros((), dtype=torch.int64) for name in network.state_dict() if name.endswith(_COUNTER)}
    weights = {name: tensor if name.endswith(_COUNTER) else tensor.float() for name, tensor in weights.items()}
    # NaN and infinity survive a sum, which takes a tenth of the time of looking at each value.
    broken = [name for name, tensor in {**weights, **others}.items() if not tensor.sum().isfinite()]
    if broken:
        raise ValueError(f"{path}: NaN or infinity in {listing(broken)}. Such weights come from a failed training.")
    network.load_state_dict({**counters, **weights}, assign=True)
    return network.eval(), {**metadata, "architecture": architecture}, others


def save_weights(path, network, architecture, metadata=None, half=False):
    """Write a network's weights as safetensors, with what is to be known of them.

    Parameters
    ----------
    path : str or os.PathLike
        The file to write, `.safetensors`.
    network : torch.nn.Module
        The network.
    architecture : str
        The name of its architecture.
    metadata : dict of str to str, default=None
        What else to say of the weights: corpus, recipe, date, licence, preprocessing.
    half : bool, default=False
        Whether matrices and kernels are rounded to half precision, for a file of half the size. Statistics of batch
        normalisation are not.

    Raises
    ------
    ValueError
        If the file has another suffix.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> from sigkit.nets import build_network, save_weights
    >>> save_weights("tiny.pth", build_network("tiny"), "tiny")
    Traceback (most recent call last):
        ...
    ValueError: tiny.pth: weights are written as .safetensors.
    """
    path = os.fspath(path)
    if not path.endswith(".safetensors"):
        raise ValueError(f"{path}: weights are written as .safetensors.")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if half:
        tensors = {name: tensor.half() if tensor.ndim > 1 else tensor for name, tensor in tensors.items()}
    with whole_file(path) as file:
        file.write(save(tensors, metadata={**(metadata or {}), "architecture": architecture}))


def _read_safetensors(path):
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        size = os.path.getsize(path)
        raise ValueError(
            f"{path}: not a whole .safetensors file ({size} bytes: {error}). Download or copy it again."
        ) from error


def _read_torch(path):
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not _looks_like_torch(path):
            raise ValueError(f"{path}: not a torch file, or cut short. Download or copy it again.") from error
        raise ValueError(
            f"{path}: refused, because it holds something other than tensors and could execute code when loaded; "
            "nothing was executed. Save the state dict alone, or as .safetensors."
        ) from error
    except Exception as error:
        # A damaged file fails with whatever the zip reader or the unpickler meets first.
        raise ValueError(f"{path}: cannot be read as torch weights ({error}). Download or copy it again.") from error
    weights = loaded[0] if isinstance(loaded, (tuple, list)) and loaded else loaded
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in weights.items()
    ):
        raise ValueError(f"{path}: holds {type(loaded).__name__}, not a state dict or sigver's tuple of three.")
    return weights


def _looks_like_torch(path):
    """Tell a zip archive or a pickle from anything else by their first byte."""
    with open(path, "rb") as file:
        return file.read(1) in (b"P", b"\x80")


def _shapes(weights):
    return {name: tuple(tensor.shape) for name, tensor in weights.items() if not name.endswith(_COUNTER)}


def _describe_misfit(path, weights, architecture):
    found = _shapes(weights)
    with torch.device("meta"):
        expected = {name: _shapes(build_network(name).state_dict()) for name in ARCHITECTURES}
    fitting = [name for name in ARCHITECTURES if expected[name] == found]
    if fitting:
        return f"{path}: these weights are of architecture={fitting[0]!r}, not {architecture!r}."
    differing = sorted(
        name
        for name in found.keys() | expected[architecture].keys()
        if found.get(name) != expected[architecture].get(name)
    )
    name = differing[0]
    return (
        f"{path}: these weights fit no architecture of sigkit; {len(differing)} tensors differ from {architecture!r}, "
        f"the first {name}: {found.get(name, 'missing')} instead of {expected[architecture].get(name, 'none')}."
    )
