"""The skorch net that trains a network: batches, precision, clipping, schedule."""

from contextlib import nullcontext

import torch
from skorch import NeuralNet

from sigkit.nets import OwnDraws, fixed_draws, may_draw
from sigkit.training._callbacks import unwrap_compiled
from sigkit.training._distributed import average_over_processes, processes, share_from_first
from sigkit.training._image_set import Batches

# skorch's callbacks stop a training by a KeyboardInterrupt. These callbacks never do, so there it comes from the user.
_OWN_CALLBACKS = ("epoch_timer", "train_loss", "valid_loss", "engine")


class TrainingNet(NeuralNet):
    """Train a network with its classification layers; resumed trainings give the same weights as uninterrupted ones.

    The random draws of an epoch depend only on the seed and the number of the epoch, and the learning rate only on the
    number of the batch, so no state of a random generator or schedule is stored. That holds for draws of the network,
    too, as by dropout.

    Parameters
    ----------
    *args : tuple
        Arguments of skorch's NeuralNet.
    run : TrainingRun
        The training run.
    schedule : Schedule
        The schedule of the learning rate.
    prepare_train : callable
        Function from a batch of uint8 images and a random generator to the input of the network.
    prepare_valid : callable
        The same for validation, without a generator.
    seed : int
        Seed of all random draws.
    clip_value : float or None, default=None
        Maximum absolute value of a gradient.
    n_mirrored : int, default=0
        Number of classes, if mirror images are separate classes; 0 does not mirror.
    bfloat16 : bool, default=False
        Whether convolutions and matrix products are computed in bfloat16.
    adversary : Adversary or None, default=None
        Replaces each batch by attacked images, or adds attacked images.
    **kwargs : dict
        Arguments of skorch's NeuralNet.
    """

    def __init__(
        self,
        *args,
        run,
        schedule,
        prepare_train,
        prepare_valid,
        seed,
        clip_value=None,
        n_mirrored=0,
        bfloat16=False,
        adversary=None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.run = run
        self.schedule = schedule
        self.prepare_train = prepare_train
        self.prepare_valid = prepare_valid
        self.seed = seed
        self.clip_value = clip_value
        self.n_mirrored = n_mirrored
        self.bfloat16 = bfloat16
        self.adversary = adversary

    def initialize_module(self):
        """Initialize the module from the seed, in channels-last layout."""
        with OwnDraws(self.seed):
            super().initialize_module()
        self.module_.to(memory_format=torch.channels_last)
        self.generator_, self.draws_ = torch.Generator(), None
        self.stopped_by_callback_ = False
        return self

    def torch_compile(self, module, name):
        """Compile the network, but not the loss, which takes less time than compiling it."""
        return super().torch_compile(module, name) if not isinstance(module, self.criterion) else module

    def get_iterator(self, dataset, training=False):
        """Make the batches of an image set."""
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
        """Compute logits in the precision of the training."""
        with self._precision():
            return super().infer(x, **fit_params)

    def logits_of(self, module, images):
        """Compute the logits of a module in evaluation, in the precision of the training.

        In evaluation the logits of an image do not depend on the other images of its batch.

        Parameters
        ----------
        module : torch.nn.Module
            The module of this net or of another.
        images : Tensor of shape (n_samples, 1, height, width)
            Input of the network.

        Returns
        -------
        tuple of Tensor
            Logits of the classes, and of "is a forgery" or None.
        """
        module.eval()
        with self._precision():
            return module(images)

    def train_step_single(self, batch, **fit_params):
        """Compute the gradients of a batch, or of the batches that an adversary makes from it."""
        with self.draws_ or nullcontext():
            if self.adversary is None:
                return super().train_step_single(batch, **fit_params)
            return self._adversarial_step(batch, **fit_params)

    def _adversarial_step(self, batch, **fit_params):
        images, target = batch
        target = target.to(self.device)
        total = 0
        # An adversary may copy the criterion, which differs between training and evaluation mode.
        self._set_training(True)
        for share, inputs, criterion in self.adversary.changed_batches(self, images.to(self.device), target):
            if not share:
                continue
            # The attack leaves the module in evaluation mode.
            self._set_training(True)
            logits = self.infer(inputs, **fit_params)
            loss = share * criterion(logits, target)
            loss.backward()
            total = total + loss.detach()
        return {"loss": total, "y_pred": logits}

    def validation_step(self, batch, **fit_params):
        """Compute the loss of a batch, and count the genuine signatures that are classified correctly."""
        with fixed_draws(self.draws_ is not None):
            step = super().validation_step(batch, **fit_params)
        classes, forged = batch[1].to(step["y_pred"][0].device).unbind(1)
        hits = step["y_pred"][0].argmax(1) == classes
        self.history.record_batch("valid_hits", int((hits & (forged == 0)).sum()))
        self.history.record_batch("valid_genuine", int((forged == 0).sum()))
        return step

    def on_epoch_begin(self, net, **kwargs):
        """Seed the random generator of the epoch."""
        super().on_epoch_begin(net, **kwargs)
        epoch = len(self.history)
        self.generator_.manual_seed(self.seed + epoch)
        # Only where it may be needed, because it makes each operator slower by some microseconds.
        adversary = [] if self.adversary is None else [self.adversary, *getattr(self.adversary, "surrogates", ())]
        needed = may_draw(unwrap_compiled(self.module_), self.criterion_.loss, *adversary)
        self.draws_ = OwnDraws(self.seed, epoch, processes()[0]) if needed else None
        self.n_batches_ = len(self.get_iterator(kwargs["dataset_train"], training=True))
        self.batch_ = 0

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        """Set the learning rate."""
        super().on_batch_begin(net, batch=batch, training=training, **kwargs)
        if training:
            epochs_done = len(self.history) - 1 + self.batch_ / self.n_batches_
            for group in self.optimizer_.param_groups:
                group["lr"] = self.lr * self.schedule.factor(epochs_done, self.max_epochs)
            self.batch_ += 1

    def on_grad_computed(self, net, named_parameters, **kwargs):
        """Average gradients over processes and clip them."""
        parameters = [parameter for _, parameter in named_parameters if parameter.grad is not None]
        average_over_processes(parameter.grad for parameter in parameters)
        if self.clip_value is not None:
            clip_gradients(parameters, self.clip_value)

    def on_batch_end(self, net, training=False, **kwargs):
        """Average the statistics of batch normalization over processes after the last batch of an epoch."""
        if training and self.batch_ == self.n_batches_:
            average_over_processes(buffer for buffer in self.module_.buffers() if buffer.is_floating_point())

    def on_epoch_end(self, net, **kwargs):
        """Record the learning rate and the validation accuracy."""
        epoch = self.history[-1]
        epoch["lr"] = self.optimizer_.param_groups[0]["lr"]
        counted = [batch for batch in epoch["batches"] if "valid_genuine" in batch]
        if counted:
            n_genuine = sum(batch["valid_genuine"] for batch in counted)
            # Rounding may differ between processes, which must agree on the best epoch.
            accuracy = sum(batch["valid_hits"] for batch in counted) / max(n_genuine, 1)
            epoch["valid_acc"] = share_from_first(accuracy)

    def notify(self, method_name, **kwargs):
        """Call the callbacks, and record whether one of the user's callbacks stopped the training."""
        getattr(self, method_name)(self, **kwargs)
        for name, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **kwargs)
            except KeyboardInterrupt:
                self.stopped_by_callback_ = method_name == "on_epoch_end" and name not in _OWN_CALLBACKS
                raise

    def _precision(self):
        return torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.bfloat16)


def clip_gradients(parameters, limit):
    """Clip gradients in place, in one pass over each where `torch.nn.utils.clip_grad_value_` makes two.

    Parameters
    ----------
    parameters : iterable of Parameter
        Parameters; those without a gradient are left out.
    limit : float
        Maximum absolute value.
    """
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.clamp_(-float(limit), float(limit))
