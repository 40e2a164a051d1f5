"""From images to features, in batches, on the device and in the precision asked for."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from sigkit.nets._augment import Distortion

_SLIGHT = Distortion(
    rotation=5,
    scaling=1.08,
    aspect=1.05,
    shear=0.06,
    shift=4,
    elastic=0.9,
    thicken=0.5,
    thin=0.3,
    blur=0.5,
    fade=0,
    noise=0,
    erase=0,
)


def choose_device(device=None):
    """Choose where networks run.

    Parameters
    ----------
    device : str, torch.device or None, default=None
        A device by name; None takes an accelerator if there is one, and the processor otherwise.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        If torch knows no such device, or this machine has none.

    Examples
    --------
    >>> from sigkit.nets import choose_device
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if device is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device={str(device)!r} cannot be used here ({reason}). None chooses one.") from error
    return device


def has_fast_bfloat16(device):
    """Tell whether bfloat16 is faster than float32.

    Parameters
    ----------
    device : torch.device
        Where networks run.

    Returns
    -------
    bool
        True on a processor with avx512_bf16, or an accelerator with bfloat16.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import has_fast_bfloat16
    >>> has_fast_bfloat16(torch.device("cpu")) in (True, False)
    True
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def choose_precision(precision, device):
    """Choose the type in which networks compute.

    Parameters
    ----------
    precision : {"float32", "bfloat16", "auto"}
        The type; "auto" takes bfloat16 where it is faster.
    device : torch.device
        Where networks run.

    Returns
    -------
    {"float32", "bfloat16"}
        The type.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import choose_precision
    >>> choose_precision("bfloat16", torch.device("cpu"))
    'bfloat16'
    """
    if precision == "auto":
        return "bfloat16" if has_fast_bfloat16(device) else "float32"
    return precision


def prepare_network(network, device, precision="float32", *, fold=False):
    """Copy a network to where and how it shall run.

    Parameters
    ----------
    network : torch.nn.Module
        The network, left as it is.
    device : torch.device
        Where to run it.
    precision : {"float32", "bfloat16"}, default="float32"
        The type of weights and activations. In bfloat16 batch normalisation behind a layer is folded into its weights
        beforehand, so that its statistics are not rounded on their own.
    fold : bool, default=False
        Whether to do so in float32, too: equal but for rounding, and a good deal faster where gradients are taken.

    Returns
    -------
    torch.nn.Module
        The copy, in evaluation mode, weights in channels-last order.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network, prepare_network
    >>> network = prepare_network(build_network("tiny"), torch.device("cpu"), "bfloat16")
    >>> next(network.parameters()).dtype
    torch.bfloat16
    """
    network = copy.deepcopy(network).eval()
    if fold or precision == "bfloat16":
        for block in network.modules():
            if isinstance(block, nn.Sequential) and hasattr(block, "bn"):
                _fold_normalisation(block)
    return network.to(device=device, dtype=getattr(torch, precision), memory_format=torch.channels_last)


def extract_features(network, images, n_views=1, magnifications=(1.0,)):
    """Compute the features of one batch of images.

    Parameters
    ----------
    network : torch.nn.Module
        A network from `prepare_network`.
    images : ndarray of shape (n_samples, height, width), dtype uint8
        Preprocessed signatures, background 0 and ink up to 255. They are cropped to the middle part that the network
        takes, and divided by 255.
    n_views : int, default=1
        Number of views of each image whose features are averaged: the image itself, and others that are turned, scaled,
        bent, thickened or thinned a little, the same for every image.
    magnifications : tuple of float, default=(1.0,)
        How much the middle part is enlarged before the network, which must take any size where this is not 1. Features
        at several magnifications stand side by side.

    Returns
    -------
    ndarray of shape (n_samples, n_magnifications * n_features), dtype float32
        The features.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sigkit.nets import build_network, extract_features, prepare_network
    >>> network = prepare_network(build_network("tiny"), torch.device("cpu"))
    >>> extract_features(network, np.zeros((3, 20, 30), dtype=np.uint8)).shape
    (3, 16)
    """
    with torch.inference_mode():
        images = torch.from_numpy(np.ascontiguousarray(images)).to(next(network.parameters()).device)
        return features_of(network, images, n_views, magnifications).cpu().numpy()


def features_of(network, images, n_views=1, magnifications=(1.0,)):
    """Compute the features of one batch of images, in a way that can be differentiated.

    Parameters
    ----------
    network : torch.nn.Module
        A network from `prepare_network`.
    images : Tensor of shape (n_samples, height, width)
        Preprocessed signatures where the network is, background 0 and ink up to 255.
    n_views, magnifications : int, tuple of float, default=1, (1.0,)
        As in `extract_features`.

    Returns
    -------
    Tensor of shape (n_samples, n_magnifications * n_features), dtype float32
        The features.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network, features_of, prepare_network
    >>> network = prepare_network(build_network("tiny"), torch.device("cpu"))
    >>> features_of(network, torch.zeros(3, 20, 30)).shape
    torch.Size([3, 16])
    """
    dtype = next(network.parameters()).dtype
    precise = torch.promote_types(dtype, torch.float32)
    middle = center_crop(images, network.input_size) if network.input_size else images
    views = [middle[:, None].to(dtype) / 255]
    views += [_view(images, number, network.input_size) for number in range(1, n_views)]

    def compute(view, factor):
        enlarged = _enlarge(view.to(precise), factor)
        return network(enlarged.to(dtype, memory_format=torch.channels_last)).to(precise)

    features = [sum(compute(view, factor) for view in views) for factor in magnifications]
    return torch.cat(features, dim=1) / n_views


def center_crop(images, size):
    """Cut the middle out of images.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width)
        The images.
    size : tuple of (int, int)
        Rows and columns to keep; all where there are fewer.

    Returns
    -------
    ndarray of shape (n_samples, size[0], size[1])
        A view of the images.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.nets import center_crop
    >>> center_crop(np.zeros((2, 170, 242)), (150, 220)).shape
    (2, 150, 220)
    """
    size = [min(side, least) for side, least in zip(images.shape[1:], size)]
    top, left = (images.shape[1] - size[0]) // 2, (images.shape[2] - size[1]) // 2
    return images[:, top : top + size[0], left : left + size[1]]


def _view(images, number, size):
    """Change all images alike: they are the channels of one image, which is what a distortion draws for."""
    return _SLIGHT.apply(images[None], size, torch.Generator().manual_seed(number)).transpose(0, 1)


def _enlarge(images, factor):
    if factor == 1:
        return images
    return F.interpolate(images, scale_factor=factor, mode="bilinear", align_corners=False)


def _fold_normalisation(block):
    if hasattr(block, "conv"):
        block.conv = fuse_conv_bn_eval(block.conv, block.bn)
    else:
        block.fc = fuse_linear_bn_eval(block.fc, block.bn)
    block.bn = nn.Identity()
