"""AdversarialTrainer and EnsembleAdversarialTrainer as estimators; their training is in test_adversaries.py."""

import json
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback

from sigkit.estimators import AdversarialTrainer, EnsembleAdversarialTrainer, WriterDependentSVC
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.training import (
    CosFaceLoss,
    EnsembleAdversary,
    ProjectedGradientAdversary,
    SigNetTraining,
    SoftmaxLoss,
    TrainingCurvesDisplay,
)
from sigkit.transformers import SigNetFeaturizer

EPSILON, N_STEPS, ALPHA = 200.0, 3, 0.3
TINY = SigNetFeaturizer(
    "tiny", training=SigNetTraining(epochs=2, lr=0.02, batch_size=8, validation_fraction=0.0), random_state=0
)
EVERYTHING = {
    "forgery_weight": 0.4,
    "precision": "bfloat16",
    "training__loss": CosFaceLoss(label_smoothing=0.1),
    "training__extra_classes": ("forgeries", "mirrored"),
    "training__augmentation": "distort",
    "training__schedule": "cosine",
}


@pytest.fixture(scope="module")
def signatures(draw_blots):
    return draw_blots(34, 48, n_writers=4, n_genuine=6, n_skilled=4)


def tiny(**parameters):
    return clone(TINY).set_params(**parameters)


def harden(estimator=TINY, **parameters):
    return AdversarialTrainer(estimator, **{"epsilon": EPSILON, "n_steps": N_STEPS} | parameters)


def ensemble(estimator=TINY, surrogates=None, **parameters):
    surrogates = [tiny(random_state=1, training__epochs=1)] if surrogates is None else surrogates
    return EnsembleAdversarialTrainer(estimator, surrogates, **{"epsilon": EPSILON, "alpha": ALPHA} | parameters)


def harden_as(**parameters):
    """Make a trainer of a featurizer with some parameters."""
    return harden(tiny(**parameters))


def ensemble_as(**parameters):
    """Make a trainer of a featurizer with some parameters, and a surrogate with the same parameters."""
    return ensemble(tiny(**parameters), [tiny(**parameters, random_state=1)])


@pytest.fixture(scope="module")
def fitted(signatures):
    """Return a function that fits a trainer with the parameters above, once: do not change it."""
    known = {}

    def fit(make):
        if make not in known:
            known[make] = make().fit(*signatures)
        return known[make]

    return fit


BOTH = pytest.mark.parametrize("make", [harden, ensemble])
BOTH_AS = pytest.mark.parametrize("make", [harden_as, ensemble_as])


def assert_same_weights(first, second):
    first, second = first.network_.state_dict(), second.network_.state_dict()
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_the_training_is_that_of_a_featurizer_with_an_adversary(signatures, fitted):
    adversary = ProjectedGradientAdversary(epsilon=EPSILON, n_steps=N_STEPS)
    assert_same_weights(fitted(harden), tiny(training__adversary=adversary).fit(*signatures))
    model = harden(step_size=30.0, random_start=True).fit(*signatures)
    adversary.set_params(step_size=30.0, random_start=True)
    assert_same_weights(model, tiny(training__adversary=adversary).fit(*signatures))
    model = fitted(ensemble)
    surrogates = [each.net_.module_ for each in model.surrogates_]
    adversary = EnsembleAdversary(epsilon=EPSILON, alpha=ALPHA, surrogates=surrogates)
    assert_same_weights(model, tiny(training__adversary=adversary).fit(*signatures))


def test_surrogates_are_trained_alone(signatures):
    given = [tiny(random_state=1), tiny(random_state=2, forgery_weight=0.3)]
    model = ensemble(surrogates=given).fit(*signatures)
    for ours, alone in zip(model.surrogates_, given, strict=True):
        assert_same_weights(ours, clone(alone).fit(*signatures))
        assert ours.net_.device == "cpu"
    assert not any(hasattr(each, "network_") for each in (*given, model.estimator))
    assert ensemble(surrogates=[]).fit(*signatures).surrogates_ == []


