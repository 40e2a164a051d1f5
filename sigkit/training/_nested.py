"""Nested parameters of a training, set through the estimator that has it."""

from sklearn.base import clone


def training_of(estimator, cls):
    """Return the training of an estimator; None stands for the defaults.

    Parameters
    ----------
    estimator : estimator
        An estimator with a parameter `training`.
    cls : type
        Class of the default training.

    Returns
    -------
    Parameters
        The training.
    """
    return cls() if estimator.training is None else estimator.training


def own_training(estimator, params, cls):
    """Copy the training of an estimator before its nested parameters are set.

    A recipe is shared by all estimators that use it, and None means the defaults: in both cases setting `training__lr`
    must only change this estimator.

    Parameters
    ----------
    estimator : estimator
        An estimator with a parameter `training`.
    params : dict
        The parameters of `set_params`.
    cls : type
        Class of the default training.

    Returns
    -------
    dict
        The parameters to set, with a copy of the training if one of its parameters is among them.
    """
    if not any(name.startswith("training__") for name in params):
        return params
    training = params.get("training", estimator.training)
    return {**params, "training": cls() if training is None else clone(training)}
