"""Statistics of batch normalization."""

from contextlib import contextmanager

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from sigkit.nets import fixed_draws, may_draw


def update_statistics(network, images, momentum=None):
    """Update the running statistics of batch normalization by those of images; weights do not change.

    Parameters
    ----------
    network : torch.nn.Module
        A network in evaluation mode. If it has no batch normalization, nothing happens.
    images : Tensor of shape (n_samples, 1, height, width)
        The images. With fewer than two nothing happens.
    momentum : float or None, default=None
        The weight of the new statistics; 1 replaces the old ones. None uses the momentum of each layer.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> from sigkit.training import update_statistics
    >>> network = build_network("tiny", seed=0).eval()
    >>> update_statistics(network, torch.ones(2, 1, 9, 9), momentum=1.0)
    >>> float(network.conv_layers[0].bn.running_mean.abs().sum()) > 0
    True
    """
    if _normalizations(network) and len(images) > 1:
        with torch.no_grad(), batch_statistics(network, momentum), fixed_draws(may_draw(network, evaluation=True)):
            network(images)


@contextmanager
def batch_statistics(network, momentum=None):
    """Use the statistics of each batch in batch normalization, in a context, and update the running ones by them.

    Parameters
    ----------
    network : torch.nn.Module
        A network. Its other layers keep their mode: in evaluation mode there is no dropout.
    momentum : float or None, default=None
        The weight of the new statistics; 1 replaces the old ones. None uses the momentum of each layer.

    Yields
    ------
    None
        The mode and the momentum of each layer are restored afterwards.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> from sigkit.training import batch_statistics
    >>> network = build_network("tiny", seed=0).eval()
    >>> with batch_statistics(network, momentum=0.1):
    ...     features = network(torch.rand(8, 1, 9, 9, generator=torch.Generator().manual_seed(0)))
    >>> features.shape, network.conv_layers[0].bn.training
    (torch.Size([8, 16]), False)
    """
    norms = _normalizations(network)
    before = [(norm.training, norm.momentum) for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = norm.momentum if momentum is None else momentum
    try:
        yield
    finally:
        for norm, (training, momentum) in zip(norms, before):
            norm.train(training)
            norm.momentum = momentum


def _normalizations(network):
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]
