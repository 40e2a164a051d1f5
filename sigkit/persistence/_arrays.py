"""Many arrays in few tensors: those of one type lie one after the other."""

import math
from functools import cache

import numpy as np

_TENSORS = {
    "bool",
    "float16",
    "float32",
    "float64",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}
_OTHERS = "bytes"
_KINDS = "biufcSUMm"


class ArrayWriter:
    """Collect arrays for a file.

    A system of a thousand writers has tens of thousands of arrays. As tensors of their own they would need a header of
    several megabytes.

    Attributes
    ----------
    table : list of list
        The type, the shape and the memory order ("C" or "F") of each array.
    """

    def __init__(self):
        self.table, self._parts = [], {}

    def add(self, array):
        """Add an array.

        Parameters
        ----------
        array : ndarray
            The array, of no Python objects and without fields.

        Returns
        -------
        int
            Its number.
        """
        order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        self.table.append([array.dtype.str, list(array.shape), order])
        flat = array.ravel(order=order)
        name = _tensor_of(array.dtype)
        self._parts.setdefault(name, []).append(np.frombuffer(flat.tobytes(), np.uint8) if name == _OTHERS else flat)
        return len(self.table) - 1

    def tensors(self):
        """Return the tensors, a dict of str to ndarray."""
        return {name: np.concatenate(parts) for name, parts in sorted(self._parts.items())}


class ArrayReader:
    """Take arrays out of the tensors of a file.

    Parameters
    ----------
    tensors : dict of str to ndarray
        The tensors.
    table : list of list
        The type, the shape and the memory order of each array.

    Raises
    ------
    ValueError
        If they do not belong together.
    """

    def __init__(self, tensors, table):
        self._tensors, self._places, ends = tensors, [], dict.fromkeys(tensors, 0)
        for text, shape, order in table:
            dtype = np.dtype(text)
            name = _tensor_of(dtype)
            if order not in ("C", "F") or not all(type(n) is int and n >= 0 for n in shape):
                raise ValueError(f"an array of shape {shape} and order {order!r}")
            size = math.prod(shape) * (dtype.itemsize if name == _OTHERS else 1)
            start = ends[name]
            ends[name] = start + size
            self._places.append((name, dtype, tuple(shape), order, start))
        for name, tensor in tensors.items():
            if tensor.dtype.name != ("uint8" if name == _OTHERS else name) or tensor.shape != (ends[name],):
                raise ValueError(
                    f"the tensor {name} has {tensor.shape} numbers of type {tensor.dtype}, not {ends[name]}"
                )
            # Other bytes than 0 and 1 would be equal neither to True nor to False.
            if name == "bool" and tensor.view(np.uint8).max(initial=0) > 1:
                raise ValueError("a truth value is neither 0 nor 1")

    def get(self, number):
        """Return an array, in memory of its own.

        Parameters
        ----------
        number : int
            The number of the array.

        Returns
        -------
        ndarray
            The array.
        """
        name, dtype, shape, order, start = self._places[number]
        array = np.empty(shape, dtype, order=order)
        size = array.nbytes if name == _OTHERS else array.size
        part = self._tensors[name][start : start + size]
        array.reshape(-1, order=order)[:] = (
            part.view(dtype) if name != _OTHERS else np.frombuffer(part.tobytes(), dtype)
        )
        return array


def can_store(array):
    """Return whether an array can be stored.

    Parameters
    ----------
    array : ndarray or numpy scalar
        The array.

    Returns
    -------
    bool
        False for Python objects, and for types with fields.
    """
    return array.dtype.kind in _KINDS and (type(array) in (np.ndarray, np.memmap) or isinstance(array, np.generic))


@cache
def _tensor_of(dtype):
    if dtype.kind not in _KINDS:
        raise ValueError(f"an array of type {dtype}")
    return dtype.name if dtype.name in _TENSORS and dtype.isnative else _OTHERS
