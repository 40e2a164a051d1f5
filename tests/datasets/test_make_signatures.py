"""Drawn signatures."""

import numpy as np
import pytest

from sigkit.datasets import make_signatures


@pytest.fixture(scope="module")
def drawn():
    return make_signatures(n_writers=12, n_genuine=6, n_skilled=6, random_state=0)


def ink_picture(image, size=(24, 48)):
    """Shrink the box of the ink to a small picture, blurred by the means of its cells."""
    ink = image < 150
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)
    for axis, n_cells in enumerate(size):
        edges = np.linspace(0, box.shape[axis], n_cells + 1)[:-1].astype(int)
        box = np.add.reduceat(box, edges, axis=axis)
    box -= box.mean()
    return (box / np.linalg.norm(box)).ravel()


def separation(positive, negative):
    """How often a positive score is above a negative one, from 0 to 1."""
    return np.mean(np.asarray(positive)[:, np.newaxis] > np.asarray(negative))


def test_target(drawn):
    images, target = drawn
    assert isinstance(images, list)
    assert target.dtype == np.int64
    expected = [[writer, kind] for writer in range(1, 13) for kind in [0] * 6 + [1] * 6]
    np.testing.assert_array_equal(target, expected)
    assert len(images) == len(target)


def test_images_are_dark_ink_on_bright_paper(drawn):
    images, _ = drawn
    assert len({image.shape for image in images}) > 20
    for image in images:
        assert image.dtype == np.uint8
        assert 100 <= image.shape[0] <= 500
        assert 200 <= image.shape[1] <= 900
        # Nothing is cut off: the edges are paper.
        edges = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert edges.min() >= 220
        ink = image < 150
        assert 0.005 < ink.mean() < 0.2
        assert image[ink].mean() < 130
        assert np.percentile(image, 90) >= 220
        assert image.std() > 10
        assert len(np.unique(image[:5])) > 3


def test_the_same_seed_draws_the_same(drawn):
    images, _ = drawn
    again, _ = make_signatures(n_writers=12, n_genuine=6, n_skilled=6, random_state=0)
    for one, other in zip(images, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_signature_depends_on_its_own_numbers_only(drawn):
    images, target = drawn
    few, few_target = make_signatures(n_writers=3, n_genuine=2, n_skilled=4, random_state=0)
    for writer in (1, 2, 3):
        for kind, count in ((0, 2), (1, 4)):
            many = np.flatnonzero((target == [writer, kind]).all(axis=1))[:count]
            some = np.flatnonzero((few_target == [writer, kind]).all(axis=1))
            assert len(some) == count
            for one, other in zip(many, some, strict=True):
                np.testing.assert_array_equal(images[one], few[other])


def test_no_two_signatures_are_equal(drawn):
    images, _ = drawn
    other, _ = make_signatures(n_writers=12, n_genuine=6, n_skilled=6, random_state=1)
    assert len({image.tobytes() for image in images + other}) == len(images) + len(other)


def test_a_generator_moves_on():
    random_state = np.random.RandomState(5)
    first, _ = make_signatures(1, 1, 0, random_state)
    second, _ = make_signatures(1, 1, 0, random_state)
    assert first[0].tobytes() != second[0].tobytes()
    again, _ = make_signatures(1, 1, 0, np.random.RandomState(5))
    np.testing.assert_array_equal(first[0], again[0])


def test_the_global_generator_is_left_alone():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    make_signatures(1, 1, 1, random_state=0)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_forgeries_are_neither_trivial_nor_hopeless(drawn):
    images, target = drawn
    pictures = np.array([ink_picture(image) for image in images])
    writers, kinds = target.T
    genuine, skilled, others = [], [], []
    for writer in np.unique(writers):
        own = pictures[(writers == writer) & (kinds == 0)]
        genuine += (own[3:] @ own[:3].T).max(axis=1).tolist()
        skilled += (pictures[(writers == writer) & (kinds == 1)] @ own[:3].T).max(axis=1).tolist()
        others += (pictures[(writers != writer) & (kinds == 0)] @ own[:3].T).max(axis=1).tolist()
    assert separation(genuine, others) > 0.95
    assert 0.6 < separation(genuine, skilled) < 0.99
    assert separation(skilled, others) > 0.6


def test_the_background_does_not_give_a_forgery_away(drawn):
    images, target = drawn
    forged = target[:, 1] == 1
    for measure in (np.size, lambda image: image[image > 200].mean(), lambda image: image[image < 120].mean()):
        values = np.array([measure(image) for image in images])
        assert 0.3 < separation(values[forged], values[~forged]) < 0.7


@pytest.mark.parametrize(
    ("counts", "error", "name"),
    [
        ({"n_writers": 0}, ValueError, "n_writers"),
        ({"n_genuine": 0}, ValueError, "n_genuine"),
        ({"n_skilled": -1}, ValueError, "n_skilled"),
        ({"n_writers": 1.5}, TypeError, "n_writers"),
    ],
)
def test_counts_that_are_refused(counts, error, name):
    with pytest.raises(error, match=name):
        make_signatures(**counts)


def test_without_forgeries():
    _, target = make_signatures(2, 1, 0, random_state=0)
    assert target.tolist() == [[1, 0], [2, 0]]
