"""Meta-learning: a network that a few gradient steps adapt to a writer."""

import torch
from torch import nn
from torch.func import functional_call

from sigkit.nets._draws import fixed_draws, may_draw
from sigkit.nets._heads import balanced_cross_entropy, make_head
from sigkit.nets._second_order import with_fast_second_derivatives


class MetaLearner(nn.Module):
    """A network with one score as its output, and the learning rates of the updates that adapt it to a writer.

    All writers share the initial weights :math:`\\theta_0`. Update :math:`k` on a writer's references (and random
    forgeries) is :math:`\\theta_k = \\theta_{k-1} - \\alpha_k \\nabla L(\\theta_{k-1})`, where :math:`\\alpha_k` holds
    one learned rate per parameter tensor [1]_, [2]_. Initial weights and rates are learned by differentiating the loss
    of other signatures of the writer through the updates, which takes second derivatives.

    The loss is :func:`balanced_cross_entropy`. In evaluation mode, in which the module is to be used, batch
    normalization uses its running statistics and there is no dropout, so that a score depends only on the references,
    the random forgeries and the query.

    Parameters
    ----------
    network : torch.nn.Module
        Computes features, `n_features` of them. It is not changed: the learner has a copy whose convolutions, pooling
        and batch normalization are faster to differentiate twice. The copy has the same names of parameters; it has no
        forward-mode derivatives, and hooks on its layers may not run.
    n_updates : int, default=5
        Number of updates.
    inner_lr : float, default=0.01
        Initial value of the learning rates.
    network_inner_lr : float or None, default=None
        Initial value of the learning rates of the network; None is `inner_lr`.
    head : {"linear", "distance"}, default="linear"
        Computes the score from the features :math:`f`. "linear" is a linear layer with weights 0 at first. "distance"
        is :math:`b - e^s \\|f / |f| - c\\|^2` with parameters :math:`c` (0 at first), :math:`s` and :math:`b`: one
        gradient step on references moves :math:`c` towards the mean of their features of unit length.
    adapt : {"all", "head"}, default="all"
        The weights that the updates change: all weights (MAML [1]_), or those of the head (ANIL [3]_), so that all
        writers share their features.
    order : {1, 2}, default=2
        1 ignores second derivatives (first-order MAML [1]_).
    recompute : bool, default=False
        Whether to recompute each update in the backward pass (gradient checkpointing): takes the memory of one update
        and of the scores of queries, and about a third more time.
    bfloat16 : bool, default=False
        Whether convolutions and matrix products are computed in bfloat16.

    Attributes
    ----------
    rates, network_rates : Parameter of shape (n_updates, n_tensors)
        The learning rates of each update for the parameter tensors of the head, and for those of the network; the
        latter has no columns if only the head is adapted.

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
        self.network = with_fast_second_derivatives(network)
        self.head = make_head(head, network.n_features)
        self.adapts = adapt
        self.order = order
        self.recompute = recompute
        self.bfloat16 = bfloat16
        self._may_draw = may_draw(self.network, evaluation=True)
        network_inner_lr = inner_lr if network_inner_lr is None else network_inner_lr
        n_adapted = len(self.adapted_parameters()) - len([*self.head.parameters()])
        self.rates = nn.Parameter(torch.full((n_updates, len([*self.head.parameters()])), float(inner_lr)))
        self.network_rates = nn.Parameter(torch.full((n_updates, n_adapted), float(network_inner_lr)))

    def forward(self, images):
        """Compute scores with the initial weights.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor of shape (n_samples,)
            Logits of "is genuine".
        """
        return self.head(self._features(images))[:, 0]

    def adapted_parameters(self):
        """Return the parameters that the updates change.

        Returns
        -------
        dict of str to Parameter
            The parameters by name, with the initial weights.
        """
        parts = {"head": self.head} if self.adapts == "head" else {"network": self.network, "head": self.head}
        return {f"{part}.{name}": tensor for part in parts for name, tensor in parts[part].named_parameters()}

    def prepare(self, images):
        """Compute what is the same for all writers and updates.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 1, height, width)
            Preprocessed signatures, background 0 and ink up to 1.

        Returns
        -------
        Tensor
            The features if only the head is adapted, the images themselves otherwise.
        """
        if self.adapts == "all":
            return images
        with self._precision(images):
            return self._features(images).to(next(self.head.parameters()).dtype)

    def score(self, weights, prepared):
        """Compute scores with the weights of a writer.

        Parameters
        ----------
        weights : dict of str to Tensor
            The weights of the writer, from `updates`.
        prepared : Tensor
            The signatures as `prepare` returned them.

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
            The references of the writer and random forgeries, as `prepare` returned them.
        labels : Tensor of shape (n_samples,)
            1.0 for references, 0.0 for random forgeries.

        Yields
        ------
        dict of str to Tensor
            The weights after each update, with a graph unless gradients are disabled.
        """
        names, weights = zip(*self.adapted_parameters().items())

        def update(rates, prepared, *weights):
            with torch.enable_grad():
                loss = balanced_cross_entropy(self.score(dict(zip(names, weights)), prepared), labels)
                # First-order gradients are constants: they need no graph.
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
        """Compute the loss of a task: adapt to references, and score queries.

        Parameters
        ----------
        references : tuple of (Tensor, Tensor of shape (n_references,))
            The signatures to adapt to as `prepare` returned them, and their labels.
        queries : tuple of (Tensor, Tensor of shape (n_queries,))
            The signatures to score as `prepare` returned them, and their labels.
        importance : sequence of float
            The weight of the loss after each update, see :func:`sigkit.training.multi_step_importance`.

        Returns
        -------
        loss : Tensor of shape ()
            The weighted sum of the losses after each update.
        scores : Tensor of shape (n_queries,)
            The scores of the queries after the last update, without a graph.
        """
        loss = 0
        for weight_of_loss, weights in zip(importance, self.updates(*references)):
            if weight_of_loss:
                scores = self.score(weights, queries[0])
                loss = loss + weight_of_loss * balanced_cross_entropy(scores, queries[1])
        return loss, scores.detach()

    def _features(self, images):
        with fixed_draws(self._may_draw):
            return self.network(images)

    def _precision(self, images):
        return torch.autocast(images.device.type, torch.bfloat16, enabled=self.bfloat16)


class _Step(torch.autograd.Function):
    """One step of gradient descent, which allocates no more than its result and keeps no copy of the weight."""

    @staticmethod
    def forward(ctx, weight, rate, gradient):
        ctx.save_for_backward(rate, gradient)
        return torch.addcmul(weight, gradient, rate, value=-1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        rate, gradient = ctx.saved_tensors
        to_rate = -_inner_product(gradient, grad) if ctx.needs_input_grad[1] else None
        return grad, to_rate, grad * -rate if ctx.needs_input_grad[2] else None


def _inner_product(one, other):
    # Flattening kernels in channels-last layout in another order than that of their memory would copy them.
    if one.dim() == 4 and one.is_contiguous(memory_format=torch.channels_last):
        one, other = one.movedim(1, -1), other.movedim(1, -1)
    return torch.vdot(one.flatten(), other.flatten())


class _Recomputed(torch.autograd.Function):
    """A function that is recomputed in the backward pass, which then needs no memory for its graph before."""

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
        differentiated = [tensor for tensor in inputs if tensor.requires_grad]
        found = iter(torch.autograd.grad(outputs, differentiated, gradients, allow_unused=True))
        return None, *(next(found) if need else None for need in needed)
