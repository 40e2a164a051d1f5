"""The course of a training as a plot, like scikit-learn's displays; matplotlib is imported when it is drawn."""

from sklearn.utils.validation import check_is_fitted


class TrainingCurvesDisplay:
    """Loss and accuracy by epoch.

    Parameters
    ----------
    history : list of dict
        What was measured in each epoch, such as the `history_` of a :class:`SigNetFeaturizer`.

    Attributes
    ----------
    axes_ : tuple of two matplotlib Axes
        Where the losses and the accuracy were drawn.
    figure_ : matplotlib Figure
        The figure of these axes.

    See Also
    --------
    SigNetFeaturizer : Trains a network.

    Examples
    --------
    >>> from sigkit.training import TrainingCurvesDisplay
    >>> display = TrainingCurvesDisplay.from_featurizer(featurizer)  # doctest: +SKIP
    >>> display.figure_.savefig("curves.png")  # doctest: +SKIP
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_featurizer(cls, featurizer, *, axes=None):
        """Plot the training of a featurizer.

        Parameters
        ----------
        featurizer : SigNetFeaturizer
            A featurizer that was trained.
        axes : tuple of two matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingCurvesDisplay
            The display.

        Raises
        ------
        ValueError
            If its weights were loaded, not trained.
        """
        check_is_fitted(featurizer, "network_")
        if not featurizer.history_:
            raise ValueError("This featurizer was not trained, it has no history_: its weights were loaded or drawn.")
        return cls(featurizer.history_).plot(axes=axes)

    def plot(self, *, axes=None):
        """Plot the curves.

        Parameters
        ----------
        axes : tuple of two matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TrainingCurvesDisplay
            This display.
        """
        if axes is None:
            import matplotlib.pyplot as plt

            _, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        for ax, names, label in (
            (axes[0], {"train_loss": "training", "valid_loss": "validation"}, "Loss"),
            (axes[1], {"valid_acc": "validation"}, "Accuracy in telling writers"),
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
