"""The experiment with writer-dependent classifiers."""

import time
from contextlib import nullcontext

import joblib
import numpy as np
import torch
from sklearn.base import clone
from sklearn.utils import Bunch, _safe_indexing

from sigkit._utils import (
    GENUINE,
    before_last_step,
    check_threshold,
    development_writers,
    join_target,
    last_step,
    listing,
    map_parallel,
    on_dask,
    parse_target,
    progress,
)
from sigkit.experiments._describe import describe_estimator, describe_signatures
from sigkit.experiments._experiment_results import ExperimentResults
from sigkit.experiments._results_folder import ResultsFolder
from sigkit.experiments._split_report import report_of_split
from sigkit.experiments._torch_threads import at_most_threads
from sigkit.model_selection import WriterSplit

SAVED_ARRAYS = {"rows", "classes", "genuine_scores", "forgery_scores", "seconds"}


def writer_dependent_experiment(estimator, X, y, *, cv=None, threshold=0.0, folder=None, n_jobs=None, verbose=0):
    """Evaluate writer-dependent verification over several splits into references and queries, as in [1]_.

    For each split of `cv` a clone of the estimator is fitted to the training fold. Each genuine query is scored against
    its own writer (a genuine trial) and all other writers (random forgeries), each forgery against the claimed writer.
    The result is that of `cross_validate` with `verification_scorer`, but it also has the scores and the EER by the
    method "sigver", and with `folder` an interrupted experiment can be resumed.

    Parameters
    ----------
    estimator : estimator
        A `WriterDependentSVC` on features, or a Pipeline that ends in one.
    X : array-like or list of n_samples
        Features or images, as the estimator takes them.
    y : array-like of shape (n_samples,) or (n_samples, 2)
        Writer ids, or rows `[writer, forgery]`.
    cv : WriterSplit or None, default=None
        The splits. By default 12 references, 10 queries and 10 splits, with the `dev_writers` of the estimator and
        `random_state=0`.
    threshold : float, default=0.0
        The threshold of FRR and FAR, fixed beforehand.
    folder : str, os.PathLike or None, default=None
        Folder in which each finished split is saved (.npz and .json files, no pickles). A further call with the same
        estimator, splits and contents of `X` and `y` reads the finished splits; for this the splits must have an
        integer as `random_state`. Several processes may run the same experiment in one folder at the same time.
    n_jobs : int or None, default=None
        Number of splits computed in parallel, in processes or as `joblib.parallel_config` says. The estimator may have
        an `n_jobs` of its own.
    verbose : int, default=0
        1 reports the progress on standard error.

    Returns
    -------
    ExperimentResults
        Error rates, times and trials of all splits.

    Raises
    ------
    ValueError
        If the estimator is no verifier, `cv` cannot split rows `[writer, forgery]` or has queries of development
        writers, the folder contains another experiment, a split of another experiment or a damaged file, or a parameter
        cannot be described such that the experiment can be resumed.
    OSError
        If a file in the folder cannot be read or written, for instance because the disk is full.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> from sigkit.experiments import writer_dependent_experiment
    >>> from sigkit.model_selection import WriterSplit
    >>> rng = np.random.default_rng(0)
    >>> y = np.array([[writer, forgery] for writer in range(8) for forgery in [0] * 8 + [1] * 4])
    >>> X = rng.normal(size=(8, 16))[y[:, 0]] * 2 + rng.normal(size=(len(y), 16)) + y[:, 1:]
    >>> cv = WriterSplit(n_references=4, n_queries=4, dev_writers=[0, 1, 2], n_splits=2, random_state=0)
    >>> model = WriterDependentSVC(gamma=0.05, dev_writers=[0, 1, 2])
    >>> results = writer_dependent_experiment(model, X, y, cv=cv)
    >>> results.metrics["eer"].shape, results.trials[0].genuine_scores.shape
    ((2,), (20, 5))
    """
    threshold = check_threshold(threshold)
    if not hasattr(last_step(estimator), "claim_scores"):
        raise ValueError(
            "estimator must be a verifier, or a Pipeline that ends in one, such as WriterDependentSVC; found "
            f"{type(last_step(estimator)).__name__}. Pass the best_estimator_ of a search."
        )
    writers, forgery = parse_target(y)
    y = join_target(writers, forgery)
    splits = _split(estimator, X, y, cv)
    _check_enrolled(estimator, y, splits)
    files = None
    if folder is not None:
        description = {"estimator": describe_estimator(estimator), **describe_signatures(X, y)}
        files = ResultsFolder(folder, description | {"splits": joblib.hash(splits)}, SAVED_ARRAYS)
    found = [files and files.read(_name(number)) for number in range(len(splits))]
    missing = [number for number, arrays in enumerate(found) if arrays is None]
    n_threads = torch.get_num_threads()
    tasks = [(estimator, y, *splits[number], n_threads) for number in missing]
    computed = map_parallel(_run, tasks, X, n_jobs=n_jobs)
    for position, arrays in progress(computed, len(missing), "splits", verbose):
        found[missing[position]] = arrays
        if files:
            files.write(_name(missing[position]), arrays)
    return _summarize(found, y, threshold)


