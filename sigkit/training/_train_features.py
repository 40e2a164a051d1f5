"""The training of features: a network is trained to classify writers."""

from functools import partial

import torch
from sklearn.utils import check_random_state
from skorch.callbacks import Checkpoint
from skorch.helper import predefined_split
from skorch.history import History

from sigkit._utils import as_bytes, content_digest, freed_memory_kept
from sigkit.nets import choose_precision, network_input, set_inplace_relu
from sigkit.training._augmentation import make_augmentation
from sigkit.training._callbacks import Diverged, EpochLogger, Patience, measurements, unwrap_compiled, without_names
from sigkit.training._distributed import processes, share_from_first
from sigkit.training._first_optimizer import import_for_optimizers
from sigkit.training._identity import recipe_of, weights_digest
from sigkit.training._image_set import MIRRORS, ImageSet, classes_of, collect_signatures, hold_out, training_size
from sigkit.training._losses import SigNetLoss, TrainingNetwork
from sigkit.training._net import TrainingNet
from sigkit.training._run import TrainingRun

NOT_IN_RECIPE = ("batch_size", "dev_writers", "initial_weights", "magnification", "n_views", "weights")
"""Parameters of a featurizer that its training does not use, or that the recipe describes by a digest."""


def train_features(featurizer, training, network, architecture, images, writers, forgery, *, seed, device):
    """Train a network to classify writers, with the parameters of a `SigNetFeaturizer`.

    Parameters
    ----------
    featurizer : SigNetFeaturizer
        The featurizer, for its parameters.
    training : SigNetTraining
        The parameters of the training.
    network : torch.nn.Module
        The network with its initial weights.
    architecture : str
        The name of its architecture.
    images : ndarray of shape (n_samples, height, width)
        Preprocessed signatures.
    writers, forgery : ndarray of shape (n_samples,)
        Their writers and forgery kinds.
    seed : int
        Seed of all random draws.
    device : torch.device
        Where to train.

    Returns
    -------
    net : TrainingNet
        The trained net on the CPU, with the weights of the best epoch.
    recipe : dict
        The settings that determine the result, as plain values.
    n_signatures, n_writers : int
        Number of signatures and of writers that were used.

    Raises
    ------
    ValueError
        If there are too few signatures, a parameter is not valid, the training diverges in its first epoch, or
        `checkpoint_dir` holds the state of another training.
    """
    training = _checked(training)
    import_for_optimizers()
    with_forgeries = featurizer.forgery_weight is not None or "forgeries" in training.extra_classes
    rows, target, known = collect_signatures(images, writers, forgery, with_forgeries=with_forgeries)
    images = as_bytes(images[rows])
    recipe = recipe_of(featurizer, training, NOT_IN_RECIPE) | {"architecture": architecture, "seed": seed}
    if featurizer.initial_weights is not None:
        recipe["initial_weights"] = weights_digest(network)
    recipe["images"] = content_digest(images) + content_digest(target)
    # All processes use the recipe of the first, in case the seed is not an integer.
    recipe = share_from_first(recipe)
    run = TrainingRun(
        recipe,
        training.epochs,
        measure=lambda measured: -measured.get("valid_acc", 0.0),
        advice=f"Lower lr (now {training.lr:g}) or clip_value.",
        folder=training.checkpoint_dir,
        verbose=featurizer.verbose,
        callbacks=training.callbacks,
    )
    with run:
        state = run.resume()

        target, n_classes = classes_of(target, len(known), training.extra_classes)
        held = hold_out(target, training.validation_fraction, check_random_state(seed))
        _check_batches(training.batch_size, int((~held).sum()))
        net = _make_net(featurizer, training, network, images, n_classes, run, device)
        net.set_params(train_split=predefined_split(_image_set(images, target, held, device)) if held.any() else None)
        net.initialize()
        if state is not None:
            run.load(state, unwrap_compiled(net.module_), net.optimizer_)
            net.history = History({**epoch, "batches": []} for epoch in state["history"])
        # Saves the memory of the maps before each ReLU, during training only: users' hooks must see these maps later.
        set_inplace_relu(network, True)
        _train(net, _image_set(images, target, ~held, device))
        unwrap_compiled(net.module_).load_state_dict(run.best["weights"])
    return _trimmed(net), recipe, len(images), len(known)


