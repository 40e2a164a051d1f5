"""The classes that a system file may hold: all others are refused, when a system is saved and when it is loaded."""

import inspect
from collections.abc import Iterable

from sklearn import (
    decomposition,
    discriminant_analysis,
    feature_selection,
    kernel_approximation,
    pipeline,
    preprocessing,
    random_projection,
)

from sigkit import estimators, metrics, training, transformers

_OF_SIGKIT = {
    "sigkit.transformers": [getattr(transformers, name) for name in transformers.__all__],
    "sigkit.estimators": [
        *(getattr(estimators, name) for name in estimators.__all__),
        estimators.AdaptedWriters,
        estimators.Combination,
        estimators.Fused,
        estimators.Gallery,
        estimators.NeighborMap,
        estimators.PackedImages,
        estimators.RandomForgeries,
        estimators.References,
        estimators.Settings,
        estimators.StoredReferences,
        estimators.StrokeGallery,
        estimators.StrokePoints,
        estimators.Typical,
        estimators.WriterStrokes,
    ],
    "sigkit.metrics": [metrics.Estimate, metrics.ScoreCalibrator],
    "sigkit.training": [getattr(training, name) for name in training.__all__],
}
# Adapters and displays hold systems and figures; they are made again from a loaded system.
_NO_STATE = {
    "BlackBoxVerifier",
    "ClaimReportDisplay",
    "DifferentiableVerifier",
    "EnsembleAdversary",
    "NotDifferentiable",
    "SigNetLoss",
    "TrainingCurvesDisplay",
    "WrongDecisionsDisplay",
}
# Their fitted attributes are plain values and arrays.
_OF_SKLEARN = {
    decomposition: ["IncrementalPCA", "PCA", "TruncatedSVD"],
    discriminant_analysis: ["LinearDiscriminantAnalysis"],
    feature_selection: ["VarianceThreshold"],
    kernel_approximation: ["Nystroem", "RBFSampler"],
    pipeline: ["FeatureUnion", "Pipeline"],
    preprocessing: [
        "Binarizer",
        "MaxAbsScaler",
        "MinMaxScaler",
        "Normalizer",
        "PolynomialFeatures",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "StandardScaler",
    ],
    random_projection: ["GaussianRandomProjection"],
}


def known_classes(more=()):
    """Return the classes that a system file may hold.

    Parameters
    ----------
    more : iterable of type, default=()
        Classes of the user.

    Returns
    -------
    dict of str to type
        The classes by the names that are written: of the sub-package and of the class.

    Raises
    ------
    TypeError
        If `more` has anything other than classes.
    ValueError
        If two of them have one name.
    """
    known = {
        f"{room}.{each.__name__}": each
        for room, members in _OF_SIGKIT.items()
        for each in members
        if inspect.isclass(each) and each.__name__ not in _NO_STATE
    }
    known |= {
        f"{module.__name__}.{name}": getattr(module, name) for module, names in _OF_SKLEARN.items() for name in names
    }
    if isinstance(more, (str, bytes)) or not isinstance(more, Iterable):
        raise TypeError(f"classes must be a list of classes, such as classes=[MyStep]; found {more!r}.")
    for each in more:
        if not inspect.isclass(each):
            raise TypeError(f"classes must be classes, not objects; found {each!r}.")
        name = f"{each.__module__}.{each.__qualname__}"
        if known.setdefault(name, each) is not each:
            raise ValueError(f"classes has two classes of the name {name}, and a file has names only. Rename one.")
    return known
