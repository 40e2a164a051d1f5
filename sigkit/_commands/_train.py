"""`sigkit train`: features of a corpus, or of synthetic signatures."""

import os
from contextlib import suppress

import numpy as np
from sklearn.base import clone

from sigkit import __version__
from sigkit._commands._files import check_output, choose_writers, say
from sigkit._commands._images import load_images, make_preprocessor
from sigkit._utils import RUN_TIME_PARAMETERS, digest_of, progress
from sigkit.datasets import load_npz, make_signatures, save_npz
from sigkit.nets import save_sigver_weights
from sigkit.training import SYNTHETIC_RECIPE, TRANSFER_RECIPE, SigNetTraining
from sigkit.transformers import SigNetFeaturizer

RECIPES = {
    "signet": ("signet", None, SigNetTraining()),
    "signet-f": ("signet", 0.95, SigNetTraining()),
    "transfer": ("signet_residual", None, TRANSFER_RECIPE),
    "synthetic": ("signet_small", None, SYNTHETIC_RECIPE),
}
OF_SIGVER = ("signet", "signet-f")
CANVAS, N_SIGNATURES, N_TOGETHER = (765, 1089), 7, 50
"""Canvas, genuine signatures and forgeries of a synthetic writer, and writers that are drawn at a time."""


def run(options):
    """Run the command.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    """
    check_output(options.output, (".safetensors", ".pth"))
    if options.output.endswith(".pth") and options.recipe not in OF_SIGVER:
        raise ValueError(
            f"{options.output}: the layers of --recipe {options.recipe} are not those of sigver's .pth files."
        )
    if (options.source is None) == (options.synthetic is None):
        raise ValueError("pass the SOURCE of signatures, or --synthetic with a number of writers.")
    images, target = load_images(options) if options.synthetic is None else draw_images(options)
    writers = np.array(target[:, 0].tolist())
    dev_writers = (
        choose_writers(np.unique(writers), options.writers) if options.writers else np.unique(writers).tolist()
    )
    say(f"Training on {np.isin(writers, dev_writers).sum()} signatures of {len(dev_writers)} writers.")
    featurizer = make_featurizer(options, dev_writers).fit(images, target)
    if options.output.endswith(".pth"):
        layers = featurizer.net_.module_
        settings = {"writer_layer": layers.writers, "forgery_layer": layers.forgery}
        save_sigver_weights(options.output, featurizer.network_, featurizer.architecture_, **settings)
    else:
        source = options.source or f"{options.synthetic} writers who do not exist"
        featurizer.save_weights(options.output, corpus=options.corpus or source, half=options.half)
    print(f"The weights are in {options.output}.")


def make_featurizer(options, dev_writers):
    """Make the featurizer of a recipe.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    dev_writers : list of int or str
        The writers to train on.

    Returns
    -------
    SigNetFeaturizer
        The featurizer, not fitted.
    """
    architecture, forgery_weight, training = RECIPES[options.recipe]
    training = clone(training).set_params(checkpoint_dir=options.checkpoint_dir)
    if options.epochs is not None:
        training.set_params(epochs=options.epochs)
    return SigNetFeaturizer(
        options.architecture or architecture,
        initial_weights=options.initial_weights,
        dev_writers=dev_writers,
        forgery_weight=forgery_weight,
        training=training,
        device=options.device,
        precision=options.precision,
        random_state=options.seed,
        verbose=1,
    )


def draw_images(options):
    """Draw and preprocess synthetic signatures, some writers at a time.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.

    Returns
    -------
    images : ndarray of shape (n_signatures, height, width), dtype uint8
        The images.
    target : ndarray of shape (n_signatures, 2)
        Rows `[writer, forgery]`.
    """
    if options.synthetic < 2:
        raise ValueError(f"--synthetic {options.synthetic}: a training needs at least 2 writers.")
    preprocessor = make_preprocessor(options, CANVAS).set_params(verbose=0)
    parts = [None] * -(-options.synthetic // N_TOGETHER)

    def draw():
        for part in range(len(parts)):
            first = 1 + part * N_TOGETHER
            parts[part] = draw_part(options, preprocessor, first, min(N_TOGETHER, options.synthetic + 1 - first))
            yield parts[part][1][:, 0]

    for _ in progress(draw(), options.synthetic * 2 * N_SIGNATURES, "synthetic signatures", 1):
        pass
    return tuple(np.concatenate(each) for each in zip(*parts))


def draw_part(options, preprocessor, first, count):
    """Draw and preprocess the signatures of some synthetic writers, or read them from the folder of the checkpoint.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    preprocessor : SignaturePreprocessor
        The preprocessor.
    first, count : int
        The first writer, and the number of writers.

    Returns
    -------
    images : ndarray of shape (n_signatures, height, width), dtype uint8
        The images.
    target : ndarray of shape (n_signatures, 2)
        Rows `[writer, forgery]`.
    """
    settings = {"first_writer": first, "scan": "mixed", "random_state": options.seed}
    path = None
    if options.checkpoint_dir is not None:
        parameters = preprocessor.get_params()
        steps = {name: repr(parameters[name]) for name in parameters.keys() - RUN_TIME_PARAMETERS}
        drawn = {**settings, "count": count, "n_signatures": N_SIGNATURES, "version": __version__}
        path = os.path.join(options.checkpoint_dir, "synthetic", f"{digest_of([drawn, steps])}.npz")
        # Drawing takes longer than reading; what is not there, or damaged, is drawn.
        with suppress(OSError, ValueError):
            kept = load_npz(path)
            return kept.images, kept.target
    scans, target = make_signatures(count, N_SIGNATURES, N_SIGNATURES, n_jobs=options.n_jobs, **settings)
    images = preprocessor.fit_transform(scans)
    if path is not None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        save_npz(path, images, target)
    return images, target
