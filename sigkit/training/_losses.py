"""Losses for the classification of writers; a new one is a subclass of WriterLoss with an entry in LOSSES."""

from dataclasses import KW_ONLY
from numbers import Real

import torch
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn
from torch.nn import functional as F

from sigkit.training._parameters import Parameters, param, parameters


class WriterLoss(Parameters):
    """Base of the losses.

    A subclass has `classifier`, and may override `training_logits`. The attributes `writer_term` and `label_smoothing`
    have the same meaning in all losses, and are parameters of those of this package.

    Examples
    --------
    >>> from sigkit.training import CosFaceLoss, WriterLoss
    >>> issubclass(CosFaceLoss, WriterLoss)
    True
    """

    writer_term = "genuine"
    label_smoothing = 0.0

    def classifier(self, n_features, n_classes):
        """Make the classification layer, which is used in training only.

        Parameters
        ----------
        n_features, n_classes : int
            Number of features, and of classes.

        Returns
        -------
        torch.nn.Module
            A module from features to the logits of the classes.
        """
        raise NotImplementedError

    def training_logits(self, logits, classes):
        """Change the logits in training, for instance by a margin; in validation they are not changed.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes)
            Logits of the classifier.
        classes : Tensor of shape (n_samples,)
            The true classes.

        Returns
        -------
        Tensor of shape (n_samples, n_classes)
            The logits of the loss.
        """
        return logits


@parameters
class SoftmaxLoss(WriterLoss):
    """Cross-entropy of a linear classifier of writers, as in SigNet [1]_.

    Parameters
    ----------
    writer_term : {"genuine", "all"}, default="genuine"
        With a forgery weight: whether the cross-entropy over writers is computed on genuine signatures (equation 4 of
        [1]_) or on all (equation 3).
    label_smoothing : float, default=0.0
        Share of the target that is spread evenly over all writers, 0 to below 1.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> from sigkit.training import SigNetTraining, SoftmaxLoss
    >>> SigNetTraining(SoftmaxLoss(label_smoothing=0.1)).get_params()["loss__label_smoothing"]
    0.1
    """

    _: KW_ONLY
    writer_term: str = param("genuine", StrOptions({"genuine", "all"}))
    label_smoothing: float = param(0.0, Interval(Real, 0, 1, closed="left"))

    def classifier(self, n_features, n_classes):
        """Make a linear layer.

        Parameters
        ----------
        n_features, n_classes : int
            Number of features, and of classes.

        Returns
        -------
        torch.nn.Linear
            The layer.
        """
        return nn.Linear(n_features, n_classes)


@parameters
class CosFaceLoss(WriterLoss):
    """Cross-entropy of a cosine classifier with a margin, as in CosFace [1]_.

    The logits are :math:`s \\cos(f, w_c)` for features f and the weight :math:`w_c` of class c. In training
    :math:`s m` is subtracted from the logit of the true class, which must win by that margin.

    Parameters
    ----------
    scale : float, default=16.0
        The scale s, above 0.
    margin : float, default=0.2
        The margin m of the cosine, 0 to below 1.
    writer_term : {"genuine", "all"}, default="genuine"
        As in :class:`SoftmaxLoss`.
    label_smoothing : float, default=0.0
        As in :class:`SoftmaxLoss`.

    References
    ----------
    .. [1] Wang, H., et al. (2018). CosFace: large margin cosine loss for deep face recognition. CVPR.
       arXiv:1801.09414.

    Examples
    --------
    >>> import torch
    >>> from sigkit.training import CosFaceLoss
    >>> CosFaceLoss(scale=10.0, margin=0.5).training_logits(torch.tensor([[8.0, 2.0]]), torch.tensor([0]))
    tensor([[3., 2.]])
    """

    _: KW_ONLY
    scale: float = param(16.0, Interval(Real, 0, None, closed="neither"))
    margin: float = param(0.2, Interval(Real, 0, 1, closed="left"))
    writer_term: str = param("genuine", StrOptions({"genuine", "all"}))
    label_smoothing: float = param(0.0, Interval(Real, 0, 1, closed="left"))

    def classifier(self, n_features, n_classes):
        """Make a cosine classifier.

        Parameters
        ----------
        n_features, n_classes : int
            Number of features, and of classes.

        Returns
        -------
        torch.nn.Module
            The classifier.
        """
        return CosineClassifier(n_features, n_classes, self.scale)

    def training_logits(self, logits, classes):
        """Subtract the margin from the logit of the true class.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, n_classes)
            Logits of the classifier.
        classes : Tensor of shape (n_samples,)
            The true classes.

        Returns
        -------
        Tensor of shape (n_samples, n_classes)
            The logits of the loss.
        """
        return logits - self.margin * self.scale * F.one_hot(classes, logits.shape[1]) if self.margin else logits


LOSSES = {"softmax": SoftmaxLoss, "cosface": CosFaceLoss}
"""Losses by name."""


