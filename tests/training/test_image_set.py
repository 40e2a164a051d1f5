"""The images of a training: which are used, their classes, and batches of them."""

import numpy as np
import torch

from sigkit.nets import build_network
from sigkit.training._image_set import Batches, ImageSet, classes_of, collect_signatures, hold_out, training_size


def test_duplicates_are_used_once():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (60, 4, 5), dtype=np.uint8)
    y = np.stack([np.repeat(np.arange(1, 6), 12), np.tile([0] * 8 + [1] * 4, 5)], axis=1)
    rows, target, known = collect_signatures(np.concatenate([X, X]), *np.concatenate([y, y]).T, with_forgeries=True)
    assert rows.tolist() == list(range(len(X)))
    assert target[:, 0].tolist() == (y[:, 0] - 1).tolist()
    assert known.tolist() == [1, 2, 3, 4, 5]


def test_forgeries_can_be_separate_classes():
    target = np.array([[0, 0], [1, 0], [1, 1]])
    assert classes_of(target, 2, ())[1] == 2
    numbered, n_classes = classes_of(target, 2, ("forgeries",))
    assert numbered.tolist() == [[0, 0], [1, 0], [3, 1]]
    assert n_classes == 4


def test_validation_takes_a_share_of_each_writer():
    target = np.repeat([[0, 0], [0, 1], [1, 0], [2, 0]], [20, 10, 4, 2], axis=0)
    held = hold_out(target, 0.1, np.random.RandomState(0))
    assert [held[(target == kind).all(axis=1)].sum() for kind in ([0, 0], [0, 1], [1, 0], [2, 0])] == [2, 1, 1, 1]
    assert not hold_out(target, 0.0, np.random.RandomState(0)).any()


def batches_of(n_samples, **settings):
    images = torch.arange(n_samples, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 3).clone()
    images[:, :, 0, 0] = 255
    target = torch.stack([torch.arange(n_samples), torch.zeros(n_samples, dtype=torch.int64)], dim=1)
    return Batches(ImageSet(images, target), 4, lambda images: images, **settings)


def test_batches_hold_each_image_once():
    assert [len(images) for images, _ in batches_of(10)] == [4, 4, 2]
    shuffled = batches_of(11, generator=torch.Generator().manual_seed(0))
    seen = torch.cat([images[:, 0, 1, 1] for images, _ in shuffled])
    assert sorted(seen.tolist()) == list(range(11))
    assert seen.tolist() != list(range(11))


def test_a_last_batch_of_one_image_is_dropped_in_training_only():
    assert len(list(batches_of(9, generator=torch.Generator()))) == len(batches_of(9, generator=torch.Generator())) == 2
    assert len(list(batches_of(9))) == len(batches_of(9)) == 3


def test_mirrored_images_are_other_classes():
    batches = batches_of(8, generator=torch.Generator().manual_seed(0), n_mirrored=8)
    corners = {0: (0, 0), 1: (0, 2), 2: (1, 0), 3: (1, 2)}
    seen = set()
    for images, target in batches:
        for image, (label, _) in zip(images, target.tolist()):
            assert image[0][corners[label // 8]] == 255
            assert label % 8 in image
            seen.add(label // 8)
    assert len(seen) > 2


def test_processes_share_a_batch():
    parts = [
        list(batches_of(12, generator=torch.Generator().manual_seed(0), rank=rank, n_processes=2)) for rank in (0, 1)
    ]
    whole = list(batches_of(12, generator=torch.Generator().manual_seed(0)))
    for (first, _), (second, _), (both, _) in zip(*parts, whole):
        assert torch.equal(torch.stack([first, second], 1).flatten(0, 1), both)


def test_the_training_size_is_no_larger_than_the_ink_requires():
    images = np.zeros((3, 170, 242), dtype=np.uint8)
    images[:, 75:95, 61:181] = 255
    assert training_size(images, build_network("signet_residual")) == (64, 120)
    assert training_size(np.full_like(images, 1), build_network("signet_residual")) == (150, 220)
    assert training_size(images, build_network("signet")) == (150, 220)
    assert training_size(images, build_network("tiny")) is None
