"""Verification by strokes: exact neighbors, agreement, enrollment, and bad input."""

import copy
import pickle
import threading

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import StrokeMatcher
from sigkit.estimators._strokes._neighbor_map import NeighborMap, NeighborMaps
from sigkit.estimators._strokes._stroke_points import StrokePoints
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SignaturePreprocessor, StrokeFeaturizer


@pytest.fixture(scope="module")
def images():
    scans, target = make_signatures(n_writers=4, n_genuine=7, n_skilled=2, random_state=0)
    return SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans), target


@pytest.fixture(scope="module")
def strokes(images):
    """Points, target, and the rows that are references: the first five of each writer."""
    points = StrokeFeaturizer(n_points=120).fit_transform(images[0])
    return points, images[1], np.flatnonzero(np.tile(np.arange(9) < 5, 4))


@pytest.fixture(scope="module")
def fitted(strokes):
    points, target, references = strokes
    return StrokeMatcher().fit(points[references], target[references])


def test_nearest_points_are_exact(strokes):
    points = StrokePoints.from_rows(strokes[0][:8])
    rng = np.random.default_rng(0)
    which = np.arange(8)
    positions = rng.uniform(-30, 200, (8, 2, 4000))
    positions[:, :, 2000:] = points.sites[:, :, rng.integers(0, 120, 2000)] + rng.normal(0, 2, (8, 2, 2000))
    maps = NeighborMaps(points.maps, points.sites).of_pairs(which)
    found = maps.find_nearest(positions)[0] - 120 * which[:, None]
    for sites, position, nearest in zip(points.sites, positions, found):
        expected = cKDTree(sites.T).query(position.T)[0]
        np.testing.assert_allclose(np.hypot(*(sites[:, nearest] - position)), expected, atol=1e-9)


@pytest.mark.parametrize("n_points", [1, 2, 40])
def test_nearest_points_on_a_line_and_of_few(n_points):
    column, row = 12 + 3 * np.arange(n_points), np.full(n_points, 12)
    sites = np.stack([column, row])[None].astype(float)
    maps = NeighborMaps([NeighborMap.of(column, row)], sites)
    positions = np.random.default_rng(0).uniform(-20, 150, (1, 2, 500))
    nearest = maps.of_pairs(np.array([0])).find_nearest(positions)[0][0]
    expected = ((sites[0, :, :, None] - positions[0, :, None]) ** 2).sum(axis=0).argmin(axis=0)
    assert nearest.tolist() == expected.tolist()


def align_plainly(moving, fixed):
    """Compare one pair in one way, one step after the other."""
    moving, fixed = (part.reshape(-1, 7)[part.reshape(-1, 7)[:, 6] > 0].astype(float) for part in (moving, fixed))
    p, r = (part[:, :2] - part[:, :2].mean(axis=0) for part in (moving, fixed))
    angle, other = (np.arctan2(part[:, 3], part[:, 2]) for part in (moving, fixed))
    tree, moved, design = cKDTree(r), p, np.c_[p, np.ones(len(p))]
    ridge, identity = np.diag([60.0, 60.0, 1e-3]), np.array([[1.0, 0], [0, 1], [0, 0]])
    for _ in range(6):
        distance, nearest = tree.query(moved)
        kept = distance <= np.quantile(distance, 0.8) + 1e-6
        part = design[kept]
        affine = np.linalg.solve(part.T @ part + ridge, part.T @ r[nearest[kept]] + ridge @ identity)
        moved = design @ affine
    distance, nearest = tree.query(moved)
    near = np.exp(-(distance**2) / 12.5)
    turn = 2 * np.arctan2(affine[0, 1] - affine[1, 0], affine[0, 0] + affine[1, 1])
    matched = distance < 4
    rank = spearmanr(moving[matched, 4], fixed[nearest[matched], 4])[0] * matched.mean()
    cosine = np.cos(angle + turn - other[nearest])
    curved, other_curved = (curve_plainly(part) for part in (moving, fixed))
    difference = np.abs(curved - other_curved[nearest])
    straightness = -((near * difference).mean() + 3e-4) / (near.mean() + 1e-3)
    return np.array([(near * cosine).mean(), near.mean(), rank, (near * (cosine > 0.9)).mean(), straightness])


