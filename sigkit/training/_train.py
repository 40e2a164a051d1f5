"""One training, from images and classes to the weights of the best epoch."""

import math
import os
from functools import partial
from numbers import Integral
from types import SimpleNamespace

import numpy as np
import torch
from sklearn.utils import check_random_state
from skorch.callbacks import Checkpoint
from skorch.helper import predefined_split
from skorch.history import History

from sigkit._utils import content_digest, freed_memory_kept
from sigkit.nets import build_network, choose_precision, network_input
from sigkit.training._inputs import training_input
from sigkit.training._losses import SigNetLoss, TrainingNetwork
from sigkit.training._resume import (
    BestEpoch,
    EpochLogger,
    Patience,
    ResumePoint,
    check_recipe,
    figures,
    read_state,
    restore,
    to_jsonable,
    unwrap_compiled,
)
from sigkit.training._training_net import TrainingNet, processes, share_from_first
from sigkit.training._training_set import MIRRORS, ImageSet, hold_out, training_size

RECIPE = (
    "architecture",
    "forgery_weight",
    "writer_loss",
    "forgery_classes",
    "mirrored_classes",
    "head",
    "scale",
    "margin",
    "label_smoothing",
    "augmentation",
    "epochs",
    "batch_size",
    "lr",
    "schedule",
    "lr_decay",
    "lr_decay_times",
    "momentum",
    "weight_decay",
    "clip_value",
    "validation_fraction",
    "precision",
)
"""Parameters of a featurizer that decide what comes out of its training."""


def train_network(featurizer, network, architecture, images, target, n_writers, device, seed, adversary=None):
    """Train a network.

    Parameters
    ----------
    featurizer : SigNetFeaturizer
        Its parameters are the recipe.
    network : torch.nn.Module
        The network with its first weights.
    architecture : str
        The name of its architecture.
    images : ndarray of shape (n_samples, height, width), dtype uint8
        Images.
    target : ndarray of shape (n_samples, 2)
        The number of each image's writer, and 1 for a forgery.
    n_writers : int
        Number of writers.
    device : torch.device
        Where to train.
    seed : int
        Decides all that is drawn, unless the state of an interrupted training has a seed of its own.
    adversary : callable or None, default=None
        What `TrainingNet` calls; its `describe` gives what belongs to the recipe.

    Returns
    -------
    net : TrainingNet
        The trained net, with the weights of the best epoch.
    recipe : dict
        Values of the parameters, and the seed.
    """
    recipe = to_jsonable({name: getattr(featurizer, name) for name in RECIPE} | {"architecture": architecture})
    if featurizer.initial_weights is not None:
        digests = [content_digest(tensor.numpy()) for tensor in network.state_dict().values()]
        recipe["initial_weights"] = content_digest("".join(digests).encode())
    settings = SimpleNamespace(**recipe, patience=featurizer.patience, compile=bool(featurizer.compile))
    if settings.patience and not settings.validation_fraction:
        raise ValueError("patience waits for a better validation, of which validation_fraction=0 leaves none; set one.")
    if adversary is not None:
        recipe["adversary"] = to_jsonable(adversary.describe())
    recipe |= {"images": content_digest(images) + content_digest(target), "seed": seed}
    folder = None if featurizer.checkpoint_dir is None else os.fspath(featurizer.checkpoint_dir)
    state = None if folder is None else read_state(folder)
    if state is not None and not isinstance(featurizer.random_state, Integral):
        recipe["seed"] = state["recipe"].get("seed", seed)
    if state is not None:
        check_recipe(folder, state["recipe"], recipe)
    recipe, state = share_from_first((recipe, state))

    n_classes = n_writers
    if settings.forgery_classes:
        target = np.stack([target[:, 0] + n_writers * target[:, 1], target[:, 1]], axis=1)
        n_classes *= 2
    held = hold_out(target, settings.validation_fraction, check_random_state(recipe["seed"]))
    _check_batches(settings.batch_size, int((~held).sum()))
    if featurizer.initial_weights is None and recipe["seed"] != seed:
        # Where no integer is given for a seed, the first process, or the interrupted training, decides.
        network = build_network(architecture, seed=recipe["seed"])
    callbacks = _callbacks(featurizer, folder, recipe)
    net = _make_net(settings, network, images, n_classes, device, recipe["seed"], callbacks, adversary)
    net.set_params(train_split=predefined_split(_image_set(images, target, held, device)) if held.any() else None)
    net.initialize()
    if state is not None:
        restore(net, state)
    best = dict(net.callbacks_)["best"]
    waited = len(net.history) - best.epoch_ if state is not None else 0
    is_finished = state is not None and (state["finished"] or waited >= (settings.patience or math.inf))
    if len(net.history) < settings.epochs and not is_finished:
        _run(net, _image_set(images, target, ~held, device), settings.epochs - len(net.history))
    unwrap_compiled(net.module_).load_state_dict(best.weights_)
    net.module_.eval().cpu()
    net.device = "cpu"
    history = History(figures(epoch) for epoch in net.history)
    # The optimizer is as large as twice the network, and callbacks may hold what cannot be pickled.
    net.trim_for_prediction()
    net.adversary = None
    net.history = history
    return net, recipe


