"""Meta-training of initial weights and learning rates on tasks of development writers."""

import math
import time
from contextlib import nullcontext

import numpy as np
import torch

from sigkit._utils import content_digest, freed_memory_kept, progress
from sigkit.nets import network_input
from sigkit.training._augmentation import make_augmentation
from sigkit.training._first_optimizer import import_for_optimizers
from sigkit.training._identity import recipe_of, weights_digest
from sigkit.training._image_set import training_size
from sigkit.training._importance import multi_step_importance
from sigkit.training._net import clip_gradients
from sigkit.training._run import TrainingRun
from sigkit.training._statistics import batch_statistics
from sigkit.training._task_threads import TaskThreads, add_gradients, n_task_threads
from sigkit.training._tasks import task_sizes

NOT_IN_RECIPE = ("batch_size", "dev_writers", "keep", "weights", "training__pretrain")
"""Parameters of a verifier that its meta-training does not use, or that a digest stands for."""
N_FOR_STATISTICS = 1024
"""Maximum number of signatures from which the statistics of batch normalization are recomputed after an epoch."""
N_IMAGES_PER_PASS = 256
"""Number of images in one pass through a shared network, unless a task has more: this bounds the memory."""


def meta_train(verifier, training, learner, development, *, seed, device):
    """Meta-train a network with the parameters of a `MetaLearnedVerifier`.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        The verifier, for its parameters.
    training : MetaTraining
        The parameters of the training, resolved.
    learner : MetaLearner
        The learner, trained in place; it is on the CPU before and after.
    development : DevelopmentSet
        The signatures of the development writers.
    seed : int
        Seed of all random draws.
    device : torch.device
        Where to train.

    Returns
    -------
    history : list of dict
        Measurements of each epoch.
    recipe : dict
        The settings that determine the result, as plain values.

    Raises
    ------
    ValueError
        If the first epoch diverges, or `checkpoint_dir` holds the state of another training.
    """
    import_for_optimizers()
    parts = development.genuine, development.skilled
    rows = np.concatenate([rows for part in parts for rows in part.values()])
    counts = [{writer: len(rows) for writer, rows in part.items()} for part in parts]
    recipe = recipe_of(verifier, training, NOT_IN_RECIPE) | {
        "seed": seed,
        "start": weights_digest(learner),
        "images": content_digest(development.images[rows]) + content_digest(repr(counts).encode()),
    }
    run = TrainingRun(
        recipe,
        training.epochs,
        measure=lambda measured: measured.get("valid_loss", 0.0),
        advice=f"Lower lr (now {training.lr:g}), inner_loop.lr or clip_value.",
        folder=training.checkpoint_dir,
        verbose=verifier.verbose,
    )
    try:
        trainer = MetaTrainer(learner.to(device), development, training, task_sizes(verifier, training), seed)
        with run, freed_memory_kept():
            trainer.train(run)
    finally:
        learner.requires_grad_()
        learner.zero_grad()
        learner.cpu()
    return run.history, recipe


