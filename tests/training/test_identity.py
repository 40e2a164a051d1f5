"""The recipe of a training: every parameter is part of it, except those that only affect how it runs.

The tests go through `get_params`, so that a new parameter is tested without a line here.
"""

import json
from dataclasses import fields
from numbers import Real

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils._param_validation import generate_valid_param, make_constraint
from torch import nn

from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.training import (
    LOSSES,
    CosFaceLoss,
    CosineSchedule,
    Distortion,
    EnsembleAdversary,
    InnerLoop,
    MetaTraining,
    ProjectedGradientAdversary,
    SigNetTraining,
    SoftmaxLoss,
    StepSchedule,
    WriterLoss,
)
from sigkit.training._identity import RUN_TIME, recipe_of
from sigkit.training._meta_train import NOT_IN_RECIPE as NOT_OF_META_TRAINING
from sigkit.training._parameters import Parameters
from sigkit.training._schedules import SCHEDULES
from sigkit.training._train_features import NOT_IN_RECIPE as NOT_OF_FEATURES
from sigkit.transformers import SigNetFeaturizer

ESTIMATORS = {
    "features": SigNetFeaturizer(
        "tiny",
        training=SigNetTraining(
            CosFaceLoss(),
            schedule=StepSchedule(),
            augmentation=Distortion(),
            adversary=ProjectedGradientAdversary(n_steps=1),
            epochs=1,
            batch_size=16,
        ),
        random_state=0,
    ),
    "other features": SigNetFeaturizer(
        "tiny",
        training=SigNetTraining(
            SoftmaxLoss(), schedule=CosineSchedule(), adversary=EnsembleAdversary(), epochs=1, batch_size=16
        ),
        random_state=0,
    ),
    "meta": MetaLearnedVerifier(
        "tiny",
        dev_writers=(1, 2, 3, 4),
        n_references=3,
        n_random_forgeries=2,
        n_updates=1,
        training=MetaTraining(epochs=1, inner_loop=InnerLoop(), augmentation=Distortion(), n_queries=(3, 2, 3)),
        random_state=0,
    ),
}
OTHER_VALUES = {
    "adversary": ProjectedGradientAdversary(n_steps=2),
    "augmentation": Distortion(rotation=3.0),
    "extra_classes": ("mirrored",),
    "inner_loop": InnerLoop(lr=0.02),
    "loss": SoftmaxLoss(label_smoothing=0.3),
    "n_queries": (2, 2, 2),
    "pretrain": SigNetFeaturizer(training=SigNetTraining(epochs=1)),
    "schedule": CosineSchedule(warm_up=0.3),
    "surrogates": [nn.Linear(1, 1)],
}
"""Values of parameters that are objects or sequences; those of others follow from their constraints."""


def paths(name):
    """Return the paths of all parameters in the training of an estimator."""
    return sorted(path for path in ESTIMATORS[name].get_params() if path.startswith("training__"))


def last(path):
    return path.rpartition("__")[2]


def other_value(name, path):
    """Return a valid value of a parameter that differs from its present one."""
    parameters = ESTIMATORS[name].get_params()
    parent, _, parameter = path.rpartition("__")
    if parameter in OTHER_VALUES:
        return OTHER_VALUES[parameter]
    present = parameters[path]
    declared = {field.name: field.metadata["constraints"] for field in fields(parameters[parent])}
    constraints = [make_constraint(each) for each in declared[parameter]]
    candidates = [generate_valid_param(each) for each in constraints]
    candidates += [option for each in constraints for option in getattr(each, "options", ())]
    if isinstance(present, bool):
        candidates += [not present]
    elif isinstance(present, Real):
        candidates += [present + 1, present - 1, present / 2]
    for value in candidates:
        if value != present and any(each.is_satisfied_by(value) for each in constraints):
            return value
    raise AssertionError(f"{path}: add a value to OTHER_VALUES.")


@pytest.fixture(scope="module")
def folders(blots, tmp_path_factory):
    """Return the folders with the states of finished trainings, and their models."""
    trained = {}
    for name, estimator in ESTIMATORS.items():
        folder = tmp_path_factory.mktemp("state")
        trained[name] = folder, clone(estimator).set_params(training__checkpoint_dir=folder).fit(*blots)
    return trained


def weights_of(model):
    return (model.learner_ if hasattr(model, "learner_") else model.network_).state_dict()


CASES = [(name, path) for name in ESTIMATORS for path in paths(name)]


@pytest.mark.parametrize(("name", "path"), [case for case in CASES if last(case[1]) not in RUN_TIME])
def test_the_state_of_a_training_with_another_parameter_is_refused(blots, folders, name, path):
    folder, _ = folders[name]
    model = clone(ESTIMATORS[name]).set_params(**{path: other_value(name, path)}, training__checkpoint_dir=folder)
    # Of a pre-training, the weights that it makes are compared.
    named = "start" if path == "training__pretrain" else path
    with pytest.raises(ValueError, match=f"training.pt: the state of another training .*{named}"):
        model.fit(*blots)


