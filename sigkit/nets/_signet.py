"""The convolutional networks of [1], as feature extractors."""

from collections import OrderedDict

import torch
from torch import nn

_KERNELS = {
    "conv1": {"kernel_size": 11, "stride": 4},
    "conv2": {"kernel_size": 5, "padding": 2},
    "conv3": {"kernel_size": 3, "padding": 1},
    "conv4": {"kernel_size": 3, "padding": 1},
    "conv5": {"kernel_size": 3, "padding": 1},
}
_POOLED_AFTER = {"conv1": 1, "conv2": 2, "conv5": 3}


class SigNet(nn.Module):
    """SigNet [1]_: convolutions, then fully connected layers, each with batch normalization and ReLU.

    Three convolutions are followed by 3 x 3 max-pooling with stride 2. Their ReLU comes after the pooling, which gives
    the same features. The parameters have the names that they have in the weight files published by sigver.

    Parameters
    ----------
    channels : dict of str to int
        Number of output channels of each convolution, "conv1" to "conv5". A convolution that is missing is left out.
    widths : tuple of int
        Widths of the fully connected layers; the last is the number of features.

    Attributes
    ----------
    input_size : tuple of (int, int)
        Rows and columns of the images that the network takes.
    takes_any_size : bool
        False: the network takes images of `input_size` only.
    n_features : int
        Number of features.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> signet = build_network("signet").eval()
    >>> signet(torch.zeros(1, 1, 150, 220)).shape
    torch.Size([1, 2048])
    """

    input_size = (150, 220)
    takes_any_size = False

    def __init__(self, channels, widths):
        super().__init__()
        layers = OrderedDict()
        n_channels = 1
        for name, kernel in _KERNELS.items():
            number = _POOLED_AFTER.get(name)
            if name in channels:
                layer = nn.Conv2d(n_channels, channels[name], bias=False, **kernel)
                layers[name] = normalized_layer("conv", layer, relu=number is None)
                n_channels = channels[name]
            if number is not None:
                # ReLU and the maximum commute, and after the pooling there are four times fewer values to rectify.
                layers[f"maxpool{number}"], layers[f"relu{number}"] = nn.MaxPool2d(3, 2), nn.ReLU()
        self.conv_layers = nn.Sequential(layers)
        n_inputs = n_channels * 3 * 5
        layers = OrderedDict()
        for number, width in enumerate(widths, start=1):
            layers[f"fc{number}"] = normalized_layer("fc", nn.Linear(n_inputs, width, bias=False))
            n_inputs = width
        self.fc_layers = nn.Sequential(layers)
        self.n_features = n_inputs

    def forward(self, images):
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, 150, 220)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Features, all at least 0.
        """
        return self.fc_layers(torch.flatten(self.conv_layers(images), 1))


class TinyNet(nn.Module):
    """A network of about 1,700 parameters for images of any size, for tests.

    Attributes
    ----------
    input_size : None
        Images are not cropped.
    takes_any_size : bool
        True: the network takes images of any size.
    n_features : int
        Number of features.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> build_network("tiny").eval()(torch.zeros(1, 1, 17, 42)).shape
    torch.Size([1, 16])
    """

    input_size = None
    takes_any_size = True
    n_features = 16

    def __init__(self):
        super().__init__()
        convolution = nn.Conv2d(1, 8, kernel_size=3, padding=1, bias=False)
        self.conv_layers = nn.Sequential(normalized_layer("conv", convolution), nn.AdaptiveMaxPool2d((3, 4)))
        self.fc_layers = nn.Sequential(normalized_layer("fc", nn.Linear(8 * 3 * 4, self.n_features, bias=False)))

    def forward(self, images):
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Features, all at least 0.
        """
        return self.fc_layers(torch.flatten(self.conv_layers(images), 1))


def normalized_layer(name, layer, relu=True):
    """Append batch normalization and, optionally, a ReLU to a layer.

    Parameters
    ----------
    name : {"conv", "fc"}
        The name of the layer in the sequence.
    layer : torch.nn.Conv2d or torch.nn.Linear
        The layer, without a bias.
    relu : bool, default=True
        Whether there is a ReLU.

    Returns
    -------
    torch.nn.Sequential
        The layers by their names: `name`, "bn" and "relu".

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._signet import normalized_layer
    >>> sorted(name for name, _ in normalized_layer("fc", torch.nn.Linear(3, 2, bias=False)).named_parameters())
    ['bn.bias', 'bn.weight', 'fc.weight']
    """
    norm = nn.BatchNorm2d(layer.out_channels) if name == "conv" else nn.BatchNorm1d(layer.out_features)
    layers = OrderedDict([(name, layer), ("bn", norm)])
    if relu:
        layers["relu"] = nn.ReLU()
    return nn.Sequential(layers)
