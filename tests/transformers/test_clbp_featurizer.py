import pickle

import numpy as np
import pytest
from skimage.feature import local_binary_pattern
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.nets import center_crop
from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor


def count(image, **parameters):
    """Return the features of one image as an array indexed by (C, M, S)."""
    image = np.asarray(image)
    return CLBPFeaturizer(**{"image_size": None} | parameters).fit_transform(image[None])[0].reshape(2, 10, 10)


def codes_of(counts):
    """Return the codes (C, M, S) that occur, and their counts."""
    return {tuple(map(int, codes)): int(counts[tuple(codes)]) for codes in np.argwhere(counts)}


def reference(image):
    """Compute the features by their definition, pixel by pixel in float64, with bilinear interpolation."""
    image = image.astype(np.float64)
    height, width = image.shape
    differences = np.zeros((height - 2, width - 2, 8))
    for row in range(1, height - 1):
        for column in range(1, width - 1):
            for p in range(8):
                y, x = round(-np.sin(p * np.pi / 4), 12), round(np.cos(p * np.pi / 4), 12)
                top, left = int(np.floor(y)), int(np.floor(x))
                down, right = y - top, x - left
                for dy, weight_y in ((top, 1 - down), (top + 1, down)):
                    for dx, weight_x in ((left, 1 - right), (left + 1, right)):
                        if weight_y * weight_x:
                            above = image[row + dy, column + dx] - image[row, column]
                            differences[row - 1, column - 1, p] += weight_y * weight_x * above
    threshold, mean = np.abs(differences).mean(), image.mean()
    counts = np.zeros((2, 10, 10))
    for row in range(height - 2):
        for column in range(width - 2):
            signs = [difference >= 0 for difference in differences[row, column]]
            magnitudes = [abs(difference) >= threshold for difference in differences[row, column]]
            bright = image[row + 1, column + 1] >= mean
            counts[int(bright), riu2(magnitudes), riu2(signs)] += 1
    return counts


def riu2(bits):
    changes = sum(bits[p] != bits[p - 1] for p in range(8))
    return sum(bits) if changes <= 2 else 9


