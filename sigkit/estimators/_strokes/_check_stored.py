"""Checks of the strokes of a writer that were stored: shapes, types, and values that index other arrays."""

import numpy as np

from sigkit.estimators._strokes._agreement import SIGNALS
from sigkit.estimators._strokes._neighbor_map import AMBIGUOUS

_LARGEST = 1e9


def check_stored(arrays):
    """Check the arrays of a writer's strokes.

    Parameters
    ----------
    arrays : dict of str to ndarray
        What `StrokeGallery.arrays_of` returned.

    Raises
    ------
    ValueError
        If an array is missing, or has another shape or type, or values that measuring strokes cannot give.
    """
    n, _, n_points = arrays["design"].shape if np.ndim(arrays.get("design")) == 3 else (0, 0, 0)
    expected = {
        "mean": ((len(SIGNALS),), "float64"),
        "spread": ((len(SIGNALS),), "float64"),
        "design": ((n, 3, n_points), "float64"),
        "sites": ((n, 2, n_points), "float64"),
        "center": ((n, 2), "float64"),
        "pixel": ((n,), "float64"),
        "cos": ((n, n_points), "float32"),
        "sin": ((n, n_points), "float32"),
        "darkness": ((n, n_points), "float32"),
        "straightness": ((n, n_points), "float64"),
        "n_present": ((n,), "int64"),
    }
    for number in range(n):
        entries, neighbors = arrays.get(f"entries {number}"), arrays.get(f"neighbors {number}")
        expected[f"entries {number}"] = (np.shape(entries), "uint16")
        expected[f"neighbors {number}"] = ((n_points, *np.shape(neighbors)[1:]), "uint16")
        # A point is looked up by its number.
        if min(np.size(entries), np.size(neighbors)) == 0 or np.ndim(entries) != 2 or np.ndim(neighbors) != 2:
            raise ValueError("its strokes have no map of the nearest points")
        if max((entries % AMBIGUOUS).max(), neighbors.max()) >= n_points:
            raise ValueError("its maps have points that do not exist")
    found = {name: (array.shape, array.dtype.name) for name, array in arrays.items() if name != "marks"}
    if not n or found != expected:
        raise ValueError(f"its arrays are {found}, not {expected}")
    for name in ("mean", "spread", "design", "sites", "center", "pixel", "cos", "sin", "darkness", "straightness"):
        # A comparison with NaN is False.
        if not np.abs(arrays[name]).max() <= _LARGEST:
            raise ValueError(f"its {name} has NaN, infinity or numbers beyond {_LARGEST:g}")
    present = arrays["n_present"]
    if min(arrays["spread"].min(), arrays["pixel"].min()) <= 0 or not 1 <= present.min() <= present.max() <= n_points:
        raise ValueError("its spread, pixel or n_present is impossible")
