"""From preprocessed images to the input of a network."""

import torch


def network_input(images, size):
    """Crop the center of images and scale it to the range of a network's input.

    Parameters
    ----------
    images : Tensor of shape (n_samples, 1, height, width)
        Preprocessed signatures, values from 0 (background) to 255. The function is differentiable.
    size : tuple of (int, int) or None
        Rows and columns to keep; None does not crop.

    Returns
    -------
    Tensor of shape (n_samples, 1, size[0], size[1]), dtype float32
        Values from 0 to 1, in channels-last layout.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import network_input
    >>> network_input(torch.full((2, 1, 170, 242), 255, dtype=torch.uint8), (150, 220)).shape
    torch.Size([2, 1, 150, 220])
    """
    images = center_crop(images[:, 0], size)[:, None] if size else images
    return images.to(torch.float32, memory_format=torch.channels_last) / 255


def center_crop(images, size):
    """Crop the center of images.

    Parameters
    ----------
    images : ndarray or Tensor of shape (n_samples, height, width)
        The images.
    size : tuple of (int, int)
        Rows and columns to keep. Where an image has fewer, all are kept.

    Returns
    -------
    ndarray or Tensor of shape (n_samples, size[0], size[1])
        A view of the images.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.nets import center_crop
    >>> center_crop(np.zeros((2, 170, 242)), (150, 220)).shape
    (2, 150, 220)
    """
    size = [min(side, least) for side, least in zip(images.shape[1:], size)]
    top, left = (images.shape[1] - size[0]) // 2, (images.shape[2] - size[1]) // 2
    return images[:, top : top + size[0], left : left + size[1]]
