"""The parameters of a training as one object in an estimator: copies, paths, shared recipes and grid searches."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sigkit.estimators import AdversarialTrainer, MetaLearnedVerifier, WriterDependentSVC
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.training import (
    SYNTHETIC_RECIPE,
    TRANSFER_RECIPE,
    CosFaceLoss,
    CosineSchedule,
    Distortion,
    InnerLoop,
    MetaTraining,
    SigNetTraining,
    SoftmaxLoss,
)
from sigkit.transformers import SigNetFeaturizer

ESTIMATORS = [
    SigNetFeaturizer(),
    SigNetFeaturizer(training=SigNetTraining(CosFaceLoss(margin=0.3), lr=0.1, augmentation=Distortion(shear=0.0))),
    SigNetFeaturizer("signet_residual", training=TRANSFER_RECIPE),
    MetaLearnedVerifier(),
    MetaLearnedVerifier(training=MetaTraining(lr=0.1, inner_loop=InnerLoop(order=1), pretrain=SigNetFeaturizer())),
    AdversarialTrainer(SigNetFeaturizer(training=SigNetTraining(lr=0.1))),
]


def described(estimator):
    """Return all parameters, nested ones by their path, as text."""
    return {path: repr(value) for path, value in estimator.get_params().items()}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_clone_repr_and_pickle(estimator):
    for copied in (clone(estimator), pickle.loads(pickle.dumps(estimator))):
        assert described(copied) == described(estimator)
        assert repr(copied) == repr(estimator)
        if getattr(estimator, "training", None) is not None:
            assert copied.training is not estimator.training
    assert described(eval(repr(clone(estimator)), globals())) == described(estimator)
    assert len(estimator._repr_html_()) > 100


@pytest.mark.parametrize("cls", [SigNetFeaturizer, MetaLearnedVerifier])
@pytest.mark.parametrize("with_object", [False, True])
def test_get_and_set_by_path(cls, with_object):
    training = {SigNetFeaturizer: SigNetTraining, MetaLearnedVerifier: MetaTraining}[cls]
    estimator = cls(training=training(epochs=3) if with_object else None)
    assert ("training__lr" in estimator.get_params()) == with_object
    assert estimator.set_params(training__lr=0.5) is estimator
    assert estimator.get_params()["training__lr"] == 0.5
    assert isinstance(estimator.training, training)
    assert estimator.training.epochs == (3 if with_object else training().epochs)
    assert clone(estimator).training.lr == 0.5
    estimator.set_params(training=training(epochs=7), training__lr=0.25)
    assert (estimator.training.epochs, estimator.training.lr) == (7, 0.25)
    estimator.set_params(training=None)
    assert estimator.training is None
    with pytest.raises(ValueError, match=f"Invalid parameter 'rate' for estimator {training.__name__}"):
        estimator.set_params(training__rate=1.0)


def test_paths_resolve_names_and_none():
    featurizer = SigNetFeaturizer(training=SigNetTraining("cosface", augmentation="distort"))
    featurizer.set_params(training__loss__margin=0.3, training__schedule__decay=0.5)
    featurizer.set_params(training__augmentation__rotation=3.0)
    assert repr(featurizer.training.loss) == "CosFaceLoss(margin=0.3)"
    assert repr(featurizer.training.schedule) == "StepSchedule(decay=0.5)"
    assert repr(featurizer.training.augmentation) == "Distortion(rotation=3.0)"
    featurizer.set_params(training__schedule="cosine", training__schedule__warm_up=0.5)
    assert repr(featurizer.training.schedule) == "CosineSchedule(warm_up=0.5)"
    verifier = MetaLearnedVerifier().set_params(training__inner_loop__lr=0.05)
    assert verifier.training.inner_loop.lr == 0.05
    for path in ("training__adversary__epsilon", "training__augmentation__rotation"):
        with pytest.raises(ValueError, match=r"\w+__\w+: (adversary=None|augmentation='crop') has no parameters"):
            SigNetFeaturizer().set_params(**{path: 1.0})
    with pytest.raises(ValueError, match="loss must be one of 'softmax', 'cosface'"):
        SigNetFeaturizer(training=SigNetTraining("sine")).set_params(training__loss__margin=0.5)


@pytest.mark.parametrize("recipe", [TRANSFER_RECIPE, SYNTHETIC_RECIPE])
def test_setting_a_parameter_of_an_estimator_does_not_change_a_shared_recipe(recipe):
    before, given = described(recipe), recipe.get_params(deep=False)
    changes = {"lr": 7.0, "epochs": 1, "loss__margin": 0.5, "schedule__warm_up": 0.5, "augmentation__rotation": 1.0}
    one, other = SigNetFeaturizer(training=recipe), SigNetFeaturizer(training=recipe)
    one.set_params(**{f"training__{path}": value for path, value in changes.items()})
    pipe = Pipeline([("features", SigNetFeaturizer(training=recipe)), ("svc", WriterDependentSVC())])
    pipe.set_params(**{f"features__training__{path}": value for path, value in changes.items()})
    trainer = AdversarialTrainer(SigNetFeaturizer(training=recipe))
    trainer.set_params(**{f"estimator__training__{path}": value for path, value in changes.items()})
    for estimator in (one, pipe.named_steps["features"], trainer.estimator):
        parameters = estimator.training.get_params()
        assert {path: parameters[path] for path in changes} == changes
    assert described(recipe) == before
    assert recipe.get_params(deep=False) == given
    assert other.training is recipe


def test_setting_a_parameter_does_not_change_nested_objects_of_another_estimator():
    loss, inner_loop = CosFaceLoss(), InnerLoop()
    training, meta = SigNetTraining(loss), MetaTraining(inner_loop=inner_loop)
    SigNetFeaturizer(training=training).set_params(training__loss__margin=0.4)
    MetaLearnedVerifier(training=meta).set_params(training__inner_loop__lr=0.4)
    assert loss.margin == 0.2
    assert inner_loop.lr == 0.01


def test_constructors_do_not_copy_and_defaults_are_not_shared():
    loss = SoftmaxLoss()
    assert SigNetTraining(loss).loss is loss
    first, second = SigNetFeaturizer(), SigNetFeaturizer()
    first.set_params(training__lr=0.5)
    assert second.training is None
    assert SigNetTraining().lr == 1e-3


@pytest.mark.parametrize(
    ("training", "message"),
    [
        (SigNetTraining(lr=0.0), "'lr' parameter of SigNetTraining"),
        (SigNetTraining(CosFaceLoss(margin=-1.0)), "'margin' parameter of CosFaceLoss"),
        (SigNetTraining(schedule=CosineSchedule(warm_up=2.0)), "'warm_up' parameter of CosineSchedule"),
        (SigNetTraining(augmentation=Distortion(scaling=0.5)), "'scaling' parameter of Distortion"),
        (SigNetTraining(schedule="linear"), "schedule must be one of 'step', 'cosine'"),
        (SigNetTraining(extra_classes=["simple"]), r"extra_classes must be of .*found 'simple'"),
        (SigNetTraining(extra_classes="mirrored"), "'extra_classes' parameter of SigNetTraining"),
        (MetaTraining(), "'training' parameter of SigNetFeaturizer"),
        ("transfer", "'training' parameter of SigNetFeaturizer"),
    ],
)
def test_parameters_are_checked_when_they_are_used(blots, training, message):
    with pytest.raises(ValueError, match=message):
        SigNetFeaturizer("tiny", training=training).fit(*blots)


def test_grid_search_over_a_parameter_of_the_training_of_features(blots):
    X, y = blots
    recipe = SigNetTraining(epochs=1)
    svc = WriterDependentSVC(dev_writers=(1, 2, 3, 4), gamma="scale", random_state=0)
    featurizer = SigNetFeaturizer("tiny", dev_writers=(1, 2, 3, 4), training=recipe, random_state=0)
    search = search_over(Pipeline([("features", featurizer), ("svc", svc)]), "features__training__lr", [1e-3, 1e-1])
    search.fit(X, y)
    assert search.best_estimator_.named_steps["features"].training.lr == search.best_params_["features__training__lr"]
    assert len(set(search.cv_results_["mean_test_mean_auc"])) == 2
    assert recipe.lr == 1e-3


def test_grid_search_over_a_parameter_of_the_inner_loop(blots, make_verifier):
    X, y = blots
    # Without an inner loop of its own: the search makes it from the defaults.
    verifier = make_verifier(training__epochs=1, training__inner_loop=None)
    pipe = Pipeline([("preprocess", "passthrough"), ("verifier", verifier)])
    search = search_over(pipe, "verifier__training__inner_loop__lr", [1e-3, 0.5])
    search.fit(X, y)
    best = search.best_estimator_.named_steps["verifier"].training.inner_loop.lr
    assert best == search.best_params_["verifier__training__inner_loop__lr"]
    assert len(set(search.cv_results_["mean_test_mean_auc"])) == 2
    assert verifier.training.inner_loop is None


def search_over(pipe, path, values):
    cv = WriterSplit(4, 4, dev_writers=(1, 2, 3, 4), n_splits=2, random_state=0)
    return GridSearchCV(pipe, {path: values}, cv=cv, scoring=verification_scorer, refit="neg_eer", error_score="raise")


def test_numbers_of_numpy_are_accepted(blots, make_verifier):
    training = SigNetTraining(epochs=np.int64(1), batch_size=np.int32(16), lr=np.float32(0.01))
    assert SigNetFeaturizer("tiny", training=training, random_state=0).fit(*blots).history_
    assert make_verifier(training__epochs=np.int64(1), training__inner_loop__order=np.int64(1)).fit(*blots).history_
