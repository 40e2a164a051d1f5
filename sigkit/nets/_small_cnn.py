"""The small convolutional network of the meta-learning paper."""

from collections import OrderedDict

import torch
from torch import nn


class SmallCNN(nn.Module):
    """The small network of [1]_: two convolutions and two fully connected layers, without batch normalization.

    Each convolution has 32 kernels of 5 x 5 and is followed by 5 x 5 max-pooling with stride 5. There are 1.4 million
    parameters.

    Parameters
    ----------
    widths : tuple of int, default=(1024, 256)
        Widths of the fully connected layers; the last is the number of features.
    dropout : float, default=0.2
        Dropout probability after each fully connected layer.

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
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2020). Meta-learning for fast classifier adaptation to
       new users of signature verification systems. IEEE Transactions on Information Forensics and Security, 15,
       1735-1745. arXiv:1910.08060.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> build_network("smallcnn").eval()(torch.zeros(1, 1, 150, 220)).shape
    torch.Size([1, 256])
    """

    input_size = (150, 220)
    takes_any_size = False

    def __init__(self, widths=(1024, 256), dropout=0.2):
        super().__init__()
        layers = OrderedDict()
        for number, n_channels in ((1, 1), (2, 32)):
            layers[f"conv{number}"] = nn.Conv2d(n_channels, 32, kernel_size=5)
            # ReLU and the maximum commute, and after the pooling there are 25 times fewer values to rectify.
            layers[f"maxpool{number}"] = nn.MaxPool2d(5, 5)
            layers[f"relu{number}"] = nn.ReLU()
        self.conv_layers = nn.Sequential(layers)
        n_inputs = 32 * 5 * 7
        layers = OrderedDict()
        for number, width in enumerate(widths, start=1):
            layers[f"fc{number}"] = nn.Sequential(nn.Linear(n_inputs, width), nn.ReLU(), nn.Dropout(dropout))
            n_inputs = width
        self.fc_layers = nn.Sequential(layers)
        self.n_features = n_inputs
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

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
