"""Thresholds that a user passes: one number, or a number for each writer."""

from numbers import Real

import numpy as np

from sigkit._utils._ids import parse_ids


def check_threshold(threshold):
    """Check a threshold that applies to all scores.

    Parameters
    ----------
    threshold : float
        The threshold.

    Returns
    -------
    float
        The threshold.

    Raises
    ------
    ValueError
        If it is not a single real number, or NaN. Booleans and strings are no numbers.

    Examples
    --------
    >>> from sigkit._utils import check_threshold
    >>> check_threshold(1)
    1.0
    """
    number = threshold.item() if isinstance(threshold, (np.ndarray, np.generic)) and threshold.ndim == 0 else threshold
    if not isinstance(number, Real) or isinstance(number, bool) or number != number:
        raise ValueError(f"threshold must be a number, the lowest score that is accepted; found {threshold!r}.")
    return float(number)


def thresholds_of_writers(threshold):
    """Check user-specific thresholds.

    Parameters
    ----------
    threshold : mapping or Series of writer id to float
        The threshold of each writer.

    Returns
    -------
    dict of writer id to float
        The thresholds.

    Raises
    ------
    ValueError
        If an id is not valid, names two thresholds, or its threshold is not a real number. NaN stands for none.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import thresholds_of_writers
    >>> thresholds_of_writers({np.int64(7): 0.5, 9: 1})
    {7: 0.5, 9: 1.0}
    """
    if getattr(threshold, "ndim", 1) != 1:
        raise ValueError("threshold is a table. Pass a number, or a mapping of writer id to number.")
    # A Series may name a writer twice, which a dict made of it would not show.
    items = list(threshold.items())
    ids = parse_ids([writer for writer, _ in items], "threshold").tolist()
    values = {}
    for writer, (_, value) in zip(ids, items):
        if writer in values:
            raise ValueError(f"threshold names the writer {writer!r} twice.")
        try:
            values[writer] = (
                np.nan if isinstance(value, (float, np.floating)) and value != value else check_threshold(value)
            )
        except ValueError as error:
            raise ValueError(f"{error} It is that of the writer {writer!r}.") from None
    return values
