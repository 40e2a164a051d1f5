"""Plot of the learning curves; matplotlib is imported on plotting."""

from sklearn.utils.validation import check_is_fitted

from sigkit._utils import optional_package


class TrainingCurvesDisplay:
    """Training curves: loss and accuracy by epoch.

    Parameters
    ----------
    history : list of dict
        Measurements of each epoch: the `history_` of an estimator.

    Attributes
    ----------
    axes_ : tuple of two matplotlib Axes
        Axes with the losses and with the accuracy.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    sigkit.transformers.SigNetFeaturizer : Trains a network.
    sigkit.estimators.MetaLearnedVerifier : Meta-trains a network.

    Examples
    --------
    >>> from sigkit.training import TrainingCurvesDisplay
    >>> epochs = [{"epoch": 1, "train_loss": 2.0}, {"epoch": 2, "train_loss": 1.5}]
    >>> display = TrainingCurvesDisplay(epochs).plot()  # doctest: +SKIP
    >>> display.figure_.savefig("curves.png")  # doctest: +SKIP
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, axes=None):
        """Plot the training of an estimator.

        Parameters
        ----------
        estimator : SigNetFeaturizer, MetaLearnedVerifier, AdversarialTrainer or EnsembleAdversarialTrainer
            A fitted estimator with a `history_`.
        axes : tuple of two matplotlib Axes or None, default=None
            Axes to plot on; by default those of a new figure.

        Returns
        -------
        TrainingCurvesDisplay
            The display.

        Raises
        ------
        ValueError
            If the estimator was not trained: its weights were loaded, or are random.
        """
        check_is_fitted(estimator)
        if not getattr(estimator, "history_", None):
            raise ValueError(
                f"This {type(estimator).__name__} was not trained and has no history_: its weights were loaded, or are "
                "random."
            )
        return cls(estimator.history_).plot(axes=axes)

    def plot(self, *, axes=None):
        """Plot the curves.

        Parameters
        ----------
        axes : tuple of two matplotlib Axes or None, default=None
            Axes to plot on; by default those of a new figure.

        Returns
        -------
        TrainingCurvesDisplay
            This display.
        """
        if axes is None:
            with optional_package("matplotlib", type(self).__name__):
                import matplotlib.pyplot as plt

            _, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        for ax, names, label in (
            (axes[0], {"train_loss": "training", "valid_loss": "validation"}, "Loss"),
            (axes[1], {"valid_acc": "validation"}, "Accuracy"),
        ):
            for name, legend in names.items():
                measured = [(epoch["epoch"], epoch[name]) for epoch in self.history if name in epoch]
                if measured:
                    ax.plot(*zip(*measured), label=legend)
            ax.set(xlabel="Epoch", ylabel=label)
            if ax.lines:
                ax.legend()
        self.axes_, self.figure_ = tuple(axes), axes[0].figure
        return self
