import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sigkit.training import Distortion
from sigkit.training._augmentation import random_crop
from sigkit.training._distortion import _Draws, _extreme_of_nine, _mean_of_nine

STILL = {
    "rotation": 0,
    "scaling": 1,
    "aspect": 1,
    "shear": 0,
    "shift": 0,
    "elastic": 0,
    "thicken": 0,
    "thin": 0,
    "fade": 0,
    "blur": 0,
    "noise": 0,
    "erase": 0,
}


@pytest.fixture
def images():
    """Six images with one thick horizontal stroke each."""
    images = torch.zeros(6, 1, 40, 60, dtype=torch.uint8)
    images[:, :, 18:22, 15:45] = 200
    return images


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_random_crops_are_parts_of_the_images():
    images = torch.randint(256, (5, 1, 12, 17), dtype=torch.uint8, generator=generator())
    crops = random_crop(images, (9, 11), generator())
    places = []
    for image, crop in zip(images[:, 0].numpy(), crops[:, 0].numpy()):
        windows = np.lib.stride_tricks.sliding_window_view(image, (9, 11))
        places += np.argwhere((windows == crop).all(axis=(2, 3))).tolist()
    assert len(places) == 5
    assert len({tuple(place) for place in places}) > 1
    assert random_crop(images, None, generator()) is images


def test_every_position_is_drawn():
    images = torch.arange(4, dtype=torch.uint8).repeat(200, 1)[:, None, None]
    assert random_crop(images, (1, 2), generator())[:, 0, 0, 0].unique().tolist() == [0, 1, 2]


def test_zero_parameters_change_nothing(images):
    same = Distortion(**STILL).apply(images, None, generator())
    torch.testing.assert_close(same, images / 255, atol=1e-5, rtol=0)
    middle = Distortion(**STILL).apply(images, (20, 40), generator())
    torch.testing.assert_close(middle, images[:, :, 10:30, 10:50] / 255, atol=1e-5, rtol=0)


def test_images_differ_and_follow_the_generator(images):
    first, again, other = (Distortion().apply(images, (30, 50), generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])
    assert first.min() >= 0
    assert first.max() <= 1


def ink(varied):
    return varied.sum(dim=(1, 2, 3))


@pytest.mark.parametrize(
    ("strengths", "measure"),
    [
        ({"thicken": 1}, lambda varied, reference: ink(varied) > ink(reference)),
        ({"thin": 1}, lambda varied, reference: ink(varied) < ink(reference)),
        ({"fade": 0.5}, lambda varied, reference: varied.amax((1, 2, 3)) < reference.amax((1, 2, 3))),
        ({"erase": 1}, lambda varied, reference: ink(varied) < ink(reference)),
        ({"blur": 1}, lambda varied, reference: (varied > 0).sum((1, 2, 3)) > (reference > 0).sum((1, 2, 3))),
        ({"noise": 0.2}, lambda varied, reference: varied.flatten(1).std(1) != reference.flatten(1).std(1)),
    ],
)
def test_each_kind_of_distortion(images, strengths, measure):
    images = images.repeat(5, 1, 1, 1)
    varied = Distortion(**{**STILL, **strengths}).apply(images, None, generator())
    assert measure(varied, images / 255).float().mean() > 0.6


@pytest.mark.parametrize(
    "strengths", [{"rotation": 20}, {"shear": 0.4}, {"shift": 5}, {"scaling": 1.3}, {"elastic": 2}]
)
def test_each_kind_of_movement(images, strengths):
    images = images.repeat(5, 1, 1, 1)
    varied = Distortion(**{**STILL, **strengths}).apply(images, None, generator())
    assert ((varied - images / 255).abs().amax((1, 2, 3)) > 0.1).float().mean() > 0.6
    assert (ink(varied) / ink(images / 255)).median() == pytest.approx(1, abs=0.35)


def test_rotation_keeps_lengths(images):
    varied = Distortion(**{**STILL, "rotation": 90}).apply(images, (60, 60), generator(3))
    torch.testing.assert_close(ink(varied), ink(images / 255), rtol=0.03, atol=0)


def test_neighborhoods_are_those_of_pooling():
    images = torch.randint(256, (3, 1, 11, 17), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    values = images.float()
    assert torch.equal(_extreme_of_nine(images, torch.maximum).float(), F.max_pool2d(values, 3, 1, 1))
    assert torch.equal(_extreme_of_nine(images, torch.minimum).float(), -F.max_pool2d(-values, 3, 1, 1))
    torch.testing.assert_close(_mean_of_nine(values), F.avg_pool2d(values, 3, 1, 1))


def test_with_zero_parameters_the_grid_is_the_identity():
    still = Distortion(rotation=0, scaling=1, aspect=1, shear=0, shift=0, elastic=0)
    grid = still._move((20, 30), (20, 30), _Draws(2, torch.device("cpu"), torch.Generator()))
    identity = torch.eye(2, 3).expand(2, 2, 3)
    torch.testing.assert_close(grid, F.affine_grid(identity, (2, 1, 20, 30), align_corners=False))


def test_the_grid_is_that_of_the_matrix():
    only = {"scaling": 1, "aspect": 1, "shear": 0, "shift": 0, "elastic": 0}
    angle, source, target = np.pi / 6, (24, 36), (20, 30)
    draws = _Draws(2, torch.device("cpu"), generator())
    # Both images draw the end of every range.
    draws.between = lambda low, high: torch.full((2,), float(high))
    cosine, sine = np.cos(angle), np.sin(angle)
    expected = {
        (("rotation", 30),): [[cosine, -sine, 0], [sine, cosine, 0]],
        (("scaling", 1.25),): [[1 / 1.25, 0, 0], [0, 1 / 1.25, 0]],
        (("aspect", 1.25),): [[1 / 1.25, 0, 0], [0, 1.25, 0]],
        (("shear", 0.2),): [[1, 0.2, 0], [0, 1, 0]],
        (("shift", 6),): [[1, 0, 6], [0, 1, 3]],
        (("rotation", 30), ("scaling", 2), ("shift", 6)): [[cosine / 2, -sine / 2, 6], [sine / 2, cosine / 2, 3]],
    }
    for strengths, in_pixels in expected.items():
        grid = Distortion(**{"rotation": 0, **only, **dict(strengths)})._move(source, target, draws)
        # From pixels, columns first, to shares of half an image.
        to_pixels = np.array([target[1] / 2, target[0] / 2, 1])
        to_shares = np.array([[2 / source[1]], [2 / source[0]]])
        matrix = torch.tensor(to_shares * np.array(in_pixels) * to_pixels, dtype=torch.float32).expand(2, 2, 3)
        torch.testing.assert_close(grid, F.affine_grid(matrix, (2, 1, *target), align_corners=False))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 1), (5, 9)])
def test_ink_at_the_edges_has_fewer_neighbors(size):
    images = torch.zeros(4, 1, *size, dtype=torch.uint8)
    images[0, :, 0], images[1, :, -1], images[2, ..., 0], images[3, ..., -1] = 255, 200, 150, 100
    values = images.float()
    assert torch.equal(_extreme_of_nine(images, torch.maximum).float(), F.max_pool2d(values, 3, 1, 1))
    assert torch.equal(_extreme_of_nine(images, torch.minimum).float(), -F.max_pool2d(-values, 3, 1, 1))
    torch.testing.assert_close(_mean_of_nine(values), F.avg_pool2d(values, 3, 1, 1))
