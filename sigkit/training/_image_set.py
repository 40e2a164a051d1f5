"""Training images with their classes, and batches of them."""

import math

import numpy as np
import torch
from torch.utils.data import Dataset

from sigkit._utils import GENUINE, SKILLED, content_digest, listing

MIRRORS = ((), (-1,), (-2,), (-1, -2))
"""Axes along which images are mirrored; mirror images of a class are a separate class."""


class ImageSet(Dataset):
    """Images in memory with their classes.

    Parameters
    ----------
    images : Tensor of shape (n_samples, 1, height, width), dtype uint8
        Images.
    target : Tensor of shape (n_samples, 2), dtype int64
        The class of each image, and 1 for a forgery.
    """

    def __init__(self, images, target):
        self.images = images
        self.target = target

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        return self.images[row], self.target[row]


class Batches:
    """Batches of an image set, shuffled or in order; each batch is augmented as a whole.

    Parameters
    ----------
    dataset : ImageSet
        The images.
    batch_size : int
        Images in a batch.
    prepare : callable
        Function from a batch of uint8 images to the input of the network.
    generator : torch.Generator or None, default=None
        Source of the order of the images; None does not shuffle. When shuffling, a last batch of a single image is
        dropped, because batch normalization needs two images.
    n_mirrored : int, default=0
        Number of classes, if images are mirrored at random and mirror images are separate classes; 0 does not mirror.
    rank, n_processes : int, default=0, 1
        Rank of this process and number of processes in distributed training.
    """

    def __init__(self, dataset, batch_size, prepare, generator=None, n_mirrored=0, rank=0, n_processes=1):
        self.dataset = dataset
        self.batch_size = batch_size
        self.prepare = prepare
        self.generator = generator
        self.n_mirrored = n_mirrored
        self.part = slice(rank, None, n_processes)
        # Batch normalization needs two images in each process.
        self.least = 1 if generator is None else 2 * n_processes

    def __len__(self):
        n_batches, left_over = divmod(len(self.dataset), self.batch_size)
        return n_batches + (left_over >= self.least)

    def __iter__(self):
        n_samples = len(self.dataset)
        rows = torch.arange(n_samples)
        if self.generator is not None:
            rows = torch.randperm(n_samples, generator=self.generator)
        for batch in rows.split(self.batch_size)[: len(self)]:
            images, target = self.dataset[batch.to(self.dataset.images.device)]
            if self.n_mirrored:
                images, target = self._mirror(images, target)
            images = self.prepare(images)
            yield images[self.part], target[self.part]

    def _mirror(self, images, target):
        mirrored = torch.randint(len(MIRRORS), (len(images),), generator=self.generator).to(images.device)
        images, target = images.clone(), target.clone()
        for number, axes in enumerate(MIRRORS):
            chosen = mirrored == number
            images[chosen] = images[chosen].flip(axes)
        target[:, 0] += self.n_mirrored * mirrored
        return images, target


