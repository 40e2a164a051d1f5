"""Meta-training: what adapts well to writers, learned from development writers."""

import json
import math
import os
import sys
import time
import warnings
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from sigkit._utils import content_digest, freed_memory_kept, progress, whole_file
from sigkit.nets import network_input
from sigkit.training._importance import multi_step_importance
from sigkit.training._inputs import training_input
from sigkit.training._resume import STATE_FILE, check_recipe, read_state, to_jsonable
from sigkit.training._statistics import batch_statistics
from sigkit.training._task_threads import TaskThreads, add_gradients, n_task_threads
from sigkit.training._training_net import clip_gradients
from sigkit.training._training_set import training_size

RECIPE = (
    "architecture",
    "n_references",
    "n_random_forgeries",
    "n_updates",
    "inner_lr",
    "network_inner_lr",
    "learn_inner_lr",
    "head",
    "adapt",
    "order",
    "epochs",
    "multi_step_epochs",
    "meta_batch_size",
    "lr",
    "min_lr",
    "network_lr",
    "clip_value",
    "n_query_genuine",
    "n_query_random",
    "n_query_skilled",
    "n_forgery_writers",
    "augmentation",
    "validation_fraction",
    "precision",
)
"""Parameters that decide what comes out of a meta-training, beside what it starts from."""
N_FOR_STATISTICS = 1024
"""Signatures at most that batch normalisation's statistics are taken from after each epoch of a shared network."""
N_IMAGES_A_PASS = 256
"""Images that pass through a shared network at once, unless one task has more: this bounds the memory."""


def meta_train(verifier, learner, development, device, seed):
    """Meta-train.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        Its parameters are the recipe.
    learner : MetaLearner
        What is trained, in place; on the processor before and after.
    development : DevelopmentSet
        What to learn from.
    device : torch.device
        Where to train.
    seed : int
        Decides all that is drawn.

    Returns
    -------
    history : list of dict
        What was measured in each epoch.
    recipe : dict
        Values of the parameters, the seed, and fingerprints of what was begun with and learned from.

    Raises
    ------
    ValueError
        If the first epoch diverges, or `checkpoint_dir` holds the state of another training.
    """
    parts = development.genuine, development.skilled
    rows = np.concatenate([rows for part in parts for rows in part.values()])
    counts = [{writer: len(rows) for writer, rows in part.items()} for part in parts]
    recipe = to_jsonable({name: getattr(verifier, name) for name in RECIPE}) | {
        "seed": seed,
        "start": [content_digest(tensor.numpy()) for tensor in learner.state_dict().values()],
        "images": content_digest(development.images[rows]) + content_digest(repr(counts).encode()),
    }
    settings = SimpleNamespace(**recipe, sizes=verifier._task_sizes(), n_jobs=verifier.n_jobs)
    folder = None if verifier.checkpoint_dir is None else os.fspath(verifier.checkpoint_dir)
    try:
        training = MetaTraining(learner.to(device), development, settings)
        with freed_memory_kept():
            history = training.run(folder, recipe, verifier.verbose)
    finally:
        learner.requires_grad_()
        learner.zero_grad()
        learner.cpu()
    return history, recipe


