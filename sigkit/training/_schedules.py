"""Schedules of the learning rate."""

import math
from dataclasses import KW_ONLY
from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from sigkit.training._parameters import Parameters, param, parameters


class Schedule(Parameters):
    """Base of the schedules of the learning rate.

    A subclass has the method `factor(epochs_done, n_epochs)`, which returns the factor of the learning rate.

    Examples
    --------
    >>> from sigkit.training import Schedule, SigNetTraining
    >>> class Constant(Schedule):
    ...     def factor(self, epochs_done, n_epochs):
    ...         return 1.0
    >>> training = SigNetTraining(schedule=Constant())
    """


@parameters
class StepSchedule(Schedule):
    """Step decay: multiply the learning rate by a factor after each of several equal parts of the training.

    With the defaults this is the schedule of [1]_: a tenth after each third of the training.

    Parameters
    ----------
    decay : float, default=0.1
        The factor, above 0 and up to 1.
    n_parts : int, default=3
        Number of parts.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> from sigkit.training import StepSchedule
    >>> [StepSchedule().factor(epoch, n_epochs=60) for epoch in (0, 19.5, 20)]
    [1.0, 1.0, 0.1]
    """

    _: KW_ONLY
    decay: float = param(0.1, Interval(Real, 0, 1, closed="right"))
    n_parts: int = param(3, Interval(Integral, 1, None, closed="left"))

    def factor(self, epochs_done, n_epochs):
        """Return the factor of the learning rate.

        Parameters
        ----------
        epochs_done : float
            Epochs done, with the fraction of the current one.
        n_epochs : int
            Number of epochs of the training.

        Returns
        -------
        float
            The factor, up to 1.
        """
        # Whole epochs, as torch's MultiStepLR counts them: the rate does not change within an epoch.
        return float(self.decay ** int(int(epochs_done) * self.n_parts / n_epochs))


@parameters
class CosineSchedule(Schedule):
    """Cosine decay of the learning rate to 0 [1]_, after a linear warm-up.

    Parameters
    ----------
    warm_up : float, default=0.05
        Share of the training in which the learning rate increases, 0 to below 1.

    References
    ----------
    .. [1] Loshchilov, I., and Hutter, F. (2017). SGDR: stochastic gradient descent with warm restarts. ICLR.
       arXiv:1608.03983.

    Examples
    --------
    >>> from sigkit.training import CosineSchedule
    >>> round(CosineSchedule().factor(5, n_epochs=10), 3)
    0.5
    """

    _: KW_ONLY
    warm_up: float = param(0.05, Interval(Real, 0, 1, closed="left"))

    def factor(self, epochs_done, n_epochs):
        """Return the factor of the learning rate.

        Parameters
        ----------
        epochs_done : float
            Epochs done, with the fraction of the current one.
        n_epochs : int
            Number of epochs of the training.

        Returns
        -------
        float
            The factor, up to 1.
        """
        done = epochs_done / n_epochs
        # The offset keeps the learning rate of the first batch above 0.
        rising = min(1, (done + 1e-3) / self.warm_up) if self.warm_up else 1
        return rising * 0.5 * (1 + math.cos(math.pi * done))


SCHEDULES = {"step": StepSchedule, "cosine": CosineSchedule}
"""Schedules by name."""
