"""The weights in the package, used by name."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import sigkit.transformers._signet_featurizer as module
from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.nets import weights_path
from sigkit.training import InnerLoop, MetaTraining
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
from sigkit.transformers._features import extract_features


@pytest.fixture(scope="module")
def signatures():
    return make_signatures(n_writers=3, n_genuine=4, n_skilled=0, random_state=1)


@pytest.fixture(scope="module")
def images(signatures):
    return SignaturePreprocessor(canvas_size=(730, 1042)).fit_transform(signatures[0])


def test_a_whole_pipeline_clones_and_pickles(signatures):
    scans, target = signatures
    steps = SignaturePreprocessor(canvas_size=(730, 1042)), SigNetFeaturizer(weights="synthetic")
    pipe = clone(make_pipeline(*steps, WriterDependentSVC(gamma="auto"))).fit(scans, target)
    assert pipe[-1].gamma_ == 1 / 1024
    scores = pipe.decision_function(scans)
    assert (scores.argmax(axis=1) == target[:, 0] - 1).all()
    again = pickle.loads(pickle.dumps(pipe))
    np.testing.assert_allclose(again.decision_function(scans), scores, atol=1e-5)


def test_the_name_is_the_file(images):
    featurizer = SigNetFeaturizer(weights="synthetic")
    features = featurizer.fit_transform(images)
    assert featurizer.get_params()["weights"] == "synthetic"
    assert featurizer.architecture_ == "signet_small"
    assert features.shape == (12, 1024)
    assert np.isfinite(features).all()
    assert np.array_equal(SigNetFeaturizer(weights=weights_path("synthetic")).fit_transform(images), features)


def test_features_are_cached(images, tmp_path, monkeypatch):
    computed = []

    def count(extractor, batch):
        computed.extend(batch)
        return extract_features(extractor, batch)

    monkeypatch.setattr(module, "extract_features", count)
    first, again = (SigNetFeaturizer(weights="synthetic", memory=tmp_path).fit_transform(images) for _ in range(2))
    assert np.array_equal(first, again)
    assert len(computed) == len(images)


def test_other_preprocessing_is_warned_of_by_name(images):
    with pytest.warns(UserWarning, match="^synthetic: these weights were trained with images that were preprocessed"):
        SigNetFeaturizer(weights="synthetic").fit(np.maximum(images, 9))
    with pytest.raises(FileNotFoundError, match=r"no file 'sythetic'.*'synthetic'"):
        SigNetFeaturizer(weights="sythetic").fit(images)


@pytest.mark.parametrize("size", [(340, 484), (150, 220), (170, 241)])
def test_images_of_another_resolution_are_an_error_that_names_both(images, size):
    resized = np.resize(images, (len(images), *size))
    found = f"synthetic: .* images of 170 x 242 pixels; found images of {size[0]} x {size[1]}"
    learner = MetaLearnedVerifier(weights="synthetic", n_references=1, training=MetaTraining(epochs=0))
    for estimator in (SigNetFeaturizer(weights="synthetic"), learner):
        with pytest.raises(ValueError, match=found):
            estimator.fit(resized, np.arange(len(resized)))


def test_a_meta_learner_can_start_from_the_weights_in_the_package(signatures, images):
    model = MetaLearnedVerifier(
        weights="synthetic",
        n_references=4,
        n_random_forgeries=0,
        head="distance",
        adapt="head",
        training=MetaTraining(epochs=0, inner_loop=InnerLoop(lr=0.05)),
    ).fit(images, signatures[1])
    assert model.architecture_ == "signet_small"
    assert (model.predict(images) == signatures[1][:, 0]).mean() > 0.8
