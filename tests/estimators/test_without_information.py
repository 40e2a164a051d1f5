"""No information is never an acceptance: features, references, models and queries without any."""

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

from sigkit.estimators import DifferentiableVerifier, WriterDependentSVC
from sigkit.metrics import verification_report
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer

Y = np.repeat(np.arange(6), 6)
SETTINGS = [
    {"kernel": kernel, "scaling": scaling} for kernel in ("rbf", "linear") for scaling in ("shared", "writer", "none")
]


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    return rng.normal(size=(36, 8)) + np.repeat(rng.normal(size=(6, 8)) * 2, 6, axis=0)


def svc(**settings):
    return WriterDependentSVC(**{"gamma": 0.1, "random_state": 0} | settings)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, -3.7, 1e6])
def test_constant_features_are_refused(settings, dtype, value):
    for negatives in ({}, {"dev_writers": [0, 1]}):
        with pytest.raises(ValueError, match="All 36 signatures have the same features"):
            svc(**settings, **negatives).fit(np.full((36, 8), value, dtype), Y)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_that_differ_by_rounding_are_refused(settings, dtype):
    noise = np.random.default_rng(0).normal(size=(36, 8))
    X = (3.7 * (1 + np.finfo(dtype).eps * noise)).astype(dtype)
    with pytest.raises(ValueError, match=r"have the same features|6 of 6 writers cannot be distinguished"):
        svc(**settings).fit(X, Y)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("negatives", [{}, {"n_peer_negatives": 1}, {"dev_writers": [0, 1, 5]}], ids=str)
@pytest.mark.parametrize(("dtype", "offset"), [(np.float64, 0), (np.float32, 1e4)])
def test_the_same_references_for_all_writers_are_refused(settings, negatives, dtype, offset):
    X = np.tile(np.random.default_rng(0).normal(size=(6, 8)) * (1 + offset) + offset, (6, 1)).astype(dtype)
    with pytest.raises(ValueError, match=r"(6 of 6|3 of 3) writers cannot be distinguished from others: "):
        svc(**settings, **negatives).fit(X, Y)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_query_without_information_is_not_identified(features, settings):
    model = svc(**settings).fit(features, Y)
    blank = np.zeros((3, 8))
    assert model.predict(blank).tolist() == [0, 0, 0]
    assert model.score(blank, [0, 0, 0]) == 0
    assert model.score(np.concatenate([blank, features[:1]]), [0, 0, 0, 0]) == 0.25 * model.score(features[:1], [0])


@pytest.mark.filterwarnings("ignore:.* copies of references")
def test_a_kernel_that_distinguishes_nothing_is_refused(features):
    with pytest.raises(ValueError, match=r"6 of 6 writers cannot be distinguished.*gamma"):
        svc(gamma=1e-30).fit(features, Y)
    # Both writers have the same mean, so a linear function cannot tell them apart.
    crossed = np.repeat([[1.0, 0], [-1, 0], [0, 1], [0, -1]], 3, axis=0)
    writers = np.repeat(["ada", "bob"], 6)
    with pytest.raises(ValueError, match="2 of 2 writers cannot be distinguished from others: 'ada', 'bob'"):
        svc(kernel="linear").fit(crossed, writers)
    assert svc(gamma=1.0).fit(crossed, writers).verify(crossed, writers).all()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_writer_without_information_is_named_and_rejected(features, settings, tmp_path):
    X = np.where(Y[:, None] == 4, 0.0, features)
    model = svc(**settings, dev_writers=[0, 1])
    with pytest.warns(UserWarning, match=r"1 of 4 writers cannot be distinguished from others: 4\.") as caught:
        model.fit(X, Y)
    assert caught[0].filename == __file__
    queries = np.concatenate([features, X])
    claims = np.full(len(queries), 4)
    assert (model.claim_scores(queries, claims) == -10).all()
    for threshold in (0.0, -10.0, -1e9, {4: -50.0}):
        assert not model.verify(queries, claims, threshold).any()
    scores = model.decision_function(features)
    assert (scores[:, 2] == -10).all()
    assert not (model.predict(features) == 4).any()
    others = svc(**settings, dev_writers=[0, 1]).fit(X[Y != 4], Y[Y != 4])
    if settings["scaling"] == "writer":
        assert np.array_equal(scores[:, [0, 1, 3]] >= 0, others.decision_function(features) >= 0)
    # Metrics count its genuine claims as rejected, and its forgeries too.
    enrolled = Y > 1
    report = verification_report(Y[enrolled], scores[enrolled], classes=model.classes_, n_bootstraps=0)
    own = (Y[enrolled] == 4).mean()
    assert report.estimates["frr"].value >= own
    with pytest.raises(ValueError, match="The model of the writer 4 has no information"):
        model.export_writer(4, tmp_path / "writer")
    with pytest.raises(ValueError, match="1 of 1 writers cannot be distinguished from others: 9"):
        model.enroll(np.zeros((5, 8)), [9] * 5)
    assert 9 not in model.classes_


