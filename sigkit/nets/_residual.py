"""A residual network with a fine resolution, pooled over the ink."""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from sigkit.nets._signet import normalized_layer

# Half of the usual height and width of signatures, in pixels: positions divided by them are about -1 to 1.
_HALF_HEIGHT, _HALF_WIDTH = 20.0, 50.0
# An image without ink is not divided by 0.
_EPSILON = 1e-6


class ResidualSigNet(nn.Module):
    """Residual blocks [1]_ at a finer resolution than SigNet's, pooled over the ink.

    The first convolution of SigNet has a stride of four pixels, which is more than the width of a pen stroke; here it
    is two. Features hardly depend on the position of the signature, the size of the sheet and the darkness of the pen:
    ink is divided by its mean level in the image, and the maps are averaged over the ink alone. They are averaged three
    times, unweighted and weighted by the horizontal and the vertical distance from the center of the ink; their maxima
    are the fourth part of the input of the last layer.

    Parameters
    ----------
    channels : tuple of int, default=(16, 32, 64, 128, 256)
        Number of channels of the first convolution and of each block. Each of them halves the resolution.
    n_features : int, default=2048
        Number of features.

    Attributes
    ----------
    input_size : tuple of (int, int)
        Rows and columns of the center crop that estimators pass to the network.
    takes_any_size : bool
        True: the network takes images of other sizes, too.
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
        layers = OrderedDict(conv1=normalized_layer("conv", first))
        for number, (n_inputs, n_outputs) in enumerate(pairwise(channels), start=1):
            layers[f"block{number}"] = ResidualBlock(n_inputs, n_outputs)
        self.conv_layers = nn.Sequential(layers)
        self.pooled = nn.BatchNorm1d(4 * channels[-1])
        linear = nn.Linear(4 * channels[-1], n_features, bias=False)
        self.fc_layers = nn.Sequential(OrderedDict(fc1=normalized_layer("fc", linear, relu=False)))
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
            Features, of either sign.
        """
        level = images.square().sum((2, 3), keepdim=True) / (images.sum((2, 3), keepdim=True) + 1e-3)
        maps = self.conv_layers(images / (level + 1e-3))
        ink = F.adaptive_max_pool2d(images, maps.shape[2:]) > 0.1 * images.amax((2, 3), keepdim=True)
        return self.fc_layers(self.pooled(_pool(maps, ink.to(maps.dtype), images.shape[2:])))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, the first with stride 2, and a 1 x 1 convolution as the shortcut.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Number of input and output channels.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._residual import ResidualBlock
    >>> ResidualBlock(4, 8)(torch.zeros(2, 4, 10, 12)).shape
    torch.Size([2, 8, 5, 6])
    """

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.first = normalized_layer("conv", nn.Conv2d(n_inputs, n_outputs, 3, stride=2, padding=1, bias=False))
        self.second = normalized_layer("conv", nn.Conv2d(n_outputs, n_outputs, 3, padding=1, bias=False), relu=False)
        self.beside = normalized_layer("conv", nn.Conv2d(n_inputs, n_outputs, 1, stride=2, bias=False), relu=False)
        self.relu = nn.ReLU()

    def forward(self, maps):
        """Compute feature maps.

        Parameters
        ----------
        maps : Tensor of shape (n_samples, n_inputs, height, width)
            Feature maps.

        Returns
        -------
        Tensor of shape (n_samples, n_outputs, ceil(height / 2), ceil(width / 2))
            Feature maps, all at least 0.
        """
        return self.relu(self.second(self.first(maps)) + self.beside(maps))


def _pool(maps, ink, size):
    """Average maps over the ink, unweighted and weighted by position, and take their maximum over the image."""
    height, width = maps.shape[2:]
    weight = ink / (ink.sum((2, 3), keepdim=True) + _EPSILON)
    down = torch.linspace(-1, 1, height, device=maps.device, dtype=maps.dtype)[:, None] * (size[0] / 2 / _HALF_HEIGHT)
    across = torch.linspace(-1, 1, width, device=maps.device, dtype=maps.dtype) * (size[1] / 2 / _HALF_WIDTH)
    pooled = [(maps * weight).sum((2, 3))]
    for position in (across, down):
        from_center = position - (position * weight).sum((2, 3), keepdim=True)
        pooled.append((maps * (weight * from_center)).sum((2, 3)))
    return torch.cat([*pooled, maps.amax((2, 3))], dim=1)