def curve_plainly(points):
    """Return the length of the mean direction around each point."""
    found = []
    for position in points[:, :2]:
        weight = np.exp(-((points[:, :2] - position) ** 2).sum(axis=1) / 18)
        found.append(np.hypot(*(weight @ points[:, 2:4] / weight.sum())))
    return np.array(found)


def test_agreement_equals_a_plain_reference(strokes):
    points, shorter = strokes[0], strokes[0].copy()
    # Means of different numbers of points differ by no half pixel, for which two points may be equally near.
    shorter[:, 7 * 113 :] = 0
    first, second = np.array([0, 0, 1, 9, 20, 7]), np.array([1, 8, 4, 12, 3, 30])
    pairs = [(points[a], shorter[b]) for a, b in zip(first, second)]
    expected = [align_plainly(a, b) + align_plainly(b, a) for a, b in pairs]
    agreement = StrokeMatcher().compare(points[first], shorter[second])
    np.testing.assert_allclose(agreement, expected, atol=1e-5)
    # A signature agrees with itself, and with itself moved.
    moved = points[:4].reshape(4, -1, 7).copy()
    moved[:, :, :2] += 20 * (moved[:, :, 6:] > 0)
    same = StrokeMatcher().compare(points[:4], moved.reshape(4, -1))
    np.testing.assert_allclose(same, np.broadcast_to([2, 2, 2, 2, 0], same.shape), atol=0.05)


def test_scores_are_standardized_by_the_references_left_out(strokes, fitted):
    points, target, references = strokes
    own, query = references[target[references, 0] == 2], 9 + 6
    agreement = np.array([[fitted.compare(points[[a]], points[[b]])[0] for b in own] for a in [query, *own]])
    best = [
        np.sort(np.delete(row, [k - 1] if k else [], 0), axis=0)[-3:].mean(axis=0) for k, row in enumerate(agreement)
    ]
    # Four references are three observations; what is typical counts as one more, for the variance as six.
    typical = np.array([0.84, 1.46, 0.44, 0.69, -0.30])
    spread, between = np.array([[0.21, 0.10, 0.27, 0.18, 0.06], [0.26, 0.14, 0.17, 0.21, 0.09]])
    n = len(own) - 1
    mean = (n * np.mean(best[1:], axis=0) + typical) / (n + 1)
    variance = (n * np.var(best[1:], axis=0) + 6 * spread**2) / (n + 6) + between**2 / (n + 1)
    expected = (best[0] - mean) / np.sqrt(variance)
    np.testing.assert_allclose(fitted.claim_signals(points[[query]], [2])[0], expected, atol=1e-8)
    score = fitted.claim_scores(points[[query]], [2])[0]
    assert score == pytest.approx(1 + np.mean(expected[[0, 2, 3, 4]]))
    assert clone(fitted).set_params(allowance=3.0).fit(points[references], target[references]).claim_scores(
        points[[query]], [2]
    )[0] == pytest.approx(score + 2)


def test_genuine_signatures_score_higher(strokes, fitted):
    points, target, references = strokes
    queries = np.setdiff1d(np.arange(len(points)), references)
    scores = fitted.decision_function(points[queries])
    assert scores.shape == (16, 4)
    genuine, claimed = target[queries, 1] == 0, target[queries, 0]
    assert fitted.predict(points[queries][genuine]).tolist() == claimed[genuine].tolist()
    assert fitted.score(points[queries][genuine], claimed[genuine]) == 1
    own = scores[np.arange(16), claimed - 1]
    assert own[genuine].min() > np.median(own[~genuine])
    np.testing.assert_allclose(fitted.claim_scores(points[queries], claimed), own, rtol=1e-12)
    assert fitted.verify(points[queries], claimed, threshold=-3).tolist() == (own >= -3).tolist()


