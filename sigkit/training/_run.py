"""The progress of any training: history, best epoch, resumption, messages, divergence."""

import math
import os
import sys
import time
from contextlib import ExitStack

from sklearn.exceptions import ConvergenceWarning

from sigkit._utils import listing, locked_folder, warn
from sigkit.training._callbacks import describe_callbacks
from sigkit.training._check_state import all_finite, check_fit
from sigkit.training._checkpoint import STATE_FILE, make_folder, read_state, write_state
from sigkit.training._distributed import from_first, processes, share_from_first
from sigkit.training._identity import check_recipe

_LABELS = {
    "train_loss": ("training loss", ".3f"),
    "valid_loss": ("validation loss", ".3f"),
    "valid_acc": ("validation accuracy", ".1%"),
}


class TrainingRun:
    """The epochs of one training, which can be resumed after an interruption.

    It is a context, in which no other training uses the folder: of equal trainings that are begun at once, one trains,
    and the others then read its state.

    Parameters
    ----------
    recipe : dict
        The settings that determine the result; a state with another recipe is refused.
    n_epochs : int
        Number of epochs.
    measure : callable
        Function from the measurements of an epoch to a number; the epoch with the lowest number is the best, the latest
        of equally good ones.
    advice : str
        What to change if the training diverges.
    folder : str or None, default=None
        Folder of the state, which is written after each epoch.
    verbose : int, default=0
        1 writes a line for each epoch to the standard error stream.
    callbacks : sequence of skorch callbacks, default=()
        Callbacks that may end the training early; a training that they ended is resumed with others.

    Attributes
    ----------
    history : list of dict
        Measurements of each epoch.
    best : dict or None
        "epoch" (from 1), "value" and "weights" of the best epoch.
    is_finished : bool
        Whether there is nothing left to train.
    """

    def __init__(self, recipe, n_epochs, *, measure, advice, folder=None, verbose=0, callbacks=()):
        self.recipe, self.n_epochs, self.measure, self.advice = recipe, n_epochs, measure, advice
        self.callbacks = describe_callbacks(callbacks)
        # Processes that train together end with the same weights: one of them writes.
        is_first = processes()[0] == 0
        self.folder = os.fspath(folder) if folder is not None and is_first else None
        self._path = STATE_FILE if folder is None else os.path.join(folder, STATE_FILE)
        self.verbose = verbose if is_first else 0
        self.history, self.best = [], None
        self._stopped_by, self._held = None, ExitStack()

    def __enter__(self):
        from_first(self._hold)
        return self

    def __exit__(self, *error):
        self._held.close()

    def _hold(self):
        if self.folder is None:
            return
        # The folder of a finished training may be read-only.
        if not os.path.isdir(self.folder):
            make_folder(self.folder)
        self._held.enter_context(locked_folder(self.folder, self._wait))

    def _wait(self):
        # An error at once, if the state is already known to be that of another training.
        self._read()
        warn(f"checkpoint_dir={self.folder!r}: another training uses this folder. Waiting for its end.")

    @property
    def is_finished(self):
        # A training that callbacks ended goes on with other callbacks.
        return self._stopped_by == self.callbacks or len(self.history) >= self.n_epochs

    def resume(self):
        """Read the state of an interrupted training.

        Returns
        -------
        dict or None
            "model" and "optimizer", the state dicts to continue with; None if there is no state.

        Raises
        ------
        ValueError
            If the state is damaged or that of another training.
        """
        state = from_first(self._read)
        if state is not None:
            self.history, self.best, self._stopped_by = state["history"], state["best"], state["stopped_by"]
        return state

    def _read(self):
        state = read_state(self.folder)
        if state is None or not state["history"]:
            # A state without an epoch keeps the seed alone.
            return None
        check_recipe(self.folder, state["recipe"], self.recipe)
        return state

    def load(self, state, model, optimizer):
        """Continue with the weights of a state.

        Parameters
        ----------
        state : dict
            What `resume` returned.
        model : torch.nn.Module
            The model.
        optimizer : torch.optim.Optimizer
            Its optimizer.

        Raises
        ------
        ValueError
            If the state has other tensors than the model and the optimizer. The file is named.
        """
        try:
            check_fit(state, model, optimizer)
        except ValueError as error:
            raise ValueError(
                f"{self._path}: the state does not fit the network ({error}). Delete it to start again, or restore the "
                "architecture that it was written with."
            ) from error
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])

    def begin(self):
        """Create the folder, so that an error occurs before the first epoch, and start the clock."""
        if self.folder is not None:
            make_folder(self.folder)
        self._start, self._first = time.monotonic(), len(self.history)

    def end_epoch(self, measured, model, optimizer, n_images=0):
        """Record an epoch: keep its weights if it is the best, write the state, report the progress.

        Parameters
        ----------
        measured : dict
            Measurements as plain values, at least "train_loss" and "dur" (seconds).
        model, optimizer : object
            An object with a state dict.
        n_images : int, default=0
            Number of training images, to report images per second; 0 does not report them.

        Returns
        -------
        bool
            Whether to continue; False if the training diverged after its best epoch.

        Raises
        ------
        ValueError
            If the training diverged before any epoch was completed.
        """
        epoch = len(self.history) + 1
        losses = [measured[name] for name in ("train_loss", "valid_loss") if name in measured]
        # Each process measures its part of the batches; all of them must end the training, or none.
        losses = share_from_first(losses)
        if not all(map(math.isfinite, losses)):
            self._stop(epoch, f"the loss is {next(loss for loss in losses if not math.isfinite(loss))}")
            return False
        # The last batch of an epoch may ruin the weights after its loss was measured.
        ruined = [name for name, tensor in model.state_dict().items() if not all_finite(tensor)]
        if ruined:
            self._stop(epoch, f"there is NaN or infinity in {listing(ruined)}")
            return False
        self.history.append(measured)
        value = self.measure(measured)
        if self.best is None or value <= self.best["value"]:
            weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
            self.best = {"epoch": epoch, "value": value, "weights": weights}
        self.write(model, optimizer)
        if self.verbose:
            self._report(measured, n_images)
        return True

    def write(self, model, optimizer, *, stopped=False):
        """Write the state, if there is a folder.

        Parameters
        ----------
        model, optimizer : object
            An object with a state dict.
        stopped : bool, default=False
            Whether the training was stopped early and is not to be resumed.
        """
        if self.folder is not None:
            state = {"recipe": self.recipe, "history": self.history, "best": self.best}
            state["stopped_by"] = self.callbacks if stopped else None
            write_state(self.folder, state | {"model": model.state_dict(), "optimizer": optimizer.state_dict()})

    def _stop(self, epoch, why):
        found = f"The training diverged in epoch {epoch}: {why}. {self.advice}"
        if self.best is None:
            raise ValueError(found)
        warn(f"{found} The training ends; the weights are those of epoch {self.best['epoch']}.", ConvergenceWarning)

    def _report(self, measured, n_images):
        words = [f"{label} {measured[name]:{layout}}" for name, (label, layout) in _LABELS.items() if name in measured]
        if n_images:
            words.append(f"{n_images / max(measured['dur'], 1e-9):.0f} images/s")
        done = len(self.history)
        left = (time.monotonic() - self._start) / (done - self._first) * (self.n_epochs - done)
        sys.stderr.write(f"[sigkit] epoch {done} of {self.n_epochs}: {', '.join(words)}, {left:.0f} s left\n")
