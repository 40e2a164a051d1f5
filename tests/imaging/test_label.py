import numpy as np
import pytest
from scipy import ndimage

from sigkit.imaging._photo._components import Pieces
from sigkit.imaging._photo._label import label_runs


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 0.4, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (57, 83)])
def test_components_are_those_of_scipy(shape, share):
    mask = np.random.default_rng(1).random(shape) < share
    expected, n = ndimage.label(mask, structure=np.ones((3, 3)))
    pieces = Pieces(mask)
    assert pieces.n == n
    np.testing.assert_array_equal(pieces.labels, expected)
    boxes = [[r.start, r.stop, c.start, c.stop] for r, c in ndimage.find_objects(expected)]
    np.testing.assert_array_equal(pieces.boxes[1:], np.reshape(boxes, (-1, 4)))
    np.testing.assert_array_equal(pieces.sizes[1:], np.bincount(expected.ravel(), minlength=n + 1)[1:])


def test_a_spiral_is_one_component():
    mask = np.zeros((61, 61), dtype=bool)
    for ring in range(0, 30, 2):
        mask[ring, ring : 61 - ring] = mask[ring : 61 - ring, 60 - ring] = mask[60 - ring, ring : 61 - ring] = True
        mask[ring + 2 : 61 - ring, ring] = True
        mask[ring + 2, ring : ring + 3] = True
    expected, n = ndimage.label(mask, structure=np.ones((3, 3)))
    rows, starts, stops, labels = label_runs(mask)
    assert set(labels) == set(range(1, n + 1))
    np.testing.assert_array_equal(labels, expected[rows, starts])
    assert (stops - starts).sum() == mask.sum()