def test_scores_do_not_depend_on_the_batch(strokes, fitted):
    points, target, _ = strokes
    together = fitted.claim_scores(points, target[:, 0])
    single = [fitted.claim_scores(points[[row]], target[[row], 0])[0] for row in range(0, 36, 5)]
    assert together[::5].tolist() == single
    shuffled = np.random.default_rng(0).permutation(36)
    assert np.array_equal(fitted.claim_scores(points[shuffled], target[shuffled, 0]), together[shuffled])


def test_enroll_and_remove(strokes, fitted):
    points, target, references = strokes
    model, before = copy.deepcopy(fitted), fitted.decision_function(points)
    assert model.remove([2, 4]).classes_.tolist() == [1, 3]
    assert np.array_equal(model.decision_function(points), before[:, [0, 2]])
    own = references[target[references, 0] == 2]
    model.enroll(points[own], target[own])
    assert np.array_equal(model.decision_function(points), before[:, :3])
    with pytest.raises(ValueError, match=r"never enrolled: 4\. Enrolled are 1, 2, 3"):
        model.claim_scores(points[:1], [4])
    with pytest.raises(ValueError, match="not enrolled: 9"):
        model.remove([9])
    assert np.array_equal(pickle.loads(pickle.dumps(model)).decision_function(points), before[:, :3])
    model.remove([1, 2, 3])
    with pytest.raises(ValueError, match="No writer is enrolled"):
        model.decision_function(points)


@pytest.mark.filterwarnings("ignore:.*one reference only")
def test_one_reference_two_and_copies(strokes):
    points, target, references = strokes
    own = references[:3]
    one, two = (StrokeMatcher().fit(points[own[:n]], [1] * n) for n in (1, 2))
    twice = StrokeMatcher().fit(points[own[[0, 0, 1]]], [1, 1, 1])
    for model in (one, two):
        scores = model.claim_scores(points, np.ones(36, dtype=int))
        assert np.isfinite(scores).all()
        assert scores[5:7].min() > scores[9:].max()
    assert np.array_equal(twice.decision_function(points), two.decision_function(points))
    # Development writers tell what is typical; they are not enrolled.
    dev = StrokeMatcher(dev_writers=[2, 3]).fit(points[references], target[references])
    assert dev.classes_.tolist() == [1, 4]
    dev.enroll(points[own[:1]], [5])
    assert dev.claim_scores(points[:1], [5])[0] != one.claim_scores(points[:1], [1])[0]
    with pytest.raises(ValueError, match="Development writers cannot be enrolled: 2"):
        dev.enroll(points[own], [2, 2, 2])


@pytest.mark.filterwarnings("ignore:.*one reference only")
def test_without_ink_a_dot_and_a_single_stroke(images, strokes, fitted):
    shape = images[0].shape[1:]
    empty, dot, stroke = np.zeros((3, *shape), dtype=np.uint8)
    dot[80, 100] = 255
    stroke[80, 50:150] = 255
    odd = StrokeFeaturizer(n_points=120).fit_transform([empty, dot, stroke])
    scores = fitted.claim_scores(odd, [1, 1, 1])
    assert scores[0] == -10
    assert np.isfinite(scores).all()
    assert scores[1:].max() < fitted.claim_scores(strokes[0][5:7], [1, 1]).min()
    assert fitted.decision_function(odd)[0].tolist() == [-10] * 4
    assert not fitted.verify(odd[:1], [1], threshold=-1e300)[0]
    model = copy.deepcopy(fitted)
    model.enroll(odd[[1, 2]], [7, 8])
    assert np.isfinite(model.decision_function(strokes[0])).all()
    assert model.claim_scores(odd[[1, 2]], [7, 8]).min() > -3
    with pytest.raises(ValueError, match=r"1 of 1 writers cannot be distinguished from others: 9\. .*no ink"):
        model.enroll(odd[:1], [9])
    with pytest.warns(UserWarning, match=r"1 of 2 writers .* 9\. .* no ink"):
        model.enroll(odd[:2], [9, 7])
    assert model.claim_scores(strokes[0][:2], [9, 9]).tolist() == [-10, -10]
    assert np.isnan(model.compare(odd[:2], odd[1:])[0]).all()
    assert np.isfinite(model.compare(odd[:2], odd[1:])[1]).all()


