"""Lengths of perturbations, and going uphill within a ball."""

import torch

FULL_INK = 255.0
"""The greatest value of a pixel: full ink."""


def lengths(perturbations, norm=2):
    """Measure perturbations.

    Parameters
    ----------
    perturbations : Tensor of shape (n_samples, ...)
        Differences of images.
    norm : {2, float("inf")}, default=2
        Euclidean length, or the greatest change of a pixel.

    Returns
    -------
    Tensor of shape (n_samples,)
        Their lengths.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import lengths
    >>> lengths(torch.tensor([[[3.0, 4.0]]]))
    tensor([5.])
    """
    return torch.linalg.vector_norm(perturbations.flatten(1), ord=norm, dim=1)


def steepest(gradients, norm=2):
    """Find the step of length 1 that goes uphill fastest.

    Parameters
    ----------
    gradients : Tensor of shape (n_samples, ...)
        Gradients.
    norm : {2, float("inf")}, default=2
        How length is measured.

    Returns
    -------
    Tensor of shape (n_samples, ...)
        The steps; 0 where the gradient is, or is not finite.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import steepest
    >>> steepest(torch.tensor([[[3.0, -4.0]]])), steepest(torch.tensor([[[3.0, -4.0]]]), float("inf"))
    (tensor([[[ 0.6000, -0.8000]]]), tensor([[[ 1., -1.]]]))
    """
    gradients = gradients.nan_to_num(0, 0, 0)
    if norm == 2:
        return gradients / _as_column(lengths(gradients), gradients).clamp_min(torch.finfo(gradients.dtype).tiny)
    return gradients.sign()


def within_ball(perturbations, epsilon, norm=2):
    """Bring perturbations that are too long back to a ball.

    Parameters
    ----------
    perturbations : Tensor of shape (n_samples, ...)
        Differences of images.
    epsilon : float
        Radius of the ball.
    norm : {2, float("inf")}, default=2
        How length is measured: too long ones are shortened as a whole, or each pixel is cut.

    Returns
    -------
    Tensor of shape (n_samples, ...)
        Perturbations of length `epsilon` at most.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import within_ball
    >>> within_ball(torch.tensor([[[3.0, 4.0]]]), 1.0)
    tensor([[[0.6000, 0.8000]]])
    """
    if norm == 2:
        factor = epsilon / lengths(perturbations).clamp_min(epsilon)
        return perturbations * _as_column(factor, perturbations)
    return perturbations.clamp(-epsilon, epsilon)


def random_in_ball(images, epsilon, norm=2, *, generator, full_ink=FULL_INK):
    """Draw a place in the ball around each image, evenly.

    Parameters
    ----------
    images : Tensor of shape (n_samples, ...)
        Images, background 0.
    epsilon : float
        Radius of the ball, in the units of the images.
    norm : {2, float("inf")}, default=2
        How length is measured.
    generator : torch.Generator
        Draws, on the processor.
    full_ink : float, default=255.0
        The greatest value of a pixel, to which the places are cut.

    Returns
    -------
    Tensor of shape (n_samples, ...)
        The places.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import lengths, random_in_ball
    >>> images = torch.full((2, 3, 3), 100.0)
    >>> places = random_in_ball(images, 5.0, generator=torch.Generator())
    >>> bool((lengths(places - images) <= 5).all())
    True
    """
    if norm == 2:
        direction = steepest(torch.randn(images.shape, generator=generator))
        share = torch.rand(len(images), generator=generator) ** (1 / images[0].numel())
        change = epsilon * _as_column(share, images) * direction
    else:
        change = epsilon * (2 * torch.rand(images.shape, generator=generator) - 1)
    return (images + change.to(images.device)).clamp(0, full_ink)


def ascend(objective, images, *, epsilon, norm=2, step_size=None, n_steps, start=None, full_ink=FULL_INK):
    """Change images so that an objective grows, by projected gradient steps [1]_.

    .. math:: x_{t+1} = \\Pi(x_t + \\alpha\\, s(\\nabla f(x_t)))

    with the steepest step :math:`s` of length 1, the step size :math:`\\alpha`, and the projection :math:`\\Pi` to the
    range of pixels and the ball around the image.

    Parameters
    ----------
    objective : callable
        Takes images, (n_samples, ...), and returns a value for each, (n_samples,).
    images : Tensor of shape (n_samples, ...)
        Images, background 0.
    epsilon : float
        Radius of the ball, in the units of the images.
    norm : {2, float("inf")}, default=2
        How length is measured.
    step_size : float or None, default=None
        Length of a step; None for `2.5 * epsilon / n_steps`, which can reach every place of the ball.
    n_steps : int
        Number of steps.
    start : Tensor of shape (n_samples, ...) or None, default=None
        Where to begin, within the ball; the images themselves by default.
    full_ink : float, default=255.0
        The greatest value of a pixel.

    Returns
    -------
    Tensor of shape (n_samples, ...)
        Of the images on the way, `start` included, those with the greatest values.

    References
    ----------
    .. [1] Madry, A., Makelov, A., Schmidt, L., Tsipras, D., and Vladu, A. (2018). Towards deep learning models
       resistant to adversarial attacks. ICLR. arXiv:1706.06083.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import ascend
    >>> ascend(lambda images: images.sum((1, 2)), torch.zeros(1, 2, 2), epsilon=4.0, step_size=2.0, n_steps=3)
    tensor([[[2., 2.],
             [2., 2.]]])
    """
    step_size = 2.5 * epsilon / n_steps if step_size is None else step_size
    changed = images if start is None else start
    best, greatest = changed, None
    for _ in range(n_steps):
        values, gradients = value_and_grad(objective, changed)
        best, greatest = better(best, greatest, changed, values)
        stepped = changed + step_size * steepest(gradients, norm)
        changed = (images + within_ball(stepped.clamp(0, full_ink) - images, epsilon, norm)).clamp(0, full_ink)
    with torch.no_grad():
        return better(best, greatest, changed, objective(changed))[0]


def value_and_grad(objective, images):
    """Compute an objective and its gradient.

    Parameters
    ----------
    objective : callable
        Takes images and returns a value for each.
    images : Tensor of shape (n_samples, ...)
        Images.

    Returns
    -------
    values : Tensor of shape (n_samples,)
        The values.
    gradients : Tensor of shape (n_samples, ...)
        The gradient of each value by its image.

    Raises
    ------
    ValueError
        If the values do not depend on the images in a way that torch knows.
    """
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        values = objective(images)
        if not values.requires_grad:
            raise ValueError(
                "The scores have no gradient by the pixels: something between them is not computed by torch. Attack "
                "with BoundaryAttack or AnnealingAttack."
            )
        [gradients] = torch.autograd.grad(values.sum(), images)
    return values.detach(), gradients


def better(best, greatest, images, values):
    """Keep of each image the version with the greater value.

    Parameters
    ----------
    best : Tensor of shape (n_samples, ...)
        Versions so far.
    greatest : Tensor of shape (n_samples,) or None
        Their values; None if they have none yet.
    images : Tensor of shape (n_samples, ...)
        New versions.
    values : Tensor of shape (n_samples,)
        Theirs.

    Returns
    -------
    best, greatest : Tensor
        The better of both, and their values.
    """
    if greatest is None:
        return images, values
    is_better = values > greatest
    return torch.where(_as_column(is_better, images), images, best), torch.where(is_better, values, greatest)


def _as_column(values, images):
    return values.view(-1, *[1] * (images.ndim - 1))
