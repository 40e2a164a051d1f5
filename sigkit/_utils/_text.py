"""Long lists in errors and warnings."""


def listing(items, limit=5):
    """Format a list: the first few items, and the number of the others.

    Parameters
    ----------
    items : iterable
        The items; each is formatted with `str`.
    limit : int, default=5
        The largest number of items that are written out.

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