@BOTH_AS
def test_skilled_forgeries_are_trained_on(signatures, make):
    X, y = signatures
    model = make(training__epochs=8, training__validation_fraction=0.2, forgery_weight=0.5).fit(X, y)
    assert model.history_[-1]["train_loss"] < 0.9 * model.history_[0]["train_loss"]
    assert model.history_[-1].keys() >= {"train_loss", "valid_loss", "valid_acc", "lr"}
    short = clone(model).set_params(estimator__training__epochs=1).fit(X, y)
    weight, before = (each.estimator_.net_.module_.forgery.weight for each in (model, short))
    assert (weight - before).abs().max() > 1e-3


@BOTH_AS
def test_all_options_work_together(signatures, make):
    model = make(**EVERYTHING).fit(*signatures)
    assert np.isfinite(model.transform(signatures[0])).all()


@BOTH
def test_clone_pickle_and_repetition(signatures, fitted, make):
    X, y = signatures
    model = fitted(make)
    features = model.transform(X)
    assert features.shape == (len(X), 16)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(clone(model).fit(X, y).transform(X), features)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(X), features)
    np.testing.assert_array_equal(make().fit_transform(X.astype(np.float32), y), features)
    assert not np.array_equal(make(epsilon=2 * EPSILON).fit_transform(X, y), features)
    assert not np.array_equal(tiny().fit_transform(X, y), features)
    assert model.image_shape_in_ == (34, 48)
    assert [epoch["epoch"] for epoch in model.history_] == [1, 2]


def test_parameters_of_the_featurizer_and_of_its_training_are_parameters():
    model = harden().set_params(estimator__training__epochs=7, n_steps=4)
    assert model.get_params()["estimator__training__epochs"] == 7
    assert model.get_params(deep=False).keys() == {"estimator", "epsilon", "n_steps", "step_size", "random_start"}
    assert clone(model).get_params()["n_steps"] == 4
    assert ensemble().get_params(deep=False).keys() == {"estimator", "surrogates", "epsilon", "alpha"}


@BOTH
def test_features_have_names(signatures, fitted, make):
    X, _ = signatures
    model = make()
    assert not hasattr(model, "network_")
    for call in (lambda: model.transform(X), model.get_feature_names_out, lambda: model.save_weights("a.safetensors")):
        with pytest.raises(NotFittedError):
            call()
    model = pickle.loads(pickle.dumps(fitted(make)))
    names = model.get_feature_names_out()
    assert names[[0, 15]].tolist() == ["signetfeaturizer0", "signetfeaturizer15"]
    assert model.set_output(transform="pandas").transform(X).columns.tolist() == names.tolist()


@BOTH
def test_saved_weights_are_those_of_a_featurizer(signatures, fitted, make, tmp_path):
    X, y = signatures
    path = tmp_path / "robust.safetensors"
    model = fitted(make)
    assert model.save_weights(path, corpus="blots", licence="BSD-3-Clause") is model
    loaded = SigNetFeaturizer(weights=path).fit(X)
    np.testing.assert_allclose(loaded.transform(X), model.transform(X), atol=1e-6)
    assert loaded.metadata_["corpus"] == "blots"
    assert loaded.metadata_["trained_on"] == "24 distinct signatures of 4 writers"
    recipe = json.loads(loaded.metadata_["recipe"])
    assert recipe["training__adversary__epsilon"] == EPSILON
    kind = "ProjectedGradientAdversary" if make is harden else "EnsembleAdversary"
    assert recipe["training__adversary"] == kind
    if make is ensemble:
        [digest] = recipe["training__adversary__surrogates"]
        assert len(digest) == 64
    assert json.loads(tiny().fit(X, y).metadata_["recipe"])["training__adversary"] is None


@BOTH
def test_training_curves(fitted, make):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    model = fitted(make)
    display = TrainingCurvesDisplay.from_estimator(model)
    [line] = display.axes_[0].lines
    assert line.get_ydata().tolist() == [epoch["train_loss"] for epoch in model.history_]


@BOTH
def test_global_random_states_are_not_changed(signatures, make):
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    make().fit(*signatures)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


