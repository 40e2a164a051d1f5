"""Points on strokes: thinning, measurement, and the transformer."""

import pickle
import sys

import numpy as np
import pytest
from scipy.ndimage import label
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.imaging import measure_strokes, thin_ink
from sigkit.transformers import SignaturePreprocessor, StrokeFeaturizer


@pytest.fixture(scope="module")
def images():
    scans, _ = make_signatures(n_writers=2, n_genuine=3, n_skilled=0, random_state=0)
    return SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)


def draw_line(angle, width, level=200, shape=(170, 242)):
    """Draw a straight stroke through the center."""
    y, x = np.indices(shape) - np.array(shape)[:, None, None] / 2
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = np.clip(width / 2 + 0.5 - np.abs(across), 0, 1) * (np.abs(along) < 60)
    return (level * inside).astype(np.uint8)[None]


def test_thinned_ink_is_thin_and_connected(images):
    ink = images > 40
    thin = thin_ink(ink)
    assert not (thin & ~ink).any()
    eight = np.ones((3, 3))
    for before, after in zip(ink, thin):
        # Only a blot of 2 x 2 pixels disappears.
        assert label(before, eight)[1] - label(after, eight)[1] <= (label(before)[0] > 0).sum() * 0.01
    squares = thin[:, 1:, 1:] & thin[:, 1:, :-1] & thin[:, :-1, 1:] & thin[:, :-1, :-1]
    assert squares.sum() < 0.01 * thin.sum()
    # As long as that of scikit-image, which removes the corners of stairs in another order.
    morphology = pytest.importorskip("skimage.morphology")
    reference = np.array([morphology.skeletonize(one) for one in ink])
    assert 0.93 < thin.sum() / reference.sum() < 1.07
    near = np.pad(thin, ((0, 0), (1, 1), (1, 1)))
    near = np.any([near[:, 1 + i :, 1 + j :][:, :170, :242] for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)
    assert near[reference].mean() > 0.98


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.2, np.pi / 2, 2.5])
@pytest.mark.parametrize("width", [1.5, 3.0])
def test_direction_and_width_of_a_line(angle, width):
    points = measure_strokes(draw_line(angle, width))[0]
    points = points[points[:, 6] > 0]
    inner = points[10:-10]
    np.testing.assert_allclose(inner[:, 2], np.cos(2 * angle), atol=0.1)
    np.testing.assert_allclose(inner[:, 3], np.sin(2 * angle), atol=0.1)
    assert abs(np.median(inner[:, 5]) - width) < 0.6
    assert len(points) > 60


def test_a_darker_line_is_darker_and_not_wider():
    pale, dark = (measure_strokes(draw_line(0.3, 2.0, level))[0, 20] for level in (80, 240))
    assert dark[4] > 2.5 * pale[4]
    assert dark[5] == pytest.approx(pale[5], rel=0.05)


def test_lengths_do_not_depend_on_the_resolution():
    small = measure_strokes(draw_line(0.3, 2.0))[0]
    large = measure_strokes(draw_line(0.3, 4.0, shape=(340, 484)))[0]
    assert (small[0, 6], large[0, 6]) == (1.0, 0.5)
    extents = [np.ptp(points[points[:, 6] > 0, :2], axis=0) for points in (small, large)]
    # As many pixels are half as long in an image of twice as many rows.
    np.testing.assert_allclose(extents[0], 2 * extents[1], atol=1)
    np.testing.assert_allclose(extents[0], 116 * np.array([np.cos(0.3), np.sin(0.3)]), atol=3)
    assert np.median(large[20:60, 5]) == pytest.approx(np.median(small[20:60, 5]), abs=0.5)


def test_few_points_and_none():
    empty, dot, spot = np.zeros((3, 60, 90), dtype=np.uint8)
    dot[30, 40] = 200
    spot[30:33, 40:43] = 255
    points = measure_strokes([empty, dot, spot], n_points=20)
    assert (points[:, :, 6] > 0).sum(axis=1).tolist() == [0, 1, 1]
    assert np.isfinite(points).all()
    assert not points[0].any()
    assert points[1, 0, :2].tolist() == pytest.approx([40 * 170 / 60, 30 * 170 / 60])


def test_points_do_not_depend_on_other_images(images):
    featurizer = StrokeFeaturizer(n_points=100).fit(images)
    together = featurizer.transform(images)
    assert np.array_equal(together, np.concatenate([featurizer.transform(images[[row]]) for row in range(len(images))]))
    assert np.array_equal(together, pickle.loads(pickle.dumps(featurizer)).transform(images))
    assert np.array_equal(together, clone(featurizer).fit_transform(images.astype(np.float32)))


def test_names_and_input(images):
    featurizer = StrokeFeaturizer(n_points=2).fit(images)
    names = featurizer.get_feature_names_out()
    assert names[[0, 6, 7]].tolist() == ["point0_x", "point0_pixel", "point1_x"]
    frame = clone(featurizer).set_output(transform="pandas").fit_transform(images)
    assert frame.columns.tolist() == names.tolist()
    with pytest.raises(ValueError, match=r"images of shape \(85, 121\).*expecting images of shape \(170, 242\)"):
        featurizer.transform(images[:, ::2, ::2])
    with pytest.raises(ValueError, match="n_points"):
        StrokeFeaturizer(n_points=0).fit(images)
    with pytest.raises(ValueError, match="shape"):
        thin_ink(images[0])
    with pytest.raises(ValueError, match="shape"):
        measure_strokes(images[0])


def test_in_a_pipeline():
    scans, _ = make_signatures(n_writers=1, n_genuine=2, n_skilled=0, random_state=0)
    pipeline = make_pipeline(SignaturePreprocessor(canvas_size=(765, 1089)), StrokeFeaturizer(n_points=50))
    assert pipeline.fit_transform(scans).shape == (2, 350)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 0, 5)), "must have pixels"),
        (np.full((1, 9, 9), np.nan), "values from 0"),
        (np.full((1, 9, 9), -3.0), "values from 0"),
        (np.full((1, 9, 9), 256.0), "values from 0"),
    ],
)
def test_images_that_cannot_be_measured(images, message):
    with pytest.raises(ValueError, match=message):
        measure_strokes(images)


def test_points_are_cached_by_image(images, tmp_path, monkeypatch):
    measured = []

    def measure(batch, n_points):
        measured.append(len(batch))
        return measure_strokes(batch, n_points)

    monkeypatch.setattr(sys.modules[StrokeFeaturizer.__module__], "measure_strokes", measure)
    expected = StrokeFeaturizer().fit_transform(images)
    first = StrokeFeaturizer(memory=tmp_path).fit_transform(images[:4])
    again = StrokeFeaturizer(memory=tmp_path).fit_transform(images)
    assert measured == [len(images), 4, len(images) - 4]
    assert np.array_equal(first, expected[:4])
    assert np.array_equal(again, expected)
    assert StrokeFeaturizer(n_points=20, memory=tmp_path).fit_transform(images[:1]).shape == (1, 140)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ValueError, match="is a file"):
        StrokeFeaturizer(memory=file).fit(images)
