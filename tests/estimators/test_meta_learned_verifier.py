"""MetaLearnedVerifier as an estimator: scores, weight files, copies, bad input, searches in a Pipeline."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load, save
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sigkit._utils import seal_safetensors
from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.training import Distortion, MetaTraining, SigNetTraining, TrainingCurvesDisplay
from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor, SigNetFeaturizer

DEV = (1, 2, 3, 4)

VARIANTS = [
    {},
    {"adapt": "head"},
    {"head": "distance"},
    {"head": "distance", "adapt": "head", "n_random_forgeries": 0},
    {"training__inner_loop__order": 1},
    {"training__inner_loop__recompute": True},
    {"n_random_forgeries": 0},
    {"keep": "weights"},
    {"adapt": "head", "n_random_forgeries": 0, "training__inner_loop__learn_lr": False},
    {"training__augmentation": Distortion(rotation=5.0)},
    {"training__augmentation": None, "adapt": "head", "training__network_lr": 0.0},
    {"training__validation_fraction": 0.0},
]


@pytest.mark.parametrize("parameters", VARIANTS)
def test_a_claim_is_a_column_of_the_decision_function(blots, fitted_verifier, parameters):
    X, y = blots
    model = fitted_verifier(**parameters)
    assert model.classes_.tolist() == [5, 6, 7]
    queries, claimed = X[-20:], y[-20:, 0]
    matrix = model.decision_function(queries)
    assert matrix.shape == (20, 3)
    assert np.isfinite(matrix).all()
    columns = np.searchsorted(model.classes_, claimed)
    np.testing.assert_allclose(model.claim_scores(queries, claimed), matrix[np.arange(20), columns], atol=1e-5)
    assert (model.predict(queries) == model.classes_[matrix.argmax(axis=1)]).all()
    assert len(model.history_) == 2


@pytest.mark.parametrize("adapt", ["all", "head"])
def test_forgeries_of_enrolled_writers_are_never_used(blots, make_verifier, fitted_verifier, adapt):
    X, y = blots
    known = (y[:, 0] <= 4) | (y[:, 1] == 0)
    other = make_verifier(adapt=adapt).fit(X[known], y[known])
    np.testing.assert_array_equal(fitted_verifier(adapt=adapt).decision_function(X), other.decision_function(X))


def test_a_score_does_not_depend_on_other_queries(blots, fitted_verifier):
    X, _ = blots
    together = fitted_verifier().decision_function(X)
    alone = np.concatenate([fitted_verifier().decision_function(X[row : row + 1]) for row in range(0, len(X), 9)])
    np.testing.assert_allclose(alone, together[::9], atol=1e-5)


def test_adaptation_raises_the_scores_of_references(blots, make_verifier):
    X, y = blots
    references = (y[:, 0] == 6) & (y[:, 1] == 0)
    untrained = make_verifier(training__epochs=0, training__inner_loop__lr=0.01)
    scores = [
        clone(untrained).set_params(n_updates=n_updates).fit(X, y).claim_scores(X[references], y[references, 0]).mean()
        for n_updates in (1, 3, 9)
    ]
    assert 0 < scores[0] < scores[1] < scores[2]


def test_saved_weights_enroll_without_meta_training(blots, make_verifier, fitted_verifier, tmp_path):
    X, y = blots
    path = tmp_path / "meta.safetensors"
    fitted_verifier().save_weights(path, corpus="blots", licence="BSD-3-Clause")
    loaded = make_verifier(weights=path, training__epochs=0).fit(X, y)
    np.testing.assert_allclose(loaded.decision_function(X), fitted_verifier().decision_function(X), atol=1e-6)
    assert loaded.metadata_["corpus"] == "blots"
    assert loaded.metadata_["trained_on"] == "36 distinct signatures of 3 writers"
    assert SigNetFeaturizer(weights=path).fit_transform(X).shape == (len(X), 16)
    for parameter, before, value in (("n_updates", 2, 3), ("head", "linear", "distance"), ("adapt", "all", "head")):
        with pytest.raises(ValueError, match=f"{parameter}={before!r}; found {parameter}={value!r}"):
            make_verifier(weights=path, training__epochs=0, **{parameter: value}).fit(X, y)


@pytest.mark.parametrize("adapt", ["all", "head"])
def test_a_loaded_verifier_does_not_depend_on_its_file(blots, make_verifier, fitted_verifier, tmp_path, adapt):
    X, y = blots
    path = tmp_path / "meta.safetensors"
    fitted_verifier(adapt=adapt).save_weights(path)
    loaded = make_verifier(weights=path, training__epochs=0, adapt=adapt).fit(X, y)
    expected = loaded.decision_function(X)
    path.write_bytes(bytes(len(path.read_bytes())))
    np.testing.assert_array_equal(loaded.decision_function(X), expected)
    path.write_bytes(b"")
    np.testing.assert_array_equal(loaded.decision_function(X), expected)


@pytest.mark.parametrize("renewed", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: {name: None for name in tensors if name.startswith("head.")},
        lambda tensors: {"network_rates": None},
        lambda tensors: {"rates": None},
        lambda tensors: {"rates": tensors["rates"][:1].clone(), "network_rates": tensors["network_rates"][:1].clone()},
        lambda tensors: {"network_rates": tensors["network_rates"][:, :0].clone()},
        lambda tensors: {"head.bias": tensors["head.bias"] * torch.nan},
    ],
)
def test_a_meta_learned_file_without_a_part_is_refused(
    blots, make_verifier, fitted_verifier, tmp_path, change, renewed
):
    path = tmp_path / "meta.safetensors"
    fitted_verifier().save_weights(path)
    content = path.read_bytes()
    tensors = load(content)
    tensors = {name: tensor for name, tensor in (tensors | change(tensors)).items() if tensor is not None}
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    if renewed:
        mark = metadata.pop("format")
        del metadata["digest"]
        path.write_bytes(seal_safetensors(save(tensors, metadata=metadata), mark))
    else:
        path.write_bytes(save(tensors, metadata=metadata))
    with pytest.raises(ValueError, match=r"meta\.safetensors: "):
        make_verifier(weights=path, training__epochs=0).fit(*blots)


def test_weights_of_a_featurizer_are_initial_weights(blots, make_verifier, tmp_path):
    X, y = blots
    path = tmp_path / "features.safetensors"
    featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=3).fit(X, y)
    featurizer.save_weights(path)
    model = make_verifier(weights=path, training__epochs=0).fit(X, y)
    for name, tensor in featurizer.network_.state_dict().items():
        assert torch.equal(model.learner_.network.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dev_writers": None}, "meta-trained on development writers, and dev_writers=None names none"),
        ({"dev_writers": []}, r"dev_writers=\[\] names none"),
        ({"dev_writers": [1]}, "at least 2 development writers.*found 1"),
        ({"n_references": 8}, r"needs more distinct genuine signatures than n_references=8.*1 \(8\), 2 \(8\)"),
        ({"adapt": "tail"}, "'adapt' parameter of MetaLearnedVerifier"),
        ({"architecture": "vgg"}, "architecture must be one of"),
        ({"architecture": "signet"}, "signet needs images of at least 150 x 220 pixels, found 28 x 36"),
        ({"training": SigNetTraining()}, "'training' parameter of MetaLearnedVerifier"),
        ({"training__n_forgery_writers": 9}, "n_forgery_writers=9, but only 3 development writers outside"),
        ({"training__augmentation": "rotate"}, "'augmentation' parameter of MetaTraining"),
        ({"training__augmentation": Distortion(rotation=-3)}, "'rotation' parameter of Distortion"),
        ({"training__inner_loop__order": 3}, "'order' parameter of InnerLoop"),
        ({"training__n_queries": (4, 3)}, r"n_queries must be three numbers of signatures.*found \(4, 3\)"),
        ({"training__n_queries": (0, 3, 4)}, r"n_queries must be three numbers .*at least 1.*found \(0, 3, 4\)"),
        ({"training__n_queries": (4, -1, 4)}, "n_queries must not be negative"),
        ({"training__n_queries": (4, 3, 0.5)}, "n_queries must be three numbers"),
        ({"training__pretrain": "signet"}, "'pretrain' parameter of MetaTraining"),
        ({"training__pretrain": CLBPFeaturizer()}, "pretrain must be a SigNetFeaturizer; found a CLBPFeaturizer"),
        ({"training__pretrain": SigNetFeaturizer(weights="synthetic")}, "pretrain sets weights"),
        ({"training__pretrain": SigNetFeaturizer(dev_writers=[1])}, "pretrain sets dev_writers"),
        (
            {"training__pretrain": SigNetFeaturizer(forgery_weight=5.0)},
            "'forgery_weight' parameter of SigNetFeaturizer",
        ),
        (
            {"training__pretrain": SigNetFeaturizer(), "weights": "w.safetensors"},
            "pretrain and weights='w.safetensors'",
        ),
    ],
)
def test_bad_parameters(blots, make_verifier, parameters, message):
    with pytest.raises(ValueError, match=message):
        make_verifier(**parameters).fit(*blots)


def test_a_missing_weight_file(blots, make_verifier):
    with pytest.raises(FileNotFoundError, match=r"some\.safetensors"):
        make_verifier(weights="some.safetensors").fit(*blots)


def test_a_failed_fit_leaves_the_model_as_it_was(blots, fitted_verifier):
    X, y = blots
    model = pickle.loads(pickle.dumps(fitted_verifier()))
    before = model.decision_function(X)
    with pytest.raises(ValueError, match="n_references"):
        model.set_params(n_references=8).fit(X, y)
    np.testing.assert_array_equal(model.set_params(n_references=4).decision_function(X), before)


def test_clone_pickle_and_repetition(blots, fitted_verifier):
    X, y = blots
    fitted = fitted_verifier()
    again = clone(fitted).fit(X, y)
    np.testing.assert_array_equal(again.decision_function(X), fitted.decision_function(X))
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copied.decision_function(X), fitted.decision_function(X))
    other = fitted_verifier(random_state=1)
    assert not np.array_equal(other.decision_function(X), fitted.decision_function(X))


def test_global_random_states_are_not_changed(blots, make_verifier):
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    make_verifier().fit(*blots)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


def test_string_writers(blots, make_verifier):
    X, y = blots
    names = np.array([[f"w{writer}", forgery] for writer, forgery in y.tolist()], dtype=object)
    model = make_verifier(dev_writers=[f"w{writer}" for writer in DEV]).fit(X, names)
    assert model.classes_.tolist() == ["w5", "w6", "w7"]
    assert model.verify(X[-3:], ["w7"] * 3, threshold=-1e9).all()


@pytest.mark.parametrize(
    "view", [lambda X: np.frombuffer(X.tobytes(), np.uint8).reshape(X.shape), lambda X: X[:, :, ::-1]]
)
def test_arrays_of_any_layout(blots, make_verifier, view):
    X, y = blots
    wanted = make_verifier(training__epochs=1).fit(view(X).copy(), y).decision_function(view(X).copy())
    found = make_verifier(training__epochs=1).fit(view(X), y).decision_function(view(X))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_training_curves(fitted_verifier):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    display = TrainingCurvesDisplay.from_estimator(fitted_verifier())
    assert [len(axis.lines) for axis in display.axes_] == [2, 1]
    assert display.axes_[0].lines[0].get_ydata().tolist() == [
        epoch["train_loss"] for epoch in fitted_verifier().history_
    ]
    with pytest.raises(ValueError, match="MetaLearnedVerifier was not trained and has no history_"):
        TrainingCurvesDisplay.from_estimator(fitted_verifier(training__epochs=0))


def test_a_pipeline_is_cross_validated_and_searched(make_verifier, tmp_path):
    scans, target = make_signatures(n_writers=6, n_genuine=8, n_skilled=4, resolution=150, random_state=0)
    preprocessor = SignaturePreprocessor(canvas_size=(383, 545), image_size=(40, 57), memory=tmp_path / "memory")
    pipe = make_pipeline(preprocessor, make_verifier(head="distance", training__inner_loop__lr=0.05))
    cv = WriterSplit(4, 4, dev_writers=DEV, n_splits=2, random_state=0)
    scores = cross_validate(pipe, scans, target, cv=cv, scoring=verification_scorer, error_score="raise")
    assert {"test_neg_eer", "test_neg_eer_writer", "test_neg_far_random"} <= set(scores)
    grid = {"metalearnedverifier__n_updates": [1, 2], "metalearnedverifier__adapt": ["all", "head"]}
    search = GridSearchCV(pipe, grid, cv=cv, scoring=verification_scorer, refit="neg_eer", error_score="raise")
    assert search.fit(scans, target).best_estimator_.decision_function(scans[:3]).shape == (3, 2)


def test_defaults_work_with_twelve_genuine_signatures(draw_blots):
    X, y = draw_blots(28, 36, n_writers=7, n_genuine=12)
    model = MetaLearnedVerifier("tiny", dev_writers=DEV, training=MetaTraining(epochs=1), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(X, y)
    assert model.decision_function(X).shape == (len(X), 3)