@BOTH_AS
def test_in_a_pipeline_and_a_grid_search(signatures, make):
    X, y = signatures
    svc = WriterDependentSVC(gamma=0.01, dev_writers=(1, 2), random_state=0)
    pipe = Pipeline([("features", make(dev_writers=(1, 2))), ("svc", svc)])
    cv = WriterSplit(n_references=3, n_queries=3, dev_writers=(1, 2), n_splits=2, random_state=0)
    search = GridSearchCV(pipe, {"features__epsilon": [1.0, 400.0]}, cv=cv, scoring=verification_scorer, refit=False)
    search.fit(X, y)
    found = search.cv_results_
    assert np.isfinite(found["mean_test_neg_eer"]).all()
    for number, epsilon in enumerate((1.0, 400.0)):
        train, test = next(cv.split(X, y))
        fitted = clone(pipe).set_params(features__epsilon=epsilon).fit(X[train], y[train])
        assert fitted.classes_.tolist() == [3, 4]
        scores = verification_scorer(fitted, X[test], y[test])
        assert found["split0_test_neg_eer"][number] == scores["neg_eer"]
        assert found["split0_test_mean_auc"][number] == scores["mean_auc"]
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.decision_function(X), fitted.decision_function(X))


class InterruptAt(Callback):
    """Simulate the user pressing Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, net, training=False, **kwargs):
        if training and net.history[-1]["epoch"] == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"forgery_weight": 0.5},
        {"training__loss": SoftmaxLoss(label_smoothing=0.1), "training__augmentation": "distort"},
        {
            "forgery_weight": 0.5,
            "training__loss": SoftmaxLoss(label_smoothing=0.1),
            "training__augmentation": "distort",
        },
    ],
)
@BOTH_AS
def test_an_interrupted_training_resumes_exactly(signatures, tmp_path, make, parameters):
    X, y = signatures
    model = make(training__epochs=4, training__validation_fraction=0.2, **parameters)
    if make is harden_as:
        model.set_params(random_start=True)
    whole = clone(model).fit(X, y)
    checkpoint = {"estimator__training__checkpoint_dir": tmp_path / "run"}
    part = clone(model).set_params(**checkpoint, estimator__training__callbacks=[InterruptAt(3)])
    with pytest.raises(KeyboardInterrupt):
        part.fit(X, y)
    with pytest.raises(NotFittedError):
        part.transform(X)
    resumed = part.set_params(estimator__training__callbacks=None).fit(X, y)
    assert_same_weights(resumed, whole)
    for ours, expected in zip(resumed.history_, whole.history_, strict=True):
        assert {**ours, "dur": 0} == {**expected, "dur": 0}


@BOTH
def test_the_state_of_another_training_is_refused(signatures, tmp_path, make):
    X, y = signatures
    kept = tiny(training__checkpoint_dir=tmp_path / "run")
    model = make(kept).fit(X, y)
    assert_same_weights(make(clone(kept).set_params(training__callbacks=[InterruptAt(1)])).fit(X, y), model)
    message = r"training.pt: the state of another training .training__adversary__epsilon was 200.0 and is 100.0"
    with pytest.raises(ValueError, match=message):
        make(kept, epsilon=100.0).fit(X, y)
    with pytest.raises(ValueError, match=r"training__adversary was '\w+Adversary' and is None"):
        clone(kept).fit(X, y)
    if make is ensemble:
        with pytest.raises(ValueError, match="training__adversary__surrogates was"):
            ensemble(kept, [tiny(random_state=2)]).fit(X, y)


def test_surrogates_with_a_folder_are_trained_once(signatures, tmp_path):
    X, y = signatures
    surrogate = tiny(random_state=1, training__checkpoint_dir=tmp_path)
    first = ensemble(surrogates=[surrogate]).fit(X, y)
    # It would end the training of the surrogate if there was one.
    surrogate.set_params(training__callbacks=[InterruptAt(1)])
    assert_same_weights(ensemble(surrogates=[surrogate]).fit(X, y), first)


UNTRAINED = tiny(training__epochs=0)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (harden(SigNetFeaturizer(weights="w.safetensors")), "AdversarialTrainer trains .* estimator has weights='w.s"),
        (harden(UNTRAINED), "its estimator has epochs=0, so that there is no training. Leave weights at None and set"),
        (ensemble(UNTRAINED), "EnsembleAdversarialTrainer trains the network, but its estimator has epochs=0"),
        (ensemble(surrogates=[TINY, UNTRAINED]), "its surrogate 1 has epochs=0"),
        (AdversarialTrainer("tiny"), "'estimator' parameter of AdversarialTrainer must be .*SigNetFeaturizer"),
        (AdversarialTrainer(SigNetFeaturizer), "'estimator' parameter of AdversarialTrainer"),
        (EnsembleAdversarialTrainer(WriterDependentSVC()), "'estimator' parameter of EnsembleAdversarialTrainer"),
        (ensemble(surrogates=["tiny"]), "surrogate 0 must be a SigNetFeaturizer; found a str"),
        (EnsembleAdversarialTrainer(TINY, TINY), "'surrogates' parameter of EnsembleAdversarialTrainer"),
        (ensemble(surrogates=[tiny(dev_writers=[1, 2])]), "must have the dev_writers of the estimator, None"),
        (ensemble(tiny(dev_writers=[1, 3]), [tiny(dev_writers=[1, 2])]), r"the estimator, \[1, 3\].*found \[1, 2\]"),
        (
            ensemble(surrogates=[TINY, tiny(training__extra_classes=["forgeries"])]),
            r"surrogate 1 must have the extra_classes of the estimator, \(\)",
        ),
        (ensemble(surrogates=[tiny(training__extra_classes=("mirrored",))]), r"found \('mirrored',\)"),
        (
            ensemble(surrogates=[SigNetFeaturizer("signet_thin")]),
            r"surrogate 0 \(signet_thin\) needs images of \(150, 220\), which the training of tiny does not make",
        ),
        (ensemble(tiny(forgery_weight=0.5), [TINY]), "surrogate 0 must have .*forgery_weight"),
        (harden(epsilon=0), "'epsilon' parameter of AdversarialTrainer"),
        (harden(epsilon=-1.0), "'epsilon' parameter of AdversarialTrainer"),
        (ensemble(epsilon=0.0), "'epsilon' parameter of EnsembleAdversarialTrainer"),
        (harden(n_steps=0), "'n_steps' parameter of AdversarialTrainer"),
        (harden(step_size=0.0), "'step_size' parameter of AdversarialTrainer"),
        (harden(random_start=2), "'random_start' parameter of AdversarialTrainer"),
        (ensemble(alpha=1.5), "'alpha' parameter of EnsembleAdversarialTrainer"),
        (harden(tiny(forgery_weight=5.0)), "'forgery_weight' parameter of SigNetFeaturizer"),
        (harden(tiny(training__loss="sine")), "loss must be one of 'softmax', 'cosface'.*found 'sine'"),
        (ensemble(tiny(training__validation_fraction=3)), "'validation_fraction' parameter of SigNetTraining"),
        (ensemble(surrogates=[tiny(training__lr=-1.0)]), "'lr' parameter of SigNetTraining"),
        (harden(SigNetFeaturizer()), "signet needs images of at least 150 x 220 pixels, found 34 x 48"),
    ],
)
def test_bad_parameters(signatures, model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*signatures)


@BOTH
def test_bad_signatures(signatures, fitted, make):
    X, y = signatures
    with pytest.raises(ValueError, match="requires y to be passed"):
        make().fit(X, None)
    with pytest.raises(ValueError, match="at least 2 writers"):
        make().fit(X[:6], y[:6])
    with_forgeries = {harden: harden_as, ensemble: ensemble_as}[make](forgery_weight=0.5)
    with pytest.raises(ValueError, match="y has none"):
        with_forgeries.fit(X[y[:, 1] == 0], y[y[:, 1] == 0])
    with pytest.raises(ValueError, match="Put a SignaturePreprocessor before"):
        make().fit(["scan.png"], [1])
    with pytest.raises(ValueError, match=r"\(34, 40\), but .* expecting images of shape \(34, 48\)"):
        fitted(make).transform(X[:, :, :40])


@BOTH
def test_a_failed_fit_leaves_the_model_as_it_was(signatures, fitted, make):
    X, y = signatures
    model = pickle.loads(pickle.dumps(fitted(make)))
    before = model.transform(X)
    with pytest.raises(ValueError, match="at least 2 writers"):
        model.fit(X[:6], y[:6])
    np.testing.assert_array_equal(model.transform(X), before)
