"""The kinematic theory of rapid movements: the speed of a stroke is a lognormal, and strokes overlap in time."""

import numpy as np
from scipy.special import ndtr

SAMPLES_PER_STROKE = 14
"""Number of points in time at which a stroke is sampled."""


def lognormal_path(targets, arcs, onsets, log_times, log_widths):
    """Compute the path of the pen through the strokes between targets by the sigma-lognormal model [1]_.

    At time :math:`t`, stroke :math:`j` has covered the share
    :math:`\\Lambda_j(t) = \\Phi((\\ln(t - t_j) - \\mu_j) / \\sigma_j)` of its arc, the distribution function of a
    lognormal. The path is the sum of all strokes; where they overlap in time, corners become curves.

    Parameters
    ----------
    targets : ndarray of shape (n_strokes + 1,), dtype complex128
        Virtual targets as complex numbers; the pen starts at the first.
    arcs : ndarray of shape (n_strokes,)
        Angle by which the direction of each stroke changes from its start to its end, in radians.
    onsets : ndarray of shape (n_strokes,)
        Time :math:`t_j` at which each stroke starts, in seconds.
    log_times, log_widths : ndarray of shape (n_strokes,)
        Parameters :math:`\\mu_j` and :math:`\\sigma_j` of the lognormals.

    Returns
    -------
    path : ndarray of shape (n_times,), dtype complex128
        Positions of the pen.
    times : ndarray of shape (n_times,)
        Their times, in equal steps.

    References
    ----------
    .. [1] Plamondon, R. (1995). A kinematic theory of rapid human movements. Biological Cybernetics, 72, 295-307.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.datasets._synthesis._kinematics import lognormal_path
    >>> path, _ = lognormal_path(np.array([0, 1j]), np.zeros(1), np.zeros(1), np.array([-2.0]), np.array([0.2]))
    >>> complex(path[0]), bool(abs(path[-1] - 1j) < 0.01)
    (0j, True)
    """
    # 2.5 deviations after its median time, a stroke has covered 99.4 % of its arc.
    end = (onsets + np.exp(log_times + 2.5 * log_widths)).max()
    times = np.linspace(onsets[0], end, SAMPLES_PER_STROKE * (len(arcs) + 1))
    # Before its onset a stroke has covered nothing: the logarithm of a tiny time gives a share of 0.
    elapsed = np.maximum(times[:, None] - onsets, 1e-6)
    shares = ndtr((np.log(elapsed) - log_times) / log_widths)
    shares[0] = 0.0
    # A stroke with the chord c that turns by the angle a is an arc of a circle. After the share s of it the
    # displacement is c (exp(i a s) - 1) / (exp(i a) - 1). A tiny angle replaces 0, where this is 0 / 0.
    turn = 1j * np.where(np.abs(arcs) < 1e-3, 1e-3, arcs)
    chords = np.diff(targets) / np.expm1(turn)
    return targets[0] + np.expm1(turn * shares) @ chords, times


def smooth_arcs(targets, roundness):
    """Compute the arcs of strokes from the corners between them; sharp reversals remain sharp.

    A stroke turns by a share of the mean of the corners at its two ends.

    Parameters
    ----------
    targets : ndarray of shape (n_strokes + 1,), dtype complex128
        Virtual targets.
    roundness : float
        The share, from 0 (straight strokes) to 1 (a regular polygon becomes a circle).

    Returns
    -------
    ndarray of shape (n_strokes,)
        Angles in radians.
    """
    if len(targets) == 2:
        return np.zeros(1)
    steps = np.diff(targets)
    corners = np.angle(steps[1:] * steps[:-1].conj())
    # Above 120 degrees the pen reverses: rounding such a corner would make a loop of it.
    corners = np.where(np.abs(corners) < 2.1, corners, 0.0)
    around = np.concatenate([corners[:1], corners, corners[-1:]])
    return roundness * (around[1:] + around[:-1]) / 2
