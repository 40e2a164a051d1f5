"""Results that sigver pickled, as trials and metrics of sigkit."""

import os

import numpy as np
from sklearn.utils import Bunch

from sigkit._utils import GENUINE, SKILLED, listing, read_file
from sigkit.experiments._plain_pickle import read_plain_pickle

_METRICS = {
    "FRR": "frr",
    "FAR_random": "far_random",
    "FAR_skilled": "far_skilled",
    "EER": "eer_sigver",
    "EER_userthresholds": "eer_writer_sigver",
    "mean_AUC": "mean_auc",
    "global_threshold": "eer_threshold",
}
_PREDICTIONS = {"genuinePreds": GENUINE, "randomPreds": GENUINE, "skilledPreds": SKILLED}
_UNKNOWN_SIGNER = -1
_WHICH_FILE = "Pass the file that sigver.wd.test or sigver.metalearning.train saved."


def load_sigver_results(path):
    """Read the results of `sigver.wd.test` or `sigver.metalearning.train`, without unpickling them.

    The file is a pickle: a list with, for each split, the metrics and the scores of each user. Its instructions are
    interpreted; only lists, dicts, numbers and arrays of numbers are made, and a file with anything else is refused.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    list of Bunch
        The splits, with these attributes.

        y_true : ndarray of shape (n_trials, 2), dtype int64
            Rows `[writer, forgery]`. The writer is the number of the user, from 0, in sigver's order; the file does not
            name users. For a random forgery it is -1, because the file does not say who signed.
        y_score : ndarray of shape (n_trials,), dtype float64
            The scores.
        writers : ndarray of shape (n_trials,), dtype int64
            The claimed writer of each score.
        metrics : dict of str to float
            The metrics of the file by the names of sigkit: "frr", "far_random" and "far_skilled" at the threshold 0;
            "eer_sigver", "eer_writer_sigver" (with user-specific thresholds) and "mean_auc", all of skilled forgeries;
            and "eer_threshold", the global threshold of the EER.
        auc : ndarray of shape (n_writers,)
            The area under the ROC curve of each writer, `auc_list` in the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, holds anything but plain data, or has other entries.

    See Also
    --------
    sigkit.metrics.verification_report : Computes all error rates of a split again, with intervals.

    Examples
    --------
    >>> import os, pickle, tempfile
    >>> import numpy as np
    >>> from sigkit.experiments import load_sigver_results
    >>> from sigkit.metrics import verification_report
    >>> names = "FRR", "FAR_random", "FAR_skilled", "EER", "EER_userthresholds", "mean_AUC", "global_threshold"
    >>> scores = {"genuinePreds": [np.array([1.0, 0.5])], "randomPreds": [np.array([-1.0])]}
    >>> scores["skilledPreds"] = [np.array([-0.5, 0.7])]
    >>> results = [{"all_metrics": dict.fromkeys(names, 0.5) | {"auc_list": [0.75]}, "predictions": scores}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "results.pickle")
    ...     with open(path, "wb") as file:
    ...         pickle.dump(results, file)
    ...     [split] = load_sigver_results(path)
    >>> settings = {"writers": split.writers, "method": "sigver", "n_bootstraps": 0}
    >>> report = verification_report(split.y_true, split.y_score, **settings)
    >>> report.per_writer().auc, split.auc
    (array([0.75]), array([0.75]))
    """
    path = os.fspath(path)
    try:
        content = read_file(path)
        splits = read_plain_pickle(content)
        _check_list(splits)
        parts, room = [], len(content)
        for number, split in enumerate(splits):
            parts.append(_parts_of(split, number))
            room -= parts[-1].n_numbers
            # An array can occur many times in a small file; copies of it would fill the memory.
            if room < 0:
                raise ValueError("it has more scores than bytes. Save each array of scores once.")
        return [_join(split, number) for number, split in enumerate(parts)]
    except OSError:
        raise
    except ValueError as error:
        raise ValueError(f"{path}: not results of sigver: {error}") from error


def _check_list(splits):
    if isinstance(splits, list) and splits:
        return
    found = f"{type(splits).__name__} instead of a list of splits"
    if splits == []:
        found = "a list without splits"
    elif isinstance(splits, dict):
        found = f"a dict instead of a list of splits, with the entries {listing(map(repr, splits))}"
        if "all_metrics" in splits:
            raise ValueError(f"{found}. It is one split: save it as a list, [split].")
    raise ValueError(f"{found}. {_WHICH_FILE}")


def _parts_of(split, number):
    """Return metrics, AUC and scores of each user, checked but not copied, and how many numbers they are."""
    metrics, predictions = (_entry(split, name, dict, number) for name in ("all_metrics", "predictions"))
    auc = _entry(metrics, "auc_list", list, number)
    scores = {name: _entry(predictions, name, list, number) for name in _PREDICTIONS}
    numbers = {"auc_list": len(auc)} | {name: len(each) for name, each in scores.items()}
    if len({*numbers.values()}) != 1 or not auc:
        found = listing(f"{key} {value}" for key, value in numbers.items())
        what = "the numbers of users differ" if auc else "there are no users"
        raise ValueError(f"split {number}: {what}: {found}. Each list must have an entry for each user.")
    for name, each in scores.items():
        if not all(isinstance(values, np.ndarray) and values.dtype.kind in "iuf" and values.ndim for values in each):
            raise ValueError(f"split {number}: {name!r} must have an array of scores for each user. {_WHICH_FILE}")
    n_numbers = sum(values.size for each in scores.values() for values in each) + sum(numbers.values())
    return Bunch(metrics=metrics, auc=auc, scores=scores, n_numbers=n_numbers)


def _join(parts, number):
    rows, values, claimed = [], [], []
    for name, kind in _PREDICTIONS.items():
        for writer, each in enumerate(parts.scores[name]):
            signer = _UNKNOWN_SIGNER if name == "randomPreds" else writer
            rows.append(np.full((each.size, 2), (signer, kind)))
            # Scores of the meta-learner are of shape (n, 1).
            values.append(each.ravel().astype(np.float64))
            claimed.append(np.full(each.size, writer))
    return Bunch(
        y_true=np.concatenate(rows),
        y_score=np.concatenate(values),
        writers=np.concatenate(claimed),
        metrics={
            ours: _number(name, _entry(parts.metrics, name, object, number), number) for name, ours in _METRICS.items()
        },
        auc=np.array([_number("auc_list", value, number) for value in parts.auc]),
    )


def _entry(parent, name, kind, number):
    if not isinstance(parent, dict):
        raise ValueError(f"split {number} is {type(parent).__name__} instead of a dict. {_WHICH_FILE}")
    if name not in parent:
        found = listing(map(repr, parent)) if parent else "none"
        raise ValueError(f"split {number} has no {name!r}; found {found}. {_WHICH_FILE}")
    if not isinstance(parent[name], kind):
        found = type(parent[name]).__name__
        raise ValueError(f"split {number}: {name!r} is {found} instead of {kind.__name__}. {_WHICH_FILE}")
    return parent[name]


def _number(name, value, number):
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        found = type(value).__name__
        raise ValueError(f"split {number}: {name!r} is {found} instead of a number. Save the metrics as numbers.")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"split {number}: {name!r} is too large for a metric. {_WHICH_FILE}") from None
