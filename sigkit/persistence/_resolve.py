"""Parameters that belong to a machine: devices and folders."""

import inspect
import os

from sklearn.pipeline import Pipeline

from sigkit._utils import warn
from sigkit.nets import choose_device
from sigkit.persistence._classes import known_classes


def resolve(estimators, path):
    """Replace devices and cache folders that this machine does not have by None, with one warning.

    A class of the user may have parameters of the same names and another meaning, on which scores depend. They stay.

    Parameters
    ----------
    estimators : list of estimator
        The estimators of a system; they are changed.
    path : str or os.PathLike
        The file of the system, for the message.
    """
    own = frozenset(known_classes().values())
    changes = {}
    for estimator in estimators:
        for name, reason in (("device", _lacks_device), ("memory", _lacks_folder)):
            value = vars(estimator).get(name)
            problem = reason(estimator, value) if _has_parameter(type(estimator), name, own) else None
            if problem:
                setattr(estimator, name, None)
                changes[f"{name}={str(value)!r} of {type(estimator).__name__} ({problem})"] = None
    if changes:
        warn(f"{path}: {'; '.join(changes)}: set to None. Scores do not depend on it; set_params sets another one.")


def _has_parameter(cls, name, own):
    """Return whether a class has a parameter of this name from a class of sigkit or scikit-learn."""
    owner = next(each for each in cls.__mro__ if "__init__" in vars(each))
    return owner in own and name in inspect.signature(owner).parameters


def _lacks_device(estimator, device):
    if not isinstance(device, str):
        # None, or what `fit` refuses.
        return None
    try:
        choose_device(device)
    except ValueError:
        return "this machine does not have it"


def _lacks_folder(estimator, folder):
    if not isinstance(folder, (str, os.PathLike)):
        return None
    if isinstance(estimator, Pipeline):
        return "joblib's cache is of pickles, which a system file does not lead to"
    if not os.path.isdir(folder):
        return "there is no such folder"
    return None if os.access(folder, os.W_OK) else "the folder cannot be written"