class CosineClassifier(nn.Module):
    """Logits that are proportional to the cosine between the features and the weight vector of each class."""

    def __init__(self, n_features, n_classes, scale):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_classes, n_features))
        nn.init.normal_(self.weight, std=n_features**-0.5)
        self.scale = scale

    def forward(self, features):
        """Compute logits of shape (n_samples, n_classes)."""
        return self.scale * F.normalize(features) @ F.normalize(self.weight).T


class TrainingNetwork(nn.Module):
    """A network with its classification layers, which are dropped after training."""

    def __init__(self, network, loss, n_classes, classifies_forgeries=False):
        super().__init__()
        self.network = network
        self.writers = loss.classifier(network.n_features, n_classes)
        self.forgery = nn.Linear(network.n_features, 1) if classifies_forgeries else None

    def forward(self, images):
        """Compute the logits of the writers, and of "is a forgery" or None."""
        features = self.network(images)
        return self.writers(features), None if self.forgery is None else self.forgery(features)[:, 0]


class SigNetLoss(nn.Module):
    """The losses of SigNet and SigNet-F [1]_, for any classifier of writers.

    With :math:`L_c` the cross-entropy over writers, :math:`L_f` the binary cross-entropy of "is a forgery",
    :math:`f` 1 for a forgery, and :math:`\\lambda` the forgery weight:

    - without a forgery weight, :math:`L_c` (equation 1);
    - `writer_term="all"`, :math:`(1 - \\lambda) L_c + \\lambda L_f` (equation 3);
    - `writer_term="genuine"`, :math:`(1 - \\lambda) (1 - f) L_c + \\lambda L_f` (equation 4).

    Each of the two terms is averaged over the samples of the batch that it concerns, as in the authors' code: in
    equation 4 the first is averaged over genuine signatures, and is 0 where a batch has none.

    Parameters
    ----------
    loss : WriterLoss
        The loss of the writers.
    forgery_weight : float or None, default=None
        Weight of the second term, 0 to 1; None for no second term.
    writer_term : {"genuine", "all"} or None, default=None
        Signatures of the first term; None takes that of the loss.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> import torch
    >>> from sigkit.training import SigNetLoss, SoftmaxLoss
    >>> target = torch.tensor([[0, 0], [1, 1]])  # rows of class and "is a forgery"
    >>> SigNetLoss(SoftmaxLoss(), forgery_weight=0.5)((torch.zeros(2, 4), torch.zeros(2)), target)
    tensor(1.0397)
    """

    def __init__(self, loss, forgery_weight=None, writer_term=None):
        super().__init__()
        self.loss = loss
        self.forgery_weight = forgery_weight
        self.writer_term = loss.writer_term if writer_term is None else writer_term

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
        concerned = forged == 0 if self.forgery_weight is not None and self.writer_term == "genuine" else forged >= 0
        loss = self._writer_term(writer_logits[concerned].float(), classes[concerned])
        if self.forgery_weight is None:
            return loss
        forgery_term = F.binary_cross_entropy_with_logits(forgery_logits.float(), forged.float())
        return (1 - self.forgery_weight) * loss + self.forgery_weight * forgery_term

    def per_sample(self, logits, target):
        """Compute the loss of each sample, which an adversary maximizes.

        Parameters
        ----------
        logits : tuple of (Tensor of shape (n_samples, n_classes), Tensor of shape (n_samples,) or None)
            Logits of the classes, and of "is a forgery".
        target : Tensor of shape (n_samples, 2), dtype int64
            The class of each sample, and 1 for a forgery.

        Returns
        -------
        Tensor of shape (n_samples,)
            The losses, without margin and label smoothing.
        """
        writer_logits, forgery_logits = logits
        classes, forged = target.unbind(1)
        losses = F.cross_entropy(writer_logits.float(), classes, reduction="none")
        if self.forgery_weight is None:
            return losses
        if self.writer_term == "genuine":
            losses = losses * (forged == 0)
        forgery_terms = F.binary_cross_entropy_with_logits(forgery_logits.float(), forged.float(), reduction="none")
        return (1 - self.forgery_weight) * losses + self.forgery_weight * forgery_terms

    def for_attacked_images(self):
        """Return the loss for attacked images: forgeries never enter the writer term.

        Returns
        -------
        SigNetLoss
            This loss without a forgery weight, otherwise the same loss with `writer_term="genuine"`.
        """
        if self.forgery_weight is None:
            return self
        return SigNetLoss(self.loss, self.forgery_weight, "genuine").train(self.training)

    def _writer_term(self, logits, classes):
        if not len(logits):
            # Keeps the graph, so that the gradient of the classifier is 0 rather than missing.
            return logits.sum()
        if not self.training:
            return F.cross_entropy(logits, classes)
        logits = self.loss.training_logits(logits, classes)
        return F.cross_entropy(logits, classes, label_smoothing=self.loss.label_smoothing)
