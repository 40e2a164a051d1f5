"""How straight strokes are around each point of a signature."""

import numpy as np

_RADIUS = 3.0
"""Standard deviation of the weights of other points, in pixels of an image of 170 rows."""


def measure_straightness(x, y, cos, sin):
    """Measure the length of the mean direction of the strokes around each point.

    Parameters
    ----------
    x, y : ndarray of shape (n_points,)
        Positions.
    cos, sin : ndarray of shape (n_points,)
        Cosine and sine of twice the angle of the stroke.

    Returns
    -------
    ndarray of shape (n_points,)
        From 0 to 1: 1 where all strokes around have one direction, less at curves and crossings.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators._strokes._straightness import measure_straightness
    >>> measure_straightness(np.arange(5.0), np.zeros(5), np.ones(5), np.zeros(5)).round(3)
    array([1., 1., 1., 1., 1.])
    """
    distance = np.square(x[:, None] - x) + np.square(y[:, None] - y)
    weight = np.exp(distance * (-0.5 / _RADIUS**2))
    return np.hypot(weight @ cos, weight @ sin) / weight.sum(axis=1)
