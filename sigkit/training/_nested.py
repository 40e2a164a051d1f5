"""Nested parameters of a training, set through the estimator that has it."""

from sklearn.base import clone


def own_training(estimator, params, cls):
    """Give an estimator a training of its own before parameters of it are set.

    A recipe is shared by all estimators that take it, and None stands for the defaults: setting `training__lr` must
    change this estimator alone, in both cases.

    Parameters
    ----------
    estimator : estimator
        An estimator with a parameter `training`.
    params : dict
        What `set_params` was called with.
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
