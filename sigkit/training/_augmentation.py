"""Augmentation of the images of a batch."""

from functools import partial

import torch

from sigkit.nets import network_input
from sigkit.training._distortion import Distortion

AUGMENTATIONS = ("crop", "distort")
"""Augmentations by name; an instance of Distortion is accepted as well."""


def resolve_augmentation(augmentation):
    """Convert the name of an augmentation to an object, if there is one.

    Parameters
    ----------
    augmentation : {"crop", "distort"}, Distortion or None
        The augmentation.

    Returns
    -------
    {"crop"}, Distortion or None
        The augmentation; "distort" becomes a Distortion with default parameters.
    """
    if isinstance(augmentation, Distortion):
        return augmentation.resolve()
    return Distortion() if augmentation == "distort" else augmentation


def make_augmentation(augmentation, size):
    """Make the function that augments the images of a batch.

    Parameters
    ----------
    augmentation : {"crop"}, Distortion or None
        A random crop, or random changes of shape, pen and ink; None crops the center.
    size : tuple of (int, int) or None
        Rows and columns of the result; None keeps those of the images.

    Returns
    -------
    callable
        Function from a batch of uint8 images and a torch.Generator to the input of a network.
    """
    if augmentation is None:
        return partial(_crop_middle, size=size)
    if isinstance(augmentation, str) and augmentation == "crop":
        return partial(_crop_at_random, size=size)
    return partial(_distort, distortion=augmentation, size=size)


def random_crop(images, size, generator):
    """Crop each image at a random position.

    Parameters
    ----------
    images : Tensor of shape (n_samples, 1, height, width), dtype uint8
        Preprocessed signatures, background 0 and ink up to 255.
    size : tuple of (int, int) or None
        Rows and columns to keep; None does not crop, and an axis with fewer pixels is not cropped.
    generator : torch.Generator
        Source of randomness, on the CPU.

    Returns
    -------
    Tensor of shape (n_samples, 1, size[0], size[1]), dtype uint8
        The crops.

    Examples
    --------
    >>> import torch
    >>> from sigkit.training._augmentation import random_crop
    >>> random_crop(torch.zeros(2, 1, 170, 242, dtype=torch.uint8), (150, 220), torch.Generator()).shape
    torch.Size([2, 1, 150, 220])
    """
    if size is None:
        return images
    # Imported for trainings alone: torchvision takes a second to import. Its RandomCrop draws one position for a whole
    # batch, and from torch's global generator, which would end exact resumption; so the positions are drawn here.
    from torchvision.transforms.v2.functional import crop

    n_samples, _, height, width = images.shape
    size = min(size[0], height), min(size[1], width)
    tops = torch.randint(height - size[0] + 1, (n_samples,), generator=generator).tolist()
    lefts = torch.randint(width - size[1] + 1, (n_samples,), generator=generator).tolist()
    return torch.stack([crop(image, top, left, *size) for image, top, left in zip(images, tops, lefts)])


def _crop_middle(images, generator, size):
    return network_input(images, size)


def _crop_at_random(images, generator, size):
    return network_input(random_crop(images, size, generator), None)


def _distort(images, generator, distortion, size):
    return distortion.apply(images, size, generator).contiguous(memory_format=torch.channels_last)
