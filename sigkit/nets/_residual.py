"""A residual network that looks at fine strokes, and only where there is ink."""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from sigkit.nets._signet import NormalisedLayer

# Halves of usual extents of signatures, in pixels: they bring positions to about -1 to 1.
_HALF_HEIGHT, _HALF_WIDTH = 20.0, 50.0
_TRACE = 1e-6


class ResidualSigNet(nn.Module):
    """Residual blocks [1]_ at a finer resolution than SigNet's, pooled over the ink alone.

    SigNet's first convolution goes in steps of four pixels, more than the width of a stroke; this one's goes in steps
    of two. Three things make it indifferent to where, on how large a sheet and with how dark a pen someone signs: ink
    is divided by its mean level in the image, features are averaged where there is ink, and positions, by which they
    are averaged a second and a third time, are taken from the centre of the ink.

    Parameters
    ----------
    channels : tuple of int, default=(16, 32, 64, 128, 256)
        Channels of the first convolution and of each block; each halves the resolution.
    n_features : int, default=2048
        Number of features.

    Attributes
    ----------
    input_size : tuple of (int, int)
        Rows and columns of the images that the network is given; it takes others too.
    takes_any_size : bool
        True: the training may use smaller images.
    n_features : int
        Number of features.

    References
    ----------
    .. [1] He, K., Zhang, X., Ren, S., and Sun, J. (2016). Deep residual learning for image recognition. CVPR.
       arXiv:1512.03385.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> network = build_network("signet_residual").eval()
    >>> network(torch.zeros(1, 1, 150, 220)).shape
    torch.Size([1, 2048])
    """

    input_size = (150, 220)
    takes_any_size = True

    def __init__(self, channels=(16, 32, 64, 128, 256), n_features=2048):
        super().__init__()
        first = nn.Conv2d(1, channels[0], kernel_size=5, stride=2, padding=2, bias=False)
        layers = OrderedDict(conv1=NormalisedLayer("conv", first))
        for number, (n_inputs, n_outputs) in enumerate(pairwise(channels), start=1):
            layers[f"block{number}"] = ResidualBlock(n_inputs, n_outputs)
        self.conv_layers = nn.Sequential(layers)
        self.pooled = nn.BatchNorm1d(4 * channels[-1])
        linear = nn.Linear(4 * channels[-1], n_features, bias=False)
        self.fc_layers = nn.Sequential(OrderedDict(fc1=NormalisedLayer("fc", linear, relu=False)))
        self.n_features = n_features

    def forward(self, images):
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Features, positive and negative.
        """
        level = images.square().sum((2, 3), keepdim=True) / (images.sum((2, 3), keepdim=True) + 1e-3)
        maps = self.conv_layers(images / (level + 1e-3))
        ink = F.adaptive_max_pool2d(images, maps.shape[2:]) > 0.1 * images.amax((2, 3), keepdim=True)
        return self.fc_layers(self.pooled(_pool(maps, ink.to(maps.dtype), images.shape[2:])))


class ResidualBlock(nn.Module):
    """Two convolutions of 3 x 3, of which the first halves the resolution, beside one of 1 x 1.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._residual import ResidualBlock
    >>> ResidualBlock(4, 8)(torch.zeros(2, 4, 10, 12)).shape
    torch.Size([2, 8, 5, 6])
    """

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.first = NormalisedLayer("conv", nn.Conv2d(n_inputs, n_outputs, 3, stride=2, padding=1, bias=False))
        self.second = NormalisedLayer("conv", nn.Conv2d(n_outputs, n_outputs, 3, padding=1, bias=False), relu=False)
        self.beside = NormalisedLayer("conv", nn.Conv2d(n_inputs, n_outputs, 1, stride=2, bias=False), relu=False)

    def forward(self, maps):
        """Compute feature maps.

        Parameters
        ----------
        maps : Tensor of shape (n_samples, n_inputs, height, width)
            Feature maps.

        Returns
        -------
        Tensor of shape (n_samples, n_outputs, ceil(height / 2), ceil(width / 2))
            Feature maps, none negative.
        """
        return F.relu(self.second(self.first(maps)) + self.beside(maps))


def _pool(maps, ink, size):
    """Average maps over the ink, as they are and times the position; and take their maximum."""
    height, width = maps.shape[2:]
    weight = ink / (ink.sum((2, 3), keepdim=True) + _TRACE)
    down = torch.linspace(-1, 1, height, device=maps.device, dtype=maps.dtype)[:, None] * (size[0] / 2 / _HALF_HEIGHT)
    across = torch.linspace(-1, 1, width, device=maps.device, dtype=maps.dtype) * (size[1] / 2 / _HALF_WIDTH)
    pooled = [(maps * weight).sum((2, 3))]
    for position in (across, down):
        from_centre = position - (position * weight).sum((2, 3), keepdim=True)
        pooled.append((maps * (weight * from_centre)).sum((2, 3)))
    return torch.cat([*pooled, maps.amax((2, 3))], dim=1)
