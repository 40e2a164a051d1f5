"""Enrollment in a fitted MetaLearnedVerifier: references, random forgeries, removal, memory, bad claims."""

import pickle
from contextlib import nullcontext

import numpy as np
import pytest

from sigkit.nets import build_network

N_GENUINE = 8


def copy_of(model):
    return pickle.loads(pickle.dumps(model))


def test_stored_weights_and_stored_references_give_the_same_scores(blots, fitted_verifier):
    X, _ = blots
    kept = fitted_verifier(keep="weights")
    np.testing.assert_allclose(kept.decision_function(X), fitted_verifier().decision_function(X), atol=1e-6)


def test_the_stored_state_of_a_writer_is_small(blots, fitted_verifier):
    X, _ = blots
    assert len(pickle.dumps(fitted_verifier()._enrolled.known[5])) < X[:N_GENUINE].nbytes
    head = fitted_verifier(adapt="head")
    assert sum(weight.numel() for weight in head._enrolled.known[5].values()) == 17


def test_enrolling_later_equals_enrolling_in_fit(blots, make_verifier, fitted_verifier):
    X, y = blots
    wanted = fitted_verifier().decision_function(X)
    late = y[:, 0] == 7
    model = make_verifier().fit(X[~late], y[~late])
    assert model.classes_.tolist() == [5, 6]
    before = model.decision_function(X[-5:])
    model.enroll(X[late], y[late])
    assert model.classes_.tolist() == [5, 6, 7]
    np.testing.assert_allclose(model.decision_function(X[-5:])[:, :2], before)
    np.testing.assert_allclose(model.decision_function(X), wanted, atol=1e-6)
    model.remove([5])
    assert model.classes_.tolist() == [6, 7]
    np.testing.assert_allclose(model.decision_function(X), wanted[:, 1:], atol=1e-6)


def test_fit_with_development_writers_only(blots, make_verifier, fitted_verifier):
    X, y = blots
    is_dev = y[:, 0] <= 4
    model = make_verifier().fit(X[is_dev], y[is_dev])
    with pytest.raises(ValueError, match="No writer is enrolled yet"):
        model.decision_function(X)
    model.enroll(X[~is_dev], y[~is_dev])
    np.testing.assert_allclose(model.decision_function(X), fitted_verifier().decision_function(X), atol=1e-6)


def test_peers_are_random_forgeries_without_development_writers(blots, make_verifier):
    X, y = blots
    untrained = {"dev_writers": None, "training__epochs": 0}
    model = make_verifier(**untrained).fit(X, y)
    assert model.classes_.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert model.history_ is None
    third = y[:, 0] == 3
    with pytest.raises(ValueError, match="one class only, the writer 3, and dev_writers is None"):
        make_verifier(**untrained).fit(X[third], y[third])
    one_class = make_verifier(**untrained, n_random_forgeries=0).fit(X[third], y[third])
    assert one_class.decision_function(X).shape == (len(X), 1)


@pytest.mark.parametrize("parameters", [{}, {"keep": "weights"}, {"adapt": "head"}])
def test_removing_peers_does_not_change_the_others(blots, make_verifier, parameters):
    X, y = blots
    model = make_verifier(dev_writers=None, training__epochs=0, **parameters).fit(X, y)
    before = model.decision_function(X)
    for removed in ([1, 2], [4], [5, 6, 7]):
        model.remove(removed)
        kept = model.classes_.tolist()
        assert np.array_equal(model.decision_function(X), before[:, [writer - 1 for writer in kept]])
    assert kept == [3]


def test_removed_peers_are_no_longer_random_forgeries(blots, make_verifier):
    X, y = blots
    model = make_verifier(dev_writers=None, training__epochs=0).fit(X, y)
    n_images = len(model.random_forgeries_)
    model.remove([1, 2])
    assert len(model.random_forgeries_) < n_images
    others = model._enrolled.others
    assert not {1, 2} & set(others.owners[others.active].tolist())
    third = (y[:, 0] == 3) & (y[:, 1] == 0)
    again = copy_of(model).enroll(X[third], y[third])
    owners = others.owners[again._enrolled.known[3].forgeries]
    assert not {1, 2, 3} & set(owners.tolist())
    model.remove([4, 5, 6, 7])
    with pytest.raises(ValueError, match="no random forgeries for the writer 3"):
        model.enroll(X[third], y[third])
    # The images to which nobody is adapted any more are dropped.
    assert len(model._enrolled.others.images) < n_images
    assert not len(model.remove([3])._enrolled.others.images[1:])


