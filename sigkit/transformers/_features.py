"""From images to features, in batches."""

from contextlib import nullcontext
from functools import cache

import numpy as np
import torch
from threadpoolctl import ThreadpoolController
from torch import nn
from torch.nn import functional as F

from sigkit.nets import center_crop, fixed_draws, may_draw
from sigkit.training import Distortion

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


class FeatureExtractor(nn.Module):
    """A network as a function from preprocessed images to features, which can be differentiated.

    Parameters
    ----------
    network : torch.nn.Module
        A network from `prepare_network`.
    n_views : int, default=1
        Number of views of each image whose features are averaged: the image itself and slightly distorted copies, by
        the same distortions for every image.
    magnifications : tuple of float, default=(1.0,)
        Factors by which the middle part of the images is enlarged. Features at several magnifications are concatenated.
    """

    def __init__(self, network, n_views=1, magnifications=(1.0,)):
        super().__init__()
        self.network = network
        self.n_views = n_views
        self.magnifications = magnifications
        self._may_draw = may_draw(network, evaluation=True)

    def forward(self, images):
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n_samples, height, width)
            Preprocessed signatures on the device of the network, background 0 and ink up to 255.

        Returns
        -------
        Tensor of shape (n_samples, n_magnifications * n_features), dtype float32
            The features; float64 where the network is float64.
        """
        size = self.network.input_size
        dtype = next(self.network.parameters()).dtype
        precise = torch.promote_types(dtype, torch.float32)
        middle = center_crop(images, size) if size else images
        views = [middle[:, None].to(dtype) / 255]
        views += [_view(images, number, size) for number in range(1, self.n_views)]

        def compute(view, factor):
            enlarged = _enlarge(view.to(precise), factor)
            with fixed_draws(self._may_draw):
                return self.network(enlarged.to(dtype, memory_format=torch.channels_last)).to(precise)

        features = [sum(compute(view, factor) for view in views) for factor in self.magnifications]
        return torch.cat(features, dim=1) / self.n_views


def extract_features(extractor, images):
    """Compute the features of one batch of images.

    Parameters
    ----------
    extractor : FeatureExtractor
        The network with its views and magnifications.
    images : ndarray of shape (n_samples, height, width), dtype uint8
        Preprocessed signatures, background 0 and ink up to 255.

    Returns
    -------
    ndarray of shape (n_samples, n_magnifications * n_features), dtype float32
        The features.
    """
    device = next(extractor.parameters()).device
    with torch.inference_mode(), _threads_for(len(images)):
        return extractor(torch.from_numpy(np.ascontiguousarray(images)).to(device)).cpu().numpy()


def check_features(features, weights):
    """Check that features are finite: a product of weights may overflow although each of them is sane.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features)
        Features.
    weights : str, os.PathLike or None
        The source of the weights, for the message.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        The features.

    Raises
    ------
    ValueError
        If there is NaN or infinity.
    """
    if not np.isfinite(features).all():
        raise ValueError(
            f"{weights or 'The network'}: features are NaN or infinite. The weights are damaged, or come from a failed "
            "training; use others."
        )
    return features


def _threads_for(n_images):
    """Return a context in which the features of a single image are computed in one thread.

    A second one hardly helps: its share of the work is as short as the wait for it. It would compete with other calling
    threads, and its sums would be rounded differently. The limit belongs to the calling thread.
    """
    if n_images > 1:
        return nullcontext()
    # In the first call of a thread, PyTorch sets its number of threads, and would lift the limit.
    torch.get_num_threads()
    return _thread_pools().limit(limits=1, user_api="openmp")


@cache
def _thread_pools():
    return ThreadpoolController()


def _view(images, number, size):
    """Distort all images in the same way, as the channels of one image."""
    return _SLIGHT.apply(images[None], size, torch.Generator().manual_seed(number)).transpose(0, 1)


def _enlarge(images, factor):
    if factor == 1:
        return images
    return F.interpolate(images, scale_factor=factor, mode="bilinear", align_corners=False)
