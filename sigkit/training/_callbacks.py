"""skorch callbacks: early stopping, and the connection to the training run."""

import numpy as np
from skorch.callbacks import Callback

from sigkit.training._checkpoint import to_jsonable


class Patience(Callback):
    """Stop a training when the validation accuracy has not improved for some epochs.

    The best epoch is kept. A resumed training also counts the epochs before its interruption.

    Parameters
    ----------
    n_epochs : int
        Number of epochs without improvement after which the training stops.

    See Also
    --------
    skorch.callbacks.EarlyStopping : Monitors any measurement, and starts again when a training is resumed.

    Examples
    --------
    >>> from sigkit.training import Patience, SigNetTraining
    >>> training = SigNetTraining(callbacks=[Patience(5)])
    """

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def is_over(self, run):
        """Check whether the last `n_epochs` epochs brought no improvement.

        Parameters
        ----------
        run : TrainingRun
            The training.

        Returns
        -------
        bool
            True if the training should stop.
        """
        return run.best is not None and len(run.history) - run.best["epoch"] >= self.n_epochs

    def on_epoch_end(self, net, **kwargs):
        """Stop the training by a KeyboardInterrupt, as skorch's callbacks do.

        Parameters
        ----------
        net : skorch.NeuralNet
            The net.
        **kwargs : dict
            Not used.
        """
        if self.is_over(net.run):
            raise KeyboardInterrupt


class EpochLogger(Callback):
    """Pass the measurements of each epoch to the training run."""

    def on_epoch_end(self, net, **kwargs):
        """Pass the measurements on; stop the training if it diverged."""
        measured = measurements(net.history[-1])
        n_images = sum(batch.get("train_batch_size", 0) for batch in net.history[-1]["batches"])
        if not net.run.end_epoch(measured, unwrap_compiled(net.module_), net.optimizer_, n_images):
            raise Diverged


class Diverged(Exception):
    """The training diverged after its best epoch, and stops."""


def measurements(epoch):
    """Return the measurements of an epoch as plain values.

    Parameters
    ----------
    epoch : dict
        An epoch of skorch's history.

    Returns
    -------
    dict
        Its measurements, without those of single batches and without skorch's marks of the best epochs, which are lost
        when a training is resumed.
    """
    return {
        name: to_jsonable(value) for name, value in epoch.items() if name != "batches" and not name.endswith("_best")
    }


def without_names(callbacks):
    """Return callbacks without the names that skorch takes with them.

    Parameters
    ----------
    callbacks : sequence of skorch callbacks or of (str, callback), or None
        The callbacks.

    Returns
    -------
    list of skorch callbacks
        The callbacks themselves.
    """
    return [each[1] if isinstance(each, tuple) else each for each in callbacks or ()]


def describe_callbacks(callbacks):
    """Describe callbacks by their classes and plain attributes, as they are before a training.

    Parameters
    ----------
    callbacks : sequence of skorch callbacks
        The callbacks, some in tuples with their name.

    Returns
    -------
    list of dict
        Plain values.
    """
    return [
        {
            "class": type(callback).__name__,
            # What ends in an underscore is measured in a training; other objects, such as writers, end no training.
            **{
                name: to_jsonable(value)
                for name, value in sorted(vars(callback).items())
                if not name.endswith("_") and (value is None or isinstance(value, (str, bool, int, float, np.generic)))
            },
        }
        for callback in without_names(callbacks)
    ]


def unwrap_compiled(module):
    """Return the module inside the wrapper of `torch.compile`.

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
