"""The weights of the losses after each update in meta-training."""


def multi_step_importance(n_updates, epoch, n_epochs):
    """Compute the weight of the loss after each update in an epoch of meta-training (multi-step loss [1]_).

    In the first epoch all weights are equal, which makes the training stable. The weights of all but the last update
    fall linearly to 0 at epoch `n_epochs`.

    Parameters
    ----------
    n_updates : int
        Number of updates.
    epoch : int
        Number of epochs before this one.
    n_epochs : int
        Number of epochs in which the losses after earlier updates count; 0 for none.

    Returns
    -------
    list of float
        The weights; their sum is 1.

    References
    ----------
    .. [1] Antoniou, A., Edwards, H., and Storkey, A. (2019). How to train your MAML. ICLR. arXiv:1810.09502.

    Examples
    --------
    >>> from sigkit.training import multi_step_importance
    >>> multi_step_importance(4, 0, 10), multi_step_importance(4, 10, 10)
    ([0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0])
    """
    early = max(0.0, 1 - epoch / n_epochs) / n_updates if n_epochs else 0.0
    return [early] * (n_updates - 1) + [1 - early * (n_updates - 1)]