def _split(estimator, X, y, cv):
    """Return the training and test rows of all splits."""
    if cv is None:
        cv = WriterSplit(dev_writers=development_writers(estimator) or None, random_state=0)
    if isinstance(cv, WriterSplit):
        return list(cv.split(X, y))
    try:
        return list(cv.split(X, y))
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"cv={cv!r} cannot split rows [writer, forgery] ({error}). Pass a WriterSplit, which gives every enrolled "
            "writer references in the training fold and queries in the test fold."
        ) from error


def _name(number):
    return f"split-{number:03}"


def _check_enrolled(estimator, y, splits):
    """Raise, before the first fit, if there are queries of writers that the estimator will not enroll."""
    dev_writers = set(development_writers(estimator) or ())
    not_enrolled = sorted({writer for _, test in splits for writer in y[test, 0].tolist()} & dev_writers)
    if not_enrolled:
        raise ValueError(
            f"cv has queries of development writers of the estimator, who are not enrolled: "
            f"{listing(map(repr, not_enrolled))}. Pass the same dev_writers to both."
        )


def _run(split, X):
    """Fit and score one split."""
    estimator, y, train, test, n_threads = split
    # A split already runs on a worker of the cluster. Without this, the tasks of the estimator would be sent to the
    # cluster again, each with another copy of the data.
    with joblib.parallel_config("threading") if on_dask() else nullcontext(), at_most_threads(n_threads):
        start = time.perf_counter()
        model = clone(estimator).fit(_safe_indexing(X, train), y[train])
        middle = time.perf_counter()
        genuine = y[test, 1] == GENUINE
        queries = before_last_step(model, _safe_indexing(X, test[genuine]))
        genuine_scores = last_step(model).decision_function(queries)
        forgery_scores = np.empty(0)
        if not genuine.all():
            forgeries = before_last_step(model, _safe_indexing(X, test[~genuine]))
            claimed = np.array(y[test[~genuine], 0].tolist())
            forgery_scores = last_step(model).claim_scores(forgeries, claimed)
        end = time.perf_counter()
    return {
        "rows": test,
        "classes": np.asarray(model.classes_.tolist()),
        # A GPDS-300 split has 900,000 scores; float32 halves the files.
        "genuine_scores": genuine_scores.astype(np.float32),
        "forgery_scores": forgery_scores.astype(np.float32),
        "seconds": np.array([middle - start, end - middle]),
    }


def _summarize(found, y, threshold):
    """Compute the metrics of all splits from their scores."""
    trials = []
    for arrays in found:
        kept = {name: array for name, array in arrays.items() if name != "seconds"}
        trials.append(Bunch(target=y[arrays["rows"]], **kept))
    metrics = {}
    for of_split in trials:
        for method, suffix in (("nearest", ""), ("sigver", "_sigver")):
            report = report_of_split(of_split, threshold, method=method, n_bootstraps=0)
            for name, estimate in report.estimates.items():
                # The method only changes the EER.
                if not suffix or name.startswith("eer"):
                    metrics.setdefault(name + suffix, []).append(estimate.value)
    fit_time, score_time = np.array([arrays["seconds"] for arrays in found]).T
    return ExperimentResults(
        metrics={name: np.array(values) for name, values in metrics.items() if len(values) == len(found)},
        fit_time=fit_time,
        score_time=score_time,
        threshold=threshold,
        trials=trials,
    )
