"""skorch callbacks: the bridge to the engine, and patience."""

from skorch.callbacks import Callback

from sigkit.training._checkpoint import to_jsonable


class Patience(Callback):
    """End a training when the best epoch is too long ago; a resumed training counts the epochs before too.

    The best epoch is the one with the best validation accuracy, which is kept.

    Parameters
    ----------
    n_epochs : int
        Number of epochs to wait for a better one.

    See Also
    --------
    skorch.callbacks.EarlyStopping : Watches any measurement, and starts anew when a training is resumed.

    Examples
    --------
    >>> from sigkit.training import Patience, SigNetTraining
    >>> training = SigNetTraining(callbacks=[Patience(5)])
    """

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def is_over(self, run):
        """Return whether the best epoch is too long ago.

        Parameters
        ----------
        run : TrainingRun
            The training.

        Returns
        -------
        bool
            True if the training shall end.
        """
        return run.best is not None and len(run.history) - run.best["epoch"] >= self.n_epochs

    def on_epoch_end(self, net, **kwargs):
        """End the training, as skorch's callbacks do.

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
    """Pass what was measured in each epoch on to the engine."""

    def on_epoch_end(self, net, **kwargs):
        """Pass it on; end the training where it diverged."""
        measured = measurements(net.history[-1])
        n_images = sum(batch.get("train_batch_size", 0) for batch in net.history[-1]["batches"])
        if not net.run.end_epoch(measured, unwrap_compiled(net.module_), net.optimizer_, n_images):
            raise Diverged


class Diverged(Exception):
    """A training ends at its best epoch, because a later one diverged."""


def measurements(epoch):
    """Return what was measured in an epoch, as plain values.

    Parameters
    ----------
    epoch : dict
        An epoch of skorch's history.

    Returns
    -------
    dict
        Its measurements, without those of batches and skorch's marks of the best epochs, which a resumed training does
        not know.
    """
    return {
        name: to_jsonable(value) for name, value in epoch.items() if name != "batches" and not name.endswith("_best")
    }


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
