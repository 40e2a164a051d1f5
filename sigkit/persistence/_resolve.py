"""Parameters that belong to a machine: devices and folders."""

import os

from sklearn.pipeline import FeatureUnion, Pipeline

from sigkit._utils import warn
from sigkit.nets import choose_device


def resolve(estimators, path):
    """Replace devices and cache folders that this machine does not have by None, with one warning.

    Parameters
    ----------
    estimators : list of estimator
        The estimators of a system; they are changed.
    path : str or os.PathLike
        The file of the system, for the message.
    """
    changes = {}
    for estimator in estimators:
        for name, reason in (("device", _lacks_device), ("memory", _lacks_folder)):
            value = getattr(estimator, name, None)
            problem = None if value is None else reason(estimator, value)
            if problem:
                setattr(estimator, name, None)
                changes[f"{name}={str(value)!r} of {type(estimator).__name__} ({problem})"] = None
    if changes:
        warn(f"{path}: {'; '.join(changes)}: set to None. Scores do not depend on it; set_params sets another one.")


def _lacks_device(estimator, device):
    try:
        choose_device(device)
    except ValueError:
        return "this machine does not have it"


def _lacks_folder(estimator, folder):
    if isinstance(estimator, (Pipeline, FeatureUnion)):
        return "joblib's cache is of pickles, which a system file does not lead to"
    if not os.path.isdir(folder):
        return "there is no such folder"
    return None if os.access(folder, os.W_OK) else "the folder cannot be written"