@pytest.mark.filterwarnings("ignore:.* copies of references")
def test_one_reference_that_equals_a_negative(features):
    """The others have information, so the writer is enrolled, and scores are those of the SVM."""
    X = features.copy()
    X[0] = X[6]
    model = svc().fit(X, Y)
    assert model.verify(X[1:6], Y[1:6]).all()
    assert not model.verify(X[7:12], Y[1:6]).any()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_queries_of_zeros_are_rejected(features, settings, dtype):
    model = svc(**settings).fit(features.astype(dtype), Y)
    queries = features.astype(dtype)
    expected = model.decision_function(queries)
    queries[[3, 20]] = 0
    scores = model.decision_function(queries)
    assert (scores[[3, 20]] == -10).all()
    assert np.array_equal(np.delete(scores, [3, 20], 0), np.delete(expected, [3, 20], 0))
    assert not model.verify(np.zeros((6, 8), dtype), np.arange(6), threshold=-100.0).any()


def test_a_single_feature_may_be_zero():
    model = svc(gamma=1.0).fit([[0.0], [0.1], [5.0], [5.1]], [1, 1, 2, 2])
    assert model.verify([[0.0], [0.0]], [1, 2]).tolist() == [True, False]


@pytest.mark.filterwarnings("ignore:.* copies of references")
@pytest.mark.parametrize("scaling", ["shared", "writer", "none"])
@pytest.mark.parametrize(("dtype", "n_writers"), [(np.float32, 2), (np.float64, 2), (np.float32, 3)])
def test_queries_far_from_all_references_are_rejected(features, scaling, dtype, n_writers):
    rows = n_writers > Y
    X, y = features[rows].astype(dtype), Y[rows]
    model = svc(scaling=scaling).fit(X, y)
    assert model.verify(X, y).all()
    for far in (X + 1e3, X * 1e6, X - 50, np.full_like(X, 1e12), np.full_like(X, 30)):
        far = far.astype(dtype)
        for writer in model.classes_.tolist():
            claims = np.full(len(far), writer)
            assert not model.verify(far, claims).any()
            assert not model.verify(far, claims, {writer: -50.0}).any()
        assert (model.decision_function(far) < 0).all()


def test_a_positive_intercept_far_from_everything_is_not_a_score(features):
    X, y = features[:12], Y[:12]
    model = svc().fit(X, y)
    intercepts = np.array([model.models_[writer].intercept for writer in (0, 1)])
    assert intercepts.max() > 0
    assert model.decision_function(X[:1] + 1e3)[0].tolist() == [
        -10.0 if intercept >= 0 else intercept for intercept in intercepts.tolist()
    ]


