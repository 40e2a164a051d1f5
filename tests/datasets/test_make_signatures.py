"""Synthetic signatures."""

import numpy as np
import pytest

from sigkit.datasets import make_signatures
from sigkit.imaging import preprocess_image


@pytest.fixture(scope="module")
def signatures():
    return make_signatures(n_writers=12, n_genuine=6, n_skilled=6, random_state=0)


def ink_picture(image, size=(24, 48)):
    """Return the bounding box of the ink, averaged over the cells of a small grid and normalized."""
    ink = image < 150
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(float)
    for axis, n_cells in enumerate(size):
        edges = np.linspace(0, box.shape[axis], n_cells + 1)[:-1].astype(int)
        box = np.add.reduceat(box, edges, axis=axis)
    box -= box.mean()
    return (box / np.linalg.norm(box)).ravel()


def separation(positive, negative):
    """Return the share of pairs in which the positive score is higher than the negative one."""
    return np.mean(np.asarray(positive)[:, np.newaxis] > np.asarray(negative))


def test_target(signatures):
    images, target = signatures
    assert isinstance(images, list)
    assert target.dtype == np.int64
    expected = [[writer, kind] for writer in range(1, 13) for kind in [0] * 6 + [1] * 6]
    np.testing.assert_array_equal(target, expected)
    assert len(images) == len(target)


def test_images_are_dark_ink_on_bright_paper(signatures):
    images, _ = signatures
    assert len({image.shape for image in images}) > 20
    for image in images:
        assert image.dtype == np.uint8
        assert 80 <= image.shape[0] <= 700
        assert 150 <= image.shape[1] <= 1100
        # The edges are paper: no ink is cut off.
        edges = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert edges.min() >= 205
        ink = image < 190
        assert 0.003 < ink.mean() < 0.3
        assert np.percentile(image, 90) >= 220
        assert len(np.unique(image[:5])) > 3


def test_the_same_seed_gives_the_same_images(signatures):
    images, _ = signatures
    again, _ = make_signatures(n_writers=3, n_genuine=6, n_skilled=6, random_state=0)
    assert len(again) == 36
    for one, other in zip(images, again):
        np.testing.assert_array_equal(one, other)


def test_a_signature_depends_only_on_its_writer_kind_and_number(signatures):
    images, target = signatures
    few, few_target = make_signatures(n_writers=3, n_genuine=2, n_skilled=4, random_state=0)
    for writer in (1, 2, 3):
        for kind, count in ((0, 2), (1, 4)):
            many = np.flatnonzero((target == [writer, kind]).all(axis=1))[:count]
            some = np.flatnonzero((few_target == [writer, kind]).all(axis=1))
            assert len(some) == count
            for one, other in zip(many, some, strict=True):
                np.testing.assert_array_equal(images[one], few[other])


def test_no_two_signatures_are_equal(signatures):
    images, _ = signatures
    other, _ = make_signatures(n_writers=3, n_genuine=6, n_skilled=6, random_state=1)
    assert len({image.tobytes() for image in images + other}) == len(images) + len(other)


def test_a_random_state_instance_advances():
    random_state = np.random.RandomState(5)
    first, _ = make_signatures(1, 1, 0, random_state)
    second, _ = make_signatures(1, 1, 0, random_state)
    assert first[0].tobytes() != second[0].tobytes()
    again, _ = make_signatures(1, 1, 0, np.random.RandomState(5))
    np.testing.assert_array_equal(first[0], again[0])


def test_the_global_generator_is_not_used():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    make_signatures(1, 1, 1, random_state=0)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_forgeries_are_neither_trivial_nor_perfect(signatures):
    images, target = signatures
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


def test_the_background_does_not_separate_forgeries(signatures):
    images, target = signatures
    forged = target[:, 1] == 1
    for measure in (np.size, lambda image: image[image > 200].mean(), lambda image: image[image < 190].mean()):
        values = np.array([measure(image) for image in images])
        assert 0.3 < separation(values[forged], values[~forged]) < 0.7


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_any_number_of_jobs_gives_the_same_images(signatures, n_jobs):
    images, target = signatures
    again, again_target = make_signatures(4, 6, 6, random_state=0, n_jobs=n_jobs)
    np.testing.assert_array_equal(again_target, target[: len(again)])
    for one, other in zip(images, again):
        np.testing.assert_array_equal(one, other)


