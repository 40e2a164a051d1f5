"""Fusion of verifiers: the gate, weights, parameters, enrollment, and bad input."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import StrokeMatcher, VerifierFusion, WriterDependentSVC, make_fused_verifier
from sigkit.estimators._fusion._combination import Combination, learn_combination
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor, StrokeFeaturizer

DEV = [1, 2, 3, 4]


class NoVerifier(KNeighborsClassifier):
    """A classifier with some methods of a verifier."""

    claim_scores = decision_function = KNeighborsClassifier.predict_proba


@pytest.fixture(scope="module")
def images():
    """Four development writers and three others, with seven genuine signatures and two forgeries each."""
    scans, target = make_signatures(n_writers=7, n_genuine=7, n_skilled=2, random_state=0)
    return SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans), target


@pytest.fixture(scope="module")
def parts(images):
    """Rows of development writers and references, and rows of queries."""
    is_query = np.tile(np.arange(9) >= 4, 7) & (images[1][:, 0] > 4)
    return np.flatnonzero(~is_query), np.flatnonzero(is_query)


def make(**settings):
    svm = make_pipeline(CLBPFeaturizer(), WriterDependentSVC(gamma="scale", dev_writers=DEV, random_state=0))
    strokes = make_pipeline(StrokeFeaturizer(n_points=80), StrokeMatcher(dev_writers=DEV))
    return VerifierFusion([("svm", svm), ("strokes", strokes)], dev_writers=DEV, random_state=0, **settings)


@pytest.fixture(scope="module")
def fitted(images, parts):
    return make().fit(images[0][parts[0]], images[1][parts[0]])


def test_scores_are_bounded_sums(images, parts, fitted):
    queries = images[0][parts[1]]
    svm, strokes = (one.decision_function(queries) for one in fitted.verifiers_)
    scores = fitted.decision_function(queries)
    assert fitted.weights_.tolist() == [1, 0.4]
    matched = svm >= -0.5
    assert 0 < matched.sum() < matched.size
    np.testing.assert_allclose(scores, svm + 0.4 * np.where(matched, np.clip(strokes, -2, 2), -2))
    assert fitted.count_matched(queries).tolist() == matched.sum(axis=1).tolist()
    claimed = images[1][parts[1], 0]
    own = scores[np.arange(len(queries)), claimed - 5]
    np.testing.assert_allclose(fitted.claim_scores(queries, claimed), own, atol=1e-4)
    assert fitted.verify(queries, claimed, threshold=0.1).tolist() == (own >= 0.1).tolist()
    genuine = images[1][parts[1], 1] == 0
    assert fitted.score(queries[genuine], claimed[genuine]) > 0.8


def test_no_claim_out_of_reach_gains():
    combination = Combination(np.array([1.0, 0.3]), 0.0, -0.5, (-2.0, 1.0))
    first, others = np.array([-0.6, -0.5, 2.0]), np.array([[9.0, -9.0, 9.0]])
    assert combination.apply(first, others).tolist() == pytest.approx([-1.2, -1.1, 2.3])


def test_weights_are_learned_from_development_writers_alone(images, parts):
    X, y = images[0][parts[0]], images[1][parts[0]]
    learned = make(weights="learned", reach=-2).fit(X, y)
    assert learned.weights_[0] == 1
    assert learned.weights_[1] >= 0
    assert learned.intercept_ != 0
    # Other references of the same number change nothing.
    others = y[:, 0] > 4
    changed = X.copy()
    changed[others] = X[others][:, ::-1]
    again = make(weights="learned", reach=-2).fit(changed, y)
    assert again.weights_.tolist() == learned.weights_.tolist()
    assert again.intercept_ == learned.intercept_
    with pytest.warns(UserWarning, match="needs forgeries of at least four development writers"):
        model = make(weights="learned").fit(X[y[:, 1] == 0], y[y[:, 1] == 0])
    assert model.weights_.tolist() == [1, 0.4]


def test_learned_weights_separate():
    rng = np.random.default_rng(0)
    is_genuine = np.arange(400) % 2 == 0
    scores = rng.normal(size=(400, 3)) + np.outer(is_genuine, [2.0, 1.0, 0.0])
    scores[:, 2] -= is_genuine
    combination = learn_combination(scores, is_genuine, -0.5, (-9.0, 9.0))
    assert combination.weights[0] == 1
    assert 0.3 < combination.weights[1] < 0.7
    assert combination.weights[2] == 0
    assert learn_combination(-scores, is_genuine, -0.5, (-9.0, 9.0)) is None


def test_enroll_remove_pickle(images, parts, fitted):
    X, y = images
    model, queries = copy.copy(fitted), X[parts[1]]
    before = fitted.decision_function(queries)
    assert model.remove([6]).classes_.tolist() == [5, 7]
    assert fitted.classes_.tolist() == [5, 6, 7]
    np.testing.assert_allclose(model.decision_function(queries), before[:, [0, 2]])
    own = parts[0][y[parts[0], 0] == 6]
    model.enroll(X[own], y[own])
    np.testing.assert_allclose(pickle.loads(pickle.dumps(model)).decision_function(queries), before, atol=1e-3)
    with pytest.raises(ValueError, match=r"not enrolled: 9"):
        model.remove([9])
    with pytest.raises(ValueError, match=r"Development writers cannot be enrolled: 2"):
        model.enroll(X[:1], [2])
    # If one verifier refuses, none enrolls.
    with pytest.raises(ValueError, match="no ink"):
        model.enroll(np.zeros_like(X[:2]), [11, 11])
    assert [one.classes_.tolist() for one in model.verifiers_] == [[5, 6, 7]] * 2
    assert model.named_verifiers_["svm"] is model.verifiers_[0]


def test_no_information(images, fitted):
    X, _ = images
    blank = np.zeros_like(X[:1])
    svm = fitted.verifiers_[0]
    score = fitted.claim_scores(blank, [5])[0]
    assert score <= svm[-1].claim_scores(svm[:-1].transform(blank), [5])[0] - 0.59
    assert np.isfinite(fitted.decision_function(blank)).all()
    # Where the first verifier has no information, the fusion has none.
    model = VerifierFusion([("strokes", make().verifiers[1][1]), ("svm", make().verifiers[0][1])]).fit(*images)
    assert model.claim_scores(blank, [5])[0] == -10
    assert not model.verify(blank, [5], threshold=-1e300)[0]


def test_parameters_and_grid_search(images):
    fusion = make()
    assert fusion.get_params()["strokes__strokematcher__allowance"] == 1.0
    assert clone(fusion).set_params(svm__writerdependentsvc__C=3).get_params()["svm__writerdependentsvc__C"] == 3
    fusion.set_params(strokes=make_pipeline(StrokeFeaturizer(n_points=30), StrokeMatcher(dev_writers=DEV)))
    grid = {"weights": [None, [1, 0]], "strokes__strokefeaturizer__n_points": [30]}
    split = WriterSplit(n_references=4, n_queries=3, dev_writers=DEV, n_splits=1, random_state=0)
    search = GridSearchCV(fusion, grid, cv=split, scoring=verification_scorer, refit="neg_eer").fit(*images)
    assert set(search.best_params_) == set(grid)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weights": [1.0]}, "weights must be one number per verifier"),
        ({"weights": [1.0, -1.0]}, "at least 0"),
        ({"weights": "equal"}, "weights"),
        ({"weights": [0, 0]}, "not all 0"),
        ({"weights": ["much", "little"]}, "weights must be one number per verifier"),
        ({"bounds": (1.0, 0.0)}, "bounds must be two numbers"),
        ({"bounds": (-np.inf, 1.0)}, "bounds must be two numbers, finite"),
        ({"bounds": ("low", "high")}, "bounds must be two numbers"),
        ({"verifiers": [StrokeMatcher()]}, r"list of \(name, verifier\); found StrokeMatcher\(\)"),
        ({"verifiers": [("a", NoVerifier())]}, "'a' must end in a verifier, .* has no enroll, remove, verify"),
        ({"verifiers": []}, "found none"),
        ({"verifiers": [("features", StrokeFeaturizer())]}, "'features' must end in a verifier"),
        ({"verifiers": [("a", StrokeMatcher()), ("a", StrokeMatcher())]}, "not unique"),
    ],
)
def test_bad_parameters(images, settings, message):
    with pytest.raises(ValueError, match=message):
        make().set_params(**settings).fit(*images)


def test_verifiers_with_other_writers(images):
    fusion = make().set_params(strokes__strokematcher__dev_writers=None)
    with pytest.raises(ValueError, match=r"'svm' and 'strokes' have not enrolled the same writers.* 1, 2, 3, 4"):
        fusion.fit(*images)


def test_data_frames(images, parts):
    pandas = pytest.importorskip("pandas")
    X = CLBPFeaturizer().fit_transform(images[0])
    svms = [(name, WriterDependentSVC(gamma=name, dev_writers=DEV, random_state=0)) for name in ("scale", "auto")]
    scores = []
    for kind in (np.asarray, pandas.DataFrame, np.ndarray.tolist):
        references, queries = (kind(X[rows]) for rows in parts)
        model = VerifierFusion(svms, weights="learned", dev_writers=DEV, reach=-1, random_state=0)
        model.fit(references, images[1][parts[0]])
        scores.append(model.claim_scores(queries, images[1][parts[1], 0]))
        assert model.decision_function(queries).shape == (15, 3)
    # The features of lists and data frames are in float64.
    np.testing.assert_allclose(scores[1:], [scores[0]] * 2, atol=1e-3)


def test_development_writers_who_are_enrolled(images):
    fusion = make().set_params(strokes__strokematcher__dev_writers=[1, 2], svm__writerdependentsvc__dev_writers=[1, 2])
    with pytest.raises(ValueError, match=r"enrolled development writers of the fusion: 3, 4\. Set the same"):
        fusion.fit(*images)


def test_weights_are_learned_without_writers_of_one_signature(images, parts):
    X, y = images[0][parts[0]], images[1][parts[0]].copy()
    has_one = (y[:, 0] == 4) & (y[:, 1] == 0) & (np.cumsum(y[:, 0] == 4) > 1)
    with pytest.warns(UserWarning, match="who have two genuine signatures"):
        assert make(weights="learned").fit(X[~has_one], y[~has_one]).weights_.tolist() == [1, 0.4]


def test_weights_without_claims_within_reach(images, parts):
    with pytest.warns(UserWarning, match=r"does not separate the claims .* reach=50"):
        model = make(weights="learned", reach=50).fit(images[0][parts[0]], images[1][parts[0]])
    assert model.weights_.tolist() == [1, 0.4]


def test_claims_are_parsed_as_those_of_the_verifiers(images, parts, fitted):
    queries, target = images[0][parts[1]], images[1][parts[1]]
    scores = fitted.claim_scores(queries, target[:, 0])
    assert fitted.claim_scores(queries, target).tolist() == scores.tolist()
    with pytest.raises(ValueError, match="no fixed order"):
        fitted.claim_scores(queries[:2], {5, 6})


def test_the_recommended_verifier(tmp_path):
    scans, target = make_signatures(n_writers=4, n_genuine=5, n_skilled=2, random_state=5)
    images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    is_reference = np.tile(np.arange(7) < 4, 4)
    fused = make_fused_verifier(dev_writers=[1, 2], memory=tmp_path, random_state=0).set_params(svm__svc__C=2.0)
    fused.fit(images[is_reference], target[is_reference])
    assert fused.classes_.tolist() == [3, 4]
    assert fused.named_verifiers_["svm"]["svc"].C == 2.0
    queries, claims = images[~is_reference][-6:], target[~is_reference][-6:]
    scores = fused.claim_scores(queries, claims[:, 0])
    assert scores[claims[:, 1] == 0].mean() > scores[claims[:, 1] == 1].mean() + 0.3
    assert {path.name for path in (tmp_path / "sigkit").iterdir()} == {"features", "strokes"}
    again = clone(fused).fit(images[is_reference], target[is_reference])
    assert np.array_equal(again.claim_scores(queries, claims[:, 0]), scores)


def test_a_warning_is_not_repeated_by_each_verifier(images):
    X, target = images
    rows = [*np.flatnonzero(np.isin(target[:, 0], DEV)), 36]
    with pytest.warns(UserWarning, match="1 of 1 writers have one reference only: 5") as caught:
        fused = make_fused_verifier(dev_writers=DEV).fit(X[rows], target[rows])
    assert len(caught) == 1
    with pytest.warns(UserWarning, match="1 of 1 writers have one reference only: 6") as caught:
        fused.enroll(X[[45]], [6])
    assert len(caught) == 1


@pytest.mark.filterwarnings("ignore:.*one reference only")
def test_the_recommended_verifier_with_odd_signatures(images):
    X, y = images
    blank, dot, line = np.zeros((3, 170, 242), dtype=np.uint8)
    dot[85, 121] = 255
    line[85, 60:180] = 200
    odd = np.array([blank, dot, line])
    references = np.flatnonzero(np.tile(np.arange(9) < 3, 7))
    fused = make_fused_verifier(dev_writers=DEV).fit(X[references], y[references])
    scores = fused.decision_function(odd)
    assert np.isfinite(scores).all()
    assert not fused.verify(odd, [5, 6, 7]).any()
    # One reference, and the same one twice.
    one = fused.enroll(X[[36]], [8]).claim_scores(X[36:40], [8] * 4)
    twice = fused.enroll(X[[36, 36]], [8, 8]).claim_scores(X[36:40], [8] * 4)
    assert np.isfinite(one).all()
    np.testing.assert_allclose(twice, one, atol=0.2)
    with pytest.raises(ValueError, match=r"no ink|cannot be distinguished"):
        fused.enroll(blank[None], [9])
    assert 9 not in fused.classes_.tolist()
    with pytest.raises(ValueError, match=r"is expecting images of shape \(170, 242\)"):
        fused.claim_scores(X[:2, :100], [8, 8])