class TestMetaLearnedVerifier:
    """Images without ink, networks without a response, and references that are those of others."""

    FORMS = ({}, {"keep": "weights"}, {"adapt": "head"}, {"head": "distance"}, {"head": "distance", "adapt": "head"})

    @pytest.mark.parametrize("parameters", [*FORMS, {"n_random_forgeries": 0}], ids=str)
    def test_blank_queries_are_rejected(self, blots, fitted_verifier, parameters):
        X, _ = blots
        model = fitted_verifier(**parameters)
        queries = X[-4:].copy()
        expected = model.decision_function(queries)
        queries[1], queries[3] = 0, 255
        assert np.array_equal(model.decision_function(queries)[[0, 2]], expected[[0, 2]])
        assert (model.decision_function(queries)[[1, 3]] == -10).all()
        assert not model.verify(queries[[1, 3]], [5, 7], threshold=-1e9).any()

    @pytest.mark.parametrize("parameters", [*FORMS, {"n_random_forgeries": 0}], ids=str)
    def test_a_dead_network_accepts_nobody(self, blots, make_verifier, parameters):
        X, y = blots
        model = make_verifier(training__epochs=0, **parameters).fit(X, y)
        for name, parameter in model.learner_.network.named_parameters():
            if "bias" not in name:
                parameter.data.zero_()
        known = (y[:, 0] > 4) & (y[:, 1] == 0)
        if model._keeps_references():
            model.enroll(X[known], y[known])
            with pytest.warns(UserWarning, match="3 writers cannot be distinguished from others: 5, 6, 7.*rejected"):
                scores = model.decision_function(X)
            assert (scores == -10).all()
            with pytest.warns(UserWarning, match="1 writers cannot be distinguished from others: 6"):
                assert not model.verify(X[:2], [6, 6], -1e9).any()
        else:
            with pytest.raises(ValueError, match="3 of 3 writers cannot be distinguished from others: 5, 6, 7"):
                model.enroll(X[known], y[known])

    @pytest.mark.parametrize("parameters", FORMS, ids=str)
    @pytest.mark.parametrize("n_random_forgeries", [1, 10])
    def test_the_same_references_for_all_writers_are_refused(
        self, blots, make_verifier, parameters, n_random_forgeries
    ):
        X, y = blots
        X = np.tile(X[(y[:, 0] == 1) & (y[:, 1] == 0)], (3, 1, 1))
        model = make_verifier(dev_writers=None, training__epochs=0, n_random_forgeries=n_random_forgeries, **parameters)
        with pytest.raises(ValueError, match="3 of 3 writers cannot be distinguished from others: 1, 2, 3"):
            model.fit(X, np.repeat([1, 2, 3], 8))

    @pytest.mark.parametrize("parameters", FORMS, ids=str)
    def test_blank_references_are_named(self, blots, make_verifier, parameters):
        X, y = blots
        X = np.where((y[:, 0] == 6)[:, None, None], 0, X)
        with pytest.warns(UserWarning, match=r"1 of 3 writers cannot be distinguished from others: 6\."):
            model = make_verifier(training__epochs=0, **parameters).fit(X, y)
        assert not model.verify(X, [6] * len(X), threshold=-1e9).any()
        assert (model.decision_function(X[:4])[:, [0, 2]] != -10).all()

    def test_an_adaptation_that_diverges_does_not_stop_the_others(self, blots, make_verifier):
        X, y = blots
        model = make_verifier(training__epochs=0).fit(X, y)
        expected = model.decision_function(X[:4])
        adapt = type(model)._score_enrolled.__globals__["Adaptation"].adapt

        def diverging(self, writer, references, forgeries):
            if writer == 6:
                self.learner.rates.data.fill_(float("inf"))
            try:
                return adapt(self, writer, references, forgeries)
            finally:
                self.learner.rates.data.fill_(0.1)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sigkit.estimators._meta._adapt_network.Adaptation.adapt", diverging)
            with pytest.warns(UserWarning, match="1 writers cannot be distinguished from others: 6.*diverges"):
                scores = model.decision_function(X[:4])
        assert (scores[:, 1] == -10).all()
        assert np.array_equal(scores[:, [0, 2]], expected[:, [0, 2]])


@pytest.mark.parametrize("settings", [{}, {"kernel": "linear"}, {"scaling": "writer"}], ids=str)
def test_differentiable_scores_are_those_of_the_estimator(blots, settings):
    X, y = blots
    genuine = y[:, 1] == 0
    featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0).fit(X, y)
    features = featurizer.transform(X)
    model = svc(**settings, dev_writers=[1, 2, 3])
    references = np.where((y[:, 0] == 6)[:, None], 0, features)[genuine]
    with pytest.warns(UserWarning, match="1 of 4 writers cannot be distinguished from others: 6"):
        model.fit(references, y[genuine])
    verifier = DifferentiableVerifier(make_pipeline(featurizer, model))
    images = torch.tensor(X, dtype=torch.float32, requires_grad=True)
    for writer in (5, 6):
        scores = verifier(images, [writer] * len(X))
        expected = model.claim_scores(features, [writer] * len(X))
        np.testing.assert_allclose(scores.detach().numpy(), expected, atol=1e-4)
        (gradient,) = torch.autograd.grad(scores.sum(), images)
        assert torch.isfinite(gradient).all()
        assert bool(gradient.any()) == (writer == 5)


def test_differentiable_scores_far_from_all_references(blots):
    X, y = blots
    featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0).fit(X, y)
    features = featurizer.transform(X)
    # A kernel so narrow that every signature is far from all others.
    known = (y[:, 0] <= 2) & (y[:, 1] == 0)
    model = svc(gamma=100.0).fit(features[known], y[known])
    verifier = DifferentiableVerifier(make_pipeline(featurizer, model))
    claims = np.resize([1, 2], len(X))
    expected = model.claim_scores(features, claims)
    assert (expected == -10).any()
    np.testing.assert_allclose(verifier(torch.tensor(X).float(), claims).numpy(), expected, atol=0.02)


@pytest.mark.parametrize("parameters", [{}, {"adapt": "head"}], ids=str)
def test_differentiable_scores_of_blank_images(blots, fitted_verifier, parameters):
    X, _ = blots
    model = fitted_verifier(**parameters)
    images = torch.tensor(X[:3], dtype=torch.float32)
    images[1] = 0
    images.requires_grad_()
    scores = DifferentiableVerifier(model)(images, [5, 5, 6])
    np.testing.assert_allclose(scores.detach(), model.claim_scores(images.detach().numpy(), [5, 5, 6]), atol=1e-5)
    assert scores[1] == -10
    scores.sum().backward()
    assert torch.isfinite(images.grad).all()
    assert not images.grad[1].any()
