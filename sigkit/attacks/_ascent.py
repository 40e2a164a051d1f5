"""Gradients with respect to images, and projected gradient ascent."""

import torch

from sigkit.attacks._norms import FULL_INK, as_column, steepest, within_ball


def value_and_grad(objective, images):
    """Compute the values of an objective and their gradients with respect to the images.

    Each value may depend on its own image only, as the gradient of their sum is computed.

    Parameters
    ----------
    objective : callable
        Function of images of shape (n_samples, ...) that returns values of shape (n_samples,).
    images : Tensor of shape (n_samples, ...)
        Images.

    Returns
    -------
    values : Tensor of shape (n_samples,)
        The values.
    gradients : Tensor of shape (n_samples, ...)
        The gradient of each value with respect to its image.

    Raises
    ------
    ValueError
        If the values were not computed from the images by differentiable operations of torch.

    Examples
    --------
    >>> import torch
    >>> from sigkit.attacks import value_and_grad
    >>> value_and_grad(lambda images: images.square().sum((1, 2)), torch.tensor([[[3.0, 4.0]]]))
    (tensor([25.]), tensor([[[6., 8.]]]))
    """
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        values = objective(images)
        if not values.requires_grad:
            raise ValueError(
                "The scores have no gradient with respect to the pixels: a part of the verifier is not computed by "
                "torch. Use BoundaryAttack or AnnealingAttack."
            )
        [gradients] = torch.autograd.grad(values.sum(), images)
    return values.detach(), gradients


def ascend(objective, images, *, epsilon, norm=2, step_size=None, n_steps, start=None, full_ink=FULL_INK):
    """Maximize an objective around images by projected gradient ascent [1]_.

    .. math:: x_{t+1} = \\Pi(x_t + \\alpha\\, s(\\nabla f(x_t)))

    with the direction of steepest ascent :math:`s`, the step size :math:`\\alpha`, and the projection :math:`\\Pi` to
    the range of pixels and to the ball around the image.

    Parameters
    ----------
    objective : callable
        Function of images of shape (n_samples, ...) that returns values of shape (n_samples,).
    images : Tensor of shape (n_samples, ...)
        Images, background 0.
    epsilon : float
        Radius of the ball, in the units of the images.
    norm : {2, float("inf")}, default=2
        The norm that measures the length.
    step_size : float or None, default=None
        Length of a step; None for `2.5 * epsilon / n_steps`, with which every point of the ball can be reached.
    n_steps : int
        Number of steps.
    start : Tensor of shape (n_samples, ...) or None, default=None
        Starting points within the ball; by default the images.
    full_ink : float, default=255.0
        Maximum value of a pixel.

    Returns
    -------
    Tensor of shape (n_samples, ...)
        The images with the largest values among all iterates, including `start`.

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
    best, best_values = changed, None
    for _ in range(n_steps):
        values, gradients = value_and_grad(objective, changed)
        best, best_values = keep_better(best, best_values, changed, values)
        stepped = changed + step_size * steepest(gradients, norm)
        # Clipping to the range of pixels first: length that is clipped away is then not taken from other pixels by the
        # projection to the ball. The image is in the range, so points between both are as well, and the last clamp only
        # removes rounding errors.
        changed = (images + within_ball(stepped.clamp(0, full_ink) - images, epsilon, norm)).clamp(0, full_ink)
    with torch.no_grad():
        return keep_better(best, best_values, changed, objective(changed))[0]


def keep_better(best, best_values, images, values):
    """Keep for each row the image with the larger value.

    Parameters
    ----------
    best : Tensor of shape (n_samples, ...)
        The best images so far.
    best_values : Tensor of shape (n_samples,) or None
        Their values; None if there are none yet.
    images : Tensor of shape (n_samples, ...)
        New images.
    values : Tensor of shape (n_samples,)
        Their values.

    Returns
    -------
    best, best_values : Tensor
        The better images, and their values.
    """
    if best_values is None:
        return images, values
    is_better = values > best_values
    return torch.where(as_column(is_better, images), images, best), torch.where(is_better, values, best_values)
