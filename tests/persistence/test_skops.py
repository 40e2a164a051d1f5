"""Every public estimator, fitted, is stored by skops.io, with the types of this library trusted."""

import inspect

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from sigkit import estimators, metrics, transformers
from sigkit.estimators import (
    AdversarialTrainer,
    EnsembleAdversarialTrainer,
    LikelihoodRatioCalibrator,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
)
from sigkit.metrics import ScoreCalibrator
from sigkit.persistence import load, save
from sigkit.training import SigNetTraining
from sigkit.transformers import (
    BackgroundRemover,
    CLBPFeaturizer,
    OnnxFeaturizer,
    SignaturePreprocessor,
    SigNetFeaturizer,
    StrokeFeaturizer,
)

# What they hold beside types of sigkit; skops asks for each of them by name.
TRUSTED = {"builtins.frozenset", "builtins.range", "builtins.slice", "sklearn.utils._bunch.Bunch"}
VECTORS = np.random.default_rng(0).normal(size=(90, 8)) + np.repeat(np.arange(9), 10)[:, None]
TARGET = np.column_stack([np.repeat(np.arange(9), 10), np.arange(90) % 10 > 7])
VECTORS[TARGET[:, 1] == 1, ::2] += 3


def stored(estimator):
    data = skops.io.dumps(estimator)
    types = skops.io.get_untrusted_types(data=data)
    assert {name for name in types if not name.startswith("sigkit.")} <= TRUSTED
    return skops.io.loads(data, trusted=types)


def featurizer(**parameters):
    return SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=0, **parameters)


def svc(**parameters):
    return WriterDependentSVC(random_state=0, **parameters)


ON_VECTORS = {
    "WriterDependentSVC": lambda: svc(dev_writers=range(5)),
    "OperatingPointVerifier": lambda: OperatingPointVerifier(svc(dev_writers=range(5)), random_state=0),
    "LikelihoodRatioCalibrator": lambda: LikelihoodRatioCalibrator(svc(dev_writers=range(5)), random_state=0),
    "VerifierFusion": lambda: VerifierFusion([("rbf", svc()), ("linear", svc(kernel="linear"))]),
}
ON_IMAGES = {
    "SignaturePreprocessor": lambda: SignaturePreprocessor(canvas_size=(56, 72), image_size=(28, 36)),
    "BackgroundRemover": BackgroundRemover,
    "CLBPFeaturizer": CLBPFeaturizer,
    "StrokeFeaturizer": StrokeFeaturizer,
    "SigNetFeaturizer": featurizer,
    "AdversarialTrainer": lambda: AdversarialTrainer(featurizer()),
    "EnsembleAdversarialTrainer": lambda: EnsembleAdversarialTrainer(featurizer(), [featurizer(dev_writers=None)]),
}
# OnnxFeaturizer: in its own tests, because its fit takes seconds.
OTHERS = {"MetaLearnedVerifier", "OnnxFeaturizer", "StrokeMatcher", "ScoreCalibrator"}


def test_every_public_estimator_is_here():
    rooms = (estimators, metrics, transformers)
    public = {name: getattr(room, name) for room in rooms for name in room.__all__}
    names = {name for name, thing in public.items() if inspect.isclass(thing) and issubclass(thing, BaseEstimator)}
    assert names == ON_VECTORS.keys() | ON_IMAGES.keys() | OTHERS


@pytest.mark.parametrize("name", ON_VECTORS)
def test_verifiers_of_features(name):
    model = ON_VECTORS[name]().fit(VECTORS, TARGET)
    np.testing.assert_array_equal(stored(model).decision_function(VECTORS), model.decision_function(VECTORS))


@pytest.mark.parametrize("name", ON_IMAGES)
@pytest.mark.filterwarnings("ignore")
def test_transformers_of_images(name, blots):
    images, target = blots
    transformer = ON_IMAGES[name]().fit(images, target)
    np.testing.assert_array_equal(stored(transformer).transform(images), transformer.transform(images))


@pytest.mark.filterwarnings("ignore")
def test_onnx_featurizer(blots, tmp_path):
    for library in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(library)
    images, target = blots
    transformer = OnnxFeaturizer(featurizer()).fit(images, target)
    save(transformer, tmp_path / "system")
    for again in (stored(transformer), load(tmp_path / "system")):
        np.testing.assert_array_equal(again.transform(images), transformer.transform(images))


@pytest.mark.parametrize("keep", ["references", "weights"])
@pytest.mark.filterwarnings("ignore")
def test_meta_learned_verifier(keep, fitted_verifier, blots):
    model = fitted_verifier(keep=keep)
    np.testing.assert_array_equal(stored(model).decision_function(blots[0]), model.decision_function(blots[0]))


@pytest.mark.filterwarnings("ignore")
def test_strokes_and_calibrator(blots):
    system = make_pipeline(StrokeFeaturizer(), StrokeMatcher(dev_writers=[1, 2])).fit(*blots)
    queries = blots[0][-4:]
    np.testing.assert_array_equal(stored(system).decision_function(queries), system.decision_function(queries))
    scores = VECTORS[:, 0]
    for method in ("logistic", "isotonic"):
        calibrator = ScoreCalibrator(method=method).fit(scores, scores > np.median(scores + VECTORS[:, 1] - 4))
        np.testing.assert_array_equal(stored(calibrator).transform(scores), calibrator.transform(scores))
