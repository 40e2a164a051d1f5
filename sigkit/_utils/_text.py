"""Wording of long lists in errors and warnings."""


def listing(items, limit=5):
    """Write the first few of many items, and how many more there are.

    Parameters
    ----------
    items : iterable
        What to list; each item is written with `str`.
    limit : int, default=5
        How many items to write out.

    Returns
    -------
    str
        The items, separated by commas.

    Examples
    --------
    >>> from sigkit._utils import listing
    >>> listing(range(1, 9), limit=3)
    '1, 2, 3 and 5 more'
    """
    items = [str(item) for item in items]
    text = ", ".join(items[:limit])
    return text if len(items) <= limit else f"{text} and {len(items) - limit} more"
