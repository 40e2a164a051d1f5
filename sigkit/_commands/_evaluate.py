"""`sigkit evaluate`: the writer-dependent experiment on a corpus."""

import tempfile
from contextlib import ExitStack

import numpy as np

from sigkit._commands._files import (
    check_figure,
    check_output,
    choose_writers,
    say,
    write_figure,
    write_json,
    write_table,
)
from sigkit._commands._images import load_images
from sigkit._utils import last_step
from sigkit.estimators import make_fused_verifier
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.nets import choose_device, weights_path

EVERY = 3
"""By default every third writer is a development writer."""


def make_verifier(options, dev_writers, memory):
    """Make the verifier that the arguments describe.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    dev_writers : list of writer ids or None
        The development writers.
    memory : str
        Folder in which features are cached.

    Returns
    -------
    estimator
        A verifier of preprocessed images, or a Pipeline that ends in one.
    """
    settings = {"weights": options.weights, "memory": memory, "n_jobs": options.n_jobs, "random_state": options.seed}
    fused = make_fused_verifier(dev_writers=dev_writers, **settings)
    gamma = "auto" if options.gamma is None else options.gamma
    svc = {"kernel": options.kernel, "C": options.C, "gamma": gamma, "scaling": options.scaling}
    network = {
        "architecture": options.architecture,
        "device": options.device,
        "precision": options.precision,
        "verbose": 1,
    }
    fused.set_params(**{f"svm__svc__{name}": value for name, value in svc.items()})
    fused.set_params(**{f"svm__features__{name}": value for name, value in network.items()})
    return fused if options.verifier == "fused" else dict(fused.verifiers)["svm"]


def run(options):
    """Run the command.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.
    """
    check_figure(options.det)
    for path in (options.json, options.csv):
        check_output(path)
    weights_path(options.weights)
    choose_device(options.device)
    images, target = load_images(options)
    known = np.unique(np.array(target[:, 0].tolist()))
    texts = options.dev_writers
    dev_writers = known[::EVERY].tolist() if texts is None else choose_writers(known, texts) if texts else None
    say(f"{len(images)} signatures of {len(known)} writers, {len(dev_writers or ())} of them in the development set.")
    # Features do not depend on the split: with a cache they are computed once.
    with ExitStack() as stack:
        memory = options.memory or stack.enter_context(tempfile.TemporaryDirectory())
        model = make_verifier(options, dev_writers, memory)
        threshold = last_step(model).threshold_ if options.threshold is None else options.threshold
        cv = WriterSplit(options.references, options.queries, dev_writers, options.splits, random_state=options.seed)
        settings = {"threshold": threshold, "folder": options.folder, "verbose": 1}
        results = writer_dependent_experiment(model, images, target, cv=cv, **settings)
    report = results.report(0, random_state=options.seed)
    print(f"The first split:\n{report}\n\nAll splits:\n{results}")
    metrics = {name: values.tolist() for name, values in results.metrics.items()}
    if options.json:
        given = {name: value for name, value in vars(options).items() if name != "command"}
        content = {"metrics": metrics, "first_split": report.to_dict(), "dev_writers": dev_writers, "arguments": given}
        write_json(options.json, content)
    if options.csv:
        values = np.array(list(metrics.values()))
        columns = {"metric": list(metrics), "mean": values.mean(axis=1), "std": values.std(axis=1)}
        write_table(options.csv, columns | {f"split_{split}": column for split, column in enumerate(values.T)})
    if options.det:
        write_figure(options.det, report.plot_det())