def _check_batches(batch_size, n_images):
    n_processes = processes()[1]
    least = 2 * n_processes
    if min(batch_size, n_images) < least:
        raise ValueError(
            f"batch_size={batch_size}, with {n_images} images to learn from: batch normalisation needs batches of at "
            f"least {least} images (2 for each of {n_processes} processes). Raise batch_size or pass more images."
        )


def _image_set(images, target, chosen, device):
    images = torch.from_numpy(np.ascontiguousarray(images[chosen]))[:, None]
    return ImageSet(images.to(device), torch.from_numpy(target[chosen]).to(device))


def _callbacks(featurizer, folder, recipe):
    callbacks = [("best", BestEpoch())]
    is_first = processes()[0] == 0
    if folder is not None and is_first:
        callbacks.append(("resume", ResumePoint(folder, recipe)))
    if featurizer.verbose and is_first:
        callbacks.append(("tell", EpochLogger()))
    callbacks += _checked(featurizer.callbacks)
    if featurizer.patience:
        callbacks.append(("patience", Patience(featurizer.patience)))
    return callbacks


def _make_net(settings, network, images, n_classes, device, seed, callbacks, adversary):
    size = training_size(images, network) if settings.augmentation != "crop" else network.input_size
    return TrainingNet(
        TrainingNetwork,
        module__network=network,
        module__n_classes=n_classes * (len(MIRRORS) if settings.mirrored_classes else 1),
        module__head=settings.head,
        module__scale=settings.scale,
        module__forgery_head=settings.forgery_weight is not None,
        criterion=SigNetLoss,
        criterion__forgery_weight=settings.forgery_weight,
        criterion__writer_loss="all" if settings.forgery_classes else settings.writer_loss,
        criterion__margin=settings.margin * settings.scale if settings.head == "cosine" else 0.0,
        criterion__label_smoothing=settings.label_smoothing,
        optimizer=torch.optim.SGD,
        optimizer__momentum=settings.momentum,
        optimizer__nesterov=True,
        optimizer__weight_decay=settings.weight_decay,
        optimizer__fused=device.type in ("cpu", "cuda"),
        lr=settings.lr,
        max_epochs=settings.epochs,
        batch_size=settings.batch_size,
        device=str(device),
        verbose=0,
        compile=settings.compile,
        callbacks=callbacks,
        callbacks__print_log=None,
        prepare_train=training_input(settings.augmentation, size),
        prepare_valid=partial(network_input, size=network.input_size),
        seed=seed,
        n_epochs=settings.epochs,
        schedule=settings.schedule,
        lr_decay=settings.lr_decay,
        lr_decay_times=settings.lr_decay_times,
        clip_value=settings.clip_value,
        n_mirrored=n_classes if settings.mirrored_classes else 0,
        bfloat16=choose_precision(settings.precision, device) == "bfloat16",
        adversary=adversary,
    )


def _checked(callbacks):
    for callback in callbacks or []:
        callback = callback[1] if isinstance(callback, tuple) else callback
        if isinstance(callback, Checkpoint) and not callback.dirname:
            raise ValueError(
                "callbacks: a Checkpoint without dirname= writes into the current folder. Name the folder that it "
                "shall write into, or use checkpoint_dir=, which also resumes."
            )
    return list(callbacks or [])


def _run(net, learned, epochs):
    """Train, in skorch's own steps; an interruption by the user is not swallowed as skorch does."""
    net.notify("on_train_begin", X=learned, y=None)
    try:
        with freed_memory_kept():
            net.fit_loop(learned, epochs=epochs)
    except KeyboardInterrupt:
        if not net.stopped_by_callback_:
            raise
        if "resume" in dict(net.callbacks_):
            dict(net.callbacks_)["resume"].write(net, finished=True)
    net.notify("on_train_end", X=learned, y=None)
