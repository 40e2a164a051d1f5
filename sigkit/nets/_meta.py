"""Meta-learning: a network that a few gradient steps on a writer's references make a verifier of that writer."""

import math
from contextlib import contextmanager

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F


class MetaLearner(nn.Module):
    """A network with a score for its only output, and the learning rates of the steps that adapt it to a writer.

    From the weights :math:`\\theta_0` that all writers share, update :math:`k` on a writer's references (and random
    forgeries) is :math:`\\theta_k = \\theta_{k-1} - \\alpha_k \\nabla L(\\theta_{k-1})`, with a learned rate
    :math:`\\alpha_k` for each parameter tensor of each layer [1]_, [2]_. Rates and weights are learned by
    differentiating the loss of other signatures of the writer through the updates, which needs second derivatives.

    The loss is :func:`balanced_cross_entropy`. Batch normalisation uses its running statistics and no dropout takes
    place: put the module in evaluation mode. Then a score depends on the references and the query alone.

    Parameters
    ----------
    network : torch.nn.Module
        Makes features, `n_features` of them.
    n_updates : int, default=5
        Number of updates.
    inner_lr : float, default=0.01
        The learning rates at first.
    network_inner_lr : float or None, default=None
        Those of the network, without the head, if they shall be others.
    head : {"linear", "distance"}, default="linear"
        What makes a score of features: a linear layer, whose weights are 0 at first, or a :class:`DistanceHead`.
    adapt : {"all", "head"}, default="all"
        What the updates change: all weights (MAML [1]_), or those of the last layer (ANIL [3]_), so that all writers
        share their features.
    order : {1, 2}, default=2
        1 takes the gradients of the updates for constants in learning the weights (first-order MAML [1]_).
    recompute : bool, default=False
        Whether each update is computed anew in the backward pass rather than kept: the memory of one update, beside
        the scores of queries after each, for about a third more time.
    bfloat16 : bool, default=False
        Whether convolutions and matrix products are in bfloat16.

    Attributes
    ----------
    rates, network_rates : Parameter of shape (n_updates, n_tensors)
        The learning rates of each update, for the parameter tensors of the head and for those of the network, of which
        there are none where the head alone is adapted.

    References
    ----------
    .. [1] Finn, C., Abbeel, P., and Levine, S. (2017). Model-agnostic meta-learning for fast adaptation of deep
       networks. ICML. arXiv:1703.03400.
    .. [2] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2020). Meta-learning for fast classifier adaptation to
       new users of signature verification systems. IEEE Transactions on Information Forensics and Security, 15,
       1735-1745. arXiv:1910.08060.
    .. [3] Raghu, A., Raghu, M., Bengio, S., and Vinyals, O. (2020). Rapid learning or feature reuse? Towards
       understanding the effectiveness of MAML. ICLR. arXiv:1909.09157.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import MetaLearner, build_network
    >>> learner = MetaLearner(build_network("tiny", seed=0), n_updates=2).eval()
    >>> images = torch.rand(4, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    >>> *_, weights = learner.updates(learner.prepare(images), torch.ones(4))
    >>> bool((learner.score(weights, learner.prepare(images)) > 0).all())
    True
    """

    def __init__(
        self,
        network,
        n_updates=5,
        inner_lr=0.01,
        network_inner_lr=None,
        head="linear",
        adapt="all",
        order=2,
        recompute=False,
        bfloat16=False,
    ):
        super().__init__()
        self.network = network
        self.head = (_linear_head if head == "linear" else DistanceHead)(network.n_features)
        self.adapts = adapt
        self.order = order
        self.recompute = recompute
        self.bfloat16 = bfloat16
        network_inner_lr = inner_lr if network_inner_lr is None else network_inner_lr
        n_adapted = len(self.start()) - len([*self.head.parameters()])
        self.rates = nn.Parameter(torch.full((n_updates, len([*self.head.parameters()])), float(inner_lr)))
        self.network_rates = nn.Parameter(torch.full((n_updates, n_adapted), float(network_inner_lr)))

    def forward(self, images):
        """Score signatures by the weights that all writers share.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor of shape (n_samples,)
            Logits of "is genuine".
        """
        return self.head(self.network(images))[:, 0]

    def start(self):
        """Tell the weights that the updates begin with.

        Returns
        -------
        dict of str to Parameter
            The parameters that adaptation changes, by name.
        """
        parts = {"head": self.head} if self.adapts == "head" else {"network": self.network, "head": self.head}
        return {f"{part}.{name}": tensor for part in parts for name, tensor in parts[part].named_parameters()}

    def prepare(self, images):
        """Compute what does not depend on the writer, once for all updates.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor
            The features, where the last layer alone is adapted; the images themselves otherwise.
        """
        if self.adapts == "all":
            return images
        with self._precision(images):
            return self.network(images).to(next(self.head.parameters()).dtype)

    def score(self, weights, prepared):
        """Score signatures by a writer's weights.

        Parameters
        ----------
        weights : dict of str to Tensor
            The weights of the writer, from `updates`.
        prepared : Tensor
            What `prepare` made of the signatures.

        Returns
        -------
        Tensor of shape (n_samples,), dtype float32
            Logits of "is genuine".
        """
        if self.adapts == "head":
            weights = {name.removeprefix("head."): weight for name, weight in weights.items()}
            return functional_call(self.head, weights, prepared)[:, 0]
        with self._precision(prepared):
            return functional_call(self, weights, prepared).to(next(iter(weights.values())).dtype)

    def updates(self, prepared, labels):
        """Adapt to a writer.

        Parameters
        ----------
        prepared : Tensor
            What `prepare` made of the writer's references and of random forgeries.
        labels : Tensor of shape (n_samples,)
            1.0 for references, 0.0 for random forgeries.

        Yields
        ------
        dict of str to Tensor
            The weights after each update. Gradients flow through them unless `torch.no_grad` is in force.
        """
        names, weights = zip(*self.start().items())

        def update(rates, prepared, *weights):
            with torch.enable_grad():
                loss = balanced_cross_entropy(self.score(dict(zip(names, weights)), prepared), labels)
                # Through gradients that are taken for constants no graph is needed.
                gradients = torch.autograd.grad(loss, weights, create_graph=keeps_graph)
            return tuple(_Step.apply(*tensors) for tensors in zip(weights, rates, gradients))

        keeps_graph = self.order == 2 and torch.is_grad_enabled()
        for rates in torch.cat([self.network_rates, self.rates], dim=1):
            if not torch.is_grad_enabled():
                weights = [weight.detach().requires_grad_() for weight in weights]
            if self.recompute and keeps_graph:
                weights = _Recomputed.apply(update, rates, prepared, *weights)
            else:
                weights = update(rates, prepared, *weights)
            yield dict(zip(names, weights))

    def task_loss(self, references, queries, importance):
        """Compute the loss of a task: how well the updates on some signatures tell others.

        Parameters
        ----------
        references : tuple of (Tensor, Tensor of shape (n_references,))
            What `prepare` made of the signatures to adapt to, and their labels.
        queries : tuple of (Tensor, Tensor of shape (n_queries,))
            What `prepare` made of the signatures to score, and their labels.
        importance : sequence of float
            What the loss after each update counts, from :func:`multi_step_importance`.

        Returns
        -------
        loss : Tensor of shape ()
            The sum of the losses after each update, by importance.
        scores : Tensor of shape (n_queries,)
            Scores of the queries after the last update, without a graph.
        """
        loss = 0
        for share, weights in zip(importance, self.updates(*references)):
            if share:
                scores = self.score(weights, queries[0])
                loss = loss + share * balanced_cross_entropy(scores, queries[1])
        return loss, scores.detach()

    def _precision(self, images):
        return torch.autocast(images.device.type, torch.bfloat16, enabled=self.bfloat16)