def test_writers_can_be_generated_in_parts(signatures):
    images, target = signatures
    later, later_target = make_signatures(2, 6, 6, random_state=0, first_writer=5)
    rows = np.flatnonzero(np.isin(target[:, 0], (5, 6)))
    np.testing.assert_array_equal(later_target, target[rows])
    for one, row in zip(later, rows, strict=True):
        np.testing.assert_array_equal(one, images[row])


@pytest.mark.parametrize("script", ["latin", "indic", "abstract"])
@pytest.mark.parametrize("resolution", [100, 600])
def test_scripts_and_resolutions(script, resolution):
    images, _ = make_signatures(3, 2, 2, random_state=1, script=script, resolution=resolution)
    same, _ = make_signatures(3, 2, 2, random_state=1, script=script)
    for image, usual in zip(images, same, strict=True):
        assert image.shape[1] == pytest.approx(usual.shape[1] * resolution / 300, rel=0.05)


def test_headlines_are_horizontal():
    """A headline has more ink in one row than Latin letters."""
    fullest = {}
    for script in ("latin", "indic"):
        images, _ = make_signatures(12, 1, 0, random_state=2, script=script, scan="two-valued")
        ink = [image == 0 for image in images]
        fullest[script] = np.median([(picture.sum(axis=1).max() / np.ptp(np.nonzero(picture)[1])) for picture in ink])
    assert fullest["indic"] > 1.2 * fullest["latin"]


def test_scans():
    grey, two_valued, jpeg = (
        make_signatures(2, 1, 1, random_state=3, scan=scan)[0] for scan in ("grey", "two-valued", "jpeg")
    )
    for image in two_valued:
        assert set(np.unique(image)) == {0, 255}
    for reference, compressed in zip(grey, jpeg, strict=True):
        assert reference.shape == compressed.shape
        assert not np.array_equal(reference, compressed)
        np.testing.assert_allclose(reference.mean(), compressed.mean(), atol=1.0)
    assert len({len(np.unique(image)) <= 2 for image in make_signatures(4, 4, 0, random_state=3, scan="mixed")[0]}) == 2


def test_simple_forgeries_are_less_similar_than_skilled_ones():
    images, target = make_signatures(8, 6, 6, random_state=4, n_simple=6, script="latin")
    pictures = np.array([ink_picture(image) for image in images])
    likeness = {1: [], 2: []}
    for writer in np.unique(target[:, 0]):
        own = pictures[(target == [writer, 0]).all(axis=1)]
        for kind, values in likeness.items():
            values += (pictures[(target == [writer, kind]).all(axis=1)] @ own.T).max(axis=1).tolist()
    assert separation(likeness[1], likeness[2]) > 0.6


def test_preprocessing_finds_every_signature(signatures):
    for image in signatures[0] + make_signatures(6, 3, 3, random_state=5, scan="mixed")[0]:
        done = preprocess_image(image, (765, 1089))
        assert 0.002 < (done.image > 0).mean() < 0.2
        assert not done.issues


@pytest.mark.parametrize(
    ("parameters", "error", "name"),
    [
        ({"n_writers": 0}, ValueError, "n_writers"),
        ({"n_genuine": 0}, ValueError, "n_genuine"),
        ({"n_skilled": -1}, ValueError, "n_skilled"),
        ({"n_simple": -1}, ValueError, "n_simple"),
        ({"n_writers": 1.5}, TypeError, "n_writers"),
        ({"first_writer": 0}, ValueError, "first_writer"),
        ({"script": "greek"}, ValueError, "script must be one of latin, indic, abstract, mixed; found 'greek'"),
        ({"scan": "color"}, ValueError, "scan must be one of"),
        ({"resolution": 50}, ValueError, "resolution"),
        ({"resolution": float("nan")}, ValueError, "resolution"),
        ({"resolution": "high"}, TypeError, "resolution"),
    ],
)
def test_invalid_parameters_are_refused(parameters, error, name):
    with pytest.raises(error, match=name):
        make_signatures(**parameters)


def test_without_forgeries():
    _, target = make_signatures(2, 1, 0, random_state=0)
    assert target.tolist() == [[1, 0], [2, 0]]


def test_kinds_are_sorted():
    _, target = make_signatures(1, 2, 1, random_state=0, n_simple=2)
    assert target.tolist() == [[1, 0], [1, 0], [1, 1], [1, 2], [1, 2]]


def test_progress(capsys):
    make_signatures(1, 1, 0, random_state=0, verbose=1)
    assert "writers" in capsys.readouterr().err
