"""Batches of images made ready for a network, on whatever device they are."""

from dataclasses import fields
from functools import partial

import torch

from sigkit._utils import listing
from sigkit.nets import network_input
from sigkit.training._augment import Distortion, random_crop


def training_input(augmentation, size):
    """Choose how images are varied in training.

    Parameters
    ----------
    augmentation : {"crop", "distort"}, dict or None
        A random crop, or the changes of :class:`sigkit.training.Distortion`, whose strengths a dict sets; None takes the
        middle of images as they are.
    size : tuple of (int, int) or None
        Rows and columns of the result; None keeps those of the images.

    Returns
    -------
    callable
        Makes the input of a network of a batch of uint8 images and a torch.Generator.

    Raises
    ------
    ValueError
        If a dict names something that is no strength of a distortion.
    """
    if augmentation is None:
        return lambda images, generator: network_input(images, size)
    if augmentation == "crop":
        return partial(_crop_somewhere, size=size)
    settings = augmentation if isinstance(augmentation, dict) else {}
    unknown = settings.keys() - {field.name for field in fields(Distortion)}
    if unknown:
        raise ValueError(
            f"augmentation: there is no {listing(sorted(unknown))}; a distortion has "
            f"{listing([field.name for field in fields(Distortion)], limit=20)}."
        )
    return partial(_distort, distortion=Distortion(**settings), size=size)


def _crop_somewhere(images, generator, size):
    return _as_input(random_crop(images, size, generator))


def _distort(images, generator, distortion, size):
    return distortion.apply(images, size, generator).contiguous(memory_format=torch.channels_last)


def _as_input(images):
    return images.to(torch.float32, memory_format=torch.channels_last) / 255