class MetaTrainer:
    """The epochs of a meta-training.

    The random draws of an epoch depend only on the seed and the number of the epoch, so no state of a random generator
    is stored.

    Parameters
    ----------
    learner : MetaLearner
        The learner, on its device.
    development : DevelopmentSet
        The signatures of the development writers.
    training : MetaTraining
        The parameters, resolved.
    sizes : TaskSizes
        Number of signatures of each kind in a task.
    seed : int
        Seed of all random draws.
    """

    def __init__(self, learner, development, training, sizes, seed):
        self.learner, self.development, self.training = learner, development, training
        self.sizes, self.seed = sizes, seed
        self.images = torch.from_numpy(development.images)[:, None].to(learner.rates.device)
        size = learner.network.input_size
        self.rows = development.training_rows()
        if training.augmentation not in ("crop", None):
            size = training_size(development.images[self.rows], learner.network)
        self.vary = make_augmentation(training.augmentation, size)
        learns_network = training.network_lr != 0
        # Otherwise autograd would record a graph for gradients that are not used.
        learner.network.requires_grad_(learns_network or learner.adapts == "all")
        # A network that all tasks share is trained with batch statistics, like any other network. Otherwise the running
        # statistics stay fixed: gradients would not account for their changes, and the network would not learn.
        self.uses_batch_statistics = learns_network and learner.adapts == "head"
        features_stay = not learns_network and learner.adapts == "head" and training.augmentation is None
        self.features = self._compute_features() if features_stay else None
        self.optimizer = torch.optim.Adam(
            self._parameter_groups(learns_network), training.lr, fused=self.images.device.type in ("cpu", "cuda")
        )
        rng = np.random.default_rng([seed, training.epochs])
        self.validation_tasks = [self._draw(writer, rng) for writer in development.validation_writers]
        self.threads = TaskThreads(learner, n_task_threads(learner, training.n_jobs, training.meta_batch_size))

    def train(self, run):
        """Train until the last epoch or until the training diverges, and load the weights of the best epoch.

        Parameters
        ----------
        run : TrainingRun
            The training run.

        Raises
        ------
        ValueError
            If the state is damaged or that of another training, or the first epoch diverges.
        """
        state = run.resume()
        if state is not None:
            run.load(state, self.learner, self.optimizer)
        run.begin()
        with self.threads:
            while not run.is_finished:
                start = time.monotonic()
                epoch = len(run.history)
                measured = self._learn(epoch, run.verbose)
                if math.isfinite(measured["train_loss"]):
                    measured |= self._validate()
                measured["dur"] = time.monotonic() - start
                if not run.end_epoch(measured, self.learner, self.optimizer):
                    break
        self.learner.load_state_dict(run.best["weights"])

    def _parameter_groups(self, learns_network):
        """Return the parameter groups of Adam, each with the ratio of its learning rate to `lr`."""
        training, inner_loop = self.training, self.training.inner_loop
        groups = [{"params": [*self.learner.head.parameters()], "share": 1.0}]
        if inner_loop.learn_lr:
            # A step of Adam has the size of its learning rate, whatever the gradient, so inner-loop rates of another
            # magnitude need a learning rate of another magnitude.
            ratio = 1.0 if inner_loop.network_lr is None else inner_loop.network_lr / inner_loop.lr
            groups.append({"params": [self.learner.rates], "share": 1.0})
            groups.append({"params": [self.learner.network_rates], "share": ratio})
        if learns_network:
            share = 1.0 if training.network_lr is None else training.network_lr / training.lr
            groups.append({"params": [*self.learner.network.parameters()], "share": share})
        return groups

    def _learn(self, epoch, verbose):
        """Train on one task per writer; return the measurements, with a loss of NaN if the training diverged."""
        training = self.training
        rng = np.random.default_rng([self.seed, epoch])
        generator = torch.Generator().manual_seed(self.seed + epoch)
        importance = multi_step_importance(len(self.learner.rates), epoch, training.multi_step_epochs)
        falling = 0.5 * (1 + math.cos(math.pi * epoch / training.epochs))
        lr = training.min_lr + (training.lr - training.min_lr) * falling
        diverged = {"epoch": epoch + 1, "train_loss": math.nan, "lr": lr}
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["share"]
        training_writers = self.development.training_writers
        order = rng.permutation(len(training_writers))
        batches = _even_parts([training_writers[place] for place in order], training.meta_batch_size)
        learned = [parameter for parameter in self.learner.parameters() if parameter.requires_grad]
        losses = []
        for batch in progress(batches, len(order), f"epoch {epoch + 1}, writers", verbose > 1):
            self.learner.zero_grad()
            passes = self._varied([self._draw(writer, rng) for writer in batch], generator)
            for found, gradients in self.threads.gradients(passes, importance, len(batch)):
                if not torch.isfinite(found).all():
                    return diverged
                add_gradients(learned, gradients)
                del gradients
                losses += found.tolist()
            if training.clip_value is not None:
                clip_gradients(self.learner.parameters(), training.clip_value)
            self.optimizer.step()
        if self.uses_batch_statistics:
            self._take_statistics()
        if not all(torch.isfinite(tensor).all() for tensor in self.learner.state_dict().values()):
            return diverged
        return {"epoch": epoch + 1, "train_loss": float(np.mean(losses)), "lr": lr}

    def _validate(self):
        if not self.validation_tasks:
            return {}
        losses, hits = [], []
        last_only = multi_step_importance(len(self.learner.rates), 0, 0)
        for task in self.validation_tasks:
            with torch.no_grad():
                ((references, queries),) = self._prepare([task], self._middle)
                loss, scores = self.learner.task_loss(references, queries, last_only)
            losses.append(loss.item())
            right = (scores > 0) == (queries[1] > 0)
            kinds = [right[queries[1] == label].float().mean() for label in (0, 1) if (queries[1] == label).any()]
            hits.append(torch.stack(kinds).mean().item())
        return {"valid_loss": float(np.mean(losses)), "valid_acc": float(np.mean(hits))}

    def _draw(self, writer, rng):
        return self.development.draw_task(writer, self.sizes, rng)

    def _varied(self, tasks, generator):
        """Yield the tasks of each pass through the network, prepared from augmented images."""
        for part in self._passes(tasks):
            with batch_statistics(self.learner.network) if self.uses_batch_statistics else nullcontext():
                prepared = self._prepare(part, lambda images: self.vary(images, generator))
            yield prepared

    def _passes(self, tasks):
        """Divide the tasks of a meta-batch into those that pass through the network together."""
        if self.learner.adapts == "all":
            return [[task] for task in tasks]
        most = max(len(task.references) + len(task.queries) for task in tasks)
        return _even_parts(tasks, max(1, N_IMAGES_PER_PASS // most))

    def _prepare(self, tasks, vary):
        """Prepare the references and the queries of tasks in one pass, each with their labels."""
        parts = [part for task in tasks for part in (task.references, task.queries)]
        rows = torch.from_numpy(np.concatenate(parts))
        prepared = self.learner.prepare(vary(self.images[rows])) if self.features is None else self.features[rows]
        labels = [part for task in tasks for part in (task.reference_labels, task.query_labels)]
        labels = [torch.from_numpy(part).to(prepared.device) for part in labels]
        pairs = [*zip(prepared.split([len(part) for part in parts]), labels)]
        return [*zip(pairs[::2], pairs[1::2])]

    def _take_statistics(self):
        """Recompute batch statistics from many signatures; running ones cover the last few meta-batches only."""
        if not [*self.learner.network.buffers()]:
            return
        rows = np.random.default_rng(self.seed).permutation(self.rows)[:N_FOR_STATISTICS]
        for number, part in enumerate(_even_parts(rows, N_IMAGES_PER_PASS), start=1):
            with torch.no_grad(), batch_statistics(self.learner.network, momentum=1 / number):
                self.learner.prepare(self._middle(self.images[torch.tensor(part)]))

    def _compute_features(self):
        """Compute the features of all images once, for a network that is not trained."""
        with torch.no_grad():
            return torch.cat(
                [self.learner.prepare(self._middle(part)) for part in self.images.split(N_IMAGES_PER_PASS)]
            )

    def _middle(self, images):
        return network_input(images, self.learner.network.input_size)


def _even_parts(items, most):
    """Divide a list into as few parts of about equal length as possible, each of at most `most` items."""
    places = np.array_split(np.arange(len(items)), math.ceil(len(items) / most))
    return [[items[place] for place in part] for part in places]
