"""Keep the best epoch, tell of the progress, and go on after an interruption exactly where the training stopped."""

import json
import math
import os
import pickle
import sys
import time

import torch
from skorch.callbacks import Callback
from skorch.history import History

from sigkit._utils import whole_file

STATE_FILE = "training.pt"


class BestEpoch(Callback):
    """Keep the weights of the epoch with the best validation accuracy; of equals the latest; the last without any."""

    def on_train_begin(self, net, **kwargs):
        """Begin, unless a resumed training has begun already."""
        if not hasattr(self, "weights_"):
            self.weights_, self.epoch_, self.accuracy_ = None, 0, -1.0

    def on_epoch_end(self, net, **kwargs):
        """Compare the epoch with the best so far; one that diverged ends the training."""
        loss = net.history[-1]["train_loss"]
        if not math.isfinite(loss):
            raise ValueError(
                f"The training diverged in epoch {net.history[-1]['epoch']}: the loss is {loss}. Lower lr (now "
                f"{net.lr:g}), or clip_value."
            )
        accuracy = net.history[-1].get("valid_acc", 0.0)
        if accuracy >= self.accuracy_:
            self.accuracy_, self.epoch_ = accuracy, net.history[-1]["epoch"]
            self.weights_ = {
                name: tensor.detach().cpu().clone()
                for name, tensor in unwrap_compiled(net.module_).state_dict().items()
            }


class Patience(Callback):
    """End the training when the best epoch is too long ago, told from the history alone, also after a resumption.

    Parameters
    ----------
    epochs : int
        How long to wait for a better epoch.
    """

    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, net, **kwargs):
        """Look back."""
        if net.history[-1]["epoch"] - dict(net.callbacks_)["best"].epoch_ >= self.epochs:
            raise KeyboardInterrupt


class EpochLogger(Callback):
    """Log a line after each epoch on the standard error stream."""

    def on_train_begin(self, net, **kwargs):
        """Start the clock."""
        self.start_, self.first_ = time.monotonic(), len(net.history)

    def on_epoch_end(self, net, **kwargs):
        """Write the line."""
        epoch = net.history[-1]
        seconds = (time.monotonic() - self.start_) / (epoch["epoch"] - self.first_)
        n_images = sum(batch.get("train_batch_size", 0) for batch in epoch["batches"])
        figures = [f"training loss {epoch['train_loss']:.3f}"]
        if "valid_acc" in epoch:
            figures.append(f"validation accuracy {epoch['valid_acc']:.1%}")
        figures.append(f"{n_images / max(epoch['dur'], 1e-9):.0f} images a second")
        figures.append(f"{seconds * (net.n_epochs - epoch['epoch']):.0f} s left")
        sys.stderr.write(f"[sigkit] epoch {epoch['epoch']} of {net.n_epochs}: {', '.join(figures)}\n")


class ResumePoint(Callback):
    """Write the state of the training after each epoch, as one file that is there whole or not at all.

    Parameters
    ----------
    folder : str
        Where to write it.
    recipe : dict
        What is trained, how and from what.
    """

    def __init__(self, folder, recipe):
        self.folder = folder
        self.recipe = recipe

    def on_train_begin(self, net, **kwargs):
        """Make the folder before any work is done that could not be kept."""
        make_folder(self.folder)

    def on_epoch_end(self, net, **kwargs):
        """Write the state."""
        self.write(net)

    def write(self, net, finished=False):
        """Write the state.

        Parameters
        ----------
        net : TrainingNet
            The net.
        finished : bool, default=False
            Whether a callback ended the training, so that it shall not go on.
        """
        best = dict(net.callbacks_)["best"]
        state = {
            "recipe": json.dumps(self.recipe),
            "history": json.dumps([figures(epoch) for epoch in net.history], default=to_jsonable),
            "finished": finished,
            "module": unwrap_compiled(net.module_).state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "best": best.weights_,
            "best_epoch": best.epoch_,
            "best_accuracy": best.accuracy_,
        }
        with whole_file(os.path.join(self.folder, STATE_FILE)) as file:
            torch.save(state, file)


