"""Names of other projects that the documentation links to, and the places that have them.

Sphinx reads the inventory of each project from its site. Where there is no network, it reads the small inventories that
`write_inventories` makes of this table, so that the documentation builds without warnings and with the same links.
"""

import zlib

PROJECTS = {
    "python": ("https://docs.python.org/3/", "library/{0}.html#module-{0}", {"module": ["pickle"]}),
    "sklearn": (
        "https://scikit-learn.org/stable/",
        "modules/generated/{0}.html#{0}",
        {
            "class": [
                "sklearn.base.BaseEstimator",
                "sklearn.base.ClassifierMixin",
                "sklearn.base.TransformerMixin",
                "sklearn.linear_model.LogisticRegression",
                "sklearn.model_selection.GridSearchCV",
                "sklearn.model_selection.GroupKFold",
                "sklearn.model_selection.KFold",
                "sklearn.model_selection.StratifiedKFold",
                "sklearn.pipeline.Pipeline",
                "sklearn.svm.SVC",
            ],
            "exception": ["sklearn.exceptions.ConvergenceWarning", "sklearn.exceptions.NotFittedError"],
            "function": [
                "sklearn.base.clone",
                "sklearn.metrics.det_curve",
                "sklearn.metrics.roc_curve",
                "sklearn.model_selection.cross_val_predict",
                "sklearn.model_selection.cross_validate",
                "sklearn.model_selection.learning_curve",
                "sklearn.pipeline.make_pipeline",
            ],
        },
    ),
    "numpy": (
        "https://numpy.org/doc/stable/",
        "reference/generated/{0}.html#{0}",
        {"class": ["numpy.ndarray", "numpy.random.RandomState"]},
    ),
    "scipy": (
        "https://docs.scipy.org/doc/scipy/",
        "reference/generated/{0}.html#{0}",
        {"function": ["scipy.optimize.minimize"]},
    ),
    "torch": (
        "https://docs.pytorch.org/docs/stable/",
        "generated/{0}.html#{0}",
        {"class": ["torch.nn.Module"], "function": ["torch.set_num_threads"]},
    ),
    "skorch": (
        "https://skorch.readthedocs.io/en/stable/",
        "callbacks.html#{0}",
        {
            "class": [
                "skorch.callbacks.Checkpoint",
                "skorch.callbacks.EarlyStopping",
                "skorch.callbacks.ProgressBar",
                "skorch.callbacks.TensorBoard",
            ]
        },
    ),
    "joblib": (
        "https://joblib.readthedocs.io/en/stable/",
        "generated/{0}.html#{0}",
        {"class": ["joblib.parallel_config"]},
    ),
}
"""By project: the address of its documentation, the place of a name there, and names by kind."""


def full_names():
    """Return the full name of each name in the table by its last part; modules have no short name."""
    names = (name for _, _, kinds in PROJECTS.values() for group in kinds.values() for name in group)
    return {name.rpartition(".")[2]: name for name in names if "." in name}


def write_inventories(folder):
    """Write an inventory of each project into a folder; return the value of `intersphinx_mapping`."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for project, (address, place, kinds) in PROJECTS.items():
        lines = [f"{name} py:{kind} 1 {place.format(name)} -\n" for kind, names in kinds.items() for name in names]
        header = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: stable\n# zlib\n"
        path = folder / f"{project}.inv"
        path.write_bytes(header.encode() + zlib.compress("".join(lines).encode()))
        # None is the inventory on the project's site, which is tried first.
        mapping[project] = (address, (None, str(path)))
    return mapping
