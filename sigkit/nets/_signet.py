"""The convolutional networks of [1], as feature extractors."""

from collections import OrderedDict

import torch
from torch import nn

from sigkit.nets._convolution import convolve
from sigkit.nets._pooling import MaxPool

_KERNELS = {
    "conv1": {"kernel_size": 11, "stride": 4},
    "conv2": {"kernel_size": 5, "padding": 2},
    "conv3": {"kernel_size": 3, "padding": 1},
    "conv4": {"kernel_size": 3, "padding": 1},
    "conv5": {"kernel_size": 3, "padding": 1},
}
_POOLED_AFTER = {"conv1": 1, "conv2": 2, "conv5": 3}


class SigNet(nn.Module):
    """SigNet of [1]_: convolutions, then fully connected layers, each with batch normalisation and ReLU.

    Three convolutions are followed by max-pooling of 3 x 3 at stride 2, and their ReLU comes after it, which gives the
    same. The names of the parameters are those of the weight files that sigver publishes.

    Parameters
    ----------
    channels : dict of str to int
        Output channels of each convolution by its name, "conv1" to "conv5"; a name that lacks leaves it out.
    widths : tuple of int
        Widths of the fully connected layers; the last is the number of features.

    Attributes
    ----------
    input_size : tuple of (int, int)
        Rows and columns of the images that the network takes.
    takes_any_size : bool
        False: it takes no others.
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
                layers[name] = NormalisedLayer("conv", layer, relu=number is None)
                n_channels = channels[name]
            if number is not None:
                # The maximum of rectified values is the rectified maximum, of four times fewer values.
                layers[f"maxpool{number}"], layers[f"relu{number}"] = MaxPool(3, 2), nn.ReLU(inplace=True)
        self.conv_layers = nn.Sequential(layers)
        n_inputs = n_channels * 3 * 5
        layers = OrderedDict()
        for number, width in enumerate(widths, start=1):
            layers[f"fc{number}"] = NormalisedLayer("fc", nn.Linear(n_inputs, width, bias=False))
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
            Features, none negative.
        """
        return self.fc_layers(torch.flatten(self.conv_layers(images), 1))


class TinyNet(nn.Module):
    """A network of a few hundred parameters for images of any size, for tests and trials.

    Attributes
    ----------
    input_size : None
        Images are taken as they are.
    takes_any_size : bool
        True.
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
        self.conv_layers = nn.Sequential(
            NormalisedLayer("conv", nn.Conv2d(1, 8, kernel_size=3, padding=1, bias=False)), nn.AdaptiveMaxPool2d((3, 4))
        )
        self.fc_layers = nn.Sequential(NormalisedLayer("fc", nn.Linear(8 * 3 * 4, self.n_features, bias=False)))

    def forward(self, images):
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Features, none negative.
        """
        return self.fc_layers(torch.flatten(self.conv_layers(images), 1))


class NormalisedLayer(nn.Sequential):
    """A layer, batch normalisation and, if asked for, a ReLU.

    In evaluation, and where gradients are recorded, normalisation by fixed statistics is one more factor of the weights
    and a bias: equal but for rounding, and much faster, for no gradient of the size of the maps passes through it.
    Hooks on the parts do not run then. The ReLU overwrites what normalisation gives.

    Parameters
    ----------
    name : {"conv", "fc"}
        What kind of layer it is.
    layer : torch.nn.Conv2d or torch.nn.Linear
        The layer, without a bias.
    relu : bool, default=True
        Whether there is a ReLU.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._signet import NormalisedLayer
    >>> layer = NormalisedLayer("fc", torch.nn.Linear(3, 2, bias=False))
    >>> sorted(name for name, _ in layer.named_parameters())
    ['bn.bias', 'bn.weight', 'fc.weight']
    """

    def __init__(self, name, layer, relu=True):
        norm = nn.BatchNorm2d(layer.out_channels) if name == "conv" else nn.BatchNorm1d(layer.out_features)
        layers = OrderedDict([(name, layer), ("bn", norm)])
        if relu:
            layers["relu"] = nn.ReLU(inplace=True)
        super().__init__(layers)

    def forward(self, inputs):
        """Compute what the layers make of inputs.

        Parameters
        ----------
        inputs : Tensor
            What the layer takes.

        Returns
        -------
        Tensor
            What the layer gives, normalised, none negative where there is a ReLU.
        """
        layer, norm = self[0], self.bn
        if norm.training or layer.bias is not None or not torch.is_grad_enabled():
            return super().forward(inputs)
        factor = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        bias = norm.bias - norm.running_mean * factor
        if isinstance(layer, nn.Conv2d):
            weight = layer.weight * factor[:, None, None, None]
            outputs = convolve(inputs, weight, bias, layer.stride, layer.padding)
        else:
            outputs = layer(inputs) * factor + bias
        return self.relu(outputs) if hasattr(self, "relu") else outputs
