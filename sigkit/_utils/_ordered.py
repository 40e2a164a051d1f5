"""Refuse collections whose items have no order, can be read only once, or are masked."""

import os
from collections.abc import Iterator, Mapping, MappingView, Set

import numpy as np


def check_ordered(collection, name="X"):
    """Check that the items of a collection can belong, by their positions, to those of another one.

    A set gives its items in an order of its own, and a generator gives them only once. Masked values are no information
    either, and a conversion to a plain array would bring back what is below the mask.

    Parameters
    ----------
    collection : object
        What the user passed: a list, an array, a DataFrame, or anything else.
    name : str, default="X"
        The parameter, for the message.

    Raises
    ------
    ValueError
        If it is a set, a dict or one of its views, or an iterator, or if values are masked.

    Examples
    --------
    >>> from sigkit._utils import check_ordered
    >>> check_ordered(["ada.png", "bob.png"])
    >>> check_ordered({"ada.png", "bob.png"})
    Traceback (most recent call last):
    ...
    ValueError: X is a set, whose items have no fixed order. Pass a list or an array.
    """
    items = collection if isinstance(collection, (list, tuple)) else [collection]
    if any(map(np.ma.is_masked, items)):
        raise ValueError(f"Input {name} contains masked values. Leave out their rows.")
    # A sparse matrix of scipy is a dict too, but has positions.
    if hasattr(collection, "shape"):
        return
    if isinstance(collection, (Mapping, MappingView)):
        reason = "whose items have no positions"
    elif isinstance(collection, Set):
        reason = "whose items have no fixed order"
    elif isinstance(collection, Iterator):
        reason = "whose items can be read only once"
    else:
        return
    raise ValueError(f"{name} is a {type(collection).__name__}, {reason}. Pass a list or an array.")


def check_several(images, name="X"):
    """Check that images are not one path or the content of one file, of which each letter would count as an image.

    Parameters
    ----------
    images : object
        What the user passed.
    name : str, default="X"
        The parameter, for the message.

    Raises
    ------
    ValueError
        If it is a path, bytes or an open file.

    Examples
    --------
    >>> from sigkit._utils import check_several
    >>> check_several(["ada.png"])
    >>> check_several("ada.png")
    Traceback (most recent call last):
    ...
    ValueError: X is the single path 'ada.png'; pass a list of paths.
    """
    if isinstance(images, (bytes, bytearray)):
        raise ValueError(f"{name} is the content of a single file; pass a list.")
    if hasattr(images, "read"):
        raise ValueError(f"{name} is a single open file; pass a list.")
    if isinstance(images, (str, os.PathLike)):
        raise ValueError(f"{name} is the single path {os.fspath(images)!r}; pass a list of paths.")