class MetaTraining:
    """One meta-training, epoch by epoch; it goes on after an interruption exactly where it stopped.

    Whatever is drawn in an epoch follows from the seed and the number of the epoch.

    Parameters
    ----------
    learner : MetaLearner
        What is trained, on its device.
    development : DevelopmentSet
        What to learn from.
    settings : SimpleNamespace
        How: the parameters of the recipe, the seed, the sizes of a task, and how many are computed side by side.
    """

    def __init__(self, learner, development, settings):
        self.learner, self.development, self.settings = learner, development, settings
        self.images = torch.from_numpy(development.images)[:, None].to(learner.rates.device)
        size = learner.network.input_size
        self.rows = development.rows_to_learn()
        if settings.augmentation not in ("crop", None):
            size = training_size(development.images[self.rows], learner.network)
        self.vary = training_input(settings.augmentation, size)
        # Where the network stays as it is and is not adapted, the graph of its gradients is not made either.
        learns_network = settings.network_lr != 0
        learner.network.requires_grad_(learns_network or learner.adapts == "all")
        # A network that tasks share learns as any does, normalised by the statistics of each batch. Otherwise running
        # statistics stay: if they moved without the gradients knowing, they would undo what the steps learn.
        self.shares_batches = learns_network and learner.adapts == "head"
        stays = not learns_network and learner.adapts == "head" and settings.augmentation is None
        self.features = self._features() if stays else None
        groups = [{"params": [*learner.head.parameters()], "share": 1.0}]
        if settings.learn_inner_lr:
            # Rates of another size are learned in steps of another size.
            ratio = 1.0 if settings.network_inner_lr is None else settings.network_inner_lr / settings.inner_lr
            groups += [{"params": [learner.rates], "share": 1.0}, {"params": [learner.network_rates], "share": ratio}]
        if learns_network:
            share = 1.0 if settings.network_lr is None else settings.network_lr / settings.lr
            groups.append({"params": [*learner.network.parameters()], "share": share})
        self.optimizer = torch.optim.Adam(groups, settings.lr, fused=self.images.device.type in ("cpu", "cuda"))
        rng = np.random.default_rng([settings.seed, settings.epochs])
        self.validation_tasks = [self._draw(writer, rng) for writer in development.validators]
        self.threads = TaskThreads(learner, n_task_threads(learner, settings.n_jobs, settings.meta_batch_size))
        self.history, self.best = [], None

    def run(self, folder, recipe, verbose):
        """Train to the end.

        Parameters
        ----------
        folder : str or None
            Where the state is written after each epoch, and looked for at the beginning.
        recipe : dict
            What is trained, how and from what; a state of another recipe is refused.
        verbose : int
            1 tells of each epoch, 2 also of tasks.

        Returns
        -------
        list of dict
            What was measured in each epoch. The learner has the weights of the best one.

        Raises
        ------
        ValueError
            If the state is damaged or of another training, or the first epoch diverges.
        """
        state = None if folder is None else read_state(folder)
        if state is not None:
            check_recipe(folder, state["recipe"], recipe)
            self._put_back(state)
        with self.threads:
            self._learn_on(folder, recipe, verbose)
        self.learner.load_state_dict(self.best["weights"])
        return self.history

    def _learn_on(self, folder, recipe, verbose):
        """Learn until the last epoch, or until the training diverges."""
        start, first = time.monotonic(), len(self.history)
        for epoch in range(first, self.settings.epochs):
            began = time.monotonic()
            measured = self._learn(epoch, verbose)
            if measured is None:
                self._stop(epoch)
                break
            measured |= self._validate()
            if not math.isfinite(measured.get("valid_loss", 0.0)):
                self._stop(epoch)
                break
            measured["dur"] = time.monotonic() - began
            self.history.append(measured)
            if self.best is None or measured.get("valid_loss", 0) <= self.best["loss"]:
                weights = {name: tensor.detach().cpu().clone() for name, tensor in self.learner.state_dict().items()}
                self.best = {"epoch": epoch + 1, "loss": measured.get("valid_loss", 0), "weights": weights}
            if folder is not None:
                self._write(folder, recipe)
            if verbose:
                left = (time.monotonic() - start) / (epoch + 1 - first) * (self.settings.epochs - epoch - 1)
                _tell(measured, self.settings.epochs, left)

    def _learn(self, epoch, verbose):
        """Learn from every writer once; tell the losses, or None where the training diverged."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, epoch])
        generator = torch.Generator().manual_seed(settings.seed + epoch)
        importance = multi_step_importance(len(self.learner.rates), epoch, settings.multi_step_epochs)
        falling = 0.5 * (1 + math.cos(math.pi * epoch / settings.epochs))
        lr = settings.min_lr + (settings.lr - settings.min_lr) * falling
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["share"]
        teachers = self.development.teachers
        order = rng.permutation(len(teachers))
        batches = _even_parts([teachers[place] for place in order], settings.meta_batch_size)
        learned = [parameter for parameter in self.learner.parameters() if parameter.requires_grad]
        losses = []
        for batch in progress(batches, len(order), f"epoch {epoch + 1}, writers", verbose > 1):
            self.learner.zero_grad()
            passes = self._varied([self._draw(writer, rng) for writer in batch], generator)
            for found, gradients in self.threads.gradients(passes, importance, len(batch)):
                if not torch.isfinite(found).all():
                    return None
                add_gradients(learned, gradients)
                del gradients
                losses += found.tolist()
            if settings.clip_value is not None:
                clip_gradients(self.learner.parameters(), settings.clip_value)
            self.optimizer.step()
        if self.shares_batches:
            self._take_statistics()
        if not all(torch.isfinite(tensor).all() for tensor in self.learner.state_dict().values()):
            return None
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
        return self.development.draw_task(writer, self.settings.sizes, rng)

    def _varied(self, tasks, generator):
        """Yield tasks that pass through the network together, prepared from images that the augmentation varies."""
        for part in self._passes(tasks):
            with batch_statistics(self.learner.network) if self.shares_batches else nullcontext():
                prepared = self._prepare(part, lambda images: self.vary(images, generator))
            yield prepared

    def _passes(self, tasks):
        """Part the tasks of a meta-batch into those that pass through the network together."""
        if self.learner.adapts == "all":
            return [[task] for task in tasks]
        most = max(len(task.references) + len(task.queries) for task in tasks)
        return _even_parts(tasks, max(1, N_IMAGES_A_PASS // most))

    def _prepare(self, tasks, vary):
        """Prepare the references and the queries of tasks, in one pass, each with their labels."""
        parts = [part for task in tasks for part in (task.references, task.queries)]
        rows = torch.from_numpy(np.concatenate(parts))
        prepared = self.learner.prepare(vary(self.images[rows])) if self.features is None else self.features[rows]
        labels = [part for task in tasks for part in (task.reference_labels, task.query_labels)]
        labels = [torch.from_numpy(part).to(prepared.device) for part in labels]
        pairs = [*zip(prepared.split([len(part) for part in parts]), labels)]
        return [*zip(pairs[::2], pairs[1::2])]

    def _take_statistics(self):
        """Take statistics of many signatures: those that moved with the meta-batches are of the few last ones."""
        if not [*self.learner.network.buffers()]:
            return
        rows = np.random.default_rng(self.settings.seed).permutation(self.rows)[:N_FOR_STATISTICS]
        for number, part in enumerate(_even_parts(rows, N_IMAGES_A_PASS), start=1):
            with torch.no_grad(), batch_statistics(self.learner.network, momentum=1 / number):
                self.learner.prepare(self._middle(self.images[torch.tensor(part)]))

    def _features(self):
        """Compute, once, the features of all images for a network that stays as it is."""
        with torch.no_grad():
            return torch.cat([self.learner.prepare(self._middle(part)) for part in self.images.split(N_IMAGES_A_PASS)])

    def _middle(self, images):
        return network_input(images, self.learner.network.input_size)

    def _stop(self, epoch):
        said = (
            f"The meta-training diverged in epoch {epoch + 1}: a loss is infinite or no number. Lower lr (now "
            f"{self.settings.lr:g}), inner_lr or clip_value"
        )
        if self.best is None:
            raise ValueError(f"{said}.")
        warnings.warn(
            f"{said}. It ends there; the weights are those of epoch {self.best['epoch']}.",
            ConvergenceWarning,
            stacklevel=9,
        )

    def _write(self, folder, recipe):
        state = {
            "recipe": json.dumps(recipe),
            "history": json.dumps(self.history),
            "learner": self.learner.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
        }
        with whole_file(os.path.join(folder, STATE_FILE)) as file:
            torch.save(state, file)

    def _put_back(self, state):
        self.learner.load_state_dict(state["learner"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history, self.best = state["history"], state["best"]


def _even_parts(items, most):
    """Part a list into parts of about the same length, as few as have no more than so many items."""
    places = np.array_split(np.arange(len(items)), math.ceil(len(items) / most))
    return [[items[place] for place in part] for part in places]


def _tell(measured, n_epochs, left):
    figures = [f"training loss {measured['train_loss']:.3f}"]
    if "valid_loss" in measured:
        figures.append(f"validation loss {measured['valid_loss']:.3f}, accuracy {measured['valid_acc']:.1%}")
    sys.stderr.write(f"[sigkit] epoch {measured['epoch']} of {n_epochs}: {', '.join(figures)}, {left:.0f} s left\n")
