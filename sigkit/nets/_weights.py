"""Reading and writing of weight files. No code in a file is executed, and no file is mapped into memory."""

import os
import pickle

from safetensors import SafetensorError
from safetensors.torch import load, save

from sigkit._utils import (
    check_metadata,
    read_file,
    seal_safetensors,
    unseal_safetensors,
    whole_file,
)
from sigkit.nets._architectures import check_architecture
from sigkit.nets._check_weights import NETWORK, check_weights, is_meta_learned
from sigkit.nets._checkpoint import find_state_dict, without_wrappers
from sigkit.nets._shipped import weights_path
from sigkit.nets._state import network_to_load
from sigkit.nets._torch_file import load_torch

_FORMAT = "sigkit weights 1"
_REMEDY = "Download or copy it again."


def load_network(path, architecture="signet", *, return_meta_learned=False):
    """Build a network with the weights of a file, or with shipped weights.

    Parameters
    ----------
    path : {"synthetic"}, str or os.PathLike
        The name of shipped weights, or a `.safetensors` file, or a `.pth` or `.pt` file: a state dict, a checkpoint
        with one state dict in it (as "state_dict", "model" or another key), or a file of sigver, a tuple of the state
        dicts of the network, its writer layer and its forgery layer, of which the first is used. What `DataParallel`
        and `torch.compile` put before the names of tensors is taken off. No code in the file is executed. A file of
        `save_weights` must match its digest.
    architecture : str, default="signet"
        The architecture of the network, see :func:`build_network`. If the metadata of the file name one, that is used.
    return_meta_learned : bool, default=False
        Whether to return the head and the learning rates of a :class:`MetaLearner`, too.

    Returns
    -------
    network : torch.nn.Module
        The network, in evaluation mode and float32. Later changes of the file do not change it.
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
        If the file is damaged or holds anything but tensors; if a tensor is missing, too many, of another shape or no
        floating-point number where the architecture has one; or if there is NaN, infinity, a number beyond 1e6, or a
        negative variance. The file is named.

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
    _check_description(path, metadata, architecture)
    weights, meta_learned = check_weights(path, without_wrappers(weights, architecture), architecture), {}
    if is_meta_learned(weights):
        meta_learned = {name: tensor for name, tensor in weights.items() if not name.startswith(NETWORK)}
        weights = {name.removeprefix(NETWORK): tensor for name, tensor in weights.items() if name.startswith(NETWORK)}
    network = network_to_load(architecture)
    network.load_state_dict(weights, assign=True)
    network, metadata = network.eval(), {**metadata, "architecture": architecture}
    return (network, metadata, meta_learned) if return_meta_learned else (network, metadata)


def save_weights(path, network, architecture, metadata=None, half=False):
    """Write the weights of a network as safetensors, with metadata and a digest of everything.

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
        If the file has another suffix, or `load_network` would refuse it: if the network is none of this architecture,
        or has NaN, infinity or a number beyond its limits. Nothing is written then.
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
    # Copied, because safetensors refuses tensors that share memory.
    tensors = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in network.state_dict().items()}
    if half:
        matrices = {name for name, tensor in tensors.items() if tensor.ndim > 1 and tensor.is_floating_point()}
        tensors = {name: tensor.half() if name in matrices else tensor for name, tensor in tensors.items()}
    metadata = {**(metadata or {}), "architecture": architecture}
    _check_description(path, metadata, architecture)
    check_weights(path, tensors, architecture)
    content = save(tensors, metadata=metadata)
    with whole_file(path) as file:
        file.write(seal_safetensors(content, _FORMAT))


def _check_description(path, metadata, architecture):
    """Check the name of the architecture and the metadata of a file that is read or written."""
    try:
        check_architecture(architecture)
    except ValueError as error:
        raise ValueError(f"{path}: {error} Register an architecture of your own first.") from error
    check_metadata(metadata, path)


def _read_safetensors(path):
    content = read_file(path)
    metadata = unseal_safetensors(content, path, _FORMAT, _REMEDY, foreign=True)
    try:
        return load(content), metadata
    except (SafetensorError, KeyError, ValueError, AssertionError) as error:
        # A type of numbers that torch does not have is a KeyError.
        raise ValueError(f"{path}: not a whole safetensors file ({len(content)} bytes: {error}). {_REMEDY}") from error


def _read_torch(path):
    content = read_file(path)
    try:
        loaded = load_torch(content)
    except pickle.UnpicklingError as error:
        # A zip archive or a pickle, by its first byte.
        if content[:1] not in (b"P", b"\x80"):
            raise ValueError(f"{path}: not a torch file, or cut short. {_REMEDY}") from error
        raise ValueError(
            f"{path}: refused, because it holds something other than tensors and could execute code when loaded; "
            "nothing was executed. Save the state dict alone, or as .safetensors."
        ) from error
    except Exception as error:
        # Damaged files make the zip reader or the unpickler raise errors of many kinds.
        raise ValueError(f"{path}: cannot be read as torch weights ({error}). {_REMEDY}") from error
    return find_state_dict(path, loaded)