# The eight points, in the order right, upper right, up, ..., lower right. A corner's difference is half of its pixel's
# and 0.207 of those of its two sides.
@pytest.mark.parametrize(
    ("image", "expected"),
    [
        # All sides +10, corners 0.5 * 0 + 0.207 * 20 = +4.1: all signs. T = (4 * 10 + 4 * 4.1) / 8 = 7.1: magnitudes of
        # the sides only, four groups: 9. The mean is 40 / 9, above the center.
        ([[0, 10, 0], [10, 0, 10], [0, 10, 0]], (0, 9, 8)),
        # Sides -10, corners 0.5 * -10 + 0.207 * -20 = -9.1: no signs. T = 9.6: the sides again. The center is the
        # brightest.
        ([[0, 0, 0], [0, 10, 0], [0, 0, 0]], (1, 9, 0)),
        # Right +9, its two corners 0.5 * 9 + 0.207 * 9 = +6.4, else 0: all signs. T = 21.7 / 8 = 2.7: three magnitudes
        # side by side. The mean is 3.
        ([[0, 0, 9], [0, 0, 9], [0, 0, 9]], (0, 3, 8)),
        # The same dark on bright: the signs of five, the magnitudes of three. The mean is 6, the center 9.
        ([[9, 9, 0], [9, 9, 0], [9, 9, 0]], (1, 3, 5)),
        # Upper right 0.5 * 8 = +4, else 0. T = 0.5. The mean is 8 / 9.
        ([[0, 0, 8], [0, 0, 0], [0, 0, 0]], (0, 1, 8)),
        # Left -6, right +6, up and down 0, corners +-(3 + 1.24) = +-4.2: signs of right, its corners, up and down. T =
        # (2 * 6 + 4 * 4.2) / 8 = 3.6: magnitudes of two groups of three, four changes: 9. The mean is the center.
        ([[0, 6, 12], [0, 6, 12], [0, 6, 12]], (1, 9, 5)),
        # Up +6 and left -6 cancel out in the corner between them, whose pixel equals the center: exactly 0, so a sign.
        # Signs of right to upper left are 0, 1.24, 6, 0; left -6, lower left 0.207 * -6 = -1.2, down 0, lower right 0:
        # six signs in one group. T = (6 + 1.24) * 2 / 8 = 1.8: magnitudes of up and left, two groups: 9.
        ([[6, 12, 6], [0, 6, 6], [6, 6, 6]], (1, 9, 6)),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_three_by_three_by_hand(image, expected, dtype):
    assert codes_of(count(np.array(image, dtype))) == {expected: 1}


def test_four_by_four_by_hand():
    image = np.zeros((4, 4), np.uint8)
    image[:, 2:] = 8
    # Two columns of two equal pixels. The left ones see +8 to the right and 0.5 * 8 + 0.207 * 8 = +5.7 in the corners
    # there: all signs; the right ones, -8 and -5.7 to the left: five signs. T is the same 19.3 / 8 = 2.4 for all, three
    # magnitudes each. The mean is 4: the left ones are dark, the right ones bright.
    assert codes_of(count(image)) == {(0, 3, 8): 2, (1, 3, 5): 2}
    # One pixel of ink at the lower right: it has no sign and all of its magnitudes, (4 * 8 + 4 * (4 + 3.3)) = 61.3 in
    # total. Left of it, its neighbor sees +8 and two corners of 0.207 * 8 = 1.66; so does the one above it; the last
    # sees it at its corner, +4. T = (61.3 + 2 * 11.3 + 4) / 32 = 2.7: magnitudes 8, 1, 1, 1. The mean is 0.5.
    image = np.zeros((4, 4), np.uint8)
    image[2, 2] = 8
    assert codes_of(count(image)) == {(1, 8, 0): 1, (0, 1, 8): 3}


def random_images():
    rng = np.random.default_rng(0)
    sparse = rng.integers(0, 256, (30, 41)) * (rng.random((30, 41)) < 0.2)
    return {
        "float": rng.random((23, 34), dtype=np.float32) * 255,
        "gray": rng.integers(0, 256, (23, 34)).astype(np.uint8),
        "sparse": sparse.astype(np.uint8),
        "ramp": np.add.outer(np.arange(20), 3 * np.arange(31)).astype(np.uint8),
    }


@pytest.mark.parametrize("kind", ["float", "gray", "sparse", "ramp"])
def test_all_codes_equal_those_of_plain_loops(kind):
    image = random_images()[kind]
    assert np.array_equal(count(image), reference(image))


# scikit-image interpolates pixels instead of differences, at a place rounded to 5 digits: exact ties, as the last one
# worked by hand above, are then a matter of rounding. They are rare among random values, and common among few grays.
@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern` to floating-point images")
@pytest.mark.parametrize("kind", ["float", "gray"])
@pytest.mark.parametrize("seed", range(5))
def test_signs_equal_those_of_scikit_image(kind, seed):
    rng = np.random.default_rng(seed)
    image = rng.random((40, 50), dtype=np.float32) * 255 if kind == "float" else rng.integers(0, 256, (40, 50))
    codes = local_binary_pattern(image, 8, 1, method="uniform")[1:-1, 1:-1]
    signs = count(image).sum(axis=(0, 1))
    assert np.array_equal(signs, np.bincount(codes.astype(int).ravel(), minlength=10))


@pytest.mark.parametrize("value", [0, 7, 100, 255, 3.3, 77.7])
@pytest.mark.parametrize("shape", [(3, 3), (17, 31), (170, 242)])
def test_flat_images_have_all_bits(value, shape):
    image = np.full(shape, value, np.float32)
    assert codes_of(count(image)) == {(1, 8, 8): (shape[0] - 2) * (shape[1] - 2)}


@pytest.mark.parametrize("gray", [3, 200, 77.7])
def test_flat_background_has_all_signs(gray):
    image = np.full((30, 40), gray, np.float32)
    image[15, 20] = 0
    # Only the dark pixel is seen as darker, by its 8 neighbors; its own points are brighter.
    assert count(image)[:, :, 8].sum() == 28 * 38 - 8


def test_pixels_are_counted_once():
    images = np.random.default_rng(0).integers(0, 256, (5, 170, 242), dtype=np.uint8)
    features = CLBPFeaturizer().fit_transform(images)
    assert features.shape == (5, 200)
    assert features.dtype == np.float32
    assert np.array_equal(features.sum(axis=1), np.full(5, 148 * 218))
    assert np.array_equal(CLBPFeaturizer(image_size=None).fit_transform(images).sum(axis=1), np.full(5, 168 * 240))


@pytest.mark.parametrize("turn", [np.rot90, np.fliplr, np.flipud, np.transpose])
def test_rotated_images_have_the_same_features(turn):
    image = random_images()["sparse"]
    assert np.array_equal(count(image), count(turn(image)))


def test_floats_give_the_same_features_as_bytes():
    images = np.random.default_rng(1).integers(0, 256, (3, 30, 40), dtype=np.uint8)
    expected = CLBPFeaturizer().fit_transform(images)
    for dtype in (np.float32, np.float64, np.int64):
        assert np.array_equal(CLBPFeaturizer().fit_transform(images.astype(dtype)), expected)
    assert np.array_equal(CLBPFeaturizer().fit_transform(images.tolist()), expected)


@pytest.mark.parametrize("image_size", [(150, 220), (20, 21), [20, 1000], np.array([33, 44])])
def test_the_crop_is_that_of_networks(image_size):
    images = np.random.default_rng(2).integers(0, 256, (2, 33, 44), dtype=np.uint8)
    expected = CLBPFeaturizer(image_size=None).fit_transform(center_crop(images, image_size))
    assert np.array_equal(CLBPFeaturizer(image_size=image_size).fit_transform(images), expected)


def test_images_are_independent():
    images = np.random.default_rng(3).integers(0, 256, (7, 40, 50), dtype=np.uint8)
    featurizer = CLBPFeaturizer().fit(images)
    assert np.array_equal(featurizer.transform(images[4:5]), featurizer.transform(images)[4:5])


def test_features_verify_synthetic_signatures():
    scans, target = make_signatures(n_writers=6, n_genuine=12, n_skilled=2, random_state=0)
    genuine = target[:, 1] == 0
    number = np.concatenate([np.arange(14)] * 6)
    teaches, asks = genuine & (number < 8), genuine & (number >= 8)
    pipe = make_pipeline(
        SignaturePreprocessor(canvas_size=(765, 1089)),
        CLBPFeaturizer(),
        WriterDependentSVC(gamma=2**-6),
    )
    pipe.fit([scans[row] for row in np.flatnonzero(teaches)], target[teaches])
    scores = pipe.decision_function([scans[row] for row in np.flatnonzero(asks)])
    assert scores.shape == (24, 6)
    own = scores[np.arange(24), np.searchsorted(pipe.classes_, target[asks, 0])]
    assert np.mean(own[:, None] > scores) * 6 / 5 > 0.8


def test_names_clone_and_pickle():
    images = np.random.default_rng(4).integers(0, 256, (2, 20, 30), dtype=np.uint8)
    featurizer = clone(CLBPFeaturizer((15, 20))).fit(images)
    assert featurizer.get_feature_names_out()[[0, 199]].tolist() == ["clbpfeaturizer0", "clbpfeaturizer199"]
    table = pickle.loads(pickle.dumps(featurizer)).set_output(transform="pandas").transform(images)
    assert np.array_equal(table.to_numpy(), clone(featurizer).fit_transform(images))


@pytest.mark.parametrize(
    ("shape", "image_size", "message"),
    [
        ((2, 9), None, r"at least 3 x 3 pixels, found 2 x 9: the images are 2 x 9, image_size is None\. Pass larger"),
        ((9, 2), (150, 220), r"found 9 x 2: the images are 9 x 2, image_size is \(150, 220\)\."),
        ((9, 8), (5, 2), r"found 5 x 2: the images are 9 x 8, image_size is \(5, 2\)\."),
        ((9, 9), (5,), r"image_size must be two positive integers up to 100,000, rows and columns; found \(5,\)"),
        ((9, 9), (5.5, 5), "image_size must be two positive integers"),
        ((9, 9), (0, 5), "image_size must be two positive integers"),
        ((9, 9), "all", "The 'image_size' parameter of CLBPFeaturizer must be"),
    ],
)
def test_bad_sizes(shape, image_size, message):
    with pytest.raises(ValueError, match=message):
        CLBPFeaturizer(image_size=image_size).fit(np.zeros((4, *shape), np.uint8))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["a.png", "b.png"], "X holds paths, or images of different sizes"),
        (np.zeros((4, 9), np.uint8), r"Expected images of shape \(n_samples, height, width\), found \(4, 9\)"),
        (np.full((2, 9, 9), 256.0), "values from 0 .* to 255"),
        (np.eye(9)[None], "multiply values up to 1 by 255"),
        (np.full((2, 9, 9), np.nan), "NaN"),
    ],
)
def test_bad_images(X, message):
    with pytest.raises(ValueError, match=message):
        CLBPFeaturizer().fit(X)


def test_other_images_than_in_fit():
    images = np.zeros((2, 20, 30), np.uint8)
    with pytest.raises(NotFittedError):
        CLBPFeaturizer().transform(images)
    with pytest.raises(ValueError, match=r"images of shape \(20, 31\), but CLBPFeaturizer is expecting .* \(20, 30\)"):
        CLBPFeaturizer().fit(images).transform(np.zeros((2, 20, 31), np.uint8))
