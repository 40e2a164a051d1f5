"""`sigkit evaluate`: the writer-dependent experiment on a corpus."""

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
from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.nets import weights_path
from sigkit.transformers import SigNetFeaturizer

EVERY = 3
"""By default every third writer is a development writer."""


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
    images, target = load_images(options)
    known = np.unique(np.array(target[:, 0].tolist()))
    texts = options.dev_writers
    dev_writers = known[::EVERY].tolist() if texts is None else choose_writers(known, texts) if texts else None
    say(f"{len(images)} signatures of {len(known)} writers, {len(dev_writers or ())} of them in the development set.")
    settings = {"device": options.device, "precision": options.precision, "memory": options.memory, "verbose": 1}
    # Features do not depend on the split: they are computed once, and only SVMs are trained in each split.
    features = SigNetFeaturizer(options.architecture, weights=options.weights, **settings).fit_transform(images)
    model = WriterDependentSVC(
        options.kernel,
        C=options.C,
        gamma="auto" if options.gamma is None else options.gamma,
        scaling=options.scaling,
        dev_writers=dev_writers,
        n_jobs=options.n_jobs,
        random_state=options.seed,
    )
    cv = WriterSplit(options.references, options.queries, dev_writers, options.splits, random_state=options.seed)
    results = writer_dependent_experiment(model, features, target, cv=cv, folder=options.folder, verbose=1)
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