def collect_signatures(X, writers, forgery, *, with_forgeries):
    """Select the distinct training signatures, and number their writers.

    Parameters
    ----------
    X : ndarray of shape (n_samples, height, width)
        Images.
    writers : ndarray of shape (n_samples,)
        The writer of each image.
    forgery : ndarray of shape (n_samples,)
        The forgery kind of each image.
    with_forgeries : bool
        Whether skilled forgeries are used.

    Returns
    -------
    rows : ndarray of shape (n_chosen,)
        Rows of the selected images; the first of duplicates.
    target : ndarray of shape (n_chosen, 2)
        The number of the writer in `known`, and 1 for a forgery.
    known : ndarray of shape (n_writers,)
        The writers.

    Raises
    ------
    ValueError
        If there are no two writers, or a writer has no two distinct genuine signatures.
    """
    rows, seen = [], set()
    for row in np.flatnonzero((forgery == GENUINE) | ((forgery == SKILLED) & with_forgeries)):
        signature = writers[row], forgery[row], content_digest(X[row])
        if signature not in seen:
            seen.add(signature)
            rows.append(row)
    rows = np.array(rows, dtype=int)
    is_genuine = forgery[rows] == GENUINE
    known, counts = np.unique(writers[rows[is_genuine]], return_counts=True)
    if len(known) < 2:
        found = f"only {known.tolist()[0]!r}" if len(known) else "none"
        raise ValueError(
            f"Training needs genuine signatures of at least 2 writers (1 class is not enough); found {found}. Pass "
            "more writers, or weights=, the path or name of trained weights."
        )
    if counts.min() < 2:
        raise ValueError(
            "Training needs at least 2 distinct genuine signatures of each writer; there is a single image of writer "
            f"{listing(map(repr, known[counts < 2].tolist()))}. Leave such writers out, with dev_writers= for instance."
        )
    chosen = rows[np.isin(writers[rows], known)]
    if with_forgeries and (forgery[chosen] == GENUINE).all():
        raise ValueError(
            "forgery_weight= and extra_classes=('forgeries',) need skilled forgeries of the development writers; y has "
            "none. Pass them with rows [writer, 1] in y, or train without them: forgery_weight=None and "
            "training__extra_classes=(), which recipes set."
        )
    numbers = np.searchsorted(known, writers[chosen])
    return chosen, np.stack([numbers, forgery[chosen] != GENUINE], axis=1).astype(np.int64), known


def classes_of(target, n_writers, extra_classes):
    """Number the classes of a training.

    Parameters
    ----------
    target : ndarray of shape (n_samples, 2)
        The number of the writer, and 1 for a forgery.
    n_writers : int
        Number of writers.
    extra_classes : tuple of str
        With "forgeries", the forgeries of each writer are a separate class.

    Returns
    -------
    target : ndarray of shape (n_samples, 2)
        The number of the class, and 1 for a forgery.
    n_classes : int
        Number of classes, without those of mirror images.
    """
    if "forgeries" not in extra_classes:
        return target, n_writers
    return np.stack([target[:, 0] + n_writers * target[:, 1], target[:, 1]], axis=1), 2 * n_writers


def hold_out(target, fraction, rng):
    """Choose the validation images: the same share of each writer's genuine signatures and of the forgeries.

    Parameters
    ----------
    target : ndarray of shape (n_samples, 2)
        The class of each image, and 1 for a forgery.
    fraction : float
        The share, 0 to 1; at least one image of each kind if it is not 0.
    rng : RandomState
        Source of random numbers.

    Returns
    -------
    ndarray of shape (n_samples,), dtype bool
        True where an image is held out.
    """
    held = np.zeros(len(target), dtype=bool)
    for kind in np.unique(target, axis=0):
        rows = rng.permutation(np.flatnonzero((target == kind).all(axis=1)))
        if fraction and len(rows) > 1:
            held[rows[: min(max(1, round(fraction * len(rows))), len(rows) - 1)]] = True
    return held


def training_size(images, network):
    """Choose the size of the center crop for training: no larger than the ink requires.

    Parameters
    ----------
    images : ndarray of shape (n_samples, height, width)
        Images.
    network : torch.nn.Module
        The network.

    Returns
    -------
    tuple of (int, int) or None
        The input size of the network if it takes no other; otherwise rows and columns that contain the ink of 95 % of
        the images, with a margin for small rotations.
    """
    if not network.takes_any_size or network.input_size is None:
        return network.input_size
    size = []
    for axis, limit, room in ((1, network.input_size[0], 40), (2, network.input_size[1], 0)):
        from_middle = np.abs(np.arange(images.shape[axis]) - (images.shape[axis] - 1) / 2)
        extents = 2 * np.where((images > 0).any(axis=3 - axis), from_middle, 0).max(axis=1) + 1
        size.append(min(limit, 8 * math.ceil((np.percentile(extents, 95) + room) / 8)))
    return tuple(size)
