"""Classification networks of torchvision as feature extractors. This module imports torchvision."""

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

# Transformers with learned positions, and those whose windows must fill the maps, take images of one size only.
_FIXED_SIZE, _FIXED_FAMILIES = 224, ("vit", "maxvit")
# Auxiliary classifiers are for training on ImageNet, and the old default of their initialization warns.
_OPTIONS = {name: {"aux_logits": False, "init_weights": True} for name in ("googlenet", "inception_v3")}


def model_names():
    """Return the names of torchvision's classification networks.

    Returns
    -------
    list of str
        The names.
    """
    return torchvision.models.list_models(module=torchvision.models)


class TorchvisionNetwork(nn.Module):
    """A network of torchvision with random weights, one input channel, and features instead of classes.

    The first convolution has one input channel, and weights as if the image were copied to three channels. The last
    linear layer (of SqueezeNet: the last convolution) is left out. No layer works in place, so that hooks see what each
    layer returned; additions within torchvision's residual blocks still do.

    Parameters
    ----------
    name : str
        One of :func:`model_names`.

    Attributes
    ----------
    body : torch.nn.Module
        The network of torchvision.
    input_size : tuple of (int, int)
        Rows and columns of the center crop that estimators pass to the network.
    takes_any_size : bool
        Whether it takes images of other sizes; True for all but vision transformers and MaxViT.
    n_features : int
        Number of features.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> network = build_network("torchvision:squeezenet1_1", seed=0).eval()
    >>> network(torch.zeros(1, 1, 150, 220)).shape
    torch.Size([1, 512])
    """

    input_size = (150, 220)

    def __init__(self, name):
        super().__init__()
        self.takes_any_size = name.split("_")[0] not in _FIXED_FAMILIES
        self.body = _build(name)
        layers = {path: layer for path, layer in self.body.named_modules() if isinstance(layer, (nn.Conv2d, nn.Linear))}
        (_, first), *_, (last_path, last) = layers.items()
        if not isinstance(first, nn.Conv2d) or first.in_channels != 3:
            raise ValueError(
                f"architecture='torchvision:{name}' is not supported: it does not begin with a convolution of three "
                "channels."
            )
        first.in_channels = 1
        first.weight = nn.Parameter(first.weight.detach().sum(1, keepdim=True))
        self.n_features = last.in_features if isinstance(last, nn.Linear) else last.in_channels
        self.body.set_submodule(last_path, nn.Identity())
        for layer in self.body.modules():
            if getattr(layer, "inplace", False):
                layer.inplace = False

    def forward(self, images):
        """Compute features.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor of shape (n_samples, n_features)
            Features, of either sign in most of these networks.
        """
        if not self.takes_any_size:
            images = _center(images, _FIXED_SIZE)
        return self.body(images)


def _build(name):
    build = torchvision.models.get_model
    options = _OPTIONS.get(name, {})
    try:
        return build(name, weights=None, **options)
    except NotImplementedError:
        # RegNet computes its widths with tensors, which have no values in a `torch.device("meta")` context.
        with torch.device("cpu"):
            return build(name, weights=None, **options)


def _center(images, size):
    """Put images in the middle of squares of background."""
    down, right = (size - side for side in images.shape[2:])
    return F.pad(images, (right // 2, right - right // 2, down // 2, down - down // 2))
