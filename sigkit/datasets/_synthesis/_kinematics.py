"""The kinematic theory of rapid movements: a stroke's speed is a lognormal, and strokes overlap in time."""

import numpy as np
from scipy.special import ndtr

SAMPLES = 14
"""Points in time for each stroke."""


def lognormal_path(targets, arcs, onsets, log_times, log_widths):
    """Move the pen through the strokes between targets, by the sigma-lognormal model [1]_.

    Stroke :math:`j` has covered the share :math:`\\Lambda_j(t)` of its arc at time :math:`t`, the distribution function
    of a lognormal: :math:`\\Lambda_j(t) = \\Phi((\\ln(t - t_j) - \\mu_j) / \\sigma_j)`. What the pen does is the sum of
    all strokes; where they overlap in time, corners become curves.

    Parameters
    ----------
    targets : ndarray of shape (n_strokes + 1,), dtype complex128
        Virtual targets; the pen starts at the first.
    arcs : ndarray of shape (n_strokes,)
        Angle by which each stroke turns on its way, in radians.
    onsets : ndarray of shape (n_strokes,)
        When each stroke is commanded, in seconds.
    log_times, log_widths : ndarray of shape (n_strokes,)
        The lognormals' :math:`\\mu` and :math:`\\sigma`.

    Returns
    -------
    path : ndarray of shape (n_times,), dtype complex128
        Where the pen is.
    times : ndarray of shape (n_times,)
        When, in equal steps.

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
    times = np.linspace(onsets[0], (onsets + np.exp(log_times + 2.5 * log_widths)).max(), SAMPLES * (len(arcs) + 1))
    since = np.maximum(times[:, None] - onsets, 1e-6)
    done = ndtr((np.log(since) - log_times) / log_widths)
    done[0] = 0.0
    turn = 1j * np.where(np.abs(arcs) < 1e-3, 1e-3, arcs)
    chords = np.diff(targets) / np.expm1(turn)
    return targets[0] + np.expm1(turn * done) @ chords, times


def smooth_arcs(targets, roundness):
    """Turn each stroke on its way by the mean of the corners at its ends; sharp reversals stay sharp.

    Parameters
    ----------
    targets : ndarray of shape (n_strokes + 1,), dtype complex128
        Virtual targets.
    roundness : float
        Share of the mean, 0 (straight strokes) to 1 (a regular polygon becomes a circle).

    Returns
    -------
    ndarray of shape (n_strokes,)
        Angles in radians.
    """
    if len(targets) == 2:
        return np.zeros(1)
    steps = np.diff(targets)
    corners = np.angle(steps[1:] * steps[:-1].conj())
    corners = np.where(np.abs(corners) < 2.1, corners, 0.0)
    around = np.concatenate([corners[:1], corners, corners[-1:]])
    return roundness * (around[1:] + around[:-1]) / 2