def _checked(training):
    """Resolve the names in the parameters, and check the callbacks."""
    training = training.resolve()
    for callback in without_names(training.callbacks):
        if isinstance(callback, Checkpoint) and not callback.dirname:
            raise ValueError(
                "callbacks: a Checkpoint without dirname= writes into the current folder. Set dirname=, or use "
                "checkpoint_dir=, from which a training can be resumed."
            )
        if isinstance(callback, Patience) and not training.validation_fraction:
            raise ValueError(
                "Patience waits for a better validation accuracy, but validation_fraction=0 holds out no signature. "
                "Set validation_fraction."
            )
    return training


def _check_batches(batch_size, n_images):
    n_processes = processes()[1]
    least = 2 * n_processes
    if min(batch_size, n_images) < least:
        raise ValueError(
            f"batch_size={batch_size}, with {n_images} images to train on: batch normalization needs batches of at "
            f"least {least} images (2 for each of {n_processes} processes). Raise batch_size or pass more images."
        )


def _image_set(images, target, chosen, device):
    images = torch.from_numpy(images[chosen])[:, None]
    return ImageSet(images.to(device), torch.from_numpy(target[chosen]).to(device))


def _make_net(featurizer, training, network, images, n_classes, run, device):
    size = network.input_size if training.augmentation == "crop" else training_size(images, network)
    mirrored = "mirrored" in training.extra_classes
    return TrainingNet(
        TrainingNetwork,
        module__network=network,
        module__loss=training.loss,
        module__n_classes=n_classes * (len(MIRRORS) if mirrored else 1),
        module__classifies_forgeries=featurizer.forgery_weight is not None,
        criterion=SigNetLoss,
        criterion__loss=training.loss,
        criterion__forgery_weight=featurizer.forgery_weight,
        # Classes of forgeries count as writers, so forgeries enter the writer term.
        criterion__writer_term="all" if "forgeries" in training.extra_classes else None,
        optimizer=torch.optim.SGD,
        optimizer__momentum=training.momentum,
        optimizer__nesterov=True,
        optimizer__weight_decay=training.weight_decay,
        optimizer__fused=device.type in ("cpu", "cuda"),
        lr=training.lr,
        max_epochs=training.epochs,
        batch_size=training.batch_size,
        device=str(device),
        verbose=0,
        compile=bool(training.compile),
        callbacks=[("engine", EpochLogger()), *(training.callbacks or [])],
        callbacks__print_log=None,
        run=run,
        schedule=training.schedule,
        prepare_train=make_augmentation(training.augmentation, size),
        prepare_valid=partial(network_input, size=network.input_size),
        seed=run.recipe["seed"],
        clip_value=training.clip_value,
        n_mirrored=n_classes if mirrored else 0,
        bfloat16=choose_precision(featurizer.precision, device) == "bfloat16",
        adversary=training.adversary,
    )


def _train(net, image_set):
    """Run skorch's training loop; unlike skorch's `fit`, an interruption by the user is raised."""
    run = net.run
    waits = [callback for _, callback in net.callbacks_ if isinstance(callback, Patience)]
    if run.is_finished or any(callback.is_over(run) for callback in waits):
        return
    run.begin()
    net.notify("on_train_begin", X=image_set, y=None)
    try:
        with freed_memory_kept():
            net.fit_loop(image_set, epochs=run.n_epochs - len(run.history))
    except Diverged:
        pass
    except KeyboardInterrupt:
        if not net.stopped_by_callback_:
            raise
        run.write(unwrap_compiled(net.module_), net.optimizer_, stopped=True)
    net.notify("on_train_end", X=image_set, y=None)


def _trimmed(net):
    """Drop what only the training needs, such as the optimizer, which is twice as large as the network."""
    # The run does not record an epoch that diverged.
    history = History(measurements(epoch) for epoch in net.history[: len(net.run.history)])
    net.module_.eval().cpu()
    set_inplace_relu(unwrap_compiled(net.module_).network, False)
    net.device = "cpu"
    # Callbacks may hold what cannot be pickled.
    net.trim_for_prediction()
    net.adversary = net.run = net.draws_ = None
    net.history = history
    return net
