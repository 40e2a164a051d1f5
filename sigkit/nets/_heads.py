"""Heads that compute a score from features, and the loss of the scores."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def make_head(kind, n_features):
    """Make the head of a meta-learner.

    Parameters
    ----------
    kind : {"linear", "distance"}
        A linear layer with weights 0, or a :class:`DistanceHead`.
    n_features : int
        Number of features.

    Returns
    -------
    torch.nn.Module
        The head.
    """
    if kind == "distance":
        return DistanceHead(n_features)
    # No random numbers are drawn for weights that are 0.
    head = nn.utils.skip_init(nn.Linear, n_features, 1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


class DistanceHead(nn.Module):
    """A score that falls with the squared distance of a feature vector of unit length from a center.

    The score is :math:`b - e^s \\|f / |f| - c\\|^2` with parameters :math:`c`, :math:`s` and :math:`b`. The center
    :math:`c` is 0 at first, and a gradient step on references moves it towards the mean of their features of unit
    length; with a learning rate of 0.05, to that mean.

    Parameters
    ----------
    n_features : int
        Number of features.
    scale, bias : float, default=10.0, 2.0
        Initial values of :math:`e^s` and :math:`b`.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets._heads import DistanceHead
    >>> DistanceHead(2)(torch.tensor([[3.0, 4.0]])).tolist()
    [[-8.0]]
    """

    def __init__(self, n_features, scale=10.0, bias=2.0):
        super().__init__()
        self.center = nn.Parameter(torch.zeros(n_features))
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.tensor(float(bias)))

    def forward(self, features):
        """Compute scores.

        Parameters
        ----------
        features : Tensor of shape (n_samples, n_features)
            Features.

        Returns
        -------
        Tensor of shape (n_samples, 1)
            Scores.
        """
        distances = (F.normalize(features) - self.center).square().sum(1, keepdim=True)
        return self.bias - self.log_scale.exp() * distances


def balanced_cross_entropy(logits, labels):
    """Compute the binary cross-entropy with equal weight for genuine signatures and for forgeries.

    Parameters
    ----------
    logits : Tensor of shape (n_samples,)
        Scores.
    labels : Tensor of shape (n_samples,)
        1.0 for genuine signatures, 0.0 for forgeries. If all are of one kind, the loss is its mean.

    Returns
    -------
    Tensor of shape ()
        The loss.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import balanced_cross_entropy
    >>> balanced_cross_entropy(torch.zeros(3), torch.tensor([1.0, 0.0, 0.0]))
    tensor(0.6931)
    """
    n_genuine = labels.sum()
    weights = labels / n_genuine.clamp(min=1) + (1 - labels) / (len(labels) - n_genuine).clamp(min=1)
    return F.binary_cross_entropy_with_logits(logits, labels, weight=weights / weights.sum(), reduction="sum")