def test_bad_input_is_explained(images, strokes, fitted):
    points, target, _ = strokes
    halves = StrokeFeaturizer(n_points=120).fit_transform(images[0][:2, ::2, ::2])
    with pytest.raises(ValueError, match=r"images with 85 rows; the references are from images with 170 rows"):
        fitted.claim_scores(halves, [1, 1])
    with pytest.raises(ValueError, match=r"images with 170 rows; .* 85 rows|images with 85 rows; .* 170 rows"):
        StrokeMatcher().fit(np.concatenate([points[:1], halves]), [1, 1, 1])
    with pytest.raises(ValueError, match=r"X has 30 features, but points of strokes have 7"):
        StrokeMatcher().fit(points[:, :30], target)
    with pytest.raises(ValueError, match="Row 0 of X does not hold points"):
        StrokeMatcher().fit(np.random.default_rng(0).normal(size=(4, 70)), [1, 1, 2, 2])
    spread = points[:2].copy()
    spread[:, 0] = 90_000
    with pytest.raises(ValueError, match="spread over"):
        fitted.claim_scores(spread * 1.0, [1, 1])
    with pytest.raises(ValueError, match="without a genuine signature: 3"):
        StrokeMatcher().fit(points[:4], [[1, 0], [1, 0], [2, 0], [3, 1]])


def test_grid_search_and_threads(images, strokes):
    pipeline = make_pipeline(StrokeFeaturizer(n_points=40), StrokeMatcher())
    split = WriterSplit(n_references=4, n_queries=2, n_splits=1, random_state=0)
    grid = {"strokefeaturizer__n_points": [20, 40], "strokematcher__allowance": [0, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=split, scoring=verification_scorer, refit="neg_eer").fit(*images)
    assert set(search.best_params_) == set(grid)
    points, target, references = strokes
    model = StrokeMatcher().fit(points[references], target[references])
    expected, wrong = model.claim_scores(points[:2], [1, 1]), []

    def score():
        for _ in range(5):
            wrong.append(not np.array_equal(model.claim_scores(points[:2], [1, 1]), expected))

    threads = [threading.Thread(target=score) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        model.remove([3]).enroll(points[18:21], [3, 3, 3])
    for thread in threads:
        thread.join()
    assert wrong == [False] * 10


@pytest.mark.filterwarnings("ignore:.*one reference only")
def test_typical_spread_needs_three_signatures(strokes):
    points, target, _ = strokes
    # Two signatures of each development writer, one reference of another writer.
    rows = [0, 1, 9, 10, 18]
    two = StrokeMatcher(dev_writers=[1, 2]).fit(points[rows], target[rows])
    none = StrokeMatcher().fit(points[18:19], target[18:19])
    queries = points[19:25], [3] * 6
    assert two.claim_scores(*queries).tolist() == none.claim_scores(*queries).tolist()
    rows = [0, 1, 2, 9, 10, 18]
    three = StrokeMatcher(dev_writers=[1, 2]).fit(points[rows], target[rows])
    assert three.claim_scores(*queries).tolist() != none.claim_scores(*queries).tolist()


def test_features_that_are_no_points(strokes):
    points = strokes[0][:2].astype(float)
    without_pixel, tiny = points.copy(), points.copy()
    without_pixel[:, 6::7] = 0
    tiny[:, 6::7] *= 1e-30
    for wrong in (without_pixel, tiny):
        with pytest.raises(ValueError, match="Row 0 of X does not hold points"):
            StrokeMatcher().fit(wrong, [1, 2])
    with pytest.raises(ValueError, match=r"same shape, found \(2, 840\) and \(2, 70\)"):
        StrokeMatcher().compare(points, points[:, :70])
    # Points of a large image, which are none of another step.
    points[:, ::7] = points[:, 1::7] = np.linspace(0, 3000, 120) * (points[:, 6::7] > 0)
    with pytest.raises(ValueError, match="smaller image_size"):
        StrokeMatcher().fit(points, [1, 2])
