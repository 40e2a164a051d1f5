"""The steps of a Pipeline."""

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import sigkit.transformers
from sigkit._utils import before_last_step, last_step, named_steps, preprocesses_scans, steps_after_preprocessing
from sigkit.estimators import WriterDependentSVC
from sigkit.transformers import OnnxFeaturizer, SignaturePreprocessor, SigNetFeaturizer


def test_only_the_preprocessor_takes_scans():
    classes = {getattr(sigkit.transformers, name) for name in sigkit.transformers.__all__} - {OnnxFeaturizer}
    transformers = [*(step() for step in classes), OnnxFeaturizer(SigNetFeaturizer())]
    assert [type(step) for step in transformers if preprocesses_scans(step)] == [SignaturePreprocessor]
    assert not preprocesses_scans(object())


def test_steps_of_nested_pipelines():
    featurizer, svc = SigNetFeaturizer(), WriterDependentSVC()
    pipe = make_pipeline(make_pipeline(SignaturePreprocessor(), featurizer), "passthrough", svc)
    assert [name for name, _ in named_steps("pipe", pipe)] == [
        "signaturepreprocessor",
        "signetfeaturizer",
        "writerdependentsvc",
    ]
    assert steps_after_preprocessing(pipe) == ([("signetfeaturizer", featurizer)], svc)
    assert steps_after_preprocessing(svc) == ([], svc)
    assert last_step(pipe) is last_step(svc) is svc


def test_the_last_step_must_score_claims():
    with pytest.raises(ValueError, match=r"must score claims, .*'svc' is a SVC"):
        steps_after_preprocessing(make_pipeline(StandardScaler(), SVC()))


def test_input_of_the_verifier():
    X, y = [[0.0], [2.0]], [0, 1]
    pipe = make_pipeline(StandardScaler(), SVC()).fit(X, y)
    assert before_last_step(pipe, X).tolist() == [[-1.0], [1.0]]
    assert before_last_step(pipe[1:], X) is X
