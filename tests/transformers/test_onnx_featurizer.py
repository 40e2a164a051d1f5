"""Features by ONNX Runtime: those of PyTorch, in float32 and nearly in int8."""

import pickle
import sys

import numpy as np
import pytest
import skops.io
import torch
from sklearn.base import clone

from sigkit.persistence import load, save
from sigkit.training import SigNetTraining
from sigkit.transformers import OnnxFeaturizer, SigNetFeaturizer

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

UNTRAINED = SigNetFeaturizer("signet_small", training=SigNetTraining(epochs=0), magnification=(1, 1.25), random_state=0)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    ink = rng.uniform(size=(6, 61, 83)) < 0.05
    return (ink * rng.integers(100, 256, ink.shape)).astype(np.uint8)


@pytest.fixture(scope="module")
def fitted(images):
    return OnnxFeaturizer(UNTRAINED, precision="int8", n_threads=1, batch_size=4).fit(images)


def test_features_in_int8_are_nearly_those_of_pytorch(fitted, images):
    features, expected = fitted.transform(images), fitted.featurizer_.transform(images)
    assert features.shape == (6, 2048)
    assert features.dtype == np.float32
    assert len(fitted.get_feature_names_out()) == 2048
    cosine = (features * expected).sum(axis=1) / np.linalg.norm(features, axis=1) / np.linalg.norm(expected, axis=1)
    assert 0.99 <= cosine.min() < 0.999999
    assert fitted.cosine_ == pytest.approx(cosine.min(), abs=1e-4)
    assert fitted.n_float_ < 13


def test_features_in_float32_are_those_of_pytorch(images):
    featurizer = OnnxFeaturizer(SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)).fit(images)
    features = featurizer.transform(images)
    np.testing.assert_allclose(features, featurizer.featurizer_.transform(images), atol=1e-5)
    np.testing.assert_array_equal(featurizer.transform(images.astype(np.float32)), features)
    assert (featurizer.cosine_, featurizer.n_float_) == (1.0, 1)


def test_it_is_stored_without_its_session(fitted, images, tmp_path):
    features = fitted.transform(images)
    save(fitted, tmp_path / "featurizer.sigkit")
    data = skops.io.dumps(fitted)
    loaded = pickle.loads(pickle.dumps(fitted))
    by_skops = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
    for one in (loaded, load(tmp_path / "featurizer.sigkit"), by_skops):
        np.testing.assert_array_equal(one.transform(images), features)
    np.testing.assert_allclose(loaded.set_params(n_threads=2).transform(images), features, atol=1e-4)
    assert not hasattr(clone(fitted), "model_")


def test_other_images_than_in_fit_are_refused(fitted, images):
    with pytest.raises(ValueError, match=r"images of shape \(61, 70\)"):
        fitted.transform(images[:, :, :70])


def test_a_network_without_convolutions_to_quantize_is_refused(images):
    tiny = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
    with pytest.raises(ValueError, match="cosine similarity"):
        OnnxFeaturizer(tiny, precision="int8").fit(images)


def test_several_views_are_refused(images):
    with pytest.raises(ValueError, match="n_views=3"):
        OnnxFeaturizer(SigNetFeaturizer("tiny", n_views=3)).fit(images)


def test_missing_libraries_are_named(monkeypatch, images):
    module = "sigkit.transformers._onnx._onnx_featurizer.find_spec"
    monkeypatch.setattr(module, lambda name: None if name == "onnxscript" else object())
    with pytest.raises(ImportError, match=r"needs onnxscript: pip install 'sigkit\[onnx\]'"):
        OnnxFeaturizer(UNTRAINED).fit(images)


def test_a_loaded_featurizer_names_the_missing_library(fitted, images, monkeypatch):
    loaded = pickle.loads(pickle.dumps(fitted))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"needs onnxruntime: pip install sigkit\[onnx\]"):
        loaded.transform(images)


@pytest.mark.parametrize(("name", "value"), [("n_threads", "a"), ("n_threads", 0), ("batch_size", None)])
def test_parameters_that_are_set_after_fit_are_checked(fitted, images, name, value):
    changed = pickle.loads(pickle.dumps(fitted)).set_params(**{name: value})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of OnnxFeaturizer must be"):
        changed.transform(images)


def test_an_operator_that_onnx_lacks_is_an_error_by_name(monkeypatch, images):
    class Odd(torch.nn.Module):
        def forward(self, maps):
            return torch.linalg.qr(maps.flatten(1)).R

    tiny = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
    monkeypatch.setattr(SigNetFeaturizer, "as_module", lambda self, device: Odd().eval())
    with pytest.raises(ValueError, match="cannot be converted to ONNX"):
        OnnxFeaturizer(tiny).fit(images)
