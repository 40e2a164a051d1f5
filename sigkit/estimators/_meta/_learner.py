"""Make the meta-learner of a verifier: load or pre-train its weights, and meta-train it."""

import json
import os

import torch
from sklearn.base import clone

from sigkit._utils import check_size, compare_preprocessing, describe_preprocessing, describe_training, listing
from sigkit.nets import (
    MetaLearner,
    build_network,
    choose_device,
    choose_precision,
    load_network,
    network_input,
)
from sigkit.training import (
    SigNetTraining,
    keep_seed,
    meta_train,
    task_sizes,
    training_of,
    training_seed,
    update_statistics,
)
from sigkit.transformers import SigNetFeaturizer

N_FOR_FIRST_STATISTICS = 64
ADAPTATION = ("n_updates", "head", "adapt", "n_random_forgeries")
"""Parameters of the adaptation, which must be those of the meta-training of the weights."""


def choose_seed(verifier, training):
    """Choose the seed of a fit; an interrupted training or pre-training keeps its seed.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        The verifier.
    training : MetaTraining
        The parameters of its training.

    Returns
    -------
    int
        The seed.
    """
    seed = training_seed(verifier.random_state, training.checkpoint_dir)
    if training.pretrain is not None and training.checkpoint_dir is not None:
        # The seed also determines the writers of the pre-training, which ends long before the first epoch is saved.
        keep_seed(training.checkpoint_dir, seed)
    return seed


def learn(verifier, training, references, development, target, seed):
    """Make the learner of a verifier, and meta-train it.

    Parameters
    ----------
    verifier : MetaLearnedVerifier
        The verifier.
    training : MetaTraining
        The parameters of its training, resolved.
    references : ndarray of shape (n_references, height, width)
        References of the writers to enroll, for the statistics of a random network without development writers.
    development : DevelopmentSet
        Signatures of the development writers.
    target : ndarray of shape (n_development, 2)
        Rows `[writer, forgery]` of the images of `development`.
    seed : int
        Seed of all random draws.

    Returns
    -------
    learner : MetaLearner
        The learner, on the CPU in evaluation mode.
    metadata : dict of str to str
        Metadata of its weights.
    history : list of dict or None
        Measurements of each epoch; None without epochs.

    Raises
    ------
    ValueError
        If the parameters of the pre-training are not valid, if the images are too small, or if a training raises an
        error.
    """
    _check_pretraining(verifier, training)
    if training.epochs:
        development.check(task_sizes(verifier, training))
    device = choose_device(verifier.device)
    learner, metadata = _make_learner(verifier, training, references, development, target, device, seed)
    if not training.epochs:
        return learner, metadata, None
    history, recipe = meta_train(verifier, training, learner, development, seed=seed, device=device)
    description = describe_training(recipe, len(development.training_rows()), len(development.training_writers))
    adaptation = json.dumps({name: getattr(verifier, name) for name in ADAPTATION}, default=int)
    # The corpus and the license are those of the initial weights, not of the new ones.
    kept = {name: value for name, value in metadata.items() if name not in ("corpus", "licence")}
    return learner, {**kept, "start": json.dumps(metadata), **description, "adaptation": adaptation}, history


def _make_learner(verifier, training, references, development, target, device, seed):
    """Make the initial learner: a pre-trained, loaded or random network with a head and learning rates."""
    images = development.images if len(development.images) else references
    others = {}
    if verifier.weights is not None:
        network, metadata, others = load_network(verifier.weights, verifier.architecture, return_meta_learned=True)
        check_size(images, network, metadata["architecture"])
        compare_preprocessing(images, metadata, verifier.weights)
    elif training.pretrain is not None:
        featurizer = _pretrain(verifier, training, development, target, seed)
        network, metadata = featurizer.network_, dict(featurizer.metadata_)
    else:
        network = build_network(verifier.architecture, seed=seed).eval()
        check_size(images, network, verifier.architecture)
        metadata = {"architecture": verifier.architecture, "preprocessing": describe_preprocessing(images)}
        some = images[:: max(1, len(images) // N_FOR_FIRST_STATISTICS)][:N_FOR_FIRST_STATISTICS]
        update_statistics(network, network_input(torch.from_numpy(some)[:, None], network.input_size), momentum=1.0)
    learner = MetaLearner(
        network,
        n_updates=int(verifier.n_updates),
        inner_lr=training.inner_loop.lr,
        network_inner_lr=training.inner_loop.network_lr,
        head=verifier.head,
        adapt=verifier.adapt,
        order=int(training.inner_loop.order),
        recompute=bool(training.inner_loop.recompute),
        bfloat16=choose_precision(verifier.precision, device) == "bfloat16",
    )
    if others:
        _check_adaptation(verifier, metadata)
        _load_others(verifier, learner, others)
    return learner.eval().to(memory_format=torch.channels_last), metadata


def _check_adaptation(verifier, metadata):
    """Check that meta-learned weights belong to this adaptation."""
    stored = json.loads(metadata.get("adaptation", "{}"))
    differing = [name for name in ADAPTATION if stored.get(name) != getattr(verifier, name)]
    if differing:
        then = listing(f"{name}={stored.get(name)!r}" for name in differing)
        now = listing(f"{name}={getattr(verifier, name)!r}" for name in differing)
        raise ValueError(f"{verifier.weights}: meta-learned with {then}; found {now}. Set the values of the file.")


def _load_others(verifier, learner, others):
    """Load the head and the learning rates of a file, which must have exactly those of this learner."""
    own = {name: tensor for name, tensor in learner.state_dict().items() if not name.startswith("network.")}
    differing = [name for name in sorted(own.keys() | others.keys()) if _shape(own, name) != _shape(others, name)]
    if differing:
        name = differing[0]
        raise ValueError(
            f"{verifier.weights}: not the tensors of the adaptation that its metadata describe; {name} has shape "
            f"{_shape(others, name)} instead of {_shape(own, name)}. Save the file again."
        )
    learner.load_state_dict({**learner.state_dict(), **others})


def _shape(tensors, name):
    return tuple(tensors[name].shape) if name in tensors else None


def _check_pretraining(verifier, training):
    featurizer = training.pretrain
    if featurizer is None:
        return
    if not isinstance(featurizer, SigNetFeaturizer):
        raise ValueError(f"pretrain must be a SigNetFeaturizer; found a {type(featurizer).__name__}.")
    taken = [name for name in ("weights", "dev_writers") if getattr(featurizer, name) is not None]
    if taken:
        raise ValueError(
            f"pretrain sets {listing(taken)}. Leave them at None: the pre-training makes the weights, from the "
            "development writers of the verifier."
        )
    if verifier.weights is not None:
        raise ValueError(
            f"pretrain and weights={str(verifier.weights)!r} are both set: the pre-training makes the weights to start "
            "from. Set one of them; initial_weights= of the featurizer are trained further."
        )


def _pretrain(verifier, training, development, target, seed):
    """Train a copy of the featurizer on the development writers, with the settings of the verifier."""
    featurizer = clone(training.pretrain).set_params(
        architecture=verifier.architecture,
        device=verifier.device,
        precision=verifier.precision,
        verbose=verifier.verbose,
    )
    if featurizer.random_state is None:
        featurizer.set_params(random_state=seed)
    if training_of(featurizer, SigNetTraining).checkpoint_dir is None:
        featurizer.set_params(training__checkpoint_dir=_pretraining_folder(training))
    rows = development.training_rows()
    return featurizer.fit(development.images[rows], target[rows])


def _pretraining_folder(training):
    return None if training.checkpoint_dir is None else os.path.join(training.checkpoint_dir, "pretraining")
