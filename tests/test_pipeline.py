"""The whole flow, from scans to error rates, with scikit-learn's own tools."""

import pickle
from collections import Counter

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline

import sigkit.transformers._scan_steps as steps_module
import sigkit.transformers._signet_featurizer as featurizer_module
from sigkit.datasets import load_folder, make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.metrics import make_verification_scorer, verification_report, verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.nets import build_network, save_weights
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

DEV = range(1, 4)
KEYS = {"neg_eer", "neg_eer_writer", "neg_frr", "neg_far_random", "neg_far_skilled", "mean_auc"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Files of synthetic signatures of seven writers, three of them the development set."""
    folder = tmp_path_factory.mktemp("scans")
    scans, target = make_signatures(n_writers=7, n_genuine=9, n_skilled=4, resolution=150, random_state=0)
    number = Counter()
    for scan, (writer, forgery) in zip(scans, target.tolist()):
        number[writer, forgery] += 1
        Image.fromarray(scan).save(folder / f"{'gf'[forgery]}-{writer}-{number[writer, forgery]:02d}.png")
    return load_folder(folder, "{kind}-{writer}-*.png")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(path, build_network("tiny", seed=0), "tiny")
    return str(path)


def make_pipe(weights, memory=None, pipeline_memory=None):
    return Pipeline(
        [
            ("preprocess", SignaturePreprocessor(canvas_size=(383, 545), image_size=(85, 121), memory=memory)),
            ("features", SigNetFeaturizer(weights=weights, memory=memory)),
            ("svc", WriterDependentSVC(gamma=0.05, dev_writers=DEV, random_state=0)),
        ],
        memory=pipeline_memory,
    )


@pytest.fixture
def split():
    return WriterSplit(n_references=5, n_queries=4, dev_writers=DEV, n_splits=3, random_state=0)


def test_cross_validate(corpus, weights, split):
    pipe = make_pipe(weights)
    scores = cross_validate(
        pipe, corpus.images, corpus.target, cv=split, scoring=verification_scorer, error_score="raise"
    )
    assert {name.removeprefix("test_") for name in scores if name.startswith("test_")} == KEYS
    assert scores["test_neg_eer"].shape == (3,)
    assert (scores["test_mean_auc"] > 0.6).all()
    assert (scores["test_neg_far_random"] > -0.6).all()


def test_grid_search_featurizes_each_image_once(corpus, weights, split, tmp_path, monkeypatch):
    seen = Counter()
    for module, name in ((steps_module, "preprocess_image"), (featurizer_module, "extract_features")):
        original = getattr(module, name)

        def count(first, *args, original=original, name=name, **settings):
            seen[name] += 1 if name == "preprocess_image" else len(args[0])
            return original(first, *args, **settings)

        monkeypatch.setattr(module, name, count)
    pipe = make_pipe(weights, memory=tmp_path)
    grid = {"svc__C": [1, 10], "svc__gamma": ["scale", 2**-11]}
    search = GridSearchCV(pipe, grid, cv=split, scoring=verification_scorer, refit="neg_eer", error_score="raise")
    search.fit(corpus.images, corpus.target)
    assert seen == {"preprocess_image": len(corpus.images), "extract_features": len(corpus.images)}
    assert set(search.best_params_) == set(grid)
    assert search.cv_results_["mean_test_neg_eer"].shape == (4,)
    assert search.best_estimator_.decision_function(corpus.images[:2]).shape == (2, 4)
    assert search.classes_.tolist() == [4, 5, 6, 7]


def test_results_do_not_depend_on_memory(corpus, weights, split, tmp_path):
    scorer = make_verification_scorer("eer")
    uncached, by_image, by_step = (
        cross_validate(pipe, corpus.images, corpus.target, cv=split, scoring=scorer)["test_score"]
        for pipe in (
            make_pipe(weights),
            make_pipe(weights, memory=joblib.Memory(tmp_path / "images", verbose=0)),
            make_pipe(weights, pipeline_memory=str(tmp_path / "folds")),
        )
    )
    np.testing.assert_allclose(uncached, by_image)
    np.testing.assert_allclose(uncached, by_step)


def test_clone_pickle_and_report(corpus, weights, split):
    train, test = next(split.split(corpus.images, corpus.target))
    pipe = clone(make_pipe(weights)).fit(corpus.images[train], corpus.target[train])
    again = pickle.loads(pickle.dumps(pipe))
    scores = again.decision_function(corpus.images[test])
    np.testing.assert_allclose(scores, pipe.decision_function(corpus.images[test]))
    report = verification_report(corpus.target[test], scores, classes=pipe.classes_, random_state=0)
    assert set(report.estimates) == {name.removeprefix("neg_") for name in KEYS}
    claimed = corpus.target[test][:, 0]
    features = pipe[:-1].transform(corpus.images[test])
    columns = np.searchsorted(pipe.classes_, claimed)
    claims = pipe[-1].claim_scores(features, claimed)
    np.testing.assert_allclose(claims, scores[np.arange(len(test)), columns], atol=1e-4)


def test_set_output(corpus, weights):
    pipe = make_pipe(weights).set_output(transform="pandas").fit(corpus.images, corpus.target)
    assert pipe[:-1].transform(corpus.images[:3]).columns[-1] == "signetfeaturizer15"
    assert pipe[-1].feature_names_in_[0] == "signetfeaturizer0"


def test_training_folds_can_be_scored_too(corpus, weights, split):
    options = {"cv": split, "scoring": make_verification_scorer("frr"), "return_train_score": True}
    with pytest.warns(UndefinedMetricWarning, match="39 signatures are by development writers .*: 1, 2, 3"):
        scores = cross_validate(make_pipe(weights), corpus.images, corpus.target, **options)
    assert (scores["train_score"] >= scores["test_score"]).all()


def test_identification(corpus, weights):
    genuine = (corpus.target[:, 1] == 0) & (corpus.target[:, 0] > 3)
    pipe = make_pipe(weights).fit(corpus.images, corpus.target)
    assert pipe.score(corpus.images[genuine], corpus.target[genuine]) > 0.6


def test_the_grid_survives_parallel_workers(corpus, weights, split):
    # A fit for each process: where psutil is installed, joblib replaces processes that grew, and may then wait forever.
    split = clone(split, safe=False)
    split.n_splits = 2
    search = GridSearchCV(
        make_pipe(weights), {"svc__C": [10]}, cv=split, scoring=verification_scorer, refit="neg_eer", n_jobs=2
    )
    assert np.isfinite(search.fit(corpus.images, corpus.target).best_score_)
