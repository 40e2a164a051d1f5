"""Norms of perturbations, and balls around images."""

import torch

FULL_INK = 255.0
"""Maximum value of a pixel in preprocessed images: full ink (the background is 0)."""


def lengths(perturbations, norm=2):
    """Compute the norms of perturbations.

    Parameters
    ----------
    perturbations : Tensor of shape (n_samples, ...)
        Differences of images.
    norm : {2, float("inf")}, default=2
        The L2 norm, or the maximum of absolute values.

    Returns
    -------
    Tensor of shape (n_samples,)
        The norms.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import lengths
    >>> lengths(torch.tensor([[[3.0, 4.0]]]))
    tensor([5.])
    """
    return torch.linalg.vector_norm(perturbations.flatten(1), ord=norm, dim=1)


def steepest(gradients, norm=2):
    """Compute the direction of steepest ascent: the perturbation of length 1 with the largest inner product.

    Parameters
    ----------
    gradients : Tensor of shape (n_samples, ...)
        Gradients.
    norm : {2, float("inf")}, default=2
        The norm that measures the length.

    Returns
    -------
    Tensor of shape (n_samples, ...)
        The normalized gradient for the L2 norm, its sign for the maximum norm. Components that are not finite count as
        0.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import steepest
    >>> steepest(torch.tensor([[[3.0, -4.0]]])), steepest(torch.tensor([[[3.0, -4.0]]]), float("inf"))
    (tensor([[[ 0.6000, -0.8000]]]), tensor([[[ 1., -1.]]]))
    """
    # One pixel without a finite gradient (for instance the square root of a blank image) must not make the whole step
    # NaN.
    gradients = gradients.nan_to_num(0, 0, 0)
    if norm == 2:
        # The smallest positive number instead of an epsilon: gradients of 0 stay 0, all others have exactly length 1.
        return gradients / as_column(lengths(gradients), gradients).clamp_min(torch.finfo(gradients.dtype).tiny)
    return gradients.sign()


def within_ball(perturbations, epsilon, norm=2):
    """Project perturbations to a ball.

    Parameters
    ----------
    perturbations : Tensor of shape (n_samples, ...)
        Differences of images.
    epsilon : float
        Radius of the ball.
    norm : {2, float("inf")}, default=2
        The norm that measures the length. Longer perturbations are scaled for the L2 norm, and clipped at each pixel
        for the maximum norm.

    Returns
    -------
    Tensor of shape (n_samples, ...)
        Perturbations of length at most `epsilon`.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import within_ball
    >>> within_ball(torch.tensor([[[3.0, 4.0]]]), 1.0)
    tensor([[[0.6000, 0.8000]]])
    """
    if norm == 2:
        factor = epsilon / lengths(perturbations).clamp_min(epsilon)
        return perturbations * as_column(factor, perturbations)
    return perturbations.clamp(-epsilon, epsilon)


def random_in_ball(images, epsilon, norm=2, *, generator, full_ink=FULL_INK):
    """Draw images from the uniform distribution in the ball around each image.

    Parameters
    ----------
    images : Tensor of shape (n_samples, ...)
        Images, background 0.
    epsilon : float
        Radius of the ball, in the units of the images.
    norm : {2, float("inf")}, default=2
        The norm that measures the length.
    generator : torch.Generator
        Source of randomness, on the CPU.
    full_ink : float, default=255.0
        Maximum value of a pixel, to which drawn images are clipped.

    Returns
    -------
    Tensor of shape (n_samples, ...)
        The drawn images.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import lengths, random_in_ball
    >>> images = torch.full((2, 3, 3), 100.0)
    >>> drawn = random_in_ball(images, 5.0, generator=torch.Generator())
    >>> bool((lengths(drawn - images) <= 5).all())
    True
    """
    if norm == 2:
        # A normalized Gaussian vector is uniform on the sphere. The volume within the radius r grows as r ** n, so the
        # n-th root of a uniform number is a radius that makes the point uniform in the ball.
        direction = steepest(torch.randn(images.shape, generator=generator))
        radius = epsilon * torch.rand(len(images), generator=generator) ** (1 / images[0].numel())
        change = as_column(radius, images) * direction
    else:
        change = epsilon * (2 * torch.rand(images.shape, generator=generator) - 1)
    return (images + change.to(images.device)).clamp(0, full_ink)


def as_column(values, images):
    """Reshape one value per image so that it broadcasts over the pixels.

    Parameters
    ----------
    values : Tensor of shape (n_samples,)
        Values.
    images : Tensor of shape (n_samples, ...)
        Images.

    Returns
    -------
    Tensor of shape (n_samples, 1, ...)
        The values.
    """
    return values.view(-1, *[1] * (images.ndim - 1))
