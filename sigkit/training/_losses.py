"""What training minimises: who signed, and whether it is a forgery."""

import torch
from torch import nn
from torch.nn import functional as F


class SigNetLoss(nn.Module):
    """The losses of SigNet and SigNet-F [1]_, with a margin and smoothed labels as options.

    With :math:`L_c` the cross-entropy over writers, :math:`L_f` the binary cross-entropy of "is a forgery",
    :math:`f` 1 for a forgery, and :math:`\\lambda` the forgery weight:

    - without a forgery weight, :math:`L_c` (equation 1);
    - `writer_loss="all"`, :math:`(1 - \\lambda) L_c + \\lambda L_f` (equation 3);
    - `writer_loss="genuine"`, :math:`(1 - \\lambda) (1 - f) L_c + \\lambda L_f` (equation 4).

    Each of the two terms is averaged over the samples of the batch that it concerns, as the authors' code does:
    in equation 4 the first is averaged over genuine signatures, and is 0 where a batch has none.

    Parameters
    ----------
    forgery_weight : float or None, default=None
        Share of the second term, 0 to 1; None for none.
    writer_loss : {"genuine", "all"}, default="genuine"
        Which signatures the first term takes.
    margin : float, default=0.0
        What is taken off the logit of the right class in training, so that it must win by that much.
    label_smoothing : float, default=0.0
        How much of the target is spread over all classes in training, 0 to 1.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> import torch
    >>> from sigkit.training import SigNetLoss
    >>> target = torch.tensor([[0, 0], [1, 1]])  # rows of class and "is a forgery"
    >>> SigNetLoss(forgery_weight=0.5)((torch.zeros(2, 4), torch.zeros(2)), target)
    tensor(1.0397)
    """

    def __init__(self, forgery_weight=None, writer_loss="genuine", margin=0.0, label_smoothing=0.0):
        super().__init__()
        self.forgery_weight = forgery_weight
        self.writer_loss = writer_loss
        self.margin = margin
        self.label_smoothing = label_smoothing

    def forward(self, logits, target):
        """Compute the loss of a batch.

        Parameters
        ----------
        logits : tuple of (Tensor of shape (n_samples, n_classes), Tensor of shape (n_samples,) or None)
            Logits of the classes, and of "is a forgery".
        target : Tensor of shape (n_samples, 2), dtype int64
            The class of each sample, and 1 for a forgery.

        Returns
        -------
        Tensor of shape ()
            The loss.
        """
        writer_logits, forgery_logits = logits
        classes, forged = target.unbind(1)
        concerned = forged == 0 if self.forgery_weight is not None and self.writer_loss == "genuine" else forged >= 0
        loss = self._writer_term(writer_logits[concerned].float(), classes[concerned])
        if self.forgery_weight is None:
            return loss
        forgery_term = F.binary_cross_entropy_with_logits(forgery_logits.float(), forged.float())
        return (1 - self.forgery_weight) * loss + self.forgery_weight * forgery_term

    def each(self, logits, target):
        """Compute the loss of each sample on its own, for an attack on the training.

        Parameters
        ----------
        logits : tuple of (Tensor of shape (n_samples, n_classes), Tensor of shape (n_samples,) or None)
            Logits of the classes, and of "is a forgery".
        target : Tensor of shape (n_samples, 2), dtype int64
            The class of each sample, and 1 for a forgery.

        Returns
        -------
        Tensor of shape (n_samples,)
            The losses, without margin and smoothed labels.
        """
        writer_logits, forgery_logits = logits
        classes, forged = target.unbind(1)
        losses = F.cross_entropy(writer_logits.float(), classes, reduction="none")
        if self.forgery_weight is None:
            return losses
        if self.writer_loss == "genuine":
            losses = losses * (forged == 0)
        forgery_terms = F.binary_cross_entropy_with_logits(forgery_logits.float(), forged.float(), reduction="none")
        return (1 - self.forgery_weight) * losses + self.forgery_weight * forgery_terms

    def _writer_term(self, logits, classes):
        if not len(logits):
            return logits.sum()
        if not self.training:
            return F.cross_entropy(logits, classes)
        if self.margin:
            logits = logits - self.margin * F.one_hot(classes, logits.shape[1])
        return F.cross_entropy(logits, classes, label_smoothing=self.label_smoothing)


class CosineHead(nn.Module):
    """A classifier by the cosine between features and a direction a class, as in CosFace [1]_.

    Parameters
    ----------
    n_features : int
        Number of features.
    n_classes : int
        Number of classes.
    scale : float, default=16.0
        What the cosines are multiplied with to become logits.

    References
    ----------
    .. [1] Wang, H. et al. (2018). CosFace: large margin cosine loss for deep face recognition. CVPR.
       arXiv:1801.09414.

    Examples
    --------
    >>> import torch
    >>> from sigkit.training import CosineHead
    >>> CosineHead(16, 5)(torch.zeros(2, 16)).shape
    torch.Size([2, 5])
    """

    def __init__(self, n_features, n_classes, scale=16.0):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_classes, n_features))
        nn.init.normal_(self.weight, std=n_features**-0.5)
        self.scale = scale

    def forward(self, features):
        """Compute logits.

        Parameters
        ----------
        features : Tensor of shape (n_samples, n_features)
            Features.

        Returns
        -------
        Tensor of shape (n_samples, n_classes)
            Cosines times the scale.
        """
        return self.scale * F.normalize(features) @ F.normalize(self.weight).T


class TrainingNetwork(nn.Module):
    """A network with the heads that it is trained by and that are thrown away afterwards.

    Parameters
    ----------
    network : torch.nn.Module
        The network, with `n_features`.
    n_classes : int
        Number of classes of the first head.
    head : {"linear", "cosine"}, default="linear"
        The kind of the first head.
    scale : float, default=16.0
        The scale of a cosine head.
    forgery_head : bool, default=False
        Whether there is a second head, of one logit, for "is a forgery".

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network
    >>> from sigkit.training import TrainingNetwork
    >>> trained = TrainingNetwork(build_network("tiny"), n_classes=3, forgery_head=True)
    >>> writers, forgery = trained(torch.zeros(2, 1, 9, 9))
    >>> writers.shape, forgery.shape
    (torch.Size([2, 3]), torch.Size([2]))
    """

    def __init__(self, network, n_classes, head="linear", scale=16.0, forgery_head=False):
        super().__init__()
        self.network = network
        n_features = network.n_features
        self.writers = (
            nn.Linear(n_features, n_classes) if head == "linear" else CosineHead(n_features, n_classes, scale)
        )
        self.forgery = nn.Linear(n_features, 1) if forgery_head else None

    def forward(self, images):
        """Compute the logits of both heads.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Images, background 0 and ink up to 1.

        Returns
        -------
        writers : Tensor of shape (n_samples, n_classes)
            Logits of the classes.
        forgery : Tensor of shape (n_samples,) or None
            Logits of "is a forgery".
        """
        features = self.network(images)
        return self.writers(features), None if self.forgery is None else self.forgery(features)[:, 0]