@pytest.mark.parametrize(("name", "path"), [case for case in CASES if last(case[1]) in RUN_TIME - {"checkpoint_dir"}])
def test_run_time_parameters_are_not_in_the_recipe(blots, folders, name, path):
    folder, trained = folders[name]
    model = clone(ESTIMATORS[name]).set_params(**{path: other_value(name, path)}, training__checkpoint_dir=folder)
    model.fit(*blots)
    for key, tensor in weights_of(trained).items():
        assert torch.equal(weights_of(model)[key], tensor)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_run_time_parameters_of_the_estimator_are_not_in_the_recipe(blots, folders, name, tmp_path):
    folder, trained = folders[name]
    parameters = {"device": "cpu", "verbose": 1, "random_state": None, "batch_size": 3}
    if name != "meta":
        parameters["memory"] = tmp_path
    model = clone(ESTIMATORS[name]).set_params(**parameters, training__checkpoint_dir=folder).fit(*blots)
    for key, tensor in weights_of(trained).items():
        assert torch.equal(weights_of(model)[key], tensor)
    assert model.metadata_["recipe"] == trained.metadata_["recipe"]


@pytest.mark.parametrize(
    ("name", "without"),
    [("features", NOT_OF_FEATURES), ("other features", NOT_OF_FEATURES), ("meta", NOT_OF_META_TRAINING)],
)
def test_all_parameters_of_an_estimator_but_a_few_are_in_the_recipe(name, without):
    estimator = clone(ESTIMATORS[name])
    parameters = set(estimator.get_params(deep=False))
    assert {path for path in without if "__" not in path} < parameters
    recipe = recipe_of(estimator, estimator.training, without)
    assert parameters - set(without) - RUN_TIME <= set(recipe)
    assert {path for path in paths(name) if last(path) not in RUN_TIME} - set(without) <= set(recipe)
    assert not {part for path in recipe for part in path.split("__")} & RUN_TIME
    for parameter in parameters - set(without) - RUN_TIME - {"training"}:
        other = clone(estimator).set_params(**{parameter: "another value"})
        assert recipe_of(other, other.training, without) != recipe
    # It is stored as JSON and compared with what is read.
    assert json.loads(json.dumps(recipe)) == recipe


def subclasses(cls):
    return {cls}.union(*map(subclasses, cls.__subclasses__()))


def test_all_parameter_objects_are_tested_here():
    tested = {type(value) for estimator in ESTIMATORS.values() for value in estimator.get_params().values()}
    public = {cls for cls in subclasses(Parameters) if cls.__module__.startswith("sigkit.") and cls().get_params()}
    assert public <= tested
    assert {*LOSSES.values(), *SCHEDULES.values()} <= tested


def test_run_time_parameters_exist():
    estimators = [*ESTIMATORS.values(), WriterDependentSVC()]
    known = {part for estimator in estimators for path in estimator.get_params() for part in path.split("__")}
    assert known >= RUN_TIME


def test_a_name_and_its_object_have_the_same_recipe():
    featurizer = SigNetFeaturizer("tiny")
    for named, meant in (
        (SigNetTraining("cosface", schedule="cosine"), SigNetTraining(CosFaceLoss(), schedule=CosineSchedule())),
        (SigNetTraining(extra_classes=["mirrored"]), SigNetTraining(extra_classes={"mirrored"})),
        (SigNetTraining(augmentation="distort"), SigNetTraining(augmentation=Distortion())),
        (SigNetTraining(lr=np.float64(0.001), epochs=np.int64(60)), SigNetTraining()),
        (MetaTraining(n_queries=np.array([10, 10, 10])), MetaTraining(inner_loop=InnerLoop())),
    ):
        assert recipe_of(featurizer, named.resolve()) == recipe_of(featurizer, meant.resolve())


class Weighted(WriterLoss):
    def __init__(self, weights=None):
        self.weights = weights


def test_modules_and_arrays_are_described_by_their_values():
    featurizer = SigNetFeaturizer("tiny")

    def described(weights):
        return recipe_of(featurizer, SigNetTraining(Weighted(weights)).resolve())["training__loss__weights"]

    values = np.zeros(2000)
    assert described(values) == described(values.copy()) != described(np.r_[1, values[1:]])
    layers = [nn.Linear(2, 2), nn.Linear(2, 2)]
    assert described(layers[0]) == described(clone(layers[0], safe=False)) != described(layers[1])
    with pytest.raises(ValueError, match=r"training__loss__weights=.* cannot be compared"):
        described(object())