def make_folder(folder):
    """Make the folder of a state, if there is none.

    Parameters
    ----------
    folder : str
        The folder.

    Raises
    ------
    OSError
        If it cannot be made, or nothing can be written into it.
    ValueError
        If it is a file.
    """
    _refuse_file(folder)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise type(error)(f"checkpoint_dir={folder!r}: the folder cannot be made ({error}).") from error
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"checkpoint_dir={folder!r}: nothing can be written into this folder.")


def read_state(folder):
    """Read the state of an interrupted training, without executing anything in it.

    Parameters
    ----------
    folder : str
        Where `ResumePoint` wrote it.

    Returns
    -------
    dict or None
        The state, with its recipe and history as Python objects; None if there is none.

    Raises
    ------
    ValueError
        If the folder is a file, or the state is damaged.
    """
    path = os.path.join(folder, STATE_FILE)
    _refuse_file(folder)
    if not os.path.isfile(path):
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {**state, "recipe": json.loads(state["recipe"]), "history": json.loads(state["history"])}
    except (RuntimeError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{path}: not the state of a training, or damaged ({type(error).__name__}). Delete it to begin anew."
        ) from error


def check_recipe(folder, found, wanted):
    """Refuse to go on with the state of another training.

    Parameters
    ----------
    folder : str
        Where the state is.
    found, wanted : dict
        The recipe of the state, and the one to go on with.

    Raises
    ------
    ValueError
        If they differ.
    """
    differing = [name for name in sorted(found.keys() | wanted.keys()) if found.get(name) != wanted.get(name)]
    if differing:
        described = "; ".join(f"{name} was {found.get(name)!r} and is {wanted.get(name)!r}" for name in differing[:3])
        raise ValueError(
            f"{os.path.join(folder, STATE_FILE)}: the state of another training ({described}). Name another "
            "checkpoint_dir, delete this file to begin anew, or set the parameters back to go on with it."
        )


def restore(net, state):
    """Put an initialized net where an interrupted training stopped.

    Parameters
    ----------
    net : TrainingNet
        The net.
    state : dict
        What `read_state` returned.
    """
    unwrap_compiled(net.module_).load_state_dict(state["module"])
    net.optimizer_.load_state_dict(state["optimizer"])
    net.history = History({**epoch, "batches": []} for epoch in state["history"])
    best = dict(net.callbacks_)["best"]
    best.weights_, best.epoch_, best.accuracy_ = state["best"], state["best_epoch"], state["best_accuracy"]


def figures(epoch):
    """Take what was measured in an epoch; what skorch compares with earlier epochs forgets them in a resumption.

    Parameters
    ----------
    epoch : dict
        An epoch of skorch's history.

    Returns
    -------
    dict
        Its figures, without those of batches.
    """
    return {
        name: to_jsonable(value) for name, value in epoch.items() if name != "batches" and not name.endswith("_best")
    }


def to_jsonable(value):
    """Make a value of what numpy, torch or a callback calls one, fit for JSON.

    Parameters
    ----------
    value : object
        A value, or a dict of values.

    Returns
    -------
    object
        A Python number, or the value itself; text if it is of any other type that JSON does not know.
    """
    if isinstance(value, dict):
        return {name: to_jsonable(part) for name, part in value.items()}
    if hasattr(value, "item"):
        return value.item()
    return value if value is None or isinstance(value, (str, int, float, list, tuple)) else str(value)


def unwrap_compiled(module):
    """Take a module out of what torch.compile wraps around it.

    Parameters
    ----------
    module : torch.nn.Module
        The module, compiled or not.

    Returns
    -------
    torch.nn.Module
        The module itself.
    """
    return getattr(module, "_orig_mod", module)


def _refuse_file(folder):
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise ValueError(f"checkpoint_dir={folder!r} is a file; name a folder.")
