"""Reading and writing of weight files. No code in a file is executed."""

import os
import pickle

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from sigkit._utils import listing, whole_file
from sigkit.nets._architectures import ARCHITECTURES, build_network, check_architecture, network_without_weights
from sigkit.nets._shipped import weights_path

# Old versions of torch, and thus files of sigver, do not count the batches of batch normalization. No feature depends
# on the count.
_COUNTER = "num_batches_tracked"
# In the file of a meta-learner the tensors of its network have this prefix.
_NETWORK = "network."


def load_network(path, architecture="signet", *, return_meta_learned=False):
    """Build a network with the weights of a file, or with shipped weights.

    Parameters
    ----------
    path : {"synthetic"}, str or os.PathLike
        The name of shipped weights, or a `.safetensors` file, or a `.pth` or `.pt` file of sigver: a tuple of the state
        dicts of the network, its writer layer and its forgery layer, of which the first is used. No code in the file is
        executed.
    architecture : str, default="signet"
        The architecture of the network, see :func:`build_network`. If the metadata of the file name one, that is used.
    return_meta_learned : bool, default=False
        Whether to return the head and the learning rates of a :class:`MetaLearner`, too.

    Returns
    -------
    network : torch.nn.Module
        The network, in evaluation mode and float32.
    metadata : dict of str to str
        The metadata of the file; "architecture" is always there.
    meta_learned : dict of str to Tensor
        The tensors of a :class:`MetaLearner` without those of its network; empty for the files of other networks. Only
        returned if `return_meta_learned` is True.

    Raises
    ------
    FileNotFoundError
        If there is no such file, and no shipped weights of that name.
    ValueError
        If the file is damaged, holds anything but tensors, or the weights do not fit the architecture.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit.nets import MetaLearner, build_network, load_network, save_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "tiny.safetensors")
    ...     save_weights(path, MetaLearner(build_network("tiny", seed=0)), "tiny")
    ...     network, metadata, meta_learned = load_network(path, return_meta_learned=True)
    >>> metadata
    {'architecture': 'tiny'}
    >>> sorted(meta_learned)
    ['head.bias', 'head.weight', 'network_rates', 'rates']
    >>> load_network("synthetic")[1]["licence"]
    'BSD-3-Clause'
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
    try:
        check_architecture(architecture)
    except ValueError as error:
        raise ValueError(f"{path}: {error} Register an architecture of your own before you load it.") from error
    meta_learned = {}
    if "rates" in weights:
        meta_learned = {name: tensor.float() for name, tensor in weights.items() if not name.startswith(_NETWORK)}
        weights = {name.removeprefix(_NETWORK): tensor for name, tensor in weights.items() if name.startswith(_NETWORK)}
    network = network_without_weights(architecture)
    if _shapes(weights) != _shapes(network.state_dict()):
        raise ValueError(_describe_misfit(path, weights, architecture))
    weights = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    # A sum keeps NaN and infinity, and takes a tenth of the time of checking each value.
    broken = [name for name, tensor in {**weights, **meta_learned}.items() if not tensor.sum().isfinite()]
    if broken:
        raise ValueError(f"{path}: NaN or infinity in {listing(broken)}. Such weights come from a failed training.")
    if any(name not in network.state_dict() for name, _ in network.named_buffers()):
        # Buffers that are not saved get their values when the network is built.
        network = build_network(architecture, seed=0)
    counters = {name: torch.zeros((), dtype=torch.int64) for name in network.state_dict() if name.endswith(_COUNTER)}
    network.load_state_dict({**counters, **weights}, assign=True)
    network, metadata = network.eval(), {**metadata, "architecture": architecture}
    return (network, metadata, meta_learned) if return_meta_learned else (network, metadata)


def save_weights(path, network, architecture, metadata=None, half=False):
    """Write the weights of a network as safetensors, with metadata.

    Parameters
    ----------
    path : str or os.PathLike
        The file to write, `.safetensors`.
    network : torch.nn.Module
        The network.
    architecture : str
        The name of its architecture, see :func:`build_network`.
    metadata : dict of str to str, default=None
        More metadata: corpus, recipe, date, license, preprocessing.
    half : bool, default=False
        Whether matrices and kernels are rounded to half precision, for a file of half the size. The parameters and
        statistics of batch normalization are not.

    Raises
    ------
    ValueError
        If the file has another suffix.
    OSError
        If the file cannot be written.

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
        matrices = {name for name, tensor in tensors.items() if tensor.ndim > 1 and tensor.is_floating_point()}
        tensors = {name: tensor.half() if name in matrices else tensor for name, tensor in tensors.items()}
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
        # Damaged files make the zip reader or the unpickler raise errors of many kinds.
        raise ValueError(f"{path}: cannot be read as torch weights ({error}). Download or copy it again.") from error
    weights = loaded[0] if isinstance(loaded, (tuple, list)) and loaded else loaded
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in weights.items()
    ):
        raise ValueError(f"{path}: holds {type(loaded).__name__}, not a state dict or sigver's tuple of three.")
    return weights


def _looks_like_torch(path):
    """Check by its first byte whether a file is a zip archive or a pickle."""
    with open(path, "rb") as file:
        return file.read(1) in (b"P", b"\x80")


def _shapes(weights):
    return {name: tuple(tensor.shape) for name, tensor in weights.items() if not name.endswith(_COUNTER)}


def _describe_misfit(path, weights, architecture):
    found = _shapes(weights)
    fitting = [name for name in ARCHITECTURES if _shapes(network_without_weights(name).state_dict()) == found]
    if fitting:
        return f"{path}: these weights are of architecture={fitting[0]!r}, not {architecture!r}."
    expected = _shapes(network_without_weights(architecture).state_dict())
    differing = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    name = differing[0]
    return (
        f"{path}: these weights fit no architecture of sigkit; {len(differing)} tensors differ from {architecture!r}, "
        f"the first {name}: {found.get(name, 'missing')} instead of {expected.get(name, 'none')}."
    )