def test_enrolling_does_not_change_the_others(blots, make_verifier):
    X, y = blots
    first = y[:, 0] <= 5
    model = make_verifier(dev_writers=None, training__epochs=0).fit(X[first], y[first])
    before = model.decision_function(X)
    model.enroll(X[~first], y[~first])
    model.enroll(X[(y[:, 0] == 2) & (y[:, 1] == 0)][::-1], [2] * N_GENUINE)
    assert np.array_equal(model.decision_function(X)[:, [0, 2, 3, 4]], before[:, [0, 2, 3, 4]])


def test_fewer_references_than_in_meta_training_are_used_with_a_warning(blots, fitted_verifier):
    X, y = blots
    model = copy_of(fitted_verifier())
    rows = np.flatnonzero((y[:, 0] == 7) & (y[:, 1] == 0))[:2]
    with pytest.warns(UserWarning, match=r"fewer references than n_references=4.*: 7 \(2\)") as caught:
        model.enroll(X[rows], y[rows])
    assert caught[0].filename == __file__
    assert np.isfinite(model.decision_function(X)).all()


def test_bad_enrollments(blots, fitted_verifier):
    X, y = blots
    model = copy_of(fitted_verifier())
    with pytest.raises(ValueError, match="Development writers cannot be enrolled: 2"):
        model.enroll(X[y[:, 0] == 2], y[y[:, 0] == 2])
    with pytest.raises(ValueError, match="ids like 5; found 'ada'"):
        model.enroll(X[:4], ["ada"] * 4)
    with pytest.raises(ValueError, match="Claims for writers who were never enrolled: 9"):
        model.claim_scores(X[:2], [5, 9])
    with pytest.raises(ValueError, match=r"\(28, 30\), but .* expecting images of shape \(28, 36\)"):
        model.decision_function(X[:, :, :30])
    with pytest.raises(ValueError, match=r"Writers to remove .* not enrolled: 3"):
        model.remove([3])
    assert model.classes_.tolist() == [5, 6, 7]


def test_an_adaptation_that_diverges_names_the_writer(blots, make_verifier):
    X, y = blots
    model = make_verifier(training__epochs=0, adapt="head").fit(X, y)
    model.learner_.rates.data.fill_(float("inf"))
    with pytest.raises(ValueError, match=r"adaptation to the writer 5 diverged.*lower lr"):
        model.enroll(X, np.where(y[:, :1] == 5, y, [5, 1]))


def test_a_fitted_model_keeps_its_adaptation(blots, fitted_verifier):
    X, _ = blots
    model = copy_of(fitted_verifier()).set_params(n_random_forgeries=1, n_updates=1, adapt="head")
    np.testing.assert_array_equal(model.decision_function(X), fitted_verifier().decision_function(X))


def test_a_claim_only_computes_the_features_of_the_query(blots, fitted_verifier, monkeypatch):
    X, _ = blots
    network = type(build_network("tiny"))
    model, sizes, forward = fitted_verifier(adapt="head"), [], network.forward

    def recorded(self, images):
        sizes.append(len(images))
        return forward(self, images)

    monkeypatch.setattr(network, "forward", recorded)
    model.claim_scores(X[-1:], [7])
    assert sizes == [1]


@pytest.mark.parametrize(
    ("parameters", "enrolling", "scoring"),
    [({"keep": "weights"}, True, False), ({"keep": "references"}, False, True), ({"adapt": "head"}, False, False)],
)
def test_freed_memory_is_kept_while_several_writers_are_adapted(
    blots, fitted_verifier, monkeypatch, parameters, enrolling, scoring
):
    X, y = blots
    model, kept = copy_of(fitted_verifier(**parameters)), []
    monkeypatch.setattr(
        "sigkit.estimators._meta._adapt_network.freed_memory_kept", lambda: kept.append(True) or nullcontext()
    )
    known = np.isin(y[:, 0], (5, 6)) & (y[:, 1] == 0)

    def keeps(call, *arguments):
        kept.clear()
        call(*arguments)
        return bool(kept)

    assert keeps(model.enroll, X[known], y[known]) == enrolling
    assert keeps(model.claim_scores, X[:2], [5, 6]) == scoring
    assert keeps(model.decision_function, X[:2]) == scoring
    assert not keeps(model.claim_scores, X[:1], [5])
