"""The skorch net that trains a network: batches, precision, clipping, schedule."""

import math

import torch
from skorch import NeuralNet
from torch import distributed

from sigkit.training._training_set import Batches

_WARM_UP = 0.05
# skorch's way of ending a training is a KeyboardInterrupt; from these callbacks it can only be the user's.
_NO_REASON_TO_STOP = ("epoch_timer", "train_loss", "valid_loss", "best", "resume", "tell")


class TrainingNet(NeuralNet):
    """Train a network with its heads, the same way whether in one go or in several.

    Whatever is drawn in an epoch follows from the seed and the number of the epoch, and the learning rate from the
    number of the batch: what ran before need not be remembered.

    Parameters
    ----------
    *args : tuple
        Of skorch's NeuralNet.
    prepare_train : callable
        Makes the network's input of a batch of uint8 images and a random generator.
    prepare_valid : callable
        The same for validation, without a generator.
    seed : int
        Decides what is drawn.
    n_epochs : int
        Number of epochs of the whole training.
    schedule : {"step", "cosine"}, default="step"
        How the learning rate falls.
    lr_decay, lr_decay_times : float, int, default=0.1, 3
        What the learning rate is multiplied with from part to part of a training of so many parts, in steps.
    clip_value : float or None, default=None
        Greatest absolute value of a gradient.
    n_mirrored : int, default=0
        Number of classes if images shall be mirrored into classes of their own.
    bfloat16 : bool, default=False
        Whether convolutions and matrix products are computed in bfloat16.
    adversary : callable or None, default=None
        Makes of the net, a batch of inputs and their target what is learned instead of the batch: a list of shares of
        the loss, inputs, and the loss that they have.
    **kwargs : dict
        Of skorch's NeuralNet.
    """

    def __init__(
        self,
        *args,
        prepare_train,
        prepare_valid,
        seed,
        n_epochs,
        schedule="step",
        lr_decay=0.1,
        lr_decay_times=3,
        clip_value=None,
        n_mirrored=0,
        bfloat16=False,
        adversary=None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.prepare_train = prepare_train
        self.prepare_valid = prepare_valid
        self.seed = seed
        self.n_epochs = n_epochs
        self.schedule = schedule
        self.lr_decay = lr_decay
        self.lr_decay_times = lr_decay_times
        self.clip_value = clip_value
        self.n_mirrored = n_mirrored
        self.bfloat16 = bfloat16
        self.adversary = adversary

    def initialize_module(self):
        """Make the module, its weights drawn by the seed, in channels-last order."""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.seed)
            super().initialize_module()
        self.module_.to(memory_format=torch.channels_last)
        self.generator_ = torch.Generator()
        self.stopped_by_callback_ = False
        return self

    def torch_compile(self, module, name):
        """Compile the network, not the loss, which takes less time than compiling it."""
        return super().torch_compile(module, name) if not isinstance(module, self.criterion) else module

    def get_iterator(self, dataset, training=False):
        """Make batches of an image set."""
        if not training:
            return Batches(dataset, self.batch_size, self.prepare_valid)
        rank, n_processes = processes()
        return Batches(
            dataset,
            self.batch_size,
            lambda images: self.prepare_train(images, self.generator_),
            generator=self.generator_,
            n_mirrored=self.n_mirrored,
            rank=rank,
            n_processes=n_processes,
        )

    def infer(self, x, **fit_params):
        """Compute logits, in bfloat16 where that was asked for."""
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.bfloat16):
            return super().infer(x, **fit_params)

    def train_step_single(self, batch, **fit_params):
        """Compute the gradients of a batch, or of what an adversary makes of it."""
        if self.adversary is None:
            return super().train_step_single(batch, **fit_params)
        images, target = batch
        target = target.to(self.device)
        total = 0
        # The loss is another in training, and an adversary may copy it.
        self._set_training(True)
        for share, inputs, criterion in self.adversary(self, images.to(self.device), target):
            if not share:
                continue
            self._set_training(True)
            logits = self.infer(inputs, **fit_params)
            loss = share * criterion(logits, target)
            loss.backward()
            total = total + loss.detach()
        return {"loss": total, "y_pred": logits}

    def validation_step(self, batch, **fit_params):
        """Compute the loss of a batch and count the genuine signatures whose writer is found."""
        step = super().validation_step(batch, **fit_params)
        classes, forged = batch[1].to(step["y_pred"][0].device).unbind(1)
        hits = step["y_pred"][0].argmax(1) == classes
        self.history.record_batch("valid_hits", int((hits & (forged == 0)).sum()))
        self.history.record_batch("valid_genuine", int((forged == 0).sum()))
        return step

    def on_epoch_begin(self, net, **kwargs):
        """Begin an epoch with random numbers of its own."""
        super().on_epoch_begin(net, **kwargs)
        self.generator_.manual_seed(self.seed + len(self.history))
        self.n_batches_ = len(self.get_iterator(kwargs["dataset_train"], training=True))
        self.batch_ = 0

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        """Set the learning rate."""
        super().on_batch_begin(net, batch=batch, training=training, **kwargs)
        if training:
            lr = self.learning_rate(len(self.history) - 1 + self.batch_ / self.n_batches_)
            for group in self.optimizer_.param_groups:
                group["lr"] = lr
            self.batch_ += 1

    def learning_rate(self, epochs_done):
        """Return the learning rate after so many epochs."""
        if self.schedule == "step":
            part = int(int(epochs_done) * self.lr_decay_times / self.n_epochs)
            return self.lr * self.lr_decay**part
        done = epochs_done / self.n_epochs
        return self.lr * min(1, (done + 1e-3) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * done))

    def on_grad_computed(self, net, named_parameters, **kwargs):
        """Average gradients over processes and clip them."""
        parameters = [parameter for _, parameter in named_parameters if parameter.grad is not None]
        average_over_processes(parameter.grad for parameter in parameters)
        if self.clip_value is not None:
            clip_gradients(parameters, self.clip_value)

    def on_batch_end(self, net, training=False, **kwargs):
        """Average the statistics of batch normalisation over processes when an epoch has been learned."""
        if training and self.batch_ == self.n_batches_:
            average_over_processes(buffer for buffer in self.module_.buffers() if buffer.is_floating_point())

    def on_epoch_end(self, net, **kwargs):
        """Record what skorch does not."""
        epoch = self.history[-1]
        epoch["lr"] = self.optimizer_.param_groups[0]["lr"]
        counted = [batch for batch in epoch["batches"] if "valid_genuine" in batch]
        if counted:
            n_genuine = sum(batch["valid_genuine"] for batch in counted)
            # Rounding may differ between processes; they must agree on which epoch is best.
            accuracy = sum(batch["valid_hits"] for batch in counted) / max(n_genuine, 1)
            epoch["valid_acc"] = share_from_first(accuracy)

    def notify(self, method_name, **kwargs):
        """Call the callbacks, and remember if one of the user's ended the training."""
        getattr(self, method_name)(self, **kwargs)
        for name, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **kwargs)
            except KeyboardInterrupt:
                self.stopped_by_callback_ = method_name == "on_epoch_end" and name not in _NO_REASON_TO_STOP
                raise


def processes():
    """Return which of how many processes that train together this one is.

    Returns
    -------
    rank : int
        The number of this process, from 0.
    n_processes : int
        How many there are; 1 where `torch.distributed` is not initialized.
    """
    if not distributed.is_available() or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def share_from_first(thing):
    """Give every process that trains along what the first has.

    Parameters
    ----------
    thing : object
        What this process has.

    Returns
    -------
    object
        What the first process has.
    """
    if processes()[1] == 1:
        return thing
    things = [thing]
    distributed.broadcast_object_list(things, src=0)
    return things[0]


def average_over_processes(tensors):
    """Replace tensors by their means over the processes that train together.

    Parameters
    ----------
    tensors : iterable of Tensor
        The tensors, changed in place.
    """
    n_processes = processes()[1]
    if n_processes > 1:
        for tensor in tensors:
            distributed.all_reduce(tensor)
            tensor /= n_processes


def clip_gradients(parameters, limit):
    """Bound gradients in place, in one pass over each, where `torch.nn.utils.clip_grad_value_` makes two.

    Parameters
    ----------
    parameters : iterable of Parameter
        Their gradients are bounded; those without one are left out.
    limit : float
        Greatest absolute value.
    """
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.clamp_(-float(limit), float(limit))