class DistanceHead(nn.Module):
    """A score by how near features of unit length are to a center: near ones are genuine, whatever the direction.

    The score is :math:`b - e^s \\|f / |f| - c\\|^2`, with the center c, the scale s and the bias b for parameters. One
    gradient step on references moves the center, which is 0 at first, towards their mean; onto it, with a rate of 0.05.

    Parameters
    ----------
    n_features : int
        Number of features.
    scale, bias : float, default=10.0, 2.0
        :math:`e^s` and b at first.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import DistanceHead
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


def _linear_head(n_features):
    # Nothing is drawn from torch's random state for weights that are 0.
    head = nn.utils.skip_init(nn.Linear, n_features, 1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


class _Step(torch.autograd.Function):
    """A weight after a step against its gradient; nothing of its size is kept or made but for itself."""

    @staticmethod
    def forward(ctx, weight, rate, gradient):
        ctx.save_for_backward(rate, gradient)
        return torch.addcmul(weight, gradient, rate, value=-1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        rate, gradient = ctx.saved_tensors
        to_rate = -_inner_product(gradient, slope) if ctx.needs_input_grad[1] else None
        return slope, to_rate, slope * -rate if ctx.needs_input_grad[2] else None


def _inner_product(one, other):
    # Kernels with channels last are one piece of memory in that order only; in another they would be copied.
    if one.dim() == 4 and one.is_contiguous(memory_format=torch.channels_last):
        one, other = one.movedim(1, -1), other.movedim(1, -1)
    return torch.vdot(one.flatten(), other.flatten())


class _Recomputed(torch.autograd.Function):
    """A function whose inner graph is made anew in the backward pass."""

    @staticmethod
    def forward(ctx, function, *tensors):
        ctx.function = function
        ctx.save_for_backward(*tensors)
        inputs = [tensor.detach().requires_grad_() for tensor in tensors]
        return tuple(output.detach() for output in function(*inputs))

    @staticmethod
    def backward(ctx, *gradients):
        needed = ctx.needs_input_grad[1:]
        inputs = [tensor.detach().requires_grad_(need) for tensor, need in zip(ctx.saved_tensors, needed)]
        with torch.enable_grad():
            outputs = ctx.function(*inputs)
        wanted = [tensor for tensor in inputs if tensor.requires_grad]
        found = iter(torch.autograd.grad(outputs, wanted, gradients, allow_unused=True))
        return None, *(next(found) if need else None for need in needed)


def balanced_cross_entropy(logits, labels):
    """Compute the binary cross-entropy in which genuine signatures and forgeries count the same, however many.

    Parameters
    ----------
    logits : Tensor of shape (n_samples,)
        Scores.
    labels : Tensor of shape (n_samples,)
        1.0 for genuine signatures, 0.0 for forgeries; all may be of one kind, which then counts alone.

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
    shares = labels / n_genuine.clamp(min=1) + (1 - labels) / (len(labels) - n_genuine).clamp(min=1)
    return F.binary_cross_entropy_with_logits(logits, labels, weight=shares / shares.sum(), reduction="sum")


