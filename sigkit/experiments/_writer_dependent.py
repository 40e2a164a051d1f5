"""The experiment with writer-dependent classifiers."""

import time
from contextlib import nullcontext
from dataclasses import replace
from numbers import Real

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch, _safe_indexing

from sigkit._utils import (
    GENUINE,
    before_last_step,
    join_target,
    last_step,
    listing,
    map_parallel,
    on_dask,
    parse_target,
    progress,
)
from sigkit.experiments._describe import describe_estimator, describe_signatures
from sigkit.experiments._last_step import development_writers
from sigkit.experiments._result_files import ResultFiles
from sigkit.experiments._results import ExperimentResults
from sigkit.model_selection import WriterSplit

KEPT = {"rows", "classes", "genuine_scores", "forgery_scores", "seconds"}


def writer_dependent_experiment(estimator, X, y, *, cv=None, threshold=0.0, folder=None, n_jobs=None, verbose=0):
    """Enroll writers by references, ask queries and forgeries, and tell the error rates over several draws [1]_.

    For each split of `cv` a clone of the estimator is fitted to the training fold; every genuine query is scored
    against its writer (genuine trials) and all others (random forgeries), every forgery against the writer it claims to
    be. It is what `cross_validate` does with `verification_scorer`, with scores that are kept, files that let an
    interrupted experiment go on, and both ways to count an EER.

    Parameters
    ----------
    estimator : estimator
        A `WriterDependentSVC` on features, or a Pipeline that ends in one.
    X : array-like or list of n_samples
        Features or images, whatever the estimator takes.
    y : array-like of shape (n_samples,) or (n_samples, 2)
        Writer ids, or rows `[writer, forgery]`.
    cv : WriterSplit or None, default=None
        Draws references and queries. By default 12 references, 10 queries and 10 splits, with the `dev_writers` of the
        estimator and `random_state=0`.
    threshold : float, default=0.0
        The threshold of FRR and FAR, fixed beforehand.
    folder : str, os.PathLike or None, default=None
        Where each split is kept as soon as it is done (.npz and .json, nothing pickled). Called again with the same
        estimator, contents of `X` and `y`, and splits (so draw them by a seed), those that are done are read.
    n_jobs : int or None, default=None
        Number of splits at a time, in processes, or where `joblib.parallel_config` says. The estimator may work in
        parallel on each by an `n_jobs` of its own.
    verbose : int, default=0
        1 tells the progress on the standard error stream.

    Returns
    -------
    ExperimentResults
        Error rates, times and trials of all splits.

    Raises
    ------
    ValueError
        If the folder keeps another experiment or a damaged file, `cv` asks queries of development writers, or a
        parameter cannot be told from another when the experiment is taken up again.

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
    >>> results.figures["eer"].shape, results.trials[0].genuine_scores.shape
    ((2,), (20, 5))
    """
    if isinstance(threshold, bool) or not isinstance(threshold, Real) or np.isnan(threshold):
        raise ValueError(f"threshold must be a number; found {threshold!r}.")
    writers, forgery = parse_target(y)
    y = join_target(writers, forgery)
    cv = WriterSplit(dev_writers=development_writers(estimator), random_state=0) if cv is None else cv
    splits = list(cv.split(X, y))
    _check_enrolled(estimator, y, splits)
    files = None
    if folder is not None:
        about = {"estimator": describe_estimator(estimator), **describe_signatures(X, y)}
        files = ResultFiles(folder, about | {"splits": joblib.hash(splits)}, KEPT)
    found = [files and files.read(_name(number), test) for number, (_, test) in enumerate(splits)]
    lacking = [number for number, arrays in enumerate(found) if arrays is None]
    computed = map_parallel(_run, [(estimator, y, *splits[number]) for number in lacking], X, n_jobs=n_jobs)
    for position, arrays in progress(computed, len(lacking), "splits", verbose):
        found[lacking[position]] = arrays
        if files:
            files.write(_name(lacking[position]), arrays)
    return _summarise(found, y, threshold)


def _name(number):
    return f"split-{number:03}"


def _check_enrolled(estimator, y, splits):
    """Refuse queries of writers whom the estimator will not enroll, before the first fit."""
    dev_writers = set(development_writers(estimator) or ())
    asked = sorted({writer for _, test in splits for writer in y[test, 0].tolist()} & dev_writers)
    if asked:
        raise ValueError(
            f"cv asks queries of development writers of the estimator, who are not enrolled: "
            f"{listing(map(repr, asked))}. Give both the same dev_writers."
        )


def _run(split, X):
    """Fit and score one split."""
    estimator, y, train, test = split
    # An estimator's own tasks would go to the cluster once more, with another copy of the data.
    with joblib.parallel_config("threading") if on_dask() else nullcontext():
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
        "genuine_scores": genuine_scores.astype(np.float32),
        "forgery_scores": forgery_scores.astype(np.float32),
        "seconds": np.array([middle - start, end - middle]),
    }


def _summarise(found, y, threshold):
    trials = []
    for arrays in found:
        kept = {name: array for name, array in arrays.items() if name != "seconds"}
        trials.append(Bunch(target=y[arrays["rows"]], **kept))
    fit_time, score_time = np.array([arrays["seconds"] for arrays in found]).T
    results = ExperimentResults({}, fit_time, score_time, float(threshold), trials)
    for split in range(len(found)):
        for method, ending in (("nearest", ""), ("sigver", "_sigver")):
            for name, figure in results.report(split, method=method, n_bootstraps=0).figures.items():
                if not ending or name.startswith("eer"):
                    results.figures.setdefault(name + ending, []).append(figure.value)
    figures = {name: np.array(values) for name, values in results.figures.items() if len(values) == len(found)}
    return replace(results, figures=figures)
