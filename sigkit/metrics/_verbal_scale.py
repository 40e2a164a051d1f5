"""Words for likelihood ratios, as forensic reports use them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sigkit.metrics._trials import _check_scores

# Lower ends of the ranges, as log10 likelihood ratios.
SCALE = {
    np.log10(2): "weak",
    1.0: "moderate",
    2.0: "moderately strong",
    3.0: "strong",
    4.0: "very strong",
    6.0: "extremely strong",
}


def verbal_scale(
    log10_lr: ArrayLike, *, propositions: tuple[str, str] = ("a genuine signature", "a forgery")
) -> str | np.ndarray:
    """Express log10 likelihood ratios in the words of the scale of ENFSI.

    Likelihood ratios from 2 to 10 are weak support, then moderate (to 100), moderately strong (to 1,000), strong (to
    10,000), very strong (to 1,000,000) and extremely strong support; those below 1 support the other proposition by
    their inverse, and those between 1/2 and 2 neither.

    Parameters
    ----------
    log10_lr : float or array-like of shape (n_samples,) or (n_samples, n_enrolled)
        Base-10 logarithms of likelihood ratios, as :class:`ScoreCalibrator` computes them.
    propositions : tuple of two str, default=("a genuine signature", "a forgery")
        What positive and negative logarithms support.

    Returns
    -------
    str or ndarray of str
        The words, for a number or for each element of an array.

    Raises
    ------
    ValueError
        If a logarithm is NaN or infinite, or there are not two propositions.

    See Also
    --------
    ScoreCalibrator : Computes the likelihood ratios, with bounds.

    Notes
    -----
    Words are an addition to the number, not a replacement: state the likelihood ratio, the two propositions, and the
    data on which it was calibrated as well.

    References
    ----------
    .. [1] European Network of Forensic Science Institutes. ENFSI guideline for evaluative reporting in forensic
       science, 2015.

    Examples
    --------
    >>> from sigkit.metrics import verbal_scale
    >>> verbal_scale(1.3)
    'moderate support for a genuine signature'
    >>> verbal_scale([-2.5, 0.1]).tolist()
    ['moderately strong support for a forgery', 'no support for either']
    """
    if isinstance(propositions, str) or len(propositions) != 2:
        raise ValueError(f"propositions must be two texts; got {propositions!r}.")
    values = _check_scores(np.atleast_1d(np.asarray(log10_lr)), "log10_lr")
    words = np.array(["no", *SCALE.values()])[np.searchsorted(list(SCALE), np.abs(values), side="right")]
    named = np.where(values > 0, f" support for {propositions[0]}", f" support for {propositions[1]}")
    found = np.char.add(words, np.where(words == "no", " support for either", named))
    return str(found[0]) if np.ndim(log10_lr) == 0 else found
