"""One training, from images and classes to the weights of the best epoch."""

from dataclasses import fields
from functools import partial

import numpy as np
import torch
from sklearn.utils import check_random_state
from skorch.callbacks import Checkpoint
from skorch.helper import predefined_split
from skorch.history import History

from sigkit.nets import Distortion, SigNetLoss, TrainingNetwork, center_crop, has_fast_bfloat16, random_crop
from sigkit.transformers._resume import (
    BestEpoch,
    Patience,
    ResumePoint,
    Tell,
    bare,
    check_recipe,
    put_back,
    read_state,
)
from sigkit.transformers._training_net import TrainingNet, processes
from sigkit.transformers._training_set import MIRRORS, ImageSet, hold_out, training_size
from sigkit.utils import content_digest, listing

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


def train_network(featurizer, network, images, target, n_writers, device, seed):
    """Train a network.

    Parameters
    ----------
    featurizer : SigNetFeaturizer
        Its parameters are the recipe.
    network : torch.nn.Module
        The network.
    images : ndarray of shape (n_samples, height, width), dtype uint8
        Images.
    target : ndarray of shape (n_samples, 2)
        The number of each image's writer, and 1 for a forgery.
    n_writers : int
        Number of writers.
    device : torch.device
        Where to train.
    seed : int
        Decides all that is drawn.

    Returns
    -------
    TrainingNet
        The trained net, with the weights of the best epoch.
    """
    if featurizer.patience and not featurizer.validation_fraction:
        raise ValueError("patience waits for a better validation, of which validation_fraction=0 leaves none; set one.")
    recipe = {name: getattr(featurizer, name) for name in RECIPE}
    recipe["images"] = content_digest(images) + content_digest(target)
    folder = None if featurizer.checkpoint_dir is None else str(featurizer.checkpoint_dir)
    state = None if folder is None else read_state(folder)
    if state is not None and featurizer.random_state is None:
        seed = state["recipe"].get("seed", seed)
    recipe["seed"] = seed
    if state is not None:
        check_recipe(folder, state["recipe"], recipe)

    n_classes = n_writers
    if featurizer.forgery_classes:
        target = np.stack([target[:, 0] + n_writers * target[:, 1], target[:, 1]], axis=1)
        n_classes *= 2
    held = hold_out(target, featurizer.validation_fraction, check_random_state(seed))
    size = training_size(images, network) if featurizer.augmentation != "crop" else network.input_size
    net = _make_net(featurizer, network, n_classes, size, device, seed, folder, recipe)
    net.set_params(train_split=predefined_split(_image_set(images, target, held, device)) if held.any() else None)
    net.initialize()
    if state is not None:
        put_back(net, state)
    best = dict(net.callbacks_)["best"]
    waited = len(net.history) - best.epoch_ if state is not None else 0
    learned = _image_set(images, target, ~held, device)
    if len(net.history) < featurizer.epochs and waited < (featurizer.patience or np.inf):
        _run(net, learned, featurizer.epochs - len(net.history))
    bare(net.module_).load_state_dict(best.weights_)
    net.module_.eval().cpu()
    history = History(_figures(epoch) for epoch in net.history)
    # The optimizer is as large as twice the network, and callbacks may hold what cannot be pickled.
    net.trim_for_prediction()
    net.history = history
    return net


def _figures(epoch):
    """Take what was measured in an epoch; what skorch compares with earlier epochs forgets them in a resumption."""
    return {
        name: float(value) if isinstance(value, float) else value
        for name, value in epoch.items()
        if name != "batches" and not name.endswith("_best")
    }


def _image_set(images, target, chosen, device):
    images = torch.from_numpy(np.ascontiguousarray(images[chosen]))[:, None]
    return ImageSet(images.to(device), torch.from_numpy(target[chosen]).to(device))


def _make_net(featurizer, network, n_classes, size, device, seed, folder, recipe):
    precision = featurizer.precision
    bfloat16 = precision == "bfloat16" or (precision == "auto" and has_fast_bfloat16(device))
    is_first = processes()[0] == 0
    callbacks = [("best", BestEpoch())]
    if folder is not None and is_first:
        callbacks.append(("resume", ResumePoint(folder, recipe)))
    if featurizer.verbose and is_first:
        callbacks.append(("tell", Tell()))
    if featurizer.patience:
        callbacks.append(("patience", Patience(featurizer.patience)))
    n_mirrored = n_classes if featurizer.mirrored_classes else 0
    return TrainingNet(
        TrainingNetwork,
        module__network=network,
        module__n_classes=n_classes * (len(MIRRORS) if n_mirrored else 1),
        module__head=featurizer.head,
        module__scale=featurizer.scale,
        module__forgery_head=featurizer.forgery_weight is not None,
        criterion=SigNetLoss,
        criterion__forgery_weight=featurizer.forgery_weight,
        criterion__writer_loss="all" if featurizer.forgery_classes else featurizer.writer_loss,
        criterion__margin=featurizer.margin * featurizer.scale if featurizer.head == "cosine" else 0.0,
        criterion__label_smoothing=featurizer.label_smoothing,
        optimizer=torch.optim.SGD,
        optimizer__momentum=featurizer.momentum,
        optimizer__nesterov=True,
        optimizer__weight_decay=featurizer.weight_decay,
        optimizer__fused=device.type in ("cpu", "cuda"),
        lr=featurizer.lr,
        max_epochs=featurizer.epochs,
        batch_size=featurizer.batch_size,
        device=str(device),
        verbose=0,
        compile=featurizer.compile,
        callbacks=callbacks + _checked(featurizer.callbacks),
        callbacks__print_log=None,
        prepare_train=_prepare_train(featurizer.augmentation, size),
        prepare_valid=partial(_crop_middle, size=network.input_size),
        seed=seed,
        n_epochs=featurizer.epochs,
        schedule=featurizer.schedule,
        lr_decay=featurizer.lr_decay,
        lr_decay_times=featurizer.lr_decay_times,
        clip_value=featurizer.clip_value,
        n_mirrored=n_mirrored,
        bfloat16=bfloat16,
    )


def _crop_middle(images, size):
    return _as_input(center_crop(images[:, 0], size)[:, None] if size else images)


def _crop_somewhere(images, generator, size):
    return _as_input(random_crop(images, size, generator))


def _distort(images, generator, distortion, size):
    return distortion.apply(images, size, generator).contiguous(memory_format=torch.channels_last)


def _prepare_train(augmentation, size):
    if augmentation == "crop":
        return partial(_crop_somewhere, size=size)
    settings = augmentation if isinstance(augmentation, dict) else {}
    unknown = settings.keys() - {field.name for field in fields(Distortion)}
    if unknown:
        raise ValueError(
            f"augmentation: there is no {listing(sorted(unknown))}; a distortion has "
            f"{listing([field.name for field in fields(Distortion)], limit=20)}."
        )
    return partial(_distort, distortion=Distortion(**settings), size=size)


def _as_input(images):
    return images.to(torch.float32, memory_format=torch.channels_last).div_(255)


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
        net.fit_loop(learned, epochs=epochs)
    except KeyboardInterrupt:
        if not net.stopped_by_callback_:
            raise
    net.notify("on_train_end", X=learned, y=None)