def multi_step_importance(n_updates, epoch, n_epochs):
    """Tell what the loss after each update counts in an epoch.

    At first the losses after all updates count the same, which steadies the beginning [1]_; the share of all but the
    last falls in a line and is 0 from epoch `n_epochs` on.

    Parameters
    ----------
    n_updates : int
        Number of updates.
    epoch : int
        Epochs done.
    n_epochs : int
        Number of epochs in which earlier updates count.

    Returns
    -------
    list of float
        The shares; their sum is 1.

    References
    ----------
    .. [1] Antoniou, A., Edwards, H., and Storkey, A. (2019). How to train your MAML. ICLR. arXiv:1810.09502.

    Examples
    --------
    >>> from sigkit.nets import multi_step_importance
    >>> multi_step_importance(4, 0, 10), multi_step_importance(4, 10, 10)
    ([0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0])
    """
    early = max(0.0, 1 - epoch / n_epochs) / n_updates if n_epochs else 0.0
    return [early] * (n_updates - 1) + [1 - early * (n_updates - 1)]


def update_statistics(network, images, momentum=None):
    """Move the running statistics of batch normalisation towards those of some images; weights stay as they are.

    Parameters
    ----------
    network : torch.nn.Module
        A network in evaluation mode; without batch normalisation nothing happens.
    images : Tensor of shape (n_samples, 1, height, width)
        Two images at least, for with one nothing happens.
    momentum : float or None, default=None
        How far to move: 1 forgets what was before. None takes the momentum of each layer.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import build_network, update_statistics
    >>> network = build_network("tiny", seed=0).eval()
    >>> update_statistics(network, torch.ones(2, 1, 9, 9), momentum=1.0)
    >>> float(network.conv_layers[0].bn.running_mean.abs().sum()) > 0
    True
    """
    if _norms(network) and len(images) > 1:
        with torch.no_grad(), batch_statistics(network, momentum):
            network(images)


@contextmanager
def batch_statistics(network, momentum=None):
    """Normalise by the statistics of each batch, in a context, and move the running ones towards them.

    Parameters
    ----------
    network : torch.nn.Module
        A network; in evaluation mode, there is no dropout in the context either.
    momentum : float or None, default=None
        How far to move: 1 forgets what was before. None takes the momentum of each layer.

    Yields
    ------
    None
        The network is in the mode that it was in again afterwards.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import batch_statistics, build_network
    >>> network = build_network("tiny", seed=0).eval()
    >>> with batch_statistics(network, momentum=0.1):
    ...     features = network(torch.rand(8, 1, 9, 9, generator=torch.Generator().manual_seed(0)))
    >>> features.shape, network.conv_layers[0].bn.training
    (torch.Size([8, 16]), False)
    """
    norms = _norms(network)
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


def _norms(network):
    return [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
